// SPDX-License-Identifier: Apache-2.0
#include "pipeline/description.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "engine/dictionary.h"
#include "engine/plan.h"
#include "pipeline/rule_sets.h"
#include "pipeline/shard.h"

namespace dcmveil::pipeline {
namespace {

using engine::Effect;
using engine::Plan;
using engine::Rule;
using Json = nlohmann::ordered_json;

/// What may become of an attribute.
struct Fate {
  bool stays = false;
  bool goes = false;
  bool changes = false;                  ///< by other actions than date-shift
  std::vector<const Rule*> shifts = {};  ///< by it
};

bool AlwaysMatches(const Rule& rule, const Attribute& attribute) {
  if (rule.when) return false;
  return std::any_of(rule.selectors.begin(), rule.selectors.end(), [&](const auto& selector) {
    if (selector.by_vr()) return selector.vrs.intersects(attribute.vrs);
    return selector.path.size() == 1 && !selector.anchored &&
           selector.path.front().Matches(attribute.tag, {});
  });
}

/// Values of content items are decided by their concept as well (PS3.3 C.17.3.2.1).
bool IsContentValue(Tag tag) {
  constexpr std::array<std::uint16_t, 7> kValues = {0xA120, 0xA121, 0xA122, 0xA123,
                                                    0xA124, 0xA160, 0xA30A};
  return tag.group == 0x0040 &&
         std::find(kValues.begin(), kValues.end(), tag.element) != kValues.end();
}

Fate FateOf(const Plan& plan, const Attribute& attribute) {
  Fate fate;
  const auto add = [&fate](const Rule& rule) {
    switch (rule.spec->effect) {
      case Effect::kKeep:
        fate.stays = true;
        return;
      case Effect::kRemove:
        fate.goes = true;
        return;
      case Effect::kChange:
      case Effect::kAdd:
        if (rule.spec->name == "date-shift") {
          fate.shifts.push_back(&rule);
        } else {
          fate.changes = true;
        }
        return;
    }
  };
  bool decided = false;
  for (const Rule* rule : plan.RulesFor(attribute.tag)) {
    add(*rule);
    decided = decided || AlwaysMatches(*rule, attribute);
  }
  if (!decided) {
    (plan.parts().otherwise_keep ? fate.stays : fate.goes) = true;
  }
  if (plan.parts().profile && IsContentValue(attribute.tag)) {
    for (const engine::ContentRule& content : plan.parts().profile->content) {
      if (!content.drops_item()) add(content.rule);
    }
  }
  return fate;
}

void Append(std::string& list, Tag tag) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  if (!list.empty()) list += ' ';
  for (int shift = 28; shift >= 0; shift -= 4) {
    list += kDigits[(tag.number() >> static_cast<unsigned>(shift)) & 0xFU];
  }
}

Json Expect(const RuleSet& rules) {
  const Plan& plan = *rules.plan();
  std::string retained;
  std::string sometimes;
  std::string shifted;
  std::string remade;
  std::string_view scope;
  for (const Attribute& attribute : AllAttributes()) {
    if (attribute.vrs.contains(Vr::SQ) && attribute.mask == 0xFFFFFFFF) {
      if (FateOf(plan, attribute).changes) Append(remade, attribute.tag);
      continue;
    }
    const bool identifies = attribute.vrs.intersects(kTextVrs) &&
                            !attribute.vrs.intersects({Vr::CS, Vr::DS, Vr::IS, Vr::TM, Vr::AS});
    if (!identifies || attribute.tag.group < 0x0008 || attribute.mask != 0xFFFFFFFF) continue;
    const Fate fate = FateOf(plan, attribute);
    const bool always = !fate.goes && !fate.changes && fate.shifts.empty();
    if (fate.stays) Append(always ? retained : sometimes, attribute.tag);
    // A dummy date or a kept one would not have moved alike.
    if (fate.shifts.empty() || fate.stays || fate.changes) continue;
    Append(shifted, attribute.tag);
    for (const Rule* rule : fate.shifts) {
      const std::string_view own = rule->action->offset_scope();
      scope = scope.empty() || scope == own ? own : "mixed";
    }
  }
  const Attribute* pixels = FindAttribute(Tag(0x7FE0, 0x0010));
  const bool may_go = [&] {
    bool decided = false;
    for (const Rule* rule : plan.RulesFor(pixels->tag)) {
      const bool touches = rule->spec->may_touch_pixels && rule->spec->effect != Effect::kKeep;
      if (touches) return true;
      decided = decided || AlwaysMatches(*rule, *pixels);
    }
    return !decided && !plan.parts().otherwise_keep;
  }();
  Json json;
  json["mark"] = plan.parts().mark;
  json["method_codes"] = plan.parts().mark && plan.parts().profile.has_value();
  json["mask_overlays"] = plan.parts().profile.has_value();
  json["pixels_may_go"] = may_go;
  json["shift_scope"] = scope.empty() ? "patient" : scope;
  json["shifted"] = shifted;
  json["remade"] = remade;
  json["sometimes"] = sometimes;
  json["retained"] = retained;
  return json;
}

}  // namespace

std::string Expectations(const RuleSet& rules) { return Expect(rules).dump(); }

std::string DescribeRun(const RuleSet& rules, const RunOptions& options,
                        const std::vector<RuleSetOutputs>& rule_sets) {
  std::error_code ignored;
  const engine::PlanParts& parts = rules.plan()->parts();
  Json json;
  json["tool"] = "dcmveil";
  json["version"] = Version();
  json["rules"] = rules.name();
  json["rules_hash"] = rules.hash();
  if (!rule_sets.empty()) json["rule_sets"] = ToJson(rule_sets);
  json["key_id"] = rules.key_id();
  json["profile"] = parts.profile ? Json(parts.profile->layer) : Json();
  json["edition"] = parts.profile ? Json(parts.profile->edition) : Json();
  json["options"] = parts.profile ? Json(parts.profile->options) : Json::array();
  // Paths as they were given, and where.
  json["folder"] = std::filesystem::current_path(ignored).string();
  json["input"] = options.input_service ? options.input_service->name : options.input.string();
  json["input_is_service"] = options.input_service.has_value();
  json["output"] = options.output_service ? options.output_service->name : options.output.string();
  json["output_is_service"] = options.output_service.has_value();
  json["layout"] = options.layout;
  if (options.shard) {
    json["shard"] = {{"index", options.shard->index},
                     {"count", options.shard->count},
                     {"by", ShardByText(*options.shard)}};
  }
  json["dicomdir"] = options.dicomdir;
  json["expectations"] = Expect(rules);
  // Paths are bytes.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::vector<std::filesystem::path> PlacesOf(const std::filesystem::path& state) {
  std::ifstream stream(state / "run.json");
  const Json json = Json::parse(stream, nullptr, false);
  std::vector<std::filesystem::path> places;
  if (!json.is_object()) return places;
  // What is of another type is not what a run wrote there.
  const auto text = [&json](const std::string& name) {
    const auto it = json.find(name);
    return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  for (const std::string name : {"input", "output"}) {
    const std::string place = text(name);
    const auto service = json.find(name + "_is_service");
    if (place.empty() || (service != json.end() && *service == true)) continue;
    places.push_back(std::filesystem::path(text("folder")) / place);
  }
  return places;
}

}  // namespace dcmveil::pipeline
