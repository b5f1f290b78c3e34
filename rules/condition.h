// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "engine/plan.h"
#include "rules/yaml.h"

namespace dcmveil::rules {

/// The condition under `when:`, a mapping of elements to tests. Nothing, and at least one error, if
/// any part of it is wrong.
[[nodiscard]] std::optional<engine::Condition> ReadCondition(const Node& when,
                                                             Diagnostics& diagnostics);

}  // namespace dcmveil::rules
