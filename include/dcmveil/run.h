// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dcmveil/connection.h"
#include "dcmveil/engine.h"
#include "dcmveil/outcome.h"

namespace dcmveil {

/// Counters of a run; also what progress reports show.
struct RunCounts {
  std::array<std::uint64_t, 5> outcomes{};  ///< by Outcome
  std::uint64_t bytes_in = 0;               ///< of inputs that were understood
  std::uint64_t bytes_out = 0;              ///< of outputs that were written
  /// Number of inputs, once they have been counted; 0 before.
  std::uint64_t total = 0;

  [[nodiscard]] std::uint64_t of(Outcome outcome) const {
    return outcomes[static_cast<std::size_t>(outcome)];
  }
  [[nodiscard]] std::uint64_t finished() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : outcomes) sum += count;
    return sum;
  }
};

/// Names that a DICOMDIR may list (PS3.10 section 8.2): parts of 8 capitals and digits that stand
/// for the new values.
inline constexpr std::string_view kDicomdirLayout =
    "{PatientID:8}/{StudyInstanceUID:8}/{SeriesInstanceUID:8}/{SOPInstanceUID:8}";

/// What a run reads of a DICOM service; everything if nothing is said.
struct Selection {
  /// Matching attributes of QIDO-RS: keyword or tag, and value.
  std::vector<std::pair<std::string, std::string>> query;
  /// Only these: UIDs of studies or series, or "study/series", or "study/series/instance".
  std::optional<std::vector<std::string>> uids;
  /// What the change feed says, from where an earlier run with the same state ended.
  bool changefeed = false;
  std::string since;  ///< where the first run begins: a sequence number or a date; empty: all
  std::chrono::seconds lag{900};  ///< the feed's newest entries are left for the next run
};

struct RunOptions {
  std::filesystem::path input;   ///< a folder or a file
  std::filesystem::path output;  ///< a folder; for one input file also a name ending in ".dcm"
  /// DICOM services, instead of `input` and of `output`.
  std::optional<Connection> input_service;
  std::optional<Connection> output_service;
  Selection selection;
  /// Manifest and run description; empty: `<output>.dcmveil`. Made with mode 0700.
  std::filesystem::path state;
  /// Threads that process; 0: as many as the machine has.
  int jobs = 0;
  /// Output names: "/"-separated text with {PatientID}, {StudyInstanceUID}, {SeriesInstanceUID},
  /// {SOPInstanceUID} of the new values, each also as {Keyword:8}, or "mirror" for the input's own
  /// names.
  std::string layout = "{PatientID}/{StudyInstanceUID}/{SeriesInstanceUID}/{SOPInstanceUID}.dcm";
  /// At the end, write a DICOMDIR of all instances that stand in the output folder by this run. The
  /// layout must name files as kDicomdirLayout does.
  bool dicomdir = false;
  /// Do everything but write; no output or state folder is made.
  bool dry_run = false;
  /// Survey what the rules do and what text they leave (see dcmveil/survey.h); the result is in the
  /// state folder. A dry run, which has none, also says what became of every value that changes,
  /// and leaves its survey in `dry_run_survey`, which must exist.
  bool survey = false;
  std::filesystem::path dry_run_survey;
  /// Called from one thread at a time, at most about ten times a second, and once at the end.
  std::function<void(const RunCounts&)> on_progress;
  /// When it becomes true the run finishes what is in flight and stops. May be null.
  const std::atomic<bool>* stop = nullptr;
};

struct RunSummary {
  RunCounts counts;
  std::map<std::string, std::uint64_t> reasons;  ///< of inputs that were not written
  std::map<std::string, std::uint64_t> notes;    ///< of those that were
  double seconds = 0;
  bool stopped = false;
  /// Instances of which a DICOMDIR knows no record.
  std::uint64_t without_record = 0;
  std::filesystem::path manifest;  ///< empty after a dry run
  /// Set when the run could not begin or go on; counts hold what was done before.
  struct Problem {
    bool usage = false;  ///< the command is wrong, nothing was touched
    std::string message;
  };
  std::optional<Problem> problem;
};

/// De-identifies every regular file below `input`, in the order of their names, or every selected
/// instance of a service. Every input gets exactly one line in the manifest. Inputs are never
/// changed, outputs never overwritten, and an output appears whole or not at all. Blocks until
/// done; never throws.
[[nodiscard]] RunSummary Run(const Engine& engine, const RunOptions& options);

}  // namespace dcmveil
