// SPDX-License-Identifier: Apache-2.0
#include "engine/actions/specs.h"

namespace dcmveil::engine {
namespace {

class Remove final : public Action {
 public:
  [[nodiscard]] Change Apply(const Element& /*element*/) const override { return Change::Remove(); }
};

}  // namespace

const ActionSpec& RemoveSpec() {
  static const ActionSpec spec{
      .name = "remove",
      .summary = "Takes the element out of the data set, a sequence with all its items.",
      .vrs = kAllVrs,
      .effect = Effect::kRemove,
      .may_touch_pixels = true,
      .params = {{.name = "sequences",
                  .type = ParamType::kChoice,
                  .default_value = "remove",
                  .summary =
                      "judge: a sequence is not removed as a whole; each element of its "
                      "items is decided by its own rule, and the sequence goes if none is left",
                  .choices = {"remove", "judge"}}},
      .examples =
          {
              {Vr::LO, "{}", "General Hospital", "(removed)"},
              {Vr::OB, "{}", "(empty)", "(removed)"},
          },
      .details =
          "Attributes of type 1 and 2 must be present in a legal instance; `redact` and "
          "`replace` leave them there.",
      .make = [](const Params&, MakeContext&) -> std::unique_ptr<const Action> {
        return std::make_unique<Remove>();
      },
  };
  return spec;
}

}  // namespace dcmveil::engine
