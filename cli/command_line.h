// SPDX-License-Identifier: Apache-2.0
//
// The definition of the command: verbs, options, help. Parsing, the man pages and the completions
// of shells all come from it.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <vector>

#include "cli/verbs.h"

namespace dcmveil::cli {

struct CommandLine {
  std::unique_ptr<CLI::App> app;
  std::vector<Verb> verbs;  ///< of app, in the order of the help
};

[[nodiscard]] CommandLine MakeCommandLine();

}  // namespace dcmveil::cli
