// SPDX-License-Identifier: Apache-2.0
//
// The test vectors of Microsoft's anonymization tool, run against our actions. They are read at run
// time and are no part of this repository; OwnVectors below are ours and always run.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/actions/encrypt.h"
#include "engine/value.h"
#include "tests/engine/action_test_util.h"

namespace dcmveil::engine {
namespace {

using nlohmann::json;
using namespace testing;  // NOLINT(google-build-using-namespace): the helpers of these tests

std::optional<json> ReadVectors() {
  const char* const shared = std::getenv("DCMVEIL_SHARED");
  const std::string root = shared != nullptr ? shared : DCMVEIL_SOURCE_DIR "/../shared";
  std::ifstream file(root + "/reference/seed/vectors.json");
  if (!file.is_open()) return std::nullopt;
  return json::parse(file);
}

std::string Kind(const json& v) { return v["expected"]["kind"]; }
std::string Layer(const json& v) { return v["layer"]; }
std::string Method(const json& v) { return v["method"]; }

std::string TextOf(const json& v, const char* name) {
  if (!v.contains(name) || v[name].is_null()) return {};
  return v[name].is_string() ? v[name].get<std::string>() : v[name].dump();
}

std::optional<Vr> VrOf(const json& v) { return VrFromString(TextOf(v, "vr")); }

template <typename T>
T Setting(const json& v, const char* name, T otherwise) {
  if (!v["settings"].is_object()) return otherwise;
  const auto it = v["settings"].find(name);
  return it == v["settings"].end() || it->is_null() ? otherwise : it->get<T>();
}

// Where we differ on purpose, or the vector is about another part. The first that applies counts.
// They are told by what a vector asks, not by its id, so that the tool's other vectors sort
// themselves too; the test prints the ids.
struct Difference {
  const char* reason;
  std::function<bool(const json&)> applies;
};

const std::vector<Difference>& Differences() {
  static const std::vector<Difference> kDifferences{
      {"rules, command line and whole data sets have tests of their own",
       [](const json& v) {
         return Method(v) == "config" || Method(v) == "cli" || Method(v) == "engine" ||
                Layer(v) == "rule" || Layer(v) == "engine";
       }},
      {"a hash as long as its input has 16 million values at most and collides; not copied",
       [](const json& v) { return Setting(v, "matchInputStringLength", false); }},
      {"no hash is a date, time or age: the VR is not served",
       [](const json& v) {
         const auto vr = VrOf(v);
         return Method(v) == "cryptoHash" && Kind(v) == "exact" && vr.has_value() &&
                VrSet{Vr::AS, Vr::DA, Vr::DT, Vr::TM}.contains(*vr);
       }},
      {"a value that is no number or UID any more is not written to IS, DS and UI",
       [](const json& v) {
         const auto vr = VrOf(v);
         return Method(v) == "cryptoHash" && Kind(v) == "exact" && vr.has_value() &&
                VrSet{Vr::IS, Vr::DS, Vr::UI}.contains(*vr);
       }},
      {"the seed's offset is a linear hash, one known pair gives away all; ours is an HMAC",
       [](const json& v) { return Method(v) == "dateShift" && Kind(v) == "offset"; }},
      {"a postal code: no DICOM attribute is treated so",
       [](const json& v) { return TextOf(v, "vr").starts_with("postal"); }},
      {"a date in ISO form outside DICOM: the function serves FHIR",
       [](const json& v) {
         return Layer(v) == "function" && (Method(v) == "dateShift" || Method(v) == "redact") &&
                !(TextOf(v, "vr") == "age in years");
       }},
      {"date-shift keeps the time of day, the seed zeroes it, or prints it as 12 o'clock",
       [](const json& v) { return Method(v) == "dateShift" && Layer(v) == "formatter"; }},
      {"partial dates, old styles and any precision of DT are read; the seed fails the file",
       [](const json& v) {
         if (Method(v) != "dateShift" || Kind(v) != "error" || !VrOf(v).has_value()) return false;
         return Layer(v) == "parser" && ParseDates(*VrOf(v), TextOf(v, "input")).has_value();
       }},
      {"ages over 89 years become 090Y instead of nothing: they are the most telling ones, not "
       "missing ones",
       [](const json& v) {
         return Method(v) == "redact" && VrOf(v) == Vr::AS && Kind(v) == "empty" &&
                Setting(v, "enablePartialAgesForRedact", false);
       }},
      {"the year of a DT is written without a time that nobody measured",
       [](const json& v) {
         return Method(v) == "redact" && VrOf(v) == Vr::DT && Kind(v) == "exact";
       }},
      {"redact does not parse: a dirty value is emptied, the seed fails the file",
       [](const json& v) { return Method(v) == "redact" && Kind(v) == "error"; }},
      {"what becomes of a date does not depend on today",
       [](const json& v) {
         return Method(v) == "redact" && (VrOf(v) == Vr::DA || VrOf(v) == Vr::DT) &&
                Kind(v) == "empty" && Setting(v, "enablePartialDatesForRedact", false);
       }},
      {"ciphertext has no room in the VR",
       [](const json& v) {
         const auto vr = VrOf(v);
         return Method(v) == "encrypt" && Kind(v) == "roundtrip" && vr.has_value() &&
                (!FindAction("encrypt")->vrs.contains(*vr) ||
                 (VrSet{Vr::LO, Vr::PN}.contains(*vr) && TextOf(v, "input").size() > 17));
       }},
      {"any key is taken: AES gets 32 bytes derived from it",
       [](const json& v) { return Method(v) == "encrypt" && Layer(v) == "config"; }},
      {"arrays and pixel data are never perturbed or replaced by one number",
       [](const json& v) {
         const auto vr = VrOf(v);
         return vr.has_value() && kBulkVrs.contains(*vr) && Kind(v) != "error" &&
                (Method(v) == "perturb" || Method(v) == "substitute");
       }},
      {"a replacement that is not legal in the VR is never written",
       [](const json& v) {
         const auto vr = VrOf(v);
         if (Method(v) != "substitute" || Kind(v) != "exact" || !vr.has_value()) return false;
         if (!kTextVrs.contains(*vr)) return false;
         const std::string text = Setting(v, "replaceWith", std::string("Anonymous"));
         if (kSingleTextVrs.contains(*vr)) return !IsLegalText(*vr, text);
         for (const std::string& value : SplitValues(text)) {
           if (!IsLegalText(*vr, value)) return true;
         }
         return false;
       }},
      {"ages beyond 999 do not arise: perturb keeps the unit and stays within 000 to 999",
       [](const json& v) {
         return Method(v) == "ageString" && Layer(v) == "formatter" &&
                v["input"]["value"].get<int>() > 999;
       }},
      {"more than 15 decimals fail the seed at run time; our limit is 15",
       [](const json& v) {
         return Method(v) == "perturb" && Setting(v, "roundTo", 2) > 15 && Kind(v) != "error";
       }},
      {"empty values stay empty",
       [](const json& v) {
         return Method(v) == "cryptoHash" && Layer(v) == "processor" &&
                TextOf(v, "input").empty() && !v.contains("input_hex");
       }},
      {"an age as a number is no DICOM value",
       [](const json& v) { return TextOf(v, "vr") == "age in years"; }},
      {"encapsulated fragments are no value that an action sees",
       [](const json& v) { return v.contains("input_fragments_hex"); }},
  };
  return kDifferences;
}

// The raw key of a vector, and an action made with it.
MadeAction MakeSeed(std::string_view name, std::string_view with, const std::string& key_text) {
  const Key key(key_text);
  return Make(name, with, &key, true);
}

bool IsUnserved(const char* action, const json& v) {
  const auto vr = VrOf(v);
  return vr.has_value() && !FindAction(action)->vrs.contains(*vr);
}

void CheckCryptoHash(const json& v) {
  if (Layer(v) == "config") {
    const auto& choices = FindAction("crypto-hash")->params.front().choices;
    const std::string type = Setting(v, "cryptoHashType", std::string());
    for (const std::string_view choice : choices) EXPECT_NE(choice, type);
    return;
  }
  if (Kind(v) == "error") {
    EXPECT_TRUE(IsUnserved("crypto-hash", v));
    return;
  }
  const std::string key = Setting(v, "cryptoHashKey", std::string());
  std::string type = Setting(v, "cryptoHashType", std::string("Sha256"));
  type.front() = 's';
  if (Kind(v) == "exact-bytes") {
    const MadeAction made = MakeSeed("cryptoHash", "{function: " + type + "}", key);
    EXPECT_EQ(RunAction(*made.action, Vr::OB, TextOf(v, "input_hex"), TestInstance()),
              TextOf(v["expected"], "value_hex"));
    return;
  }
  std::string expected = v["expected"]["value"];
  if (Layer(v) == "function") {
    const HashKind kind = type == "sha512"   ? HashKind::kSha512
                          : type == "sha384" ? HashKind::kSha384
                                             : HashKind::kSha256;
    EXPECT_EQ(Hmac(key, kind).Sign(TextOf(v, "input")).hex(), expected);
    return;
  }
  const Vr vr = VrOf(v).value();
  const MadeAction made = MakeSeed("cryptoHash", "{function: " + type + "}", key);
  // AE, CS and SH have room for the first 16 digits.
  if (MaxLength(vr) == 16) expected.resize(16);
  if (vr == Vr::CS) {
    for (char& c : expected) c = c >= 'a' ? static_cast<char>(c - 32) : c;
  }
  EXPECT_EQ(RunAction(*made.action, vr, TextOf(v, "input"), TestInstance("ISO_IR 192")), expected);
}

void CheckDecrypt(const json& v) {
  const std::string key = Setting(v, "encryptKey", std::string());
  const std::string text =
      v.contains("input_base64") ? TextOf(v, "input_base64") : TextOf(v, "input");
  if (Kind(v) == "error") {
    EXPECT_EQ(DecryptSeedText(key, text), std::nullopt);
  } else {
    EXPECT_EQ(DecryptSeedText(key, text), TextOf(v["expected"], "value"));
  }
}

void CheckEncrypt(const json& v) {
  if (Kind(v) == "error") {
    EXPECT_TRUE(IsUnserved("encrypt", v));
    return;
  }
  const Key key(Setting(v, "encryptKey", std::string()));
  const MadeAction made = Make("encrypt", "{}", &key, true);
  if (v.contains("input_hex")) {
    const std::string bytes = ToBytes(Vr::OB, TextOf(v, "input_hex"));
    EXPECT_EQ(DecryptBytes(key, Apply(*made.action, Vr::OB, bytes, TestInstance()).bytes), bytes);
    return;
  }
  const Vr vr = VrOf(v).value_or(Vr::UT);
  const std::string out =
      RunAction(*made.action, vr, TextOf(v, "input"), TestInstance("ISO_IR 192"));
  if (TextOf(v, "input").empty()) {
    EXPECT_EQ(out, "(empty)");
    return;
  }
  const auto tokens = kSingleTextVrs.contains(vr) ? std::vector{out} : SplitValues(out);
  const auto values = kSingleTextVrs.contains(vr) ? std::vector{TextOf(v, "input")}
                                                  : SplitValues(TextOf(v, "input"));
  ASSERT_EQ(tokens.size(), values.size());
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (values[i].empty()) continue;
    EXPECT_EQ(DecryptText(key, tokens[i]), values[i]);
  }
}

void CheckDateShift(const json& v) {
  if (Layer(v) == "parser") {
    const auto dates = ParseDates(VrOf(v).value(), TextOf(v, "input"));
    if (Kind(v) == "error") {
      EXPECT_FALSE(dates.has_value());
      return;
    }
    ASSERT_TRUE(dates.has_value() && dates->first.has_value());
    std::string expected = TextOf(v["expected"], "value").substr(0, 10);
    std::erase(expected, '-');
    EXPECT_EQ(dates->first->date.Print(), expected);
    return;
  }
  if (Kind(v) == "error" && IsUnserved("date-shift", v)) return;
  const std::string key = Setting(v, "dateShiftKey", std::string());
  const int days = Setting(v, "dateShiftRange", 50);
  const std::string scope = Setting(v, "dateShiftScope", std::string("SopInstance"));
  const MadeAction made = MakeSeed("dateShift",
                                   "{days: " + std::to_string(days) + ", scope: " +
                                       (scope == "SopInstance"      ? "instance"
                                        : scope == "SeriesInstance" ? "series"
                                                                    : "study") +
                                       "}",
                                   key);
  Instance instance = TestInstance();
  if (v.contains("context")) {
    instance.study_instance_uid = TextOf(v["context"], "StudyInstanceUID");
    instance.series_instance_uid = TextOf(v["context"], "SeriesInstanceUID");
    instance.sop_instance_uid = TextOf(v["context"], "SOPInstanceUID");
  }
  const std::string out = RunAction(*made.action, VrOf(v).value(), TextOf(v, "input"), instance);
  if (Kind(v) == "error") {
    // The seed fails the file where a date leaves its calendar.
    EXPECT_TRUE(out == "(empty)" || out.size() == 8) << out;
  } else {
    ASSERT_EQ(Kind(v), "range");
    EXPECT_GE(out.substr(0, 8), TextOf(v["expected"], "min").substr(0, 8));
    EXPECT_LE(out.substr(0, 8), TextOf(v["expected"], "max").substr(0, 8));
    EXPECT_EQ(out.size(), TextOf(v, "input").size());
  }
}

void CheckRedact(const json& v) {
  const std::string with =
      std::string("{partial-ages: ") +
      (Setting(v, "enablePartialAgesForRedact", false) ? "true" : "false") +
      ", partial-dates: " + (Setting(v, "enablePartialDatesForRedact", false) ? "true" : "false") +
      "}";
  const MadeAction made = Make("redact", with, nullptr);
  const Vr vr = VrOf(v).value();
  const std::string input = kBulkVrs.contains(vr) ? "00" : TextOf(v, "input");
  if (vr == Vr::SQ || !(kTextVrs.contains(vr) || kBulkVrs.contains(vr))) {
    EXPECT_EQ(Apply(*made.action, vr, "", TestInstance()).kind, Change::Kind::kEmpty);
    return;
  }
  const std::string out = RunAction(*made.action, vr, input, TestInstance());
  EXPECT_EQ(out, Kind(v) == "exact" ? TextOf(v["expected"], "value") : "(empty)");
}

void CheckSubstitute(const json& v) {
  const Vr vr = VrOf(v).value();
  if (Kind(v) == "error" && IsUnserved("replace", v)) return;
  const std::string value = Setting(v, "replaceWith", std::string("Anonymous"));
  Params params;
  params.Set("value", value);
  MakeContext context;
  const auto action = FindAction("substitute")->make(params, context);
  const std::string before = kTextVrs.contains(vr) ? TextOf(v, "input") : std::string();
  const std::string out = Show(vr, Apply(*action, vr, before, TestInstance()), TestInstance());
  if (Kind(v) == "error") {
    EXPECT_EQ(out, "(failed: action-cannot-take-vr)");
    return;
  }
  const std::string expected = TextOf(v["expected"], "value");
  EXPECT_EQ(out, expected.empty() ? "(empty)" : expected);
}

void CheckAgeString(const json& v) {
  if (Layer(v) == "formatter") {
    EXPECT_EQ(PrintAge({.number = v["input"]["value"].get<int>(),
                        .unit = TextOf(v["input"], "unit").front()}),
              TextOf(v["expected"], "value"));
  } else if (Kind(v) == "error") {
    EXPECT_FALSE(ParseAge(TextOf(v, "input")).has_value());
  } else {
    EXPECT_TRUE(ParseAge(TextOf(v, "input")).has_value());
  }
}

void CheckPerturb(const json& v) {
  const ActionSpec* const spec = FindAction("perturb");
  if (Layer(v) == "config") {
    const double span = Setting(v, "span", 1.0);
    const int round = Setting(v, "roundTo", 2);
    EXPECT_TRUE(span < spec->params[0].min || round < spec->params[2].min ||
                round > spec->params[2].max);
    return;
  }
  if (Kind(v) == "error") {
    EXPECT_TRUE(IsUnserved("perturb", v));
    return;
  }
  ASSERT_EQ(Kind(v), "range");
  static const std::map<std::string, Vr, std::less<>> kTypes{
      {"string-decimal", Vr::DS}, {"double/float/decimal", Vr::FD},
      {"int16", Vr::SS},          {"uint16", Vr::US},
      {"int32", Vr::SL},          {"uint32", Vr::UL},
      {"int64", Vr::SV},          {"uint64", Vr::UV},
  };
  const std::string type = TextOf(v, "vr");
  const auto known = kTypes.find(type.substr(0, type.find(" (")));
  const std::optional<Vr> vr = known != kTypes.end() ? std::optional(known->second) : VrOf(v);
  ASSERT_TRUE(vr.has_value()) << type;
  const double span = Setting(v, "span", 1.0);
  const int round = Setting(v, "roundTo", 2);
  const bool fixed = Setting(v, "rangeType", std::string("Proportional")) == "Fixed";
  const MadeAction made =
      MakeSeed("perturb",
               "{span: " + std::to_string(span) + ", round: " + std::to_string(round) +
                   ", proportional: " + (fixed ? "false" : "true") + "}",
               "123");
  const std::string input = vr == Vr::AS && TextOf(v, "input").size() == 3
                                ? "0" + TextOf(v, "input")
                                : TextOf(v, "input");
  const double half_unit = std::pow(10.0, -round) / 2 + 1e-9;
  for (int i = 0; i < 100; ++i) {
    Instance instance = TestInstance();
    instance.sop_instance_uid += "." + std::to_string(i);
    for (const std::string& text : SplitValues(RunAction(*made.action, *vr, input, instance))) {
      const double out = std::stod(text);
      EXPECT_GE(out, v["expected"]["min"].get<double>() - half_unit) << text;
      EXPECT_LE(out, v["expected"]["max"].get<double>() + half_unit) << text;
    }
  }
}

void CheckRefreshUid(const json& v) {
  if (Kind(v) == "error") {
    EXPECT_TRUE(IsUnserved("refresh-uid", v));
    return;
  }
  const MadeAction made = MakeSeed("refreshUID", "{}", "123");
  const std::string out = RunAction(*made.action, Vr::UI, TextOf(v, "input"), TestInstance());
  EXPECT_TRUE(out.starts_with("2.25."));
  EXPECT_LE(out.size(), 5U + 39U);
  EXPECT_NE(out, TextOf(v, "input"));
  EXPECT_EQ(out, RunAction(*made.action, Vr::UI, TextOf(v, "input"), TestInstance()));
}

void CheckRemoveOrKeep(const json& v) {
  const ActionSpec* const spec = FindAction(Method(v));
  ASSERT_NE(spec, nullptr);
  EXPECT_TRUE(spec->vrs.contains(VrOf(v).value()));
  EXPECT_EQ(Kind(v) == "removed", spec->effect == Effect::kRemove);
}

TEST(SeedVectorsTest, AllVectorsHoldOrDifferForAReason) {
  const std::optional<json> file = ReadVectors();
  if (!file.has_value()) {
    GTEST_SKIP() << "no vectors.json below DCMVEIL_SHARED or beside the source tree";
  }
  const std::map<std::string, std::function<void(const json&)>> checks{
      {"cryptoHash", CheckCryptoHash}, {"decrypt", CheckDecrypt},   {"encrypt", CheckEncrypt},
      {"dateShift", CheckDateShift},   {"redact", CheckRedact},     {"substitute", CheckSubstitute},
      {"ageString", CheckAgeString},   {"perturb", CheckPerturb},   {"refreshUID", CheckRefreshUid},
      {"remove", CheckRemoveOrKeep},   {"keep", CheckRemoveOrKeep},
  };
  int held = 0;
  std::map<std::string, std::vector<std::string>> different;
  for (const json& v : (*file)["vectors"]) {
    SCOPED_TRACE(TextOf(v, "id"));
    const char* reason = nullptr;
    for (const Difference& difference : Differences()) {
      if (reason == nullptr && difference.applies(v)) reason = difference.reason;
    }
    if (reason != nullptr) {
      different[reason].push_back(TextOf(v, "id"));
      continue;
    }
    const auto check = checks.find(Method(v));
    ASSERT_NE(check, checks.end()) << "neither a check nor a reason for " << Method(v);
    ASSERT_NO_THROW(check->second(v));
    ++held;
  }
  EXPECT_GT(held, 100);
  std::cout << held << " vectors hold\n";
  for (const auto& [reason, ids] : different) {
    std::cout << ids.size() << " differ: " << reason << " (";
    for (std::size_t i = 0; i < ids.size(); ++i) std::cout << (i == 0 ? "" : " ") << ids[i];
    std::cout << ")\n";
  }
}

// Ours, computed with Python's hmac and with openssl(1).
TEST(SeedVectorsTest, OwnVectors) {
  const Key key("0123456789abcdef");
  EXPECT_EQ(
      RunAction(*Make("cryptoHash", "{}", &key, true).action, Vr::UT, "dcmveil", TestInstance()),
      "ff213443f35cfbb5782c1624f60385a298705db4b4abfcc57ae3d5e6213539d9");
  EXPECT_EQ(RunAction(*Make("cryptoHash", "{function: sha384}", &key, true).action, Vr::UT,
                      "dcmveil", TestInstance()),
            "adce3b642fa64df388ea3675d5bbc1847114b9d68ff44c6355b39ddabdb38f13b372ab5f8d32d3af58a611"
            "0427f026e8");
  EXPECT_EQ(DecryptSeedText("0123456789abcdef",
                            "AAECAwQFBgcICQoLDA0OD2/AhGbA+/qNU/bgiLcQMLtdQbF7pRPqW59cH2ZpUOdC"),
            "Grüße, dcmveil");
  EXPECT_EQ(DecryptSeedText("0123456789abcdeX",
                            "AAECAwQFBgcICQoLDA0OD2/AhGbA+/qNU/bgiLcQMLtdQbF7pRPqW59cH2ZpUOdC"),
            std::nullopt);
  EXPECT_EQ(
      DecryptSeedText("short", "AAECAwQFBgcICQoLDA0OD2/AhGbA+/qNU/bgiLcQMLtdQbF7pRPqW59cH2ZpUOdC"),
      std::nullopt);
  EXPECT_EQ(DecryptSeedText("0123456789abcdef", "AAAA"), std::nullopt);
  EXPECT_EQ(DecryptSeedText("0123456789abcdef", "not Base64"), std::nullopt);
  EXPECT_EQ(DecryptSeedText("0123456789abcdef", ""), "");
}

}  // namespace
}  // namespace dcmveil::engine
