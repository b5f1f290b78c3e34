// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <utility>
#include <vector>

namespace dcmveil::pipeline {

/// What one input adds to the survey, in the numbers that Review gave: it holds no value, and the
/// same numbers mean the same as long as the review file lives.
struct Tally {
  using Counts = std::vector<std::pair<std::uint32_t, std::uint64_t>>;  ///< number, how often

  std::optional<std::uint32_t> kind;
  Counts rules;     ///< elements that a rule decided
  Counts texts;     ///< values that stay, and changes in dry runs
  Counts unlisted;  ///< values over the limits, by element

  bool operator==(const Tally&) const = default;
};

/// [kind or null, [rule, count, rule, count, …], [text, count, …], [element, count, …]].
[[nodiscard]] nlohmann::json ToJson(const Tally& tally);
/// Nothing if it is no such array.
[[nodiscard]] std::optional<Tally> TallyFromJson(const nlohmann::json& json);

}  // namespace dcmveil::pipeline
