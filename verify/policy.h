// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "dcmveil/tag.h"

namespace dcmveil::verify {

/// What the rules of a run mean to leave, as the run wrote it down ("expectations" in run.json).
/// Where nothing is known the strict side is taken: nothing is retained, all dates move alike.
struct Policy {
  bool known = false;
  bool mark = true;            ///< (0012,0062) and (0012,0063) are set
  bool method_codes = false;   ///< (0012,0064) has items
  bool mask_overlays = false;  ///< bits of pixel cells that the image does not use may be cleared
  bool pixels_may_go = false;
  bool dicomdir = false;
  std::string shift_scope = "patient";          ///< or "study", "series", "instance", "mixed"
  std::unordered_set<std::uint32_t> retained;   ///< attributes that always stay
  std::unordered_set<std::uint32_t> sometimes;  ///< that stay under conditions or at some places
  std::unordered_set<std::uint32_t> shifted;    ///< dates that move
  std::unordered_set<std::uint32_t> remade;     ///< sequences that get items of their own

  /// The file meta information repeats SOP Instance UID and shares its lot.
  [[nodiscard]] bool Retains(Tag tag) const;
  [[nodiscard]] bool MayRetain(Tag tag) const;
  /// From the JSON object; nothing if it is none.
  [[nodiscard]] static std::optional<Policy> FromJson(std::string_view text);
};

}  // namespace dcmveil::verify
