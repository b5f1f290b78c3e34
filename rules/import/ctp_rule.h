// SPDX-License-Identifier: Apache-2.0
//
// One rule of a DicomAnonymizer script, translated.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/dictionary.h"
#include "rules/import/ctp_script.h"

namespace dcmveil::rules {

struct ImportOptions {
  /// Take over CTP's MD5 hashes, so that pseudonyms given out before stay valid.
  bool compatible_hashes = false;
};

/// The element that a rule is about.
struct CtpTarget {
  std::optional<Tag> tag;  ///< a standard or unknown attribute
  const Attribute* attribute = nullptr;
  std::string creator;   ///< of private elements
  std::string selector;  ///< "tag: PatientName", "private: {creator: …, tag: …}"
  std::string path;      ///< as in paths and conditions: "PatientName", "0009{ACME}02"
};

/// Nothing if the text names no element: "00100010", "0009[CREATOR]02", a keyword.
[[nodiscard]] std::optional<CtpTarget> ReadCtpTarget(std::string_view text);

/// As arguments and filters name one: also "(0010,0010)", "[0010,0010]", "[0009[CREATOR]02]".
[[nodiscard]] std::optional<CtpTarget> ReadCtpElement(std::string_view text);
/// The path of an element, or of a chain "A::B".
[[nodiscard]] std::optional<std::string> ReadCtpPath(std::string_view text);

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
