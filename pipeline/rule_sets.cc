// SPDX-License-Identifier: Apache-2.0
#include "pipeline/rule_sets.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace dcmveil::pipeline {

using Json = nlohmann::ordered_json;

void AddOutputs(std::vector<RuleSetOutputs>& rows, const RuleSetOutputs& more) {
  const auto row = std::find_if(rows.begin(), rows.end(), [&more](const RuleSetOutputs& known) {
    return known.rules_hash == more.rules_hash && known.edition == more.edition;
  });
  if (row == rows.end()) {
    rows.push_back(more);
  } else {
    row->outputs += more.outputs;
  }
}

std::vector<RuleSetOutputs> WithOwn(RuleSetOutputs own, const std::vector<RuleSetOutputs>& others) {
  if (others.empty()) return {};
  for (const RuleSetOutputs& other : others) own.outputs -= std::min(own.outputs, other.outputs);
  std::vector<RuleSetOutputs> rows{std::move(own)};
  for (const RuleSetOutputs& other : others) AddOutputs(rows, other);
  return rows;
}

Json ToJson(const std::vector<RuleSetOutputs>& rows) {
  Json json = Json::array();
  for (const RuleSetOutputs& row : rows) {
    json.push_back({{"rules_hash", row.rules_hash},
                    {"edition", row.edition.empty() ? Json() : Json(row.edition)},
                    {"outputs", row.outputs}});
  }
  return json;
}

std::vector<RuleSetOutputs> RuleSetsFromJson(const Json& json) {
  std::vector<RuleSetOutputs> rows;
  for (const Json& row : json) {
    const Json& edition = row.at("edition");
    rows.push_back({.rules_hash = row.at("rules_hash").get<std::string>(),
                    .edition = edition.is_null() ? std::string() : edition.get<std::string>(),
                    .outputs = row.at("outputs").get<std::uint64_t>()});
  }
  return rows;
}

}  // namespace dcmveil::pipeline
