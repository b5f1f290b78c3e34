// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "dcmveil/tag.h"

namespace dcmveil {

/// What the standard registers: attributes (PS3.6, PS3.7) and UIDs (PS3.6 Annex A, PS3.16 8-1).
/// Everything here is constant. All functions may be called by any number of threads; what they
/// return lives as long as the program. None of them throws, but for want of memory where noted.

/// One row of the data dictionary.
struct Attribute {
  /// The lowest tag of the row.
  Tag tag;
  /// All ones, but for repeating groups: tag T is of this row if T.number() & mask == tag.number().
  std::uint32_t mask = 0xFFFFFFFFU;
  /// As in PS3.6, never empty: "PatientID". Unique in the table.
  std::string_view keyword;
  /// Never empty; several where PS3.6 says "US or SS".
  VrSet vrs;
};

/// The whole dictionary, sorted by tag; of two rows with the same tag the exact one comes first.
[[nodiscard]] std::span<const Attribute> AllAttributes();

/// The row of a tag: an exact one if there is one, or else a repeating group's: (6002,3000) is
/// OverlayData. Null for private and unknown tags, and for all group lengths but the two that the
/// standard names, (0000,0000) and (0002,0000). No allocation, O(1).
[[nodiscard]] const Attribute* FindAttribute(Tag tag);

/// The row of a keyword, spelled exactly. Null if there is none. No allocation, O(1), but for the
/// first call, which looks at every row.
[[nodiscard]] const Attribute* FindKeyword(std::string_view keyword);

/// The word of `choices` that a mistyped `word` most likely means. Upper and lower case count as
/// the same. The nearest choice wins, the first of several in alphabetical order; it differs by at
/// most max(2, length / 4) insertions, deletions, replacements and swaps of neighbours, and by
/// fewer than `word` has characters. Nothing if no choice is that near. For error messages only: it
/// allocates and looks at every choice.
[[nodiscard]] std::optional<std::string> NearestWord(std::string_view word,
                                                     std::span<const std::string_view> choices);

/// NearestWord among all keywords.
[[nodiscard]] std::optional<std::string_view> NearestKeyword(std::string_view word);

/// True if DICOM itself gave this UID to something: a SOP class, a transfer syntax, a well-known
/// instance or frame of reference, a coding scheme. Such a UID identifies nobody, and replacing it
/// breaks the instance. The UID must come without padding. No allocation, O(log n).
[[nodiscard]] bool IsRegisteredUid(std::string_view uid);

/// "Verification SOP Class" for "1.2.840.10008.1.1"; empty if the UID is not registered.
/// "(Retired)" is part of a retired UID's name. No allocation, O(log n).
[[nodiscard]] std::string_view UidName(std::string_view uid);

/// The UID of a registered name or PS3.6 keyword. Only letters and digits count, and case does not:
/// "EncapsulatedPDFStorage" and "Encapsulated PDF Storage" are the same. Keywords go before names,
/// so that "UltrasoundImageStorage" is the class in use, not the retired one. No allocation, but it
/// looks at every row: for rule files, not for elements.
[[nodiscard]] std::optional<std::string_view> UidFromName(std::string_view name);

}  // namespace dcmveil
