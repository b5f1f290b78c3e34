// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace dcmveil::verify {

/// Reads manifest.ndjson line by line, as often as asked, without keeping the lines. All threads
/// may use it.
class Manifest {
 public:
  struct Line {
    std::string input;
    std::optional<std::string> output;
    std::string outcome;
    std::string reason;             ///< of inputs without output
    bool of_earlier_rules = false;  ///< decided by other rules than those of the run
  };
  Manifest() = default;
  ~Manifest();
  Manifest(const Manifest&) = delete;
  Manifest& operator=(const Manifest&) = delete;

  /// False if it cannot be read or has a line that is none.
  [[nodiscard]] bool Open(const std::filesystem::path& file);
  [[nodiscard]] std::uint64_t size() const { return starts_.empty() ? 0 : starts_.size() - 1; }
  [[nodiscard]] Line At(std::uint64_t index) const;

 private:
  int fd_ = -1;
  std::vector<std::uint64_t> starts_;
};

/// Finds files by their names in the manifest, which shows bytes that are no UTF-8 as U+FFFD.
class Names {
 public:
  explicit Names(std::filesystem::path root) : root_(std::move(root)) {}
  /// For names with U+FFFD the folder is listed once, before threads begin.
  void List();
  [[nodiscard]] std::filesystem::path PathOf(const std::string& shown) const;

 private:
  std::filesystem::path root_;
  std::unordered_map<std::string, std::string> odd_;  ///< shown name to real one
};

/// A name as the manifest shows it.
[[nodiscard]] std::string Shown(const std::string& name);

}  // namespace dcmveil::verify
