// SPDX-License-Identifier: Apache-2.0
#include "pipeline/tally.h"

#include <limits>
#include <nlohmann/json.hpp>

namespace dcmveil::pipeline {
namespace {

using nlohmann::json;

json Flat(const Tally::Counts& counts) {
  json flat = json::array();
  for (const auto& [number, count] : counts) {
    flat.push_back(number);
    flat.push_back(count);
  }
  return flat;
}

bool IsNumber(const json& value) {
  return value.is_number_unsigned() &&
         value.get<std::uint64_t>() <= std::numeric_limits<std::uint32_t>::max();
}

bool Read(const json& flat, Tally::Counts& counts) {
  if (!flat.is_array() || flat.size() % 2 != 0) return false;
  for (std::size_t i = 0; i < flat.size(); i += 2) {
    if (!IsNumber(flat[i]) || !flat[i + 1].is_number_unsigned()) return false;
    counts.emplace_back(flat[i].get<std::uint32_t>(), flat[i + 1].get<std::uint64_t>());
  }
  return true;
}

}  // namespace

json ToJson(const Tally& tally) {
  return json::array({tally.kind ? json(*tally.kind) : json(), Flat(tally.rules), Flat(tally.texts),
                      Flat(tally.unlisted)});
}

std::optional<Tally> TallyFromJson(const json& json) {
  if (!json.is_array() || json.size() != 4) return std::nullopt;
  Tally tally;
  if (!json[0].is_null()) {
    if (!IsNumber(json[0])) return std::nullopt;
    tally.kind = json[0].get<std::uint32_t>();
  }
  const bool sound =
      Read(json[1], tally.rules) && Read(json[2], tally.texts) && Read(json[3], tally.unlisted);
  return sound ? std::optional(std::move(tally)) : std::nullopt;
}

}  // namespace dcmveil::pipeline
