// SPDX-License-Identifier: Apache-2.0
//
// `profile: basic` and its options as rules: each row of the tables becomes rules that stand behind
// those of the file.
#pragma once

#include "rules/draft.h"

namespace dcmveil::rules {

/// Appends the rules of the profile that the book asks for, and says in `book.profile` what else it
/// needs. Contradictions between options become diagnostics. Does nothing without a request.
void ApplyProfile(RuleBook& book, Diagnostics& diagnostics);

}  // namespace dcmveil::rules
