// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "rules/draft.h"
#include "rules/yaml.h"

namespace dcmveil::rules {

/// One rule file by itself.
struct ReadFile {
  RuleBook book;
  /// The rule file that this one extends, as written.
  std::optional<std::string> extends;
  Place extends_place;
};

/// Reads a document of the rules language. What is wrong is reported, all of it, and left out.
[[nodiscard]] ReadFile ReadRuleFile(const Node& root, Diagnostics& diagnostics);

/// All selectors of a rule in a few words: "PatientID, VR PN and 12 more".
[[nodiscard]] std::string Summarise(const std::vector<SelectorDraft>& selectors);

}  // namespace dcmveil::rules
