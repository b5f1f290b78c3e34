// SPDX-License-Identifier: Apache-2.0
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "engine/actions/digest_text.h"
#include "engine/actions/specs.h"
#include "engine/value.h"

namespace dcmveil::engine {
namespace {

constexpr std::size_t kLongestUid = 64;

// The MD5 as one number in decimal digits. Nothing where OpenSSL has no MD5 (FIPS).
std::optional<std::string> Md5Decimal(std::string_view message) {
  std::array<std::uint8_t, 16> bytes{};
  unsigned size = 0;
  if (EVP_Digest(message.data(), message.size(), bytes.data(), &size, EVP_md5(), nullptr) != 1 ||
      size != bytes.size()) {
    return std::nullopt;
  }
  return Decimal128(bytes);
}

// The first `words` parts of a name in one, without what its spellings differ in. ASCII only is
// made upper case: what CTP does with other letters depends on the machine's locale.
std::string Essence(std::string_view name, std::size_t words) {
  std::string out;
  for (const std::string_view part : Split(name, '^')) {
    if (words-- == 0) break;
    for (const char c : part) {
      if (c == ' ' || c == ',' || c == '\'' || c == '.') continue;
      out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }
  return out;
}

enum class Form : std::uint8_t { kValue, kName, kPatient, kUid };

struct Settings {
  Form form = Form::kValue;
  std::size_t length = 0;
  std::size_t words = 0;
  std::string site;
  std::string root;
  std::string prefix;
};

class CtpHash final : public Action {
 public:
  explicit CtpHash(Settings settings) : settings_(std::move(settings)) {}

  [[nodiscard]] Change Apply(const Element& element) const override {
    return ChangeText(element, [&](std::string_view value, std::size_t) -> NewValue {
      if (element.vr == Vr::UI && IsClassUid(element.tag, value)) {
        return {.text = std::string(value)};
      }
      std::optional<std::string> text = Of(value);
      if (!text) {
        return {.text = {}, .instead = Change::Kind::kFail, .error = ErrorCode::kInternal};
      }
      if (!HasRoom(element.vr, *text)) {
        return {.text = {}, .note = NoteCode::kNoRoom, .instead = Change::Kind::kEmpty};
      }
      if (!IsLegalText(element.vr, *text)) {
        return {.text = {}, .instead = Change::Kind::kFail, .error = ErrorCode::kVrUnsupported};
      }
      return {.text = std::move(*text)};
    });
  }

 private:
  [[nodiscard]] std::optional<std::string> Of(std::string_view value) const {
    std::string message(value);
    if (settings_.form == Form::kName) message = Essence(value, settings_.words);
    if (settings_.form == Form::kPatient) message.insert(0, "[" + settings_.site + "]");
    std::optional<std::string> digits = Md5Decimal(message);
    if (!digits) return std::nullopt;
    if (settings_.form == Form::kUid) {
      std::string uid = settings_.root + "." + (digits->front() == '0' ? "9" : "") + *digits;
      uid.resize(std::min(uid.size(), kLongestUid));
      return uid;
    }
    if (settings_.length > 0) digits->resize(std::min(digits->size(), settings_.length));
    return settings_.prefix + *digits;
  }

  Settings settings_;
};

std::unique_ptr<const Action> Make(const Params& params, MakeContext& context) {
  Settings settings;
  const std::string& form = params.Text("form");
  if (form == "name") settings.form = Form::kName;
  if (form == "patient") settings.form = Form::kPatient;
  if (form == "uid") settings.form = Form::kUid;
  settings.length = static_cast<std::size_t>(params.Integer("length"));
  settings.words = static_cast<std::size_t>(params.Integer("words"));
  settings.site = TrimPadding(Vr::LO, params.Text("site"));
  settings.root = params.Text("root");
  settings.prefix = params.Text("prefix");
  if (settings.form == Form::kUid &&
      (settings.root.empty() || !IsLegalText(Vr::UI, settings.root))) {
    context.problems.push_back({.param = "root", .message = "must be a UID"});
  }
  if (!IsLegalText(Vr::UC, settings.prefix)) {
    context.problems.push_back(
        {.param = "prefix", .message = "must not have backslashes or control characters"});
  }
  return std::make_unique<CtpHash>(std::move(settings));
}

}  // namespace

const ActionSpec& CtpHashSpec() {
  static const ActionSpec spec{
      .name = "ctp-hash",
      .summary =
          "Replaces each value by the MD5 that CTP would write; without a key, so that it "
          "can be guessed.",
      .vrs = {Vr::AE, Vr::CS, Vr::LO, Vr::LT, Vr::PN, Vr::SH, Vr::ST, Vr::UC, Vr::UI, Vr::UT},
      .params =
          {
              {.name = "form",
               .type = ParamType::kChoice,
               .default_value = "value",
               .summary = "which of CTP's functions: hash, hashname, hashptid or hashuid",
               .choices = {"value", "name", "patient", "uid"}},
              {.name = "length",
               .type = ParamType::kInteger,
               .default_value = "0",
               .summary = "digits that are kept; 0: all. Not for `uid`",
               .min = 0,
               .max = 39},
              {.name = "words",
               .type = ParamType::kInteger,
               .default_value = "99",
               .summary = "`name`: how many of the name's parts count",
               .min = 1,
               .max = 99},
              {.name = "site",
               .type = ParamType::kText,
               .default_value = "",
               .summary = "`patient`: the site that the ID belongs to"},
              {.name = "root",
               .type = ParamType::kText,
               .default_value = "",
               .summary = "`uid`: what the new UID begins with; required there"},
              {.name = "prefix",
               .type = ParamType::kText,
               .default_value = "",
               .summary = "text in front of the digits. Not for `uid`"},
          },
      .examples =
          {
              {Vr::LO, "{}", "abc", "191415658344158766168031473277922803570"},
              {Vr::SH, "{length: 8, prefix: C-}", "abc", "C-19141565"},
              {Vr::SH, "{}", "abc", "(empty)"},
              {Vr::PN, "{form: name, words: 1}", "a.b' c^Jane",
               "191656719413756736087874184761917696306"},
              {Vr::LO, "{form: patient, site: S1}", "4711",
               "263450541003175769973644575207860058272"},
              {Vr::UI, "{form: uid, root: 1.2.3}", "1.2.840.1",
               "1.2.3.195507906881165059136955792069321651164"},
          },
      .details =
          "For archives that went through CTP's DicomAnonymizer before, so that patients and "
          "references keep the values they were given: see [migration.md](migration.md). MD5 has "
          "no key: anyone can hash all patient numbers and look which one fits. Take `pseudonym` "
          "and `refresh-uid` for everything new.\n\n"
          "The message is the UTF-8 of each value without padding; `name` joins the first parts, "
          "leaves out blanks, commas, apostrophes and full stops, and makes ASCII letters upper "
          "case; `patient` puts the site in brackets in front. UIDs end at 64 characters; those "
          "that DICOM itself registered stay. A value that does not fit the VR is emptied and "
          "`no-room` is counted.",
      .make = Make,
  };
  return spec;
}

}  // namespace dcmveil::engine
