// SPDX-License-Identifier: Apache-2.0
#include "engine/actions/digest_text.h"
#include "engine/actions/specs.h"

namespace dcmveil::engine {
namespace {

class CryptoHash final : public Action {
 public:
  CryptoHash(const Key& key, HashKind kind) : hmac_(key, kind) {}

  [[nodiscard]] Change Apply(const Element& element) const override {
    return ChangeToDigests(element, [this](std::string_view value) { return hmac_.Sign(value); });
  }

 private:
  Hmac hmac_;
};

std::unique_ptr<const Action> Make(const Params& params, MakeContext& context) {
  const std::string& name = params.Text("function");
  HashKind kind = HashKind::kSha256;
  if (name == "sha384") kind = HashKind::kSha384;
  if (name == "sha512") kind = HashKind::kSha512;
  return std::make_unique<CryptoHash>(context.KeyFor("crypto-hash"), kind);
}

}  // namespace

const ActionSpec& CryptoHashSpec() {
  static const ActionSpec spec{
      .name = "crypto-hash",
      .aliases = {"cryptoHash"},
      .summary = "Replaces each value by its HMAC with the rule set's key.",
      .vrs = kDigestVrs,
      .needs_key = true,
      .params = {{.name = "function",
                  .type = ParamType::kChoice,
                  .default_value = "sha256",
                  .summary = "the hash function of the HMAC",
                  .choices = {"sha256", "sha384", "sha512"}}},
      .examples =
          {
              {Vr::LO, "{}", "abc",
               "3b4eff04ca6cfafe36bccb4fde79ea4495f683420cf268fc2586414e2223eadb"},
              {Vr::PN, "{}", "Doe^Jane\\Doe^John",
               "7eddb839cab10c232223d0677b9cd5b6f12f2b2884bb33f69bf62ba95fba3285\\6b9ce8a4fafa3824d"
               "cb1ad1090b0446d6e242fb5190eaf1ccffd97f053081df7"},
              {Vr::SH, "{function: sha512}", "abc", "21fad308da6c117a"},
              {Vr::CS, "{}", "HEAD", "3B1F6DBEEEBCB7D1"},
              {Vr::UI, "{}", "1.2.3", "2.25.151233564604205459763054242080910999221"},
              {Vr::DS, "{}", "1.50", "7186046788646890"},
          },
      .details =
          "The result is written in hexadecimal digits and cut to the room of the VR: 16 digits in "
          "AE, CS (upper case) and SH, 64 in LO and PN (the whole name goes into the alphabetic "
          "group), all in LT, ST, UC, UR and UT. UI takes `2.25.` and 128 bits, and UIDs that "
          "DICOM itself registered stay; IS takes a number of 31 bits, DS one of 53 bits, OB and "
          "UN the bytes of the digest. 31 bits are few: among 10,000 different values of IS two "
          "will agree with a chance of 1 in 43. The message is the UTF-8 of the value without "
          "padding, so that character sets make no difference. Empty values stay empty. DA, DT, "
          "TM and AS are not served, because no hash is a date: use `date-shift`, `generalize` or "
          "`redact`.",
      .make = Make,
  };
  return spec;
}

}  // namespace dcmveil::engine
