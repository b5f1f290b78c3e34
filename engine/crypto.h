// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Keys, hashes, message authentication, ciphers and text forms of bytes, over the EVP interface of
/// OpenSSL 3. Bytes are passed as std::string_view and returned as std::string.
///
/// Errors: what an input can cause (a wrong key size, a damaged ciphertext, a text that is no
/// Base64) is std::nullopt. A digest that OpenSSL cannot compute at all (out of memory, a provider
/// without SHA-2) ends the process as an uncaught std::bad_alloc would: going on would hand out
/// pseudonyms that do not depend on the key.
///
/// Threads: free functions and const members may be called from all threads.
struct evp_md_ctx_st;

namespace dcmveil {

namespace internal {
struct MdContextFree {
  void operator()(evp_md_ctx_st* context) const;
};
using MdContext = std::unique_ptr<evp_md_ctx_st, MdContextFree>;
}  // namespace internal

enum class HashKind : std::uint8_t { kSha256, kSha384, kSha512 };

/// A finished hash or MAC: 32, 48 or 64 bytes.
class Digest {
 public:
  Digest() = default;

  [[nodiscard]] std::size_t size() const { return size_; }
  /// Valid as long as this object.
  [[nodiscard]] std::string_view view() const&;
  std::string_view view() && = delete;
  [[nodiscard]] std::string str() const { return std::string(view()); }
  /// Lower-case hexadecimal.
  [[nodiscard]] std::string hex() const;
  friend bool operator==(const Digest& a, const Digest& b) { return a.view() == b.view(); }

 private:
  friend class Hmac;
  friend class Sha256Stream;
  friend Digest Sha256(std::string_view bytes);
  std::array<std::uint8_t, 64> bytes_{};
  std::size_t size_ = 0;
};

/// SHA-256 of the bytes (FIPS 180-4).
[[nodiscard]] Digest Sha256(std::string_view bytes);

/// SHA-256 of bytes that come in pieces. One thread at a time.
class Sha256Stream {
 public:
  Sha256Stream();
  void Update(std::string_view bytes);
  /// The hash of all bytes so far; the stream then starts anew.
  [[nodiscard]] Digest Finish();

 private:
  internal::MdContext context_;
};

/// Secret bytes, overwritten when the object goes. Move-only (share with std::shared_ptr<const
/// Key>), and not printable.
class Key {
 public:
  /// A copy of any number of bytes. The caller's copy stays the caller's to erase (Cleanse).
  explicit Key(std::string_view bytes);
  ~Key();
  Key(Key&& other) noexcept = default;
  Key& operator=(Key&& other) noexcept;
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;

  /// The secret itself. Valid as long as this object.
  [[nodiscard]] std::string_view bytes() const;
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }

  /// A name for this key that may be written to logs and reports: 16 lower-case hexadecimal digits,
  /// the first 8 bytes of SHA-256("dcmveil key id" 00 bytes).
  [[nodiscard]] std::string id() const;
  /// An independent 32-byte key for one purpose: HMAC-SHA-256(bytes, "dcmveil.v1." purpose).
  [[nodiscard]] Key Derive(std::string_view purpose) const;

  friend std::ostream& operator<<(std::ostream& out, const Key& key) = delete;

 private:
  std::vector<std::uint8_t> bytes_;
};

/// 32 new random bytes. Nothing if the system's random generator fails.
[[nodiscard]] std::optional<Key> GenerateKey();
/// Fills `out` with random bytes (nonces, initialisation vectors). False, and `out` not to be used,
/// if the system's random generator fails.
[[nodiscard]] bool RandomBytes(std::span<std::uint8_t> out);

/// The text of a key file: a comment line and a line of 64 lower-case hexadecimal digits. The
/// result is as secret as the key. Nothing if the key is not of 32 bytes.
[[nodiscard]] std::optional<std::string> FormatKeyFile(const Key& key);
/// The key in the text of a key file: exactly one line of 64 hexadecimal digits of either case.
/// Empty lines, lines that start with '#', and blanks at both ends of a line are ignored. Any other
/// text gives nothing: a passphrase is never taken for a key.
[[nodiscard]] std::optional<Key> ParseKeyText(std::string_view text);

/// Overwrites the string's bytes and empties it.
void Cleanse(std::string& secret);

/// HMAC (RFC 2104) with one key: the key's part of the work is done once, in the constructor.
class Hmac {
 public:
  /// A key of any length, the empty one included.
  explicit Hmac(std::string_view key, HashKind kind = HashKind::kSha256);
  explicit Hmac(const Key& key, HashKind kind = HashKind::kSha256) : Hmac(key.bytes(), kind) {}

  /// The MAC of the parts one after another, with nothing between them: Sign("ab", "c") is
  /// Sign("abc"). Use SignParts where the borders must count.
  [[nodiscard]] Digest Sign(std::string_view a, std::string_view b = {}, std::string_view c = {},
                            std::string_view d = {}) const;
  /// The MAC of each part preceded by its length in bytes as 8 bytes, most significant first.
  [[nodiscard]] Digest SignParts(std::initializer_list<std::string_view> parts) const;

 private:
  [[nodiscard]] internal::MdContext Begin() const;
  [[nodiscard]] Digest End(const internal::MdContext& context) const;

  // Never updated after construction: Sign works on copies of them.
  internal::MdContext inner_;
  internal::MdContext outer_;
};

/// AES-256-GCM (NIST SP 800-38D): ciphertext followed by the 16-byte tag. Nothing if the key is not
/// of 32 bytes or the nonce not of 12. A nonce must not be used twice with the same key.
[[nodiscard]] std::optional<std::string> Seal(std::string_view key, std::string_view nonce,
                                              std::string_view plaintext, std::string_view aad);
/// The plaintext of Seal's result. Nothing if key, nonce, bytes or additional data are not the ones
/// it was sealed with.
[[nodiscard]] std::optional<std::string> Open(std::string_view key, std::string_view nonce,
                                              std::string_view sealed, std::string_view aad);

/// AES-CBC with PKCS #7 padding (NIST SP 800-38A): the 16-byte IV followed by the ciphertext.
/// Nothing if the key is not of 16, 24 or 32 bytes or the IV not of 16. The result is not
/// authenticated; it serves files that other tools read.
[[nodiscard]] std::optional<std::string> CbcEncrypt(std::string_view key, std::string_view iv,
                                                    std::string_view plaintext);
/// The plaintext of IV and ciphertext. Nothing for a wrong size of key or input, or wrong padding.
[[nodiscard]] std::optional<std::string> CbcDecrypt(std::string_view key,
                                                    std::string_view iv_and_ciphertext);

/// Two lower-case hexadecimal digits for each byte.
[[nodiscard]] std::string HexLower(std::string_view bytes);
/// Crockford's alphabet (no I, L, O, U), upper case, most significant bits first, the last digit
/// filled up with zero bits, no padding characters: ceil(8 * size / 5) digits.
[[nodiscard]] std::string Base32(std::string_view bytes);
/// RFC 4648 section 4, with padding.
[[nodiscard]] std::string Base64(std::string_view bytes);
/// Nothing unless the text is what Base64() gives for some bytes: no blanks, full padding.
[[nodiscard]] std::optional<std::string> Base64Decode(std::string_view text);
/// RFC 4648 section 5, without padding.
[[nodiscard]] std::string Base64Url(std::string_view bytes);
/// Nothing unless the text is what Base64Url() gives for some bytes.
[[nodiscard]] std::optional<std::string> Base64UrlDecode(std::string_view text);
/// The 128-bit number, most significant byte first, in decimal digits without leading zeros ("0"
/// for zero): 1 to 39 digits.
[[nodiscard]] std::string Decimal128(std::span<const std::uint8_t, 16> bytes);

/// A number in [0, 1), a multiple of 2^-53, from the top 53 bits of the first 8 bytes, most
/// significant byte first: the same digest always gives the same noise. Missing bytes count as 0.
[[nodiscard]] double UniformUnit(std::string_view digest_bytes);

}  // namespace dcmveil
