// SPDX-License-Identifier: Apache-2.0
//
// The parameters of an action, from `with:` and `settings:` to engine::Params.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "engine/action.h"
#include "rules/diagnostics.h"
#include "rules/yaml.h"

namespace dcmveil::rules {

/// A parameter as written.
struct ParamText {
  std::string text;
  Place place;
};
using ParamTexts = std::map<std::string, ParamText, std::less<>>;

/// The parameter of that name; null if the action has none.
[[nodiscard]] const engine::ParamSpec* FindParam(const engine::ActionSpec& spec,
                                                 std::string_view name);

/// The mapping under `with:` or `settings:`. Unknown names, values of the wrong type and values out
/// of range are reported and left out.
[[nodiscard]] ParamTexts ReadParams(const engine::ActionSpec& spec, const Node& map,
                                    Diagnostics& diagnostics);

/// Type, choices and range. Nothing, and an error at the text's place, if the value is wrong. Files
/// are resolved against the folder of the file in which they are written.
[[nodiscard]] std::optional<engine::Params::Value> CheckParam(const engine::ParamSpec& param,
                                                              const ParamText& value,
                                                              Diagnostics& diagnostics);

/// The action's defaults, overlaid with the settings, overlaid with the rule's own parameters; made
/// afresh for each rule, so that nothing leaks from one into another. Nothing, and an error at
/// `place`, if a required one is missing or any value is wrong.
[[nodiscard]] std::optional<engine::Params> MergeParams(const engine::ActionSpec& spec,
                                                        const ParamTexts& settings,
                                                        const ParamTexts& with, const Place& place,
                                                        Diagnostics& diagnostics);

}  // namespace dcmveil::rules
