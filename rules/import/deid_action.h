// SPDX-License-Identifier: Apache-2.0
//
// What a line of a recipe's header does, and what becomes of an element that several lines name.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "rules/import/deid_field.h"
#include "rules/import/deid_recipe.h"

namespace dcmveil::rules {

/// A line of the header that means something.
struct DeidStep {
  const DeidAction* action = nullptr;
  DeidField field;
  /// Only where a value or a function says so. What such a line means is done without asking.
  bool conditional = false;

  [[nodiscard]] bool Matches(const DeidTarget& target) const;
  /// deid does not remove what a REPLACE or JITTER names, exactly and in its one place.
  [[nodiscard]] bool Protects(const DeidTarget& target) const;
};

/// What becomes of an element.
struct DeidDecision {
  enum class Kind { kNothing, kKeep, kAdd, kReplace, kJitter, kRemove, kBlank };
  Kind kind = Kind::kNothing;
  const DeidStep* step = nullptr;  ///< the line that decides; null for kNothing
  long days = 0;                   ///< of all the lines that move a date
};

/// KEEP holds against all but ADD; REMOVE passes over what is replaced or moved by name; what is
/// removed stays so, but for ADD; otherwise the last line holds.
[[nodiscard]] DeidDecision Decide(const std::vector<DeidStep>& steps, const DeidTarget& target);

/// An action of ours: "action: replace, with: {…}".
struct DeidOutcome {
  std::string action;    ///< empty: no rule is needed
  bool adds = false;     ///< `action` is a replace that also makes the element
  std::string replaced;  ///< what could not be translated, if anything
  std::string differs;
};
[[nodiscard]] DeidOutcome OutcomeOf(const DeidDecision& decision, VrSet vrs);

}  // namespace dcmveil::rules
