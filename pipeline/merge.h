// SPDX-License-Identifier: Apache-2.0
//
// Joins what the shards of a run left in their state folders into one state folder, which then is
// as that of a run without shards: manifest, list of the quarantined, survey and review file,
// hashes for the proof, run.json. Journals stay with the shards, which alone can go on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dcmveil/run.h"

namespace dcmveil::pipeline {

struct MergeOptions {
  /// Where the joined state goes: the folder that shards have in common.
  std::filesystem::path state;
  /// The shards' own; empty: those in `state`.
  std::vector<std::filesystem::path> shards;
  /// Join what there is, although shards are missing or have not come to their end.
  bool incomplete = false;
};

struct MergeSummary {
  RunCounts counts;                              ///< of the whole, without bytes
  std::map<std::string, std::uint64_t> reasons;  ///< of inputs that were not written
  std::uint32_t shards = 0;                      ///< that were joined
  std::uint32_t missing = 0;                     ///< or not at their end
  /// Outputs that two shards counted as theirs, because one found what the other had written. The
  /// first input keeps it, the other one is quarantined.
  std::uint64_t doubled_outputs = 0;
  /// Lines of inputs that several shards could not read.
  std::uint64_t repeated = 0;
  std::vector<RuleSetOutputs> rule_sets;  ///< as in RunSummary
  bool has_survey = false;
  bool has_hashes = false;
  std::filesystem::path manifest;
  std::optional<RunSummary::Problem> problem;
};

/// Blocks until done; never throws. Memory: 8 bytes for each output and 16 KB for each shard.
/// Nothing is changed but the joined files in `state`, and these only if all went well.
[[nodiscard]] MergeSummary MergeShards(const MergeOptions& options);

}  // namespace dcmveil::pipeline
