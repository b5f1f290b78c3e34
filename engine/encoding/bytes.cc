// SPDX-License-Identifier: Apache-2.0
#include "engine/encoding/bytes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <new>

namespace dcmveil::engine {
namespace {

/// Headers of most instances fit, so that one read is enough.
constexpr std::uint64_t kFirstRead = 49152;
/// Files up to this size are read whole at once.
constexpr std::uint64_t kSmallFile = 196608;
/// What is read at once of a long header, whose end is not known: memory holds this much more than
/// the header at most.
constexpr std::uint64_t kLongestRead = 4194304;

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

void ByteSource::HoldTo(std::uint64_t end) {
  // Doubling keeps the number of reads small for long headers.
  const std::uint64_t first = size_ <= kSmallFile ? size_ : kFirstRead;
  const std::uint64_t more = have_ + std::min<std::uint64_t>(have_, kLongestRead);
  const std::uint64_t wanted = std::min(size_, std::max({end, first, more}));
  // Large blocks grow where they are, without a copy.
  auto* larger = static_cast<char*>(std::realloc(read_.get(), wanted));
  if (larger == nullptr) throw std::bad_alloc();
  static_cast<void>(read_.release());
  read_.reset(larger);
  have_ += ReadAt(fd_, larger + have_, wanted - have_, have_);
}

std::string_view ByteSource::Head(std::uint64_t end) {
  return HeadAndMore(end).substr(0, std::min(end, size_));
}

std::string_view ByteSource::HeadAndMore(std::uint64_t end) {
  end = std::min(end, size_);
  if (fd_ >= 0 && have_ < end) HoldTo(end);
  return Held();
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
