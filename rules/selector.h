// SPDX-License-Identifier: Apache-2.0
//
// Text to selectors: tags, keywords, masks, private elements, paths. All spellings of a tag end
// here, so that none is ever read as something else.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/dictionary.h"
#include "engine/plan.h"
#include "rules/diagnostics.h"
#include "rules/yaml.h"

namespace dcmveil::rules {

/// Why a text is no selector.
struct SpellingError {
  std::string message;
  std::string hint;
};

/// "(0010,0020)", "(0010, 0020)", "0010,0020", "00100020", "0x00100020", the same with 'x' for any
/// hexadecimal digit, or a keyword. Nothing behind it.
[[nodiscard]] std::variant<engine::TagPattern, SpellingError> ParseTag(std::string_view text);

/// What ParseTag reads, or a private element "0029{SIEMENS CSA HEADER}10".
[[nodiscard]] std::variant<engine::TagPattern, SpellingError> ParseElement(std::string_view text);

struct ParsedPath {
  std::vector<engine::TagPattern> steps;  ///< root first
  bool anchored = false;                  ///< it began with '/'
};
/// Elements separated by '/', '*' for any one sequence. Every step but the last must be able to be
/// a sequence.
[[nodiscard]] std::variant<ParsedPath, SpellingError> ParsePath(std::string_view text);

/// The elements of a private creator: all, or those of `tag`, such as "(0029,xx10)". The block,
/// bits 8-15, is open; "(0029,1010)" means the same.
[[nodiscard]] std::variant<engine::TagPattern, SpellingError> ParsePrivate(
    std::string_view creator, std::optional<std::string_view> tag);

/// One alternative of a rule's selector, and where and how it is written.
struct SelectorDraft {
  engine::Selector selector;
  std::string text;
  Place place;
};

/// The selectors of `key: value`. What is wrong is reported and left out.
/// REQUIRES: key is one of kSelectorWords.
[[nodiscard]] std::vector<SelectorDraft> ReadSelectors(std::string_view key, const Node& value,
                                                       Diagnostics& diagnostics);

/// Warns of tags that do not do what one might expect: private numbers, file meta information.
void WarnAboutTag(const engine::TagPattern& pattern, const std::string& text, const Place& place,
                  Diagnostics& diagnostics);

/// The dictionary's attribute for an exact pattern; null for others and for unknown tags.
[[nodiscard]] const Attribute* AttributeOf(const engine::TagPattern& pattern);

/// "PatientID", "(60xx,3000)", "0029{SIEMENS CSA HEADER}10".
[[nodiscard]] std::string Spell(const engine::TagPattern& pattern);
/// "PatientID", "VR PN", "RequestAttributesSequence/ScheduledProcedureStepID".
[[nodiscard]] std::string Spell(const engine::Selector& selector);

}  // namespace dcmveil::rules
