// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <filesystem>
#include <functional>
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
#include "pipeline/retriever.h"
#include "pipeline/shard.h"
#include "pipeline/source.h"

namespace dcmveil::pipeline {

/// Reads the selected instances of a DICOM service: one thread finds them, a Retriever fetches them
/// ahead of the run. Inputs are named "studies/…/series/…/instances/…" and come in the order in
/// which they are found, each once.
class DicomWebSource : public Source {
 public:
  /// `state` holds the place in the change feed and, for a moment, large instances; empty: a dry
  /// run, nothing is kept.
  /// With a splitter it finds, counts and gives the shard's own studies only.
  DicomWebSource(const Connection& connection, Selection selection,
                 const std::filesystem::path& state, std::optional<Splitter> splitter = {});
  ~DicomWebSource() override;

  /// Whether the selection makes sense and the service answers. Before anything else.
  [[nodiscard]] std::optional<RunSummary::Problem> Check();
  /// Begins to read.
  void Start();

  [[nodiscard]] std::optional<Input> Next() override;
  [[nodiscard]] std::uint64_t Count(const std::atomic<bool>& stop) override;
  void SkipIf(const std::function<bool(const std::string& name)>& known) override;
  void Finished(Outcome outcome) override;
  [[nodiscard]] std::optional<std::string> Problem() override;

 private:
  void Enumerate();
  [[nodiscard]] std::optional<dicomweb::Failure> FindAll();
  [[nodiscard]] std::optional<dicomweb::Failure> FindListed();
  [[nodiscard]] bool Wants(const std::string& study) const {
    return !splitter_ || splitter_->TakesStudy(study);
  }
  bool AddFound(const dicomweb::ResourceId& id, dicomweb::ResourceId unit);
  [[nodiscard]] dicomweb::ResourceId UnitOf(const dicomweb::ResourceId& id) const;
  void LoadPosition();
  void SavePosition();

  dicomweb::Service service_;
  const Selection selection_;
  const std::filesystem::path state_;
  const std::optional<Splitter> splitter_;
  std::vector<dicomweb::ResourceId> listed_;
  dicomweb::FeedPosition from_;
  Retrieve unit_ = Retrieve::kInstance;  ///< what the selection lets be asked for at once
  std::function<bool(const std::string&)> known_;
  dicomweb::ResourceId partly_known_;  ///< the last unit with an instance that is known
  Retriever retriever_{service_};
  std::thread finder_;

  std::mutex mutex_;
  std::deque<dicomweb::FeedPosition> given_;  ///< and not yet finished
  std::optional<dicomweb::FeedPosition> safe_;
  bool may_advance_ = true;
  std::uint64_t unsaved_ = 0;
};

}  // namespace dcmveil::pipeline
