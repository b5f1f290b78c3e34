// SPDX-License-Identifier: Apache-2.0
//
// The spellings in which an instance's identifiers are searched, and one pass over bytes that finds
// them all.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "engine/charset.h"
#include "engine/clean/identifiers.h"
#include "engine/guard/named_dates.h"
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
  bool digits = false;     ///< nothing but digits
  bool separated = false;  ///< a date that is one only with separators: "3/19/62"
  bool whole_word = true;  ///< false for scripts that set no blanks between words
  bool may_go_on = false;  ///< a UID: others may be made of it
  /// A year: this day must stand in front of it. Two digits of one have the month's last letter.
  DayOfMonth named = {};
  std::uint32_t next = 0;   ///< another pattern of the same bucket; 0: none
  std::uint32_t begin = 0;  ///< in the bytes of all patterns
  std::uint32_t size = 0;
  std::uint32_t exact = 0;   ///< a UID: as many bytes, behind the folded ones, must be the same
  std::uint64_t ending = 0;  ///< its last bytes, the last one lowest
  std::uint64_t mask = 0;    ///< which of them it has

  /// How many letters and digits are found: a day and its month have about as many as the year.
  [[nodiscard]] std::uint32_t weight() const { return named.month != 0 ? 2 * size : size; }
};

/// A place where all characters of a pattern stand; perhaps inside a longer word.
struct Found {
  const Pattern* pattern = nullptr;
  std::size_t begin = 0;
  std::size_t end = 0;
  bool wide = false;  ///< with NULs between, as in UTF-16
};

/// Texts that identify nobody.
struct Harmless {
  /// Manufacturer and model: institutions and rooms are named like the machines in them.
  const std::vector<std::string>& of_machine;
  const std::vector<std::string>& excepted;  ///< by the rules
};

/// One for each instance, so making one must be cheap. Serves one thread, as the character set
/// does.
class Patterns {
 public:
  Patterns(const std::vector<clean::Identifier>& identifiers, const Retained& retained,
           const Harmless& harmless, const Charset& charset);

  [[nodiscard]] bool empty() const { return patterns_.size() <= 1; }
  /// More identifiers than are searched for: some are not among the patterns.
  [[nodiscard]] bool overflowed() const { return overflowed_; }
  /// Calls `judge(Found)` for every place; stops and returns true when it does.
  template <typename Judge>
  bool Search(std::string_view bytes, Judge&& judge) const;

  /// Whether what was found in a value is a word or number of its own. `found` counts from the
  /// value's first byte.
  [[nodiscard]] bool StandsAlone(std::string_view value, const Found& found) const;

  /// Whether the whole value was retained on purpose.
  [[nodiscard]] bool IsRetained(std::string_view utf8) const;

 private:
  static constexpr std::size_t kShortest = 3;  ///< bytes of the shortest pattern
  static constexpr std::size_t kLong = 8;      ///< patterns of so many bytes are found by as many
  static constexpr unsigned kFilterBits = 15;
  static constexpr unsigned kShortBits = 10;

  /// What a byte is to the search, besides the folded byte itself in the lower half.
  static constexpr std::uint16_t kEnds = 0x0100;       ///< some pattern ends with it
  static constexpr std::uint16_t kStranger = 0x0200;   ///< no pattern has it
  static constexpr std::uint16_t kSeparates = 0x0400;  ///< it folds to nothing

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

  /// A number of so many bits from the last three bytes.
  [[nodiscard]] static std::size_t Hash3(std::uint64_t window, unsigned bits) {
    return ((static_cast<std::uint32_t>(window) & 0xFFFFFFU) * 0x9E3779B1U) >> (32U - bits);
  }
  [[nodiscard]] std::size_t LongBucket(std::uint64_t window) const {
    return static_cast<std::size_t>((window * 0x9E3779B97F4A7C15U) >> 32U) & (long_.size() - 1);
  }
  [[nodiscard]] std::uint32_t& BucketOf(const Pattern& pattern);
  [[nodiscard]] std::optional<std::string> InOwnCharset(std::string_view utf8) const;
  void LearnBytes();
  void Grow();
  /// Whether the pattern ends at bytes[last].
  [[nodiscard]] bool EndsAt(const Pattern& pattern, std::string_view bytes, std::size_t last,
                            Found& found) const;
  /// Whether the day and the name of its month stand in front of a year; they belong to it then.
  [[nodiscard]] bool TakeDayInFront(std::string_view bytes, Found& found) const;
  [[nodiscard]] const std::vector<std::string>& NamesInOwnCharset(std::uint8_t month) const;

  const Charset& charset_;
  /// Names of months in that character set, once they are asked for.
  mutable std::array<std::optional<std::vector<std::string>>, 12> own_months_;
  std::unordered_set<std::string, clean::TextHash, std::equal_to<>> exempt_;
  std::unordered_set<std::string, clean::TextHash, std::equal_to<>> machine_;
  std::string bytes_;              ///< of all patterns, folded
  std::vector<Pattern> patterns_;  ///< [0] is none
  std::array<std::uint16_t, 256> meanings_{};
  // Most bytes end no pattern, and the filter says so at once. Behind it lie two tables: one by
  // three bytes for short patterns, and one that grows for long ones. Instances with thousands of
  // UIDs would make long chains in the first.
  std::array<std::uint64_t, (std::size_t{1} << kFilterBits) / 64> filter_{};
  std::array<std::uint32_t, std::size_t{1} << kShortBits> short_{};
  std::vector<std::uint32_t> long_;
  std::size_t long_count_ = 0;
  bool overflowed_ = false;
};

template <typename Judge>
bool Patterns::Search(std::string_view bytes, Judge&& judge) const {
  if (empty()) return false;
  std::uint64_t window = 0;
  const auto try_all = [&](std::uint32_t at, std::size_t last) {
    for (; at != 0; at = patterns_[at].next) {
      const Pattern& pattern = patterns_[at];
      if (((window ^ pattern.ending) & pattern.mask) != 0) continue;
      Found found;
      if (EndsAt(pattern, bytes, last, found) && judge(found)) return true;
    }
    return false;
  };
  const auto meaning = [&](std::size_t at) {
    return meanings_[static_cast<unsigned char>(bytes[at])];
  };
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::uint16_t here = meaning(i);
    if (here >= kStranger) {
      if (here == kSeparates) continue;
      // Between two strangers no pattern has room unless there are as many bytes as the shortest
      // has. That is what makes most of binary data cheap.
      while (i + kShortest < bytes.size() && meaning(i + kShortest) == kStranger) i += kShortest;
      continue;
    }
    window = (window << 8U) | (here & 0xFFU);
    if ((here & kEnds) == 0) continue;
    const std::size_t bit = Hash3(window, kFilterBits);
    if (((filter_[bit / 64] >> (bit % 64)) & 1U) == 0) continue;
    if (try_all(short_[Hash3(window, kShortBits)], i)) return true;
    if (try_all(long_[LongBucket(window)], i)) return true;
  }
  return false;
}

}  // namespace dcmveil::engine::guard
