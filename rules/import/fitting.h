// SPDX-License-Identifier: Apache-2.0
//
// Which action of ours fits an element where importers have a choice.
#pragma once

#include <string>
#include <string_view>

#include "dcmveil/tag.h"

namespace dcmveil::rules {

/// Whether the action takes all of the VRs; an element of unknown VR counts as one that it takes.
[[nodiscard]] bool Takes(VrSet vrs, std::string_view action);

/// The action that puts a pseudonym into an element: pseudonym, refresh-uid, crypto-hash, or redact
/// where none is legal.
[[nodiscard]] std::string_view PseudonymFor(VrSet vrs);

/// What the engine makes or deletes itself, whatever the rules: the file meta information, command
/// groups, items, trailing padding.
[[nodiscard]] bool EngineDecides(Tag tag);

/// The parameters of date-shift for a tool that moves dates by so many days: empty for the default,
/// never less than that.
[[nodiscard]] std::string DateShiftDays(long days);

}  // namespace dcmveil::rules
