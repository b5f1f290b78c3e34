// SPDX-License-Identifier: Apache-2.0
//
// Words known to identify nobody. The lists are engine/clean/vocabulary/*.txt.
#pragma once

#include <cstdint>
#include <string_view>

namespace dcmveil::engine::clean {

enum class WordClass : std::uint8_t {
  kUnknown,
  kGeneral,    ///< plain English that is no common name
  kMedical,    ///< a term of the field; a neighbour that speaks for an ambiguous word
  kAmbiguous,  ///< a term that is a name too: "hand", "head", "foot"
};

/// REQUIRES: the word is folded.
[[nodiscard]] WordClass ClassOfWord(std::string_view folded);

/// Whether the two words together are a term although one of them alone may be a name: "white
/// matter", "baker cyst".
[[nodiscard]] bool IsTerm(std::string_view folded, std::string_view next_folded);

/// Length in bytes of the longest known word of an unsegmented script at the start of the folded
/// text; 0 if there is none.
[[nodiscard]] std::size_t KnownPrefix(std::string_view folded);

/// Words that introduce an identifier ("for", "MRN", "referred by") and go with it.
[[nodiscard]] bool IsLabelBefore(std::string_view folded);
/// Labels whose next number is an identifier whatever its length: "MRN", "accession".
[[nodiscard]] bool IsIdLabel(std::string_view folded);

}  // namespace dcmveil::engine::clean
