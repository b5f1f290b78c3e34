// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "dcmveil/engine.h"
#include "dcmveil/error.h"
#include "pipeline/sink.h"

namespace dcmveil::pipeline {

/// Writes outputs whole: first under a temporary name, then renamed without ever replacing a file.
class FolderSink : public Sink {
 public:
  /// `token` tells the temporary folders of runs that share an output folder apart. `durable`: what
  /// End reports survives a power cut.
  FolderSink(std::filesystem::path root, const std::string& token, bool durable = false);
  /// Makes the folders and removes what an interrupted run left. Fails with kWriteFailed.
  [[nodiscard]] Status Open();
  /// Removes the temporary folder.
  void Close() override;

  [[nodiscard]] Result<std::unique_ptr<Staged>> Stage(
      const std::string& name, std::unique_ptr<Deidentified> instance) override;
  [[nodiscard]] std::unique_ptr<Staged> Recall(const std::string& name) override;
  void Begin(Staged& staged) override;
  /// Gives the output its name, unless another one that has or wants it was begun before and has
  /// not ended: then End does so.
  void Settle(Staged& staged) override;
  [[nodiscard]] Result<Stored> End(Staged& staged) override;
  [[nodiscard]] bool Holds(const std::string& name, const FileStamp& stamp) override;
  /// Set once the file system has no room.
  [[nodiscard]] std::optional<std::string> Problem() override;

  struct Temporary {
    std::filesystem::path file;
    FileStamp stamp;
  };
  /// Writes to a new temporary file. Any number of threads may call it.
  [[nodiscard]] Result<Temporary> WriteTemporary(const EncodedInstance& encoded);
  enum class Commit { kDone, kTaken };
  /// Gives the temporary file its name, or leaves it where it is if the name is taken.
  [[nodiscard]] Result<Commit> Rename(const std::filesystem::path& temporary,
                                      const std::string& name);
  /// Whether the file with that name was there before Open(), by the file system's own clock.
  [[nodiscard]] bool WasThereBefore(const std::string& name) const;
  [[nodiscard]] std::filesystem::path PathOf(const std::string& name) const { return root_ / name; }
  /// Makes the file one that was not there before: sets its change time, and nothing else.
  void Claim(const std::string& name) const;

 private:
  struct StagedFile;
  void Name(StagedFile& file);
  /// kWriteFailed, and takes note if it is for want of room. `error`: errno of the failed call.
  [[nodiscard]] ErrorCode Failed(int error);

  std::filesystem::path root_;
  std::filesystem::path temporary_;
  bool durable_;
  timespec opened_ = {};  ///< of the file system's clock, which may be another machine's
  std::atomic<std::uint64_t> next_{0};
  std::atomic<bool> full_ = false;
  std::mutex mutex_;
  std::unordered_map<std::string, int> begun_;  ///< names, and how many with each have not ended
};

}  // namespace dcmveil::pipeline
