// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "engine/action.h"
#include "engine/value.h"

namespace dcmveil::engine {

/// The VRs for which a digest has a form.
inline constexpr VrSet kDigestVrs{Vr::AE, Vr::CS, Vr::DS, Vr::IS, Vr::LO, Vr::LT, Vr::OB, Vr::PN,
                                  Vr::SH, Vr::ST, Vr::UC, Vr::UI, Vr::UN, Vr::UR, Vr::UT};

/// A digest as a legal value: hexadecimal digits cut to the VR's room, upper case in CS; a UID
/// under 2.25 in UI; digits in IS and DS. REQUIRES: kDigestVrs contains vr, and vr is text.
[[nodiscard]] std::string DigestText(Vr vr, const Digest& digest);

/// The UID 2.25.N, N being the first 128 bits of the digest (PS3.5 B.2).
[[nodiscard]] std::string DigestUid(const Digest& digest);

/// Whether a UID says what something is, not who: registered by DICOM, or in an attribute that
/// holds such UIDs (a vendor's SOP class, a local coding scheme) and with no component so long that
/// it might be a date or a serial number.
[[nodiscard]] bool IsClassUid(Tag tag, std::string_view uid);

/// Each value, or the bytes of OB and UN, replaced by `digest(std::string_view) -> Digest`.
template <typename Function>
[[nodiscard]] Change ChangeToDigests(const Element& element, Function&& digest) {
  if (element.vr == Vr::OB || element.vr == Vr::UN) {
    if (element.bytes.empty()) return Change::Keep();
    return Change::Set(digest(element.bytes).str());
  }
  return ChangeText(element, [&](std::string_view value, std::size_t) -> NewValue {
    if (element.vr == Vr::UI && IsClassUid(element.tag, value)) return {.text = std::string(value)};
    return {.text = DigestText(element.vr, digest(value))};
  });
}

}  // namespace dcmveil::engine
