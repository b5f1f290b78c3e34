// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace dcmveil::cli {

/// The contract of every verb. A code that is not listed must be treated as a failure.
enum ExitCode {
  kAllWell = 0,  ///< every input written, unchanged, or rejected by a rule
  kCouldNotGoOn = 1,
  kUsage = 2,         ///< the command or the rules are wrong; nothing was touched
  kSomeLeft = 3,      ///< finished; some inputs quarantined or failed
  kLeakFound = 4,     ///< verification found a leak
  kInterrupted = 130  ///< stopped by a signal; the next run goes on
};

inline constexpr const char* kExitCodesHelp =
    "Exit status: 0 every input was written, unchanged or rejected by a rule; 1 could not go on;\n"
    "2 the command or the rules are wrong, nothing was touched; 3 finished, some inputs were\n"
    "quarantined or failed; 4 verify found a leak, or proof check a difference; 130 interrupted, "
    "the\n"
    "next run goes on.";

}  // namespace dcmveil::cli
