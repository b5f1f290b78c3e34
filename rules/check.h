// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "rules/draft.h"

namespace dcmveil::rules {

/// Lint: what is legal and yet hardly meant. Adds warnings and notes, never errors.
/// REQUIRES: the book was read and compiled without errors.
void Check(const RuleBook& book, Diagnostics& diagnostics);

/// The first rule that could decide the attribute at the top level of an instance, whatever its
/// condition; null if `otherwise` decides.
[[nodiscard]] const RuleDraft* FirstFor(const RuleBook& book, const Attribute& attribute);

}  // namespace dcmveil::rules
