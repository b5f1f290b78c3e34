// SPDX-License-Identifier: Apache-2.0
#include "report/signature.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include <cstdio>
#include <memory>

namespace dcmveil::report {
namespace {

using Pkey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;
constexpr std::size_t kSignature = 64;

const unsigned char* Unsigned(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

Pkey PublicKey(std::string_view pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  return {PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr), EVP_PKEY_free};
}

bool IsEd25519(const Pkey& key) { return key && EVP_PKEY_get_id(key.get()) == EVP_PKEY_ED25519; }

/// Instead of asking at the terminal.
int NoPassphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*unused*/) { return -1; }

}  // namespace

std::optional<Signature> Sign(const std::filesystem::path& key_file, std::string_view bytes,
                              std::string& problem) {
  struct stat info = {};
  if (::stat(key_file.c_str(), &info) != 0) {
    problem = "the signing key " + key_file.string() + " cannot be read";
    return std::nullopt;
  }
  if ((info.st_mode & 077U) != 0) {
    problem = "the signing key " + key_file.string() + " is open to others; chmod 600";
    return std::nullopt;
  }
  const Bio file(BIO_new_file(key_file.c_str(), "r"), BIO_free);
  const Pkey key(
      file ? PEM_read_bio_PrivateKey(file.get(), nullptr, NoPassphrase, nullptr) : nullptr,
      EVP_PKEY_free);
  if (!IsEd25519(key)) {
    problem = "the signing key " + key_file.string() +
              " holds no private key of Ed25519 without a passphrase";
    return std::nullopt;
  }
  Signature signature;
  signature.value.resize(kSignature);
  std::size_t size = kSignature;
  const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  const Bio pem(BIO_new(BIO_s_mem()), BIO_free);
  const bool done =
      EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.value.data()), &size,
                     Unsigned(bytes), bytes.size()) == 1 &&
      PEM_write_bio_PUBKEY(pem.get(), key.get()) == 1;
  if (!done) {
    problem = "the proof could not be signed";
    return std::nullopt;
  }
  char* text = nullptr;
  const long length = BIO_get_mem_data(pem.get(), &text);
  signature.public_key.assign(text, static_cast<std::size_t>(length));
  return signature;
}

bool IsSignedBy(std::string_view public_key_pem, std::string_view bytes,
                std::string_view signature) {
  const Pkey key = PublicKey(public_key_pem);
  if (!IsEd25519(key) || signature.size() != kSignature) return false;
  const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), Unsigned(signature), signature.size(), Unsigned(bytes),
                          bytes.size()) == 1;
}

bool HoldsPublicKey(std::string_view pem) { return PublicKey(pem) != nullptr; }

bool IsSameKey(std::string_view one_pem, std::string_view other_pem) {
  const Pkey one = PublicKey(one_pem);
  const Pkey other = PublicKey(other_pem);
  return one && other && EVP_PKEY_eq(one.get(), other.get()) == 1;
}

std::string ToBase64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4, '\0');
  // It writes a NUL behind the text, where std::string has one.
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), Unsigned(bytes),
                  static_cast<int>(bytes.size()));
  return text;
}

std::optional<std::string> FromBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), Unsigned(text),
                                   static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(size));
  // It counts padding as bytes.
  for (int i = 0; i < 2 && text.ends_with('='); ++i) {
    text.remove_suffix(1);
    bytes.pop_back();
  }
  return bytes;
}

}  // namespace dcmveil::report
