// SPDX-License-Identifier: Apache-2.0
#include "pipeline/folder_sink.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "engine/encoding/write.h"

namespace dcmveil::pipeline {
namespace fs = std::filesystem;

struct FolderSink::StagedFile : Staged {
  std::string name;
  Temporary temporary;
  /// Kept for comparing with a file that has the name already; null for what was recalled.
  std::unique_ptr<Deidentified> instance;
  bool waits = false;  ///< for one that was begun before with the same name
  Result<Stored> result = Stored{};
};

FolderSink::FolderSink(fs::path root, const std::string& token, bool durable)
    : root_(std::move(root)), temporary_(root_ / (".dcmveil-" + token)), durable_(durable) {}

Status FolderSink::Open() {
  std::error_code error;
  fs::create_directories(root_, error);
  if (!error) fs::remove_all(temporary_, error);
  if (!error) fs::create_directory(temporary_, error);
  struct stat info = {};
  if (error || ::stat(temporary_.c_str(), &info) != 0) return ErrorCode::kWriteFailed;
  opened_ = info.st_ctim;
  return Done{};
}

bool FolderSink::WasThereBefore(const std::string& name) const {
  struct stat info = {};
  if (::stat((root_ / name).c_str(), &info) != 0) return false;
  return info.st_ctim.tv_sec < opened_.tv_sec ||
         (info.st_ctim.tv_sec == opened_.tv_sec && info.st_ctim.tv_nsec < opened_.tv_nsec);
}

bool FolderSink::Holds(const std::string& name, const FileStamp& stamp) {
  struct stat info = {};
  return ::lstat((root_ / name).c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
         StampOf(info) == stamp;
}

void FolderSink::Claim(const std::string& name) const {
  const fs::path file = root_ / name;
  struct stat info = {};
  if (::stat(file.c_str(), &info) == 0) ::chmod(file.c_str(), info.st_mode & 07777U);
}

void FolderSink::Close() {
  std::error_code ignored;
  fs::remove_all(temporary_, ignored);
}

Result<FolderSink::Temporary> FolderSink::WriteTemporary(const EncodedInstance& encoded) {
  Temporary temporary{.file = temporary_ / std::to_string(next_.fetch_add(1)), .stamp = {}};
  const int fd = ::open(temporary.file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) return Failed(errno);
  errno = 0;
  Status status = encoded.WriteTo(fd);
  if (durable_ && status && ::fsync(fd) != 0) status = ErrorCode::kWriteFailed;
  struct stat info = {};
  if (status && ::fstat(fd, &info) != 0) status = ErrorCode::kWriteFailed;
  temporary.stamp = StampOf(info);
  if (!status && status.error().code == ErrorCode::kWriteFailed) status = Failed(errno);
  if (::close(fd) != 0 && status) status = Failed(errno);
  if (!status) {
    ::unlink(temporary.file.c_str());
    return status.error();
  }
  return temporary;
}

Result<FolderSink::Commit> FolderSink::Rename(const fs::path& temporary, const std::string& name) {
  const fs::path target = root_ / name;
  int error = engine::RenameNoReplace(temporary, target);
  if (error == ENOENT) {
    std::error_code made;
    fs::create_directories(target.parent_path(), made);
    if (made) return Failed(made.value());
    error = engine::RenameNoReplace(temporary, target);
  }
  if (error == 0 && durable_) {
    // The folders above may be new as well.
    for (fs::path folder = target; folder != root_;) {
      folder = folder.parent_path();
      if (SyncFolder(folder)) continue;
      ::unlink(target.c_str());
      return ErrorCode::kWriteFailed;
    }
  }
  if (error == 0) return Commit::kDone;
  if (error == EEXIST) return Commit::kTaken;
  return Failed(error);
}

ErrorCode FolderSink::Failed(int error) {
  if (error == ENOSPC || error == EDQUOT) full_ = true;
  return ErrorCode::kWriteFailed;
}

std::optional<std::string> FolderSink::Problem() {
  if (!full_) return std::nullopt;
  return "there is no room left in " + root_.string() + "; with more, the same command goes on";
}

Result<std::unique_ptr<Sink::Staged>> FolderSink::Stage(const std::string& name,
                                                        std::unique_ptr<Deidentified> instance) {
  Result<Temporary> temporary = WriteTemporary(instance->encoded);
  if (!temporary) return temporary.error();
  auto staged = std::make_unique<StagedFile>();
  staged->name = name;
  staged->temporary = std::move(*temporary);
  staged->instance = std::move(instance);
  return std::unique_ptr<Staged>(std::move(staged));
}

std::unique_ptr<Sink::Staged> FolderSink::Recall(const std::string& name) {
  auto staged = std::make_unique<StagedFile>();
  staged->name = name;
  return staged;
}

void FolderSink::Begin(Staged& staged) {
  auto& file = static_cast<StagedFile&>(staged);
  const std::lock_guard lock(mutex_);
  file.waits = begun_[file.name]++ > 0;
}

void FolderSink::Settle(Staged& staged) {
  auto& file = static_cast<StagedFile&>(staged);
  if (!file.waits) Name(file);
}

Result<Sink::Stored> FolderSink::End(Staged& staged) {
  auto& file = static_cast<StagedFile&>(staged);
  if (file.waits) Name(file);
  const std::lock_guard lock(mutex_);
  const auto begun = begun_.find(file.name);
  if (--begun->second == 0) begun_.erase(begun);
  return file.result;
}

void FolderSink::Name(StagedFile& file) {
  if (file.instance == nullptr) {
    Claim(file.name);
    file.result = Stored{.outcome = Outcome::kUnchanged};
    return;
  }
  const Result<Commit> commit = Rename(file.temporary.file, file.name);
  if (commit && *commit == Commit::kDone) {
    file.result = Stored{.stamp = file.temporary.stamp};
    return;
  }
  ::unlink(file.temporary.file.c_str());
  if (!commit) {
    file.result = commit.error();
    return;
  }
  // Somebody has the name: an earlier run, which is well if it wrote the same bytes, or another
  // input of this run, which is not.
  if (!WasThereBefore(file.name)) {
    file.result = ErrorCode::kSameOutput;
  } else if (file.instance->encoded.SameAs(PathOf(file.name))) {
    const std::optional<FileStamp> stamp = StampOf(PathOf(file.name));
    file.result = Stored{.outcome = Outcome::kUnchanged, .stamp = stamp.value_or(FileStamp{})};
    Claim(file.name);
  } else {
    file.result = ErrorCode::kOutputExists;
  }
}

}  // namespace dcmveil::pipeline
