// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "engine/action.h"
#include "engine/actions/specs.h"

namespace dcmveil::engine {

std::span<const ActionSpec* const> AllActions() {
  static const std::array kActions{
#define DCMVEIL_ACTION(name) &name##Spec(),
#include "engine/actions.def"
#undef DCMVEIL_ACTION
  };
  return kActions;
}

const ActionSpec* FindAction(std::string_view name) {
  for (const ActionSpec* const spec : AllActions()) {
    if (spec->name == name ||
        std::find(spec->aliases.begin(), spec->aliases.end(), name) != spec->aliases.end()) {
      return spec;
    }
  }
  return nullptr;
}

}  // namespace dcmveil::engine
