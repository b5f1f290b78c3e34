// SPDX-License-Identifier: Apache-2.0
//
// Actions of callers (dcmveil/action.h), made into what the rule loader and the engine know: an
// ActionSpec like any other.
#pragma once

#include <memory>
#include <string>

#include "dcmveil/action.h"
#include "engine/action.h"

namespace dcmveil::engine {

/// Why the definition cannot be used; empty if it can.
[[nodiscard]] std::string ProblemOf(const CustomAction& action);

/// The spec of a copy of the definition. Actions that it makes refer to it: a plan owns both.
[[nodiscard]] std::shared_ptr<const ActionSpec> SpecOf(CustomAction action);

}  // namespace dcmveil::engine
