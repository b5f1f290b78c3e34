// SPDX-License-Identifier: Apache-2.0
#include "engine/custom_action.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "engine/value.h"

namespace dcmveil {
namespace engine {

/// An action of the engine that asks one of the caller.
class CustomActionAdapter final : public Action {
 public:
  CustomActionAdapter(const CustomAction& definition, CustomAction::Parameters parameters,
                      std::optional<Hmac> hmac)
      : definition_(definition), parameters_(std::move(parameters)), hmac_(std::move(hmac)) {}

  [[nodiscard]] Change Apply(const Element& element) const override {
    std::optional<ElementChange> change;
    try {
      change = definition_.apply(ElementView(element, *this), parameters_);
    } catch (...) {
      // Code that is not ours: whatever it throws, this instance is not vouched for.
      return Change::Fail(ErrorCode::kActionFailed);
    }
    return Carry(element, *change);
  }

  /// REQUIRES: the definition needs a key.
  [[nodiscard]] std::string KeyedHash(std::string_view text) const {
    return hmac_->Sign(text).hex();
  }

 private:
  static Change Carry(const Element& element, const ElementChange& change) {
    switch (change.kind()) {
      case ElementChange::Kind::kKeep:
        return Change::Keep();
      case ElementChange::Kind::kRemove:
        return Change::Remove();
      case ElementChange::Kind::kEmpty:
        return Change::Empty();
      case ElementChange::Kind::kSetValues:
        return kTextVrs.contains(element.vr) ? SetText(element, change.values())
                                             : SetNumbers(element, change.values());
      case ElementChange::Kind::kSetBytes:
        return SetBytes(element, change.bytes());
      case ElementChange::Kind::kFail:
        break;
    }
    return Change::Fail(ErrorCode::kActionFailed);
  }

  static Change SetText(const Element& element, const std::vector<std::string>& values) {
    const TextValues old = DecodeText(element);
    if (values == old.values && !old.cut_at_nul) return Change::Keep();
    const bool single = kSingleTextVrs.contains(element.vr);
    if (single && values.size() > 1) return Change::Fail(ErrorCode::kActionFailed);
    for (const std::string& value : values) {
      if (std::find(old.values.begin(), old.values.end(), value) != old.values.end()) continue;
      if (!HasRoom(element.vr, value)) return Change::Empty(NoteCode::kNoRoom);
      const bool splits = !single && value.find('\\') != std::string::npos;
      if (splits || !IsLegalText(element.vr, value)) {
        return Change::Fail(ErrorCode::kActionFailed);
      }
    }
    return EncodeText(element, values, std::nullopt, old.exact);
  }

  static Change SetNumbers(const Element& element, const std::vector<std::string>& values) {
    if (!(kNumberVrs | VrSet(Vr::AT)).contains(element.vr)) {
      return Change::Fail(ErrorCode::kActionFailed);
    }
    std::string text;
    for (const std::string& value : values) {
      // An empty one would be no number, and none at all would be an empty element.
      if (value.empty()) return Change::Fail(ErrorCode::kActionFailed);
      if (!text.empty()) text += '\\';
      text += value;
    }
    Change change = SetFromRule(element, text);
    return change.kind == Change::Kind::kFail ? Change::Fail(ErrorCode::kActionFailed) : change;
  }

  static Change SetBytes(const Element& element, const std::string& bytes) {
    if (kTextVrs.contains(element.vr)) return Change::Fail(ErrorCode::kActionFailed);
    if (bytes.empty()) return Change::Empty();
    const std::size_t size = kNumberVrs.contains(element.vr) ? NumberSize(element.vr)
                             : element.vr == Vr::AT          ? 4
                                                             : 1;
    if (bytes.size() % size != 0) return Change::Fail(ErrorCode::kActionFailed);
    return Change::Set(bytes);
  }

  const CustomAction& definition_;
  CustomAction::Parameters parameters_;
  std::optional<Hmac> hmac_;  ///< if the definition needs a key
};

namespace {

struct Held {
  explicit Held(CustomAction action) : definition(std::move(action)) {}
  CustomAction definition;
  ActionSpec spec = {};
};

std::unique_ptr<const Action> Make(const CustomAction& definition, const Params& params,
                                   MakeContext& context) {
  CustomAction::Parameters parameters;
  for (const CustomAction::Parameter& parameter : definition.parameters) {
    parameters.emplace(parameter.name, params.Text(parameter.name));
  }
  if (definition.check) {
    std::string problem = definition.check(parameters);
    if (!problem.empty()) {
      context.problems.push_back({.param = {}, .message = definition.name + ": " + problem});
      return nullptr;
    }
  }
  std::optional<Hmac> hmac;
  if (definition.needs_key) hmac.emplace(context.KeyFor("action " + definition.name));
  return std::make_unique<CustomActionAdapter>(definition, std::move(parameters), std::move(hmac));
}

bool IsName(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace

std::string ProblemOf(const CustomAction& action) {
  if (!IsName(action.name)) return "a name is lower-case words joined by '-'";
  if (!action.apply) return "it has no function";
  if (action.vrs.empty()) return "it can take no VR";
  if (action.vrs.contains(Vr::SQ)) return "it cannot take sequences";
  for (auto it = action.parameters.begin(); it != action.parameters.end(); ++it) {
    if (!IsName(it->name)) return "a parameter's name is lower-case words joined by '-'";
    const bool twice = std::any_of(action.parameters.begin(), it,
                                   [it](const auto& earlier) { return earlier.name == it->name; });
    if (twice) return "it has two parameters " + it->name;
  }
  return {};
}

std::shared_ptr<const ActionSpec> SpecOf(CustomAction action) {
  auto held = std::make_shared<Held>(std::move(action));
  const CustomAction& definition = held->definition;
  ActionSpec& spec = held->spec;
  spec.name = definition.name;
  spec.summary = definition.summary;
  spec.vrs = definition.vrs;
  spec.needs_key = definition.needs_key;
  // Nothing is known of what it leaves.
  spec.leaves_text = true;
  for (const CustomAction::Parameter& parameter : definition.parameters) {
    ParamSpec param{
        .name = parameter.name, .default_value = std::nullopt, .summary = parameter.summary};
    if (parameter.default_value) param.default_value = *parameter.default_value;
    spec.params.push_back(std::move(param));
  }
  spec.make = [&definition](const Params& params, MakeContext& context) {
    return Make(definition, params, context);
  };
  return {held, &spec};
}

}  // namespace engine

Tag ElementView::tag() const { return element_.tag; }

Vr ElementView::vr() const { return element_.vr; }

std::string ElementView::path() const { return engine::ToString(element_.path); }

std::string_view ElementView::private_creator() const {
  return element_.path.empty() ? std::string_view() : element_.path.back().creator;
}

std::string_view ElementView::bytes() const { return element_.bytes; }

std::vector<std::string> ElementView::values() const { return engine::ValuesOf(element_); }

std::vector<std::string> ElementView::values_of(Tag tag) const {
  if (element_.instance.asked == nullptr) return {};
  const auto it = element_.instance.asked->find(tag);
  return it == element_.instance.asked->end() ? std::vector<std::string>() : it->second;
}

std::string ElementView::KeyedHash(std::string_view text) const { return action_.KeyedHash(text); }

}  // namespace dcmveil
