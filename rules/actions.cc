// SPDX-License-Identifier: Apache-2.0
#include "rules/actions.h"

#include <string>

#include "engine/custom_action.h"

namespace dcmveil::rules {

Actions::Actions(const std::vector<CustomAction>& own, Diagnostics& diagnostics) {
  for (const CustomAction& action : own) {
    std::string problem = engine::ProblemOf(action);
    if (Find(action.name) != nullptr) problem = "the name is taken";
    if (problem.empty()) {
      own_.push_back(engine::SpecOf(action));
    } else {
      diagnostics.Error({}, "the program's action '" + action.name + "': " + problem);
    }
  }
}

const engine::ActionSpec* Actions::Find(std::string_view name) const {
  for (const auto& spec : own_) {
    if (spec->name == name) return spec.get();
  }
  return engine::FindAction(name);
}

std::vector<std::string_view> Actions::names() const {
  std::vector<std::string_view> names;
  for (const engine::ActionSpec* spec : engine::AllActions()) {
    names.push_back(spec->name);
    names.insert(names.end(), spec->aliases.begin(), spec->aliases.end());
  }
  for (const auto& spec : own_) names.push_back(spec->name);
  return names;
}

}  // namespace dcmveil::rules
