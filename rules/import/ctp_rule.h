// SPDX-License-Identifier: Apache-2.0
//
// One rule of a DicomAnonymizer script, translated.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/import/ctp_script.h"
#include "rules/import/ctp_target.h"

namespace dcmveil::rules {

struct ImportOptions {
  /// Take over CTP's MD5 hashes, so that pseudonyms given out before stay valid.
  bool compatible_hashes = false;
};

/// A rule of ours without its selector's condition.
struct RuleLine {
  std::vector<std::string> when;  ///< conditions that must all hold, in flow style without braces
  std::string action;
  std::string with;        ///< parameters in flow style without braces
  bool root_only = false;  ///< at the top level only
};

struct TranslatedRule {
  /// In their order, the first that holds decides. Empty: the element is left to what comes later.
  std::vector<RuleLine> rules;
  /// Conditions under which the instance is rejected.
  std::vector<std::string> rejects;
  /// What could not be translated, and what stands in its place.
  std::vector<std::string> replaced;
  /// What means something else than before without exposing more.
  std::vector<std::string> differs;
  bool uses_hash = false;    ///< one of CTP's unkeyed hashes
  bool opens_items = false;  ///< @process
  std::string unknown_function;
  std::string syntax_problem;
};

/// The function that a misspelled name most likely means.
[[nodiscard]] std::optional<std::string> NearestCtpFunction(std::string_view word);

[[nodiscard]] TranslatedRule TranslateCtpRule(const CtpEntry& entry, const CtpTarget& target,
                                              const CtpScript& script,
                                              const ImportOptions& options);

}  // namespace dcmveil::rules
