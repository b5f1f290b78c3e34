// SPDX-License-Identifier: Apache-2.0
#include "pipeline/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>

namespace dcmveil::pipeline {

FileStamp StampOf(const struct stat& info) {
  return {.size = static_cast<std::uint64_t>(info.st_size),
          .modified = std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec};
}

std::optional<FileStamp> StampOf(const std::filesystem::path& file) {
  struct stat info = {};
  if (::stat(file.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  return StampOf(info);
}

bool HaveSameBytes(const std::filesystem::path& a, const std::filesystem::path& b) {
  const std::optional<FileStamp> stamp = StampOf(a);
  const std::optional<FileStamp> other_stamp = StampOf(b);
  if (!stamp || !other_stamp || stamp->size != other_stamp->size) return false;
  std::ifstream one(a, std::ios::binary);
  std::ifstream other(b, std::ios::binary);
  using Bytes = std::istreambuf_iterator<char>;
  return one && other && std::equal(Bytes(one), Bytes(), Bytes(other), Bytes());
}

Status WriteAll(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(descriptor, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return ErrorCode::kWriteFailed;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return Done{};
}

Status SyncFolder(const std::filesystem::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return ErrorCode::kWriteFailed;
  const bool done = ::fsync(fd) == 0;
  ::close(fd);
  if (!done) return ErrorCode::kWriteFailed;
  return Done{};
}

}  // namespace dcmveil::pipeline
