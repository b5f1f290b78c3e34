// SPDX-License-Identifier: Apache-2.0
#include "pipeline/dicomweb_source.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "dicomweb/qido.h"
#include "pipeline/dicomweb_problem.h"

namespace dcmveil::pipeline {
namespace fs = std::filesystem;
namespace {

using dicomweb::Failure;
using dicomweb::ResourceId;

constexpr std::size_t kMostFound = 10'000;  // ahead of what is retrieved
constexpr std::uint64_t kSaveAfter = 1000;  // instances
constexpr const char* kPositionFile = "changefeed.json";

fs::path SpoolFolder(const fs::path& state) {
  std::error_code error;
  return state.empty() ? fs::temp_directory_path(error) : state;
}

/// "study", "study/series", "study/series/instance", also with the words of a URL between.
std::optional<ResourceId> ParseResource(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('/', begin), text.size());
    std::string part = text.substr(begin, end - begin);
    if (part != "studies" && part != "series" && part != "instances") {
      if (!dicomweb::IsUid(part)) return std::nullopt;
      parts.push_back(std::move(part));
    }
    begin = end + 1;
  }
  if (parts.empty() || parts.size() > 3) return std::nullopt;
  parts.resize(3);
  return ResourceId{.study = parts[0], .series = parts[1], .instance = parts[2]};
}

}  // namespace

DicomWebSource::DicomWebSource(const Connection& connection, Selection selection,
                               const fs::path& state)
    : service_(connection, SpoolFolder(state)), selection_(std::move(selection)), state_(state) {}

DicomWebSource::~DicomWebSource() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  service_.Stop();
  for (std::thread& thread : threads_) thread.join();
  if (unsaved_ > 0) SavePosition();
}

std::optional<RunSummary::Problem> DicomWebSource::Check() {
  const auto usage = [](std::string message) {
    return RunSummary::Problem{.usage = true, .message = std::move(message)};
  };
  for (const auto& [key, value] : selection_.query) {
    if (key.empty() || key == "limit" || key == "offset") {
      return usage("a query cannot set `" + key + "`; paging is not for the caller to do");
    }
  }
  if (selection_.uids) {
    for (std::size_t i = 0; i < selection_.uids->size(); ++i) {
      std::optional<ResourceId> id = ParseResource((*selection_.uids)[i]);
      if (!id) return usage("entry " + std::to_string(i + 1) + " of the list of UIDs is none");
      listed_.push_back(std::move(*id));
    }
  }
  if (selection_.changefeed) {
    if (selection_.uids || !selection_.query.empty()) {
      return usage("the change feed cannot be read together with a query or a list of UIDs");
    }
    if (!selection_.since.empty()) {
      const auto since = dicomweb::ParsePosition(selection_.since);
      if (!since) return usage("--since takes a sequence number or a date such as 2024-05-01");
      from_ = *since;
    }
    LoadPosition();
  }
  return ProblemOf(service_.Probe());
}

void DicomWebSource::Start() {
  threads_.emplace_back([this] { Enumerate(); });
  for (int i = 0; i < service_.connection().connections; ++i) {
    threads_.emplace_back([this] { Fetch(); });
  }
}

bool DicomWebSource::Add(Slot slot) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return ending_ || slots_.size() < kMostFound; });
  if (ending_) return false;
  slots_.push_back(std::make_shared<Slot>(std::move(slot)));
  ++found_;
  changed_.notify_all();
  return true;
}

void DicomWebSource::Fail(const Failure& failure) {
  const std::lock_guard lock(mutex_);
  if (!problem_ && !ending_) problem_ = failure.message;
  changed_.notify_all();
}

std::optional<Failure> DicomWebSource::FindListed() {
  for (const ResourceId& id : listed_) {
    const dicomweb::Reply<bool> done =
        dicomweb::InstancesOf(service_, id, selection_.query,
                              [this](const ResourceId& found) { return Add({.id = found}); });
    if (!done && done.failure().kind == Failure::Kind::kNotFound) {
      if (!Add({.id = id, .position = {}, .problem = ErrorCode::kNotFound, .done = true})) break;
      continue;
    }
    if (!done) return done.failure();
    if (!*done) break;
  }
  return std::nullopt;
}

std::optional<Failure> DicomWebSource::FindAll() {
  if (selection_.uids) return FindListed();
  const dicomweb::Reply<bool> done =
      selection_.changefeed
          ? dicomweb::ReadChangeFeed(service_, from_, selection_.lag,
                                     [this](const dicomweb::FeedEntry& entry) {
                                       return Add({.id = entry.id, .position = entry.position});
                                     })
          : dicomweb::SearchInstances(service_, selection_.query,
                                      [this](const ResourceId& id) { return Add({.id = id}); });
  if (!done) return done.failure();
  return std::nullopt;
}

void DicomWebSource::Enumerate() {
  if (const std::optional<Failure> failure = FindAll()) Fail(*failure);
  const std::lock_guard lock(mutex_);
  all_found_ = true;
  changed_.notify_all();
}

void DicomWebSource::Fetch() {
  // What was retrieved and is not yet asked for; `slots_` begins with it.
  const std::size_t window = 2 * static_cast<std::size_t>(service_.connection().connections);
  while (true) {
    std::shared_ptr<Slot> slot;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] {
        return ending_ || (next_fetch_ < slots_.size() && next_fetch_ < window) ||
               (all_found_ && next_fetch_ >= slots_.size());
      });
      if (ending_ || next_fetch_ >= slots_.size()) return;
      slot = slots_[next_fetch_++];
    }
    if (!slot->done) Retrieve(*slot);
    const std::lock_guard lock(mutex_);
    slot->done = true;
    changed_.notify_all();
  }
}

void DicomWebSource::Retrieve(Slot& slot) {
  dicomweb::Reply<std::shared_ptr<dicomweb::Spool>> spool = RetrieveInstance(service_, slot.id);
  if (spool) {
    slot.spool = std::move(*spool);
    return;
  }
  slot.problem = spool.failure().kind == Failure::Kind::kNotFound ? ErrorCode::kNotFound
                                                                  : ErrorCode::kReadFailed;
  if (const std::optional<Failure> verdict = service_.verdict()) Fail(*verdict);
}

std::optional<Input> DicomWebSource::Next() {
  std::unique_lock lock(mutex_);
  changed_.wait(
      lock, [this] { return problem_ || (slots_.empty() ? all_found_ : slots_.front()->done); });
  // What has been retrieved before the service went away is not lost.
  if (slots_.empty() || !slots_.front()->done) return std::nullopt;
  const std::shared_ptr<Slot> slot = std::move(slots_.front());
  slots_.pop_front();
  --next_fetch_;
  given_.push_back(slot->position);
  changed_.notify_all();
  lock.unlock();

  Input input{.file = {}, .name = slot->id.Path(), .problem = slot->problem};
  if (slot->spool) {
    if (slot->spool->in_memory()) {
      input.bytes = std::move(slot->spool->bytes());
    } else {
      input.file = slot->spool->file();
    }
    input.keep = std::move(slot->spool);
  }
  return input;
}

std::uint64_t DicomWebSource::Count(const std::atomic<bool>& stop) {
  std::unique_lock lock(mutex_);
  while (!all_found_ && !stop) changed_.wait_for(lock, std::chrono::milliseconds(100));
  return all_found_ && !problem_ ? found_ : 0;
}

std::optional<std::string> DicomWebSource::Problem() {
  const std::lock_guard lock(mutex_);
  return problem_;
}

void DicomWebSource::Finished(Outcome outcome) {
  bool save = false;
  {
    const std::lock_guard lock(mutex_);
    const dicomweb::FeedPosition position = std::move(given_.front());
    given_.pop_front();
    if (!selection_.changefeed) return;
    // The next run begins at the first that failed.
    may_advance_ = may_advance_ && outcome != Outcome::kFailed;
    if (!may_advance_) return;
    safe_ = position;
    save = ++unsaved_ >= kSaveAfter;
  }
  if (save) SavePosition();
}

void DicomWebSource::LoadPosition() {
  if (state_.empty()) return;
  std::ifstream file(state_ / kPositionFile);
  if (!file) return;
  const nlohmann::json saved = nlohmann::json::parse(file, nullptr, false);
  if (!saved.is_object() || saved.value("service", "") != service_.base()) return;
  from_ = {.sequence = saved.value("sequence", std::int64_t{0}), .time = saved.value("time", "")};
}

void DicomWebSource::SavePosition() {
  if (state_.empty()) return;
  nlohmann::ordered_json position;
  {
    const std::lock_guard lock(mutex_);
    unsaved_ = 0;
    if (!safe_) return;
    position["service"] = service_.base();
    position["sequence"] = safe_->sequence;
    position["time"] = safe_->time;
  }
  const fs::path temporary = state_ / (std::string(kPositionFile) + ".new");
  std::ofstream file(temporary, std::ios::trunc);
  file << position.dump() << "\n";
  file.close();
  std::error_code ignored;
  // If it cannot be saved the next run does more than it must, and no harm.
  if (file) fs::rename(temporary, state_ / kPositionFile, ignored);
}

}  // namespace dcmveil::pipeline
