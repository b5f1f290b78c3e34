// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "dcmveil/tag.h"
#include "engine/charset.h"
#include "engine/encoding/read.h"

namespace dcmveil::engine {

/// What an instance says of its own private elements in Private Data Element Characteristics
/// Sequence (0008,0300), PS3.3 C.12.1.1.7.1: which blocks and elements are safe to keep, and what
/// is to be done with the others. Read from the input; immutable afterwards.
class DeclaredPrivate {
 public:
  enum class Answer : std::uint8_t { kNothing, kSafe, kRemove, kEmpty, kDummy, kUid };

  DeclaredPrivate() = default;
  DeclaredPrivate(const ParsedInstance& parsed, const Charset& charset);

  /// `low` is the element's number within its block.
  [[nodiscard]] Answer Find(std::uint16_t group, std::string_view creator, std::uint8_t low) const;

 private:
  using Block = std::pair<std::uint16_t, std::string>;
  std::map<Block, bool> blocks_;  ///< true: the whole block is safe
  std::map<std::pair<Block, std::uint8_t>, Answer> elements_;
};

/// Takes the items out of (0008,0300) whose private block is no longer in the data set, and the
/// sequence with its last item. `charset` is that of the data set.
void TrimDeclarations(Item& data_set, const Charset& charset);

}  // namespace dcmveil::engine
