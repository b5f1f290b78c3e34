// SPDX-License-Identifier: Apache-2.0
#include "verify/words.h"

#include <algorithm>
#include <array>

namespace dcmveil::verify {
namespace {

/// Letters of U+00C0..U+017F without their marks, one for each; '?' is no letter.
constexpr std::string_view kLatin =
    "aaaaaaaceeeeiiii"   // C0
    "dnooooo?ouuuuyts"   // D0
    "aaaaaaaceeeeiiii"   // E0
    "dnooooo?ouuuuyty"   // F0
    "aaaaaaccccccccdd"   // 100
    "ddeeeeeeeeeegggg"   // 110
    "gggghhhhiiiiiiii"   // 120
    "iiiijjkkklllllll"   // 130
    "lllnnnnnnnnnoooo"   // 140
    "oooorrrrrrssssss"   // 150
    "ssttttttuuuuuuuu"   // 160
    "uuuuwwyyyzzzzzzs";  // 170
static_assert(kLatin.size() == 0xC0);

/// The code point at `at`, which moves behind it. A byte that is no UTF-8 counts as Latin-1;
/// `valid` tells.
char32_t Next(std::string_view text, std::size_t& at, bool& valid) {
  const auto byte = [&](std::size_t i) -> char32_t {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const char32_t first = byte(at);
  valid = true;
  std::size_t more = 0;
  char32_t code = first;
  if (first >= 0xC2 && first < 0xE0) {
    more = 1;
    code = first & 0x1FU;
  } else if (first >= 0xE0 && first < 0xF0) {
    more = 2;
    code = first & 0x0FU;
  } else if (first >= 0xF0 && first < 0xF5) {
    more = 3;
    code = first & 0x07U;
  } else if (first >= 0x80) {
    valid = false;
  }
  for (std::size_t i = 1; i <= more; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80U) {
      valid = false;
      ++at;
      return first;
    }
    code = (code << 6U) | (byte(at + i) & 0x3FU);
  }
  at += more + 1;
  return code;
}

void Append(char32_t code, std::string& out) {
  const auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0U | (code >> 6U));
    put(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    put(0xE0U | (code >> 12U));
    put(0x80U | ((code >> 6U) & 0x3FU));
    put(0x80U | (code & 0x3FU));
  } else {
    put(0xF0U | (code >> 18U));
    put(0x80U | ((code >> 12U) & 0x3FU));
    put(0x80U | ((code >> 6U) & 0x3FU));
    put(0x80U | (code & 0x3FU));
  }
}

bool IsIn(char32_t code, char32_t low, char32_t high) { return code >= low && code <= high; }

/// Full-width forms of ASCII are ASCII.
char32_t Narrow(char32_t code) { return IsIn(code, 0xFF01, 0xFF5E) ? code - 0xFEE0 : code; }

bool IsDigit(char32_t code) { return IsIn(code, '0', '9'); }
bool IsUpper(char32_t code) {
  // In Latin Extended-A capitals and small letters alternate, from even or from odd numbers on.
  if (IsIn(code, 0x139, 0x148) || IsIn(code, 0x179, 0x17E)) return code % 2 == 1;
  if (IsIn(code, 0x100, 0x177)) return code % 2 == 0;
  return IsIn(code, 'A', 'Z') || IsIn(code, 0xC0, 0xDE) || IsIn(code, 0x386, 0x38F) ||
         IsIn(code, 0x391, 0x3A9) || IsIn(code, 0x400, 0x42F);
}
bool IsMark(char32_t code) { return IsIn(code, 0x300, 0x36F); }

bool IsUnsegmented(char32_t code) {
  return IsIn(code, 0x0E01, 0x0E3A) || IsIn(code, 0x0E40, 0x0E4E) || IsIn(code, 0x3041, 0x30FF) ||
         IsIn(code, 0x3400, 0x9FFF) || IsIn(code, 0xAC00, 0xD7A3) || IsIn(code, 0xF900, 0xFAFF) ||
         IsIn(code, 0xFF66, 0xFF9F) || IsIn(code, 0x20000, 0x3FFFF) || code == 0x3005;
}

bool IsLetter(char32_t code) {
  if (code < 0x80) return IsIn(code, 'A', 'Z') || IsIn(code, 'a', 'z');
  if (code < 0xC0) return code == 0xAA || code == 0xB5 || code == 0xBA;
  if (code == 0xD7 || code == 0xF7) return false;
  return !IsIn(code, 0x2000, 0x2BFF) && !IsIn(code, 0x3000, 0x3004) &&
         !IsIn(code, 0x3006, 0x3040) && !IsIn(code, 0xD800, 0xF8FF) &&
         !IsIn(code, 0xFE00, 0xFFFF) && code < 0xE0000;
}

void Fold(char32_t code, std::string& out) {
  if (IsMark(code)) return;
  if (code < 0x80) {
    out.push_back(static_cast<char>(IsIn(code, 'A', 'Z') ? code + 32 : code));
  } else if (code == 0xDF || code == 0x1E9E) {
    out += "ss";
  } else if (code == 0xC6 || code == 0xE6) {
    out += "ae";
  } else if (IsIn(code, 0xC0, 0x17F) && kLatin[code - 0xC0] != '?') {
    out.push_back(kLatin[code - 0xC0]);
  } else if (IsIn(code, 0x391, 0x3A9) || IsIn(code, 0x410, 0x42F)) {
    Append(code + 32, out);
  } else if (IsIn(code, 0x400, 0x40F)) {
    Append(code + 80, out);
  } else {
    constexpr std::array<std::pair<char32_t, char32_t>, 9> kGreek = {{{0x386, 0x3B1},
                                                                      {0x388, 0x3B5},
                                                                      {0x389, 0x3B7},
                                                                      {0x38A, 0x3B9},
                                                                      {0x38C, 0x3BF},
                                                                      {0x38E, 0x3C5},
                                                                      {0x38F, 0x3C9},
                                                                      {0x3AC, 0x3B1},
                                                                      {0x3C2, 0x3C3}}};
    const auto* const found = std::find_if(kGreek.begin(), kGreek.end(),
                                           [code](const auto& pair) { return pair.first == code; });
    Append(found != kGreek.end() ? found->second : code, out);
  }
}

class Splitter {
 public:
  explicit Splitter(std::vector<Word>& words) : words_(words) {}
  void Add(char32_t code) {
    code = Narrow(code);
    const bool digit = IsDigit(code);
    const bool letter = !digit && IsLetter(code);
    if (!digit && !letter) {
      End();
      Append(code, separator_);
      return;
    }
    const bool single = letter && IsUnsegmented(code);
    const bool upper = IsUpper(code);
    if (IsMark(code) && open_) return;
    if (open_ && (single || word_.unsegmented || digit != word_.digits || (upper && !upper_))) {
      End();
    }
    if (!open_) {
      word_ = {.text = {}, .digits = digit, .unsegmented = single, .separator = {}};
      word_.separator.swap(separator_);
      open_ = true;
    }
    upper_ = upper;
    Fold(code, word_.text);
  }
  void End() {
    if (!open_) return;
    words_.push_back(std::move(word_));
    open_ = false;
    upper_ = false;
  }

 private:
  std::vector<Word>& words_;
  Word word_;
  std::string separator_;
  bool open_ = false;
  bool upper_ = false;
};

}  // namespace

std::vector<Word> WordsOf(std::string_view utf8) {
  std::vector<Word> words;
  Splitter splitter(words);
  bool valid = true;
  for (std::size_t at = 0; at < utf8.size();) splitter.Add(Next(utf8, at, valid));
  splitter.End();
  return words;
}

std::vector<Word> WordsInBinary(std::string_view bytes, std::size_t shortest) {
  std::vector<Word> words;
  for (std::size_t at = 0; at < bytes.size();) {
    std::size_t end = at;
    std::uint32_t characters = 0;
    while (end < bytes.size()) {
      std::size_t next = end;
      bool valid = true;
      const char32_t code = Next(bytes, next, valid);
      const bool printable =
          code >= 0x80 ? (valid ? IsLetter(code) : code >= 0xC0) : code >= ' ' && code <= '~';
      if (!printable) break;
      end = next;
      ++characters;
    }
    if (characters >= shortest) {
      std::vector<Word> found = WordsOf(bytes.substr(at, end - at));
      // Nothing joins the words of two runs.
      if (!found.empty()) found.front().separator.insert(0, "\n\n\n\n");
      for (Word& word : found) {
        word.run = characters;
        words.push_back(std::move(word));
      }
    }
    at = std::max(end, at + 1);
  }
  return words;
}

std::string FromUtf16(std::string_view bytes, bool big_endian, std::size_t offset) {
  std::string text;
  text.reserve(bytes.size());
  const auto unit = [&](std::size_t at) -> char32_t {
    const auto first = static_cast<unsigned char>(bytes[at]);
    const auto second = static_cast<unsigned char>(bytes[at + 1]);
    return big_endian ? (static_cast<char32_t>(first) << 8U) | second
                      : (static_cast<char32_t>(second) << 8U) | first;
  };
  for (std::size_t at = offset; at + 1 < bytes.size(); at += 2) {
    char32_t code = unit(at);
    if (IsIn(code, 0xD800, 0xDBFF) && at + 3 < bytes.size() && IsIn(unit(at + 2), 0xDC00, 0xDFFF)) {
      code = 0x10000 + ((code - 0xD800) << 10U) + (unit(at + 2) - 0xDC00);
      at += 2;
    }
    const bool sensible = code < 0x80 ? code >= ' ' && code <= '~' : IsLetter(code);
    Append(sensible ? code : 0, text);
  }
  return text;
}

}  // namespace dcmveil::verify
