// SPDX-License-Identifier: Apache-2.0
//
// A line: the CRC-32 of what follows as 8 hexadecimal digits, a blank, a JSON object. The object is
// {"owner": …} when a run begins, {"end": true} when it ends, and else what became of an input.
#include "pipeline/journal.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "engine/crypto.h"
#include "pipeline/file_name.h"

namespace dcmveil::pipeline {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kChecksumSize = 9;  // with the blank

std::string ChecksumOf(std::string_view text) {
  std::array<char, kChecksumSize + 1> hex{};
  const uLong crc =
      ::crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size()));
  (void)std::snprintf(hex.data(), hex.size(), "%08lx ", crc);
  return hex.data();
}

/// The object of a line without its line feed; nothing if it is not what was written.
std::optional<Json> Parse(std::string_view line) {
  if (line.size() <= kChecksumSize) return std::nullopt;
  const std::string_view text = line.substr(kChecksumSize);
  if (line.substr(0, kChecksumSize) != ChecksumOf(text)) return std::nullopt;
  Json object = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return std::nullopt;
  return object;
}

std::string DigestOf(std::string_view way, std::string_view input) {
  std::string name(way);
  name.push_back('\0');
  name += input;
  return Sha256(name).hex().substr(0, 32);
}

std::uint64_t FirstHalf(const std::string& digest) {
  return std::strtoull(digest.substr(0, 16).c_str(), nullptr, 16);
}

Json ToJson(const FileStamp& stamp) { return Json::array({stamp.size, stamp.modified}); }

FileStamp StampFrom(const Json& json) {
  return {.size = json.at(0).get<std::uint64_t>(), .modified = json.at(1).get<std::int64_t>()};
}

void SetEntry(Json& json, const JournalEntry& entry) {
  json["outcome"] = ToString(entry.report.outcome);
  if (!entry.output.empty()) SetFileName(json, "output", entry.output);
  if (!entry.report.reason.empty()) json["reason"] = entry.report.reason;
  if (!entry.report.where.empty()) json["where"] = entry.report.where;
  for (const NoteCount& note : entry.report.notes) {
    json["notes"][std::string(CodeOf(note.code))] = note.count;
  }
  json["bytes"] = Json::array({entry.bytes_in, entry.bytes_out});
  json["stamps"] = Json::array({ToJson(entry.input_stamp), ToJson(entry.output_stamp)});
  if (entry.tally) json["tally"] = ToJson(*entry.tally);
}

/// Nothing if another version wrote what this one does not know, or the output's name is no UTF-8:
/// the input is then done again.
std::optional<JournalEntry> EntryFrom(const Json& json) try {
  JournalEntry entry;
  const auto outcome = FindOutcome(json.at("outcome").get<std::string>());
  if (!outcome || json.contains("output_bytes")) return std::nullopt;
  entry.report.outcome = *outcome;
  entry.output = json.value("output", "");
  entry.report.reason = json.value("reason", "");
  entry.report.where = json.value("where", "");
  if (json.contains("notes")) {
    for (const auto& [name, count] : json.at("notes").items()) {
      const auto code = FindNoteCode(name);
      if (!code) return std::nullopt;
      entry.report.notes.push_back({*code, count.get<int>()});
    }
  }
  entry.bytes_in = json.at("bytes").at(0).get<std::uint64_t>();
  entry.bytes_out = json.at("bytes").at(1).get<std::uint64_t>();
  entry.input_stamp = StampFrom(json.at("stamps").at(0));
  entry.output_stamp = StampFrom(json.at("stamps").at(1));
  if (json.contains("tally")) entry.tally = TallyFromJson(json.at("tally"));
  return entry;
} catch (const Json::exception&) {
  return std::nullopt;
}

constexpr const char* kFile = "journal";
constexpr const char* kEnd = R"({"end":true})";

}  // namespace

Journal::~Journal() {
  if (fd_ >= 0) ::close(fd_);
}

/// The lines from here on are of this owner.
void Journal::TakeOwner(JournalOwner owner) {
  if (this->owner() == nullptr || *this->owner() != owner) {
    owners_.emplace_back(size_, std::move(owner));
  }
}

/// False if it is no line that this version writes.
bool Journal::Take(const Json& line) try {
  if (line.contains("owner")) {
    const Json& owner = line.at("owner");
    TakeOwner({.rules_hash = owner.at("rules_hash").get<std::string>(),
               .key_id = owner.at("key_id").get<std::string>(),
               .edition = owner.at("edition").get<std::string>()});
    if (line.value("afresh", false)) index_.clear();
    if (!unfinished_) run_begin_ = size_;
    unfinished_ = true;
  } else if (line.contains("end")) {
    unfinished_ = false;
  } else {
    index_.emplace_back(FirstHalf(line.at("input").get<std::string>()), size_);
  }
  return true;
} catch (const Json::exception&) {
  return false;
}

Status Journal::Load(const fs::path& state) {
  file_ = state / kFile;
  std::error_code error;
  if (!fs::exists(file_, error)) {
    if (error) return ErrorCode::kReadFailed;
    return Done{};
  }
  std::ifstream stream(file_, std::ios::binary);
  if (!stream) return ErrorCode::kReadFailed;
  for (std::string line; std::getline(stream, line);) {
    std::optional<Json> object;
    // A line without its end was not written whole, even if it looks so.
    if (!stream.eof()) object = Parse(line);
    if (!object || !Take(*object)) {
      damaged_ = true;
      break;
    }
    size_ += line.size() + 1;
  }
  if (stream.bad()) return ErrorCode::kReadFailed;
  return Done{};
}

Status Journal::Begin(const JournalOwner& owner, bool afresh, bool durable) {
  durable_ = durable;
  fd_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd_ < 0) return ErrorCode::kWriteFailed;
  if (damaged_ && ::ftruncate(fd_, static_cast<off_t>(size_)) != 0) return ErrorCode::kWriteFailed;
  if (afresh) index_.clear();
  if (!unfinished_) run_begin_ = size_;
  std::sort(index_.begin(), index_.end());
  index_.shrink_to_fit();
  TakeOwner(owner);
  Json line;
  line["owner"] = {
      {"rules_hash", owner.rules_hash}, {"key_id", owner.key_id}, {"edition", owner.edition}};
  if (afresh) line["afresh"] = true;
  return Append(line.dump());
}

std::optional<JournalEntry> Journal::Find(std::string_view way, std::string_view input) const {
  if (index_.empty()) return std::nullopt;
  const std::string digest = DigestOf(way, input);
  const std::uint64_t key = FirstHalf(digest);
  // The last one counts.
  auto it = std::upper_bound(index_.begin(), index_.end(), std::pair(key, UINT64_MAX));
  while (it != index_.begin() && (--it)->first == key) {
    std::string text;
    std::array<char, 1024> part{};
    std::size_t end = std::string::npos;
    while (end == std::string::npos) {
      const ssize_t n =
          ::pread(fd_, part.data(), part.size(), static_cast<off_t>(it->second + text.size()));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return std::nullopt;
      text.append(part.data(), static_cast<std::size_t>(n));
      end = text.find('\n');
    }
    const std::optional<Json> object = Parse(std::string_view(text).substr(0, end));
    if (!object || object->value("input", "") != digest) continue;
    std::optional<JournalEntry> entry = EntryFrom(*object);
    if (!entry) return std::nullopt;
    entry->of_this_run = it->second >= run_begin_;
    auto owner = owners_.rbegin();
    while (owner != owners_.rend() && owner->first > it->second) ++owner;
    if (owner == owners_.rend()) return std::nullopt;
    if (owner->second != owners_.back().second) entry->decided_by = owner->second;
    return entry;
  }
  return std::nullopt;
}

Status Journal::Add(std::string_view way, std::string_view input, const JournalEntry& entry) {
  Json line;
  line["input"] = DigestOf(way, input);
  SetEntry(line, entry);
  return Append(line.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Status Journal::End() { return Append(kEnd); }

bool IsFinished(const fs::path& state) {
  const std::string line = ChecksumOf(kEnd) + kEnd + "\n";
  std::ifstream stream(state / kFile, std::ios::binary);
  std::string last(line.size(), '\0');
  stream.seekg(-static_cast<std::streamoff>(line.size()), std::ios::end);
  stream.read(last.data(), static_cast<std::streamsize>(last.size()));
  return stream && last == line;
}

Status Journal::Append(const std::string& text) {
  const std::string line = ChecksumOf(text) + text + "\n";
  if (Status written = WriteAll(fd_, line); !written) return written;
  if (durable_ && ::fdatasync(fd_) != 0) return ErrorCode::kWriteFailed;
  return Done{};
}

}  // namespace dcmveil::pipeline
