// SPDX-License-Identifier: Apache-2.0
#include "engine/plan.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>
#include <utility>

#include "engine/dictionary.h"

namespace dcmveil::engine {
namespace {

/// In a private element's number the block (bits 8-15) is whatever the item's creator reserved.
constexpr std::uint32_t kWithoutBlock = 0xFFFF00FF;
constexpr std::uint32_t kWholeTag = 0xFFFFFFFF;
constexpr std::uint32_t kGroup = 0xFFFF0000;
constexpr std::uint32_t kOddBit = 0x00010000;
constexpr std::uint32_t kUpperHalf = 0xFF000000;  ///< of the group: repeating groups are 50xx, 60xx

/// REQUIRES: the path has as many steps as the selector, or more.
bool Matches(const Selector& selector, const Path& path, VrSet vrs) {
  if (selector.by_vr()) return selector.vrs.intersects(vrs);
  // Most private elements of a group have other creators than the one asked for.
  const std::string& creator = selector.path.back().creator;
  if (!creator.empty() && creator != path.back().creator) return false;
  const std::size_t start = path.size() - selector.path.size();
  for (std::size_t i = selector.path.size(); i-- > 0;) {
    const PathStep& step = path[start + i];
    if (!selector.path[i].Matches(step.tag, step.creator)) return false;
  }
  return true;
}

}  // namespace

bool TagPattern::Matches(Tag tag, std::string_view creator_of_element) const {
  if (!creator.empty() && creator != creator_of_element) return false;
  if (odd_groups_only && !tag.is_private()) return false;
  if (even_groups_only && tag.is_private()) return false;
  const std::uint32_t compared = creator.empty() ? mask : (mask & kWithoutBlock);
  return (tag.number() & compared) == (value & compared);
}

struct Plan::Place {
  std::uint32_t value;
  std::uint32_t fixed;  ///< the bits that all tags here share; their parity is among them
  const Attribute* attribute = nullptr;

  /// Whether the selector can match here at all.
  [[nodiscard]] bool Allows(const Selector& selector) const {
    if (selector.by_vr()) return attribute == nullptr || selector.vrs.intersects(attribute->vrs);
    const TagPattern& pattern = selector.path.back();
    const bool odd = (value & kOddBit) != 0;
    const bool wants_odd = pattern.odd_groups_only || !pattern.creator.empty();
    if ((wants_odd && !odd) || (pattern.even_groups_only && odd)) return false;
    const std::uint32_t compared = fixed & MaskOf(pattern);
    return (value & compared) == (pattern.value & compared);
  }
  /// Whether all tags here match the selector, which asks for nothing above them.
  /// REQUIRES: Allows(selector).
  [[nodiscard]] bool Ensures(const Selector& selector) const {
    if (selector.by_vr()) return attribute != nullptr;
    const TagPattern& pattern = selector.path.back();
    return selector.path.size() == 1 && pattern.creator.empty() && (pattern.mask & ~fixed) == 0;
  }

 private:
  static std::uint32_t MaskOf(const TagPattern& pattern) {
    return pattern.creator.empty() ? pattern.mask : pattern.mask & kWithoutBlock;
  }
};

/// Fills a plan's lists.
class Plan::Index {
 public:
  explicit Index(Plan& plan) : plan_(plan) {}

  void Build() {
    Sort();
    IndexAttributes();
    for (const auto& [key, pinned] : pinned_) {
      const Place place{.value = key, .fixed = kWithoutBlock};
      plan_.of_low_byte_.emplace(key, Add(place, pinned, OpenIn(key & kGroup)));
    }
    for (const auto& [group, list] : grouped_) {
      plan_.of_group_.emplace(group, Add({.value = group, .fixed = kGroup}, {}, OpenIn(group)));
    }
    for (std::uint32_t i = 0; i < plan_.of_rest_.size(); ++i) {
      const std::uint32_t group = ((i / 2) << 8U) | (i % 2);
      plan_.of_rest_[i] = Add({.value = group << 16U, .fixed = kUpperHalf | kOddBit}, {}, open_);
    }
  }

 private:
  /// By how much of the tag a selector names.
  void Sort() {
    const std::vector<Rule>& rules = plan_.parts_.rules;
    for (std::uint32_t r = 0; r < rules.size(); ++r) {
      for (const Selector& selector : rules[r].selectors) {
        const Candidate candidate{.rule = r,
                                  .selector = &selector,
                                  .condition = plan_.condition_of_rule_[r],
                                  .depth = static_cast<std::uint32_t>(selector.path.size()),
                                  .anchored = selector.anchored,
                                  .by_vr = selector.by_vr()};
        if (selector.by_vr()) {
          open_.push_back(candidate);
          continue;
        }
        const TagPattern& last = selector.path.back();
        const bool odd = (last.value & kOddBit) != 0;
        if (last.is_exact() && IsListed(FindAttribute(Tag(last.value)))) {
          named_.emplace_back(last.value, candidate);
        } else if (last.is_exact() || (odd && (last.mask & kWithoutBlock) == kWithoutBlock)) {
          pinned_[last.value & kWithoutBlock].push_back(candidate);
        } else if ((last.mask & kGroup) == kGroup) {
          grouped_[last.value & kGroup].push_back(candidate);
        } else {
          open_.push_back(candidate);
        }
      }
    }
    std::stable_sort(named_.begin(), named_.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
  }

  // Both the dictionary and `named_` are sorted by tag.
  void IndexAttributes() {
    plan_.of_attribute_.reserve(AllAttributes().size());
    auto next = named_.begin();
    std::optional<std::uint16_t> group;
    Candidates open;
    Candidates named;
    for (const Attribute& attribute : AllAttributes()) {
      if (!IsListed(&attribute)) {
        plan_.of_attribute_.emplace_back();
        continue;
      }
      if (group != attribute.tag.group) {
        group = attribute.tag.group;
        open = OpenIn(attribute.tag.number() & kGroup);
      }
      named.clear();
      for (; next != named_.end() && next->first == attribute.tag.number(); ++next) {
        named.push_back(next->second);
      }
      plan_.of_attribute_.push_back(
          Add({.value = attribute.tag.number(), .fixed = kWholeTag, .attribute = &attribute}, named,
              open));
    }
  }

  static bool IsListed(const Attribute* attribute) {
    return attribute != nullptr && attribute->mask == kWholeTag;
  }

  static Candidates Merged(const Candidates& a, const Candidates& b) {
    Candidates all;
    all.reserve(a.size() + b.size());
    std::merge(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(all),
               [](const Candidate& x, const Candidate& y) { return x.Precedes(y); });
    return all;
  }

  /// What may match in the group besides selectors that name the low byte too.
  Candidates OpenIn(std::uint32_t group) const {
    const auto it = grouped_.find(group);
    Candidates all = it == grouped_.end() ? open_ : Merged(it->second, open_);
    const Place place{.value = group, .fixed = kGroup};
    std::erase_if(all, [&](const Candidate& c) { return !place.Allows(*c.selector); });
    return all;
  }

  /// The place's list: of both, what may match there, up to the first that always does.
  List Add(const Place& place, const Candidates& a, const Candidates& b) {
    List list{.begin = static_cast<std::uint32_t>(plan_.candidates_.size())};
    auto x = a.begin();
    auto y = b.begin();
    while (x != a.end() || y != b.end()) {
      const bool first = y == b.end() || (x != a.end() && x->Precedes(*y));
      Candidate candidate = first ? *x++ : *y++;
      const Selector& selector = *candidate.selector;
      if (!place.Allows(selector)) continue;
      candidate.by_tag = place.Ensures(selector);
      candidate.certain = candidate.by_tag && !candidate.anchored && candidate.condition < 0;
      plan_.candidates_.push_back(candidate);
      // Nothing behind it can ever be reached.
      if (candidate.certain) break;
    }
    list.end = static_cast<std::uint32_t>(plan_.candidates_.size());
    return list;
  }

  Plan& plan_;
  std::vector<std::pair<std::uint32_t, Candidate>> named_;  ///< one attribute, by tag
  std::map<std::uint32_t, Candidates> pinned_;   ///< group and low byte, and no attribute
  std::map<std::uint32_t, Candidates> grouped_;  ///< the group, in its upper bits
  Candidates open_;                              ///< less than that
};

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

  Index(*this).Build();
}

Plan::~Plan() = default;

std::span<const Plan::Candidate> Plan::CandidatesFor(Tag tag, const Attribute* attribute) const {
  const auto list = [&] {
    if (attribute != nullptr && attribute->mask == kWholeTag) {
      return of_attribute_[static_cast<std::size_t>(attribute - AllAttributes().data())];
    }
    if (const auto it = of_low_byte_.find(tag.number() & kWithoutBlock); it != of_low_byte_.end()) {
      return it->second;
    }
    if (const auto it = of_group_.find(tag.number() & kGroup); it != of_group_.end()) {
      return it->second;
    }
    return of_rest_[((tag.group >> 8U) * 2U) + (tag.group & 1U)];
  }();
  return std::span(candidates_).subspan(list.begin, list.end - list.begin);
}

std::vector<const Rule*> Plan::RulesFor(Tag tag) const {
  std::vector<const Rule*> rules;
  const Attribute* const attribute = FindAttribute(tag);
  if (attribute != nullptr && attribute->mask == kWholeTag) {
    for (const Candidate& candidate : CandidatesFor(tag, attribute)) {
      const Rule& rule = parts_.rules[candidate.rule];
      if (rules.empty() || rules.back() != &rule) rules.push_back(&rule);
    }
    return rules;
  }
  const Place group{.value = tag.number() & kGroup, .fixed = kGroup};
  const auto may_match = [&](const Selector& selector) {
    if (selector.by_vr()) return !tag.is_private();
    const TagPattern& last = selector.path.back();
    return last.creator.empty() ? last.Matches(tag, {}) : group.Allows(selector);
  };
  for (const Rule& rule : parts_.rules) {
    if (std::any_of(rule.selectors.begin(), rule.selectors.end(), may_match)) {
      rules.push_back(&rule);
    }
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

Plan::Decision Plan::Decide(const Path& path, VrSet vrs, const ConditionAnswers& answers) const {
  const Tag tag = path.back().tag;
  const Attribute* const attribute = FindAttribute(tag);
  for (const Candidate& candidate : CandidatesFor(tag, attribute)) {
    if (!candidate.certain) {
      if (candidate.condition >= 0 && !answers[candidate.condition]) continue;
      if (path.size() < candidate.depth || (candidate.anchored && path.size() > candidate.depth)) {
        continue;
      }
      // What the dictionary does not know has no VR but its encoding's, private or not.
      if (candidate.by_vr && attribute == nullptr) continue;
      if (!candidate.by_tag && !Matches(*candidate.selector, path, vrs)) continue;
    }
    return {.rule = &parts_.rules[candidate.rule]};
  }
  return {.private_by_vr_only = attribute == nullptr && any_vr_rule_changes_};
}

bool Plan::AddApplies(std::size_t add, const ConditionAnswers& answers) const {
  const int condition = condition_of_add_[add];
  return condition < 0 || answers[condition];
}

bool Plan::RejectApplies(std::size_t reject, const ConditionAnswers& answers) const {
  return answers[static_cast<int>(first_reject_condition_ + reject)];
}

}  // namespace dcmveil::engine
