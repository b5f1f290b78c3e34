// SPDX-License-Identifier: Apache-2.0
//
// One function a verb: it adds the verb's flags to the command, and returns what runs it. Running
// returns an exit code.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace dcmveil::cli {

struct Verb {
  CLI::App* app = nullptr;
  std::function<int()> run;
};

[[nodiscard]] Verb AddRun(CLI::App& command);
[[nodiscard]] Verb AddCheck(CLI::App& command);
[[nodiscard]] Verb AddExplain(CLI::App& command);
[[nodiscard]] Verb AddConformance(CLI::App& command);
[[nodiscard]] Verb AddActions(CLI::App& command);
[[nodiscard]] Verb AddReport(CLI::App& command);
[[nodiscard]] Verb AddImport(CLI::App& command);
[[nodiscard]] Verb AddKeygen(CLI::App& command);
[[nodiscard]] Verb AddDecrypt(CLI::App& command);
[[nodiscard]] Verb AddReidentify(CLI::App& command);
[[nodiscard]] Verb AddCrosswalk(CLI::App& command);
[[nodiscard]] Verb AddVerify(CLI::App& command);
[[nodiscard]] Verb AddProof(CLI::App& command);
[[nodiscard]] Verb AddMerge(CLI::App& command);

}  // namespace dcmveil::cli
