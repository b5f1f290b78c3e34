// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace dcmveil::dicomweb {

/// How many bytes of instances may be in memory at once. Any number of threads may use it.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t bytes) : left_(static_cast<std::int64_t>(bytes)) {}
  [[nodiscard]] bool Take(std::size_t bytes);
  void Give(std::size_t bytes) { left_ += static_cast<std::int64_t>(bytes); }

 private:
  std::atomic<std::int64_t> left_;
};

/// The bytes of one instance on its way: in memory while they are few and the budget allows, else
/// in a file without a name, of which nothing is left when the process ends, however it ends. One
/// thread writes; then any number may read.
class Spool {
 public:
  /// Files are made in `folder`.
  Spool(std::filesystem::path folder, std::shared_ptr<MemoryBudget> budget);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  /// False if there is no room.
  [[nodiscard]] bool Append(std::string_view bytes);
  /// Takes everything at once, to be given back with the object. False: too many for memory.
  [[nodiscard]] bool Reserve(std::uint64_t size);
  /// From now on the bytes are in a file; its descriptor, at its end, or -1.
  [[nodiscard]] int UseFile();
  void Clear();

  [[nodiscard]] std::uint64_t size() const;
  [[nodiscard]] bool in_memory() const { return fd_ < 0; }
  /// REQUIRES: in_memory(). What is moved out of it still counts until the object goes.
  [[nodiscard]] std::string& bytes() { return bytes_; }
  /// A name that opens the file once more. REQUIRES: !in_memory().
  [[nodiscard]] std::filesystem::path file() const;
  /// Bytes read, fewer than `size` only at the end; -1 if they cannot be read.
  [[nodiscard]] std::int64_t Read(std::uint64_t offset, char* to, std::size_t size) const;

 private:
  bool WriteAll(std::string_view bytes);

  std::filesystem::path folder_;
  std::shared_ptr<MemoryBudget> budget_;
  std::size_t taken_ = 0;
  std::string bytes_;
  int fd_ = -1;
};

}  // namespace dcmveil::dicomweb
