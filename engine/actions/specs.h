// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/action.h"

namespace dcmveil::engine {

// One function an action, each defined in the action's own file. The specs live as long as the
// program.
#define DCMVEIL_ACTION(name) [[nodiscard]] const ActionSpec& name##Spec();
#include "engine/actions.def"
#undef DCMVEIL_ACTION

}  // namespace dcmveil::engine
