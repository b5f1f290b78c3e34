// SPDX-License-Identifier: Apache-2.0
//
// Text as words without case, accents and separators, so that "Müller, Jörg", "MULLER^JORG" and
// "muller jorg" are the same; and the hashes by which words and runs of words are compared. Pure
// functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dcmveil::verify {

/// One word: letters, or digits, or one character of a script that sets no blanks. "MRN12345" is
/// two words, "JaneDoe" too.
struct Word {
  std::string text;  ///< folded UTF-8
  bool digits = false;
  bool unsegmented = false;  ///< one character of Chinese, Japanese, Korean or Thai
  /// What stands between it and the word before: empty if nothing.
  std::string separator;
  /// For how many characters around it everything is text; in text, a large number.
  std::uint32_t run = 0xFFFF;
};

/// The words of UTF-8 text; bytes that are no UTF-8 count as Latin-1.
[[nodiscard]] std::vector<Word> WordsOf(std::string_view utf8);
/// The words in bytes of any kind, from runs of at least `shortest` printable characters.
[[nodiscard]] std::vector<Word> WordsInBinary(std::string_view bytes, std::size_t shortest);
/// UTF-16 from `offset` on, as UTF-8; what is no character becomes NUL.
[[nodiscard]] std::string FromUtf16(std::string_view bytes, bool big_endian, std::size_t offset);

/// A hash of text that can be continued word by word.
class TextHash {
 public:
  void Add(std::string_view text) {
    for (const char c : text) {
      state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
    }
  }
  /// Well mixed, never 0.
  [[nodiscard]] std::uint64_t value() const {
    std::uint64_t x = state_;
    x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
    x ^= x >> 31U;
    return x == 0 ? 1 : x;
  }

 private:
  std::uint64_t state_ = 0xCBF29CE484222325U;
};
[[nodiscard]] inline std::uint64_t HashOf(std::string_view text) {
  TextHash hash;
  hash.Add(text);
  return hash.value();
}

}  // namespace dcmveil::verify
