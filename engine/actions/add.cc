// SPDX-License-Identifier: Apache-2.0
#include "engine/actions/specs.h"
#include "engine/value.h"

namespace dcmveil::engine {
namespace {

class Add final : public Action {
 public:
  explicit Add(std::string value) : value_(std::move(value)) {}

  // `element` is the new one, without bytes.
  [[nodiscard]] Change Apply(const Element& element) const override {
    return SetFromRule(element, value_);
  }

 private:
  std::string value_;
};

std::unique_ptr<const Action> Make(const Params& params, MakeContext&) {
  return std::make_unique<Add>(params.Text("value"));
}

}  // namespace

const ActionSpec& AddSpec() {
  static const ActionSpec spec{
      .name = "add",
      .summary = "Puts a new element at the top level of the data set if it is not there.",
      .vrs = kTextVrs | kNumberVrs | Vr::AT,
      .effect = Effect::kAdd,
      .params = {{.name = "value",
                  .type = ParamType::kText,
                  .default_value = std::nullopt,
                  .summary =
                      "the new element's value; a backslash makes several, but not in LT, ST, UR, "
                      "UT"}},
      .examples =
          {
              {Vr::LO, "{value: CARDIAC-2026}", "(empty)", "CARDIAC-2026"},
              {Vr::US, "{value: 1}", "(empty)", "1"},
          },
      .details =
          "The VR is the dictionary's. An element that is there is left to the other rules; "
          "`replace` changes it.",
      .make = Make,
  };
  return spec;
}

}  // namespace dcmveil::engine
