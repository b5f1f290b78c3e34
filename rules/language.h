// SPDX-License-Identifier: Apache-2.0
//
// The words of the rules language, for its reader and for what documents it.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace dcmveil::rules {

/// A key and one sentence about it.
struct Word {
  std::string_view name;
  std::string_view summary;
};

/// The version of the language that `dcmveil:` states.
inline constexpr std::string_view kLanguageVersion = "1";

inline constexpr Word kTopLevelWords[] = {
    {"dcmveil", "version of the language: 1"},
    {"name", "what the rule set is called in reports"},
    {"profile", "basic, basic+, none, or another rule file whose rules come after these"},
    {"options", "options of the profile"},
    {"key", "where the secret is: {file: …} or {env: …}; never the secret itself"},
    {"escrow", "originals that go along, encrypted: {recipients: [cert.pem], attributes: […]}"},
    {"settings", "parameters for all rules of an action; mark: false leaves out (0012,0062-0064)"},
    {"rules", "the rules; the first that matches an element decides it"},
    {"reject", "conditions on which an instance is not exported at all"},
    {"guard", "off, or except: elements in which identifiers may stand, each with its reason"},
    {"otherwise", "keep or remove: what becomes of elements that no rule decides"},
};

inline constexpr Word kRuleWords[] = {
    {"tag", "tags, keywords or masks"},
    {"vr", "value representations"},
    {"private", "private elements by creator"},
    {"path", "a way through sequences"},
    {"group", "odd or even"},
    {"action", "what is done"},
    {"with", "parameters of the action"},
    {"when", "a condition on other elements of the instance"},
    {"name", "a word for the reader"},
    {"note", "a sentence for the reader"},
};

template <std::size_t N>
[[nodiscard]] std::vector<std::string_view> NamesOf(const Word (&words)[N]) {
  std::vector<std::string_view> names;
  for (const Word& word : words) names.push_back(word.name);
  return names;
}

}  // namespace dcmveil::rules
