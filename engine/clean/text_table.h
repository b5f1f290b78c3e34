// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/clean/words.h"

namespace dcmveil::engine::clean {

/// Texts and the roles that each of them has, as bits. All texts lie in one string: a table is made
/// for each instance, and must cost no allocation for each text. Adding serves one thread.
class TextTable {
 public:
  TextTable() : slots_(kFirstSlots) {}

  void Add(std::string_view text, std::uint8_t role) {
    const std::size_t slot = Find(text);
    if (slots_[slot] != 0) {
      entries_[slots_[slot] - 1].roles |= role;
      return;
    }
    entries_.push_back({.begin = bytes_.size(), .size = text.size(), .roles = role});
    bytes_ += text;
    slots_[slot] = static_cast<std::uint32_t>(entries_.size());
    if (entries_.size() * 2 > slots_.size()) Grow();
  }
  [[nodiscard]] bool Has(std::string_view text, std::uint8_t role) const {
    const std::uint32_t number = slots_[Find(text)];
    return number != 0 && (entries_[number - 1].roles & role) != 0;
  }

 private:
  static constexpr std::size_t kFirstSlots = 128;  ///< a power of two
  struct Entry {
    std::size_t begin;
    std::size_t size;
    std::uint8_t roles;
  };

  [[nodiscard]] std::string_view TextOf(std::uint32_t number) const {
    const Entry& entry = entries_[number - 1];
    return std::string_view(bytes_).substr(entry.begin, entry.size);
  }
  /// The text's slot, or the free one where it would stand.
  [[nodiscard]] std::size_t Find(std::string_view text) const {
    std::size_t at = TextHash{}(text) & (slots_.size() - 1);
    while (slots_[at] != 0 && TextOf(slots_[at]) != text) at = (at + 1) & (slots_.size() - 1);
    return at;
  }
  void Grow() {
    slots_.assign(slots_.size() * 2, 0);
    for (std::uint32_t number = 1; number <= entries_.size(); ++number) {
      slots_[Find(TextOf(number))] = number;
    }
  }

  std::string bytes_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> slots_;  ///< numbers of entries from 1; 0: free
};

}  // namespace dcmveil::engine::clean
