// SPDX-License-Identifier: Apache-2.0
//
// run.json in the state folder: what was run, on what, by which rules, and what the rules mean to
// leave, so that `verify` can tell what stays on purpose from a leak.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dcmveil/run.h"

namespace dcmveil::pipeline {

/// The whole file's text. `rule_sets` as in RunSummary, once the run knows them.
[[nodiscard]] std::string DescribeRun(const RuleSet& rules, const RunOptions& options,
                                      const std::vector<RuleSetOutputs>& rule_sets);

/// The object "expectations" of it, as JSON. It depends on the rules alone.
[[nodiscard]] std::string Expectations(const RuleSet& rules);

/// The input and the output of the run with this state folder, as its run.json says, without
/// services. Empty where it cannot be read.
[[nodiscard]] std::vector<std::filesystem::path> PlacesOf(const std::filesystem::path& state);

}  // namespace dcmveil::pipeline
