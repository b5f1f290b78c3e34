// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "dcmveil/run.h"

namespace dcmveil::pipeline {

/// Whether there is a folder now that nobody else can look into. Others may make it at the same
/// time.
[[nodiscard]] bool MakePrivateFolder(const std::filesystem::path& folder);
/// Whether there is such a folder and others can look into it.
[[nodiscard]] bool IsOpenToOthers(const std::filesystem::path& folder);

/// Keeps other runs out of a state folder: on this machine always, on others where the file system
/// passes locks on (NFS 4, Lustre with "flock").
class FolderLock {
 public:
  FolderLock() = default;
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

  enum class Taken { kYes, kBusy, kUnreadable };
  /// Once.
  [[nodiscard]] Taken Take(const std::filesystem::path& folder);

 private:
  int folder_ = -1;
  int file_ = -1;
};

/// The states of shards in a state folder, in no order. Nothing if it cannot be listed; none if it
/// is not there.
[[nodiscard]] std::optional<std::vector<Shard>> ShardsIn(const std::filesystem::path& state);

/// Why a run of this shard, or of all inputs, cannot use the state folder of the whole: one line
/// for people. Runs that split differently would do some inputs twice and others not at all.
[[nodiscard]] std::optional<std::string> WhyNotIn(const std::filesystem::path& state,
                                                  const std::optional<Shard>& shard);

}  // namespace dcmveil::pipeline
