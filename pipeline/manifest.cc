// SPDX-License-Identifier: Apache-2.0
#include "pipeline/manifest.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <system_error>

#include "pipeline/file_name.h"

namespace dcmveil::pipeline {
namespace fs = std::filesystem;

Manifest::~Manifest() {
  if (fd_ >= 0) ::close(fd_);
}

Status Manifest::Open(const fs::path& state) {
  file_ = state / "manifest.ndjson";
  std::error_code error;
  if (fs::exists(file_, error)) fs::rename(file_, state / "manifest.previous.ndjson", error);
  if (error) return ErrorCode::kWriteFailed;
  fd_ = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  if (fd_ < 0) return ErrorCode::kWriteFailed;
  return Done{};
}

Status Manifest::Add(const std::string& input, const std::string& output,
                     const InstanceReport& report) {
  nlohmann::ordered_json line;
  SetFileName(line, "input", input);
  line["output"] = nullptr;
  if (!output.empty()) SetFileName(line, "output", output);
  line["outcome"] = ToString(report.outcome);
  line["reason"] =
      report.reason.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(report.reason);
  if (!report.where.empty()) line["where"] = report.where;
  if (!report.notes.empty()) {
    nlohmann::ordered_json& notes = line["notes"];
    for (const NoteCount& note : report.notes) notes[std::string(CodeOf(note.code))] = note.count;
  }
  const std::string text = line.dump() + "\n";
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = ::write(fd_, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return ErrorCode::kWriteFailed;
    done += static_cast<std::size_t>(n);
  }
  return Done{};
}

}  // namespace dcmveil::pipeline
