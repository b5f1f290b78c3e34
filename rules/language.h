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
    {"settings", "parameters for all rules of an action, and what belongs to no action"},
    {"rules", "the rules; the first that matches an element decides it"},
    {"reject", "conditions on which an instance is not exported at all"},
    {"guard", "off, or except: elements in which identifiers may stand, each with its reason"},
    {"otherwise", "keep or remove: what becomes of elements that no rule decides"},
};

/// The keys that may select: exactly one of them stands in a rule.
inline constexpr Word kSelectorWords[] = {
    {"tag", "standard attributes by tag, keyword or mask, at every depth"},
    {"vr", "standard attributes by value representation, at every depth"},
    {"private", "private elements: {creator: …} or {creator: …, tag: \"(0029,xx10)\"}"},
    {"path", "elements by the way through sequences that leads to them"},
    {"group", "odd or even"},
};

inline constexpr Word kRuleWords[] = {
    {"action", "what is done; required"},
    {"with", "parameters of the action"},
    {"when", "a condition on other elements of the instance"},
    {"name", "a word for the reader"},
    {"note", "a sentence for the reader"},
};

/// Keys of a condition that are no element's name.
inline constexpr Word kCombinerWords[] = {
    {"all", "a list of conditions, all of which hold"},
    {"any", "a list of conditions, at least one of which holds"},
    {"not", "a condition that does not hold"},
};

/// What a condition asks of an element. A value, or a list of values, without a test is `equals`.
inline constexpr Word kTestWords[] = {
    {"equals", "one of its values is this one; UIDs of SOP classes also by name"},
    {"one-of", "the same with a list"},
    {"matches", "a regular expression (re2) is found somewhere in one of its values"},
    {"joined", "the same over all values, with backslashes between; absent is as empty"},
    {"exists", "true: the element is there; false: it is not"},
    {"absent", "the contrary of exists"},
    {"min", "one of its values is a number not below this one, nor above max"},
    {"max", "one of its values is a number not above this one, nor below min"},
    {"not", "a test that does not hold"},
};

inline constexpr Word kKeyWords[] = {
    {"file", "the key file, relative to the rule file; dcmveil keygen makes one"},
    {"env", "the environment variable that holds the key"},
};

inline constexpr Word kEscrowWords[] = {
    {"recipients", "certificates (PEM) of those who may open it; required"},
    {"attributes", "whose originals go along; without it the usual identifiers"},
    {"all-replaced", "true: and every other top-level element that the rules remove or change"},
};

/// Settings that belong to no action; all others are an action's name with parameters.
inline constexpr Word kSettingWords[] = {
    {"mark", "false: (0012,0062), (0012,0063) and (0012,0064) are not written"},
    {"strict-table", "true: the profile's table is followed where an IOD then lacks an attribute"},
    {"device-dates", "keep or modify: dates of devices, where options disagree"},
};

inline constexpr Word kRejectWords[] = {
    {"when", "the condition; required"},
    {"because", "the reason, for the manifest; required"},
};

inline constexpr Word kGuardWords[] = {
    {"except", "a list of exceptions"},
};

inline constexpr Word kExceptWords[] = {
    {"tag", "elements that are not looked into"},
    {"text", "texts that are no identifier, wherever they stand"},
    {"because", "the reason, for who reviews the rules; required"},
};

template <std::size_t... N>
[[nodiscard]] std::vector<std::string_view> NamesOf(const Word (&... words)[N]) {
  std::vector<std::string_view> names;
  const auto add = [&names](const auto& list) {
    for (const Word& word : list) names.push_back(word.name);
  };
  (add(words), ...);
  return names;
}

}  // namespace dcmveil::rules
