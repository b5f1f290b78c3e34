// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/encoding/read.h"
#include "engine/plan.h"

namespace dcmveil::engine {

/// PS3.15 E.1.1 item 6: says that, and by what, the instance was de-identified; what earlier
/// de-identifiers said stays in front.
void Mark(ParsedInstance& parsed, const PlanParts& parts);

}  // namespace dcmveil::engine
