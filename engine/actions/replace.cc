// SPDX-License-Identifier: Apache-2.0
#include "engine/actions/specs.h"
#include "engine/value.h"

namespace dcmveil::engine {
namespace {

class Replace final : public Action {
 public:
  explicit Replace(std::string value) : value_(std::move(value)) {}

  [[nodiscard]] Change Apply(const Element& element) const override {
    return SetFromRule(element, value_);
  }

 private:
  std::string value_;
};

std::unique_ptr<const Action> Make(const Params& params, MakeContext&) {
  return std::make_unique<Replace>(params.Text("value"));
}

}  // namespace

const ActionSpec& ReplaceSpec() {
  static const ActionSpec spec{
      .name = "replace",
      .aliases = {"substitute"},
      .summary = "Puts a fixed value in the place of all values.",
      .vrs = kTextVrs | kNumberVrs | Vr::AT,
      .params = {{.name = "value",
                  .type = ParamType::kText,
                  .default_value = std::nullopt,
                  .summary =
                      "the new value; a backslash makes several, but not in LT, ST, UR, UT"}},
      .examples =
          {
              {Vr::LO, "{value: Ultrasound}", "US abdomen, Mrs Doe", "Ultrasound"},
              {Vr::PN, "{value: Anonymous}", "Doe^Jane\\Doe^John", "Anonymous"},
              {Vr::US, "{value: 20}", "10", "20"},
              {Vr::AT, "{value: \"(0010,0020)\"}", "(0008,0001)", "(0010,0020)"},
              {Vr::CS, "{value: 'A\\B'}", "C", "A\\B"},
          },
      .details =
          "An empty element is filled too. A value that the VR cannot hold (letters in US, "
          "70000 in US, 17 characters in SH, `Anonymous` in DA) is found when the rules are "
          "loaded if the rule names its attributes; if only a mask led to the element, the "
          "instance is quarantined with `action-cannot-take-vr`.",
      .make = Make,
  };
  return spec;
}

}  // namespace dcmveil::engine
