// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "dcmveil/error.h"

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
[[nodiscard]] DCMVEIL_API std::string ToString(Tag tag);

/// The value representations of PS3.5 section 6.2, in alphabetical order.
enum class Vr : std::uint8_t {
  AE,
  AS,
  AT,
  CS,
  DA,
  DS,
  DT,
  FD,
  FL,
  IS,
  LO,
  LT,
  OB,
  OD,
  OF,
  OL,
  OV,
  OW,
  PN,
  SH,
  SL,
  SQ,
  SS,
  ST,
  SV,
  TM,
  UC,
  UI,
  UL,
  UN,
  UR,
  US,
  UT,
  UV,
};
inline constexpr int kVrCount = 34;

/// A set of VRs; a dictionary entry may allow several ("US or SS").
class VrSet {
 public:
  constexpr VrSet() = default;
  constexpr VrSet(Vr vr) : bits_(Bit(vr)) {}  // NOLINT(google-explicit-constructor)
  constexpr VrSet(std::initializer_list<Vr> list) {
    for (const Vr vr : list) bits_ |= Bit(vr);
  }
  [[nodiscard]] constexpr bool contains(Vr vr) const { return (bits_ & Bit(vr)) != 0; }
  [[nodiscard]] constexpr bool intersects(VrSet other) const { return (bits_ & other.bits_) != 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  [[nodiscard]] constexpr VrSet operator|(VrSet other) const {
    return FromBits(bits_ | other.bits_);
  }
  [[nodiscard]] constexpr VrSet operator&(VrSet other) const {
    return FromBits(bits_ & other.bits_);
  }
  [[nodiscard]] constexpr VrSet operator-(VrSet other) const {
    return FromBits(bits_ & ~other.bits_);
  }
  constexpr VrSet& operator|=(VrSet other) {
    bits_ |= other.bits_;
    return *this;
  }
  constexpr bool operator==(const VrSet&) const = default;
  /// The alphabetically first VR of the set. REQUIRES: not empty.
  [[nodiscard]] DCMVEIL_API Vr first() const;

 private:
  static constexpr std::uint64_t Bit(Vr vr) {
    return std::uint64_t{1} << static_cast<unsigned>(vr);
  }
  static constexpr VrSet FromBits(std::uint64_t bits) {
    VrSet s;
    s.bits_ = bits;
    return s;
  }
  std::uint64_t bits_ = 0;
};

/// Character strings whose bytes are in the instance's Specific Character Set (PS3.5 6.1.2.2).
inline constexpr VrSet kCharsetVrs{Vr::LO, Vr::LT, Vr::PN, Vr::SH, Vr::ST, Vr::UC, Vr::UT};
/// All VRs whose value field is characters.
inline constexpr VrSet kTextVrs{Vr::AE, Vr::AS, Vr::CS, Vr::DA, Vr::DS, Vr::DT,
                                Vr::IS, Vr::LO, Vr::LT, Vr::PN, Vr::SH, Vr::ST,
                                Vr::TM, Vr::UC, Vr::UI, Vr::UR, Vr::UT};
/// Text VRs in which a backslash does not separate values.
inline constexpr VrSet kSingleTextVrs{Vr::LT, Vr::ST, Vr::UR, Vr::UT};
/// Fixed-size binary numbers, one or several per value field.
inline constexpr VrSet kNumberVrs{Vr::FD, Vr::FL, Vr::SL, Vr::SS, Vr::SV, Vr::UL, Vr::US, Vr::UV};
/// Binary arrays and bytes of unstated content.
inline constexpr VrSet kBulkVrs{Vr::OB, Vr::OD, Vr::OF, Vr::OL, Vr::OV, Vr::OW, Vr::UN};
inline constexpr VrSet kAllVrs = kTextVrs | kNumberVrs | kBulkVrs | VrSet{Vr::AT, Vr::SQ};

/// "PN".
[[nodiscard]] DCMVEIL_API std::string_view ToString(Vr vr);
/// "US or SS".
[[nodiscard]] DCMVEIL_API std::string ToString(VrSet vrs);
/// Exactly two capitals; nothing otherwise.
[[nodiscard]] DCMVEIL_API std::optional<Vr> VrFromString(std::string_view text);

/// Room in one value of this VR, in characters (PS3.5 table 6.2-1); 0 where none is set (UC, UR,
/// UT and all binary VRs). For PN it is the room of one component group.
[[nodiscard]] DCMVEIL_API int MaxLength(Vr vr);

}  // namespace dcmveil

template <>
struct std::hash<dcmveil::Tag> {
  std::size_t operator()(dcmveil::Tag tag) const noexcept {
    return std::hash<std::uint32_t>{}(tag.number());
  }
};
