// SPDX-License-Identifier: Apache-2.0
//
// Text as words with what stands between them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dcmveil::engine::clean {

struct Word {
  enum class Kind : std::uint8_t {
    kNumber,       ///< digits only
    kWord,         ///< letters, perhaps with digits and apostrophes
    kUnsegmented,  ///< a run of a script without blanks between words
  };
  std::size_t begin = 0;  ///< bytes of the text
  std::size_t end = 0;
  Kind kind = Kind::kWord;
  std::string folded;       ///< see Fold; without apostrophes
  bool has_digit = false;   ///< in a kWord
  bool apostrophe = false;  ///< "O'Brien"
};

/// The words of UTF-8 text in order. Everything else (blanks, punctuation, underscores) is between
/// words.
[[nodiscard]] std::vector<Word> SplitWords(std::string_view utf8);

/// The parts of a word at changes between letters and digits and where a capital begins a new part:
/// "AxT2FLAIR" is ax, t, 2, flair; each folded.
[[nodiscard]] std::vector<std::string> PartsOf(std::string_view word);

/// Folded letters and digits only: "AB-12/34" is "ab1234".
[[nodiscard]] std::string Compact(std::string_view utf8);

[[nodiscard]] inline bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// Whether PartsOf() gives but one part, as far as a look at plain letters tells.
[[nodiscard]] bool HasOnePart(std::string_view word);

/// For sets of strings that are asked with views.
struct TextHash {
  using is_transparent = void;
  [[nodiscard]] std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};

}  // namespace dcmveil::engine::clean
