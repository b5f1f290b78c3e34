// SPDX-License-Identifier: Apache-2.0
#include "pipeline/state_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "pipeline/shard.h"

namespace dcmveil::pipeline {
namespace fs = std::filesystem;
namespace {

bool IsPrivateFolder(const fs::path& folder) {
  struct stat info = {};
  return ::stat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && (info.st_mode & 077U) == 0;
}

/// How the run that left its description there was split; empty: nobody knows.
std::string ShardByOf(const fs::path& state) {
  std::ifstream file(state / "run.json");
  const nlohmann::json run = nlohmann::json::parse(file, nullptr, false);
  if (!run.is_object() || !run.contains("shard") || !run["shard"].is_object()) return {};
  const auto by = run["shard"].find("by");
  return by != run["shard"].end() && by->is_string() ? by->get<std::string>() : std::string();
}

}  // namespace

bool MakePrivateFolder(const fs::path& folder) {
  std::error_code error;
  if (fs::exists(folder, error)) return IsPrivateFolder(folder);
  fs::create_directories(folder.parent_path().empty() ? fs::path(".") : folder.parent_path(),
                         error);
  if (error) return false;
  return ::mkdir(folder.c_str(), 0700) == 0 || (errno == EEXIST && IsPrivateFolder(folder));
}

bool IsOpenToOthers(const fs::path& folder) {
  struct stat info = {};
  return ::stat(folder.c_str(), &info) == 0 && (info.st_mode & 077U) != 0;
}

FolderLock::~FolderLock() {
  if (file_ >= 0) ::close(file_);
  if (folder_ >= 0) ::close(folder_);
}

FolderLock::Taken FolderLock::Take(const fs::path& folder) {
  folder_ = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_ < 0) return Taken::kUnreadable;
  if (::flock(folder_, LOCK_EX | LOCK_NB) != 0) return Taken::kBusy;
  // NFS passes on locks of files that are open for writing, and none of folders.
  file_ = ::open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file_ >= 0 && ::flock(file_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return Taken::kBusy;
  }
  return Taken::kYes;
}

std::optional<std::vector<Shard>> ShardsIn(const fs::path& state) {
  std::vector<Shard> shards;
  std::error_code error;
  if (!fs::exists(state, error) && !error) return shards;
  for (auto it = fs::directory_iterator(state, error); !error && it != fs::directory_iterator();
       it.increment(error)) {
    if (const auto shard = ShardOfFolderName(it->path().filename().string())) {
      shards.push_back(*shard);
    }
  }
  if (error) return std::nullopt;
  return shards;
}

std::optional<std::string> WhyNotIn(const fs::path& state, const std::optional<Shard>& shard) {
  const std::optional<std::vector<Shard>> shards = ShardsIn(state);
  if (!shards) return "the state folder " + state.string() + " cannot be listed";
  if (!shard) {
    if (shards->empty()) return std::nullopt;
    return "the state folder " + state.string() + " is that of a run in " +
           std::to_string(shards->front().count) + " shards; give another with --state";
  }
  std::error_code error;
  if (fs::exists(state / "journal", error)) {
    return "the state folder " + state.string() +
           " is that of a run without shards; give another with --state";
  }
  const auto other = std::find_if(shards->begin(), shards->end(),
                                  [&shard](const Shard& one) { return one.count != shard->count; });
  if (other != shards->end()) {
    return "the state folder " + state.string() + " has shards of " + std::to_string(other->count) +
           ", not of " + std::to_string(shard->count) +
           ": some inputs would be done twice and others not at all. Give the same N, or another "
           "--state";
  }
  // Of its own earlier run, and of one of the others: all would be many reads on many machines.
  for (const std::string& name :
       {FolderNameOf(*shard), shards->empty() ? std::string() : FolderNameOf(shards->front())}) {
    const std::string by = name.empty() ? std::string() : ShardByOf(state / name);
    if (!by.empty() && by != ShardByText(*shard)) {
      return "the state folder " + state.string() + " has shards by " + by + ", not by " +
             ShardByText(*shard) + ": some inputs would be done twice and others not at all";
    }
  }
  return std::nullopt;
}

}  // namespace dcmveil::pipeline
