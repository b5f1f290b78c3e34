// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "dcmveil/error.h"

namespace dcmveil::engine {

/// Read access to the bytes of one input: a file, or a buffer in memory. Not thread-safe; made for
/// one instance, used by one thread at a time.
class ByteSource {
 public:
  /// Opens a regular file. Fails with kReadFailed.
  [[nodiscard]] static Result<std::shared_ptr<ByteSource>> OpenFile(
      const std::filesystem::path& file);
  /// Takes over a buffer.
  [[nodiscard]] static std::shared_ptr<ByteSource> FromMemory(std::string bytes);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// The file descriptor, or -1 for memory.
  [[nodiscard]] int descriptor() const { return fd_; }

  /// Bytes [0, end) stay contiguous and valid until the next call; for a file they are read and
  /// kept. Fewer bytes come back only at the end of the source or after a read error.
  [[nodiscard]] std::string_view Head(std::uint64_t end);
  /// The same with all that is held behind it.
  [[nodiscard]] std::string_view HeadAndMore(std::uint64_t end);
  /// A few bytes anywhere, without keeping what lies between; empty on a read error. At most
  /// `size` bytes, fewer at the end. Valid until the next Peek.
  [[nodiscard]] std::string_view Peek(std::uint64_t offset, std::size_t size);
  /// The range, if it is in memory as a whole; valid until the next Head. Nothing else: no reading.
  [[nodiscard]] std::optional<std::string_view> InMemory(std::uint64_t offset,
                                                         std::uint64_t size) const;
  /// Any range as a copy; shorter than asked for at the end or after a read error.
  [[nodiscard]] std::string Read(std::uint64_t offset, std::uint64_t size) const;

 private:
  struct Free {
    void operator()(char* bytes) const { std::free(bytes); }
  };

  ByteSource() = default;
  /// Reads a file on, at least to `end`.
  void HoldTo(std::uint64_t end);
  /// What is in memory, from the first byte on.
  [[nodiscard]] std::string_view Held() const {
    return fd_ < 0 ? std::string_view(memory_) : std::string_view(read_.get(), have_);
  }

  int fd_ = -1;
  std::uint64_t size_ = 0;
  std::string memory_;  ///< of a source that is no file
  /// The beginning of a file; not a string, which would be zeroed and copied to grow.
  std::unique_ptr<char, Free> read_;
  std::size_t have_ = 0;
  std::string peek_;
};

}  // namespace dcmveil::engine
