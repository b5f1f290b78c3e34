// SPDX-License-Identifier: Apache-2.0
#include "engine/plan.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "engine/dictionary.h"

namespace dcmveil::engine {
namespace {

/// In a private element's number the block (bits 8-15) is whatever the item's creator reserved.
constexpr std::uint32_t kWithoutBlock = 0xFFFF00FF;

/// Whether the pattern can match some element of the group at all.
bool CanMatchGroup(const TagPattern& pattern, std::uint16_t group) {
  const bool odd = (group & 1U) != 0;
  if (pattern.odd_groups_only && !odd) return false;
  if (pattern.even_groups_only && odd) return false;
  if (!pattern.creator.empty() && !odd) return false;
  const std::uint32_t mask = pattern.mask & 0xFFFF0000U;
  return ((static_cast<std::uint32_t>(group) << 16U) & mask) == (pattern.value & mask);
}

}  // namespace

bool TagPattern::Matches(Tag tag, std::string_view creator_of_element) const {
  if (!creator.empty() && creator != creator_of_element) return false;
  if (odd_groups_only && !tag.is_private()) return false;
  if (even_groups_only && tag.is_private()) return false;
  const std::uint32_t compared = creator.empty() ? mask : (mask & kWithoutBlock);
  return (tag.number() & compared) == (value & compared);
}

Plan::Plan(PlanParts parts) : parts_(std::move(parts)) {
  const auto number_condition = [this](const std::optional<Condition>& condition) {
    if (!condition) return -1;
    conditions_.push_back(&*condition);
    return static_cast<int>(conditions_.size()) - 1;
  };
  for (const Rule& rule : parts_.rules) {
    if (rule.spec->wants_identifiers) wants_identifiers_ = true;
    condition_of_rule_.push_back(number_condition(rule.when));
    for (const Selector& selector : rule.selectors) {
      if (selector.by_vr() && rule.spec->effect != Effect::kKeep) any_vr_rule_changes_ = true;
    }
  }
  for (const AddRule& add : parts_.adds) condition_of_add_.push_back(number_condition(add.when));
  first_reject_condition_ = conditions_.size();
  for (const RejectRule& reject : parts_.rejects) conditions_.push_back(&reject.when);

  IndexTags();
  IndexGroups();
}

Plan::~Plan() = default;

// Everything that the dictionary does not list falls back on one list per group. Most of the 65,536
// groups have the same list, so equal ones are stored once; and only selectors that leave part of
// the group number open are looked at for every group.
void Plan::IndexGroups() {
  using Key = std::pair<std::uint32_t, std::uint32_t>;
  std::vector<Key> open;
  std::map<std::uint16_t, std::vector<Key>> named;
  for (std::uint32_t r = 0; r < parts_.rules.size(); ++r) {
    for (std::uint32_t s = 0; s < parts_.rules[r].selectors.size(); ++s) {
      const Selector& selector = parts_.rules[r].selectors[s];
      if (!selector.by_vr() && (selector.path.back().mask >> 16U) == 0xFFFF) {
        named[static_cast<std::uint16_t>(selector.path.back().value >> 16U)].push_back({r, s});
      } else {
        open.push_back({r, s});
      }
    }
  }
  std::map<std::vector<Key>, std::uint16_t> known;
  list_of_group_.resize(65536);
  for (std::uint32_t number = 0; number <= 0xFFFF; ++number) {
    const auto group = static_cast<std::uint16_t>(number);
    std::vector<Key> list;
    for (const Key& key : open) {
      const Selector& selector = parts_.rules[key.first].selectors[key.second];
      if (selector.by_vr() || CanMatchGroup(selector.path.back(), group)) list.push_back(key);
    }
    if (const auto it = named.find(group); it != named.end()) {
      for (const Key& key : it->second) {
        const Selector& selector = parts_.rules[key.first].selectors[key.second];
        if (CanMatchGroup(selector.path.back(), group)) list.push_back(key);
      }
      std::sort(list.begin(), list.end());
    }
    const auto [it, fresh] =
        known.try_emplace(list, static_cast<std::uint16_t>(group_lists_.size()));
    if (fresh) {
      Candidates candidates;
      for (const auto& [rule, selector] : list) candidates.push_back({rule, selector});
      group_lists_.push_back(std::move(candidates));
    }
    list_of_group_[group] = it->second;
  }
}

void Plan::IndexTags() {
  // Most selectors of a large rule set name one attribute: only the others are held against every
  // attribute of the dictionary.
  std::unordered_map<std::uint32_t, Candidates> named;
  Candidates open;
  for (std::uint32_t r = 0; r < parts_.rules.size(); ++r) {
    for (std::uint32_t s = 0; s < parts_.rules[r].selectors.size(); ++s) {
      const Selector& selector = parts_.rules[r].selectors[s];
      const bool exact = !selector.by_vr() && selector.path.back().is_exact();
      (exact ? named[selector.path.back().value] : open).push_back({r, s});
    }
  }
  for (const Attribute& attribute : AllAttributes()) {
    if (attribute.mask != 0xFFFFFFFF) continue;
    Candidates all = open;
    if (const auto it = named.find(attribute.tag.number()); it != named.end()) {
      all.insert(all.end(), it->second.begin(), it->second.end());
      std::sort(all.begin(), all.end());
    }
    Candidates candidates;
    for (const Candidate& candidate : all) {
      const Rule& rule = parts_.rules[candidate.rule];
      const Selector& selector = rule.selectors[candidate.selector];
      if (selector.by_vr()) {
        if (!selector.vrs.intersects(attribute.vrs)) continue;
      } else if (!selector.path.back().Matches(attribute.tag, {})) {
        continue;
      }
      candidates.push_back(candidate);
      // Nothing behind a selector that always holds can ever be reached for this tag.
      if (selector.path.size() <= 1 && !selector.anchored && !rule.when) break;
    }
    by_tag_.insert_or_assign(attribute.tag.number(), std::move(candidates));
  }
}

std::vector<const Rule*> Plan::RulesFor(Tag tag) const {
  const auto it = by_tag_.find(tag.number());
  const bool listed = !tag.is_private() && it != by_tag_.end();
  std::vector<const Rule*> rules;
  for (const Candidate& candidate : listed ? it->second : group_lists_[list_of_group_[tag.group]]) {
    const Rule& rule = parts_.rules[candidate.rule];
    const Selector& selector = rule.selectors[candidate.selector];
    if (selector.by_vr() && tag.is_private()) continue;
    if (!listed && !selector.by_vr() && selector.path.back().creator.empty() &&
        !selector.path.back().Matches(tag, {})) {
      continue;
    }
    if (rules.empty() || rules.back() != &rule) rules.push_back(&rule);
  }
  return rules;
}

const ContentRule* Plan::FindContent(std::string_view code, std::string_view scheme,
                                     std::string_view value_type) const {
  if (!parts_.profile) return nullptr;
  const std::vector<ContentRule>& list = parts_.profile->content;
  const auto key = std::tie(code, scheme, value_type);
  const auto key_of = [](const ContentRule& rule) {
    return std::tuple<std::string_view, std::string_view, std::string_view>(rule.code, rule.scheme,
                                                                            rule.value_type);
  };
  const auto it = std::lower_bound(
      list.begin(), list.end(), key,
      [&](const ContentRule& rule, const auto& wanted) { return key_of(rule) < wanted; });
  return it != list.end() && key_of(*it) == key ? &*it : nullptr;
}

bool Plan::Holds(const Candidate& candidate, const Path& path, VrSet vrs,
                 const ConditionAnswers& answers) const {
  const int condition = condition_of_rule_[candidate.rule];
  if (condition >= 0 && !answers[condition]) return false;
  const Selector& selector = parts_.rules[candidate.rule].selectors[candidate.selector];
  if (selector.by_vr()) return selector.vrs.intersects(vrs);
  const std::size_t steps = selector.path.size();
  if (path.size() < steps || (selector.anchored && path.size() != steps)) return false;
  const std::size_t start = path.size() - steps;
  for (std::size_t i = steps; i-- > 0;) {
    const PathStep& step = path[start + i];
    if (!selector.path[i].Matches(step.tag, step.creator)) return false;
  }
  return true;
}

Plan::Decision Plan::Decide(const Path& path, VrSet vrs, const ConditionAnswers& answers) const {
  const Tag tag = path.back().tag;
  const auto it = by_tag_.find(tag.number());
  // What the dictionary does not know has no VR but its encoding's, private or not.
  const bool known = it != by_tag_.end() || (!tag.is_private() && FindAttribute(tag) != nullptr);
  if (known) {
    const Candidates& candidates =
        it != by_tag_.end() ? it->second : group_lists_[list_of_group_[tag.group]];
    for (const Candidate& candidate : candidates) {
      if (Holds(candidate, path, vrs, answers)) return {.rule = &parts_.rules[candidate.rule]};
    }
    return {};
  }
  for (const Candidate& candidate : group_lists_[list_of_group_[tag.group]]) {
    const Rule& rule = parts_.rules[candidate.rule];
    if (rule.selectors[candidate.selector].by_vr()) continue;
    if (Holds(candidate, path, vrs, answers)) return {.rule = &rule};
  }
  return {.private_by_vr_only = any_vr_rule_changes_};
}

bool Plan::AddApplies(std::size_t add, const ConditionAnswers& answers) const {
  const int condition = condition_of_add_[add];
  return condition < 0 || answers[condition];
}

bool Plan::RejectApplies(std::size_t reject, const ConditionAnswers& answers) const {
  return answers[static_cast<int>(first_reject_condition_ + reject)];
}

}  // namespace dcmveil::engine
