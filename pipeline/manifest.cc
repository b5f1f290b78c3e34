// SPDX-License-Identifier: Apache-2.0
#include "pipeline/manifest.h"

#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "pipeline/file_name.h"
#include "pipeline/files.h"

namespace dcmveil::pipeline {
namespace fs = std::filesystem;

using Json = nlohmann::ordered_json;

namespace {

/// Reasons are the rule file's words, which may be no UTF-8.
std::string Text(const Json& line) {
  return line.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string QuarantineLine(const std::string& input, const InstanceReport& report,
                           const std::string& rules_hash) {
  Json line;
  SetFileName(line, "input", input);
  line["reason"] = report.reason;
  if (!report.where.empty()) line["where"] = report.where;
  line["rules_hash"] = rules_hash;
  return Text(line);
}

Manifest::~Manifest() {
  if (fd_ >= 0) ::close(fd_);
  if (quarantine_fd_ >= 0) ::close(quarantine_fd_);
}

Status Manifest::Open(const fs::path& state, std::string rules_hash) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC;
  rules_hash_ = std::move(rules_hash);
  file_ = state / "manifest.ndjson";
  std::error_code error;
  if (fs::exists(file_, error)) fs::rename(file_, state / "manifest.previous.ndjson", error);
  if (error) return ErrorCode::kWriteFailed;
  fd_ = ::open(file_.c_str(), kFlags, 0600);
  quarantine_fd_ = ::open((state / "quarantine.ndjson").c_str(), kFlags, 0600);
  if (fd_ < 0 || quarantine_fd_ < 0) return ErrorCode::kWriteFailed;
  return Done{};
}

Status Manifest::Add(const std::string& input, const std::string& output,
                     const InstanceReport& report, const std::optional<JournalOwner>& decided_by) {
  Json line;
  SetFileName(line, "input", input);
  line["output"] = nullptr;
  if (!output.empty()) SetFileName(line, "output", output);
  line["outcome"] = ToString(report.outcome);
  line["reason"] = report.reason.empty() ? Json() : Json(report.reason);
  if (!report.where.empty()) line["where"] = report.where;
  if (!report.notes.empty()) {
    Json& notes = line["notes"];
    for (const NoteCount& note : report.notes) notes[std::string(CodeOf(note.code))] = note.count;
  }
  if (decided_by) {
    line["decided_by"] = {
        {"rules_hash", decided_by->rules_hash},
        {"edition", decided_by->edition.empty() ? Json() : Json(decided_by->edition)}};
  }
  if (report.outcome == Outcome::kQuarantined) {
    const std::string& rules_hash = decided_by ? decided_by->rules_hash : rules_hash_;
    const Status added = WriteAll(quarantine_fd_, QuarantineLine(input, report, rules_hash) + "\n");
    if (!added) return added;
  }
  return WriteAll(fd_, Text(line) + "\n");
}

}  // namespace dcmveil::pipeline
