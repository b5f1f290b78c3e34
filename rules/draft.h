// SPDX-License-Identifier: Apache-2.0
//
// Rules as read, with their places: what the YAML reader and the importers produce, and what
// compile.h and check.h work on.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/action.h"
#include "engine/crypto.h"
#include "engine/plan.h"
#include "rules/diagnostics.h"
#include "rules/params.h"
#include "rules/selector.h"

namespace dcmveil::rules {

struct RuleDraft {
  Place place;
  std::vector<SelectorDraft> selectors;
  std::string selector_text;  ///< all of them, for `explain`
  std::optional<engine::Condition> when;
  const engine::ActionSpec* spec = nullptr;  ///< null if the action is unknown (reported)
  Place action_place;
  ParamTexts with;
  /// A key of the rule's own that is used as it is: Microsoft's settings hold one per method.
  std::shared_ptr<const Key> raw_key;
};

struct RejectDraft {
  engine::Condition when;
  std::string because;
  Place place;
};

/// Where the key is to be found.
struct KeySource {
  std::filesystem::path file;  ///< resolved; empty if a variable is named
  std::string variable;
  Place place;
};

/// One rule file, or a rule file with everything that it extends.
struct RuleBook {
  std::string name;
  Place place;
  std::vector<RuleDraft> rules;
  std::map<const engine::ActionSpec*, ParamTexts> settings;
  std::optional<bool> mark;
  std::optional<std::vector<RejectDraft>> rejects;
  std::optional<bool> otherwise_keep;
  Place otherwise_place;
  std::optional<KeySource> key;
  /// Secrets that stand in the file itself. Erased with the book.
  std::vector<std::shared_ptr<const Key>> keys_in_file;
  bool imported = false;  ///< from another tool's dialect
};

}  // namespace dcmveil::rules
