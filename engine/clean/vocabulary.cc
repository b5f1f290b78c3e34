// SPDX-License-Identifier: Apache-2.0
#include "engine/clean/vocabulary.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "engine/clean/fold.h"
#include "engine/clean/words.h"

namespace dcmveil::engine::clean {
namespace {

// Written by CMake from engine/clean/vocabulary/*.txt: each list as string literals of some
// thousand lines.
#include "clean_vocabulary.inc"

template <typename Function>
void ForEachLine(std::span<const std::string_view> chunks, Function&& function) {
  for (std::string_view chunk : chunks) {
    while (!chunk.empty()) {
      const std::size_t end = std::min(chunk.find('\n'), chunk.size());
      if (end > 0) function(Fold(chunk.substr(0, end)));
      chunk.remove_prefix(std::min(end + 1, chunk.size()));
    }
  }
}

struct Vocabulary {
  Vocabulary() {
    words.reserve(1U << 16U);
    // A later list overrules an earlier one.
    const auto add = [this](std::span<const std::string_view> chunks, WordClass kind) {
      ForEachLine(chunks, [&](std::string word) { words.insert_or_assign(std::move(word), kind); });
    };
    add(kEnglishChunks, WordClass::kGeneral);
    add(kMedicineChunks, WordClass::kMedical);
    add(kLanguagesChunks, WordClass::kMedical);
    add(kRadiologyChunks, WordClass::kMedical);
    add(kAmbiguousChunks, WordClass::kAmbiguous);
    ForEachLine(kTermsChunks, [this](std::string term) { terms.insert(std::move(term)); });
    ForEachLine(kUnsegmentedChunks, [this](std::string word) {
      longest_unsegmented = std::max(longest_unsegmented, word.size());
      unsegmented.insert(std::move(word));
    });
    ForEachLine(kLabelsChunks, [this](std::string word) { labels.insert(std::move(word)); });
  }

  using Set = std::unordered_set<std::string, TextHash, std::equal_to<>>;
  std::unordered_map<std::string, WordClass, TextHash, std::equal_to<>> words;
  Set terms;
  Set unsegmented;
  std::size_t longest_unsegmented = 0;
  Set labels;
};

const Vocabulary& TheVocabulary() {
  static const Vocabulary vocabulary;
  return vocabulary;
}

}  // namespace

WordClass ClassOfWord(std::string_view folded) {
  const auto& words = TheVocabulary().words;
  const auto it = words.find(folded);
  return it == words.end() ? WordClass::kUnknown : it->second;
}

bool IsTerm(std::string_view folded, std::string_view next_folded) {
  std::string term(folded);
  term += ' ';
  term += next_folded;
  return TheVocabulary().terms.contains(term);
}

std::size_t KnownPrefix(std::string_view folded) {
  const Vocabulary& vocabulary = TheVocabulary();
  for (std::size_t length = std::min(folded.size(), vocabulary.longest_unsegmented); length > 0;
       --length) {
    if (vocabulary.unsegmented.contains(folded.substr(0, length))) return length;
  }
  return 0;
}

bool IsLabelBefore(std::string_view folded) { return TheVocabulary().labels.contains(folded); }

bool IsIdLabel(std::string_view folded) {
  constexpr auto kLabels =
      std::to_array<std::string_view>({"acc",        "accession", "accno",     "accessionnumber",
                                       "casenumber", "id",        "insurance", "medicare",
                                       "mrn",        "nhs",       "patientid", "patid",
                                       "phone",      "pid",       "policy",    "ptid",
                                       "ssn",        "tel",       "telephone", "fax",
                                       "mobile",     "pager",     "zip"});
  return std::find(kLabels.begin(), kLabels.end(), folded) != kLabels.end();
}

}  // namespace dcmveil::engine::clean
