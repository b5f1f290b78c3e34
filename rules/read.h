// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rules/actions.h"
#include "rules/draft.h"
#include "rules/yaml.h"

namespace dcmveil::rules {

/// One rule file by itself.
struct ReadFile {
  RuleBook book;
  /// The rule file that this one extends, as written.
  std::optional<std::string> extends;
  Place extends_place;
  struct Options {
    std::vector<std::pair<Option, Place>> list;
    Place place;
  };
  /// `options:`; they belong to the built-in profile, which a file that is extended may name.
  std::optional<Options> options;
};

/// Reads a document of the rules language. What is wrong is reported, all of it, and left out.
[[nodiscard]] ReadFile ReadRuleFile(const Node& root, const Actions& actions,
                                    Diagnostics& diagnostics);

/// All selectors of a rule in a few words: "PatientID, VR PN and 12 more".
[[nodiscard]] std::string Summarise(const std::vector<SelectorDraft>& selectors);

}  // namespace dcmveil::rules
