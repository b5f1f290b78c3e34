// SPDX-License-Identifier: Apache-2.0
#include "rules/check.h"

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "rules/coverage.h"

namespace dcmveil::rules {
namespace {

using engine::Effect;
using engine::Selector;
using engine::TagPattern;

std::string Join(const std::vector<std::string_view>& words) {
  std::string text;
  for (const std::string_view word : words) {
    if (!text.empty()) text += ", ";
    text += word;
  }
  return text;
}

std::string At(const RuleDraft& rule) { return Origin(rule.place); }

bool Same(const TagPattern& a, const TagPattern& b) {
  return a.value == b.value && a.mask == b.mask && a.creator == b.creator &&
         a.odd_groups_only == b.odd_groups_only && a.even_groups_only == b.even_groups_only;
}

bool Same(const Selector& a, const Selector& b) {
  if (!(a.vrs == b.vrs) || a.anchored != b.anchored || a.path.size() != b.path.size()) return false;
  for (std::size_t i = 0; i < a.path.size(); ++i) {
    if (!Same(a.path[i], b.path[i])) return false;
  }
  return true;
}

bool NamesAnIdentifier(const Attribute& attribute) {
  if (attribute.vrs.intersects({Vr::PN, Vr::DA})) return true;
  if (!attribute.vrs.intersects(kTextVrs)) return false;
  for (const std::string_view ending :
       {"ID", "IDs", "Name", "Names", "Number", "Numbers", "Address"}) {
    if (attribute.keyword.ends_with(ending)) return true;
  }
  return false;
}

class Checker {
 public:
  Checker(const RuleBook& book, Diagnostics& diagnostics)
      : book_(book), diagnostics_(diagnostics) {}

  void Run() {
    CheckReach();
    CheckContainers();
    for (const RuleDraft& rule : book_.rules) CheckHash(rule);
    for (const auto& [spec, params] : book_.settings) CheckSalt(params);
    if (!book_.otherwise_keep.value_or(true)) CheckAllowList();
    if (book_.otherwise_keep.value_or(true) && !book_.imported) CheckPatient();
    if (book_.otherwise_keep.value_or(true)) CheckIdentity();
    CheckPrivate();
    CheckGuard();
  }

 private:
  void CheckGuard() {
    if (!book_.guard) return;
    if (!book_.guard->on) {
      diagnostics_.Warning(
          book_.guard->place,
          "the guard is off: NO OUTPUT IS SEARCHED for identifiers of its input",
          "leave it on and list what may stand where: guard: {except: [{tag: …, because: …}]}");
    }
    std::set<std::string> seen;
    for (const GuardExceptionDraft& draft : book_.guard->exceptions) {
      if (!seen.insert((draft.exception.tag ? "tag " : "text ") + draft.text).second) {
        diagnostics_.Warning(draft.place, draft.text + ": excepted twice");
      }
      if (draft.exception.tag && draft.exception.tag->mask == 0) {
        diagnostics_.Warning(draft.place, draft.text + ": excepts every element",
                             "guard: off says so plainly");
      }
    }
  }

  // A rule of an extended file that a rule of the extending file takes over is not worth a word:
  // that is what extending is for. So only rules of the same file are held against each other.
  void CheckReach() {
    std::map<const SourceFile*, std::vector<const Selector*>> earlier_of_file;
    for (std::size_t r = 0; r < book_.rules.size(); ++r) {
      const RuleDraft& rule = book_.rules[r];
      if (rule.spec->effect == Effect::kAdd || rule.of_profile) continue;
      std::vector<const Selector*>& earlier = earlier_of_file[rule.place.file];
      for (std::size_t s = 0; s < rule.selectors.size(); ++s) {
        const SelectorDraft& selector = rule.selectors[s];
        if (ListedBefore(rule, s)) {
          diagnostics_.Warning(selector.place, selector.text + ": listed twice in this rule");
        } else if (IsCovered(selector.selector, earlier)) {
          diagnostics_.Warning(selector.place,
                               "never reached: " + WhoDecides(r, selector) + " first");
        }
      }
      if (!Decides(rule)) continue;
      for (const SelectorDraft& selector : rule.selectors) earlier.push_back(&selector.selector);
    }
  }

  static bool Decides(const RuleDraft& rule) {
    return !rule.when && !rule.of_profile && rule.spec->effect != Effect::kAdd;
  }

  static bool ListedBefore(const RuleDraft& rule, std::size_t index) {
    for (std::size_t i = 0; i < index; ++i) {
      if (Same(rule.selectors[i].selector, rule.selectors[index].selector)) return true;
    }
    return false;
  }

  // "rules.yaml:7 decides PatientID", or the first of several that do it together.
  std::string WhoDecides(std::size_t before, const SelectorDraft& draft) const {
    const std::string what = " " + Spell(draft.selector);
    std::vector<const Selector*> earlier;
    std::string last;
    for (std::size_t e = 0; e < before; ++e) {
      const RuleDraft& other = book_.rules[e];
      if (!Decides(other) || other.place.file != book_.rules[before].place.file) continue;
      std::vector<const Selector*> own;
      for (const SelectorDraft& selector : other.selectors) {
        own.push_back(&selector.selector);
        earlier.push_back(&selector.selector);
      }
      last = At(other);
      if (IsCovered(draft.selector, own)) return last + " decides" + what;
      if (IsCovered(draft.selector, earlier)) break;
    }
    return last + " and rules before it decide" + what;
  }

  // A path leads through sequences. If one of them goes or is emptied for certain, nothing behind
  // it is ever looked at.
  void CheckContainers() {
    for (const RuleDraft& rule : book_.rules) {
      // A row for a place that a rule of the file takes away is no mistake.
      if (rule.of_profile) continue;
      for (const SelectorDraft& selector : rule.selectors) {
        if (selector.selector.by_vr()) continue;
        const std::vector<TagPattern>& path = selector.selector.path;
        for (std::size_t i = 0; i + 1 < path.size(); ++i) {
          const RuleDraft* owner = CertainOwner(path[i]);
          if (owner == nullptr || owner->spec->effect == Effect::kKeep) continue;
          if (owner->of_profile) {
            diagnostics_.Warning(selector.place,
                                 "never reached: the profile decides " + Spell(path[i]) + " (" +
                                     owner->origin + ") with all its items",
                                 "keep it with a rule in front");
            break;
          }
          diagnostics_.Warning(
              selector.place,
              "never reached: " + At(*owner) +
                  (owner->spec->effect == Effect::kRemove ? " removes " : " empties ") +
                  Spell(path[i]) + " with all its items");
          break;
        }
      }
    }
  }

  // The rule that decides the sequence wherever it stands, if that is certain.
  const RuleDraft* CertainOwner(const TagPattern& sequence) const {
    Selector as_selector;
    as_selector.path.push_back(sequence);
    for (const RuleDraft& rule : book_.rules) {
      if (rule.spec->effect == Effect::kAdd) continue;
      for (const SelectorDraft& draft : rule.selectors) {
        const Selector* one = &draft.selector;
        if (!one->by_vr()) {
          const TagPattern& last = one->path.back();
          // Nearly all rules name another attribute, and each step of a path asks all of them.
          const bool other = last.is_exact() && sequence.is_exact() && last.value != sequence.value;
          if (other || !MayMeet(last, sequence)) continue;
        }
        if (!rule.when && IsCovered(as_selector, {&one, 1})) return &rule;
        if (!one->by_vr() || one->vrs.contains(Vr::SQ)) return nullptr;
      }
    }
    return nullptr;
  }

  void CheckHash(const RuleDraft& rule) {
    CheckSalt(rule.with);
    if (rule.spec->name != "hash" && rule.spec->name != "ctp-hash") return;
    for (const SelectorDraft& draft : rule.selectors) {
      const Selector& selector = draft.selector;
      bool identifying = false;
      if (selector.by_vr()) {
        identifying = selector.vrs.intersects({Vr::PN, Vr::DA});
      } else if (const Attribute* attribute = AttributeOf(selector.path.back())) {
        identifying = NamesAnIdentifier(*attribute);
      }
      if (!identifying) continue;
      diagnostics_.Warning(
          rule.action_place,
          "a plain hash of an identifier can be reversed by trying all of them: " + Spell(selector),
          "use crypto-hash");
    }
  }

  void CheckSalt(const ParamTexts& params) {
    const auto it = params.find("salt");
    if (it == params.end() || it->second.text.empty()) return;
    diagnostics_.Warning(it->second.place,
                         "salt: a secret in a rule file is known to all who read the file",
                         "use crypto-hash with a key file");
  }

  void CheckAllowList() {
    std::vector<std::string_view> lost;
    for (const std::string_view keyword :
         {"SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"}) {
      const RuleDraft* rule = FirstFor(book_, *FindKeyword(keyword));
      if (rule == nullptr || rule->spec->effect == Effect::kRemove) lost.push_back(keyword);
    }
    if (lost.empty()) return;
    diagnostics_.Warning(book_.otherwise_place,
                         "otherwise: remove takes what no rule keeps: " + Join(lost),
                         "keep SOPClassUID and refresh the others with refresh-uid");
  }

  // An instance that lost one of these is quarantined, so such a rule set writes nothing at all.
  void CheckIdentity() {
    for (const std::string_view keyword : {"SOPClassUID", "SOPInstanceUID"}) {
      const RuleDraft* rule = FirstFor(book_, *FindKeyword(keyword));
      if (rule == nullptr || rule->when) continue;
      const bool removes = rule->spec->effect == Effect::kRemove;
      if (!removes && rule->spec->name != "redact") continue;
      diagnostics_.Warning(rule->action_place,
                           std::string(removes ? "removes " : "empties ") + std::string(keyword) +
                               ", and no instance can be written without it",
                           "keep SOPClassUID and refresh SOPInstanceUID with refresh-uid");
    }
  }

  void CheckPatient() {
    std::vector<std::string_view> passing;
    for (const std::string_view keyword : {"PatientName", "PatientID", "PatientBirthDate"}) {
      if (FirstFor(book_, *FindKeyword(keyword)) == nullptr) passing.push_back(keyword);
    }
    if (passing.empty()) return;
    diagnostics_.Warning(book_.otherwise_keep ? book_.otherwise_place : book_.place,
                         "no rule decides " + Join(passing) + ": passed on unchanged");
  }

  void CheckPrivate() {
    const RuleDraft* first_vr_rule = nullptr;
    for (const RuleDraft& rule : book_.rules) {
      for (const SelectorDraft& draft : rule.selectors) {
        const Selector& selector = draft.selector;
        if (selector.by_vr()) {
          if (first_vr_rule == nullptr && rule.spec->effect != Effect::kKeep) first_vr_rule = &rule;
          continue;
        }
        const TagPattern any_private{.value = 0, .mask = 0, .creator = {}, .odd_groups_only = true};
        if (selector.path.size() == 1 && MayMeet(selector.path.front(), any_private)) return;
      }
    }
    if (first_vr_rule == nullptr) return;
    diagnostics_.Note(first_vr_rule->place,
                      "private elements have no VR to rely on: those that no other rule decides "
                      "are removed",
                      "say so with {group: odd, action: remove}, or keep some with private:");
  }

  const RuleBook& book_;
  Diagnostics& diagnostics_;
};

}  // namespace

void Check(const RuleBook& book, Diagnostics& diagnostics) { Checker(book, diagnostics).Run(); }

const RuleDraft* FirstFor(const RuleBook& book, const Attribute& attribute) {
  for (const RuleDraft& rule : book.rules) {
    if (rule.spec == nullptr || rule.spec->effect == Effect::kAdd) continue;
    for (const SelectorDraft& draft : rule.selectors) {
      if (MatchesAtTop(draft.selector, attribute)) return &rule;
    }
  }
  return nullptr;
}

}  // namespace dcmveil::rules
