// SPDX-License-Identifier: Apache-2.0
#include "rules/import/deid.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "engine/dictionary.h"
#include "rules/import/clause.h"
#include "rules/import/deid_action.h"
#include "rules/import/deid_field.h"
#include "rules/import/deid_filter.h"
#include "rules/import/deid_recipe.h"
#include "rules/import/fitting.h"
#include "rules/profile_tables.h"

namespace dcmveil::rules {
namespace {

using Kind = DeidDecision::Kind;

constexpr const char* kHint =
    "import deid reads recipes of pydicom/deid: FORMAT dicom, %header, REMOVE PatientName";

// deid leaves them as they are; an expander does not mean them.
constexpr std::array<std::string_view, 5> kProtected{
    "PixelData", "RedPaletteColorLookupTableData", "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableData", "VOILUTSequence"};

/// A rule that decides many elements at once, behind those that name elements.
struct WideRule {
  const DeidStep* step = nullptr;
  VrSet vrs;         ///< by VR
  std::string mask;  ///< or by tag: "0018xxxx"
  std::string action;
  [[nodiscard]] bool Matches(const DeidTarget& target) const {
    return mask.empty() ? target.vrs() == vrs : MaskMeans(mask, target);
  }
};

class DeidImporter {
 public:
  DeidImporter(DeidRecipe recipe, const std::string& name)
      : recipe_(std::move(recipe)), file_("deid", name) {}

  Imported Run() {
    file_.head.emplace_back(
        "Items of sequences are always decided element by element by these same rules; deid leaves "
        "those of a sequence that is kept as they are.");
    for (const DeidAction& note : recipe_.notes)
      file_.head.push_back("label: " + Plain(note.field));
    Steps();
    if (!steps_.empty() || recipe_.labels.empty()) {
      Header();
    } else {
      file_.profile = "basic";
      file_.head.emplace_back(
          "The recipe says nothing about elements: the basic profile decides them here. To have "
          "the rules of another file, put its name in the place of basic.");
    }
    for (const DeidLabel& label : recipe_.labels) Label(label);
    for (const DeidAction& line : recipe_.unknown) {
      LeftOut(line.line, Plain(line.field, 60), "deid does not know this line and passes over it");
    }
    if (!recipe_.format) file_.Lint("FORMAT dicom is missing");
    return file_.Finish();
  }

 private:
  void LeftOut(int line, const std::string& what, const std::string& why) {
    file_.Replaced(line, what, why + "; it is left out");
    file_.Lint(AtLine(line, what + ": " + why + "; it was left out"));
  }

  // ---- The lines of the header -------------------------------------------------------------

  void Steps() {
    for (const DeidAction& action : recipe_.header) {
      DeidFieldResult read = ReadDeidField(action.field, recipe_);
      const std::string what = action.Shown();
      for (const auto& [line, problem] : read.skipped) {
        if (skipped_.insert(line).second) LeftOut(line, problem, "deid finds nothing by it");
      }
      if (action.action == "KEEP" &&
          (!action.capitals || !action.spaced || FindKeyword(action.field) == nullptr)) {
        LeftOut(action.line, what, WhyNotKept(action));
        continue;
      }
      if (!read.field && read.may_be_any && action.action != "ADD") {
        file_.Replaced(action.line, what, read.problem);
        read.field.emplace();
        read.field->kind = DeidField::Kind::kValues;
      }
      if (!read.field) {
        LeftOut(action.line, what, read.problem);
        continue;
      }
      DeidStep step{&action, std::move(*read.field), false};
      const bool values = step.field.kind == DeidField::Kind::kValues;
      if (action.action == "ADD" && step.field.kind != DeidField::Kind::kOne) {
        LeftOut(action.line, what, "only one element can be added");
        continue;
      }
      if (!action.capitals || !action.spaced) {
        const std::string why = action.capitals ? "deid finds no field behind two blanks or a tab"
                                                : "deid passes over actions in small letters";
        if (action.action == "ADD") {
          LeftOut(action.line, what, why);
          continue;
        }
        file_.Lint(AtLine(action.line, what + ": " + why + "; here it is carried out"));
      }
      if (step.field.spans()) {
        file_.Replaced(action.line, what,
                       "asked of elements' own names; with the names of sequences in front of them "
                       "deid may find more");
      }
      step.conditional = values || (action.action == "REMOVE" && !action.value.empty());
      steps_.push_back(std::move(step));
    }
  }

  static std::string WhyNotKept(const DeidAction& action) {
    if (!action.capitals) return "deid does not know actions in small letters";
    if (!action.spaced) return "deid finds no field behind two blanks or a tab";
    return "deid keeps what a keyword names, and in some versions nothing else";
  }

  void Header() {
    WideRules();
    for (const Attribute& attribute : AllAttributes()) {
      if (EngineDecides(attribute.tag)) continue;
      // What is named for the top level may go in items.
      const DeidTarget all = TargetOf(attribute);
      const DeidTarget top = TopOf(attribute);
      if (OutcomeOf(Decide(steps_, top), top.vrs()).action !=
          OutcomeOf(Decide(steps_, all), all.vrs()).action) {
        Element(top);
      }
      Element(all);
    }
    for (const DeidStep& step : steps_) Named(step.field);
    Write();
    FindLint();
  }

  // Elements that no dictionary has, or in one place.
  void Named(const DeidField& field) {
    for (const DeidField& inner : field.fields) Named(inner);
    if (field.kind != DeidField::Kind::kOne) return;
    const DeidTarget& one = field.one;
    if (one.creator.empty() && EngineDecides(*one.tag)) {
      file_.Note(0, one.what, "the file meta information is made afresh; no rule is needed");
    } else if (one.narrow() || one.attribute == nullptr) {
      if (named_.insert(one.selector).second) Element(one);
    }
  }

  // What is written by VR or group, or is left to `otherwise`.
  void WideRules() {
    const DeidTarget any = UnknownElement();
    std::vector<const DeidStep*> open;
    for (const DeidStep& step : steps_) {
      if (step.field.open() || step.field.kind == DeidField::Kind::kValues) open.push_back(&step);
      Wide(step, step.field);
    }
    // What is removed stays so, and what is blank is not moved.
    const auto rank = [](const WideRule& rule) {
      const std::string& action = rule.step->action->action;
      return action == "REMOVE" ? 0 : action == "BLANK" ? 1 : 2;
    };
    std::stable_sort(wide_.begin(), wide_.end(), [&](const WideRule& a, const WideRule& b) {
      return std::tuple(rank(a), -a.step->action->line) <
             std::tuple(rank(b), -b.step->action->line);
    });
    if (open.empty()) return;
    const DeidDecision decision = Decide(steps_, any);
    open_ = decision.step;
    if (decision.kind == Kind::kNothing || decision.kind == Kind::kKeep) return;
    file_.otherwise_keep = false;
    if (!open_->field.all() && open_->field.kind != DeidField::Kind::kValues) {
      replaced_[{open_->action->line,
                 "which elements that no dictionary has this means cannot be told; all of them are "
                 "decided by it, or go"}]
          .push_back(open_->action->Shown());
    }
    if (decision.kind == Kind::kRemove && !decision.step->conditional) return;
    // Else it depends on the VR what becomes of an element.
    for (int i = 0; i < kVrCount; ++i) {
      DeidTarget target = any;
      Attribute attribute;
      attribute.vrs = VrSet(static_cast<Vr>(i));
      target.attribute = &attribute;
      const DeidDecision of_vr = Decide(steps_, target);
      if (of_vr.step != nullptr && !of_vr.step->field.open() &&
          of_vr.step->field.kind != DeidField::Kind::kValues) {
        continue;
      }
      DeidOutcome outcome = OutcomeOf(of_vr, attribute.vrs);
      if (outcome.action.empty()) outcome.action = "action: keep";
      if (outcome.action == "action: remove") continue;
      wide_.push_back({decision.step, attribute.vrs, {}, outcome.action});
    }
  }

  // `field`: that of the line, or one of its list.
  void Wide(const DeidStep& step, const DeidField& field) {
    for (const DeidField& inner : field.fields) Wide(step, inner);
    DeidTarget target = UnknownElement();
    if (field.kind == DeidField::Kind::kVr) {
      Attribute attribute;
      attribute.vrs = field.vr;
      target.attribute = &attribute;
      // A line that others outdo for all elements is none.
      if (Decide(steps_, target).step != &step) return;
      wide_.push_back({&step, field.vr, {}, OutcomeOf(Single(step), field.vr).action});
      return;
    }
    std::vector<std::string> masks = field.masks;
    if (field.kind == DeidField::Kind::kGroup) {
      char group[8];
      std::snprintf(group, sizeof group, "%04X", static_cast<unsigned>(field.group));
      masks.push_back(std::string(group) + "xxxx");
    }
    for (const std::string& mask : masks) {
      // Any of its elements that the dictionary does not have.
      std::string digits = mask;
      std::replace(digits.begin(), digits.end(), 'x', 'E');
      std::uint32_t number = 0;
      std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
      target.tag = Tag(static_cast<std::uint16_t>(number >> 16U),
                       static_cast<std::uint16_t>(number & 0xFFFFU));
      if (Decide(steps_, target).step != &step) continue;
      const bool removes = step.action->action == "REMOVE";
      if (!removes && step.action->action != "BLANK") {
        differs_.emplace(step.action->line,
                         "elements of these tags that no dictionary has become empty");
      }
      wide_.push_back({&step, {}, mask, removes ? "action: remove" : "action: redact"});
    }
  }

  // As if the line stood alone.
  static DeidDecision Single(const DeidStep& step) {
    const std::string& action = step.action->action;
    const Kind kind = action == "KEEP"     ? Kind::kKeep
                      : action == "REMOVE" ? Kind::kRemove
                      : action == "BLANK"  ? Kind::kBlank
                      : action == "JITTER" ? Kind::kJitter
                                           : Kind::kReplace;
    return {kind, &step, 0};
  }

  // ---- Elements ----------------------------------------------------------------------------

  /// Elements that one rule decides.
  struct Key {
    int line = 0;
    std::string action;
    std::uint64_t vrs = 0;
    auto operator<=>(const Key&) const = default;
  };
  struct Group {
    const DeidStep* step = nullptr;
    DeidOutcome outcome;
    std::vector<DeidTarget> targets;
  };

  void Element(const DeidTarget& target) {
    DeidDecision decision = Decide(steps_, target);
    const bool protects =
        std::find(kProtected.begin(), kProtected.end(), target.what) != kProtected.end();
    const bool by_name =
        decision.step != nullptr && decision.step->field.kind == DeidField::Kind::kOne;
    DeidOutcome outcome = OutcomeOf(decision, target.vrs());
    if (protects && !by_name) {
      outcome = {"action: keep", false, {}, {}};
      decision.step = nullptr;
      lookup_tables_ = lookup_tables_ || target.what == "VOILUTSequence";
    }
    if (protects && by_name && outcome.action != "action: keep") {
      differs_.emplace(decision.step->action->line, "deid leaves this element as it is");
    }
    if (decision.kind == Kind::kNothing) untouched_.insert(target.tag->number());
    if (decision.kind == Kind::kKeep) kept_.push_back(target);
    const std::string by_rest = Rest(target);
    const std::string wanted = outcome.action.empty() ? "action: keep" : outcome.action;
    if ((target.what == "LUTDescriptor" || target.what == "LUTData") && wanted != "action: keep") {
      lookup_items_.push_back("VOILUTSequence/" + target.what);
    }
    if (!outcome.replaced.empty() && decision.step != nullptr) {
      replaced_[{decision.step->action->line, outcome.replaced}].push_back(target.what);
    }
    if (!outcome.differs.empty() && decision.step != nullptr) {
      differs_.emplace(decision.step->action->line, outcome.differs);
    }
    if (by_rest == wanted && !outcome.adds && !target.narrow()) return;
    // A text may be illegal in some VRs; the others shall not go with them.
    const bool by_vr = wanted.starts_with("action: replace");
    std::uint64_t vrs = 0;
    for (int i = 0; by_vr && i < kVrCount; ++i) {
      if (target.vrs().contains(static_cast<Vr>(i))) vrs |= std::uint64_t{1} << i;
    }
    const int line = decision.step == nullptr ? 0 : decision.step->action->line;
    Group& group = groups_[{line, wanted, vrs}];
    group.step = decision.step;
    outcome.action = wanted;
    group.outcome = outcome;
    group.targets.push_back(target);
  }

  // What decides an element that is not named.
  [[nodiscard]] std::string Rest(const DeidTarget& target) const {
    for (const WideRule& rule : wide_) {
      const bool some = !rule.mask.empty() && target.repeats();
      if (rule.Matches(target)) return some ? std::string() : rule.action;
      // It may match by some of the VRs.
      if (rule.mask.empty() && target.vrs().intersects(rule.vrs)) return {};
    }
    if (target.tag->is_private()) return "action: remove";
    return file_.otherwise_keep ? "action: keep" : "action: remove";
  }

  void Write() {
    if (lookup_tables_ && !lookup_items_.empty()) {
      file_.rules.push_back({0,
                             {"VOI LUT Sequence stays, with what it is for"},
                             "- {path: [" + List(lookup_items_) + "], action: keep}",
                             {},
                             "VOILUTSequence"});
    }
    // Elements in one place come in front of those in all places.
    for (const bool in_place : {true, false}) {
      for (auto& [key, group] : groups_) WriteGroup(key, group, in_place);
    }
    std::map<std::pair<const DeidStep*, std::string>, std::vector<std::string>> by_vr;
    for (const WideRule& rule : wide_) {
      if (!rule.mask.empty()) {
        Rule(rule.step, "tag: " + Quoted(rule.mask), rule.action, {}, rule.mask);
        continue;
      }
      const std::string vr(ToString(rule.vrs.first()));
      if (!rule.step->field.open()) {
        Rule(rule.step, "vr: " + vr, rule.action, {}, "VR " + vr);
      } else {
        by_vr[{rule.step, rule.action}].push_back(vr);
      }
    }
    for (const auto& [key, vrs] : by_vr) {
      Rule(key.first, "vr: [" + List(vrs) + "]", key.second, {}, "all elements");
    }
    Remarks();
    if (file_.otherwise_keep) {
      file_.rules.push_back({0,
                             {"private elements that no line names go; in deid it depends on the "
                              "call (remove_private)"},
                             "- {group: odd, action: remove}",
                             {},
                             {}});
    }
    if (open_ != nullptr) {
      file_.head.push_back(AtLine(open_->action->line,
                                  open_->action->Shown() + " decides what no other rule names."));
    }
  }

  void WriteGroup(const Key& key, const Group& group, bool in_place) {
    std::vector<std::string> tags;
    for (const DeidTarget& target : group.targets) {
      if (target.narrow() != in_place) continue;
      constexpr std::string_view kTag = "tag: ";
      if (target.selector.starts_with(kTag)) {
        tags.push_back(target.selector.substr(kTag.size()));
      } else {
        Rule(group.step, target.selector, key.action, group.outcome, target.what);
      }
    }
    if (tags.empty()) return;
    Rule(group.step, tags.size() == 1 ? "tag: " + tags[0] : "tag: [" + List(tags) + "]", key.action,
         group.outcome, group.targets.front().what);
  }

  void Rule(const DeidStep* step, const std::string& selector, const std::string& action,
            const DeidOutcome& outcome, const std::string& what) {
    std::vector<std::string> comments;
    const int line = step == nullptr ? 0 : step->action->line;
    if (step == nullptr) {
      comments.emplace_back(
          "these stay: deid leaves them as they are, or they describe the pixels");
    } else if (commented_.insert(step).second) {
      comments.push_back(AtLine(line, step->action->Shown()));
      for (const auto& [at, whats] : replaced_) {
        if (at.first == line) comments.push_back("REPLACED: " + at.second);
      }
      for (const auto& [at, text] : differs_) {
        if (at == line) comments.push_back("differs: " + text);
      }
    }
    std::string fallback;
    if (action != "action: remove") fallback = "- {" + selector + ", action: remove}";
    file_.rules.push_back(
        {line, std::move(comments), "- {" + selector + ", " + action + "}", fallback, what});
    if (outcome.adds) {
      std::string add = action;
      add.replace(0, std::string_view("action: replace").size(), "action: add");
      file_.rules.push_back({line, {}, "- {" + selector + ", " + add + "}", {}, what});
    }
  }

  void Remarks() {
    for (const auto& [at, whats] : replaced_) {
      const std::string which =
          whats.size() == 1 ? whats[0]
                            : whats[0] + " and " + std::to_string(whats.size() - 1) + " more";
      file_.Replaced(at.first, which, at.second);
    }
    for (const auto& [line, text] : differs_) file_.Note(line, "header", text);
  }

  // ---- Filters -----------------------------------------------------------------------------

  void Label(const DeidLabel& label) {
    const std::string what = Plain(label.name.empty() ? label.filter : label.name, 60);
    if (label.lines.empty() && label.coordinates == 0) {
      file_.Lint(AtLine(label.line, what + ": a label without criteria flags nothing"));
      return;
    }
    std::string filter = label.filter;
    std::transform(filter.begin(), filter.end(), filter.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (filter == "whitelist" && label.coordinates == 0) {
      LeftOut(label.line, what, "what it lets pass is judged by the other filters alone");
      return;
    }
    for (const DeidCriteria& line : label.lines) {
      if (!line.joined && &line != &label.lines.front()) {
        file_.Lint(AtLine(line.line,
                          "without + or || it is joined by and, as deid's program does; "
                          "its documentation reads as if it was or"));
      }
    }
    std::vector<DeidFilterRemark> remarks;
    const Clause when = TranslateDeidLabel(label, remarks);
    std::vector<std::string> comments{
        AtLine(label.line, "%filter " + Plain(label.filter, 40) + ", LABEL " + what)};
    if (label.coordinates > 0) {
      const std::string text = "pixels cannot be cleaned; such instances are rejected";
      file_.Replaced(label.line, what, text);
      comments.push_back("REPLACED: " + text);
    }
    for (const DeidFilterRemark& remark : remarks) {
      const std::string text = remark.text + "; more is rejected instead";
      file_.Replaced(remark.line, remark.criterion, text);
      comments.push_back("REPLACED: " + remark.criterion + ": " + text);
    }
    if (when.constant() == true) {
      file_.Lint(AtLine(label.line, what + ": every instance is rejected"));
    }
    const std::string because = ", because: " + Quoted(Plain(label.filter, 40) + ": " + what) + "}";
    file_.rejects.push_back({label.line, std::move(comments),
                             "- {when: {" + when.Entry() + "}" + because,
                             "- {when: {" + Clause::Constant(true).Entry() + "}" + because, what});
  }

  // ---- Findings ----------------------------------------------------------------------------

  void FindLint() {
    for (const std::string_view keyword : {"SOPClassUID", "SOPInstanceUID"}) {
      const DeidDecision decision = Decide(steps_, TopOf(*FindKeyword(keyword)));
      const bool stays = decision.kind == Kind::kNothing || decision.kind == Kind::kKeep ||
                         OutcomeOf(decision, Vr::UI).action == "action: refresh-uid";
      if (!stays) file_.Lint(std::string(keyword) + " goes, and without it no instance is written");
    }
    std::vector<std::string> exposed;
    std::vector<std::string> descriptors;
    for (const ProfileRow& row : BasicRows()) {
      if (row.odd_groups || row.keyword.empty()) continue;
      const Tag tag(static_cast<std::uint16_t>(row.value >> 16U),
                    static_cast<std::uint16_t>(row.value & 0xFFFFU));
      if (file_.otherwise_keep && !EngineDecides(tag) && untouched_.contains(tag.number())) {
        exposed.emplace_back(row.keyword);
      }
      const bool kept = std::any_of(kept_.begin(), kept_.end(), [&](const DeidTarget& target) {
        return target.creator.empty() && row.Matches(*target.tag);
      });
      if (kept && CodeFor(row.by_option, Option::kCleanDescriptors) == ProfileCode::kC) {
        descriptors.emplace_back(row.keyword);
      }
    }
    if (!descriptors.empty()) {
      file_.Lint(
          "free text that is kept as it was typed; the action clean takes out what identifies: " +
          List(descriptors));
    }
    if (!exposed.empty()) {
      file_.Lint(std::to_string(exposed.size()) + " attributes that the basic profile of " +
                 std::string(ProfileEdition()) +
                 " protects have no rule and pass: " + List(exposed));
    }
  }

  DeidRecipe recipe_;
  RuleFile file_;
  std::vector<DeidStep> steps_;
  std::vector<WideRule> wide_;
  bool lookup_tables_ = false;             ///< VOI LUT Sequence stays
  std::vector<std::string> lookup_items_;  ///< and these in it, though not elsewhere
  const DeidStep* open_ = nullptr;         ///< decides what is not named
  std::map<Key, Group> groups_;
  std::map<std::pair<int, std::string>, std::vector<std::string>> replaced_;
  std::set<std::pair<int, std::string>> differs_;
  std::set<std::string> named_;
  std::set<int> skipped_;  ///< lines that have been said
  std::set<std::uint32_t> untouched_;
  std::vector<DeidTarget> kept_;
  std::set<const DeidStep*> commented_;
};

}  // namespace

Imported ImportDeid(const std::string& text, const std::string& name) {
  RequireText(name, text, kHint);
  std::variant<DeidRecipe, std::vector<DeidError>> recipe = ReadDeidRecipe(text);
  if (const auto* errors = std::get_if<std::vector<DeidError>>(&recipe)) {
    std::vector<Diagnostic> diagnostics;
    for (const DeidError& error : *errors) {
      diagnostics.push_back(Refusal(name, error.line, error.message, kHint).diagnostics().front());
    }
    throw RuleError(std::move(diagnostics));
  }
  return DeidImporter(std::move(std::get<DeidRecipe>(recipe)), name).Run();
}

}  // namespace dcmveil::rules
