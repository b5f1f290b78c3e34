// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "rules/diagnostics.h"
#include "rules/draft.h"
#include "rules/yaml.h"

namespace dcmveil::rules {

/// `escrow:` of a rule file; reads the certificates that it names, relative to the file. Nothing,
/// and at least one error, if it cannot be used.
[[nodiscard]] std::optional<EscrowDraft> ReadEscrow(const Node& node, Diagnostics& diagnostics);

}  // namespace dcmveil::rules
