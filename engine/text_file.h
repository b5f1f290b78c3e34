// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

namespace dcmveil::engine {

/// Longest file that a rule file may name: a lookup table or a list of words.
inline constexpr std::size_t kLongestTable = std::size_t{256} << 20U;
/// Longest rule file, or file of connections.
inline constexpr std::size_t kLongestRuleFile = std::size_t{16} << 20U;

/// What may be read: for a file that the user named on the command line also a pipe, such as a
/// shell's <(...); for one that a file names only a regular file, for a device would never end and
/// a pipe never begin.
enum class FileKind { kRegular, kRegularOrPipe };

/// The whole of a file; nothing if it cannot be read, is of another kind or is longer than
/// `longest` bytes.
[[nodiscard]] std::optional<std::string> ReadTextFile(const std::filesystem::path& file,
                                                      std::size_t longest = kLongestTable,
                                                      FileKind kind = FileKind::kRegular);

}  // namespace dcmveil::engine
