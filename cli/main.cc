// SPDX-License-Identifier: Apache-2.0
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/exit_codes.h"
#include "cli/job_file.h"
#include "cli/misspelt.h"

namespace {

/// A core dump would hold keys and identifiers; nor may another process of the user look in.
void ForbidCoreDumps() {
  const rlimit none = {0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int Main(int argc, char** argv) {
  using namespace dcmveil::cli;  // NOLINT(google-build-using-namespace)
  const CommandLine line = MakeCommandLine();
  try {
    std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
    std::optional<std::vector<std::string>> expanded = ExpandJobFiles(arguments);
    if (!expanded) return kUsage;
    // CLI11 takes them from the back.
    std::reverse(expanded->begin(), expanded->end());
    line.app->parse(std::move(*expanded));
  } catch (const CLI::ParseError& error) {
    // --help and --version arrive here too, with exit code 0.
    const bool answered = error.get_exit_code() == 0;
    // CLI11 tells first what is missing, which is often what was misspelt.
    if (const auto misspelt = answered ? std::nullopt : FindMisspelt(*line.app)) {
      std::fprintf(stderr, "dcmveil: %s\nRun with --help for more information.\n",
                   misspelt->c_str());
      return kUsage;
    }
    line.app->exit(error);
    return answered ? kAllWell : kUsage;
  }
  for (const Verb& verb : line.verbs) {
    if (verb.app->parsed()) return verb.run();
  }
  return kUsage;
}

}  // namespace

int main(int argc, char** argv) {
  ForbidCoreDumps();
  try {
    return Main(argc, argv);
  } catch (const std::exception&) {
    // what() of a library's exception could quote a value.
    std::fprintf(stderr, "dcmveil: an unexpected error ended the program; please report it\n");
    return dcmveil::cli::kCouldNotGoOn;
  }
}
