// SPDX-License-Identifier: Apache-2.0
#include "engine/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace dcmveil {

void internal::MdContextFree::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

namespace {

using internal::MdContext;

constexpr std::size_t kAesBlock = 16;
constexpr std::size_t kGcmTag = 16;
constexpr std::size_t kGcmNonce = 12;
constexpr std::size_t kKeyBytes = 32;

struct CipherContextFree {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, CipherContextFree>;

void Require(bool ok) {
  if (!ok) std::abort();
}

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

std::string_view View(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

const EVP_MD* Algorithm(HashKind kind) {
  switch (kind) {
    case HashKind::kSha384:
      return EVP_sha384();
    case HashKind::kSha512:
      return EVP_sha512();
    case HashKind::kSha256:
      break;
  }
  return EVP_sha256();
}

MdContext NewHash(const EVP_MD* algorithm) {
  MdContext context(EVP_MD_CTX_new());
  Require(context != nullptr && EVP_DigestInit_ex(context.get(), algorithm, nullptr) == 1);
  return context;
}

void Add(const MdContext& context, std::string_view bytes) {
  // A null pointer with length 0 is well-defined for a view, but not promised for OpenSSL.
  if (bytes.empty()) return;
  Require(EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1);
}

// EVP_*Update counts in int; returns the number of bytes written, or nothing.
using CipherUpdate = int (*)(EVP_CIPHER_CTX*, unsigned char*, int*, const unsigned char*, int);
std::optional<std::size_t> Feed(const CipherContext& context, CipherUpdate update,
                                unsigned char* out, std::string_view in) {
  constexpr std::size_t kPiece = std::size_t{1} << 30U;
  std::size_t written = 0;
  while (!in.empty()) {
    const std::string_view piece = in.substr(0, kPiece);
    int count = 0;
    unsigned char* const to = out == nullptr ? nullptr : out + written;
    if (update(context.get(), to, &count, Bytes(piece), static_cast<int>(piece.size())) != 1) {
      return std::nullopt;
    }
    if (out != nullptr) written += static_cast<std::size_t>(count);
    in.remove_prefix(piece.size());
  }
  return written;
}

const EVP_CIPHER* CbcCipher(std::size_t key_size) {
  switch (key_size) {
    case 16:
      return EVP_aes_128_cbc();
    case 24:
      return EVP_aes_192_cbc();
    case 32:
      return EVP_aes_256_cbc();
    default:
      return nullptr;
  }
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string_view Trim(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t first = line.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(kBlanks) - first + 1);
}

// Digits of `bits` bits each, most significant first, the last one filled up with zero bits.
std::string ToDigits(std::string_view bytes, unsigned bits, std::string_view alphabet) {
  std::string out;
  out.reserve((bytes.size() * 8 + bits - 1) / bits);
  const unsigned mask = (1U << bits) - 1U;
  unsigned held = 0;
  unsigned held_bits = 0;
  for (const char c : bytes) {
    held = (held << 8U) | static_cast<unsigned char>(c);
    held_bits += 8;
    while (held_bits >= bits) {
      held_bits -= bits;
      out.push_back(alphabet[(held >> held_bits) & mask]);
    }
    held &= (1U << held_bits) - 1U;
  }
  if (held_bits > 0) out.push_back(alphabet[(held << (bits - held_bits)) & mask]);
  return out;
}

constexpr std::string_view kBase64Alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64UrlAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// Unpadded Base64 digits to bytes; nothing for a foreign character, an impossible length, or bits
// set beyond the last byte (two texts would then stand for the same bytes).
std::optional<std::string> FromBase64Digits(std::string_view text, std::string_view alphabet) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  }
  std::string out;
  out.reserve(text.size() * 3 / 4);
  unsigned held = 0;
  unsigned held_bits = 0;
  for (const char c : text) {
    const std::int8_t value = values[static_cast<unsigned char>(c)];
    if (value < 0) return std::nullopt;
    held = (held << 6U) | static_cast<unsigned>(value);
    held_bits += 6;
    if (held_bits >= 8) {
      held_bits -= 8;
      out.push_back(static_cast<char>(static_cast<unsigned char>(held >> held_bits)));
    }
    held &= (1U << held_bits) - 1U;
  }
  if (held != 0) return std::nullopt;
  return out;
}

}  // namespace

std::string_view Digest::view() const& { return View(std::span(bytes_).first(size_)); }

std::string Digest::hex() const { return HexLower(view()); }

Digest Sha256(std::string_view bytes) {
  Digest digest;
  unsigned size = 0;
  Require(EVP_Digest(bytes.empty() ? "" : bytes.data(), bytes.size(), digest.bytes_.data(), &size,
                     EVP_sha256(), nullptr) == 1);
  digest.size_ = size;
  return digest;
}

Sha256Stream::Sha256Stream() : context_(NewHash(EVP_sha256())) {}

void Sha256Stream::Update(std::string_view bytes) { Add(context_, bytes); }

Digest Sha256Stream::Finish() {
  Digest digest;
  unsigned size = 0;
  Require(EVP_DigestFinal_ex(context_.get(), digest.bytes_.data(), &size) == 1);
  digest.size_ = size;
  Require(EVP_DigestInit_ex(context_.get(), nullptr, nullptr) == 1);
  return digest;
}

// A vector has no small buffer inside the object, so that a move leaves no copy of the secret.
Key::Key(std::string_view bytes) : bytes_(bytes.begin(), bytes.end()) {}

Key::~Key() {
  if (!bytes_.empty()) OPENSSL_cleanse(bytes_.data(), bytes_.size());
}

Key& Key::operator=(Key&& other) noexcept {
  if (this != &other) {
    if (!bytes_.empty()) OPENSSL_cleanse(bytes_.data(), bytes_.size());
    bytes_ = std::move(other.bytes_);
  }
  return *this;
}

std::string_view Key::bytes() const { return View(bytes_); }

std::string Key::id() const {
  constexpr std::string_view kPrefix("dcmveil key id\0", 15);
  Sha256Stream stream;
  stream.Update(kPrefix);
  stream.Update(bytes());
  const Digest digest = stream.Finish();
  return HexLower(digest.view().substr(0, 8));
}

Key Key::Derive(std::string_view purpose) const {
  Digest digest = Hmac(*this).Sign("dcmveil.v1.", purpose);
  Key derived(digest.view());
  OPENSSL_cleanse(&digest, sizeof digest);
  return derived;
}

std::optional<Key> GenerateKey() {
  std::array<std::uint8_t, kKeyBytes> bytes{};
  std::optional<Key> key;
  if (RAND_priv_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1) key.emplace(View(bytes));
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return key;
}

bool RandomBytes(std::span<std::uint8_t> out) {
  return RAND_bytes_ex(nullptr, out.data(), out.size(), 0) == 1;
}

std::optional<std::string> FormatKeyFile(const Key& key) {
  if (key.size() != kKeyBytes) return std::nullopt;
  std::string hex = HexLower(key.bytes());
  std::string text;
  text.reserve(128);
  text.append("# dcmveil key v1, keep secret\n").append(hex).push_back('\n');
  Cleanse(hex);
  return text;
}

std::optional<Key> ParseKeyText(std::string_view text) {
  std::string_view digits;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = Trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    if (!digits.empty()) return std::nullopt;
    digits = line;
  }
  if (digits.size() != 2 * kKeyBytes) return std::nullopt;
  std::array<std::uint8_t, kKeyBytes> bytes{};
  bool legal = true;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = HexValue(digits[2 * i]);
    const int low = HexValue(digits[2 * i + 1]);
    legal = legal && high >= 0 && low >= 0;
    bytes[i] = static_cast<std::uint8_t>(legal ? high * 16 + low : 0);
  }
  std::optional<Key> key;
  if (legal) key.emplace(View(bytes));
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return key;
}

void Cleanse(std::string& secret) {
  if (!secret.empty()) OPENSSL_cleanse(secret.data(), secret.size());
  secret.clear();
}

Hmac::Hmac(std::string_view key, HashKind kind) {
  const EVP_MD* const algorithm = Algorithm(kind);
  inner_ = NewHash(algorithm);
  outer_ = NewHash(algorithm);
  const auto block_size = static_cast<std::size_t>(EVP_MD_get_block_size(algorithm));
  std::array<std::uint8_t, 128> block{};
  Require(block_size <= block.size());
  if (key.size() > block_size) {
    Require(EVP_Digest(key.data(), key.size(), block.data(), nullptr, algorithm, nullptr) == 1);
  } else {
    std::copy(key.begin(), key.end(), block.begin());
  }
  const auto pad = std::span(block).first(block_size);
  for (std::uint8_t& byte : pad) byte = static_cast<std::uint8_t>(byte ^ 0x36U);
  Add(inner_, View(pad));
  for (std::uint8_t& byte : pad) byte = static_cast<std::uint8_t>(byte ^ (0x36U ^ 0x5CU));
  Add(outer_, View(pad));
  OPENSSL_cleanse(block.data(), block.size());
}

MdContext Hmac::Begin() const {
  MdContext context(EVP_MD_CTX_new());
  Require(context != nullptr && EVP_MD_CTX_copy_ex(context.get(), inner_.get()) == 1);
  return context;
}

Digest Hmac::End(const MdContext& context) const {
  Digest digest;
  unsigned size = 0;
  Require(EVP_DigestFinal_ex(context.get(), digest.bytes_.data(), &size) == 1);
  Require(EVP_MD_CTX_copy_ex(context.get(), outer_.get()) == 1);
  Require(EVP_DigestUpdate(context.get(), digest.bytes_.data(), size) == 1);
  Require(EVP_DigestFinal_ex(context.get(), digest.bytes_.data(), &size) == 1);
  digest.size_ = size;
  return digest;
}

Digest Hmac::Sign(std::string_view a, std::string_view b, std::string_view c,
                  std::string_view d) const {
  const MdContext context = Begin();
  for (const std::string_view part : {a, b, c, d}) Add(context, part);
  return End(context);
}

Digest Hmac::SignParts(std::initializer_list<std::string_view> parts) const {
  const MdContext context = Begin();
  for (const std::string_view part : parts) {
    std::array<std::uint8_t, 8> length{};
    for (std::size_t i = 0; i < length.size(); ++i) {
      length[i] = static_cast<std::uint8_t>(std::uint64_t{part.size()} >> (56U - 8U * i));
    }
    Add(context, View(length));
    Add(context, part);
  }
  return End(context);
}

std::optional<std::string> Seal(std::string_view key, std::string_view nonce,
                                std::string_view plaintext, std::string_view aad) {
  if (key.size() != kKeyBytes || nonce.size() != kGcmNonce) return std::nullopt;
  const CipherContext context(EVP_CIPHER_CTX_new());
  if (context == nullptr || EVP_EncryptInit_ex2(context.get(), EVP_aes_256_gcm(), Bytes(key),
                                                Bytes(nonce), nullptr) != 1) {
    return std::nullopt;
  }
  std::string out(plaintext.size() + kGcmTag, '\0');
  if (!Feed(context, EVP_EncryptUpdate, nullptr, aad).has_value()) return std::nullopt;
  const auto written = Feed(context, EVP_EncryptUpdate, Bytes(out), plaintext);
  int rest = 0;
  if (!written.has_value() || *written != plaintext.size() ||
      EVP_EncryptFinal_ex(context.get(), Bytes(out) + *written, &rest) != 1 || rest != 0 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(kGcmTag),
                          out.data() + plaintext.size()) != 1) {
    return std::nullopt;
  }
  return out;
}

std::optional<std::string> Open(std::string_view key, std::string_view nonce,
                                std::string_view sealed, std::string_view aad) {
  if (key.size() != kKeyBytes || nonce.size() != kGcmNonce || sealed.size() < kGcmTag) {
    return std::nullopt;
  }
  const CipherContext context(EVP_CIPHER_CTX_new());
  if (context == nullptr || EVP_DecryptInit_ex2(context.get(), EVP_aes_256_gcm(), Bytes(key),
                                                Bytes(nonce), nullptr) != 1) {
    return std::nullopt;
  }
  const std::string_view ciphertext = sealed.substr(0, sealed.size() - kGcmTag);
  std::string tag(sealed.substr(ciphertext.size()));
  // Room for one byte more: EVP_DecryptFinal_ex wants a pointer even where it writes nothing.
  std::string out(ciphertext.size() + 1, '\0');
  int rest = 0;
  bool ok = Feed(context, EVP_DecryptUpdate, nullptr, aad).has_value();
  ok = ok && Feed(context, EVP_DecryptUpdate, Bytes(out), ciphertext) == ciphertext.size();
  ok = ok && EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(kGcmTag),
                                 tag.data()) == 1;
  ok = ok && EVP_DecryptFinal_ex(context.get(), Bytes(out) + ciphertext.size(), &rest) == 1;
  if (!ok) {
    // Unauthenticated plaintext must not stay behind in freed memory.
    Cleanse(out);
    return std::nullopt;
  }
  out.resize(ciphertext.size());
  return out;
}

std::optional<std::string> CbcEncrypt(std::string_view key, std::string_view iv,
                                      std::string_view plaintext) {
  const EVP_CIPHER* const cipher = CbcCipher(key.size());
  if (cipher == nullptr || iv.size() != kAesBlock) return std::nullopt;
  const CipherContext context(EVP_CIPHER_CTX_new());
  if (context == nullptr ||
      EVP_EncryptInit_ex2(context.get(), cipher, Bytes(key), Bytes(iv), nullptr) != 1) {
    return std::nullopt;
  }
  std::string out(iv);
  out.resize(kAesBlock + plaintext.size() + kAesBlock);
  const auto written = Feed(context, EVP_EncryptUpdate, Bytes(out) + kAesBlock, plaintext);
  int rest = 0;
  if (!written.has_value() ||
      EVP_EncryptFinal_ex(context.get(), Bytes(out) + kAesBlock + *written, &rest) != 1) {
    return std::nullopt;
  }
  out.resize(kAesBlock + *written + static_cast<std::size_t>(rest));
  return out;
}

std::optional<std::string> CbcDecrypt(std::string_view key, std::string_view iv_and_ciphertext) {
  const EVP_CIPHER* const cipher = CbcCipher(key.size());
  if (cipher == nullptr || iv_and_ciphertext.size() < 2 * kAesBlock ||
      iv_and_ciphertext.size() % kAesBlock != 0) {
    return std::nullopt;
  }
  const CipherContext context(EVP_CIPHER_CTX_new());
  if (context == nullptr || EVP_DecryptInit_ex2(context.get(), cipher, Bytes(key),
                                                Bytes(iv_and_ciphertext), nullptr) != 1) {
    return std::nullopt;
  }
  const std::string_view ciphertext = iv_and_ciphertext.substr(kAesBlock);
  std::string out(ciphertext.size() + kAesBlock, '\0');
  const auto written = Feed(context, EVP_DecryptUpdate, Bytes(out), ciphertext);
  int rest = 0;
  if (!written.has_value() ||
      EVP_DecryptFinal_ex(context.get(), Bytes(out) + *written, &rest) != 1) {
    Cleanse(out);
    return std::nullopt;
  }
  out.resize(*written + static_cast<std::size_t>(rest));
  return out;
}

std::string HexLower(std::string_view bytes) { return ToDigits(bytes, 4, "0123456789abcdef"); }

std::string Base32(std::string_view bytes) {
  return ToDigits(bytes, 5, "0123456789ABCDEFGHJKMNPQRSTVWXYZ");
}

std::string Base64(std::string_view bytes) {
  std::string out = ToDigits(bytes, 6, kBase64Alphabet);
  out.append((4 - out.size() % 4) % 4, '=');
  return out;
}

std::optional<std::string> Base64Decode(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  return FromBase64Digits(text, kBase64Alphabet);
}

std::string Base64Url(std::string_view bytes) { return ToDigits(bytes, 6, kBase64UrlAlphabet); }

std::optional<std::string> Base64UrlDecode(std::string_view text) {
  return FromBase64Digits(text, kBase64UrlAlphabet);
}

std::string Decimal128(std::span<const std::uint8_t, 16> bytes) {
  __extension__ using Uint128 = unsigned __int128;
  Uint128 number = 0;
  for (const std::uint8_t byte : bytes) number = (number << 8U) | byte;
  // In pieces that the processor divides by itself.
  constexpr std::uint64_t kPiece = 1'000'000'000'000'000'000U;
  constexpr std::size_t kPieceDigits = 18;
  std::string out;
  for (; number >= kPiece; number /= kPiece) {
    const std::string digits = std::to_string(static_cast<std::uint64_t>(number % kPiece));
    out.insert(0, std::string(kPieceDigits - digits.size(), '0') + digits);
  }
  return out.insert(0, std::to_string(static_cast<std::uint64_t>(number)));
}

double UniformUnit(std::string_view digest_bytes) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    const auto byte = i < digest_bytes.size() ? static_cast<unsigned char>(digest_bytes[i]) : 0U;
    bits = (bits << 8U) | byte;
  }
  return static_cast<double>(bits >> 11U) * 0x1p-53;
}

}  // namespace dcmveil
