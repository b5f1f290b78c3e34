// SPDX-License-Identifier: Apache-2.0
#include "pipeline/dicomweb_source.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>
#include <unordered_set>

#include "dicomweb/qido.h"
#include "pipeline/dicomweb_problem.h"

namespace dcmveil::pipeline {
namespace fs = std::filesystem;
namespace {

using dicomweb::Failure;
using dicomweb::ResourceId;

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
                               const fs::path& state, std::optional<Splitter> splitter)
    : service_(connection, SpoolFolder(state)),
      selection_(std::move(selection)),
      state_(state),
      splitter_(splitter) {}

DicomWebSource::~DicomWebSource() {
  service_.Stop();
  retriever_.Stop();
  if (finder_.joinable()) finder_.join();
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
  // A part of a series or of a study is not to be had in one request.
  const auto asks_of = [this](dicomweb::Level level) {
    return std::any_of(
        selection_.query.begin(), selection_.query.end(),
        [level](const auto& entry) { return dicomweb::LevelOf(entry.first) == level; });
  };
  unit_ = service_.connection().retrieve;
  if (unit_ == Retrieve::kStudy && asks_of(dicomweb::Level::kSeries)) unit_ = Retrieve::kSeries;
  if (selection_.changefeed || asks_of(dicomweb::Level::kInstance)) unit_ = Retrieve::kInstance;
  retriever_.Start();
  finder_ = std::thread([this] { Enumerate(); });
}

ResourceId DicomWebSource::UnitOf(const ResourceId& id) const {
  switch (unit_) {
    case Retrieve::kStudy:
      return {.study = id.study};
    case Retrieve::kSeries:
      return {.study = id.study, .series = id.series};
    case Retrieve::kInstance:
      break;
  }
  return {};
}

void DicomWebSource::SkipIf(const std::function<bool(const std::string& name)>& known) {
  known_ = known;
}

bool DicomWebSource::AddFound(const ResourceId& id, ResourceId unit) {
  if (known_ && known_(id.Path())) {
    partly_known_ = std::move(unit);
    return retriever_.Add({.id = id, .done = true, .skipped = true}, {});
  }
  // All of it again would be more than what is missing.
  if (unit == partly_known_) unit = {};
  return retriever_.Add({.id = id}, unit);
}

std::optional<Failure> DicomWebSource::FindListed() {
  // What was listed, as it is known once it has been found: an instance of two entries comes once.
  std::unordered_set<std::string> before;
  for (const ResourceId& listed : listed_) {
    // With a series or more the first UID is that of a study; alone it may be that of a series.
    if (!listed.series.empty() && !Wants(listed.study)) continue;
    bool of_others = false;
    ResourceId whole = listed;
    const auto add = [&](const ResourceId& found) {
      of_others = !Wants(found.study);
      if (of_others) return false;
      const ResourceId series{.study = found.study, .series = found.series};
      const ResourceId study{.study = found.study};
      if (before.contains(found.Path()) || before.contains(series.Path()) ||
          before.contains(study.Path())) {
        return true;
      }
      // A UID alone may have been that of a series.
      const bool is_study = listed.series.empty() && listed.study == found.study;
      if (!is_study && listed.instance.empty()) whole = series;
      ResourceId unit = UnitOf(found);
      if (!is_study && unit_ == Retrieve::kStudy) unit = series;
      if (!listed.instance.empty()) unit = {};
      return AddFound(found, unit);
    };
    const dicomweb::Reply<bool> done =
        dicomweb::InstancesOf(service_, listed, selection_.query, add);
    if (!done && done.failure().kind == Failure::Kind::kNotFound) {
      if (Wants(listed.study) && before.insert(listed.Path()).second &&
          !retriever_.Add({.id = listed, .problem = ErrorCode::kNotFound, .done = true}, {})) {
        break;
      }
      continue;
    }
    if (!done) return done.failure();
    if (of_others) continue;
    if (!*done) break;
    before.insert(whole.Path());
  }
  return std::nullopt;
}

std::optional<Failure> DicomWebSource::FindAll() {
  if (selection_.uids) return FindListed();
  const dicomweb::Reply<bool> done =
      selection_.changefeed
          ? dicomweb::ReadChangeFeed(service_, from_, selection_.lag,
                                     [this](const dicomweb::FeedEntry& entry) {
                                       if (!Wants(entry.id.study)) return true;
                                       return retriever_.Add(
                                           {.id = entry.id, .position = entry.position}, {});
                                     })
          : dicomweb::SearchInstances(
                service_, selection_.query,
                [this](const ResourceId& id) { return AddFound(id, UnitOf(id)); },
                [this](const std::string& study) { return Wants(study); });
  if (!done) return done.failure();
  return std::nullopt;
}

void DicomWebSource::Enumerate() {
  const std::optional<Failure> failure = FindAll();
  retriever_.NoMore(failure ? std::optional(failure->message) : std::nullopt);
}

std::optional<Input> DicomWebSource::Next() {
  const std::shared_ptr<Retriever::Slot> slot = retriever_.Next();
  if (!slot) return std::nullopt;
  {
    const std::lock_guard lock(mutex_);
    given_.push_back(slot->position);
  }
  Input input{.file = {}, .name = slot->id.Path(), .problem = slot->problem};
  input.skipped = slot->skipped;
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
  while (!stop) {
    if (const std::optional<std::uint64_t> found = retriever_.Found()) return *found;
  }
  return 0;
}

std::optional<std::string> DicomWebSource::Problem() { return retriever_.problem(); }

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
  if (!saved.is_object()) return;
  const auto service = saved.find("service");
  const auto sequence = saved.find("sequence");
  const auto time = saved.find("time");
  if (service == saved.end() || *service != service_.base() || sequence == saved.end() ||
      !sequence->is_number_integer() || time == saved.end() || !time->is_string()) {
    return;
  }
  from_ = {.sequence = sequence->get<std::int64_t>(), .time = time->get<std::string>()};
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
