// SPDX-License-Identifier: Apache-2.0
#include "dicomweb/spool.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace dcmveil::dicomweb {
namespace {

constexpr std::size_t kMostInMemory = 4'000'000;
constexpr std::size_t kStep = 256'000;

int OpenNameless(const std::filesystem::path& folder) {
  const int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) return fd;
  // A file system without such files: one that loses its name at once.
  std::string name = (folder / "incoming-XXXXXX").string();
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

}  // namespace

bool MemoryBudget::Take(std::size_t bytes) {
  const auto size = static_cast<std::int64_t>(bytes);
  if (left_.fetch_sub(size) >= size) return true;
  left_ += size;
  return false;
}

Spool::Spool(std::filesystem::path folder, std::shared_ptr<MemoryBudget> budget)
    : folder_(std::move(folder)), budget_(std::move(budget)) {}

Spool::~Spool() {
  if (fd_ >= 0) ::close(fd_);
  budget_->Give(taken_);
}

void Spool::Clear() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  bytes_.clear();
}

bool Spool::Reserve(std::uint64_t size) {
  if (size <= taken_) return true;
  if (size > kMostInMemory || !budget_->Take(static_cast<std::size_t>(size) - taken_)) return false;
  taken_ = static_cast<std::size_t>(size);
  return true;
}

bool Spool::Append(std::string_view bytes) {
  if (fd_ >= 0) return WriteAll(bytes);
  const std::size_t after = bytes_.size() + bytes.size();
  // In steps, so that the budget is not asked for every few bytes.
  if (after <= taken_ || Reserve((after + kStep - 1) / kStep * kStep) || Reserve(after)) {
    bytes_.append(bytes);
    return true;
  }
  return UseFile() >= 0 && WriteAll(bytes);
}

int Spool::UseFile() {
  if (fd_ >= 0) return fd_;
  fd_ = OpenNameless(folder_);
  if (fd_ < 0) return -1;
  const std::string bytes = std::move(bytes_);
  bytes_.clear();
  if (!WriteAll(bytes)) return -1;
  budget_->Give(taken_);
  taken_ = 0;
  return fd_;
}

bool Spool::WriteAll(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

std::uint64_t Spool::size() const {
  if (fd_ < 0) return bytes_.size();
  struct stat info = {};
  return ::fstat(fd_, &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

std::filesystem::path Spool::file() const { return "/proc/self/fd/" + std::to_string(fd_); }

std::int64_t Spool::Read(std::uint64_t offset, char* to, std::size_t size) const {
  if (fd_ < 0) {
    if (offset >= bytes_.size()) return 0;
    const std::size_t n = std::min(size, bytes_.size() - static_cast<std::size_t>(offset));
    std::memcpy(to, bytes_.data() + offset, n);
    return static_cast<std::int64_t>(n);
  }
  std::size_t done = 0;
  while (done < size) {
    const ssize_t n = ::pread(fd_, to + done, size - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return static_cast<std::int64_t>(done);
}

}  // namespace dcmveil::dicomweb
