// SPDX-License-Identifier: Apache-2.0
//
// Letters without case and diacritics, for comparing text in any script. Pure functions on UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dcmveil::engine::clean {

/// What a character is to a reader who looks for words.
enum class CharClass : std::uint8_t {
  kOther,        ///< blanks, punctuation, symbols
  kDigit,        ///< also those of other scripts
  kLetter,       ///< of scripts that set blanks between words; marks on letters too
  kUnsegmented,  ///< of scripts that do not, or not always: Chinese, Japanese, Korean, Thai, ...
};

/// The code point at `at`, which moves behind it. A byte that is no UTF-8 counts as itself.
[[nodiscard]] char32_t NextCode(std::string_view utf8, std::size_t& at);
[[nodiscard]] CharClass ClassOf(char32_t code);

/// Lower case without diacritics: "Müller" and "MULLER" are "muller", "ΆΛΦΑ" is "αλφα", "ß" is
/// "ss", "ﾔﾏﾀﾞ" is the same as "やまた". Nothing is appended for what is only a mark.
void AppendFolded(char32_t code, std::string& out);
[[nodiscard]] std::string Fold(std::string_view utf8);

}  // namespace dcmveil::engine::clean
