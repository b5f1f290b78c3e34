// SPDX-License-Identifier: Apache-2.0
#include "rules/import/fitting.h"

#include <algorithm>
#include <cstdlib>

#include "engine/action.h"

namespace dcmveil::rules {

bool Takes(VrSet vrs, std::string_view action) {
  return (vrs - engine::FindAction(action)->vrs).empty();
}

std::string_view PseudonymFor(VrSet vrs) {
  if (vrs == VrSet(Vr::UI)) return "refresh-uid";
  for (const std::string_view action : {"pseudonym", "crypto-hash"}) {
    if (Takes(vrs, action)) return action;
  }
  return "redact";
}

bool EngineDecides(Tag tag) {
  return tag.group <= 0x0002 || tag.group == 0x0004 || tag.group == 0xFFFE ||
         tag == Tag(0xFFFC, 0xFFFC);
}

std::string DateShiftDays(long days) {
  constexpr long kDefault = 365;
  constexpr long kMost = 36500;
  const long most = std::abs(std::clamp(days, -kMost, kMost));
  return most > kDefault ? "days: " + std::to_string(most) : std::string();
}

}  // namespace dcmveil::rules
