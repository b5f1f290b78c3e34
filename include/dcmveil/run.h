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
#include "dcmveil/error.h"

namespace dcmveil {

/// Counters of a run; also what progress reports show.
struct RunCounts {
  std::array<std::uint64_t, 5> outcomes{};  ///< by Outcome
  std::uint64_t bytes_in = 0;               ///< of inputs that were understood
  std::uint64_t bytes_out = 0;              ///< of outputs that were written
  /// Number of inputs, once they have been counted; 0 before. Of a shard by study an estimate until
  /// all have been looked at.
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

/// One of several parts of a run, on any machines, that share nothing but the output. Which part an
/// input belongs to follows from its study or folder alone, so every input is in exactly one.
struct Shard {
  enum class By : std::uint8_t {
    kStudy,  ///< Study Instance UID: all of a study is in one shard, wherever its files lie
    kPath    ///< the folder of the file, relative to the source
  };
  std::uint32_t index = 1;  ///< from 1 to `count`
  std::uint32_t count = 1;
  By by = By::kStudy;
  /// By path: how many folders from the source down count; what lies below is not listed by other
  /// shards. 0: all.
  std::uint32_t depth = 0;

  bool operator==(const Shard&) const = default;
};

struct RunOptions {
  std::filesystem::path input;   ///< a folder or a file
  std::filesystem::path output;  ///< a folder; for one input file also a name ending in ".dcm"
  /// DICOM services, instead of `input` and of `output`.
  std::optional<Connection> input_service;
  std::optional<Connection> output_service;
  Selection selection;
  /// Manifest and run description; empty: `<output>.dcmveil`. Made with mode 0700. That of a shard
  /// is the folder "shard-I-of-N" in it.
  std::filesystem::path state;
  /// Only this part of the inputs.
  std::optional<Shard> shard;
  /// Threads that process; 0: as many as the machine has.
  int jobs = 0;
  /// Output names: "/"-separated text with {PatientID}, {StudyInstanceUID}, {SeriesInstanceUID},
  /// {SOPInstanceUID} of the new values, each also as {Keyword:8}, or "mirror" for the input's own
  /// names.
  std::string layout = "{PatientID}/{StudyInstanceUID}/{SeriesInstanceUID}/{SOPInstanceUID}.dcm";
  /// At the end, write a DICOMDIR of all instances that stand in the output folder by this run. The
  /// layout must name files as kDicomdirLayout does.
  bool dicomdir = false;
  /// What is reported as written survives a power cut: files, folders and journal are flushed to
  /// the disk one by one.
  bool durable = false;
  /// Go on in an output whose earlier run had other rules or another key. All inputs are then
  /// processed again; what stands under an output's name is not overwritten.
  bool accept_changes = false;
  /// Process again what an earlier run quarantined, by rules that may have changed since; the key
  /// must be the same. What earlier rules wrote stands as it is, see RunSummary::rule_sets.
  bool retry_quarantined = false;
  /// Folder that gets a copy of each quarantined input, under the input's own name; empty: none is
  /// made. It holds what the archive holds, and is made with mode 0700. Not for services.
  std::filesystem::path quarantine;
  /// Where to write the crosswalk, old identifiers to new ones, encrypted to these certificates in
  /// PEM form; empty: none is written. See docs/crosswalk.md.
  std::filesystem::path crosswalk;
  std::vector<std::filesystem::path> crosswalk_to;
  /// Do everything but write; no output or state folder is made.
  bool dry_run = false;
  /// Survey what the rules do and what text they leave (see dcmveil/survey.h); the result is in the
  /// state folder. A dry run, which has none, also says what became of every value that changes,
  /// and leaves its survey in `dry_run_survey`, which must exist.
  bool survey = false;
  std::filesystem::path dry_run_survey;
  /// Called from one thread at a time, at most about ten times a second, and once at the end.
  std::function<void(const RunCounts&)> on_progress;
  /// Called once for each input, from one thread at a time and in the order of the inputs, after
  /// the manifest has its line; the names are the manifest's, and `output` is empty where there is
  /// none. Inputs that an earlier run did are told, too.
  std::function<void(const std::string& input, const std::string& output, const InstanceReport&)>
      on_outcome;
  /// When it becomes true the run finishes what is in flight and stops. May be null.
  const std::atomic<bool>* stop = nullptr;
};

struct RunSummary {
  RunCounts counts;
  std::map<std::string, std::uint64_t> reasons;  ///< of inputs that were not written
  std::map<std::string, std::uint64_t> notes;    ///< of those that were
  double seconds = 0;
  bool stopped = false;
  /// Of the counts: what an earlier run had done, and was not processed again.
  std::uint64_t recalled = 0;
  /// Empty if all outputs were made by the rules of this run. If not, by which, and how many: those
  /// of this run first, then earlier ones, whose outputs stand as they were made.
  std::vector<RuleSetOutputs> rule_sets;
  /// The journal of earlier runs ended in what was not written whole; those inputs were done again.
  bool journal_damaged = false;
  /// Instances of which a DICOMDIR knows no record.
  std::uint64_t without_record = 0;
  /// Quarantined inputs that were not copied, because another file has the name.
  std::uint64_t not_copied = 0;
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
/// done. Throws nothing but what a callback threw: the run then ends as if it had been told to
/// stop, calls no callback any more, and can be gone on with like any that was interrupted.
///
/// With the state of an earlier run it goes on: an input that was done, did not change since (size
/// and time) and whose output stands as it was written is not processed again. If that run was
/// interrupted, the manifest then is what an uninterrupted run would have written; if it had come
/// to its end, what it wrote is `unchanged`. Failed inputs are always tried again.
[[nodiscard]] DCMVEIL_API RunSummary Run(const Engine& engine, const RunOptions& options);

}  // namespace dcmveil
