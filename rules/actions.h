// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "dcmveil/action.h"
#include "engine/action.h"
#include "rules/diagnostics.h"

namespace dcmveil::rules {

/// The actions that a rule file may name: the engine's and the caller's, in one list.
class Actions {
 public:
  /// Definitions that cannot be used are errors, and left out.
  Actions(const std::vector<CustomAction>& own, Diagnostics& diagnostics);

  /// By name or alias, case-sensitive; null if there is none.
  [[nodiscard]] const engine::ActionSpec* Find(std::string_view name) const;
  /// All names and aliases.
  [[nodiscard]] std::vector<std::string_view> names() const;
  [[nodiscard]] const std::vector<std::shared_ptr<const engine::ActionSpec>>& own() const {
    return own_;
  }

 private:
  std::vector<std::shared_ptr<const engine::ActionSpec>> own_;
};

}  // namespace dcmveil::rules
