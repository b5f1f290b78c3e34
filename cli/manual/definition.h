// SPDX-License-Identifier: Apache-2.0
//
// The command's definition as plain values, for the writers of man pages and completions.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace dcmveil::cli {

struct OptionText {
  enum class Takes { kNothing, kText, kFile, kFolder, kChoice };

  std::vector<std::string> names;  ///< with dashes, short ones first; empty for what has no name
  std::string value;               ///< what the help calls its value, "" for a flag
  std::string help;
  std::string limits;  ///< of the value, in CLI11's words, as in "INT in [1 - 1024]"; often ""
  Takes takes = Takes::kNothing;
  std::vector<std::string> choices;   ///< if it takes one of these
  std::vector<std::string> needs;     ///< other options that must be given with it
  std::vector<std::string> excludes;  ///< other options that must not
  bool required = false;
  bool repeats = false;
};

struct VerbText {
  std::vector<std::string> path;  ///< as it is typed, "dcmveil" first
  std::string summary;
  std::vector<OptionText> options;
  std::vector<OptionText> operands;  ///< what has no name, in the order in which it is given
  std::vector<VerbText> verbs;
  std::vector<std::string> examples;
  std::string exit_status;

  /// The path with `between` between its words.
  [[nodiscard]] std::string Name(const std::string& between) const;
};

/// `command` and all that is below it, in the order of the help.
[[nodiscard]] VerbText Describe(const CLI::App& command);

}  // namespace dcmveil::cli
