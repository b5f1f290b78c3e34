// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "dcmveil/rules.h"

namespace dcmveil::cli {

/// Loads rules for a verb. Prints every error, and warnings if `warn`; nothing means exit 2.
[[nodiscard]] std::optional<RuleSet> Load(const std::string& file, const LoadOptions& options,
                                          bool warn);

}  // namespace dcmveil::cli
