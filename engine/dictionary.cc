// SPDX-License-Identifier: Apache-2.0
#include "engine/dictionary.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

namespace dcmveil {
namespace {

using enum Vr;

#define DCMVEIL_ATTRIBUTE(tag, mask, keyword, ...) \
  Attribute{Tag{tag}, mask, keyword, VrSet{__VA_ARGS__}},
constexpr auto kAttributes = std::to_array<Attribute>({
#include "engine/tables/attributes.inc"
});
#undef DCMVEIL_ATTRIBUTE

struct RegisteredUid {
  std::string_view uid;
  std::string_view name;
  std::string_view keyword;
};

#define DCMVEIL_UID(uid, name, keyword) RegisteredUid{uid, name, keyword},
constexpr auto kUids = std::to_array<RegisteredUid>({
#include "engine/tables/registered_uids.inc"
});
#undef DCMVEIL_UID

constexpr std::uint32_t kExact = 0xFFFFFFFFU;

// By tag, and by mask downwards: an exact row precedes a repeating one that starts at its tag.
constexpr bool Precedes(const Attribute& row, std::uint32_t number, std::uint32_t mask) {
  if (row.tag.number() != number) return row.tag.number() < number;
  return row.mask > mask;
}

constexpr bool AttributesAreSorted() {
  for (std::size_t i = 1; i < kAttributes.size(); ++i) {
    if (!Precedes(kAttributes[i - 1], kAttributes[i].tag.number(), kAttributes[i].mask)) {
      return false;
    }
  }
  return true;
}
static_assert(AttributesAreSorted());

constexpr bool UidsAreSorted() {
  for (std::size_t i = 1; i < kUids.size(); ++i) {
    if (kUids[i - 1].uid >= kUids[i].uid) return false;
  }
  return true;
}
static_assert(UidsAreSorted());

constexpr std::size_t kMaxMasks = 16;

// The few masks of the repeating groups, the most specific first; zeros fill the rest.
constexpr std::array<std::uint32_t, kMaxMasks> RepeatingMasks() {
  std::array<std::uint32_t, kMaxMasks> masks{};
  std::size_t count = 0;
  for (const Attribute& row : kAttributes) {
    if (row.mask == kExact) continue;
    bool known = false;
    for (std::size_t i = 0; i < count; ++i) known = known || masks[i] == row.mask;
    if (!known) masks[count++] = row.mask;  // Too many fail to compile: out of bounds.
  }
  std::sort(masks.begin(), masks.end(), [](std::uint32_t a, std::uint32_t b) {
    return std::pair(std::popcount(a), a) > std::pair(std::popcount(b), b);
  });
  return masks;
}
constexpr auto kRepeatingMasks = RepeatingMasks();

const Attribute* FindRepeating(std::uint32_t number, std::uint32_t mask) {
  const auto* const it = std::lower_bound(
      kAttributes.begin(), kAttributes.end(), number,
      [mask](const Attribute& row, std::uint32_t wanted) { return Precedes(row, wanted, mask); });
  if (it == kAttributes.end() || it->tag.number() != number || it->mask != mask) return nullptr;
  return it;
}

// The exact rows by a hash of their tags: several look-ups for each element of each instance.
constexpr std::size_t kSlots = 16384;
constexpr std::uint16_t kNoRow = std::numeric_limits<std::uint16_t>::max();
static_assert(kAttributes.size() < kNoRow && kAttributes.size() < kSlots / 2);

constexpr std::size_t SlotOf(std::uint32_t number) {
  return (number * 0x9E3779B1U) >> 18U;  // Knuth's multiplicative hashing, 14 bits
}

constexpr auto kByTag = [] {
  std::array<std::uint16_t, kSlots> slots{};
  slots.fill(kNoRow);
  for (std::size_t i = 0; i < kAttributes.size(); ++i) {
    if (kAttributes[i].mask != kExact) continue;
    std::size_t at = SlotOf(kAttributes[i].tag.number());
    while (slots[at] != kNoRow) at = (at + 1) % kSlots;
    slots[at] = static_cast<std::uint16_t>(i);
  }
  return slots;
}();

const Attribute* FindExact(Tag tag) {
  for (std::size_t at = SlotOf(tag.number()); kByTag[at] != kNoRow; at = (at + 1) % kSlots) {
    const Attribute& row = kAttributes[kByTag[at]];
    if (row.tag == tag) return &row;
  }
  return nullptr;
}

// By keyword in the same way. Made at first use: so many characters are beyond clang's limit for
// constant expressions.
class KeywordIndex {
 public:
  KeywordIndex() {
    slots_.fill(kNoRow);
    for (std::size_t i = 0; i < kAttributes.size(); ++i) {
      std::size_t at = First(kAttributes[i].keyword);
      while (slots_[at] != kNoRow) at = (at + 1) % kSlots;
      slots_[at] = static_cast<std::uint16_t>(i);
    }
  }

  [[nodiscard]] const Attribute* Find(std::string_view keyword) const {
    for (std::size_t at = First(keyword); slots_[at] != kNoRow; at = (at + 1) % kSlots) {
      const Attribute& row = kAttributes[slots_[at]];
      if (row.keyword == keyword) return &row;
    }
    return nullptr;
  }

 private:
  static std::size_t First(std::string_view keyword) {
    return std::hash<std::string_view>{}(keyword) % kSlots;
  }
  std::array<std::uint16_t, kSlots> slots_{};
};

const RegisteredUid* FindUid(std::string_view uid) {
  const auto* const it = std::lower_bound(
      kUids.begin(), kUids.end(), uid,
      [](const RegisteredUid& row, std::string_view wanted) { return row.uid < wanted; });
  return it != kUids.end() && it->uid == uid ? it : nullptr;
}

// The C functions for these ask the locale.
constexpr char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
constexpr bool IsLetterOrDigit(char c) {
  return (Lower(c) >= 'a' && Lower(c) <= 'z') || (c >= '0' && c <= '9');
}

bool SameSpelling(std::string_view a, std::string_view b) {
  std::size_t i = 0;
  std::size_t j = 0;
  while (true) {
    while (i < a.size() && !IsLetterOrDigit(a[i])) ++i;
    while (j < b.size() && !IsLetterOrDigit(b[j])) ++j;
    if (i == a.size() || j == b.size()) return i == a.size() && j == b.size();
    if (Lower(a[i++]) != Lower(b[j++])) return false;
  }
}

// Edit distance without regard to case, a swap of neighbours counted as one edit (the "optimal
// string alignment" form of Damerau and Levenshtein). Stops, with limit + 1, once past `limit`.
class EditDistance {
 public:
  explicit EditDistance(std::string_view word) : word_(word) {
    for (auto& row : rows_) row.resize(word.size() + 1);
  }

  std::size_t To(std::string_view other, std::size_t limit) {
    const std::size_t shorter = std::min(word_.size(), other.size());
    if (std::max(word_.size(), other.size()) - shorter > limit) return limit + 1;
    for (std::size_t j = 0; j <= word_.size(); ++j) rows_[0][j] = j;
    for (std::size_t i = 1; i <= other.size(); ++i) {
      const std::vector<std::size_t>& before = rows_[(i + 1) % 3];
      const std::vector<std::size_t>& last = rows_[(i + 2) % 3];
      std::vector<std::size_t>& row = rows_[i % 3];
      row[0] = i;
      std::size_t best = i;
      for (std::size_t j = 1; j <= word_.size(); ++j) {
        const bool same = Lower(other[i - 1]) == Lower(word_[j - 1]);
        row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0U : 1U)});
        if (i > 1 && j > 1 && Lower(other[i - 1]) == Lower(word_[j - 2]) &&
            Lower(other[i - 2]) == Lower(word_[j - 1])) {
          row[j] = std::min(row[j], before[j - 2] + 1);
        }
        best = std::min(best, row[j]);
      }
      // No later row has less: a swap adds one to the row before last, whose best is at least
      // limit.
      if (best > limit) return limit + 1;
    }
    return std::min(rows_[other.size() % 3][word_.size()], limit + 1);
  }

 private:
  std::string_view word_;
  std::array<std::vector<std::size_t>, 3> rows_;
};

// The nearest of `count` choices, as NearestWord promises; `count` if none is near.
template <typename Choice>
std::size_t Nearest(std::string_view word, std::size_t count, Choice choice) {
  if (word.empty()) return count;
  EditDistance distance(word);
  std::size_t limit = std::min(std::max<std::size_t>(2, word.size() / 4), word.size() - 1);
  std::size_t found = count;
  std::size_t found_distance = limit + 1;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t d = distance.To(choice(i), limit);
    if (d > limit) continue;
    if (d < found_distance || choice(i) < choice(found)) {
      found = i;
      found_distance = d;
      limit = d;
    }
  }
  return found;
}

}  // namespace

std::span<const Attribute> AllAttributes() { return kAttributes; }

const Attribute* FindAttribute(Tag tag) {
  if (tag.is_private()) return nullptr;
  if (const Attribute* const row = FindExact(tag)) return row;
  if (tag.is_group_length()) return nullptr;
  for (const std::uint32_t mask : kRepeatingMasks) {
    if (mask == 0) break;
    if (const Attribute* const row = FindRepeating(tag.number() & mask, mask)) return row;
  }
  return nullptr;
}

const Attribute* FindKeyword(std::string_view keyword) {
  static const KeywordIndex index;
  return index.Find(keyword);
}

std::optional<std::string> NearestWord(std::string_view word,
                                       std::span<const std::string_view> choices) {
  const std::size_t i =
      Nearest(word, choices.size(), [choices](std::size_t at) { return choices[at]; });
  if (i == choices.size()) return std::nullopt;
  return std::string(choices[i]);
}

std::optional<std::string_view> NearestKeyword(std::string_view word) {
  const std::size_t i =
      Nearest(word, kAttributes.size(), [](std::size_t at) { return kAttributes[at].keyword; });
  if (i == kAttributes.size()) return std::nullopt;
  return kAttributes[i].keyword;
}

bool IsRegisteredUid(std::string_view uid) { return FindUid(uid) != nullptr; }

std::string_view UidName(std::string_view uid) {
  const RegisteredUid* const row = FindUid(uid);
  return row == nullptr ? std::string_view() : row->name;
}

std::optional<std::string_view> UidFromName(std::string_view name) {
  if (std::none_of(name.begin(), name.end(), IsLetterOrDigit)) return std::nullopt;
  for (const auto column : {&RegisteredUid::keyword, &RegisteredUid::name}) {
    for (const RegisteredUid& row : kUids) {
      if (SameSpelling(row.*column, name)) return row.uid;
    }
  }
  return std::nullopt;
}

}  // namespace dcmveil
