// SPDX-License-Identifier: Apache-2.0
#include "rules/compile.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include "engine/escrow_plan.h"
#include "engine/instance.h"
#include "engine/path.h"
#include "engine/value.h"

namespace dcmveil::rules {
namespace {

using engine::ActionSpec;
using engine::Effect;
using engine::TagPattern;

constexpr std::size_t kNamesInMessage = 3;

bool IsPixelData(Tag tag) {
  return tag == Tag(0x7FE0, 0x0010) || tag == Tag(0x7FE0, 0x0008) || tag == Tag(0x7FE0, 0x0009);
}

std::string_view FormOf(Vr vr) {
  switch (vr) {
    case Vr::AS:
      return "an age is three digits and D, W, M or Y: 045Y";
    case Vr::AT:
      return "it holds a tag: (0010,0020)";
    case Vr::CS:
      return "at most 16 capitals, digits, blanks and underscores";
    case Vr::DA:
      return "a date is YYYYMMDD";
    case Vr::DT:
      return "a date and time is YYYYMMDDHHMMSS.FFFFFF&ZZXX";
    case Vr::TM:
      return "a time is HHMMSS.FFFFFF";
    case Vr::UI:
      return "a UID is digits and dots, at most 64 characters";
    case Vr::AE:
    case Vr::SH:
      return "at most 16 characters on one line";
    case Vr::LO:
      return "at most 64 characters on one line";
    case Vr::PN:
      return "at most 64 characters in a group, with ^ between a name's parts";
    default:
      return kNumberVrs.contains(vr) || vr == Vr::DS || vr == Vr::IS ? "it holds numbers"
                                                                     : std::string_view();
  }
}

// Whether the text may stand in an element of the VR; what only a character set can tell passes.
bool IsLegal(Vr vr, const std::string& text) {
  if (text.empty()) return true;
  if (!(kTextVrs | kNumberVrs | VrSet(Vr::AT)).contains(vr)) return true;
  const engine::Instance instance;
  const engine::Path path;
  const engine::Element element{Tag(), vr, {}, path, instance};
  const engine::Change change = engine::SetFromRule(element, text);
  return change.kind != engine::Change::Kind::kFail || change.error != ErrorCode::kVrUnsupported;
}

bool IsLegalForAny(VrSet vrs, const std::string& text) {
  for (int i = 0; i < kVrCount; ++i) {
    const Vr vr = static_cast<Vr>(i);
    if (vrs.contains(vr) && IsLegal(vr, text)) return true;
  }
  return false;
}

const TagPattern* LastStep(const SelectorDraft& draft) {
  return draft.selector.by_vr() ? nullptr : &draft.selector.path.back();
}

const ParamTexts& SettingsOf(const RuleBook& book, const ActionSpec* spec) {
  static const ParamTexts kNone;
  const auto it = book.settings.find(spec);
  return it == book.settings.end() ? kNone : it->second;
}

// A pseudonym from a table needs no key, any other does; the spec cannot say so.
bool DerivesPseudonyms(const RuleBook& book, const RuleDraft& draft) {
  if (draft.spec->name != "pseudonym") return false;
  const ParamTexts& settings = SettingsOf(book, draft.spec);
  if (!draft.with.contains("table") && !settings.contains("table")) return true;
  for (const ParamTexts* params : {&draft.with, &settings}) {
    if (const auto it = params->find("missing"); it != params->end()) {
      return it->second.text == "derive";
    }
  }
  return false;
}

class Compiler {
 public:
  Compiler(const RuleBook& book, const Key* key, Diagnostics& diagnostics)
      : book_(book), key_(key), diagnostics_(diagnostics) {}

  Compiled Run() {
    for (const RuleDraft& draft : book_.rules) CompileRule(draft);
    if (book_.profile) out_.parts.profile = CompileProfile(*book_.profile);
    if (book_.rejects) {
      for (const RejectDraft& reject : *book_.rejects) {
        out_.parts.rejects.push_back({reject.when, reject.because, Origin(reject.place)});
      }
    }
    if (book_.escrow && key_ != nullptr) CompileEscrow(*book_.escrow);
    out_.parts.guard = !book_.guard || book_.guard->on;
    if (book_.guard) {
      for (const GuardExceptionDraft& draft : book_.guard->exceptions) {
        out_.parts.guard_exceptions.push_back(draft.exception);
      }
    }
    if (book_.escrow) {
      engine::GuardException ciphertext;
      ciphertext.tag = engine::TagPattern{.value = 0x04000520, .creator = {}};
      ciphertext.because = "encrypted: in noise of that length short words turn up by chance";
      out_.parts.guard_exceptions.push_back(std::move(ciphertext));
    }
    out_.parts.otherwise_keep = book_.otherwise_keep.value_or(true);
    out_.parts.otherwise_origin =
        book_.otherwise_keep ? Origin(book_.otherwise_place) : std::string("default");
    out_.parts.mark = book_.mark.value_or(true);
    out_.parts.name = book_.name;
    return std::move(out_);
  }

 private:
  void CompileEscrow(const EscrowDraft& draft) {
    auto plan = std::make_shared<engine::EscrowPlan>();
    plan->attributes = draft.attributes;
    plan->all_replaced = draft.all_replaced;
    plan->recipients = draft.recipients;
    plan->key = std::make_shared<const Key>(key_->Derive("escrow"));
    plan->origin = Origin(draft.place);
    out_.parts.escrow = std::move(plan);
    for (const std::string& text : draft.contents_read) out_.contents_read.push_back(text);
  }

  // The table says exactly what these do; the others leave something to choose.
  const ParamTexts& SettingsFor(const RuleDraft& draft) const {
    static const ParamTexts kNone;
    constexpr std::array<std::string_view, 4> kExact{"keep", "remove", "redact", "dummy"};
    const bool exact = std::find(kExact.begin(), kExact.end(), draft.spec->name) != kExact.end();
    return draft.of_profile && exact ? kNone : SettingsOf(book_, draft.spec);
  }

  // A rule of the profile that no selector leads to. REQUIRES: the draft has a spec.
  engine::Rule CompileDirect(const RuleDraft& draft) {
    engine::Rule rule;
    const ParamTexts& settings = SettingsFor(draft);
    const std::optional<engine::Params> params =
        MergeParams(*draft.spec, settings, draft.with, draft.action_place, diagnostics_);
    rule.spec = draft.spec;
    if (params) rule.action = Make(draft, settings, *params);
    rule.origin = draft.origin;
    rule.of_profile = true;
    return rule;
  }

  engine::ProfileParts CompileProfile(const ProfileDraft& draft) {
    engine::ProfileParts parts = draft.parts;
    for (const ContentDraft& item : draft.content) {
      engine::ContentRule rule{item.code, item.scheme, item.value_type, {}};
      rule.rule.origin = item.rule.origin;
      if (item.rule.spec != nullptr) rule.rule = CompileDirect(item.rule);
      parts.content.push_back(std::move(rule));
    }
    if (draft.other_text) parts.other_text = CompileDirect(*draft.other_text);
    if (draft.published_code) parts.published_code = CompileDirect(*draft.published_code);
    if (!draft.declared.empty()) {
      const auto rule = [&](std::size_t i) { return CompileDirect(draft.declared[i]); };
      parts.declared = {rule(0), rule(1), rule(2), rule(3), rule(4)};
    }
    return parts;
  }

  void CompileRule(const RuleDraft& draft) {
    if (draft.spec == nullptr) return;
    const ActionSpec& spec = *draft.spec;
    const ParamTexts& settings = SettingsFor(draft);
    const std::optional<engine::Params> params =
        MergeParams(spec, settings, draft.with, draft.action_place, diagnostics_);
    if (spec.effect == Effect::kAdd) {
      if (params) CompileAdd(draft, *params);
      return;
    }
    if (!draft.of_profile) CheckVrs(draft);
    if (!params) return;
    CheckValue(draft, settings, *params);
    CheckRoom(draft, settings, *params);
    engine::Rule rule;
    for (const SelectorDraft& selector : draft.selectors) {
      rule.selectors.push_back(selector.selector);
    }
    rule.when = draft.when;
    rule.spec = draft.spec;
    rule.action = Make(draft, settings, *params);
    rule.origin = draft.of_profile ? draft.origin : Origin(draft.place);
    rule.of_profile = draft.of_profile;
    rule.as_vr = draft.as_vr;
    rule.selector_text = draft.selector_text;
    rule.judge_sequences = params->Has("sequences") && params->Text("sequences") == "judge";
    out_.parts.rules.push_back(std::move(rule));
  }

  std::shared_ptr<const engine::Action> Make(const RuleDraft& draft, const ParamTexts& settings,
                                             const engine::Params& params) {
    if (draft.spec->make == nullptr) return nullptr;
    std::shared_ptr<const engine::Action>& made = made_[{draft.spec, draft.raw_key.get(), params}];
    if (made != nullptr) return made;
    engine::MakeContext context;
    context.key = draft.raw_key != nullptr ? draft.raw_key.get() : key_;
    context.raw_key = draft.raw_key != nullptr;
    std::shared_ptr<const engine::Action> action = draft.spec->make(params, context);
    // What reads files or complains does so for each rule.
    if (context.problems.empty() && context.contents_read.empty()) made = action;
    for (const auto& problem : context.problems) {
      diagnostics_.Error(
          PlaceOfParam(draft, settings, problem.param),
          problem.param.empty() ? problem.message : problem.param + ": " + problem.message);
    }
    for (std::string& text : context.contents_read) {
      out_.contents_read.push_back(std::move(text));
    }
    return action;
  }

  static Place PlaceOfParam(const RuleDraft& draft, const ParamTexts& settings,
                            std::string_view name) {
    if (const auto it = draft.with.find(name); it != draft.with.end()) return it->second.place;
    if (const auto it = settings.find(name); it != settings.end()) return it->second.place;
    return draft.action_place;
  }

  void CompileAdd(const RuleDraft& draft, const engine::Params& params) {
    const std::string& value = params.Text("value");
    for (const SelectorDraft& selector : draft.selectors) {
      const bool top_level = !selector.selector.by_vr() && selector.selector.path.size() == 1;
      const Attribute* attribute = top_level ? AttributeOf(*LastStep(selector)) : nullptr;
      if (attribute == nullptr || attribute->vrs.contains(Vr::SQ)) {
        diagnostics_.Error(selector.place,
                           selector.text +
                               ": add needs one standard attribute, "
                               "no sequence",
                           "write tag: with a keyword");
        continue;
      }
      std::optional<Vr> vr;
      for (int i = 0; i < kVrCount && !vr; ++i) {
        const Vr candidate = static_cast<Vr>(i);
        const bool writable = (kTextVrs | kNumberVrs | VrSet(Vr::AT)).contains(candidate);
        if (attribute->vrs.contains(candidate) && writable && IsLegal(candidate, value)) {
          vr = candidate;
        }
      }
      if (!vr) {
        diagnostics_.Error(PlaceOfParam(draft, {}, "value"), NotLegal(attribute->vrs, *attribute),
                           std::string(FormOf(attribute->vrs.first())));
        continue;
      }
      out_.parts.adds.push_back(
          {Tag(LastStep(selector)->value), *vr, value, draft.when, Origin(draft.place)});
    }
  }

  static std::string NotLegal(VrSet vrs, const Attribute& attribute) {
    return "value: not a legal " + ToString(vrs) + " for " + std::string(attribute.keyword);
  }

  // What `replace` writes must be legal where the rule names the place by tag or VR; under a mask
  // the engine fits it.
  void CheckValue(const RuleDraft& draft, const ParamTexts& settings,
                  const engine::Params& params) {
    if (draft.spec->name != "replace" || !params.Has("value")) return;
    const std::string& value = params.Text("value");
    const Place place = PlaceOfParam(draft, settings, "value");
    for (const SelectorDraft& selector : draft.selectors) {
      if (selector.selector.by_vr()) {
        const Vr vr = selector.selector.vrs.first();
        if (draft.spec->vrs.contains(vr) && !IsLegal(vr, value)) {
          diagnostics_.Error(place, "value: not a legal " + std::string(ToString(vr)),
                             std::string(FormOf(vr)));
        }
        continue;
      }
      const Attribute* attribute = AttributeOf(*LastStep(selector));
      if (attribute == nullptr) continue;
      const VrSet vrs = attribute->vrs & draft.spec->vrs;
      if (vrs.empty() || IsLegalForAny(vrs, value)) continue;
      diagnostics_.Error(place, NotLegal(vrs, *attribute), std::string(FormOf(vrs.first())));
    }
  }

  // A derived pseudonym always has the same length, so that it cannot fit is known beforehand.
  void CheckRoom(const RuleDraft& draft, const ParamTexts& settings, const engine::Params& params) {
    if (!DerivesPseudonyms(book_, draft)) return;
    const std::string longest =
        params.Text("prefix") +
        std::string(static_cast<std::size_t>(params.Integer("length")), '0');
    for (const SelectorDraft& selector : draft.selectors) {
      const Attribute* attribute =
          selector.selector.by_vr() ? nullptr : AttributeOf(*LastStep(selector));
      if (attribute == nullptr && !selector.selector.by_vr()) continue;
      const VrSet vrs =
          (attribute != nullptr ? attribute->vrs : selector.selector.vrs) & draft.spec->vrs;
      for (int i = 0; i < kVrCount; ++i) {
        const Vr vr = static_cast<Vr>(i);
        if (!vrs.contains(vr)) continue;
        const std::string where =
            " in " + std::string(ToString(vr)) + (attribute != nullptr ? ": " + selector.text : "");
        if (!engine::HasRoom(vr, longest)) {
          diagnostics_.Warning(
              PlaceOfParam(draft, settings, "prefix"),
              "prefix and code have no room" + where + ", so the element is always emptied",
              "shorten prefix or length");
        } else if (!engine::IsLegalText(vr, longest)) {
          diagnostics_.Warning(
              PlaceOfParam(draft, settings, "prefix"),
              "prefix is not legal" + where + ", so every instance that has it is quarantined",
              std::string(FormOf(vr)));
        }
      }
    }
  }

  void CheckVrs(const RuleDraft& draft) {
    const ActionSpec& spec = *draft.spec;
    const std::string name(spec.name);
    for (const SelectorDraft& selector : draft.selectors) {
      if (selector.selector.by_vr()) {
        if (!selector.selector.vrs.intersects(spec.vrs)) {
          diagnostics_.Error(selector.place,
                             name + " cannot take " + ToString(selector.selector.vrs));
        }
        continue;
      }
      const TagPattern& last = *LastStep(selector);
      if (!last.is_exact()) {
        CheckMask(draft, selector, last);
        continue;
      }
      const Attribute* attribute = AttributeOf(last);
      if (attribute == nullptr) continue;
      if (!attribute->vrs.intersects(spec.vrs)) {
        diagnostics_.Error(selector.place, name + " cannot take " + ToString(attribute->vrs) +
                                               ": " + std::string(attribute->keyword));
      } else if (IsPixelData(attribute->tag) && !spec.may_touch_pixels &&
                 spec.effect == Effect::kChange) {
        diagnostics_.Error(selector.place,
                           name + " cannot stand on " + std::string(attribute->keyword));
      }
    }
  }

  void CheckMask(const RuleDraft& draft, const SelectorDraft& selector, const TagPattern& pattern) {
    if (!pattern.creator.empty() || draft.spec->effect != Effect::kChange) return;
    std::size_t count = 0;
    std::string names;
    for (const Attribute& attribute : AllAttributes()) {
      const std::uint32_t common = pattern.mask & attribute.mask;
      if ((attribute.tag.number() & common) != (pattern.value & common)) continue;
      if (pattern.odd_groups_only || attribute.vrs.intersects(draft.spec->vrs)) continue;
      if (++count > kNamesInMessage) continue;
      if (!names.empty()) names += ", ";
      names += std::string(attribute.keyword) + " (" + ToString(attribute.vrs) + ")";
    }
    if (count == 0) return;
    if (count > kNamesInMessage) {
      names += " and " + std::to_string(count - kNamesInMessage) + " more";
    }
    diagnostics_.Warning(selector.place, std::string(draft.spec->name) + " cannot take all of " +
                                             selector.text + ": " + names);
  }

  const RuleBook& book_;
  const Key* key_;
  Diagnostics& diagnostics_;
  Compiled out_;
  /// Rules that ask for the same share an action: a profile has hundreds of them.
  std::map<std::tuple<const ActionSpec*, const Key*, engine::Params>,
           std::shared_ptr<const engine::Action>>
      made_;
};

}  // namespace

Compiled Compile(const RuleBook& book, const Key* key, Diagnostics& diagnostics) {
  return Compiler(book, key, diagnostics).Run();
}

std::optional<KeyUser> FirstThatNeedsKey(const RuleBook& book) {
  for (const RuleDraft& draft : book.rules) {
    if (draft.spec == nullptr || draft.raw_key != nullptr) continue;
    if (!draft.spec->needs_key && !DerivesPseudonyms(book, draft)) continue;
    return KeyUser{draft.of_profile ? "the profile" : std::string(draft.spec->name),
                   draft.action_place};
  }
  if (book.escrow) return KeyUser{"escrow", book.escrow->place};
  return std::nullopt;
}

}  // namespace dcmveil::rules
