// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/encoding/read.h"
#include "engine/instance.h"
#include "engine/plan.h"

namespace dcmveil::engine {

/// Asks all of the plan's conditions of an instance that nothing has been changed in yet.
[[nodiscard]] ConditionAnswers AnswerConditions(const Plan& plan, const ParsedInstance& parsed,
                                                const Instance& instance);

}  // namespace dcmveil::engine
