// SPDX-License-Identifier: Apache-2.0
#include "engine/private_dictionary.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace dcmveil::engine {
namespace {

struct Row {
  std::string_view creator;
  std::uint16_t low_group;
  std::uint16_t high_group;
  std::uint8_t low_element;  ///< its place in the block
  std::uint8_t high_element;
  Vr vr;
};

// By creator. Written by list_private while building.
// NOLINTNEXTLINE(modernize-avoid-c-arrays): counted by the compiler
constexpr Row kRows[] = {
#include "private_dictionary.inc"
};

}  // namespace

std::optional<Vr> PrivateVr(Tag tag, std::string_view creator) {
  struct ByCreator {
    bool operator()(const Row& row, std::string_view name) const { return row.creator < name; }
    bool operator()(std::string_view name, const Row& row) const { return name < row.creator; }
  };
  const auto [begin, end] =
      std::equal_range(std::begin(kRows), std::end(kRows), creator, ByCreator{});
  const auto place = static_cast<std::uint8_t>(tag.element & 0xFFU);
  const auto* const row = std::find_if(begin, end, [&](const Row& candidate) {
    return candidate.low_group <= tag.group && tag.group <= candidate.high_group &&
           candidate.low_element <= place && place <= candidate.high_element;
  });
  return row == end ? std::nullopt : std::optional(row->vr);
}

}  // namespace dcmveil::engine
