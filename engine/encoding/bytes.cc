// SPDX-License-Identifier: Apache-2.0
#include "engine/encoding/bytes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace dcmveil::engine {
namespace {

/// Headers of most instances fit, so that one read is enough.
constexpr std::uint64_t kFirstRead = 49152;
/// Files up to this size are read whole at once.
constexpr std::uint64_t kSmallFile = 196608;

/// pread until done; returns how many bytes came.
std::size_t ReadAt(int fd, char* target, std::size_t size, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t n = ::pread(fd, target + done, size - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

}  // namespace

Result<std::shared_ptr<ByteSource>> ByteSource::OpenFile(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0) return ErrorCode::kReadFailed;
  std::shared_ptr<ByteSource> source(new ByteSource);
  source->fd_ = fd;
  struct stat info = {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return ErrorCode::kReadFailed;
  source->size_ = static_cast<std::uint64_t>(info.st_size);
  return source;
}

std::shared_ptr<ByteSource> ByteSource::FromMemory(std::string bytes) {
  std::shared_ptr<ByteSource> source(new ByteSource);
  source->size_ = bytes.size();
  source->memory_ = std::move(bytes);
  return source;
}

ByteSource::~ByteSource() {
  if (fd_ >= 0) ::close(fd_);
}

std::string_view ByteSource::Head(std::uint64_t end) {
  end = std::min(end, size_);
  if (fd_ >= 0 && have_ < end) {
    // Doubling keeps the number of reads small for long headers.
    const std::uint64_t first = size_ <= kSmallFile ? size_ : kFirstRead;
    const std::uint64_t wanted = std::min(size_, std::max({end, first, std::uint64_t{2} * have_}));
    if (room_ < wanted) {
      auto larger = std::make_unique_for_overwrite<char[]>(wanted);
      std::copy_n(read_.get(), have_, larger.get());
      read_ = std::move(larger);
      room_ = wanted;
    }
    have_ += ReadAt(fd_, read_.get() + have_, wanted - have_, have_);
  }
  return Held().substr(0, end);
}

std::string_view ByteSource::Peek(std::uint64_t offset, std::size_t size) {
  if (offset >= size_) return {};
  size = static_cast<std::size_t>(std::min<std::uint64_t>(size, size_ - offset));
  if (const auto bytes = InMemory(offset, size)) return *bytes;
  peek_.resize(size);
  peek_.resize(ReadAt(fd_, peek_.data(), size, offset));
  return peek_;
}

std::optional<std::string_view> ByteSource::InMemory(std::uint64_t offset,
                                                     std::uint64_t size) const {
  const std::string_view held = Held();
  if (offset > held.size() || size > held.size() - offset) return std::nullopt;
  return held.substr(offset, size);
}

std::string ByteSource::Read(std::uint64_t offset, std::uint64_t size) const {
  if (offset >= size_) return {};
  size = std::min(size, size_ - offset);
  if (const auto bytes = InMemory(offset, size)) return std::string(*bytes);
  std::string bytes(size, '\0');
  bytes.resize(ReadAt(fd_, bytes.data(), size, offset));
  return bytes;
}

}  // namespace dcmveil::engine
