// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "dcmveil/error.h"

namespace dcmveil::pipeline {

/// What tells that a file is the one that it was: size and time of its last change. Zeros: no file.
struct FileStamp {
  std::uint64_t size = 0;
  std::int64_t modified = 0;  ///< nanoseconds
  bool operator==(const FileStamp&) const = default;
};

[[nodiscard]] FileStamp StampOf(const struct stat& info);
/// Follows links; nothing if there is no such regular file.
[[nodiscard]] std::optional<FileStamp> StampOf(const std::filesystem::path& file);

/// False also if one cannot be read.
[[nodiscard]] bool HaveSameBytes(const std::filesystem::path& a, const std::filesystem::path& b);

/// All of it. Fails with kWriteFailed.
[[nodiscard]] Status WriteAll(int descriptor, std::string_view bytes);

/// Puts the names in the folder on the disk. Fails with kWriteFailed.
[[nodiscard]] Status SyncFolder(const std::filesystem::path& folder);

}  // namespace dcmveil::pipeline
