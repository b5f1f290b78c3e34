// SPDX-License-Identifier: Apache-2.0
//
// Finds the identifiers of one instance among the words of a text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/clean/identifiers.h"
#include "engine/clean/text_table.h"
#include "engine/clean/words.h"

namespace dcmveil::engine::clean {

/// Name components that name nobody. REQUIRES: the word is folded.
[[nodiscard]] bool IsNameParticle(std::string_view folded);  ///< particles and degrees
[[nodiscard]] bool NamesNobody(std::string_view folded);     ///< stands for a missing name

/// Immutable. Case, diacritics, separators and the order of name parts do not count.
class Matcher {
 public:
  explicit Matcher(const std::vector<Identifier>& identifiers);

  /// How many words from `first` on are an identifier: a name part, an ID with or without
  /// separators, a phrase such as an institution. 0: none.
  [[nodiscard]] std::size_t WordsOfIdentifier(std::string_view text, const std::vector<Word>& words,
                                              std::size_t first) const;
  /// Whether the word is part of a name only next to other parts of it: initials, "de la", "Li".
  [[nodiscard]] bool IsWeakPart(std::string_view folded) const { return texts_.Has(folded, kWeak); }
  /// Bytes of a name at the start of folded text of an unsegmented script; 0: none.
  [[nodiscard]] std::size_t NamePrefix(std::string_view folded) const;
  /// Whether a day (YYYYMMDD) is one of the instance's dates.
  [[nodiscard]] bool IsDate(std::string_view yyyymmdd) const { return texts_.Has(yyyymmdd, kDate); }

 private:
  static constexpr std::uint8_t kWord = 1;  ///< single words that go wherever they stand
  static constexpr std::uint8_t kWeak = 2;  ///< only next to a part that went
  static constexpr std::uint8_t kSpan = 4;  ///< compact forms that may be written in several words
  static constexpr std::uint8_t kDate = 8;  ///< YYYYMMDD

  [[nodiscard]] std::size_t WordsOfSpacedName(std::string_view text, const std::vector<Word>& words,
                                              std::size_t first) const;
  [[nodiscard]] bool EndsWithId(std::string_view folded) const;

  void AddName(std::string_view name);
  void AddUnsegmentedName(std::string_view group);
  void AddNameGroup(std::string_view group);
  void AddStrongWord(std::string_view folded);
  void AddSpelling(std::string_view spelling, std::vector<std::string>& parts);
  void AddId(std::string_view id, std::size_t shortest);
  void AddTelephone(std::string_view number);
  void AddPhrase(std::string_view phrase);
  void AddDate(std::string_view date);
  void AddSpan(std::string_view compact);

  TextTable texts_;
  std::vector<std::string> stems_;        ///< names that may be inside longer words
  std::vector<std::string> unsegmented_;  ///< longest first
  std::size_t longest_span_ = 0;
};

}  // namespace dcmveil::engine::clean
