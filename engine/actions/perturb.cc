// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/actions/specs.h"
#include "engine/value.h"

namespace dcmveil::engine {
namespace {

constexpr VrSet kRealVrs{Vr::FD, Vr::FL};

class Perturb final : public Action {
 public:
  Perturb(const Key& key, double span, bool proportional, int decimals)
      : hmac_(key), span_(span), proportional_(proportional), decimals_(decimals) {}

  [[nodiscard]] Change Apply(const Element& element) const override {
    if (element.bytes.empty()) return Change::Keep();
    const std::string path = ToString(element.path);
    const auto unit = [&](std::size_t index) {
      const Digest digest =
          hmac_.SignParts({element.instance.sop_instance_uid, path, std::to_string(index)});
      return UniformUnit(digest.view());
    };
    if (kTextVrs.contains(element.vr)) {
      return ChangeText(element, [&](std::string_view value, std::size_t index) {
        return PerturbText(element.vr, value, unit(index));
      });
    }
    std::string bytes;
    if (kRealVrs.contains(element.vr)) {
      const auto numbers = DecodeReals(element.vr, element.bytes);
      if (!numbers.has_value()) return Change::Empty(NoteCode::kNumberUnparsed);
      for (std::size_t i = 0; i < numbers->size(); ++i) {
        AppendReal(element.vr, PerturbReal(element.vr, (*numbers)[i], unit(i)), bytes);
      }
    } else {
      const auto numbers = DecodeIntegers(element.vr, element.bytes);
      if (!numbers.has_value()) return Change::Empty(NoteCode::kNumberUnparsed);
      const IntegerLimits limits = LimitsOf(element.vr).value_or(IntegerLimits{});
      for (std::size_t i = 0; i < numbers->size(); ++i) {
        AppendInteger(element.vr, PerturbInteger((*numbers)[i], unit(i), limits), bytes);
      }
    }
    return Change::Set(std::move(bytes));
  }

 private:
  // Half the width of the interval around a value.
  [[nodiscard]] double Half(double value) const {
    return (proportional_ ? std::abs(value) * span_ : span_) / 2;
  }

  [[nodiscard]] Int128 PerturbInteger(Int128 value, double unit, IntegerLimits limits) const {
    const double half = Half(static_cast<double>(value));
    const double noise = (2 * unit - 1) * half;
    double whole = std::nearbyint(noise);
    // Rounding must not lead out of the interval.
    if (std::abs(whole) > half) whole = std::trunc(noise);
    // Beyond this everything is clamped anyway, and a conversion would be undefined.
    whole = std::clamp(whole, -0x1p66, 0x1p66);
    return std::clamp(value + static_cast<Int128>(whole), limits.low, limits.high);
  }

  [[nodiscard]] double PerturbReal(Vr vr, double value, double unit) const {
    if (!std::isfinite(value)) return value;
    const double half = Half(value);
    // One rounding on every machine, whether or not its compiler fuses sums and products.
    const double sum = RoundTo(std::fma(2 * unit - 1, half, value), decimals_);
    const double largest = vr == Vr::FL ? double{std::numeric_limits<float>::max()}
                                        : std::numeric_limits<double>::max();
    // An infinite span gives an infinity or a NaN.
    if (std::isnan(sum)) return 0;
    return std::clamp(sum, -largest, largest);
  }

  [[nodiscard]] NewValue PerturbText(Vr vr, std::string_view value, double unit) const {
    if (vr == Vr::AS) {
      std::optional<Age> age = ParseAge(value);
      if (!age.has_value()) return {.text = {}, .note = NoteCode::kAgeUnparsed};
      age->number = static_cast<int>(PerturbInteger(age->number, unit, {0, 999}));
      return {.text = PrintAge(*age)};
    }
    if (vr == Vr::IS) {
      const auto number = ParseInteger(value);
      const IntegerLimits limits = *LimitsOf(vr);
      if (!number.has_value() || *number < limits.low || *number > limits.high) {
        return {.text = {}, .note = NoteCode::kNumberUnparsed};
      }
      const Int128 result = PerturbInteger(*number, unit, limits);
      return {.text = std::to_string(static_cast<std::int64_t>(result))};
    }
    const auto number = ParseDecimal(value);
    if (!number.has_value()) return {.text = {}, .note = NoteCode::kNumberUnparsed};
    return {.text = PrintDecimal(PerturbReal(Vr::FD, *number, unit), decimals_)};
  }

  Hmac hmac_;
  double span_;
  bool proportional_;
  int decimals_;
};

}  // namespace

const ActionSpec& PerturbSpec() {
  static const ActionSpec spec{
      .name = "perturb",
      .summary = "Adds noise to each number or age; the same noise in every run.",
      .vrs = kNumberVrs | VrSet{Vr::AS, Vr::DS, Vr::IS},
      .needs_key = true,
      .params =
          {
              {.name = "span",
               .type = ParamType::kNumber,
               .default_value = "1",
               .summary = "the width of the interval around the value from which the result comes",
               .min = 0,
               .max = 1e15},
              {.name = "proportional",
               .type = ParamType::kBoolean,
               .default_value = "true",
               .summary = "whether the width is `span` times the value instead of `span`"},
              {.name = "round",
               .type = ParamType::kInteger,
               .default_value = "2",
               .summary = "decimals of the result in DS, FD and FL",
               .min = 0,
               .max = 15},
          },
      .examples =
          {
              {Vr::DS, "{span: 0.1}", "70.5\\1.80", "72.8\\1.82"},
              {Vr::IS, "{span: 10, proportional: false}", "100", "103"},
              {Vr::AS, "{span: 4, proportional: false}", "045Y", "046Y"},
              {Vr::US, "{}", "10\\65535", "13\\65535"},
              {Vr::DS, "{}", "about 70", "(empty)"},
          },
      .details =
          "The noise is uniform in [-w/2, w/2], w being the interval's width, and derived from the "
          "key, the SOP Instance UID, the element's path and the value's place. It is independent "
          "between instances: the mean of many instances of one patient comes near the true value. "
          "Whole numbers are rounded and held within the VR's range (AS: 000 to 999, the unit "
          "stays). A value that is no number is emptied and counted. Arrays (OB, OW, OF, ...) are "
          "not served.",
      .make = [](const Params& params, MakeContext& context) -> std::unique_ptr<const Action> {
        return std::make_unique<Perturb>(context.KeyFor("perturb"), params.Number("span"),
                                         params.Boolean("proportional"),
                                         static_cast<int>(params.Integer("round")));
      },
  };
  return spec;
}

}  // namespace dcmveil::engine
