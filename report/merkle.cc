// SPDX-License-Identifier: Apache-2.0
#include "report/merkle.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace dcmveil::report {
namespace {

using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

std::string_view Bytes(const Hash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

Hash Node(const Hash& left, const Hash& right) {
  return Sha256Of(std::string_view("\1", 1), Bytes(left), Bytes(right));
}

}  // namespace

Hash Sha256Of(std::string_view a, std::string_view b, std::string_view c) {
  const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  Hash hash = {};
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  for (const std::string_view part : {a, b, c}) {
    EVP_DigestUpdate(context.get(), part.data(), part.size());
  }
  EVP_DigestFinal_ex(context.get(), hash.data(), nullptr);
  return hash;
}

std::optional<Hash> Sha256OfFile(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return std::nullopt;
  const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  std::string chunk(1U << 18U, '\0');
  ssize_t got = 0;
  for (;;) {
    got = ::read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    EVP_DigestUpdate(context.get(), chunk.data(), static_cast<std::size_t>(got));
  }
  ::close(fd);
  if (got < 0) return std::nullopt;
  Hash hash = {};
  EVP_DigestFinal_ex(context.get(), hash.data(), nullptr);
  return hash;
}

std::string Hex(const Hash& hash) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : hash) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 0x0FU];
  }
  return text;
}

std::optional<std::string> BytesOfHex(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const std::size_t high = kDigits.find(text[i]);
    const std::size_t low = kDigits.find(text[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  return bytes;
}

std::optional<Hash> FromHex(std::string_view text) {
  Hash hash = {};
  const std::optional<std::string> bytes = BytesOfHex(text);
  if (!bytes || bytes->size() != hash.size()) return std::nullopt;
  std::copy(bytes->begin(), bytes->end(), hash.begin());
  return hash;
}

void MerkleTree::Add(const Hash& entry) {
  AddLeaf(Sha256Of(std::string_view("\0", 1), Bytes(entry)));
}

void MerkleTree::Add(const Hash& name, const Hash& content) {
  AddLeaf(Sha256Of(std::string_view("\0", 1), Bytes(name), Bytes(content)));
}

void MerkleTree::AddLeaf(Hash top) {
  // Each trailing one bit of the size is a full subtree that this leaf completes to a larger one.
  for (std::uint64_t n = size_; (n & 1U) != 0; n >>= 1U) {
    top = Node(levels_.back(), top);
    levels_.pop_back();
  }
  levels_.push_back(top);
  ++size_;
}

Hash MerkleTree::Root() const {
  if (levels_.empty()) return Sha256Of({});
  Hash root = levels_.back();
  for (std::size_t i = levels_.size() - 1; i-- > 0;) root = Node(levels_[i], root);
  return root;
}

}  // namespace dcmveil::report
