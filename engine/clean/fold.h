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
[[nodiscard]] char32_t NextCodeBeyondAscii(std::string_view utf8, std::size_t& at);
[[nodiscard]] inline char32_t NextCode(std::string_view utf8, std::size_t& at) {
  const auto first = static_cast<unsigned char>(utf8[at]);
  if (first >= 0x80) return NextCodeBeyondAscii(utf8, at);
  ++at;
  return first;
}

[[nodiscard]] CharClass ClassBeyondAscii(char32_t code);
[[nodiscard]] inline CharClass ClassOf(char32_t code) {
  if (code >= 0x80) return ClassBeyondAscii(code);
  if (code >= '0' && code <= '9') return CharClass::kDigit;
  const bool letter = (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z');
  return letter ? CharClass::kLetter : CharClass::kOther;
}

/// REQUIRES: ASCII.
[[nodiscard]] inline char FoldedAscii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

/// Lower case without diacritics: "Müller" and "MULLER" are "muller", "ΆΛΦΑ" is "αλφα", "ß" is
/// "ss", "ﾔﾏﾀﾞ" is the same as "やまた". Nothing is appended for what is only a mark.
void AppendFoldedBeyondAscii(char32_t code, std::string& out);
inline void AppendFolded(char32_t code, std::string& out) {
  if (code >= 0x80) {
    AppendFoldedBeyondAscii(code, out);
  } else {
    out.push_back(FoldedAscii(static_cast<char>(code)));
  }
}
[[nodiscard]] std::string Fold(std::string_view utf8);

}  // namespace dcmveil::engine::clean
