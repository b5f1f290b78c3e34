// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "dcmveil/tag.h"
#include "engine/data_set.h"

namespace dcmveil::engine {

/// Which private creator reserved which block of one data set or item (PS3.5 section 7.8.1).
/// Reservations count for the item they stand in only.
class PrivateBlocks {
 public:
  /// Notes the creator element (gggg,00bb). The first of two wins.
  void Reserve(Tag tag, const DataElement& creator) {
    const std::string_view text = creator.value();
    std::string_view trimmed = TrimPadding(text.substr(0, text.find('\0')));
    trimmed.remove_prefix(std::min(trimmed.find_first_not_of(' '), trimmed.size()));
    creators_.try_emplace(Key(tag.group, tag.element), trimmed);
  }
  /// Empty for standard elements, creators themselves and elements in blocks that nobody reserved.
  [[nodiscard]] std::string_view CreatorOf(Tag tag) const {
    if (!tag.is_private() || tag.element < 0x1000) return {};
    const auto it = creators_.find(Key(tag.group, static_cast<std::uint16_t>(tag.element >> 8U)));
    return it == creators_.end() ? std::string_view() : std::string_view(it->second);
  }

  /// What the creator element with that tag says, cut at a NUL and trimmed.
  [[nodiscard]] std::string_view CreatorAt(Tag creator) const {
    const auto it = creators_.find(Key(creator.group, creator.element));
    return it == creators_.end() ? std::string_view() : std::string_view(it->second);
  }

 private:
  static std::uint32_t Key(std::uint16_t group, std::uint16_t block) {
    return (static_cast<std::uint32_t>(group) << 16U) | block;
  }
  std::map<std::uint32_t, std::string> creators_;
};

}  // namespace dcmveil::engine
