// SPDX-License-Identifier: Apache-2.0
//
// The tables of the confidentiality profiles (PS3.15 Annex E), as rules/profiles/*.csv has them.
// The files are compiled in and parsed at the first call; from then on all is constant and may be
// read by any number of threads. What is returned lives as long as the program. A malformed table
// ends the program with its file and line, for it is a mistake of the build and no input's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "dcmveil/tag.h"

namespace dcmveil::rules {

/// The options of PS3.15 E.3.
enum class Option : std::uint8_t {
  kCleanGraphics,
  kCleanStructuredContent,
  kCleanDescriptors,
  kRetainFullDates,
  kRetainModifiedDates,
  kRetainPatientCharacteristics,
  kRetainDeviceIdentity,
  kRetainInstitutionIdentity,
  kRetainUids,
  kRetainSafePrivate,
  kCleanPixelData,
  kCleanRecognizableVisualFeatures,
};
inline constexpr std::size_t kOptionCount = 12;

/// What an instance's De-identification Method Code Sequence tells (PS3.16 CID 7050, scheme DCM).
struct MethodCode {
  std::string_view code;     ///< "113103"
  std::string_view meaning;  ///< "Clean Graphics Option"
  std::string_view section;  ///< of PS3.15: "E.3.3"
};

struct OptionInfo {
  Option option = {};
  std::string_view name;  ///< "clean-graphics"
  MethodCode method;
};

/// All options, in the order of Option.
[[nodiscard]] std::span<const OptionInfo> Options();
[[nodiscard]] const OptionInfo& InfoOf(Option option);
[[nodiscard]] std::optional<Option> OptionFromName(std::string_view name);
/// The method code of the Basic Profile itself.
[[nodiscard]] const MethodCode& BasicMethodCode();

/// The action codes of table E.1-1a.
enum class ProfileCode : std::uint8_t {
  kNone,      ///< the table says nothing
  kX,         ///< remove
  kZ,         ///< zero length, or a dummy
  kD,         ///< a dummy
  kU,         ///< another UID, the same wherever it stands
  kUInItems,  ///< "U*": keep the sequence, kU for the UIDs inside
  kK,         ///< keep; a sequence is kept but its Items are not spared
  kC,         ///< clean
};

/// The code of a cell: one, or a compound such as "X/Z/D", whose choice depends on the attribute's
/// type in the IOD.
struct CodeChoice {
  std::string_view text;  ///< as written in the standard: "X/Z/U*"
  /// Weakest first; kNone after the last.
  std::array<ProfileCode, 3> offered = {};

  [[nodiscard]] bool compound() const { return offered[1] != ProfileCode::kNone; }
  [[nodiscard]] bool offers(ProfileCode code) const;
  /// The one that fits every type.
  [[nodiscard]] ProfileCode strongest() const;
};

/// By Option; kNone where the option does not speak of the row.
using OptionCodes = std::array<ProfileCode, kOptionCount>;

[[nodiscard]] constexpr ProfileCode CodeFor(const OptionCodes& codes, Option option) {
  return codes[static_cast<std::size_t>(option)];
}

/// A row of table E.1-1, or of the layer basic+.
struct ProfileRow {
  /// The row is about the tags with (number & mask) == value.
  std::uint32_t value = 0;
  std::uint32_t mask = 0;
  /// The row about all private elements.
  bool odd_groups = false;
  /// Empty for curves and for private elements.
  std::string_view keyword;
  /// As in PS3.6; empty for curves and for private elements.
  VrSet vrs;
  CodeChoice code;
  OptionCodes by_option = {};

  [[nodiscard]] bool Matches(Tag tag) const { return (tag.number() & mask) == value; }
};

/// Table E.1-1, sorted by value, the row of all private elements last.
[[nodiscard]] std::span<const ProfileRow> BasicRows();
/// What basic+ adds: attributes that E.1-1 does not list. Sorted by value.
[[nodiscard]] std::span<const ProfileRow> PlusRows();

/// A row of table E.3.10-1: (group,xx..element) of a private creator.
struct SafePrivate {
  std::string_view creator;
  std::uint16_t group = 0;
  std::uint8_t element = 0;
  /// Empty where the table gives none. A sequence's Items are still to be judged (E.3.10).
  VrSet vrs;
};
/// Sorted by creator, group and element.
[[nodiscard]] std::span<const SafePrivate> SafePrivateRows();

/// A row of table E.3.4-1: a content item by its concept name and value type.
struct ContentItemRow {
  std::string_view code;        ///< "121022"
  std::string_view scheme;      ///< "DCM"
  std::string_view value_type;  ///< as in Value Type (0040,A040), but PNAME: "TEXT", "DATETIME"
  CodeChoice action;
  OptionCodes by_option = {};
  std::string_view meaning;  ///< not to be matched: meanings change
};
/// Sorted by code, scheme and value type.
[[nodiscard]] std::span<const ContentItemRow> ContentItemRows();

/// The code that an SCT concept of ContentItemRows() has under the retired schemes of SNOMED, which
/// old documents still use (PS3.16 Annex O).
struct RetiredCode {
  std::string_view code;     ///< in SCT: "363698007"
  std::string_view retired;  ///< in RetiredSchemes(): "G-C0E3"
};
/// Sorted by code.
[[nodiscard]] std::span<const RetiredCode> RetiredCodes();
/// The designators SRT, SNM3 and 99SDM, under which the same codes were used.
[[nodiscard]] std::span<const std::string_view> RetiredSchemes();

/// Coding Scheme Designators (PS3.16 chapter 8) under which everybody uses the same codes. Sorted.
[[nodiscard]] std::span<const std::string_view> PublishedSchemes();

/// The type of an attribute in IODs (PS3.5 section 7.4); a condition (1C, 2C) counts as met.
struct TypeRow {
  Tag tag;
  std::string_view keyword;
  /// The sequence whose Items hold the attribute; none at the top level.
  std::optional<Tag> parent;
  int type = 3;  ///< 1, 2 or 3
  /// Sorted. Empty: every known SOP class that no other row of this tag and parent names.
  std::vector<std::string_view> sop_classes;
};
/// Types of the attributes with compound codes. Sorted by tag, then by parent.
[[nodiscard]] std::span<const TypeRow> TypeRows();
/// Attributes that E.1-1 removes (X) though an IOD requires them. Sorted by tag, then by parent.
[[nodiscard]] std::span<const TypeRow> TypeConflicts();

/// The SOP classes whose types are in TypeRows(), sorted.
[[nodiscard]] std::span<const std::string_view> KnownSopClasses();
/// Whether the types of this SOP class are in TypeRows().
[[nodiscard]] bool HasTypes(std::string_view sop_class);
/// 1, 2 or 3; nothing if the SOP class or the place is unknown, in which case only the strongest
/// alternative is sure to keep the instance conformant. Of nested places only the sequence that
/// holds the attribute counts, in any SOP class.
[[nodiscard]] std::optional<int> TypeOf(Tag tag, std::optional<Tag> parent,
                                        std::string_view sop_class);
/// 1 or 2 if removing the attribute breaks the instance, or may break it as its SOP class is
/// unknown; else nothing.
[[nodiscard]] std::optional<int> ConflictTypeOf(Tag tag, std::optional<Tag> parent,
                                                std::string_view sop_class);

/// "DICOM PS3.15 2026d".
[[nodiscard]] std::string_view ProfileEdition();

}  // namespace dcmveil::rules
