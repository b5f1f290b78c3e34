// SPDX-License-Identifier: Apache-2.0
#include "engine/clean/words.h"

#include <algorithm>

#include "engine/clean/fold.h"

namespace dcmveil::engine::clean {
namespace {

bool IsApostrophe(char32_t code) {
  return code == '\'' || code == 0x2019 || code == 0x2018 || code == 0x00B4 || code == 0x05F3;
}

bool BeginsWithLetter(std::string_view text, std::size_t at) {
  return at < text.size() && ClassOf(NextCode(text, at)) == CharClass::kLetter;
}

}  // namespace

std::vector<Word> SplitWords(std::string_view utf8) {
  std::vector<Word> words;
  words.reserve(utf8.size() / 4 + 1);
  bool inside = false;
  for (std::size_t at = 0; at < utf8.size();) {
    const std::size_t begin = at;
    const char32_t code = NextCode(utf8, at);
    const CharClass kind = ClassOf(code);
    if (kind == CharClass::kOther) {
      const bool joins = inside && words.back().kind == Word::Kind::kWord && IsApostrophe(code) &&
                         BeginsWithLetter(utf8, at);
      if (joins) words.back().apostrophe = true;
      inside = joins;
      continue;
    }
    const bool unsegmented = kind == CharClass::kUnsegmented;
    if (!inside || unsegmented != (words.back().kind == Word::Kind::kUnsegmented)) {
      words.push_back({.begin = begin,
                       .kind = unsegmented ? Word::Kind::kUnsegmented : Word::Kind::kNumber,
                       .folded = {}});
      inside = true;
    }
    Word& word = words.back();
    if (kind == CharClass::kLetter && word.kind == Word::Kind::kNumber) {
      word.has_digit = !word.folded.empty();
      word.kind = Word::Kind::kWord;
    }
    if (kind == CharClass::kDigit && word.kind == Word::Kind::kWord) word.has_digit = true;
    AppendFolded(code, word.folded);
    word.end = at;
  }
  return words;
}

std::vector<std::string> PartsOf(std::string_view word) {
  std::vector<std::string> parts;
  enum class Last : std::uint8_t { kNone, kDigit, kUpper, kLower };
  Last last = Last::kNone;
  for (std::size_t at = 0; at < word.size();) {
    const char32_t code = NextCode(word, at);
    std::string folded;
    AppendFolded(code, folded);
    if (ClassOf(code) == CharClass::kOther) {
      last = Last::kNone;
      continue;
    }
    Last now = Last::kLower;
    if (ClassOf(code) == CharClass::kDigit) {
      now = Last::kDigit;
    } else if (code >= 'A' && code <= 'Z') {
      now = Last::kUpper;
    }
    const bool digits_change = (now == Last::kDigit) != (last == Last::kDigit);
    if (last == Last::kNone || digits_change || (now == Last::kUpper && last == Last::kLower)) {
      parts.emplace_back();
    } else if (now == Last::kLower && last == Last::kUpper && parts.back().size() > 1) {
      // "CTHead": the last of several capitals begins the next part.
      const char capital = parts.back().back();
      parts.back().pop_back();
      parts.emplace_back(1, capital);
    }
    parts.back() += folded;
    last = now;
  }
  return parts;
}

bool HasOnePart(std::string_view word) {
  const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  if (word.empty() || !(is_upper(word.front()) || is_lower(word.front()))) return false;
  const std::string_view rest = word.substr(1);
  return std::all_of(rest.begin(), rest.end(), is_lower) ||
         (is_upper(word.front()) && std::all_of(rest.begin(), rest.end(), is_upper));
}

std::string Compact(std::string_view utf8) {
  std::string out(utf8.size(), '\0');
  std::size_t size = 0;
  std::size_t at = 0;
  for (; at < utf8.size() && static_cast<unsigned char>(utf8[at]) < 0x80; ++at) {
    out[size] = FoldedAscii(utf8[at]);
    size += ClassOf(static_cast<unsigned char>(utf8[at])) != CharClass::kOther ? 1 : 0;
  }
  out.resize(size);
  while (at < utf8.size()) {
    const char32_t code = NextCode(utf8, at);
    if (ClassOf(code) != CharClass::kOther) AppendFolded(code, out);
  }
  return out;
}

}  // namespace dcmveil::engine::clean
