// SPDX-License-Identifier: Apache-2.0
//
// What months are called in dates.
#pragma once

#include <span>
#include <string_view>

namespace dcmveil::engine::clean {

struct MonthName {
  std::string_view name;  ///< UTF-8, as it is written; where it has two spellings, twice
  int month;
  bool is_short;  ///< also a word or an abbreviation of something else: a year must stand by it
};

[[nodiscard]] std::span<const MonthName> MonthNames();
/// "vii".
[[nodiscard]] std::span<const MonthName> RomanMonths();

/// Null for other words. REQUIRES: the word is folded.
[[nodiscard]] const MonthName* FindMonth(std::string_view folded);
[[nodiscard]] const MonthName* FindRomanMonth(std::string_view folded);

}  // namespace dcmveil::engine::clean
