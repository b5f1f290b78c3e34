// SPDX-License-Identifier: Apache-2.0
#include "engine/clean/text_cleaner.h"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

#include "engine/clean/fold.h"
#include "engine/clean/join.h"
#include "engine/clean/matcher.h"
#include "engine/clean/patterns.h"
#include "engine/clean/vocabulary.h"

namespace dcmveil::engine::clean {
namespace {

enum class Fate : std::uint8_t {
  kOpen,
  kCut,   ///< a number, a date, a label
  kName,  ///< may have initials and titles beside it
};

bool HasLineBreak(std::string_view gap) {
  return gap.find_first_of("\r\n\f") != std::string_view::npos;
}

bool IsSingleLetter(std::string_view folded) {
  return folded.size() == 1 && folded[0] >= 'a' && folded[0] <= 'z';
}

/// "L" and "R" are sides before they are initials.
bool IsSide(std::string_view folded) { return folded == "l" || folded == "r"; }

/// Signs of a date behind a number in Chinese, Japanese and Korean.
std::size_t DateSignPrefix(std::string_view folded) {
  constexpr auto kSigns = std::to_array<std::string_view>({"年", "月", "日", "년", "월", "일"});
  const auto it = std::find_if(kSigns.begin(), kSigns.end(), [folded](std::string_view sign) {
    return folded.starts_with(sign);
  });
  return it == kSigns.end() ? 0 : it->size();
}

bool IsTitleWord(std::string_view folded) {
  static const std::unordered_set<std::string_view> kTitles{
      "bay",       "bayan",  "dhr",     "doctor", "docteur", "doctora",  "dott",   "dottoressa",
      "dottssa",   "dr",     "dra",     "drs",    "frau",    "fraulein", "herr",   "herrn",
      "madame",    "mevr",   "mevrouw", "miss",   "mister",  "mlle",     "mme",    "monsieur",
      "mr",        "mrs",    "ms",      "mx",     "pan",     "pani",     "pr",     "prof",
      "professor", "senhor", "senhora", "senor",  "senora",  "sig",      "signor", "signora",
      "sir",       "sr",     "sra",     "srta",   "доктор",  "проф",     "κος",    "κα",
      "δρ",        "د",      "دكتور",   "السيد",  "السيده",  "דר",       "פרופ"};
  return kTitles.contains(folded);
}

/// Surnames that describe what follows when they are no names.
bool IsAdjective(std::string_view folded) {
  return folded == "gross" || folded == "long" || folded == "sharp" || folded == "short" ||
         folded == "small" || folded == "young";
}

/// One text on its way.
class Cleaning {
 public:
  Cleaning(std::string_view utf8, const Matcher& matcher, Strictness strictness,
           const TextCleaner::Words& keep)
      : matcher_(matcher),
        strictness_(strictness),
        keep_(keep),
        words_(SplitWords(utf8)),
        text_{.utf8 = utf8, .words = words_} {
    SplitRuns();
    fates_.resize(words_.size(), Fate::kOpen);
    classes_.resize(words_.size());
    for (const std::size_t i : names_in_runs_) fates_[i] = Fate::kName;
  }

  std::string Run() {
    MarkIdentifiers();
    if (strictness_ != Strictness::kIdentifiers) {
      MarkTitled();
      MarkLabelled();
    }
    if (strictness_ == Strictness::kStrict) MarkUnknown();
    if (std::all_of(fates_.begin(), fates_.end(), [](Fate f) { return f == Fate::kOpen; })) {
      return std::string(text_.utf8);
    }
    MarkBeside();
    MarkLabels();
    std::vector<bool> cut(fates_.size());
    for (std::size_t i = 0; i < fates_.size(); ++i) cut[i] = fates_[i] != Fate::kOpen;
    return JoinKept(text_, cut);
  }

 private:
  void SplitRuns();
  void MarkIdentifiers();
  void MarkTitled();
  void MarkLabelled();
  void MarkUnknown();
  void MarkAmbiguous();
  void MarkBeside();
  void MarkLabels();

  [[nodiscard]] bool Open(std::size_t i) const {
    return i < fates_.size() && fates_[i] == Fate::kOpen;
  }
  [[nodiscard]] bool Gone(std::size_t i) const {
    return i < fates_.size() && fates_[i] != Fate::kOpen;
  }
  /// Whether words i-1 and i stand beside each other: nothing but a blank or a sign between them.
  [[nodiscard]] bool Beside(std::size_t i) const {
    if (i == 0 || i >= words_.size()) return false;
    const std::string_view gap = text_.Gap(i);
    return gap.size() <= 4 && !HasLineBreak(gap);
  }
  [[nodiscard]] WordClass ClassOf(std::string_view folded) const {
    return keep_.contains(folded) ? WordClass::kMedical : ClassOfWord(folded);
  }
  [[nodiscard]] WordClass FindClass(std::size_t i) const;
  [[nodiscard]] WordClass ClassAt(std::size_t i) const {
    if (!classes_[i]) classes_[i] = FindClass(i);
    return *classes_[i];
  }
  [[nodiscard]] WordClass ClassOfParts(std::size_t i) const;
  [[nodiscard]] bool IsTitle(std::size_t i) const;
  [[nodiscard]] bool IsMedical(std::size_t i) const {
    return Open(i) && (words_[i].kind == Word::Kind::kUnsegmented
                           ? known_run_[i]
                           : words_[i].folded.size() > 1 && ClassAt(i) == WordClass::kMedical);
  }
  [[nodiscard]] bool DescribesNext(std::size_t i) const;
  [[nodiscard]] bool InTerm(std::size_t i) const {
    return (i > 0 && Beside(i) && IsTerm(words_[i - 1].folded, words_[i].folded)) ||
           (i + 1 < words_.size() && Beside(i + 1) &&
            IsTerm(words_[i].folded, words_[i + 1].folded));
  }

  const Matcher& matcher_;
  Strictness strictness_;
  const TextCleaner::Words& keep_;
  std::vector<Word> words_;
  Text text_;
  std::vector<Fate> fates_;
  mutable std::vector<std::optional<WordClass>> classes_;  ///< asked for more than once
  std::vector<bool> known_run_;  ///< of each word: a known one of an unsegmented script
  std::vector<std::size_t> names_in_runs_;
};

/// Runs of scripts without blanks become names, known words and what is neither.
void Cleaning::SplitRuns() {
  if (std::none_of(words_.begin(), words_.end(),
                   [](const Word& word) { return word.kind == Word::Kind::kUnsegmented; })) {
    known_run_.assign(words_.size(), false);
    return;
  }
  std::vector<Word> all;
  for (Word& run : words_) {
    if (run.kind != Word::Kind::kUnsegmented) {
      all.push_back(std::move(run));
      known_run_.push_back(false);
      continue;
    }
    // Where the folded bytes of each character begin, and its own bytes.
    const std::string_view folded = run.folded;
    std::vector<std::pair<std::size_t, std::size_t>> characters;
    std::string whole;
    for (std::size_t at = run.begin; at < run.end;) {
      characters.emplace_back(whole.size(), at);
      AppendFolded(NextCode(text_.utf8, at), whole);
    }
    characters.emplace_back(folded.size(), run.end);
    bool last_unknown = false;
    for (std::size_t c = 0; c + 1 < characters.size();) {
      const std::string_view rest = folded.substr(characters[c].first);
      const std::size_t name = matcher_.NamePrefix(rest);
      std::size_t length = name;
      const bool after_number = c == 0 && !all.empty() && all.back().end == run.begin &&
                                all.back().kind == Word::Kind::kNumber;
      bool known = false;
      if (name == 0 && after_number) length = DateSignPrefix(rest);
      if (length == 0) {
        length = KnownPrefix(rest);
        known = length > 0;
      }
      std::size_t next = c + 1;
      while (next + 1 < characters.size() &&
             characters[next].first < characters[c].first + length) {
        ++next;
      }
      // A mark that folds to nothing belongs to the character before it.
      while (next + 1 < characters.size() && characters[next].first == characters[next + 1].first) {
        ++next;
      }
      const bool unknown = length == 0;
      if (unknown && last_unknown) {
        all.back().end = characters[next].second;
        all.back().folded +=
            folded.substr(characters[c].first, characters[next].first - characters[c].first);
      } else {
        if (name > 0) names_in_runs_.push_back(all.size());
        all.push_back({.begin = characters[c].second,
                       .end = characters[next].second,
                       .kind = Word::Kind::kUnsegmented,
                       .folded = std::string(folded.substr(
                           characters[c].first, characters[next].first - characters[c].first))});
        known_run_.push_back(known);
      }
      last_unknown = unknown;
      c = next;
    }
  }
  words_ = std::move(all);
}

void Cleaning::MarkIdentifiers() {
  const Matcher* only = strictness_ == Strictness::kIdentifiers ? &matcher_ : nullptr;
  for (std::size_t i = 0; i < words_.size(); ++i) {
    if (!Open(i)) continue;
    const std::size_t own = matcher_.WordsOfIdentifier(text_.utf8, words_, i);
    std::size_t count = own;
    if (words_[i].kind != Word::Kind::kUnsegmented) {
      count = std::max({count, WordsOfUid(text_, i), WordsOfDate(text_, i, only)});
      if (only == nullptr) count = std::max(count, WordsOfPattern(text_, i));
    }
    const Fate fate =
        own == count && words_[i].kind == Word::Kind::kWord ? Fate::kName : Fate::kCut;
    for (std::size_t k = i; k < i + count && k < fates_.size(); ++k) fates_[k] = fate;
    // The words inside may begin something longer.
  }
}

/// "Dr" is also digital radiography, "MR" and "MS" are not always persons.
bool Cleaning::IsTitle(std::size_t i) const {
  const std::string& folded = words_[i].folded;
  if (!Open(i) || !IsTitleWord(folded)) return false;
  const bool doubtful = folded == "dr" || folded == "mr" || folded == "ms" || folded == "sr" ||
                        folded == "pr" || folded == "pan" || folded == "bay" || folded == "sig" ||
                        folded == "mx" || folded == "doctor" || folded == "dra";
  if (!doubtful) return true;
  const std::string_view gap = text_.Gap(i + 1);
  if (gap.starts_with('.')) return true;
  const std::string_view written = text_.Original(i);
  const bool capitalised = written.front() >= 'A' && written.front() <= 'Z' &&
                           written.back() >= 'a' && written.back() <= 'z';
  const WordClass next =
      i + 1 < words_.size() && Beside(i + 1) ? ClassAt(i + 1) : WordClass::kMedical;
  if (capitalised && next != WordClass::kMedical) return true;
  return next == WordClass::kUnknown && (folded == "dr" || folded == "doctor");
}

void Cleaning::MarkTitled() {
  constexpr std::size_t kMostNames = 4;
  for (std::size_t i = 0; i < words_.size(); ++i) {
    if (!IsTitle(i)) continue;
    std::size_t named = 0;
    for (std::size_t k = i + 1; k < words_.size() && k <= i + kMostNames && Beside(k); ++k) {
      const std::string& folded = words_[k].folded;
      if (words_[k].kind == Word::Kind::kNumber) break;
      const bool title = IsTitleWord(folded) || folded == "med" || folded == "phil" ||
                         folded == "rer" || folded == "nat" || folded == "habil";
      const bool initial = IsSingleLetter(folded) && text_.Gap(k + 1).starts_with('.');
      const bool first = named == 0;
      const std::string_view gap = text_.Gap(k);
      // A comma or the end of a sentence ends the name; "Dr." and "J." do not.
      const bool ended = gap.find_first_of(",;:") != std::string_view::npos ||
                         (!first && gap.starts_with('.') && words_[k - 1].folded.size() > 3);
      if (ended && !first) break;
      if (Gone(k) || title || initial) {
        fates_[k] = Fate::kName;
        continue;
      }
      if (first ? ClassAt(k) == WordClass::kMedical && !keep_.empty() && keep_.contains(folded)
                : ClassAt(k) != WordClass::kUnknown) {
        break;
      }
      fates_[k] = Fate::kName;
      if (folded.size() > 1) ++named;
    }
    fates_[i] = Fate::kName;
  }
}

void Cleaning::MarkLabelled() {
  const auto is_value = [this](std::size_t k) {
    return words_[k].kind == Word::Kind::kNumber || words_[k].has_digit;
  };
  const auto joins = [](std::string_view gap) {
    return gap.size() <= 4 && !HasLineBreak(gap) &&
           gap.find_first_of(",;()") == std::string_view::npos;
  };
  for (std::size_t i = 0; i + 1 < words_.size(); ++i) {
    const std::string& folded = words_[i].folded;
    const bool label = Open(i) && IsIdLabel(folded);
    const bool numbered = words_[i + 1].kind == Word::Kind::kNumber &&
                          text_.Gap(i + 1).find('#') != std::string_view::npos &&
                          words_[i + 1].folded.size() > 2;
    if (!label && !numbered) continue;
    std::size_t k = i + 1;
    // "MRN no. 12", "patient ID: 12"
    while (k < words_.size() && joins(text_.Gap(k)) && Open(k) &&
           (words_[k].folded == "no" || words_[k].folded == "nr" || words_[k].folded == "number" ||
            IsIdLabel(words_[k].folded))) {
      ++k;
    }
    while (k < words_.size() && joins(text_.Gap(k)) && is_value(k)) {
      const bool first = k == i + 1 || Open(k - 1);
      const std::string_view gap = text_.Gap(k);
      if (!first && gap != "-" && gap != "/" && gap != "." && gap != "_") break;
      fates_[k] = Fate::kCut;
      ++k;
    }
  }
}

WordClass Cleaning::ClassOfParts(std::size_t i) const {
  constexpr std::size_t kMostDigits = 4;
  constexpr std::size_t kMostDigitsOfCodes = 3;
  const Word& word = words_[i];
  const std::vector<std::string> parts = PartsOf(text_.Original(i));
  if (parts.size() < 2) return WordClass::kUnknown;
  std::size_t digits = 0;
  bool code = false;
  const bool measures = std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
    return IsDigit(part.front()) || part == "x" || part == "mm" || part == "cm";
  });
  for (const std::string& part : parts) {
    if (IsDigit(part.front())) {
      // "320x320x24" is as harmless as each of its numbers.
      digits = measures ? std::max(digits, part.size()) : digits + part.size();
      continue;
    }
    if (ClassOf(part) == WordClass::kMedical) continue;
    const bool elision =
        word.apostrophe && part.size() <= 4 && ClassOf(part) != WordClass::kUnknown;
    if (elision || part.size() == 1) continue;
    if (part.size() > 2 || !word.has_digit) return WordClass::kUnknown;
    code = true;
  }
  if (digits > (code ? kMostDigitsOfCodes : kMostDigits)) return WordClass::kUnknown;
  return WordClass::kMedical;
}

WordClass Cleaning::FindClass(std::size_t i) const {
  constexpr std::size_t kShortestCompound = 9;
  constexpr std::size_t kShortestPart = 4;
  const Word& word = words_[i];
  if (word.kind == Word::Kind::kNumber) return WordClass::kGeneral;
  if (word.kind == Word::Kind::kUnsegmented) {
    return known_run_[i] ? WordClass::kMedical : WordClass::kUnknown;
  }
  const std::string& folded = word.folded;
  if (IsSingleLetter(folded)) return WordClass::kGeneral;
  if (const WordClass known = ClassOf(folded); known != WordClass::kUnknown) return known;
  if (word.has_digit || word.apostrophe) {
    if (const WordClass parts = ClassOfParts(i); parts != WordClass::kUnknown) return parts;
  } else if (std::any_of(text_.Original(i).begin() + 1, text_.Original(i).end(),
                         [](char c) { return c >= 'A' && c <= 'Z'; })) {
    if (const WordClass parts = ClassOfParts(i); parts != WordClass::kUnknown) return parts;
  }
  if (folded.ends_with('s') && folded.size() > kShortestPart) {
    const WordClass one = ClassOf(std::string_view(folded).substr(0, folded.size() - 1));
    if (one == WordClass::kMedical || one == WordClass::kAmbiguous) return one;
  }
  if (folded.size() >= kShortestCompound && !word.has_digit) {
    for (std::size_t at = kShortestPart; at + kShortestPart <= folded.size(); ++at) {
      const std::string_view tail = std::string_view(folded).substr(at);
      if (ClassOf(tail) != WordClass::kMedical) continue;
      const std::string_view head = std::string_view(folded).substr(0, at);
      if (ClassOf(head) == WordClass::kMedical) return WordClass::kMedical;
      const bool linked =
          head.size() > kShortestPart && (head.ends_with('s') || head.ends_with('n'));
      if (linked && ClassOf(head.substr(0, head.size() - 1)) == WordClass::kMedical) {
        return WordClass::kMedical;
      }
    }
  }
  return WordClass::kUnknown;
}

/// "small nodule", "SMALL PARTS", but not "Small chest": that one signs.
bool Cleaning::DescribesNext(std::size_t i) const {
  if (!Beside(i + 1) || !IsMedical(i + 1) || words_[i + 1].folded.size() < 3) return false;
  if (text_.Gap(i + 1).find_first_of(",;.") != std::string_view::npos) return false;
  const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  const std::string_view written = text_.Original(i);
  return !is_upper(written.front()) ||
         (is_upper(written.back()) && is_upper(text_.Original(i + 1).back()));
}

void Cleaning::MarkUnknown() {
  std::vector<std::size_t> ambiguous;
  for (std::size_t i = 0; i < words_.size(); ++i) {
    if (!Open(i)) continue;
    const WordClass known = ClassAt(i);
    if (known == WordClass::kUnknown && !InTerm(i)) fates_[i] = Fate::kName;
    if (known == WordClass::kAmbiguous && !InTerm(i)) ambiguous.push_back(i);
  }
  for (const std::size_t i : ambiguous) {
    const bool initial_before = i > 0 && Beside(i) && IsSingleLetter(words_[i - 1].folded) &&
                                !IsSide(words_[i - 1].folded) && words_[i - 1].folded != "w" &&
                                words_[i - 1].folded != "x" && words_[i - 1].folded != "b";
    const auto near_name = [this](std::size_t at, std::string_view gap) {
      return at < fates_.size() && fates_[at] == Fate::kName && gap.size() <= 3;
    };
    const bool name_before = i > 0 && near_name(i - 1, text_.Gap(i));
    const bool name_after = near_name(i + 1, text_.Gap(i + 1));
    const bool term_before = i > 0 && IsMedical(i - 1);
    const bool stray_adjective = IsAdjective(words_[i].folded) && !DescribesNext(i);
    const bool person = stray_adjective || initial_before || (name_before && !term_before) ||
                        (name_after && !term_before);
    if (!person) continue;
    fates_[i] = Fate::kName;
    if (initial_before) fates_[i - 1] = Fate::kName;
  }
}

/// Initials and particles beside names, and numbers beside what went.
void Cleaning::MarkBeside() {
  constexpr std::size_t kPostalCode = 5;
  const auto goes = [this](std::size_t i, std::string_view gap) {
    const Word& word = words_[i];
    if (word.kind == Word::Kind::kNumber) {
      return strictness_ == Strictness::kStrict && word.folded.size() >= kPostalCode;
    }
    const bool signed_off = gap.find_first_of(".,^") != std::string_view::npos;
    if (IsSingleLetter(word.folded)) {
      if (IsSide(word.folded) && !signed_off) return false;
      return strictness_ == Strictness::kStrict || matcher_.IsWeakPart(word.folded);
    }
    return matcher_.IsWeakPart(word.folded);
  };
  for (std::size_t i = 1; i < words_.size(); ++i) {
    if (Open(i) && fates_[i - 1] == Fate::kName && Beside(i)) {
      const std::string_view gap = text_.Gap(i);
      // What a plus or a slash joins belongs to the text: "+C", "w/o".
      if (gap.find_first_of("+/(") == std::string_view::npos &&
          !text_.Gap(i + 1).starts_with('/') &&
          goes(i, std::string(gap) + std::string(text_.Gap(i + 1).substr(0, 1)))) {
        fates_[i] = Fate::kName;
      }
    }
  }
  for (std::size_t i = words_.size() - 1; i-- > 0;) {
    if (Open(i) && fates_[i + 1] == Fate::kName && Beside(i + 1) &&
        text_.Gap(i + 1).find_first_of("+/)") == std::string_view::npos &&
        goes(i, text_.Gap(i + 1))) {
      fates_[i] = Fate::kName;
    }
  }
}

void Cleaning::MarkLabels() {
  for (std::size_t i = words_.size(); i-- > 0;) {
    if (!Open(i) || !Gone(i + 1)) continue;
    const std::string_view gap = text_.Gap(i + 1);
    if (gap.size() > 6 || HasLineBreak(gap)) continue;
    if (gap.find_first_of(",;)") != std::string_view::npos) continue;
    if (IsLabelBefore(words_[i].folded) || IsTitleWord(words_[i].folded)) {
      // "MR 2019-03-04": the modality, not a mister.
      const bool modality =
          words_[i].folded.size() == 2 && IsTitleWord(words_[i].folded) && !IsTitle(i);
      if (!modality) fates_[i] = Fate::kCut;
    }
  }
  // Scripts without blanks have theirs behind the name: 様, 先生, 씨.
  for (std::size_t i = 1; i < words_.size(); ++i) {
    if (Open(i) && Gone(i - 1) && words_[i].kind == Word::Kind::kUnsegmented &&
        text_.Gap(i).size() <= 1 && IsLabelBefore(words_[i].folded)) {
      fates_[i] = Fate::kCut;
    }
  }
}

}  // namespace

std::string TextCleaner::Clean(std::string_view utf8, const Identifiers& identifiers) const {
  if (utf8.empty()) return {};
  return Cleaning(utf8, identifiers.matcher(), strictness_, keep_).Run();
}

}  // namespace dcmveil::engine::clean
