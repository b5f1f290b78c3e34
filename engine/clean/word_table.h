// SPDX-License-Identifier: Apache-2.0
//
// Words and the class of each in tables that are made while building.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "engine/clean/vocabulary.h"

namespace dcmveil::engine::clean {

/// FNV-1a: short, and the same in the program that makes the tables and in the one that reads them.
constexpr std::uint32_t HashOfWord(std::string_view word) {
  std::uint32_t hash = 0x811C9DC5U;
  for (const char c : word) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x01000193U;
  }
  return hash ^ (hash >> 15U);
}

struct WordSlot {
  static constexpr std::size_t kLongest = 255;  ///< bytes of a word
  std::uint16_t begin = 0;                      ///< in its chunk
  std::uint8_t chunk = 0;
  std::uint8_t size = 0;  ///< 0: the slot is free
  WordClass kind = WordClass::kUnknown;
};

/// An open hash table that is at most two thirds full.
class WordTable {
 public:
  constexpr WordTable(std::span<const WordSlot> slots, std::span<const std::string_view> chunks,
                      std::size_t longest)
      : slots_(slots), chunks_(chunks), longest_(longest) {}

  /// kUnknown if it is not there.
  [[nodiscard]] WordClass Get(std::string_view word) const {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = HashOfWord(word) & mask; slots_[at].size > 0; at = (at + 1) & mask) {
      const WordSlot& slot = slots_[at];
      if (slot.size == word.size() && chunks_[slot.chunk].substr(slot.begin, slot.size) == word) {
        return slot.kind;
      }
    }
    return WordClass::kUnknown;
  }
  [[nodiscard]] bool Has(std::string_view word) const { return Get(word) != WordClass::kUnknown; }
  [[nodiscard]] std::size_t longest() const { return longest_; }  ///< word, in bytes

 private:
  std::span<const WordSlot> slots_;
  std::span<const std::string_view> chunks_;
  std::size_t longest_;
};

}  // namespace dcmveil::engine::clean
