// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dcmveil::report {

using Hash = std::array<std::uint8_t, 32>;

[[nodiscard]] Hash Sha256Of(std::string_view a, std::string_view b = {}, std::string_view c = {});
/// Of a file's bytes; nothing if it cannot be read.
[[nodiscard]] std::optional<Hash> Sha256OfFile(const std::filesystem::path& file);
[[nodiscard]] std::string Hex(const Hash& hash);
/// Of an even number of lower-case digits; nothing of another text.
[[nodiscard]] std::optional<std::string> BytesOfHex(std::string_view text);
/// Of 64 lower-case digits; nothing of another text.
[[nodiscard]] std::optional<Hash> FromHex(std::string_view text);

/// The Merkle Tree Hash of RFC 6962 section 2.1 over entries, in the order in which they are added:
/// a leaf is SHA-256(00 entry), a node SHA-256(01 left right), and no leaf at all SHA-256(). It
/// keeps one hash for each level.
class MerkleTree {
 public:
  void Add(const Hash& entry);
  /// The entry is both, one behind the other.
  void Add(const Hash& name, const Hash& content);
  [[nodiscard]] Hash Root() const;
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  void AddLeaf(Hash top);
  std::vector<Hash> levels_;  ///< of full subtrees, the largest first
  std::uint64_t size_ = 0;
};

}  // namespace dcmveil::report
