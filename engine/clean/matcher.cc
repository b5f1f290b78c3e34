// SPDX-License-Identifier: Apache-2.0
#include "engine/clean/matcher.h"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/clean/fold.h"
#include "engine/clean/patterns.h"
#include "engine/clean/vocabulary.h"

namespace dcmveil::engine::clean {
namespace {

constexpr std::size_t kShortestStem = 4;
constexpr std::size_t kShortestInner = 5;
constexpr std::size_t kShortestSpan = 5;
constexpr std::size_t kLongestLetter = 3;  // bytes of one folded letter
constexpr std::size_t kShortestNumber = 4;
constexpr std::size_t kLongestGap = 3;
constexpr std::size_t kLongestPhrase = 128;

bool AllDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsDigit);
}

bool AnyDigit(std::string_view text) { return std::any_of(text.begin(), text.end(), IsDigit); }

/// Letters that are spelled out with two where umlauts are missing.
std::string SpellOut(std::string_view utf8) {
  std::string out;
  for (std::size_t at = 0; at < utf8.size();) {
    const std::size_t begin = at;
    switch (NextCode(utf8, at)) {
      case 0xC4:
      case 0xE4:
        out += "ae";
        break;
      case 0xC5:
      case 0xE5:
        out += "aa";
        break;
      case 0xD6:
      case 0xF6:
      case 0xD8:
      case 0xF8:
        out += "oe";
        break;
      case 0xDC:
      case 0xFC:
        out += "ue";
        break;
      default:
        out += utf8.substr(begin, at - begin);
    }
  }
  return out;
}

/// The other way: "mueller" may stand for Müller, whose folded form is "muller".
std::string SpellShort(std::string_view folded) {
  std::string out;
  for (std::size_t i = 0; i < folded.size(); ++i) {
    out += folded[i];
    const bool pair = i + 1 < folded.size() && folded[i + 1] == 'e' &&
                      (folded[i] == 'a' || folded[i] == 'o' || folded[i] == 'u');
    if (pair) ++i;
  }
  return out;
}

std::size_t LettersIn(std::string_view folded) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < folded.size(); ++count) static_cast<void>(NextCode(folded, at));
  return count;
}

}  // namespace

bool IsNameParticle(std::string_view folded) {
  constexpr auto kParticles = std::to_array<std::string_view>(
      {"al",  "bin", "da",  "de",  "del", "della", "den", "der", "des", "di",   "do", "dos",
       "dr",  "du",  "el",  "ibn", "ii",  "iii",   "jr",  "la",  "le",  "les",  "lo", "mac",
       "mc",  "md",  "med", "mr",  "mrs", "ms",    "of",  "op",  "phd", "prof", "sr", "st",
       "ten", "ter", "the", "van", "ver", "vom",   "von", "y",   "zu",  "zum",  "zur"});
  return std::binary_search(kParticles.begin(), kParticles.end(), folded);
}

bool NamesNobody(std::string_view folded) {
  constexpr auto kNobody = std::to_array<std::string_view>(
      {"admin",   "anon",      "anonymized", "anonymous",    "deidentified", "doctor",  "hospital",
       "na",      "name",      "no",         "nobody",       "none",         "null",    "operator",
       "patient", "phantom",   "physician",  "radiology",    "radiologist",  "removed", "research",
       "service", "subject",   "tech",       "technologist", "test",         "tester",  "unknown",
       "user",    "volunteer", "xxx",        "xxxx"});
  return std::binary_search(kNobody.begin(), kNobody.end(), folded);
}

Matcher::Matcher(const std::vector<Identifier>& identifiers) {
  for (const Identifier& identifier : identifiers) {
    switch (identifier.kind) {
      case IdentifierKind::kPersonName:
        AddName(identifier.value);
        break;
      case IdentifierKind::kId:
        AddId(identifier.value, 3);
        break;
      case IdentifierKind::kDate:
      case IdentifierKind::kBirthDate:
        AddDate(identifier.value);
        break;
      case IdentifierKind::kAddress:
      case IdentifierKind::kInstitution:
        AddPhrase(identifier.value);
        break;
      case IdentifierKind::kTelephone:
        AddTelephone(identifier.value);
        break;
      case IdentifierKind::kDevice:
        AddId(identifier.value, 4);
        break;
      case IdentifierKind::kUid:
        // Whatever looks like a UID goes anyway.
        if (!LooksLikeUid(identifier.value)) AddId(identifier.value, kShortestSpan);
        break;
    }
  }
  std::sort(unsegmented_.begin(), unsegmented_.end(),
            [](const std::string& a, const std::string& b) {
              return a.size() != b.size() ? a.size() > b.size() : a < b;
            });
}

void Matcher::AddStrongWord(std::string_view folded) {
  texts_.Add(folded, kWord);
  if (LettersIn(folded) >= kShortestStem) stems_.emplace_back(folded);
}

void Matcher::AddSpelling(std::string_view spelling, std::vector<std::string>& parts) {
  for (const Word& word : SplitWords(spelling)) {
    const std::string& folded = word.folded;
    if (word.kind != Word::Kind::kWord || NamesNobody(folded)) continue;
    const std::size_t letters = LettersIn(folded);
    if (letters == 0) continue;
    if (letters == 1 || IsNameParticle(folded)) {
      texts_.Add(folded, kWeak);
      continue;
    }
    parts.push_back(folded);
    // "Hand" is cut, but "CT Chest" as a name is more likely a description in the wrong place.
    if (ClassOfWord(folded) == WordClass::kMedical) {
      texts_.Add(folded, kWeak);
    } else {
      AddStrongWord(folded);
    }
    std::size_t initial = 0;
    static_cast<void>(NextCode(folded, initial));
    texts_.Add(folded.substr(0, initial), kWeak);
  }
}

void Matcher::AddNameGroup(std::string_view group) {
  std::vector<std::string> parts;
  AddSpelling(group, parts);
  // Initials, and parts written together: "JD", "JDoe", "DoeJane".
  std::string initials;
  for (const std::string& part : parts) initials += part.front();
  if (parts.size() > 1 && parts.size() <= 4 && initials.size() == parts.size()) {
    const std::string turned = initials.substr(1) + initials.front();
    texts_.Add(turned, kWeak);
    texts_.Add(initials, kWeak);
    texts_.Add(initials.substr(1), kWeak);
  }
  for (const std::string& a : parts) {
    for (const std::string& b : parts) {
      if (&a == &b || parts.size() > 6) continue;
      texts_.Add(a + b, kWord);
      if (a.size() < 3) continue;
      texts_.Add(a + b.front(), kWord);
      texts_.Add(b.front() + a, kWord);
    }
  }
  std::vector<std::string> others;
  if (const std::string spelled = SpellOut(group); spelled != group) AddSpelling(spelled, others);
  for (const std::string& part : parts) {
    if (std::string shorter = SpellShort(part); shorter != part && shorter.size() >= 4) {
      AddStrongWord(shorter);
    }
  }
  AddUnsegmentedName(group);
}

void Matcher::AddUnsegmentedName(std::string_view group) {
  std::string whole;
  for (const Word& word : SplitWords(group)) {
    if (word.kind != Word::Kind::kUnsegmented) continue;
    whole += word.folded;
    // A single character of a name is too often one of another word.
    if (LettersIn(word.folded) > 1) {
      unsegmented_.push_back(word.folded);
    } else {
      texts_.Add(word.folded, kWeak);
    }
  }
  if (LettersIn(whole) > 1) unsegmented_.push_back(whole);
}

void Matcher::AddName(std::string_view name) {
  std::size_t at = 0;
  while (at <= name.size()) {
    const std::size_t end = std::min(name.find('=', at), name.size());
    const std::string_view group = name.substr(at, end - at);
    if (!group.empty()) AddNameGroup(group);
    at = end + 1;
  }
}

void Matcher::AddSpan(std::string_view compact) {
  if (compact.size() > kLongestPhrase) return;
  longest_span_ = std::max(longest_span_, compact.size());
  texts_.Add(compact, kSpan);
}

void Matcher::AddId(std::string_view id, std::size_t shortest) {
  const std::string compact = Compact(id);
  if (LettersIn(compact) < shortest) return;
  const std::vector<Word> words = SplitWords(id);
  if (AllDigits(compact)) {
    if (compact.size() < kShortestNumber) return;
    const std::size_t zeros = std::min(compact.find_first_not_of('0'), compact.size());
    if (compact.size() - zeros >= kShortestNumber) texts_.Add(compact.substr(zeros), kWord);
  } else if (!AnyDigit(compact)) {
    // "CT CHEST" as an order's ID says nothing of the patient.
    const bool plain = std::all_of(words.begin(), words.end(), [](const Word& word) {
      return NamesNobody(word.folded) || ClassOfWord(word.folded) != WordClass::kUnknown;
    });
    if (plain) return;
  }
  // The number in "MRN-0012345", which is also written without what stands before it.
  for (std::size_t i = 0; i < compact.size();) {
    std::size_t end = i;
    while (end < compact.size() && IsDigit(compact[end])) ++end;
    if (end - i >= kShortestSpan) AddSpan(compact.substr(i, end - i));
    i = end + 1;
  }
  texts_.Add(compact, kWord);
  if (compact.size() >= kShortestSpan) AddSpan(compact);
}

void Matcher::AddTelephone(std::string_view number) {
  constexpr std::size_t kShortestTelephone = 6;
  constexpr std::size_t kLongestCountry = 3;
  constexpr std::size_t kShortestNational = 8;  // of a number whose country's code is not known
  AddId(number, kShortestTelephone);
  std::string digits = Compact(number);
  if (!AllDigits(digits)) return;
  const bool abroad = number.find('+') != std::string_view::npos || digits.starts_with("00");
  if (!abroad) {
    if (digits.starts_with('0') && digits.size() > kShortestTelephone) AddSpan(digits.substr(1));
    return;
  }
  if (digits.starts_with("00")) digits.erase(0, 2);
  for (std::size_t country = 1; country <= kLongestCountry; ++country) {
    if (digits.size() < country + kShortestNational) break;
    // At home a zero stands for the country, or nothing.
    AddSpan("0" + digits.substr(country));
    AddSpan(digits.substr(country));
  }
}

void Matcher::AddPhrase(std::string_view phrase) {
  const std::vector<Word> words = SplitWords(phrase);
  const std::string compact = Compact(phrase);
  const bool plain = std::all_of(words.begin(), words.end(), [](const Word& word) {
    return word.kind == Word::Kind::kWord && ClassOfWord(word.folded) == WordClass::kMedical;
  });
  // A department "Radiology" or a "CT" must not empty all descriptions.
  if (plain) return;
  for (const Word& word : words) {
    if (word.kind == Word::Kind::kUnsegmented) {
      if (LettersIn(word.folded) > 1) unsegmented_.push_back(word.folded);
    } else if (word.kind == Word::Kind::kNumber) {
      if (word.folded.size() > kShortestNumber) texts_.Add(word.folded, kWord);
    } else if (word.folded.size() >= kShortestStem && !IsNameParticle(word.folded) &&
               !NamesNobody(word.folded) && ClassOfWord(word.folded) == WordClass::kUnknown) {
      AddStrongWord(word.folded);
    }
  }
  if (const std::string spelled = SpellOut(phrase); spelled != phrase) {
    for (const Word& word : SplitWords(spelled)) {
      if (word.folded.size() >= kShortestStem && ClassOfWord(word.folded) == WordClass::kUnknown) {
        AddStrongWord(word.folded);
      }
    }
  }
  if (compact.size() >= kShortestSpan) AddSpan(compact);
}

void Matcher::AddDate(std::string_view date) {
  std::string digits;
  for (const char c : date) {
    if (IsDigit(c)) digits += c;
  }
  constexpr std::size_t kDay = 8;
  if (digits.size() < kDay) return;
  const std::string y = digits.substr(0, 4);
  const std::string m = digits.substr(4, 2);
  const std::string d = digits.substr(6, 2);
  texts_.Add(y + m + d, kDate);
  const std::string yy = y.substr(2);
  for (const std::string& spelling :
       {y + m + d, d + m + y, m + d + y, y + d + m, yy + m + d, d + m + yy, m + d + yy}) {
    texts_.Add(spelling, kWord);
  }
}

std::size_t Matcher::NamePrefix(std::string_view folded) const {
  for (const std::string& name : unsegmented_) {
    if (folded.starts_with(name)) return name.size();
  }
  return 0;
}

/// "D o e"
std::size_t Matcher::WordsOfSpacedName(std::string_view text, const std::vector<Word>& words,
                                       std::size_t first) const {
  constexpr std::size_t kFewestLetters = 3;
  constexpr std::size_t kMostLetters = 32;
  std::size_t found = 0;
  std::string name;
  for (std::size_t i = first; i < words.size() && i < first + kMostLetters; ++i) {
    if (words[i].kind != Word::Kind::kWord || words[i].folded.size() > kLongestLetter ||
        LettersIn(words[i].folded) != 1) {
      break;
    }
    if (i > first && text.substr(words[i - 1].end, words[i].begin - words[i - 1].end)
                             .find_first_not_of(" ._-") != std::string_view::npos) {
      break;
    }
    name += words[i].folded;
    const std::size_t letters = i - first + 1;
    if (letters >= kFewestLetters && texts_.Has(name, kWord)) found = letters;
  }
  return found;
}

/// "MRNQX12345", with the label that was glued to it.
bool Matcher::EndsWithId(std::string_view folded) const {
  if (longest_span_ == 0) return false;
  const std::size_t skipped = folded.size() - std::min(folded.size(), longest_span_);
  for (std::size_t at = std::max<std::size_t>(1, skipped); at + kShortestSpan <= folded.size();
       ++at) {
    const bool inside_number = IsDigit(folded[at]) && IsDigit(folded[at - 1]);
    if (!inside_number && texts_.Has(folded.substr(at), kSpan)) return true;
  }
  return false;
}

std::size_t Matcher::WordsOfIdentifier(std::string_view text, const std::vector<Word>& words,
                                       std::size_t first) const {
  const Word& word = words[first];
  std::size_t found = 0;
  std::string compact;
  for (std::size_t i = first; i < words.size() && longest_span_ > 0; ++i) {
    if (i > first) {
      const std::string_view gap = text.substr(words[i - 1].end, words[i].begin - words[i - 1].end);
      if (gap.size() > kLongestGap || gap.find('\n') != std::string_view::npos) break;
    }
    compact += words[i].folded;
    if (compact.size() > longest_span_) break;
    if (compact.size() >= kShortestSpan && texts_.Has(compact, kSpan)) found = i - first + 1;
  }
  if (found > 0) return found;
  if (texts_.Has(word.folded, kWord)) return 1;
  if (word.kind != Word::Kind::kWord) return 0;
  if (word.folded.size() <= kLongestLetter) {
    if (const std::size_t spaced = WordsOfSpacedName(text, words, first)) return spaced;
  }
  if (word.has_digit && EndsWithId(word.folded)) return 1;
  const std::string_view original = text.substr(word.begin, word.end - word.begin);
  if ((word.has_digit || word.apostrophe || word.folded.size() > kShortestStem) &&
      !HasOnePart(original)) {
    const std::vector<std::string> parts = PartsOf(original);
    if (parts.size() > 1 && std::any_of(parts.begin(), parts.end(), [this](const auto& part) {
          return part.size() > 1 &&
                 !(part.size() < 4 && ClassOfWord(part) != WordClass::kUnknown) &&
                 texts_.Has(part, kWord);
        })) {
      return 1;
    }
  }
  // "Johnsons", "DrJohnson", "Ивановой"; but "channel" is not Chan's.
  if (word.folded.size() > kShortestStem && ClassOfWord(word.folded) == WordClass::kUnknown) {
    for (const std::string& stem : stems_) {
      const std::size_t at = word.folded.find(stem);
      if (at == std::string::npos) continue;
      const bool at_edge = at == 0 || at + stem.size() == word.folded.size();
      if (at_edge || LettersIn(stem) >= kShortestInner) return 1;
    }
  }
  return 0;
}

}  // namespace dcmveil::engine::clean
