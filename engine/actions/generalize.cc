// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "engine/actions/specs.h"
#include "engine/value.h"

namespace dcmveil::engine {
namespace {

constexpr VrSet kDateVrs{Vr::DA, Vr::DT};
constexpr VrSet kRealVrs{Vr::FD, Vr::FL};

class Generalize final : public Action {
 public:
  Generalize(bool to_month, double step, int top) : to_month_(to_month), step_(step), top_(top) {}

  [[nodiscard]] Change Apply(const Element& element) const override {
    const Vr vr = element.vr;
    if (kDateVrs.contains(vr)) {
      return ChangeText(
          element,
          [this, vr](std::string_view value, std::size_t) {
            return ChangeDates(
                vr, value, [this](const DateTime& when) -> std::optional<std::string> {
                  const int month = to_month_ ? std::max(when.date.month, 1) : 1;
                  return Date{.year = when.date.year, .month = month, .day = 1}.Print();
                });
          },
          kDateRoom);
    }
    if (kTextVrs.contains(vr)) {
      return ChangeText(element, [this, vr](std::string_view value, std::size_t) {
        return vr == Vr::AS ? Band(value) : FloorText(vr, value);
      });
    }
    std::string bytes;
    if (kRealVrs.contains(vr)) {
      const auto numbers = DecodeReals(vr, element.bytes);
      if (!numbers.has_value()) return Change::Empty(NoteCode::kNumberUnparsed);
      for (const double number : *numbers) AppendReal(vr, Floor(number), bytes);
    } else {
      const auto numbers = DecodeIntegers(vr, element.bytes);
      if (!numbers.has_value()) return Change::Empty(NoteCode::kNumberUnparsed);
      const IntegerLimits limits = LimitsOf(vr).value_or(IntegerLimits{});
      for (const Int128 number : *numbers) AppendInteger(vr, Floor(number, limits), bytes);
    }
    return bytes.empty() ? Change::Keep() : Change::Set(std::move(bytes));
  }

 private:
  [[nodiscard]] double Floor(double number) const {
    if (!std::isfinite(number)) return number;
    const double steps = number / step_;
    if (!std::isfinite(steps)) return number;
    // 0.3 is the third multiple of 0.1, although its quotient is a little less than 3.
    const double nearest = std::nearbyint(steps);
    const bool is_multiple = std::abs(steps - nearest) <= 1e-9 * std::max(1.0, std::abs(steps));
    const double result = (is_multiple ? nearest : std::floor(steps)) * step_;
    return std::isfinite(result) ? result : 0;
  }

  [[nodiscard]] Int128 Floor(Int128 number, IntegerLimits limits) const {
    if (step_ != std::floor(step_) || step_ > 0x1p62) {
      const double result = std::floor(Floor(static_cast<double>(number)));
      return std::clamp(static_cast<Int128>(result), limits.low, limits.high);
    }
    const auto step = static_cast<Int128>(step_);
    Int128 result = number / step * step;
    if (result > number) result -= step;
    // The lowest values of signed VRs have no multiple below them: theirs is the one above.
    return result < limits.low ? result + step : result;
  }

  [[nodiscard]] NewValue FloorText(Vr vr, std::string_view value) const {
    const NewValue dirty{.text = {}, .note = NoteCode::kNumberUnparsed};
    if (vr == Vr::DS) {
      const auto number = ParseDecimal(value);
      if (!number.has_value()) return dirty;
      return {.text = PrintDecimal(Floor(*number), 10)};
    }
    const auto number = ParseInteger(value);
    const IntegerLimits limits = *LimitsOf(vr);
    if (!number.has_value() || *number < limits.low || *number > limits.high) return dirty;
    return {.text = std::to_string(static_cast<std::int64_t>(Floor(Int128{*number}, limits)))};
  }

  [[nodiscard]] NewValue Band(std::string_view value) const {
    const std::optional<Age> age = ParseAge(value);
    if (!age.has_value()) return {.text = {}, .note = NoteCode::kAgeUnparsed};
    const int width = static_cast<int>(std::clamp(std::floor(step_), 1.0, 999.0));
    const int years = age->years();
    return {.text =
                PrintAge({.number = years >= top_ ? top_ : years / width * width, .unit = 'Y'})};
  }

  bool to_month_;
  double step_;
  int top_;
};

}  // namespace

const ActionSpec& GeneralizeSpec() {
  static const ActionSpec spec{
      .name = "generalize",
      .summary = "Makes dates, ages and numbers coarser.",
      .vrs = kNumberVrs | kDateVrs | VrSet{Vr::AS, Vr::DS, Vr::IS},
      .params =
          {
              {.name = "to",
               .type = ParamType::kChoice,
               .default_value = "year",
               .summary = "DA and DT: the first day of the year or month",
               .choices = {"year", "month"}},
              {.name = "step",
               .type = ParamType::kNumber,
               .default_value = "5",
               .summary = "numbers: down to a multiple of this; AS: bands of so many whole years",
               .min = 1e-6,
               .max = 1e15},
              {.name = "top",
               .type = ParamType::kInteger,
               .default_value = "90",
               .summary = "AS: this age and all above become this age",
               .min = 1,
               .max = 999},
          },
      .examples =
          {
              {Vr::DA, "{}", "20190512", "20190101"},
              {Vr::DT, "{to: month}", "20190512101530.25+0100", "20190501"},
              {Vr::AS, "{step: 5}", "047Y\\097Y\\018M\\003D", "045Y\\090Y\\000Y\\000Y"},
              {Vr::DS, "{step: 0.5}", "71.3\\-0.2", "71\\-0.5"},
              {Vr::US, "{step: 100}", "512", "500"},
              {Vr::DA, "{}", "May 2019", "(empty)"},
          },
      .details =
          "Time of day and offset from UTC are dropped. Ages in months, weeks and days become "
          "whole years; below one year that is 000Y. Numbers go down, negative ones too, so that "
          "every band has the same width. A value that cannot be parsed is emptied and counted. TM "
          "is not served: use `redact`.",
      .make = [](const Params& params, MakeContext&) -> std::unique_ptr<const Action> {
        return std::make_unique<Generalize>(params.Text("to") == "month", params.Number("step"),
                                            static_cast<int>(params.Integer("top")));
      },
  };
  return spec;
}

}  // namespace dcmveil::engine
