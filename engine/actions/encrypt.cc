// SPDX-License-Identifier: Apache-2.0
#include "engine/actions/encrypt.h"

#include <openssl/crypto.h>

#include "engine/actions/specs.h"
#include "engine/value.h"

namespace dcmveil::engine {
namespace {

constexpr std::string_view kTextMark = "dv1.";
constexpr std::string_view kBytesMark("DV1\0", 4);
constexpr std::size_t kNonceSize = 12;
constexpr std::string_view kPurpose = "encrypt";
constexpr std::string_view kNoncePurpose = "encrypt-nonce";

// A key taken as it is may have any length; AES-256 wants 32 bytes.
Key AesKeyFromRaw(const Key& key) {
  Digest digest = Sha256(key.bytes());
  Key derived(digest.view());
  OPENSSL_cleanse(&digest, sizeof digest);
  return derived;
}

class Encrypt final : public Action {
 public:
  Encrypt(Key key, const Key& nonce_key) : key_(std::move(key)), nonces_(nonce_key) {}

  [[nodiscard]] Change Apply(const Element& element) const override {
    if (element.vr == Vr::OB || element.vr == Vr::UN) {
      if (element.bytes.empty()) return Change::Keep();
      const std::optional<std::string> sealed = SealValue(element, element.bytes);
      if (!sealed.has_value()) return Change::Fail(ErrorCode::kCryptoFailed);
      return Change::Set(std::string(kBytesMark) + *sealed);
    }
    return ChangeText(element, [&](std::string_view value, std::size_t) -> NewValue {
      const std::optional<std::string> sealed = SealValue(element, value);
      if (!sealed.has_value()) {
        return {.text = {}, .instead = Change::Kind::kFail, .error = ErrorCode::kCryptoFailed};
      }
      return {.text = std::string(kTextMark) + Base64Url(*sealed)};
    });
  }

 private:
  // The nonce is a function of all that is sealed under it, so that it never serves two plaintexts
  // (but for a collision of 96 bits) and a rerun writes the same bytes.
  [[nodiscard]] std::optional<std::string> SealValue(const Element& element,
                                                     std::string_view value) const {
    const Digest digest = nonces_.SignParts(
        {kNoncePurpose, element.instance.sop_instance_uid, ToString(element.path), value});
    std::string out(digest.view().substr(0, kNonceSize));
    const std::optional<std::string> sealed = Seal(key_.bytes(), out, value, {});
    if (!sealed.has_value()) return std::nullopt;
    out += *sealed;
    return out;
  }

  Key key_;
  Hmac nonces_;
};

// Nonce, ciphertext and tag. The rule set may have used its key as it is.
std::optional<std::string> OpenSealed(const Key& key, std::string_view sealed) {
  if (sealed.size() < kNonceSize) return std::nullopt;
  const std::string_view nonce = sealed.substr(0, kNonceSize);
  const std::string_view rest = sealed.substr(kNonceSize);
  if (auto text = Open(key.Derive(kPurpose).bytes(), nonce, rest, {})) return text;
  return Open(AesKeyFromRaw(key).bytes(), nonce, rest, {});
}

}  // namespace

std::optional<std::string> DecryptText(const Key& key, std::string_view token) {
  token = TrimPadding(Vr::LO, token);
  if (!token.starts_with(kTextMark)) return std::nullopt;
  const auto sealed = Base64UrlDecode(token.substr(kTextMark.size()));
  if (!sealed.has_value()) return std::nullopt;
  return OpenSealed(key, *sealed);
}

std::optional<std::string> DecryptBytes(const Key& key, std::string_view bytes) {
  if (!bytes.starts_with(kBytesMark)) return std::nullopt;
  bytes.remove_prefix(kBytesMark.size());
  if (auto out = OpenSealed(key, bytes)) return out;
  // The value field has an even length; a byte of padding may have come behind.
  if (!bytes.ends_with('\0')) return std::nullopt;
  return OpenSealed(key, bytes.substr(0, bytes.size() - 1));
}

std::optional<std::string> DecryptSeedText(std::string_view key_text, std::string_view base64) {
  if (base64.empty()) return std::string();
  const auto sealed = Base64Decode(base64);
  if (!sealed.has_value()) return std::nullopt;
  return CbcDecrypt(key_text, *sealed);
}

const ActionSpec& EncryptSpec() {
  static const ActionSpec spec{
      .name = "encrypt",
      .summary = "Encrypts each value with the rule set's key; its holder can get it back.",
      .vrs = {Vr::LO, Vr::LT, Vr::OB, Vr::PN, Vr::ST, Vr::UC, Vr::UN, Vr::UR, Vr::UT},
      .needs_key = true,
      .examples =
          {
              {Vr::LO, "{}", "A-17", "dv1.bNU_IrgW2sjoWduzdlr0f3ha2lhwxIszPX1CEwU2dGY"},
              {Vr::LO, "{}", "more than seventeen bytes", "(empty)"},
              {Vr::UT, "{}", "more than seventeen bytes",
               "dv1.bE0JDVnhYsf0_a3Qqf1_BjI84DdfInFbd7e7c1e4G3vlkTn4Qp3_46almc3vW29HiLpPv8Q"},
          },
      .details =
          "AES-256-GCM of the value's UTF-8, written as `dv1.` and the base64url of nonce, "
          "ciphertext and tag, which is legal in every character set; `dcmveil decrypt` reads it. "
          "In PN it is the alphabetic group. OB and UN hold the four bytes `DV1` and NUL, and then "
          "nonce, ciphertext and tag. The nonce is derived from the key, the SOP Instance UID, the "
          "element's path and the value, so that a rerun writes the same bytes, and equal values "
          "differ between instances.\n\n"
          "LO and PN have room for values of up to 17 bytes; the element of a longer one is "
          "emptied and `no-room` is counted. AE, CS, SH and the others have no room for any.",
      .make = [](const Params&, MakeContext& context) -> std::unique_ptr<const Action> {
        Key key = context.KeyFor(kPurpose);
        return std::make_unique<Encrypt>(context.raw_key ? AesKeyFromRaw(key) : std::move(key),
                                         context.KeyFor(kNoncePurpose));
      },
  };
  return spec;
}

}  // namespace dcmveil::engine
