// SPDX-License-Identifier: Apache-2.0
#include "verify/identifiers.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "verify/dcmtk/dictionary.h"

namespace dcmveil::verify {
namespace {

struct Row {
  std::uint32_t tag;
  Kind kind;
};

// Sorted by tag. Names and UIDs are told by their VR.
using enum Kind;
constexpr auto kRows = std::to_array<Row>({
    {0x00080050, kAccessionNumber},
    {0x00080080, kInstitution},  // InstitutionName
    {0x00080081, kAddress},      // InstitutionAddress
    {0x00080092, kAddress},      // ReferringPhysicianAddress
    {0x00080094, kTelephone},    // ReferringPhysicianTelephoneNumbers
    {0x00081040, kInstitution},  // InstitutionalDepartmentName
    {0x00100010, kPatientName},
    {0x00100020, kId},           // PatientID
    {0x00100021, kInstitution},  // IssuerOfPatientID
    {0x00100030, kBirthDate},
    {0x00101000, kId},           // OtherPatientIDs
    {0x00101001, kPatientName},  // OtherPatientNames
    {0x00101005, kPatientName},  // PatientBirthName
    {0x00101040, kAddress},      // PatientAddress
    {0x00101050, kId},           // InsurancePlanIdentification
    {0x00101060, kPersonName},   // PatientMotherBirthName
    {0x00101090, kId},           // MedicalRecordLocator
    {0x00102154, kTelephone},    // PatientTelephoneNumbers
    {0x00102155, kTelephone},    // PatientTelecomInformation
    {0x00120040, kId},           // ClinicalTrialSubjectID
    {0x00120042, kId},           // ClinicalTrialSubjectReadingID
    {0x00200010, kId},           // StudyID
    {0x00380010, kId},           // AdmissionID
    {0x00380060, kId},           // ServiceEpisodeID
    {0x00380400, kAddress},      // PatientInstitutionResidence
    {0x00400009, kId},           // ScheduledProcedureStepID
    {0x00400253, kId},           // PerformedProcedureStepID
    {0x00400512, kId},           // ContainerIdentifier
    {0x00400551, kId},           // SpecimenIdentifier
    {0x004006FA, kId},           // SlideIdentifier
    {0x00401001, kId},           // RequestedProcedureID
    {0x00401102, kAddress},      // PersonAddress
    {0x00401103, kTelephone},    // PersonTelephoneNumbers
    {0x00401104, kTelephone},    // PersonTelecomInformation
    {0x00402010, kTelephone},    // OrderCallbackPhoneNumber
    {0x00402011, kTelephone},    // OrderCallbackTelecomInformation
    {0x00402016, kId},           // PlacerOrderNumberImagingServiceRequest
    {0x00402017, kId},           // FillerOrderNumberImagingServiceRequest
});
static_assert(std::is_sorted(kRows.begin(), kRows.end(),
                             [](const Row& a, const Row& b) { return a.tag < b.tag; }));

constexpr auto kClassUids = std::to_array<std::uint32_t>({
    0x00020002, 0x00020010, 0x00020012, 0x00020100, 0x0004151A, 0x00041510, 0x00041512,
    0x00080016, 0x0008001A, 0x0008001B, 0x00080062, 0x0008010C, 0x00080117, 0x00080118,
    0x00081150, 0x0008115A, 0x00083002, 0x00189373, 0x00400020, 0x00400554, 0x0040DB0D,
    0x00880140, 0x01000420, 0x04000010, 0x04000510,
});
static_assert(std::is_sorted(kClassUids.begin() + 7, kClassUids.end()));

constexpr std::size_t kShortestName = 3;

// Terms of medicine, one a line. A name that is one of them is looked for only beside the others.
constexpr auto kMedicalWords = std::to_array<std::string_view>({
#include "medical_words.inc"
});

std::string Joined(const std::vector<Word>& words) {
  std::string text;
  for (const Word& word : words) text += word.text;
  return text;
}

bool AllDigits(const std::vector<Word>& words) {
  return std::all_of(words.begin(), words.end(), [](const Word& word) { return word.digits; });
}

bool AllCommon(const std::vector<Word>& words) {
  return std::all_of(words.begin(), words.end(), [](const Word& word) {
    return !word.digits && !word.unsegmented && IsCommon(word.text);
  });
}

std::vector<std::string_view> Split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find_first_of(separators, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

std::vector<Word> Together(const std::vector<Word>& a, const std::vector<Word>& b) {
  std::vector<Word> both = a;
  both.insert(both.end(), b.begin(), b.end());
  return both;
}

}  // namespace

std::string_view ToString(Kind kind) {
  switch (kind) {
    case kPatientName:
      return "patient-name";
    case kPersonName:
      return "person-name";
    case kId:
      return "id";
    case kAccessionNumber:
      return "accession-number";
    case kBirthDate:
      return "birth-date";
    case kAddress:
      return "address";
    case kTelephone:
      return "telephone";
    case kInstitution:
      return "institution";
    case kUid:
      return "uid";
  }
  return "";
}

std::optional<Kind> KindOf(Tag tag, std::string_view vr) {
  const auto* const row =
      std::lower_bound(kRows.begin(), kRows.end(), tag.number(),
                       [](const Row& a, std::uint32_t number) { return a.tag < number; });
  if (row != kRows.end() && row->tag == tag.number()) return row->kind;
  if (tag.is_private()) return std::nullopt;
  const std::string known = DictionaryVr(tag);
  const std::string_view decides = known == "UN" ? vr : std::string_view(known);
  if (decides == "PN") return kPersonName;
  if (decides == "UI" && !HoldsClassUid(tag)) return kUid;
  return std::nullopt;
}

bool HoldsClassUid(Tag tag) {
  return std::find(kClassUids.begin(), kClassUids.end(), tag.number()) != kClassUids.end();
}

bool IsRegistered(std::string_view uid) { return uid.starts_with("1.2.840.10008."); }

bool IsCommon(std::string_view word) {
  static const std::unordered_set<std::string> words = [] {
    const std::vector<std::string> of_dictionary = DictionaryWords();
    std::unordered_set<std::string> all(of_dictionary.begin(), of_dictionary.end());
    for (std::string_view list : kMedicalWords) {
      for (; !list.empty(); list.remove_prefix(list.find('\n') + 1)) {
        all.emplace(list.substr(0, list.find('\n')));
      }
    }
    for (const char* more :
         {"anon",    "anonymous", "anonymized", "anonymised", "nobody", "none",     "unknown",
          "noname",  "lastname",  "firstname",  "null",       "void",   "removed",  "redacted",
          "deleted", "test",      "demo",       "sample",     "enter",  "mister",   "misses",
          "miss",    "herr",      "frau",       "prof",       "doctor", "nurse",    "hospital",
          "clinic",  "the",       "and",        "for",        "not",    "admin",    "user",
          "service", "subject",   "volunteer",  "default",    "dicom",  "synthetic"}) {
      all.insert(more);
    }
    return all;
  }();
  return words.contains(std::string(word));
}

std::uint64_t HashOfWords(const std::vector<Word>& words) {
  TextHash hash;
  for (const Word& word : words) hash.Add(word.text);
  return hash.value();
}

void Table::AddWords(Kind kind, const std::vector<Word>& words, bool weak) {
  constexpr std::size_t kMostWords = 24;
  if (words.empty() || words.size() > kMostWords) return;
  const std::string joined = Joined(words);
  const auto bytes = static_cast<std::uint8_t>(std::min<std::size_t>(joined.size(), 255));
  const auto [it, fresh] = patterns_.try_emplace(
      HashOf(joined),
      Pattern{.kind = kind, .bytes = bytes, .digits = AllDigits(words), .weak = weak});
  // The less a pattern asks for, the more it finds.
  it->second.weak = it->second.weak && weak;
  it->second.groupings |= 2U | (1U << words.size());
  // The text may be cut into words elsewhere.
  TextHash start;
  for (const Word& word : words) {
    start.Add(word.text);
    starts_.insert(start.value());
  }
  most_words_ = std::max(most_words_, words.size() + 2);
}

void Table::AddName(Kind kind, std::string_view value, bool distinctive) {
  for (const std::string_view group : Split(value, "=")) {
    std::vector<std::vector<Word>> parts;
    for (const std::string_view component : Split(group, "^")) {
      std::vector<Word> words = WordsOf(component);
      // Prefix and suffix are titles.
      if (parts.size() < 3 && !words.empty()) parts.push_back(std::move(words));
    }
    if (parts.empty()) continue;
    std::vector<std::vector<Word>> whole;
    if (parts.size() > 1) {
      whole.push_back(Together(parts[0], parts[1]));
      whole.push_back(Together(parts[1], parts[0]));
      if (parts[1].size() > 1) {
        whole.push_back(Together(parts[0], {parts[1][0]}));
        whole.push_back(Together({parts[1][0]}, parts[0]));
      }
      if (parts.size() > 2) {
        whole.push_back(Together(whole[0], parts[2]));
        whole.push_back(Together(Together(parts[1], parts[2]), parts[0]));
      }
    } else if (parts[0].size() > 1) {
      whole.push_back(parts[0]);
      if (parts[0].size() == 2) whole.push_back({parts[0][1], parts[0][0]});
    }
    constexpr std::size_t kShortestWhole = 8;
    for (const std::vector<Word>& words : whole) {
      if (AllCommon(words) || AllDigits(words)) continue;
      const std::size_t size = Joined(words).size();
      if (size < (distinctive ? kShortestWhole : 5)) continue;
      AddWords(kind, words);
    }
    if (distinctive) continue;
    for (const std::vector<Word>& part : parts) {
      const std::string joined = Joined(part);
      if (joined.size() < kShortestName || AllDigits(part) || AllCommon(part)) continue;
      const bool single = part.size() == 1;
      // One character of Chinese is a word of its own, and seldom only a name.
      if (single && part[0].unsegmented) continue;
      AddWords(kind, part);
      if (single || part[0].unsegmented) continue;
      for (const Word& word : part) {
        if (word.digits || word.unsegmented || word.text.size() < 4 || IsCommon(word.text))
          continue;
        AddWords(kind, {word});
      }
    }
  }
}

void Table::AddId(Kind kind, std::string_view value, bool distinctive) {
  const std::vector<Word> words = WordsOf(value);
  const std::string joined = Joined(words);
  const bool has_digit =
      std::any_of(words.begin(), words.end(), [](const Word& w) { return w.digits; });
  if (AllCommon(words)) return;
  if (!words.empty() && AllDigits(words)) {
    constexpr std::size_t kShortest = 6;
    const bool same = joined.find_first_not_of(joined.front()) == std::string::npos;
    const bool zeros = joined.size() - joined.find_first_not_of('0') < 4;
    if (same || joined.size() < 4 || (joined.front() == '0' && zeros)) return;
    if (distinctive) {
      // Eight digits that read as a date may be anybody's.
      const bool date =
          joined.size() == 8 && (joined.starts_with("19") || joined.starts_with("20"));
      if (joined.size() > kShortest && !date) AddWords(kind, words);
      return;
    }
    AddWords(kind, words, joined.size() < kShortest);
    if (joined.size() > 8)
      chains_.try_emplace(HashOf(joined.substr(joined.find_first_not_of('0'))), kind);
    return;
  }
  if (joined.size() < (distinctive ? 6U : 4U)) return;
  if (distinctive && !has_digit) return;
  AddWords(kind, words);
  if (distinctive) return;
  // The number in "MRN-0012-3456" is written without what stands around it, too.
  constexpr std::size_t kShortestNumber = 6;
  for (std::size_t at = 0; at < words.size(); ++at) {
    std::vector<Word> number;
    while (at < words.size() && words[at].digits) number.push_back(words[at++]);
    const std::string text = Joined(number);
    const std::size_t zeros = std::min(text.find_first_not_of('0'), text.size());
    if (text.size() - zeros < kShortestNumber) continue;
    AddWords(kind, number);
    if (zeros > 0) AddWords(kind, {{.text = text.substr(zeros), .digits = true, .separator = {}}});
  }
}

void Table::AddBirthDate(std::string_view value) {
  std::string digits;
  for (const char c : value) {
    if (c >= '0' && c <= '9') digits.push_back(c);
  }
  if (digits.size() < 8) return;
  digits.resize(8);
  const std::string year = digits.substr(0, 4);
  const std::string month = digits.substr(4, 2);
  const std::string day = digits.substr(6, 2);
  // What systems write for "not known".
  const bool filler = year < "1890" || month == "00" || day == "00" || month > "12" || day > "31" ||
                      digits == "19000101" || digits == "19700101";
  if (filler) return;
  const auto brief = [](const std::string& number) {
    return number.front() == '0' ? number.substr(1) : number;
  };
  const auto add = [&](std::initializer_list<std::string> parts) {
    std::vector<Word> words;
    for (const std::string& part : parts) {
      words.push_back({.text = part, .digits = part[0] >= '0' && part[0] <= '9', .separator = {}});
    }
    AddWords(kBirthDate, words);
  };
  add({digits});
  add({day + month + year});
  for (const bool short_form : {false, true}) {
    const std::string m = short_form ? brief(month) : month;
    const std::string d = short_form ? brief(day) : day;
    // The hash is of the words joined, so that an order has one spelling for all separators.
    add({year, m, d});
    add({d, m, year});
    add({m, d, year});
    constexpr std::array<std::string_view, 12> kMonths = {
        "january", "february", "march",     "april",   "may",      "june",
        "july",    "august",   "september", "october", "november", "december"};
    const std::string name(kMonths[static_cast<std::size_t>(std::stoi(month) - 1)]);
    for (const std::string& word : {name, name.substr(0, 3)}) {
      add({d, word, year});
      add({word, d, year});
      add({year, word, d});
    }
  }
}

void Table::AddText(Kind kind, std::string_view value, bool distinctive) {
  const std::vector<Word> words = WordsOf(value);
  const std::string joined = Joined(words);
  constexpr std::size_t kShortest = 6;
  if (AllCommon(words) || AllDigits(words)) return;
  if (joined.size() >= kShortest && !distinctive) AddWords(kind, words);
  if (kind != kAddress || distinctive) return;
  constexpr std::size_t kShortestPart = 10;
  for (const std::string_view part : Split(value, ",;\r\n")) {
    const std::vector<Word> some = WordsOf(part);
    if (some.size() < 2 || Joined(some).size() < kShortestPart || AllDigits(some)) continue;
    if (!AllCommon(some)) AddWords(kind, some);
  }
}

void Table::AddTelephone(std::string_view value) {
  if (value.find('@') != std::string_view::npos) {
    AddWords(kTelephone, WordsOf(value));
    return;
  }
  std::string digits;
  for (const char c : value) {
    if (c >= '0' && c <= '9') digits.push_back(c);
  }
  constexpr std::size_t kShortest = 7;
  constexpr std::size_t kShortestRest = 8;
  if (digits.size() < kShortest) return;
  // Without the country, or without the zero that stands for it.
  for (std::size_t drop = 0; drop < 5 && (drop == 0 || digits.size() - drop >= kShortestRest);
       ++drop) {
    const std::string rest = digits.substr(drop);
    const std::size_t start = rest.find_first_not_of('0');
    if (start == std::string::npos || rest.size() - start < kShortest) break;
    chains_.try_emplace(HashOf(rest.substr(start)), kTelephone);
  }
}

void Table::Add(Kind kind, std::string_view utf8, bool distinctive) {
  switch (kind) {
    case kPatientName:
    case kPersonName:
      AddName(kind, utf8, distinctive);
      return;
    case kId:
    case kAccessionNumber:
      AddId(kind, utf8, distinctive);
      return;
    case kBirthDate:
      if (!distinctive) AddBirthDate(utf8);
      return;
    case kAddress:
    case kInstitution:
      AddText(kind, utf8, distinctive);
      return;
    case kTelephone:
      if (!distinctive) AddTelephone(utf8);
      return;
    case kUid:
      if (!IsRegistered(utf8)) uids_.insert(HashOf(utf8));
      return;
  }
}

void Table::Keep(Kind kind, std::string_view utf8) {
  kept_.insert(kind == kUid ? HashOf(utf8) : HashOfWords(WordsOf(utf8)));
}

}  // namespace dcmveil::verify
