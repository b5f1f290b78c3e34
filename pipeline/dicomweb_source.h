// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "dcmveil/run.h"
#include "dicomweb/changefeed.h"
#include "dicomweb/service.h"
#include "dicomweb/wado.h"
#include "pipeline/source.h"

namespace dcmveil::pipeline {

/// Reads the selected instances of a DICOM service: one thread finds them, several retrieve them
/// ahead of the run, no more than a window full. Inputs are named "studies/…/series/…/instances/…"
/// and come in the order in which they are found.
class DicomWebSource : public Source {
 public:
  /// `state` holds the place in the change feed and, for a moment, large instances; empty: a dry
  /// run, nothing is kept.
  DicomWebSource(const Connection& connection, Selection selection,
                 const std::filesystem::path& state);
  ~DicomWebSource() override;

  /// Whether the selection makes sense and the service answers. Before anything else.
  [[nodiscard]] std::optional<RunSummary::Problem> Check();
  /// Begins to read.
  void Start();

  [[nodiscard]] std::optional<Input> Next() override;
  [[nodiscard]] std::uint64_t Count(const std::atomic<bool>& stop) override;
  void Finished(Outcome outcome) override;
  [[nodiscard]] std::optional<std::string> Problem() override;

 private:
  /// One instance that was found.
  struct Slot {
    dicomweb::ResourceId id = {};
    dicomweb::FeedPosition position = {};
    std::optional<ErrorCode> problem = {};
    std::shared_ptr<dicomweb::Spool> spool = {};
    bool done = false;
  };

  void Enumerate();
  [[nodiscard]] std::optional<dicomweb::Failure> FindAll();
  [[nodiscard]] std::optional<dicomweb::Failure> FindListed();
  bool Add(Slot slot);
  void Fetch();
  void Retrieve(Slot& slot);
  void Fail(const dicomweb::Failure& failure);
  void LoadPosition();
  void SavePosition();

  dicomweb::Service service_;
  const Selection selection_;
  const std::filesystem::path state_;
  std::vector<dicomweb::ResourceId> listed_;
  dicomweb::FeedPosition from_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Slot>> slots_;  ///< found and not yet given
  std::size_t next_fetch_ = 0;               ///< in `slots_`
  std::uint64_t found_ = 0;
  bool all_found_ = false;
  bool ending_ = false;
  std::optional<std::string> problem_;
  std::deque<dicomweb::FeedPosition> given_;  ///< and not yet finished
  std::optional<dicomweb::FeedPosition> safe_;
  bool may_advance_ = true;
  std::uint64_t unsaved_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace dcmveil::pipeline
