// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dcmveil/error.h"
#include "pipeline/files.h"
#include "pipeline/tally.h"

namespace dcmveil::pipeline {

/// What may not change between runs that share an output.
struct JournalOwner {
  std::string rules_hash;
  std::string key_id;
  std::string edition;  ///< of the profile; empty: none

  bool operator==(const JournalOwner&) const = default;
};

/// What became of one input.
struct JournalEntry {
  std::string output;  ///< name at the sink; empty: none
  InstanceReport report;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  FileStamp input_stamp;
  FileStamp output_stamp;
  std::optional<Tally> tally = {};  ///< if the run surveyed
  /// Whose rules decided it, if they are not those of the run that goes on now. By Find.
  std::optional<JournalOwner> decided_by = {};
  /// By the run that goes on now, not by one that came to its end.
  bool of_this_run = false;
};

/// The memory of a state folder: an append-only file with a line for each input that was finished,
/// each with a checksum, so that a run that was killed can go on. It holds no input name, only its
/// digest. In memory it takes 16 bytes for each input of earlier runs.
///
/// Each line is with the operating system before Add returns, and on the disk if `durable`: a
/// killed process loses nothing, a power cut nothing that was durable. A line that was not written
/// whole, and all that follow it, are as if they had never been: their inputs are done again.
class Journal {
 public:
  Journal() = default;
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// Reads what there is. Changes nothing. Fails with kReadFailed.
  [[nodiscard]] Status Load(const std::filesystem::path& state);
  /// The owner that the last run wrote; null if there was none.
  [[nodiscard]] const JournalOwner* owner() const {
    return owners_.empty() ? nullptr : &owners_.back().second;
  }
  /// Whether an earlier run began and did not come to its end.
  [[nodiscard]] bool is_unfinished() const { return unfinished_; }
  /// Lines that were not whole and are dropped by Begin.
  [[nodiscard]] bool is_damaged() const { return damaged_; }

  /// Begins or goes on with a run. `afresh`: earlier entries do not count any more. After Load.
  [[nodiscard]] Status Begin(const JournalOwner& owner, bool afresh, bool durable);
  /// The last entry for an input of earlier runs with this state. Any number of threads.
  /// `way` and `input` together name it: the same input on another way, from another source or to
  /// another sink, is another one.
  [[nodiscard]] std::optional<JournalEntry> Find(std::string_view way,
                                                 std::string_view input) const;
  /// One thread at a time. Fails with kWriteFailed.
  [[nodiscard]] Status Add(std::string_view way, std::string_view input, const JournalEntry& entry);
  /// The run came to its end.
  [[nodiscard]] Status End();

 private:
  [[nodiscard]] bool Take(const nlohmann::ordered_json& line);
  void TakeOwner(JournalOwner owner);
  [[nodiscard]] Status Append(const std::string& text);

  std::filesystem::path file_;
  int fd_ = -1;
  bool durable_ = false;
  bool damaged_ = false;
  bool unfinished_ = false;
  std::uint64_t size_ = 0;       ///< of what is whole
  std::uint64_t run_begin_ = 0;  ///< where the run that is not finished begins
  /// Where the lines of each owner begin: who decided an entry follows from its place.
  std::vector<std::pair<std::uint64_t, JournalOwner>> owners_;
  /// First half of the input's digest, and where its line is; sorted by Begin.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> index_;
};

/// Whether the last run with this state came to its end, by the last line of its journal.
[[nodiscard]] bool IsFinished(const std::filesystem::path& state);

}  // namespace dcmveil::pipeline
