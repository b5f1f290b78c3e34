// SPDX-License-Identifier: Apache-2.0
//
// Outputs that stand in one folder may have been made by several rule sets, one after the other:
// which, and how many by each.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "dcmveil/rules.h"

namespace dcmveil::pipeline {

/// Adds to the row of these rules, or a new row.
void AddOutputs(std::vector<RuleSetOutputs>& rows, const RuleSetOutputs& more);

/// All rows, those of the run's own rules first: `own` with the number of all outputs, `others`
/// with those that earlier rules made. Empty if there are no others.
[[nodiscard]] std::vector<RuleSetOutputs> WithOwn(RuleSetOutputs own,
                                                  const std::vector<RuleSetOutputs>& others);

/// [{"rules_hash": …, "edition": … or null, "outputs": …}, …].
[[nodiscard]] nlohmann::ordered_json ToJson(const std::vector<RuleSetOutputs>& rows);
/// Throws a nlohmann exception if it is no such array.
[[nodiscard]] std::vector<RuleSetOutputs> RuleSetsFromJson(const nlohmann::ordered_json& json);

}  // namespace dcmveil::pipeline
