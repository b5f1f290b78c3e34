// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "dcmveil/connection.h"
#include "dcmveil/run.h"
#include "dicomweb/service.h"
#include "dicomweb/stow.h"
#include "pipeline/sink.h"

namespace dcmveil::pipeline {

/// Stores instances in a DICOM service, several at the same time, from threads of its own. What the
/// service has already is compared and not sent again; another instance with the same UID is never
/// replaced, unless the connection says upsert.
class DicomWebSink : public Sink {
 public:
  /// Large instances are for a moment in `folder`.
  DicomWebSink(const Connection& connection, const std::filesystem::path& folder);
  ~DicomWebSink() override;

  /// Whether the service answers. Before anything else.
  [[nodiscard]] std::optional<RunSummary::Problem> Check();
  void Start();

  /// "studies/…/series/…/instances/…" of the new UIDs.
  [[nodiscard]] static std::string NameFor(const Deidentified& instance);
  [[nodiscard]] Result<std::unique_ptr<Staged>> Stage(
      const std::string& name, std::unique_ptr<Deidentified> instance) override;
  [[nodiscard]] std::unique_ptr<Staged> Recall(const std::string& name) override;
  void Begin(Staged& staged) override;
  [[nodiscard]] Result<Stored> End(Staged& staged) override;
  /// What a service stored is taken to stay.
  [[nodiscard]] bool Holds(const std::string& name, const FileStamp& stamp) override;
  void Close() override;
  [[nodiscard]] std::optional<std::string> Problem() override;

 private:
  /// What is known of a study in the service.
  struct Study {
    std::string uid;
    std::unordered_set<std::string> taken;  ///< instances of this run
    std::mutex mutex;                       ///< of what follows
    bool asked = false;
    std::unordered_set<std::string> present;  ///< instances, when it was asked
  };
  struct Upload;

  [[nodiscard]] std::shared_ptr<Study> FindStudy(const std::string& uid);
  /// Whether the service has the instance; an error if it cannot be asked.
  [[nodiscard]] std::optional<bool> IsPresent(Study& study, const std::string& instance);
  void Work();
  void SendAll(const std::vector<Upload*>& uploads);
  void Finish(Upload& upload, Result<Stored> result);

  dicomweb::Service service_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Upload*> queue_;
  bool ending_ = false;
  std::list<std::shared_ptr<Study>> studies_;  ///< the latest first
  std::vector<std::thread> threads_;
};

}  // namespace dcmveil::pipeline
