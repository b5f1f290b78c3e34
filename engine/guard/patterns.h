// SPDX-License-Identifier: Apache-2.0
//
// The spellings in which an instance's identifiers are searched, and one pass over bytes that finds
// them all.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "engine/charset.h"
#include "engine/clean/identifiers.h"
#include "engine/guard/retained.h"

namespace dcmveil::engine::guard {

/// What may stand between the characters of an identifier. NULs may in every spelling: that is
/// what makes UTF-16 of Latin text.
enum class Gaps : std::uint8_t {
  kNone,    ///< one word
  kDashes,  ///< numbers: "4711-0815"; not "1.25"
  kAny,     ///< blanks and punctuation
};

struct Pattern {
  clean::IdentifierKind kind;
  Gaps gaps = Gaps::kNone;
  bool digits = false;      ///< nothing but digits
  bool separated = false;   ///< a date that is one only with separators: "3/19/62"
  bool whole_word = true;   ///< false for scripts that set no blanks between words
  std::uint32_t next = 0;   ///< another pattern with the same ending; 0: none
  std::uint32_t begin = 0;  ///< in the bytes of all patterns
  std::uint32_t size = 0;
  std::uint32_t exact = 0;  ///< a UID: as many bytes, behind the folded ones, must be the same
};

/// A place where all characters of a pattern stand; perhaps inside a longer word.
struct Found {
  const Pattern* pattern = nullptr;
  std::size_t begin = 0;
  std::size_t end = 0;
  bool wide = false;  ///< with NULs between, as in UTF-16
};

/// Immutable. One for each instance, so making one must be cheap.
class Patterns {
 public:
  /// `about` are descriptions of the instance that identify nobody, such as the manufacturer: an
  /// identifier that is no more than that is not searched.
  Patterns(const std::vector<clean::Identifier>& identifiers, const Retained& retained,
           const std::vector<std::string>& about, const Charset& charset);

  [[nodiscard]] bool empty() const { return patterns_.size() <= 1; }
  /// Calls `judge(Found)` for every place; stops and returns true when it does.
  template <typename Judge>
  bool Search(std::string_view bytes, Judge&& judge) const;

  /// Whether what was found in a value is a word or number of its own. `found` counts from the
  /// value's first byte.
  [[nodiscard]] bool StandsAlone(std::string_view value, const Found& found) const;

  /// Whether the whole value was retained on purpose.
  [[nodiscard]] bool IsRetained(std::string_view utf8) const;

  /// A byte as it is compared: letters in lower case; 0 for NUL and what separates words.
  static const std::array<unsigned char, 256>& Folding();

 private:
  static constexpr std::size_t kHeads = 4096;
  static constexpr std::size_t kEnding = 3;

  struct Spelling;
  void Add(Spelling spelling);
  void AddText(const Spelling& spelling, std::string_view utf8);
  void AddName(std::string_view name);
  void AddWord(std::string_view word, std::size_t shortest);
  void AddId(clean::IdentifierKind kind, std::string_view id, std::size_t shortest);
  void AddPhrase(clean::IdentifierKind kind, std::string_view phrase);
  void AddDate(std::string_view date);
  void AddUid(std::string_view uid);
  void Exempt(const clean::Identifier& identifier);

  [[nodiscard]] static std::size_t HeadOf(std::uint32_t ending) {
    return ((ending & 0xFFFFFFU) * 0x9E3779B1U) >> 20U;
  }
  /// Whether the pattern ends at bytes[last].
  [[nodiscard]] bool EndsAt(const Pattern& pattern, std::string_view bytes, std::size_t last,
                            Found& found) const;

  const Charset& charset_;  ///< while being made
  std::unordered_set<std::string, clean::TextHash, std::equal_to<>> exempt_;
  std::string bytes_;              ///< of all patterns, folded
  std::vector<Pattern> patterns_;  ///< [0] is none
  std::array<std::uint32_t, kHeads> heads_{};
};

template <typename Judge>
bool Patterns::Search(std::string_view bytes, Judge&& judge) const {
  if (empty()) return false;
  const std::array<unsigned char, 256>& folding = Folding();
  std::uint32_t ending = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const unsigned char folded = folding[static_cast<unsigned char>(bytes[i])];
    if (folded == 0) continue;
    ending = (ending << 8U) | folded;
    for (std::uint32_t at = heads_[HeadOf(ending)]; at != 0; at = patterns_[at].next) {
      Found found;
      if (EndsAt(patterns_[at], bytes, i, found) && judge(found)) return true;
    }
  }
  return false;
}

}  // namespace dcmveil::engine::guard
