// SPDX-License-Identifier: Apache-2.0
#include "engine/clean/vocabulary.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "engine/clean/fold.h"
#include "engine/clean/words.h"

namespace dcmveil::engine::clean {
namespace {

// Written by CMake from engine/clean/vocabulary/*.txt: each list as string literals of some
// thousand lines.
#include "clean_vocabulary.inc"

using Chunks = std::span<const std::string_view>;

/// Words and the class of each, in an open hash table that is at most two thirds full.
class WordTable {
 public:
  explicit WordTable(std::size_t most_words)
      : slots_(std::bit_ceil(most_words + most_words / 2 + 1)), mask_(slots_.size() - 1) {}

  /// The word must live as long as the table. A later one overrules an earlier. REQUIRES: it is
  /// not empty, and there are no more than were said.
  void Set(std::string_view word, WordClass kind) {
    slots_[Find(word)] = {word.data(), static_cast<std::uint32_t>(word.size()), kind};
    longest_ = std::max(longest_, word.size());
  }
  /// kUnknown if it is not there.
  [[nodiscard]] WordClass Get(std::string_view word) const { return slots_[Find(word)].kind; }
  [[nodiscard]] bool Has(std::string_view word) const { return Get(word) != WordClass::kUnknown; }
  [[nodiscard]] std::size_t longest() const { return longest_; }

 private:
  struct Slot {
    const char* text = nullptr;
    std::uint32_t size = 0;
    WordClass kind = WordClass::kUnknown;
  };

  /// The word's slot, or the free one where it would stand.
  [[nodiscard]] std::size_t Find(std::string_view word) const {
    std::size_t at = TextHash{}(word)&mask_;
    while (slots_[at].text != nullptr &&
           std::string_view(slots_[at].text, slots_[at].size) != word) {
      at = (at + 1) & mask_;
    }
    return at;
  }

  std::vector<Slot> slots_;
  std::size_t mask_;
  std::size_t longest_ = 0;
};

class Vocabulary {
 public:
  Vocabulary() {
    AddAll(words, kEnglishChunks, WordClass::kGeneral);
    AddAll(words, kMedicineChunks, WordClass::kMedical);
    AddAll(words, kLanguagesChunks, WordClass::kMedical);
    AddAll(words, kRadiologyChunks, WordClass::kMedical);
    AddAll(words, kAmbiguousChunks, WordClass::kAmbiguous);
    AddAll(terms, kTermsChunks, WordClass::kMedical);
    AddAll(unsegmented, kUnsegmentedChunks, WordClass::kMedical);
    AddAll(labels, kLabelsChunks, WordClass::kGeneral);
  }

  WordTable words{LinesIn(
      {kEnglishChunks, kMedicineChunks, kLanguagesChunks, kRadiologyChunks, kAmbiguousChunks})};
  WordTable terms{LinesIn({kTermsChunks})};
  WordTable unsegmented{LinesIn({kUnsegmentedChunks})};
  WordTable labels{LinesIn({kLabelsChunks})};

 private:
  static std::size_t LinesIn(std::initializer_list<Chunks> lists) {
    std::size_t lines = 0;
    for (const Chunks& chunks : lists) {
      for (const std::string_view chunk : chunks) {
        lines += 1 + static_cast<std::size_t>(std::count(chunk.begin(), chunk.end(), '\n'));
      }
    }
    return lines;
  }

  void AddAll(WordTable& table, Chunks chunks, WordClass kind) {
    for (std::string_view chunk : chunks) {
      while (!chunk.empty()) {
        const std::size_t end = std::min(chunk.find('\n'), chunk.size());
        const std::string_view word = Folded(chunk.substr(0, end));
        if (!word.empty()) table.Set(word, kind);
        chunk.remove_prefix(std::min(end + 1, chunk.size()));
      }
    }
  }

  /// Nearly all words are folded as they stand in the list.
  std::string_view Folded(std::string_view word) {
    const bool plain = std::all_of(word.begin(), word.end(),
                                   [](char c) { return (c >= 'a' && c <= 'z') || c == ' '; });
    return plain ? word : std::string_view(folded_.emplace_back(Fold(word)));
  }

  std::deque<std::string> folded_;
};

const Vocabulary& TheVocabulary() {
  static const Vocabulary vocabulary;
  return vocabulary;
}

}  // namespace

WordClass ClassOfWord(std::string_view folded) { return TheVocabulary().words.Get(folded); }

bool IsTerm(std::string_view folded, std::string_view next_folded) {
  std::string term(folded);
  term += ' ';
  term += next_folded;
  return TheVocabulary().terms.Has(term);
}

std::size_t KnownPrefix(std::string_view folded) {
  const WordTable& words = TheVocabulary().unsegmented;
  for (std::size_t length = std::min(folded.size(), words.longest()); length > 0; --length) {
    if (words.Has(folded.substr(0, length))) return length;
  }
  return 0;
}

bool IsLabelBefore(std::string_view folded) { return TheVocabulary().labels.Has(folded); }

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
