// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <initializer_list>
#include <string>

namespace dcmveil::cli {

inline constexpr const char* kExamplesTitle = "Examples:";
inline constexpr const char* kExitStatusTitle = "Exit status";

/// What stands under the options in the help, and in sections of their own in the man page:
/// examples, one a line, and the exit status, a text that begins with kExitStatusTitle.
inline void SetFooter(CLI::App& app, std::initializer_list<const char*> examples,
                      const char* exit_status) {
  std::string text = kExamplesTitle;
  for (const char* example : examples) text += std::string("\n  ") + example;
  app.footer(text + "\n\n" + exit_status);
}

}  // namespace dcmveil::cli
