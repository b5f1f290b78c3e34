// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "dcmveil/error.h"
#include "pipeline/journal.h"

namespace dcmveil::pipeline {

/// manifest.ndjson: one JSON object a line, one line an input, in the order of the inputs; and
/// quarantine.ndjson, for those that were quarantined: what a person must look at. Each line is
/// with the operating system before the next input is finished.
class Manifest {
 public:
  Manifest() = default;
  ~Manifest();
  Manifest(const Manifest&) = delete;
  Manifest& operator=(const Manifest&) = delete;
  /// Begins a new manifest; that of an earlier run becomes manifest.previous.ndjson.
  [[nodiscard]] Status Open(const std::filesystem::path& state, std::string rules_hash);
  /// `output` may be empty: none. `decided_by`: whose rules it was, if not those of this run.
  [[nodiscard]] Status Add(const std::string& input, const std::string& output,
                           const InstanceReport& report,
                           const std::optional<JournalOwner>& decided_by);
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

 private:
  int fd_ = -1;
  int quarantine_fd_ = -1;
  std::string rules_hash_;
  std::filesystem::path file_;
};

/// A line of quarantine.ndjson, without line feed.
[[nodiscard]] std::string QuarantineLine(const std::string& input, const InstanceReport& report,
                                         const std::string& rules_hash);

}  // namespace dcmveil::pipeline
