// SPDX-License-Identifier: Apache-2.0
#include "pipeline/dicomweb_sink.h"

#include <algorithm>

#include "dicomweb/qido.h"
#include "pipeline/dicomweb_problem.h"

namespace dcmveil::pipeline {
namespace {

using dicomweb::ResourceId;
using dicomweb::StowResult;

/// Inputs come study by study, so the latest few are enough; of others the service is asked anew.
constexpr std::size_t kMostStudies = 64;

Result<Sink::Stored> ResultOf(const StowResult& stored) {
  const std::string where =
      stored.reason != 0 ? "reason " + std::to_string(stored.reason) : std::string();
  switch (stored.what) {
    case StowResult::What::kStored:
      return Sink::Stored{.outcome = Outcome::kWritten, .warned = stored.warned};
    case StowResult::What::kExists:
      return Sink::Stored{.outcome = Outcome::kUnchanged, .warned = false};
    case StowResult::What::kConflict:
      return ErrorCode::kOutputExists;
    case StowResult::What::kRefused:
      return {ErrorCode::kRefused, where};
    case StowResult::What::kFailed:
      break;
  }
  return {ErrorCode::kWriteFailed, where};
}

ResourceId IdOf(const Deidentified& instance) {
  return {.study = instance.study_instance_uid,
          .series = instance.series_instance_uid,
          .instance = instance.sop_instance_uid};
}

}  // namespace

struct DicomWebSink::Upload : Sink::Staged {
  dicomweb::StowItem item;
  std::shared_ptr<Study> study;
  bool recalled = false;
  bool done = false;
  Result<Stored> result = Stored{};
};

DicomWebSink::DicomWebSink(const Connection& connection, const std::filesystem::path& folder)
    : service_(connection, folder) {}

DicomWebSink::~DicomWebSink() {
  service_.Stop();
  Close();
}

void DicomWebSink::Close() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

std::optional<RunSummary::Problem> DicomWebSink::Check() { return ProblemOf(service_.Probe()); }

void DicomWebSink::Start() {
  for (int i = 0; i < service_.connection().connections; ++i) {
    threads_.emplace_back([this] { Work(); });
  }
}

std::string DicomWebSink::NameFor(const Deidentified& instance) { return IdOf(instance).Path(); }

Result<std::unique_ptr<Sink::Staged>> DicomWebSink::Stage(const std::string& /*name*/,
                                                          std::unique_ptr<Deidentified> instance) {
  const ResourceId id = IdOf(*instance);
  // What the service would refuse anyway, and what cannot stand in its addresses.
  if (!dicomweb::IsUid(id.study)) return {ErrorCode::kMissingForService, "(0020,000D)"};
  if (!dicomweb::IsUid(id.series)) return {ErrorCode::kMissingForService, "(0020,000E)"};
  if (!dicomweb::IsUid(id.instance)) return {ErrorCode::kMissingForService, "(0008,0018)"};
  if (service_.connection().api_version.starts_with("v1") && instance->patient_id.empty()) {
    return {ErrorCode::kMissingForService, "(0010,0020)"};
  }
  auto upload = std::make_unique<Upload>();
  upload->item = {.id = id, .file = service_.NewSpool()};
  dicomweb::Spool& spool = *upload->item.file;
  if (spool.Reserve(instance->encoded.size())) {
    Result<std::string> bytes = instance->encoded.ToBytes();
    if (!bytes) return bytes.error();
    spool.bytes() = std::move(*bytes);
  } else {
    const int file = spool.UseFile();
    if (file < 0) return ErrorCode::kWriteFailed;
    const Status written = instance->encoded.WriteTo(file);
    if (!written) return written.error();
  }
  return std::unique_ptr<Staged>(std::move(upload));
}

std::shared_ptr<DicomWebSink::Study> DicomWebSink::FindStudy(const std::string& uid) {
  const auto it = std::find_if(studies_.begin(), studies_.end(),
                               [&uid](const auto& study) { return study->uid == uid; });
  if (it != studies_.end()) {
    studies_.splice(studies_.begin(), studies_, it);
    return studies_.front();
  }
  studies_.push_front(std::make_shared<Study>());
  studies_.front()->uid = uid;
  if (studies_.size() > kMostStudies) studies_.pop_back();
  return studies_.front();
}

bool DicomWebSink::Holds(const std::string& /*name*/, const FileStamp& /*stamp*/) { return true; }

std::unique_ptr<Sink::Staged> DicomWebSink::Recall(const std::string& name) {
  auto upload = std::make_unique<Upload>();
  upload->recalled = true;
  // As NameFor makes it: the second and the last of six parts.
  const std::size_t study = name.find('/') + 1;
  upload->item.id.study = name.substr(study, name.find('/', study) - study);
  upload->item.id.instance = name.substr(name.rfind('/') + 1);
  return upload;
}

void DicomWebSink::Begin(Staged& staged) {
  auto& upload = static_cast<Upload&>(staged);
  upload.study = FindStudy(upload.item.id.study);
  const bool is_first = upload.study->taken.insert(upload.item.id.instance).second;
  if (upload.recalled) {
    Finish(upload, Stored{.outcome = Outcome::kUnchanged});
    return;
  }
  if (!is_first) {
    Finish(upload, ErrorCode::kSameOutput);
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(&upload);
  }
  changed_.notify_all();
}

Result<Sink::Stored> DicomWebSink::End(Staged& staged) {
  auto& upload = static_cast<Upload&>(staged);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&upload] { return upload.done; });
  return upload.result;
}

void DicomWebSink::Finish(Upload& upload, Result<Stored> result) {
  const std::lock_guard lock(mutex_);
  upload.result = std::move(result);
  upload.done = true;
  changed_.notify_all();
}

std::optional<std::string> DicomWebSink::Problem() {
  const std::optional<dicomweb::Failure> verdict = service_.verdict();
  if (!verdict) return std::nullopt;
  return verdict->message;
}

std::optional<bool> DicomWebSink::IsPresent(Study& study, const std::string& instance) {
  const std::lock_guard lock(study.mutex);
  if (!study.asked) {
    const dicomweb::Reply<bool> done =
        dicomweb::Search(service_, dicomweb::Level::kInstance, {.study = study.uid}, {},
                         [&study](const ResourceId& id) {
                           study.present.insert(id.instance);
                           return true;
                         });
    if (!done && done.failure().kind != dicomweb::Failure::Kind::kNotFound) return std::nullopt;
    study.asked = true;
  }
  return study.present.contains(instance);
}

void DicomWebSink::Work() {
  const auto batch = static_cast<std::size_t>(std::max(1, service_.connection().stow_batch));
  while (true) {
    std::vector<Upload*> uploads;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ending_ || !queue_.empty(); });
      if (queue_.empty()) return;
      while (!queue_.empty() && uploads.size() < batch) {
        uploads.push_back(queue_.front());
        queue_.pop_front();
      }
    }
    SendAll(uploads);
  }
}

void DicomWebSink::SendAll(const std::vector<Upload*>& uploads) {
  std::vector<Upload*> sent;
  std::vector<dicomweb::StowItem> items;
  for (Upload* upload : uploads) {
    const std::optional<bool> present = IsPresent(*upload->study, upload->item.id.instance);
    if (!present) {
      Finish(*upload, ErrorCode::kWriteFailed);
      continue;
    }
    if (*present) {
      const dicomweb::Reply<dicomweb::Comparison> comparison =
          CompareWithStored(service_, upload->item);
      if (!comparison) {
        Finish(*upload, ErrorCode::kWriteFailed);
        continue;
      }
      if (*comparison == dicomweb::Comparison::kSame) {
        Finish(*upload, Stored{.outcome = Outcome::kUnchanged, .warned = false});
        continue;
      }
      if (*comparison == dicomweb::Comparison::kDifferent && !service_.connection().upsert) {
        Finish(*upload, ErrorCode::kOutputExists);
        continue;
      }
    }
    sent.push_back(upload);
    items.push_back(upload->item);
  }
  const std::vector<StowResult> results = dicomweb::Store(service_, items);
  for (std::size_t i = 0; i < sent.size(); ++i) Finish(*sent[i], ResultOf(results[i]));
}

}  // namespace dcmveil::pipeline
