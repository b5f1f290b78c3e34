// SPDX-License-Identifier: Apache-2.0
//
// Dates in which the month has a name: "19. März 1962", "March 19th, 1962".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dcmveil::engine::guard {

struct DayOfMonth {
  std::uint8_t month = 0;  ///< from 1; 0: none
  std::uint8_t day = 0;
  bool operator==(const DayOfMonth&) const = default;
};

/// As bytes are compared: in lower case, without what separates words.
[[nodiscard]] std::string WithoutSeparators(std::string_view bytes);

/// The ASCII letters with which names of the month end.
[[nodiscard]] const std::string& LastLettersOfMonth(std::uint8_t month);
/// In small letters.
[[nodiscard]] std::string_view EnglishMonth(std::uint8_t month);

/// Where the day or the month begins if `bytes`, behind which a year stands, ends with both.
/// `names`: of the month, without separators, instead of those in the encodings that any file has.
[[nodiscard]] std::optional<std::size_t> BeginOfNamedDate(std::string_view bytes, DayOfMonth date,
                                                          const std::vector<std::string>& names);
[[nodiscard]] std::optional<std::size_t> BeginOfNamedDate(std::string_view bytes, DayOfMonth date);

}  // namespace dcmveil::engine::guard
