// SPDX-License-Identifier: Apache-2.0
#include "engine/actions/specs.h"
#include "engine/value.h"

namespace dcmveil::engine {
namespace {

// 45 CFR 164.514(b)(2)(i)(C): all ages over 89 become one category.
constexpr int kHighestAge = 89;

class Redact final : public Action {
 public:
  Redact(bool ages, bool dates) : ages_(ages), dates_(dates) {}

  [[nodiscard]] Change Apply(const Element& element) const override {
    if (ages_ && element.vr == Vr::AS) {
      return ChangeText(element, [](std::string_view value, std::size_t) -> NewValue {
        const std::optional<Age> age = ParseAge(value);
        if (!age.has_value()) return {.text = {}, .note = NoteCode::kAgeUnparsed};
        if (age->years() <= kHighestAge) return {.text = std::string(value)};
        return {.text = PrintAge({.number = kHighestAge + 1, .unit = 'Y'})};
      });
    }
    if (dates_ && (element.vr == Vr::DA || element.vr == Vr::DT)) {
      const Vr vr = element.vr;
      return ChangeText(
          element,
          [vr](std::string_view value, std::size_t) {
            return ChangeDates(vr, value, [](const DateTime& when) -> std::optional<std::string> {
              return Date{.year = when.date.year, .month = 1, .day = 1}.Print();
            });
          },
          kDateRoom);
    }
    return Change::Empty();
  }

 private:
  bool ages_;
  bool dates_;
};

}  // namespace

const ActionSpec& RedactSpec() {
  static const ActionSpec spec{
      .name = "redact",
      .summary = "Empties the element; the partial forms keep ages up to 89 and the year of dates.",
      .vrs = kAllVrs,
      .may_touch_pixels = true,
      .params =
          {
              {.name = "partial",
               .type = ParamType::kBoolean,
               .default_value = "false",
               .summary = "the same as both of the following"},
              {.name = "partial-ages",
               .type = ParamType::kBoolean,
               .default_value = "false",
               .summary = "AS: ages up to 89 years stay, higher ones become 090Y"},
              {.name = "partial-dates",
               .type = ParamType::kBoolean,
               .default_value = "false",
               .summary = "DA and DT: the first of January of the same year"},
          },
      .examples =
          {
              {Vr::PN, "{}", "Doe^Jane", "(empty)"},
              {Vr::DA, "{}", "not a date", "(empty)"},
              {Vr::AS, "{partial-ages: true}", "089Y\\090Y\\999M", "089Y\\090Y\\999M"},
              {Vr::AS, "{partial: true}", "101Y", "090Y"},
              {Vr::DA, "{partial: true}", "2019.05.12", "20190101"},
              {Vr::DT, "{partial-dates: true}", "20190512101530.25+0100", "20190101"},
          },
      .details =
          "A sequence loses its items and stays. Without a partial form nothing is parsed, so that "
          "a dirty value is emptied like any other. With one, an age or date that cannot be parsed "
          "is emptied and counted. Months, weeks and days are turned into years by dividing by "
          "12, 52 and 365 and rounding down. No other VR has a partial form: it is emptied. The "
          "year of a birth date tells an age over 89 as well; the answer does not depend on the "
          "day of the run, so take the whole `redact` for Patient's Birth Date where such ages "
          "must not be told.",
      .make = [](const Params& params, MakeContext&) -> std::unique_ptr<const Action> {
        const bool all = params.Boolean("partial");
        return std::make_unique<Redact>(all || params.Boolean("partial-ages"),
                                        all || params.Boolean("partial-dates"));
      },
  };
  return spec;
}

}  // namespace dcmveil::engine
