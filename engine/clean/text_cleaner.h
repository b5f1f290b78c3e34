// SPDX-License-Identifier: Apache-2.0
//
// Cuts identifiers out of free text and keeps the rest (PS3.15 E.3.5 Clean Descriptors).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>

#include "engine/clean/identifiers.h"
#include "engine/clean/words.h"

namespace dcmveil::engine::clean {

enum class Strictness : std::uint8_t {
  kIdentifiers,  ///< the instance's own identifiers and UIDs go
  kPatterns,     ///< and what looks like an identifier: dates, numbers, addresses, titled names
  kStrict,       ///< and every word that the vocabulary does not know
};

/// Immutable; all threads share it.
class TextCleaner {
 public:
  using Words = std::unordered_set<std::string, TextHash, std::equal_to<>>;

  /// `keep` are further safe words, folded; they serve kStrict only.
  explicit TextCleaner(Strictness strictness, Words keep = {})
      : strictness_(strictness), keep_(std::move(keep)) {}

  /// One value without padding. What goes takes along the words that introduce it ("for", "MRN")
  /// and its separators; if nothing goes, the text comes back byte by byte.
  [[nodiscard]] std::string Clean(std::string_view utf8, const Identifiers& identifiers) const;

 private:
  Strictness strictness_;
  Words keep_;
};

}  // namespace dcmveil::engine::clean
