// SPDX-License-Identifier: Apache-2.0
//
// Envelopes for people with a certificate: CMS EnvelopedData (RFC 5652) over OpenSSL 3. Content is
// encrypted with AES-256 in CBC mode, as PS3.15 E.1.1 and every CMS reader take it.
//
// Errors: what a file or a caller can cause is std::nullopt or false. No text in here comes from a
// key or from content. Threads: const objects may be shared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/crypto.h"

struct x509_st;
struct evp_pkey_st;

namespace dcmveil::cms {

/// An X.509 certificate with a public key. Copies share it.
class Certificate {
 public:
  /// The first certificate of a PEM text.
  [[nodiscard]] static std::optional<Certificate> FromPem(std::string_view pem);

  /// RSA, and not RSA for signatures only (RSASSA-PSS).
  [[nodiscard]] bool is_rsa() const;
  [[nodiscard]] int bits() const;
  /// Now is after its last day, or before its first.
  [[nodiscard]] bool is_out_of_date() const;
  /// Its key usage, if it states one, allows that keys are encrypted to it.
  [[nodiscard]] bool may_encipher_keys() const;
  /// SHA-256 of the certificate.
  [[nodiscard]] const std::string& fingerprint() const { return fingerprint_; }
  [[nodiscard]] x509_st* get() const { return x509_.get(); }

 private:
  std::shared_ptr<x509_st> x509_;
  std::string fingerprint_;
};

/// A certificate file, or what is wrong with it: "does not exist", to follow the file's name.
struct CertificateReading {
  std::optional<Certificate> certificate;
  std::string text;  ///< of the file
  std::string problem;
  /// It can be used, but its owner may not expect it; may be empty.
  std::string remark;
};
/// The first certificate of a PEM file. A file that holds a private key as well is refused: it is
/// about to be passed around.
[[nodiscard]] CertificateReading ReadCertificateFile(const std::filesystem::path& file);

/// Why there is no private key.
enum class KeyProblem : std::uint8_t {
  kNoKey,            ///< the text has no private key that can be read
  kNeedsPassphrase,  ///< it is encrypted, and no passphrase was given
  kWrongPassphrase,
};

/// A private key, erased from memory with its last copy.
class PrivateKey {
 public:
  /// The first private key of a PEM text; nothing is ever asked on the terminal.
  [[nodiscard]] static std::variant<PrivateKey, KeyProblem> FromPem(
      std::string_view pem, const std::optional<std::string>& passphrase);
  [[nodiscard]] bool BelongsTo(const Certificate& certificate) const;
  [[nodiscard]] evp_pkey_st* get() const { return key_.get(); }

 private:
  explicit PrivateKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
  std::shared_ptr<evp_pkey_st> key_;
};

/// DER of an EnvelopedData for RSA recipients (key transport by PKCS #1 v1.5, as PS3.15 E.1.1
/// asks), whose random parts, content key, IV and padding, all come from HMAC-SHA-256 with `key`
/// over recipients, context and content: the same input gives the same bytes, different input
/// shares nothing. Who has `key` can test guesses of the content, not read it.
/// Nothing if a recipient has no RSA key.
[[nodiscard]] std::optional<std::string> SealDerived(const std::vector<Certificate>& recipients,
                                                     const Key& key, std::string_view context,
                                                     std::string_view content);

/// The content of an EnvelopedData in DER or BER, by any content cipher that CMS names; bytes
/// behind it are ignored. `certificate` picks the recipient; null: every one is tried. Nothing with
/// a wrong key; but one wrong key in 256 gives noise, for CBC has no check: look at the content.
[[nodiscard]] std::optional<std::string> Open(std::string_view der, const PrivateKey& key,
                                              const Certificate* certificate);

/// The same for long content, which goes to `take` in pieces; `take` returns false to stop. False
/// unless all of it was taken.
[[nodiscard]] bool OpenTo(std::string_view der, const PrivateKey& key,
                          const Certificate* certificate,
                          const std::function<bool(std::string_view)>& take);

/// Writes an EnvelopedData in BER, with fresh random keys, to a file while its content comes in.
/// One thread at a time.
class Writer {
 public:
  /// `descriptor` stays open and the caller's; it must live as long as this object. Null if a
  /// recipient's key cannot be used.
  [[nodiscard]] static std::unique_ptr<Writer> To(int descriptor,
                                                  const std::vector<Certificate>& recipients);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// Many bytes at once make a smaller file. False if the file cannot be written.
  [[nodiscard]] bool Write(std::string_view content);
  /// Ends the envelope; nothing may be written afterwards.
  [[nodiscard]] bool Finish();

 private:
  struct State;
  explicit Writer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace dcmveil::cms
