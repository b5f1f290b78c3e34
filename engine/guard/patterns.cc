// SPDX-License-Identifier: Apache-2.0
#include "engine/guard/patterns.h"

#include <algorithm>
#include <optional>

#include "engine/clean/fold.h"
#include "engine/clean/matcher.h"
#include "engine/clean/months.h"
#include "engine/clean/vocabulary.h"
#include "engine/clean/words.h"
#include "engine/guard/spellings.h"

namespace dcmveil::engine::guard {
namespace {

using clean::Identifier;
using clean::IdentifierKind;
using clean::IsDigit;
using clean::Word;
using clean::WordClass;

constexpr std::size_t kShortestWord = 3;
constexpr std::size_t kShortestFreeWord = 4;
constexpr std::size_t kShortestId = 4;
constexpr std::size_t kShortestTelephone = 7;
constexpr std::size_t kShortestPhrase = 4;
constexpr std::size_t kShortestUid = 9;
constexpr std::size_t kShortestUidOfSomething = 28;
constexpr std::string_view kDicomRoot = "1.2.840.10008.";
constexpr std::size_t kYear = 4;
constexpr std::size_t kNearYear =
    16;  ///< bytes in front of it in which a month's name begins or ends
constexpr std::size_t kLongest = 256;  ///< no spelling of an identifier is longer
constexpr std::size_t kMostParts = 6;
constexpr int kWidestGap = 3;
constexpr std::size_t kMostPatterns = 1U << 18U;  ///< no honest instance comes near
constexpr std::size_t kFirstBuckets = 128;        ///< a power of two
constexpr int kMostNuls = 3;

bool AllDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsDigit);
}

bool AnyDigit(std::string_view text) { return std::any_of(text.begin(), text.end(), IsDigit); }

bool IsDash(char c) { return c == '-' || c == '/' || c == '_' || c == '\0'; }

bool IsLetterOrDigit(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Whether a term of the field or a plain word: nobody can be told by it alone.
bool IsCommon(std::string_view folded) {
  return clean::ClassOfWord(folded) != WordClass::kUnknown || clean::NamesNobody(folded);
}

/// Without the return to the first character set: inside a text it stands further behind.
std::string_view WithoutLastEscape(std::string_view bytes) {
  const std::size_t escape = bytes.rfind('\x1B');
  if (escape == std::string_view::npos || bytes.size() - escape > 4) return bytes;
  return bytes.substr(0, escape);
}

/// Words at blanks and punctuation; bytes outside ASCII belong to words.
template <typename Function>
void ForEachWord(std::string_view utf8, Function&& function) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= utf8.size(); ++i) {
    const bool inside = i < utf8.size() && (IsLetterOrDigit(static_cast<unsigned char>(utf8[i])) ||
                                            (static_cast<unsigned char>(utf8[i]) & 0x80U) != 0);
    if (inside) continue;
    if (i > begin) function(utf8.substr(begin, i - begin));
    begin = i + 1;
  }
}

bool IsUnsegmented(char32_t code) { return clean::ClassOf(code) == clean::CharClass::kUnsegmented; }

/// Whether words are made of the character. Quotes, dashes, a byte order mark and scripts that set
/// no blanks between words end one.
bool MakesWords(char32_t code) {
  if (code < 0x80) return IsLetterOrDigit(static_cast<unsigned char>(code));
  if (code < 0xC0 || code == 0xFEFF || code >= 0xFFF0) return false;
  const clean::CharClass of_code = clean::ClassOf(code);
  return of_code == clean::CharClass::kLetter || of_code == clean::CharClass::kDigit;
}

/// The character that ends (`before`) or begins at bytes[at], as UTF-8 or, where it is none, as ISO
/// 8859-1.
char32_t CharacterAt(std::string_view bytes, std::size_t at, bool before) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  std::size_t first = at;
  while (before && first > 0 && at - first < 3 && (byte(first) & 0xC0U) == 0x80U) --first;
  std::size_t end = first;
  const char32_t code = clean::NextCode(bytes, end);
  return end == at + 1 || first == at ? code : byte(at);
}

/// Whether what was found with NULs between its letters goes on as UTF-16. Which of the two bytes
/// of a letter comes first may be told by nothing but its neighbours.
bool GoesOnWide(std::string_view value, const Found& found, bool before) {
  const auto byte = [&](std::size_t distance) -> char32_t {
    const std::size_t room = before ? found.begin : value.size() - found.end;
    if (distance >= room) return 0;
    const std::size_t at = before ? found.begin - 1 - distance : found.end + distance;
    return static_cast<unsigned char>(value[at]);
  };
  const char32_t low = byte(1);
  return byte(0) != 0 ? MakesWords(byte(0) << 8U | low)
                      : MakesWords(low) && MakesWords(byte(2) << 8U | low);
}

/// The numbers with points between them that begin at `begin`.
std::string_view ChainFrom(std::string_view value, std::size_t begin) {
  value.remove_prefix(begin);
  return value.substr(0, value.find_first_not_of("0123456789."));
}

/// The byte next to what was found. In UTF-16 it stands behind a NUL.
std::optional<std::size_t> Neighbour(std::string_view value, const Found& found, bool before) {
  std::size_t there = before ? found.begin : found.end - 1;
  for (int steps = 0; steps < 2; ++steps) {
    if (before ? there == 0 : there + 1 >= value.size()) return std::nullopt;
    there = before ? there - 1 : there + 1;
    if (!found.wide || value[there] != '\0') break;
  }
  return there;
}

}  // namespace

struct Patterns::Spelling {
  IdentifierKind kind;
  Gaps gaps = Gaps::kNone;
  bool exact = false;
  bool may_go_on = false;
  bool separated = false;
  bool whole_word = true;
  DayOfMonth named = {};
  std::string_view bytes = {};
};

Patterns::Patterns(const std::vector<Identifier>& identifiers, const Retained& retained,
                   const Harmless& harmless, const Charset& charset)
    : charset_(charset), patterns_(1), long_(kFirstBuckets) {
  patterns_.reserve(128);
  bytes_.reserve(2048);
  const auto key = [](const Identifier& identifier) {
    return static_cast<char>(identifier.kind) + identifier.value;
  };
  std::unordered_set<std::string> taken;
  for (const Identifier& identifier : retained.taken) taken.insert(key(identifier));
  for (const Identifier& identifier : retained.on_purpose) {
    // Who replaces UIDs and leaves one of them in some places has not replaced it.
    const bool uid = identifier.kind == IdentifierKind::kUid;
    if (!uid || !taken.contains(key(identifier))) Exempt(identifier);
  }
  for (const Identifier& identifier : retained.by_default) {
    if (!taken.contains(key(identifier))) Exempt(identifier);
  }
  for (const std::string& text : harmless.excepted) exempt_.insert(clean::Compact(text));
  for (const std::string& text : harmless.of_machine) {
    machine_.insert(clean::Compact(text));
    ForEachWord(text, [this](std::string_view word) { machine_.insert(clean::Fold(word)); });
  }
  for (const Identifier& identifier : identifiers) {
    const std::string_view value = identifier.value;
    switch (identifier.kind) {
      case IdentifierKind::kPersonName:
        AddName(value);
        break;
      case IdentifierKind::kId:
        AddId(identifier.kind, value, kShortestId);
        // HL7 writes who gave an ID behind it: "4711^^^Hospital".
        if (const std::size_t end = value.find("^^^"); end != std::string_view::npos) {
          AddId(identifier.kind, value.substr(0, end), kShortestId);
        }
        break;
      case IdentifierKind::kTelephone:
        AddId(identifier.kind, value, kShortestTelephone);
        break;
      case IdentifierKind::kAddress:
      case IdentifierKind::kInstitution:
        AddPhrase(identifier.kind, value);
        break;
      case IdentifierKind::kBirthDate:
        AddDate(value);
        break;
      case IdentifierKind::kUid:
        AddUid(value);
        break;
      case IdentifierKind::kDate:
      case IdentifierKind::kDevice:
        break;
    }
  }
  LearnBytes();
}

void Patterns::LearnBytes() {
  const std::array<unsigned char, 256>& folding = Folding();
  std::array<std::uint16_t, 256> of_folded{};
  of_folded.fill(kStranger);
  of_folded[0] = kSeparates;
  for (std::size_t i = 1; i < patterns_.size(); ++i) {
    const Pattern& pattern = patterns_[i];
    for (const char c : std::string_view(bytes_).substr(pattern.begin, pattern.size)) {
      std::uint16_t& meaning = of_folded[static_cast<unsigned char>(c)];
      if (meaning == kStranger) meaning = static_cast<unsigned char>(c);
    }
    of_folded[pattern.ending & 0xFFU] |= kEnds;
  }
  for (std::size_t i = 0; i < meanings_.size(); ++i) meanings_[i] = of_folded[folding[i]];
}

void Patterns::Exempt(const Identifier& identifier) {
  exempt_.insert(clean::Compact(identifier.value));
  if (identifier.kind != IdentifierKind::kPersonName) return;
  ForEachWord(identifier.value,
              [this](std::string_view word) { exempt_.insert(clean::Fold(word)); });
}

bool Patterns::IsRetained(std::string_view utf8) const {
  return !exempt_.empty() && exempt_.contains(clean::Compact(utf8));
}

std::uint32_t& Patterns::BucketOf(const Pattern& pattern) {
  if (pattern.size < kLong) return short_[Hash3(pattern.ending, kShortBits)];
  return long_[LongBucket(pattern.ending)];
}

void Patterns::Grow() {
  long_.assign(long_.size() * 4, 0);
  for (std::uint32_t i = 1; i < patterns_.size(); ++i) {
    if (patterns_[i].size < kLong) continue;
    std::uint32_t& bucket = BucketOf(patterns_[i]);
    patterns_[i].next = bucket;
    bucket = i;
  }
}

void Patterns::Add(Spelling spelling) {
  if (patterns_.size() >= kMostPatterns) {
    overflowed_ = true;
    return;
  }
  if (spelling.bytes.size() > kLongest) spelling.whole_word = false;  // it is cut
  const std::array<unsigned char, 256>& folding = Folding();
  std::array<char, kLongest> folded_bytes;
  std::size_t size = 0;
  std::uint64_t ending = 0;
  bool digits = true;
  bool ascii = true;
  bool separators = false;
  for (const char c : spelling.bytes.substr(0, kLongest)) {
    const unsigned char folded = folding[static_cast<unsigned char>(c)];
    if (folded == 0) {
      separators = separators || c != '\0';
      continue;
    }
    folded_bytes[size++] = static_cast<char>(folded);
    ending = (ending << 8U) | folded;
    digits = digits && IsDigit(c);
    ascii = ascii && folded < 0x80;
  }
  // A byte of an escape sequence or of a wide character.
  if (separators && spelling.gaps == Gaps::kNone) spelling.gaps = Gaps::kAny;
  // What is not ASCII is no word by itself in three bytes.
  if (size < kShortest || (size < 4 && !ascii)) return;
  const std::string_view made(folded_bytes.data(), size);
  const Pattern pattern{
      .kind = spelling.kind,
      .gaps = spelling.gaps,
      .digits = digits && spelling.named.month == 0,
      .separated = spelling.separated,
      .whole_word = spelling.whole_word,
      .may_go_on = spelling.may_go_on,
      .named = spelling.named,
      .begin = static_cast<std::uint32_t>(bytes_.size()),
      .size = static_cast<std::uint32_t>(size),
      .exact = spelling.exact ? static_cast<std::uint32_t>(spelling.bytes.size()) : 0,
      .ending = ending,
      .mask = size < kLong ? (std::uint64_t{1} << (8 * size)) - 1 : ~std::uint64_t{0}};
  std::uint32_t* bucket = &BucketOf(pattern);
  for (std::uint32_t at = *bucket; at != 0; at = patterns_[at].next) {
    const Pattern& other = patterns_[at];
    if (other.size == made.size() && other.gaps >= spelling.gaps &&
        other.separated == spelling.separated && other.named == spelling.named &&
        (other.exact > 0) == spelling.exact &&
        (!spelling.exact || std::string_view(bytes_).substr(other.begin + other.size,
                                                            other.exact) == spelling.bytes) &&
        std::string_view(bytes_).substr(other.begin, other.size) == made) {
      return;
    }
  }
  bytes_ += made;
  if (spelling.exact) bytes_ += spelling.bytes;
  const std::size_t bit = Hash3(pattern.ending, kFilterBits);
  filter_[bit / 64] |= std::uint64_t{1} << (bit % 64);
  if (pattern.size >= kLong && ++long_count_ > long_.size()) {
    Grow();
    bucket = &BucketOf(pattern);
  }
  patterns_.push_back(pattern);
  patterns_.back().next = *bucket;
  *bucket = static_cast<std::uint32_t>(patterns_.size() - 1);
}

// In every encoding in which text may stand in a file. ASCII is the same in all of them.
void Patterns::AddText(const Spelling& spelling, std::string_view utf8) {
  Spelling made = spelling;
  if (IsAscii(utf8)) {
    made.bytes = utf8;
    Add(made);
    return;
  }
  for (std::size_t at = 0; at < utf8.size();) {
    if (IsUnsegmented(clean::NextCode(utf8, at))) made.whole_word = false;
  }
  const auto add = [&](std::string_view bytes) {
    made.bytes = bytes;
    Add(made);
  };
  const std::vector<std::u32string> cases = CasesOf(utf8);
  for (const std::u32string& text : cases) {
    for (const std::string& bytes : EncodingsOf(text)) add(bytes);
    if (const std::optional<std::string> bytes = InOwnCharset(Utf8Of(text))) add(*bytes);
  }
  // Parts of names that are one word are many, and the parts are found by themselves.
  const bool joined = made.kind == IdentifierKind::kPersonName && made.gaps != Gaps::kNone;
  if (!joined) {
    for (const std::u32string& text : WithMarksApart(cases)) {
      for (const std::string& bytes : EncodingsOf(text)) add(bytes);
    }
  }
  for (const std::string& plain : PlainSpellingsOf(utf8)) add(plain);
}

std::optional<std::string> Patterns::InOwnCharset(std::string_view utf8) const {
  if (charset_.is_default() || charset_.is_utf8()) return std::nullopt;
  std::optional<std::string> bytes = charset_.Encode(utf8, Vr::LO);
  if (bytes) bytes->resize(WithoutLastEscape(*bytes).size());
  return bytes;
}

void Patterns::AddWord(std::string_view word, std::size_t shortest) {
  const std::string folded = clean::Fold(word);
  std::size_t letters = 0;
  for (std::size_t at = 0; at < folded.size(); ++letters) {
    static_cast<void>(clean::NextCode(folded, at));
  }
  std::size_t start = 0;
  const bool unsegmented = !folded.empty() && IsUnsegmented(clean::NextCode(folded, start));
  if (letters < (unsegmented ? 2 : shortest)) return;
  if (exempt_.contains(folded)) return;
  // A number in the place of a name is an ID.
  if (AnyDigit(folded)) {
    AddId(IdentifierKind::kPersonName, word, kShortestId);
    return;
  }
  if (IsCommon(folded) || clean::IsNameParticle(folded)) return;
  AddText({.kind = IdentifierKind::kPersonName}, word);
}

void Patterns::AddName(std::string_view name) {
  for (std::size_t at = 0; at <= name.size();) {
    const std::size_t end = std::min(name.find('=', at), name.size());
    const std::string_view group = name.substr(at, end - at);
    at = end + 1;
    std::vector<std::string_view> parts;
    ForEachWord(group, [&](std::string_view word) { parts.push_back(word); });
    // Three letters without a name's form are rather a code: "ACRIN-FLT-076".
    const std::size_t shortest =
        group.find('^') == std::string_view::npos ? kShortestFreeWord : kShortestWord;
    for (const std::string_view part : parts) AddWord(part, shortest);
    if (parts.size() < 2 || parts.size() > kMostParts) continue;
    // Parts written together or one after the other, where each alone may say nothing: "Hand, Max".
    bool known = true;
    for (const std::string_view part : parts) {
      const std::string folded = clean::Fold(part);
      known = known && (exempt_.contains(folded) || clean::NamesNobody(folded) ||
                        clean::ClassOfWord(folded) == WordClass::kMedical ||
                        clean::ClassOfWord(folded) == WordClass::kGeneral);
    }
    if (known) continue;
    // A component as one word: "OBrien", "vandenBerg".
    for (std::size_t from = 0; from < group.size();) {
      const std::size_t to = std::min(group.find('^', from), group.size());
      std::string joined;
      int words = 0;
      ForEachWord(group.substr(from, to - from), [&](std::string_view word) {
        joined += word;
        ++words;
      });
      from = to + 1;
      if (words < 2 || joined.size() < 6 || AnyDigit(joined) || IsRetained(joined)) continue;
      if (IsCommon(clean::Fold(joined))) continue;
      AddText({.kind = IdentifierKind::kPersonName, .gaps = Gaps::kAny}, joined);
    }
    for (std::size_t i = 0; i < parts.size(); ++i) {
      for (std::size_t j = 0; j < parts.size(); ++j) {
        if (i == j || parts[i].size() < 3 || parts[j].size() < 2) continue;
        std::string pair(parts[i]);
        pair += parts[j];
        if (pair.size() < 6 || IsRetained(pair)) continue;
        AddText({.kind = IdentifierKind::kPersonName, .gaps = Gaps::kAny}, pair);
      }
    }
  }
}

void Patterns::AddId(IdentifierKind kind, std::string_view id, std::size_t shortest) {
  const std::string compact = clean::Compact(id);
  if (compact.size() < shortest || IsRetained(id)) return;
  // 0000 and 1111 stand for a missing number.
  if (compact.find_first_not_of(compact.front()) == std::string::npos) return;
  if (!AnyDigit(compact)) {
    // Words: a scanner's "phantom", or a name in the wrong place.
    bool common = true;
    ForEachWord(id, [&](std::string_view word) { common = common && IsCommon(clean::Fold(word)); });
    if (common || IsCommon(compact)) return;
  }
  const bool digits = AllDigits(compact);
  const bool number = digits && kind != IdentifierKind::kTelephone;
  AddText({.kind = kind, .gaps = number ? Gaps::kDashes : Gaps::kAny}, id);
  if (digits && compact.front() == '0') {
    AddId(kind, compact.substr(compact.find_first_not_of('0')), shortest);
  }
}

void Patterns::AddPhrase(IdentifierKind kind, std::string_view phrase) {
  const std::string compact = clean::Compact(phrase);
  if (compact.size() < kShortestPhrase || IsRetained(phrase) || AllDigits(compact)) return;
  if (kind == IdentifierKind::kInstitution && machine_.contains(compact)) return;
  bool common = true;
  ForEachWord(phrase,
              [&](std::string_view word) { common = common && IsCommon(clean::Fold(word)); });
  if (common || IsCommon(compact)) return;
  AddText({.kind = kind, .gaps = Gaps::kAny}, phrase);
  if (kind != IdentifierKind::kAddress) return;
  // The street without the town.
  for (std::size_t at = 0; at <= phrase.size();) {
    const std::size_t end = std::min(phrase.find_first_of(",;^\r\n", at), phrase.size());
    const std::string_view part = phrase.substr(at, end - at);
    at = end + 1;
    if (part.size() < phrase.size() && clean::Compact(part).size() >= 8 && AnyDigit(part)) {
      AddText({.kind = kind, .gaps = Gaps::kAny}, part);
    }
  }
}

void Patterns::AddDate(std::string_view date) {
  if (date.size() < 8 || !AllDigits(date.substr(0, 8))) return;
  const std::string year(date.substr(0, 4));
  const std::string month(date.substr(4, 2));
  const std::string day(date.substr(6, 2));
  const unsigned number =
      static_cast<unsigned>(month[0] - '0') * 10 + static_cast<unsigned>(month[1] - '0');
  // Placeholders: 19000101 is what generalising and missing dates look like.
  if (number < 1 || number > 12 || year < "1850" || IsRetained(date.substr(0, 8))) return;
  const auto add = [this](const std::string& text, bool separated) {
    Add({.kind = IdentifierKind::kBirthDate,
         .gaps = Gaps::kAny,
         .separated = separated,
         .bytes = text});
  };
  const auto plain = [](const std::string& two) { return two[0] == '0' ? two.substr(1) : two; };
  add(year + month + day, false);
  add(day + month + year, false);
  add(month + day + year, false);
  const std::string d = plain(day);
  const std::string m = plain(month);
  const std::string short_year = year.substr(2);
  for (const std::string& text :
       {d + m + year, m + d + year, year + m + d, day + month + short_year,
        month + day + short_year, d + m + short_year, m + d + short_year}) {
    add(text, true);
  }
  std::string exif = year;  // the separators of EXIF, which are those of times
  exif.append(":").append(month).append(":").append(day);
  add(exif, false);
  // Where the month has a name, the year is found, and then what stands in front of it.
  const DayOfMonth named{.month = static_cast<std::uint8_t>(number),
                         .day = static_cast<std::uint8_t>((day[0] - '0') * 10 + (day[1] - '0'))};
  const auto add_named = [&](const std::string& text) {
    Add({.kind = IdentifierKind::kBirthDate, .gaps = Gaps::kAny, .named = named, .bytes = text});
  };
  add_named(year);
  for (const char letter : LastLettersOfMonth(named.month)) add_named(letter + short_year);
  const std::string name(EnglishMonth(named.month));
  for (const std::string& word : {name, name.substr(0, 3)}) {
    for (const std::string& of_month : {day, d}) add(year + word + of_month, false);
  }
}

void Patterns::AddUid(std::string_view uid) {
  if (uid.size() < kShortestUid) return;
  const auto in_uid = [](char c) { return IsDigit(c) || c == '.'; };
  if (uid.size() > kLongest || !std::all_of(uid.begin(), uid.end(), in_uid)) {
    AddId(IdentifierKind::kUid, uid, kShortestUid);  // it is none, but stood in its place
    return;
  }
  if (std::count(uid.begin(), uid.end(), '.') < 3 || IsRetained(uid)) return;
  // Roots, under which many make UIDs, are shorter.
  const bool may_go_on = uid.size() >= kShortestUidOfSomething && !uid.starts_with(kDicomRoot);
  Add({.kind = IdentifierKind::kUid,
       .gaps = Gaps::kAny,
       .exact = true,
       .may_go_on = may_go_on,
       .bytes = uid});
}

bool Patterns::EndsAt(const Pattern& pattern, std::string_view bytes, std::size_t last,
                      Found& found) const {
  const std::array<unsigned char, 256>& folding = Folding();
  const std::string_view wanted = std::string_view(bytes_).substr(pattern.begin, pattern.size);
  std::size_t left = wanted.size();
  std::size_t at = last + 1;
  std::size_t nuls = 0;
  int separators = 0;
  int gap = 0;
  int run = 0;
  while (left > 0) {
    if (at == 0) return false;
    const char c = bytes[--at];
    const unsigned char folded = folding[static_cast<unsigned char>(c)];
    if (folded != 0) {
      if (folded != static_cast<unsigned char>(wanted[left - 1])) return false;
      --left;
      separators += gap > 0 ? 1 : 0;
      gap = 0;
      run = 0;
    } else if (c == '\0') {
      if (++run > kMostNuls) return false;
      ++nuls;
    } else {
      if (pattern.gaps == Gaps::kNone || (pattern.gaps == Gaps::kDashes && !IsDash(c)))
        return false;
      if (++gap > kWidestGap) return false;
      run = 0;
    }
  }
  if (pattern.separated && separators < 2) return false;
  found = {.pattern = &pattern, .begin = at, .end = last + 1, .wide = nuls + 1 >= pattern.size};
  if (pattern.named.month != 0) return TakeDayInFront(bytes, found);
  if (pattern.exact == 0) return true;
  std::string uid(bytes.substr(found.begin, found.end - found.begin));
  std::erase(uid, '\0');
  return std::string_view(bytes_).substr(pattern.begin + pattern.size, pattern.exact) == uid;
}

const std::vector<std::string>& Patterns::NamesInOwnCharset(std::uint8_t month) const {
  std::optional<std::vector<std::string>>& names = own_months_[month - 1U];
  if (names) return *names;
  names.emplace();
  for (const clean::MonthName& of_month : clean::MonthNames()) {
    if (of_month.month != month || IsAscii(of_month.name)) continue;
    for (const std::u32string& text : CasesOf(of_month.name)) {
      const std::optional<std::string> bytes = InOwnCharset(Utf8Of(text));
      if (bytes) names->push_back(WithoutSeparators(*bytes));
    }
  }
  return *names;
}

bool Patterns::TakeDayInFront(std::string_view bytes, Found& found) const {
  // Of two digits of a year, the last letter of the month was found, too.
  const std::size_t year = found.begin + (found.pattern->size < kYear ? 1 : 0);
  const std::string_view before = bytes.substr(0, year);
  const DayOfMonth named = found.pattern->named;
  std::optional<std::size_t> begin = BeginOfNamedDate(before, named);
  if (!begin && !IsAscii(before.substr(before.size() - std::min(before.size(), kNearYear)))) {
    begin = BeginOfNamedDate(before, named, NamesInOwnCharset(named.month));
  }
  found.begin = begin.value_or(found.begin);
  return begin.has_value();
}

bool Patterns::StandsAlone(std::string_view value, const Found& in_value) const {
  Found found = in_value;
  const Pattern& pattern = *found.pattern;
  if (!pattern.whole_word) return true;
  if (pattern.digits && pattern.exact == 0 && pattern.kind != IdentifierKind::kBirthDate) {
    // "0012345" is the number 12345.
    for (auto zero = Neighbour(value, found, true); zero && value[*zero] == '0';
         zero = Neighbour(value, found, true)) {
      found.begin = *zero;
    }
  }
  for (const bool before : {true, false}) {
    std::optional<std::size_t> there = Neighbour(value, found, before);
    if (!there) continue;
    const auto c = static_cast<unsigned char>(value[*there]);
    const bool year = before && pattern.named.month != 0;
    const char edge =
        year ? '0' : bytes_[before ? pattern.begin : pattern.begin + pattern.size - 1];
    if (found.wide && !IsDigit(static_cast<char>(c))) {
      if (GoesOnWide(value, found, before)) return false;
    } else if ((c & 0x80U) != 0) {
      if (MakesWords(CharacterAt(value, *there, before))) return false;
    } else if (IsLetterOrDigit(c) && (IsDigit(edge) || !IsDigit(static_cast<char>(c)))) {
      return false;
    }
    // "0.4711" and "1.2.4711" hold other numbers.
    if (pattern.digits && c == '.' && (before ? *there > 0 : *there + 1 < value.size()) &&
        IsDigit(value[before ? *there - 1 : *there + 1]) &&
        (before || !pattern.may_go_on || IsRetained(ChainFrom(value, found.begin)))) {
      return false;
    }
  }
  return true;
}

}  // namespace dcmveil::engine::guard
