// SPDX-License-Identifier: Apache-2.0
#include "engine/clean/vocabulary.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

#include "engine/clean/word_table.h"

namespace dcmveil::engine::clean {
namespace {

// Written by list_words from engine/clean/vocabulary/*.txt: kWords, kTerms, kUnsegmented, kLabels.
#include "vocabulary.inc"

}  // namespace

WordClass ClassOfWord(std::string_view folded) { return kWords.Get(folded); }

bool IsTerm(std::string_view folded, std::string_view next_folded) {
  std::string term(folded);
  term += ' ';
  term += next_folded;
  return kTerms.Has(term);
}

std::size_t KnownPrefix(std::string_view folded) {
  for (std::size_t length = std::min(folded.size(), kUnsegmented.longest()); length > 0; --length) {
    if (kUnsegmented.Has(folded.substr(0, length))) return length;
  }
  return 0;
}

bool IsLabelBefore(std::string_view folded) { return kLabels.Has(folded); }

bool IsIdLabel(std::string_view folded) {
  constexpr auto kIdLabels =
      std::to_array<std::string_view>({"acc",        "accession", "accno",     "accessionnumber",
                                       "casenumber", "id",        "insurance", "medicare",
                                       "mrn",        "nhs",       "patientid", "patid",
                                       "phone",      "pid",       "policy",    "ptid",
                                       "ssn",        "tel",       "telephone", "fax",
                                       "mobile",     "pager",     "zip"});
  return std::find(kIdLabels.begin(), kIdLabels.end(), folded) != kIdLabels.end();
}

}  // namespace dcmveil::engine::clean
