// SPDX-License-Identifier: Apache-2.0
//
// A second look at a finished output, by code that shares nothing with the engine's: what does the
// output still tell of the inputs, and does it hang together as they did?
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "verify/finding.h"

namespace dcmveil::verify {

struct Options {
  std::filesystem::path state;   ///< has manifest.ndjson and run.json
  std::filesystem::path input;   ///< empty: as run.json says
  std::filesystem::path output;  ///< likewise
  /// JSON that says what the rules leave; none: as run.json says.
  std::optional<std::string> expectations;
  int jobs = 0;  ///< threads; 0: as many as the machine has
  /// Called now and then from one thread at a time: files done, and how many there are to do.
  std::function<void(std::uint64_t, std::uint64_t)> on_progress;
};

struct Report {
  std::vector<Finding> findings;                ///< sorted; at most kMostFindings
  std::map<std::string, std::uint64_t> counts;  ///< of all findings, by check
  std::vector<std::string> not_checked;         ///< what could not be looked at, and why
  /// Inputs of the manifest that are not there or cannot be read; at most kMostMissing of them.
  std::vector<std::string> missing_inputs;
  /// Inputs that the run itself had not read as DICOM, by its reason. They have no output.
  std::map<std::string, std::uint64_t> not_looked_at;
  std::uint64_t inputs = 0;  ///< looked at
  std::uint64_t outputs = 0;
  std::uint64_t bytes = 0;    ///< of outputs
  std::uint64_t excused = 0;  ///< identifiers that stand where the rules may leave them
  double seconds = 0;
  /// Set if it could not begin or go on; findings hold what was seen before.
  std::optional<std::string> problem;

  [[nodiscard]] bool clean() const { return counts.empty() && !problem; }
};
inline constexpr std::size_t kMostFindings = 10000;
inline constexpr std::size_t kMostMissing = 10;

/// Blocks until done; prints nothing; never throws but std::bad_alloc.
[[nodiscard]] Report Verify(const Options& options);

/// One JSON object without any value of the data.
[[nodiscard]] std::string ToJson(const Report& report);

}  // namespace dcmveil::verify
