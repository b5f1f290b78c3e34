// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace dcmveil {

/// A DICOM tag: group and element number (PS3.5 section 7.1). A value; all threads may share it.
struct Tag {
  std::uint16_t group = 0;
  std::uint16_t element = 0;

  constexpr Tag() = default;
  constexpr Tag(std::uint16_t g, std::uint16_t e) : group(g), element(e) {}
  /// From the 32-bit number gggg'eeee.
  constexpr explicit Tag(std::uint32_t number)
      : group(static_cast<std::uint16_t>(number >> 16U)),
        element(static_cast<std::uint16_t>(number & 0xFFFFU)) {}

  [[nodiscard]] constexpr std::uint32_t number() const {
    return (static_cast<std::uint32_t>(group) << 16U) | element;
  }
  /// True for odd groups that may hold private elements; 0001, 0003, 0005, 0007 and FFFF are
  /// odd but illegal (PS3.5 section 7.8), and count as private here: nothing in them is standard.
  [[nodiscard]] constexpr bool is_private() const { return (group & 1U) != 0; }
  /// True for (gggg,0010-00FF) with gggg odd: the element holds a private creator.
  [[nodiscard]] constexpr bool is_private_creator() const {
    return is_private() && element >= 0x0010 && element <= 0x00FF;
  }
  /// True for (gggg,0000).
  [[nodiscard]] constexpr bool is_group_length() const { return element == 0; }

  constexpr auto operator<=>(const Tag&) const = default;
};

/// "(0010,0020)", upper-case hexadecimal.
[[nodiscard]] std::string ToString(Tag tag);

}  // namespace dcmveil

template <>
struct std::hash<dcmveil::Tag> {
  std::size_t operator()(dcmveil::Tag tag) const noexcept {
    return std::hash<std::uint32_t>{}(tag.number());
  }
};
