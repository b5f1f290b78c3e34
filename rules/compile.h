// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/plan.h"
#include "rules/draft.h"

namespace dcmveil::rules {

/// What compiling yields beside diagnostics.
struct Compiled {
  engine::PlanParts parts;
  /// The files that actions read, in the order of the rules.
  std::vector<std::string> contents_read;
};

/// The book's rules made ready: parameters merged and checked, actions made, each action held
/// against the VRs that its selectors name. Problems become diagnostics, and the result is then of
/// no use. `key` may be null only if no action of the book needs one.
[[nodiscard]] Compiled Compile(const RuleBook& book, const Key* key, Diagnostics& diagnostics);

/// Who needs the rule set's key: "date-shift", "the profile", "escrow"; and where that stands.
struct KeyUser {
  std::string name;
  Place place;
};
/// The first one; nothing if there is none.
[[nodiscard]] std::optional<KeyUser> FirstThatNeedsKey(const RuleBook& book);

}  // namespace dcmveil::rules
