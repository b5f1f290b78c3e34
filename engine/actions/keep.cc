// SPDX-License-Identifier: Apache-2.0
#include "engine/actions/specs.h"

namespace dcmveil::engine {
namespace {

class Keep final : public Action {
 public:
  [[nodiscard]] Change Apply(const Element& /*element*/) const override { return Change::Keep(); }
};

}  // namespace

const ActionSpec& KeepSpec() {
  static const ActionSpec spec{
      .name = "keep",
      .summary = "Leaves the element as it is.",
      .vrs = kAllVrs,
      .effect = Effect::kKeep,
      .may_touch_pixels = true,
      .examples =
          {
              {Vr::LO, "{}", "Chest CT", "Chest CT"},
              {Vr::US, "{}", "512\\512", "512\\512"},
          },
      .details = "A kept sequence stays, and each element of its items is decided by its own rule.",
      .make = [](const Params&, MakeContext&) -> std::unique_ptr<const Action> {
        return std::make_unique<Keep>();
      },
  };
  return spec;
}

}  // namespace dcmveil::engine
