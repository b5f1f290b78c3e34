// SPDX-License-Identifier: Apache-2.0
#include "verify/search.h"

#include <algorithm>

namespace dcmveil::verify {
namespace {

/// Binary values are searched in pieces of this size, which overlap.
constexpr std::size_t kPiece = 65536;
constexpr std::size_t kOverlap = 512;
/// What stands between the words of one identifier.
constexpr std::size_t kLongestSeparator = 4;
/// Words so short are names only where they stand alone.
constexpr std::size_t kShortName = 6;
/// In binary values, short words count only in the middle of so much text.
constexpr std::uint32_t kMuchText = 12;
constexpr std::size_t kShortestRun = 4;

constexpr std::string_view kBinaryVrs = "OB OD OF OL OV OW UN FD FL SL SS SV UL US UV AT";
constexpr std::string_view kNumberTextVrs = "DS IS TM AS";

bool IsOneOf(std::string_view vr, std::string_view list) {
  return vr.size() == 2 && list.find(vr) != std::string_view::npos;
}

bool IsAscii(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80 && c != '\x1B'; });
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// All of it could be read by a person.
bool IsText(std::string_view bytes) {
  const std::string_view text = Trimmed(bytes);
  return std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) >= ' ' || c == '\t' || c == '\r' || c == '\n';
  });
}

bool Touches(const Word& word) { return word.separator.empty(); }

/// A number goes on there: "0.12345", "12345.6".
bool IsPoint(std::string_view separator) {
  return separator.size() == 1 && (separator[0] == '.' || separator[0] == ',');
}

/// Encrypted Content (PS3.3 C.12.1.1.4.1): in noise of that length short words turn up by chance.
bool IsEnvelope(const Seen& seen) {
  // The object identifier of EnvelopedData (RFC 5652 section 6.1), at the front of a DER sequence.
  constexpr std::string_view kEnvelopedData("\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x03", 11);
  constexpr std::size_t kFront = 24;
  return seen.tag() == Tag(0x0400, 0x0520) && seen.value.front() == '\x30' &&
         seen.value.substr(0, kFront).find(kEnvelopedData) != std::string_view::npos;
}

}  // namespace

std::vector<Kind> Kinds::list() const {
  std::vector<Kind> kinds;
  for (unsigned i = 0; i <= static_cast<unsigned>(Kind::kUid); ++i) {
    if (Has(static_cast<Kind>(i))) kinds.push_back(static_cast<Kind>(i));
  }
  return kinds;
}

bool Searcher::Accept(const Pattern& pattern, const std::vector<Word>& words, std::size_t first,
                      std::size_t count, Context context) {
  const bool touches_before = first > 0 && Touches(words[first]);
  const std::size_t next = first + count;
  const bool touches_behind = next < words.size() && Touches(words[next]);
  const std::string_view behind =
      next < words.size() ? std::string_view(words[next].separator) : "";
  if (pattern.digits) {
    if (count > 1 && (pattern.groupings & (1U << count)) == 0) return false;
    const bool digits_behind = next < words.size() && words[next].digits;
    if (pattern.kind != Kind::kBirthDate) {
      if (first > 0 && words[first - 1].digits && IsPoint(words[first].separator)) return false;
      if (digits_behind && IsPoint(behind)) return false;
    }
    if (pattern.weak && (context.binary || touches_before || touches_behind)) return false;
    return !context.binary || words[first].run >= kMuchText || words[first].run == pattern.bytes;
  }
  if (pattern.bytes < kShortName) {
    if (touches_before || touches_behind) return false;
    if (context.binary && words[first].run < kMuchText) return false;
  }
  return true;
}

void Searcher::InDigits(const std::vector<Word>& words, std::size_t at, Kinds& found) const {
  constexpr std::size_t kMostGroups = 7;
  constexpr std::size_t kMostDigits = 20;
  constexpr std::size_t kFewestDigits = 7;
  std::string chain;
  for (std::size_t i = at; i < words.size() && i < at + kMostGroups; ++i) {
    if (!words[i].digits) return;
    const std::string& separator = words[i].separator;
    if (i > at && (separator.empty() || separator.size() > 3 ||
                   separator.find_first_not_of(" -/()+") != std::string::npos)) {
      return;
    }
    chain += words[i].text;
    if (chain.size() > kMostDigits) return;
    const std::size_t start = chain.find_first_not_of('0');
    if (start == std::string::npos || chain.size() - start < kFewestDigits) continue;
    const std::uint64_t hash = HashOf(std::string_view(chain).substr(start));
    for (const Table* table : tables_) {
      const Kind* kind = table != nullptr ? table->FindDigits(hash) : nullptr;
      if (kind != nullptr) found.Add(*kind);
    }
  }
}

void Searcher::InWords(const std::vector<Word>& words, Context context, Kinds& found) const {
  constexpr std::size_t kMostTouching = 6;
  constexpr std::size_t kDate = 8;
  for (std::size_t first = 0; first < words.size(); ++first) {
    const bool within_number = first > 0 && words[first - 1].digits && Touches(words[first]);
    if (words[first].digits && !context.binary && !within_number) InDigits(words, first, found);
    for (const Table* table : tables_) {
      if (table == nullptr) continue;
      // A date with a time behind it.
      if (words[first].digits && words[first].text.size() >= 14) {
        const Pattern* pattern = table->Find(HashOf(words[first].text.substr(0, kDate)));
        if (pattern != nullptr && pattern->kind == Kind::kBirthDate) found.Add(pattern->kind);
      }
      bool may_start = false;
      TextHash start;
      for (std::size_t i = first; i < words.size() && i < first + kMostTouching; ++i) {
        if (i > first && !Touches(words[i])) break;
        start.Add(words[i].text);
        may_start = may_start || table->MayStart(start.value());
      }
      if (!may_start) continue;
      TextHash run;
      const std::size_t most = std::min(words.size() - first, table->most_words() + kMostTouching);
      for (std::size_t count = 1; count <= most; ++count) {
        const Word& word = words[first + count - 1];
        if (count > 1 && word.separator.size() > kLongestSeparator) break;
        run.Add(word.text);
        const Pattern* pattern = table->Find(run.value());
        if (pattern != nullptr && Accept(*pattern, words, first, count, context)) {
          found.Add(pattern->kind);
        }
      }
    }
  }
}

void Searcher::ForUids(std::string_view text, bool is_uid_value, Kinds& found) const {
  // Shorter ones, such as 1.2.3, are version numbers too.
  constexpr std::size_t kShortest = 12;
  for (std::size_t at = 0; at < text.size();) {
    if (!IsDigit(text[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && (IsDigit(text[end]) || text[end] == '.')) ++end;
    std::string_view uid = text.substr(at, end - at);
    at = end;
    while (uid.ends_with('.')) uid.remove_suffix(1);
    if (!is_uid_value && (uid.size() < kShortest || std::count(uid.begin(), uid.end(), '.') < 3)) {
      continue;
    }
    const std::uint64_t hash = HashOf(uid);
    for (const Table* table : tables_) {
      if (table != nullptr && table->HasUid(hash)) found.Add(Kind::kUid);
    }
  }
}

void Searcher::InNumbers(std::string_view text, Kinds& found) const {
  constexpr std::size_t kShortest = 7;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\\', at), text.size());
    const std::string_view value = Trimmed(text.substr(at, end - at));
    at = end + 1;
    if (value.size() < kShortest || !std::all_of(value.begin(), value.end(), IsDigit)) continue;
    for (const Table* table : tables_) {
      const Pattern* pattern = table != nullptr ? table->Find(HashOf(value)) : nullptr;
      if (pattern != nullptr) found.Add(pattern->kind);
    }
  }
}

void Searcher::InText(std::string_view utf8, Kinds& found) const {
  InWords(WordsOf(utf8), {}, found);
  ForUids(utf8, false, found);
}

void Searcher::InUtf16(std::string_view bytes, Kinds& found) const {
  for (const bool big_endian : {false, true}) {
    for (const std::size_t offset : {std::size_t{0}, std::size_t{1}}) {
      const std::string text = FromUtf16(bytes, big_endian, offset);
      InWords(WordsInBinary(text, kShortestRun), {.binary = true}, found);
      ForUids(text, false, found);
    }
  }
}

void Searcher::InBinary(std::string_view bytes, Kinds& found) const {
  for (std::size_t at = 0; at < bytes.size(); at += kPiece) {
    const std::string_view piece = bytes.substr(at, kPiece + kOverlap);
    InWords(WordsInBinary(piece, kShortestRun), {.binary = true}, found);
    ForUids(piece, false, found);
    InUtf16(piece, found);
  }
}

Kinds Searcher::InBytes(std::string_view bytes) {
  Kinds found;
  if (IsText(bytes)) InText(Trimmed(bytes), found);
  InBinary(bytes, found);
  return found;
}

Kinds Searcher::InName(std::string_view name) {
  Kinds found;
  InText(name, found);
  return found;
}

Kinds Searcher::InElement(const Seen& seen) {
  if (seen.value.empty() || IsEnvelope(seen)) return {};
  if (seen.path.empty() || IsOneOf(seen.vr, kBinaryVrs)) {
    Kinds found = InBytes(seen.value);
    if (seen.value.size() <= kPiece && !IsAscii(seen.value)) {
      const std::string text = decoder_.ToUtf8(seen.charset, seen.vr, Trimmed(seen.value));
      if (!text.empty()) InText(text, found);
    }
    return found;
  }
  Kinds found;
  const bool is_uid = seen.vr == "UI";
  if (is_uid) {
    ForUids(seen.value, true, found);
    if (seen.value.find_first_not_of(std::string_view("0123456789.\\ \0", 14)) ==
        std::string_view::npos) {
      return found;
    }
  }
  if (IsOneOf(seen.vr, kNumberTextVrs) &&
      seen.value.find_first_not_of(std::string_view("0123456789.:+-eEDWMY\\ \0", 23)) ==
          std::string_view::npos) {
    InNumbers(seen.value, found);
    return found;
  }
  InText(seen.value, found);
  if (IsAscii(seen.value)) {
    if (seen.value.find('\0') != std::string_view::npos) InUtf16(seen.value, found);
    return found;
  }
  const std::string decoded = decoder_.ToUtf8(seen.charset, seen.vr, seen.value);
  if (!decoded.empty()) InText(decoded, found);
  InUtf16(seen.value, found);
  return found;
}

}  // namespace dcmveil::verify
