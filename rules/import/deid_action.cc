// SPDX-License-Identifier: Apache-2.0
#include "rules/import/deid_action.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "rules/import/ctp_code.h"
#include "rules/import/fitting.h"
#include "rules/import/rule_file.h"

namespace dcmveil::rules {
namespace {

using Kind = DeidDecision::Kind;

constexpr VrSet kBinary{Vr::AT, Vr::FD, Vr::FL, Vr::OB, Vr::OD, Vr::OF, Vr::OL, Vr::OV,
                        Vr::OW, Vr::SL, Vr::SQ, Vr::SS, Vr::SV, Vr::UL, Vr::US, Vr::UV};
constexpr VrSet kOfPixels{Vr::CS, Vr::DS, Vr::IS};

std::optional<long> ReadDays(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  long days = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), days);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return std::clamp(days, -1000000L, 1000000L);
}

// "key=3" among the words of a function's parameters.
std::optional<std::string> Parameter(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.starts_with(key) && word.substr(key.size()).starts_with('=')) {
      return std::string(word.substr(key.size() + 1));
    }
  }
  return std::nullopt;
}

/// The value of ADD, REPLACE or JITTER.
struct Value {
  enum class Kind { kText, kForeign, kUid, kJitter };
  Kind kind = Kind::kText;
  std::string text;
  std::optional<long> days;
};

Value ReadValue(const DeidAction& action) {
  Value value;
  value.text = action.value;
  if (action.action == "JITTER") {
    value.kind = Value::Kind::kJitter;
    value.days = ReadDays(action.value);
    return value;
  }
  if (action.value.starts_with("var:") || action.value.starts_with("func:")) {
    value.kind = Value::Kind::kForeign;
    return value;
  }
  constexpr std::string_view kOwn = "deid_func:";
  if (!action.value.starts_with(kOwn)) return value;
  const std::string_view rest = std::string_view(action.value).substr(kOwn.size());
  const std::size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view function = rest.substr(0, end);
  constexpr std::array<std::string_view, 5> kUids{"basic_uuid", "simple_uuid", "pydicom_uuid",
                                                  "dicom_uuid", "suffix_uuid"};
  if (function == "jitter") {
    value.kind = Value::Kind::kJitter;
    const auto number = [&](std::string_view key, long otherwise) {
      const std::optional<std::string> text = Parameter(rest.substr(end), key);
      return text ? ReadDays(*text) : otherwise;
    };
    const std::optional<long> days = number("days", 1);
    const std::optional<long> years = number("years", 0);
    if (days && years) value.days = *days + *years * 365;
  } else if (std::find(kUids.begin(), kUids.end(), function) != kUids.end()) {
    value.kind = Value::Kind::kUid;
  } else {
    value.kind = Value::Kind::kForeign;
  }
  return value;
}

bool Moves(const DeidAction& action) {
  return action.action == "JITTER" || ReadValue(action).kind == Value::Kind::kJitter;
}

std::string Action(std::string_view name, const std::string& with = {}) {
  return "action: " + std::string(name) + (with.empty() ? "" : ", with: {" + with + "}");
}

DeidOutcome Jitter(const DeidDecision& decision, VrSet vrs) {
  const Value value = ReadValue(*decision.step->action);
  DeidOutcome out;
  if (vrs.empty() || !Takes(vrs, "date-shift")) {
    out.action = Action("redact");
    out.replaced = "only dates can be moved; redact stands in the place of what is none";
    return out;
  }
  out.action = Action("date-shift", DateShiftDays(decision.days));
  if (value.days) {
    out.differs =
        "each patient's dates move by a number of days that comes from the key; deid moves all "
        "patients' by the same";
  } else {
    out.replaced =
        "the number of days is not in the recipe; days of each patient's own, from the key, stand "
        "in its place";
  }
  return out;
}

DeidOutcome Pseudonym(VrSet vrs) {
  DeidOutcome out;
  const std::string_view action = vrs.empty() ? "redact" : PseudonymFor(vrs);
  out.action = Action(vrs == VrSet(Vr::SQ) ? "remove" : action);
  return out;
}

DeidOutcome Replace(const DeidDecision& decision, VrSet vrs) {
  const Value value = ReadValue(*decision.step->action);
  if (value.kind == Value::Kind::kJitter) return Jitter(decision, vrs);
  DeidOutcome out;
  if (value.kind == Value::Kind::kText) {
    if (!Takes(vrs, "replace")) {
      out.action = Action("remove");
      out.replaced = "a text cannot stand in such an element; remove stands in its place";
      return out;
    }
    out.action = Action("replace", "value: " + Quoted(value.text));
    out.adds = decision.kind == Kind::kAdd;
    if (decision.days != 0) out.differs = "the new value is not moved";
    return out;
  }
  out = Pseudonym(vrs);
  const std::string name = out.action.substr(std::string_view("action: ").size());
  if (value.kind == Value::Kind::kForeign) {
    out.replaced = "the value is not in the recipe; " + name + " stands in its place";
  } else {
    out.differs = "new values come from the key: the same for the same value";
  }
  if (decision.kind == Kind::kAdd) {
    out.differs = "where the element is absent none is made, for its value is not fixed";
  }
  return out;
}

}  // namespace

bool DeidStep::Matches(const DeidTarget& target) const {
  if (!field.Matches(target)) return false;
  const bool sequence = target.vrs() == VrSet(Vr::SQ);
  // deid tries all elements, and opens sequences: their items are decided one by one.
  const bool everywhere = field.all() || field.kind == DeidField::Kind::kValues;
  if (sequence && everywhere && action->action != "KEEP" && action->action != "BLANK" &&
      (action->action != "REMOVE" || conditional)) {
    return false;
  }
  // By its name everything in it may be meant; then the sequence goes.
  if (sequence && Moves(*action) && field.kind != DeidField::Kind::kNames) return false;
  if (!conditional || !everywhere) return true;
  // Numbers in binary and the description of the pixels are no text that identifies.
  if (!target.vrs().empty() && (target.vrs() - kBinary).empty()) return false;
  const bool of_pixels = target.tag && (target.tag->group == 0x0028 || target.tag->group == 0x7FE0);
  return !(of_pixels && !target.vrs().empty() && (target.vrs() - kBinary - kOfPixels).empty());
}

bool DeidStep::Protects(const DeidTarget& target) const {
  const bool changes = action->action == "REPLACE" || action->action == "JITTER";
  if (!changes || !action->capitals || !action->spaced) return false;
  if (field.kind != DeidField::Kind::kOne || field.one.name != target.name) return false;
  if (target.nested()) return true;
  return target.top && FindKeyword(action->field) == target.attribute;
}

DeidDecision Decide(const std::vector<DeidStep>& steps, const DeidTarget& target) {
  std::vector<const DeidStep*> mine;
  DeidDecision decision;
  bool changes = false;
  for (const DeidStep& step : steps) {
    if (!step.Matches(target)) continue;
    mine.push_back(&step);
    if (step.action->action == "KEEP") decision = {Kind::kKeep, &step, 0};
    changes = changes || step.Protects(target);
  }
  bool kept = decision.kind == Kind::kKeep;
  for (const DeidStep* const step : mine) {
    const std::string& action = step->action->action;
    // What a condition removes may be there still, but gone is stricter than empty.
    const bool removed = decision.kind == Kind::kRemove && !changes;
    const bool gone = removed && (!decision.step->conditional || action == "BLANK");
    if (action == "ADD") {
      decision = {Kind::kAdd, step, 0};
      kept = false;
    } else if (kept || action == "KEEP" || gone) {
      continue;
    } else if (action == "REMOVE") {
      if (!changes) decision = {Kind::kRemove, step, 0};
    } else if (step->field.kind == DeidField::Kind::kValues) {
      decision = {Kind::kRemove, step, 0};
    } else if (action == "BLANK") {
      decision = {Kind::kBlank, step, 0};
    } else if (Moves(*step->action)) {
      const long days = ReadValue(*step->action).days.value_or(0);
      if (decision.kind == Kind::kBlank || decision.kind == Kind::kRemove) continue;
      if (decision.kind == Kind::kAdd || decision.kind == Kind::kReplace) {
        decision.days = 1;
      } else {
        decision = {Kind::kJitter, step, std::abs(days) + decision.days};
      }
    } else {
      // What was added is there to be replaced.
      decision = {decision.kind == Kind::kAdd ? Kind::kAdd : Kind::kReplace, step, 0};
    }
  }
  return decision;
}

DeidOutcome OutcomeOf(const DeidDecision& decision, VrSet vrs) {
  DeidOutcome out;
  switch (decision.kind) {
    case Kind::kNothing:
      return out;
    case Kind::kKeep:
      out.action = Action("keep");
      return out;
    case Kind::kBlank:
      out.action = Action("redact");
      return out;
    case Kind::kJitter:
      return Jitter(decision, vrs);
    case Kind::kAdd:
    case Kind::kReplace:
      return Replace(decision, vrs);
    case Kind::kRemove:
      break;
  }
  // A UID that is new tells no more than one that is gone, and leaves a legal instance.
  const bool uid = decision.step->conditional && vrs == VrSet(Vr::UI);
  out.action = Action(uid ? "refresh-uid" : "remove");
  if (decision.step->conditional) {
    out.replaced =
        "which elements this means depends on values, a function or an expression that cannot be "
        "translated; all that it may mean go, and UIDs become new";
  }
  return out;
}

}  // namespace dcmveil::rules
