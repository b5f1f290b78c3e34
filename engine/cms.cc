// SPDX-License-Identifier: Apache-2.0
#include "engine/cms.h"

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <climits>
#include <fstream>
#include <system_error>
#include <utility>

namespace dcmveil::cms {
namespace {

constexpr int kLeastRsaBits = 2048;

struct Free {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
  void operator()(CMS_ContentInfo* cms) const { CMS_ContentInfo_free(cms); }
  void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  // The certificates belong to their objects.
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};
using Bio = std::unique_ptr<BIO, Free>;
using Cms = std::unique_ptr<CMS_ContentInfo, Free>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Free>;
using Certificates = std::unique_ptr<STACK_OF(X509), Free>;

Bio Reading(std::string_view bytes) {
  if (bytes.size() > INT_MAX) return nullptr;
  return Bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

// OpenSSL's error queue belongs to the thread: what is handled here must not stay in it.
class QuietErrors {
 public:
  QuietErrors() { ERR_set_mark(); }
  ~QuietErrors() { ERR_pop_to_mark(); }
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;
};

/// What the password callback of PEM is asked, and how often.
struct Passphrase {
  const std::optional<std::string>& text;
  bool asked = false;
};

int OnPassphrase(char* buffer, int size, int /*for_writing*/, void* user) {
  auto& passphrase = *static_cast<Passphrase*>(user);
  passphrase.asked = true;
  if (!passphrase.text || passphrase.text->size() > static_cast<std::size_t>(size)) return -1;
  std::copy(passphrase.text->begin(), passphrase.text->end(), buffer);
  return static_cast<int>(passphrase.text->size());
}

// DER (X.690), as far as RFC 5652 section 6 needs it.
constexpr unsigned char kInteger = 0x02;
constexpr unsigned char kOctets = 0x04;
constexpr unsigned char kOid = 0x06;
constexpr unsigned char kSequence = 0x30;
constexpr unsigned char kSet = 0x31;
constexpr unsigned char kImplicit0 = 0x80;
constexpr unsigned char kExplicit0 = 0xA0;
constexpr std::string_view kZero("\0", 1);
constexpr std::string_view kNull("\x05\0", 2);
constexpr std::string_view kData = "\x2A\x86\x48\x86\xF7\x0D\x01\x07\x01";  // 1.2.840.113549.1.7.1
constexpr std::string_view kEnvelopedData = "\x2A\x86\x48\x86\xF7\x0D\x01\x07\x03";  // .7.3
constexpr std::string_view kRsaEncryption = "\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01";  // .1.1
constexpr std::string_view kAes256Cbc =
    "\x60\x86\x48\x01\x65\x03\x04\x01\x2A";  // 2.16.840.1.101.3.4.1.42

std::string Tlv(unsigned char tag, std::string_view content) {
  std::string out(1, static_cast<char>(tag));
  if (content.size() < 0x80) {
    out.push_back(static_cast<char>(content.size()));
  } else {
    std::string length;
    for (std::size_t rest = content.size(); rest > 0; rest >>= 8U) {
      length.insert(length.begin(), static_cast<char>(rest & 0xFFU));
    }
    out.push_back(static_cast<char>(0x80U | length.size()));
    out += length;
  }
  return out.append(content);
}

template <typename Object, typename Encode>
std::optional<std::string> Der(const Object* object, Encode encode) {
  unsigned char* bytes = nullptr;
  const int size = encode(object, &bytes);
  if (size <= 0) return std::nullopt;
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

/// The content key as EME-PKCS1-v1_5 (RFC 8017 section 7.2.1) and RSA make it, with padding from
/// `padding`.
std::optional<std::string> EncryptKey(const Certificate& recipient, std::string_view content_key,
                                      const Hmac& padding) {
  EVP_PKEY* const key = X509_get0_pubkey(recipient.get());
  if (key == nullptr || !recipient.is_rsa()) return std::nullopt;
  const auto size = static_cast<std::size_t>(EVP_PKEY_get_size(key));
  if (size < content_key.size() + 11) return std::nullopt;
  std::string block("\0\x02", 2);
  for (std::uint32_t counter = 0; block.size() < size - content_key.size() - 1; ++counter) {
    const Digest bytes =
        padding.SignParts({"padding", recipient.fingerprint(), std::to_string(counter)});
    for (const char c : bytes.view()) {
      if (c != '\0' && block.size() < size - content_key.size() - 1) block.push_back(c);
    }
  }
  block.push_back('\0');
  block.append(content_key);
  std::string encrypted(size, '\0');
  std::size_t length = encrypted.size();
  const KeyContext context(EVP_PKEY_CTX_new(key, nullptr));
  const bool done =
      context != nullptr && EVP_PKEY_encrypt_init(context.get()) == 1 &&
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING) == 1 &&
      EVP_PKEY_encrypt(context.get(), reinterpret_cast<unsigned char*>(encrypted.data()), &length,
                       reinterpret_cast<const unsigned char*>(block.data()), block.size()) == 1 &&
      length == size;
  Cleanse(block);
  if (!done) return std::nullopt;
  return encrypted;
}

/// KeyTransRecipientInfo (RFC 5652 section 6.2.1), version 0: by issuer and serial number.
std::optional<std::string> RecipientInfo(const Certificate& recipient, std::string_view content_key,
                                         const Hmac& padding) {
  const auto issuer = Der(X509_get_issuer_name(recipient.get()), i2d_X509_NAME);
  const auto serial = Der(X509_get0_serialNumber(recipient.get()), i2d_ASN1_INTEGER);
  const auto key = EncryptKey(recipient, content_key, padding);
  if (!issuer || !serial || !key) return std::nullopt;
  return Tlv(kSequence, Tlv(kInteger, kZero) + Tlv(kSequence, *issuer + *serial) +
                            Tlv(kSequence, Tlv(kOid, kRsaEncryption).append(kNull)) +
                            Tlv(kOctets, *key));
}

Certificates Stack(const std::vector<Certificate>& recipients) {
  Certificates stack(sk_X509_new_null());
  for (const Certificate& recipient : recipients) {
    if (stack == nullptr || sk_X509_push(stack.get(), recipient.get()) <= 0) return nullptr;
  }
  return stack;
}

/// A BIO that hands what is written to it to a function.
using Take = std::function<bool(std::string_view)>;

int TakeBytes(BIO* bio, const char* bytes, int size) {
  const auto& take = *static_cast<const Take*>(BIO_get_data(bio));
  return size >= 0 && take({bytes, static_cast<std::size_t>(size)}) ? size : -1;
}

long Control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* TakeMethod() {
  static const std::unique_ptr<BIO_METHOD, Free> method = [] {
    std::unique_ptr<BIO_METHOD, Free> made(BIO_meth_new(BIO_TYPE_SOURCE_SINK, "take"));
    if (made != nullptr) {
      BIO_meth_set_write(made.get(), TakeBytes);
      BIO_meth_set_ctrl(made.get(), Control);
    }
    return made;
  }();
  return method.get();
}

}  // namespace

std::optional<Certificate> Certificate::FromPem(std::string_view pem) {
  const QuietErrors quiet;
  const Bio bio = Reading(pem);
  if (bio == nullptr) return std::nullopt;
  const std::optional<std::string> none;
  Passphrase passphrase{none};
  X509* const x509 = PEM_read_bio_X509(bio.get(), nullptr, OnPassphrase, &passphrase);
  if (x509 == nullptr) return std::nullopt;
  Certificate certificate;
  certificate.x509_ = std::shared_ptr<X509>(x509, X509_free);
  const std::optional<std::string> der = Der(x509, i2d_X509);
  if (!der || X509_get0_pubkey(x509) == nullptr) return std::nullopt;
  certificate.fingerprint_ = Sha256(*der).str();
  return certificate;
}

bool Certificate::is_rsa() const { return EVP_PKEY_is_a(X509_get0_pubkey(get()), "RSA") == 1; }

int Certificate::bits() const { return EVP_PKEY_get_bits(X509_get0_pubkey(get())); }

bool Certificate::is_out_of_date() const {
  return X509_cmp_current_time(X509_get0_notBefore(get())) > 0 ||
         X509_cmp_current_time(X509_get0_notAfter(get())) < 0;
}

bool Certificate::may_encipher_keys() const {
  return (X509_get_key_usage(get()) & (KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT)) != 0;
}

CertificateReading ReadCertificateFile(const std::filesystem::path& file) {
  constexpr std::size_t kLongest = std::size_t{1} << 20U;
  CertificateReading reading;
  std::error_code error;
  if (!std::filesystem::exists(file, error)) {
    reading.problem = "does not exist";
    return reading;
  }
  std::ifstream stream(file, std::ios::binary);
  if (std::filesystem::is_regular_file(file, error) && stream) {
    reading.text.resize(kLongest);
    stream.read(reading.text.data(), static_cast<std::streamsize>(kLongest));
    reading.text.resize(static_cast<std::size_t>(stream.gcount()));
  }
  if (reading.text.empty()) {
    reading.problem = "cannot be read";
  } else if (reading.text.find("PRIVATE KEY-----") != std::string::npos) {
    reading.problem = "holds a private key; give the certificate alone";
    Cleanse(reading.text);
  } else if (!(reading.certificate = Certificate::FromPem(reading.text))) {
    reading.problem = "holds no X.509 certificate in PEM form";
  } else if (reading.certificate->is_rsa() && reading.certificate->bits() < kLeastRsaBits) {
    reading.problem = "has an RSA key of fewer than " + std::to_string(kLeastRsaBits) + " bits";
    reading.certificate.reset();
  } else if (reading.certificate->is_out_of_date()) {
    reading.remark = "is not valid today; its key is used all the same";
  } else if (!reading.certificate->may_encipher_keys()) {
    reading.remark = "was not issued for encrypting keys; it is used all the same";
  }
  return reading;
}

std::variant<PrivateKey, KeyProblem> PrivateKey::FromPem(
    std::string_view pem, const std::optional<std::string>& passphrase) {
  const QuietErrors quiet;
  const Bio bio = Reading(pem);
  if (bio == nullptr) return KeyProblem::kNoKey;
  Passphrase answer{passphrase};
  std::shared_ptr<EVP_PKEY> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, OnPassphrase, &answer),
                                EVP_PKEY_free);
  if (key != nullptr) return PrivateKey(std::move(key));
  if (!answer.asked) return KeyProblem::kNoKey;
  return passphrase ? KeyProblem::kWrongPassphrase : KeyProblem::kNeedsPassphrase;
}

bool PrivateKey::BelongsTo(const Certificate& certificate) const {
  const QuietErrors quiet;
  return X509_check_private_key(certificate.get(), get()) == 1;
}

std::optional<std::string> SealDerived(const std::vector<Certificate>& recipients, const Key& key,
                                       std::string_view context, std::string_view content) {
  const QuietErrors quiet;
  std::string prints;
  for (const Certificate& recipient : recipients) prints += recipient.fingerprint();
  Digest seed = Hmac(key).SignParts({"dcmveil envelope", prints, context, content});
  const Hmac derive(seed.view());
  OPENSSL_cleanse(&seed, sizeof seed);
  Digest content_key = derive.SignParts({"content key"});
  const std::string iv = derive.SignParts({"iv"}).str().substr(0, 16);

  std::vector<std::string> infos;
  bool usable = !recipients.empty();
  for (const Certificate& recipient : recipients) {
    std::optional<std::string> info = RecipientInfo(recipient, content_key.view(), derive);
    usable = usable && info.has_value();
    if (info) infos.push_back(std::move(*info));
  }
  const std::optional<std::string> encrypted = CbcEncrypt(content_key.view(), iv, content);
  OPENSSL_cleanse(&content_key, sizeof content_key);
  if (!usable || !encrypted) return std::nullopt;

  // DER orders the members of a set by their encoding.
  std::sort(infos.begin(), infos.end());
  std::string set;
  for (const std::string& info : infos) set += info;
  const std::string cipher = Tlv(kSequence, Tlv(kOid, kAes256Cbc) + Tlv(kOctets, iv));
  const std::string body =
      Tlv(kSequence, Tlv(kOid, kData) + cipher +
                         Tlv(kImplicit0, std::string_view(*encrypted).substr(iv.size())));
  const std::string enveloped = Tlv(kSequence, Tlv(kInteger, kZero) + Tlv(kSet, set) + body);
  return Tlv(kSequence, Tlv(kOid, kEnvelopedData) + Tlv(kExplicit0, enveloped));
}

bool OpenTo(std::string_view der, const PrivateKey& key, const Certificate* certificate,
            const std::function<bool(std::string_view)>& take) {
  const QuietErrors quiet;
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  if (der.size() > LONG_MAX) return false;
  const Cms cms(d2i_CMS_ContentInfo(nullptr, &bytes, static_cast<long>(der.size())));
  if (cms == nullptr || OBJ_obj2nid(CMS_get0_type(cms.get())) != NID_pkcs7_enveloped ||
      TakeMethod() == nullptr) {
    return false;
  }
  const Bio sink(BIO_new(TakeMethod()));
  if (sink == nullptr) return false;
  BIO_set_data(sink.get(), const_cast<Take*>(&take));
  BIO_set_init(sink.get(), 1);
  return CMS_decrypt(cms.get(), key.get(), certificate != nullptr ? certificate->get() : nullptr,
                     nullptr, sink.get(), CMS_BINARY) == 1;
}

std::optional<std::string> Open(std::string_view der, const PrivateKey& key,
                                const Certificate* certificate) {
  std::string content;
  const bool opened = OpenTo(der, key, certificate, [&content](std::string_view piece) {
    content.append(piece);
    return true;
  });
  if (opened) return content;
  Cleanse(content);
  return std::nullopt;
}

struct Writer::State {
  Bio file;
  Cms cms;
  Certificates recipients;
  BIO* chain = nullptr;  ///< CMS in front of `file`
};

Writer::Writer(std::unique_ptr<State> state) : state_(std::move(state)) {}

std::unique_ptr<Writer> Writer::To(int descriptor, const std::vector<Certificate>& recipients) {
  const QuietErrors quiet;
  auto state = std::make_unique<State>();
  state->file = Bio(BIO_new_fd(descriptor, BIO_NOCLOSE));
  state->recipients = Stack(recipients);
  if (state->file == nullptr || state->recipients == nullptr || recipients.empty()) return nullptr;
  state->cms = Cms(CMS_encrypt(state->recipients.get(), nullptr, EVP_aes_256_cbc(),
                               CMS_STREAM | CMS_BINARY | CMS_PARTIAL));
  if (state->cms == nullptr) return nullptr;
  state->chain = BIO_new_CMS(state->file.get(), state->cms.get());
  if (state->chain == nullptr) return nullptr;
  return std::unique_ptr<Writer>(new Writer(std::move(state)));
}

Writer::~Writer() {
  const QuietErrors quiet;
  while (state_->chain != nullptr && state_->chain != state_->file.get()) {
    BIO* const next = BIO_pop(state_->chain);
    BIO_free(state_->chain);
    state_->chain = next;
  }
}

bool Writer::Write(std::string_view content) {
  const QuietErrors quiet;
  while (!content.empty()) {
    const std::string_view piece = content.substr(0, std::size_t{1} << 30U);
    const int written = BIO_write(state_->chain, piece.data(), static_cast<int>(piece.size()));
    if (written <= 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool Writer::Finish() {
  const QuietErrors quiet;
  return BIO_flush(state_->chain) == 1;
}

}  // namespace dcmveil::cms
