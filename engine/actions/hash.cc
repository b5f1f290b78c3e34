// SPDX-License-Identifier: Apache-2.0
#include "engine/actions/digest_text.h"
#include "engine/actions/specs.h"

namespace dcmveil::engine {
namespace {

class Hash final : public Action {
 public:
  explicit Hash(std::string salt) : salt_(std::move(salt)) {}

  [[nodiscard]] Change Apply(const Element& element) const override {
    return ChangeToDigests(element, [this](std::string_view value) {
      std::string message = salt_;
      message += value;
      return Sha256(message);
    });
  }

 private:
  std::string salt_;
};

}  // namespace

const ActionSpec& HashSpec() {
  static const ActionSpec spec{
      .name = "hash",
      .summary = "Replaces each value by its SHA-256; without a key, so that it can be guessed.",
      .vrs = kDigestVrs,
      .params = {{.name = "salt",
                  .type = ParamType::kText,
                  .default_value = "",
                  .summary = "text hashed in front of each value"}},
      .examples =
          {
              {Vr::LO, "{}", "abc",
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
              {Vr::SH, "{}", "abc", "ba7816bf8f01cfea"},
              {Vr::CS, "{salt: pepper}", "HEAD\\NECK", "2E1FF484ADE00D84\\24A6058C8189B267"},
              {Vr::IS, "{}", "12", "900262424"},
          },
      .details =
          "Anyone can hash all birth dates or all patient numbers and look which one fits; take "
          "`crypto-hash` or `pseudonym` unless a value must be the same without a shared key. "
          "Form and room are those of `crypto-hash`. The message is the UTF-8 of the value without "
          "padding, so that character sets make no difference; in OB and UN it is the bytes. "
          "Empty values stay empty. UIDs that DICOM itself registered stay. DA, DT, TM and AS are "
          "not served, because no hash is a date: use `date-shift`, `generalize` or `redact`.",
      .make = [](const Params& params, MakeContext&) -> std::unique_ptr<const Action> {
        return std::make_unique<Hash>(params.Text("salt"));
      },
  };
  return spec;
}

}  // namespace dcmveil::engine
