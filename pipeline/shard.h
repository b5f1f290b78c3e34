// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "dcmveil/run.h"

namespace dcmveil::pipeline {

/// "I/N" with I from 1 to N, both decimal without sign or leading zero. Nothing if it is not.
[[nodiscard]] std::optional<Shard> ParseShard(std::string_view text);

/// "study", "path" or "path:DEPTH"; sets how the shard splits. False if it is none of these.
[[nodiscard]] bool SetShardBy(std::string_view text, Shard& shard);
/// The reverse of it.
[[nodiscard]] std::string ShardByText(const Shard& shard);

/// A variable of the environment; nothing if it is not set.
using Variable = std::function<std::optional<std::string>(const char* name)>;

/// What Slurm, Kubernetes or AWS Batch tell a task of an array. Nothing, and `problem` names the
/// variables, if none does, one does not say how many there are, or two say different things.
[[nodiscard]] std::optional<Shard> ShardFromEnvironment(const Variable& variable,
                                                        std::string& problem);

/// "shard-2-of-16": the shard's folder in the state folder of the whole.
[[nodiscard]] std::string FolderNameOf(const Shard& shard);
/// The index and count of such a name.
[[nodiscard]] std::optional<Shard> ShardOfFolderName(std::string_view name);

/// Tells which inputs belong to a shard, by SHA-256, so alike on any machine. Names are relative to
/// the source with '/' between. Any number of threads.
class Splitter {
 public:
  explicit Splitter(const Shard& shard) : shard_(shard) {}
  [[nodiscard]] const Shard& shard() const { return shard_; }
  [[nodiscard]] bool by_study() const { return shard_.by == Shard::By::kStudy; }

  /// `uid` without padding; empty: all instances that have none are in one shard.
  [[nodiscard]] bool TakesStudy(std::string_view uid) const;
  /// What can be told by the name of a file alone. By study it stands in for what has no study,
  /// being no DICOM.
  [[nodiscard]] bool TakesName(std::string_view name) const;
  /// Whether anything in or below the folder can belong to the shard, so that it must be listed.
  [[nodiscard]] bool MayHold(std::string_view folder) const;

 private:
  [[nodiscard]] bool Takes(std::string_view kind, std::string_view key) const;
  [[nodiscard]] std::string_view KeyOfFolder(std::string_view folder) const;

  Shard shard_;
};

}  // namespace dcmveil::pipeline
