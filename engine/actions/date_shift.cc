// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/actions/specs.h"
#include "engine/value.h"

namespace dcmveil::engine {
namespace {

enum class Scope : std::uint8_t { kPatient, kStudy, kSeries, kInstance };
constexpr std::array<std::string_view, 4> kScopes = {"patient", "study", "series", "instance"};

std::uint64_t First64Bits(const Digest& digest) {
  std::uint64_t number = 0;
  for (const char c : digest.view().substr(0, 8)) {
    number = (number << 8U) | static_cast<unsigned char>(c);
  }
  return number;
}

class DateShift final : public Action {
 public:
  // The offset is one of `count` days from `first` on; with `skip_zero`, those from 0 on are one
  // day later.
  struct Offsets {
    int first = 0;
    int count = 1;
    bool skip_zero = false;
  };

  DateShift(const Key& key, Scope scope, Offsets offsets)
      : hmac_(key), scope_(scope), offsets_(offsets) {}

  [[nodiscard]] Change Apply(const Element& element) const override {
    if (element.bytes.empty()) return Change::Keep();
    const auto offset = [&] { return OffsetFor(element.instance); };
    const int days = element.memo != nullptr ? element.memo->Once(*this, offset) : offset();
    const Vr vr = element.vr;
    return ChangeText(
        element,
        [vr, days](std::string_view value, std::size_t) {
          return ChangeDates(vr, value, [days](const DateTime& when) -> std::optional<std::string> {
            const std::optional<Date> moved = when.date.Plus(days);
            if (!moved.has_value()) return std::nullopt;
            std::string out = moved->Print();
            out += when.time;
            out += when.zone;
            return out;
          });
        },
        kDateRoom);
  }

  [[nodiscard]] std::string_view offset_scope() const override {
    // One day to choose from is the same for all.
    return kScopes[static_cast<std::size_t>(offsets_.count > 1 ? scope_ : Scope::kPatient)];
  }

 private:
  [[nodiscard]] Digest Sign(const Instance& instance) const {
    if (scope_ == Scope::kPatient && !instance.patient_id.empty()) {
      return hmac_.SignParts({instance.patient_id, instance.issuer_of_patient_id});
    }
    if (scope_ <= Scope::kStudy && !instance.study_instance_uid.empty()) {
      return hmac_.SignParts({instance.study_instance_uid});
    }
    if (scope_ <= Scope::kSeries && !instance.series_instance_uid.empty()) {
      return hmac_.SignParts({instance.series_instance_uid});
    }
    return hmac_.SignParts({instance.sop_instance_uid});
  }

  [[nodiscard]] int OffsetFor(const Instance& instance) const {
    // 2^64 is not a multiple of the count; the bias is below 1 in 10^14.
    const auto count = static_cast<std::uint64_t>(offsets_.count);
    const int days = offsets_.first + static_cast<int>(First64Bits(Sign(instance)) % count);
    return offsets_.skip_zero && days >= 0 ? days + 1 : days;
  }

  Hmac hmac_;
  Scope scope_;
  Offsets offsets_;
};

std::unique_ptr<const Action> Make(const Params& params, MakeContext& context) {
  const auto* const chosen = std::find(kScopes.begin(), kScopes.end(), params.Text("scope"));
  const auto scope = static_cast<Scope>(chosen - kScopes.begin());

  const int days = static_cast<int>(params.Integer("days"));
  const bool zero = params.Boolean("allow-zero");
  const std::string& direction = params.Text("direction");
  DateShift::Offsets offsets{
      .first = -days, .count = 2 * days + (zero ? 1 : 0), .skip_zero = !zero};
  if (direction == "past") {
    offsets = {.first = -days, .count = days + (zero ? 1 : 0), .skip_zero = false};
  } else if (direction == "future") {
    offsets = {.first = zero ? 0 : 1, .count = days + (zero ? 1 : 0), .skip_zero = false};
  }
  return std::make_unique<DateShift>(context.KeyFor("date-shift"), scope, offsets);
}

}  // namespace

const ActionSpec& DateShiftSpec() {
  static const ActionSpec spec{
      .name = "date-shift",
      .aliases = {"dateShift"},
      .summary = "Moves dates by a number of days that is secret and the same within its scope.",
      .vrs = {Vr::DA, Vr::DT},
      .needs_key = true,
      .params =
          {
              {.name = "scope",
               .type = ParamType::kChoice,
               .default_value = "patient",
               .summary = "what shares one offset; intervals are kept within it and not beyond",
               .choices = {kScopes.begin(), kScopes.end()}},
              {.name = "days",
               .type = ParamType::kInteger,
               .default_value = "365",
               .summary = "the largest offset in either direction",
               .min = 1,
               .max = 36500},
              {.name = "direction",
               .type = ParamType::kChoice,
               .default_value = "both",
               .summary = "where dates may move",
               .choices = {"both", "past", "future"}},
              {.name = "allow-zero",
               .type = ParamType::kBoolean,
               .default_value = "false",
               .summary = "whether the offset may be no days at all"},
          },
      .examples =
          {
              {Vr::DA, "{}", "20190512\\20190513", "20190130\\20190131"},
              {Vr::DA, "{days: 30, direction: past}", "20200301", "20200213"},
              {Vr::DA, "{}", "2019.05.12", "20190130"},
              {Vr::DT, "{}", "20190512101530.25+0100", "20190130101530.25+0100"},
              {Vr::DT, "{scope: study}", "201905", "201911"},
              {Vr::DA, "{}", "20190230", "(empty)"},
          },
      .details =
          "The offset is derived from the key and, for a patient, Patient ID and Issuer of Patient "
          "ID; for the other scopes, their UID. Where the Patient ID is empty, the patient scope "
          "falls back to the study: such patients cannot be told apart. A UID that is empty falls "
          "back to the next smaller scope in the same way.\n\n"
          "Time of day, fraction and offset from UTC stay as they are. A date known to the month "
          "or year (`201905`, `2019`) is moved from the first day of that period and is then known "
          "as precisely as before. `2019.05.12` and `2019-05-12` are read and written as "
          "`20190512`; both ends of a range are moved. A value that is no date, such as 30 "
          "February, and one that would leave the years 1 to 9999, is emptied and counted as "
          "`date-unparsed`; the instance is written. TM is not served: use `keep` or `redact`.",
      .make = Make,
  };
  return spec;
}

}  // namespace dcmveil::engine
