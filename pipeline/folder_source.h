// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/shard.h"
#include "pipeline/source.h"

namespace dcmveil::pipeline {

/// Walks a folder depth first, each folder's entries in byte order of their names, so that the
/// order is the same on every machine. Holds the entries of open folders only. Not thread-safe.
///
/// With a splitter it gives what can belong to the shard by its name, which by study is every
/// regular file. What cannot be listed or opened is given by every shard that meets it: nobody can
/// tell whose it is, and a failure must not be lost.
class FolderSource : public Source {
 public:
  explicit FolderSource(std::filesystem::path root, std::optional<Splitter> splitter = {});
  /// Nothing at the end.
  [[nodiscard]] std::optional<Input> Next() override;
  [[nodiscard]] std::uint64_t Count(const std::atomic<bool>& stop) override;

 private:
  struct Entry {
    std::string name;
    std::filesystem::file_type type;
  };
  struct Level {
    std::filesystem::path folder;
    std::string name;            ///< relative, with a slash at its end; empty for the root
    std::vector<Entry> entries;  ///< last first
  };
  /// False if the folder cannot be listed.
  bool Enter(const std::filesystem::path& folder, const std::string& name);

  /// Whether a file or link of that name can belong to the shard.
  [[nodiscard]] bool MayTake(const std::string& name, bool has_problem) const;

  std::filesystem::path root_;
  std::optional<Splitter> splitter_;
  std::optional<Input> only_;  ///< the root is a file or cannot be listed
  std::vector<Level> levels_;
};

/// Counts the inputs of a folder; stops early, with 0, when `stop` becomes true.
[[nodiscard]] std::uint64_t CountInputs(const std::filesystem::path& root,
                                        const std::atomic<bool>& stop,
                                        const std::optional<Splitter>& splitter = {});

}  // namespace dcmveil::pipeline
