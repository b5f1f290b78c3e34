// SPDX-License-Identifier: Apache-2.0
//
// Whether some selectors together decide everything that another could: the question behind
// "never reached". A tag pattern is a cube in the 32 bits of a tag's number, and the question is
// whether a union of cubes contains a cube. Where that cannot be said for certain (VRs that depend
// on the instance, blocks of private creators), the answer is no: a false warning is worse than
// none.
#pragma once

#include <span>
#include <vector>

#include "engine/dictionary.h"
#include "engine/plan.h"

namespace dcmveil::rules {

/// Whether every element that `selector` matches is matched by one of `earlier`.
[[nodiscard]] bool IsCovered(const engine::Selector& selector,
                             std::span<const engine::Selector* const> earlier);

/// Whether some element could be matched by both. May say yes where none can.
[[nodiscard]] bool MayMeet(const engine::TagPattern& a, const engine::TagPattern& b);

/// Whether the selector matches the standard attribute at the data set's top level.
[[nodiscard]] bool MatchesAtTop(const engine::Selector& selector, const Attribute& attribute);

}  // namespace dcmveil::rules
