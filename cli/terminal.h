// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dcmveil/rules.h"

namespace dcmveil::cli {

/// "12,345".
[[nodiscard]] std::string WithCommas(std::uint64_t number);
/// "1.2 GB", powers of 1000.
[[nodiscard]] std::string Bytes(double bytes);
/// "1:02:03" or "2:03".
[[nodiscard]] std::string Duration(double seconds);

/// Colours only where a person looks: standard output (or error) is a terminal and NO_COLOR is not
/// set.
class Style {
 public:
  explicit Style(int descriptor);
  [[nodiscard]] std::string Bold(std::string_view text) const { return Wrap("1", text); }
  [[nodiscard]] std::string Dim(std::string_view text) const { return Wrap("2", text); }
  [[nodiscard]] std::string Red(std::string_view text) const { return Wrap("31", text); }
  [[nodiscard]] std::string Green(std::string_view text) const { return Wrap("32", text); }
  [[nodiscard]] std::string Yellow(std::string_view text) const { return Wrap("33", text); }
  [[nodiscard]] bool is_terminal() const { return terminal_; }

 private:
  [[nodiscard]] std::string Wrap(std::string_view code, std::string_view text) const;
  bool terminal_;
  bool colour_;
};

/// A line for each rule set that outputs came of before that of the run; see RunSummary::rule_sets.
void PrintEarlierRules(const std::vector<RuleSetOutputs>& rule_sets);

/// Prints diagnostics to standard error, errors first in the order of the file.
void Print(const std::vector<Diagnostic>& diagnostics);

}  // namespace dcmveil::cli
