// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "engine/actions/encrypt.h"
#include "engine/value.h"
#include "tests/engine/action_test_util.h"

namespace dcmveil::engine {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the helpers of these tests

Vr VrAt(int i) { return static_cast<Vr>(i); }

std::string RunWith(std::string_view action, std::string_view with, Vr vr, std::string_view before,
                    const Instance& instance = TestInstance(), Tag tag = kSomeTag) {
  const Key key = TestKey();
  const MadeAction made = Make(action, with, &key);
  EXPECT_TRUE(made.problems.empty());
  if (made.action == nullptr) return "(not made)";
  return RunAction(*made.action, vr, before, instance, tag);
}

// ---- A second opinion on what is legal, written from PS3.5 table 6.2-1 alone. ----------------

std::size_t Characters(const std::string& utf8) {
  std::size_t count = 0;
  for (const char c : utf8) count += (static_cast<unsigned char>(c) >> 6U) != 2U ? 1U : 0U;
  return count;
}

bool LegalValue(Vr vr, const std::string& value) {
  static const std::map<Vr, std::regex> kForms{
      {Vr::AE, std::regex("[ -\\[\\]-~]{0,16}")},
      {Vr::AS, std::regex("([0-9]{3}[DWMY])?")},
      {Vr::CS, std::regex("[A-Z0-9 _]{0,16}")},
      {Vr::DA, std::regex("([0-9]{4}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01]))?")},
      {Vr::DS, std::regex("(?=.{0,16}$)([+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?)?")},
      {Vr::DT, std::regex("([0-9]{4}((0[1-9]|1[0-2])((0[1-9]|[12][0-9]|3[01])([01][0-9]|2[0-3])?"
                          "([0-5][0-9]([0-5][0-9]|60)?(\\.[0-9]{1,6})?)?)?)?"
                          "([+-][01][0-9][0-5][0-9])?)?")},
      {Vr::IS, std::regex("([+-]?[0-9]{1,11})?")},
      {Vr::UI, std::regex("(?=.{0,64}$)((0|[1-9][0-9]*)(\\.(0|[1-9][0-9]*))*)?")},
      {Vr::UR, std::regex("[!-\\[\\]-~]*")},
  };
  if (const auto it = kForms.find(vr); it != kForms.end()) {
    return std::regex_match(value, it->second);
  }
  for (const char c : value) {
    const bool page = c == '\n' || c == '\r' || c == '\t' || c == '\f';
    const bool may_page = vr == Vr::LT || vr == Vr::ST || vr == Vr::UT;
    if (static_cast<unsigned char>(c) < 0x20 && !(page && may_page)) return false;
  }
  switch (vr) {
    case Vr::SH:
      return Characters(value) <= 16;
    case Vr::LO:
      return Characters(value) <= 64;
    case Vr::ST:
      return Characters(value) <= 1024;
    case Vr::LT:
      return Characters(value) <= 10240;
    case Vr::PN: {
      std::size_t groups = 1;
      std::string group;
      for (const char c : value + "=") {
        if (c != '=') {
          group += c;
          continue;
        }
        if (Characters(group) > 64 || std::count(group.begin(), group.end(), '^') > 4) return false;
        group.clear();
        ++groups;
      }
      return groups <= 4;
    }
    default:
      return true;
  }
}

bool IsSingle(Vr vr) { return vr == Vr::LT || vr == Vr::ST || vr == Vr::UR || vr == Vr::UT; }

void ExpectLegal(Vr vr, const std::string& bytes, const Instance& instance,
                 const std::string& what) {
  if (!kTextVrs.contains(vr)) {
    if (kNumberVrs.contains(vr)) {
      EXPECT_EQ(bytes.size() % SizeOf(vr), 0U) << what;
    }
    return;
  }
  const auto decoded = instance.charset.Decode(bytes, vr);
  EXPECT_TRUE(decoded.exact) << what << ": not in the character set";
  const std::vector<std::string> values =
      IsSingle(vr) ? std::vector<std::string>{decoded.text} : SplitValues(decoded.text);
  for (const std::string& value : values) {
    EXPECT_TRUE(LegalValue(vr, value)) << what << ": not legal: " << value;
  }
}

// ---- The list and the examples. --------------------------------------------------------------

TEST(ActionsTest, SpecsAreComplete) {
  std::set<std::string_view> names;
  for (const ActionSpec* const spec : AllActions()) {
    SCOPED_TRACE(spec->name);
    EXPECT_TRUE(names.insert(spec->name).second);
    for (const std::string_view alias : spec->aliases) EXPECT_TRUE(names.insert(alias).second);
    EXPECT_FALSE(spec->summary.empty());
    EXPECT_TRUE(spec->summary.ends_with('.'));
    EXPECT_FALSE(spec->details.empty());
    EXPECT_FALSE(spec->vrs.empty());
    EXPECT_GE(spec->examples.size(), 2U);
    EXPECT_LE(spec->examples.size(), 6U);
    EXPECT_NE(spec->make, nullptr);
    EXPECT_EQ(FindAction(spec->name), spec);
    std::set<std::string_view> params;
    for (const ParamSpec& param : spec->params) {
      EXPECT_TRUE(params.insert(param.name).second);
      EXPECT_FALSE(param.summary.empty());
      EXPECT_EQ(param.choices.empty(), param.type != ParamType::kChoice);
      if (param.type == ParamType::kChoice && param.default_value.has_value()) {
        EXPECT_NE(std::find(param.choices.begin(), param.choices.end(), *param.default_value),
                  param.choices.end());
      }
    }
    for (const Example& example : spec->examples) EXPECT_TRUE(spec->vrs.contains(example.vr));
  }
  for (const std::string_view name : {"dateShift", "cryptoHash", "refreshUID", "substitute"}) {
    EXPECT_NE(FindAction(name), nullptr) << name;
  }
  EXPECT_EQ(FindAction("Keep"), nullptr);
  EXPECT_EQ(FindAction(""), nullptr);
}

TEST(ActionsTest, ExamplesHold) {
  for (const ActionSpec* const spec : AllActions()) {
    for (const Example& example : spec->examples) {
      EXPECT_EQ(RunWith(spec->name, example.with, example.vr, example.before), example.after)
          << spec->name << " " << ToString(example.vr) << " " << example.before;
    }
  }
}

// ---- Cases. ----------------------------------------------------------------------------------

struct Case {
  std::string_view action;
  std::string_view with;
  Vr vr;
  std::string_view before;
  std::string_view after;
};

TEST(ActionsTest, Cases) {
  const std::vector<Case> cases{
      // Dates: what is one, and what is not.
      {"date-shift", "{}", Vr::DA, "20190512", "20190130"},
      {"date-shift", "{}", Vr::DA, "2019-05-12", "20190130"},
      {"date-shift", "{}", Vr::DA, "20190512\\\\20190230\\20190513", "20190130\\\\\\20190131"},
      {"date-shift", "{}", Vr::DA, "20190512-20190513", "20190130-20190131"},
      {"date-shift", "{}", Vr::DA, "20190512-", "20190130-"},
      {"date-shift", "{}", Vr::DA, "-20190512", "-20190130"},
      {"date-shift", "{}", Vr::DA, "-", "(empty)"},
      {"date-shift", "{}", Vr::DA, "2019.05-12", "(empty)"},
      {"date-shift", "{}", Vr::DA, "20190512-garbage", "(empty)"},
      {"date-shift", "{}", Vr::DA, "20190512x", "(empty)"},
      {"date-shift", "{}", Vr::DA, "00000101", "(empty)"},
      {"date-shift", "{}", Vr::DA, "00010101", "(empty)"},
      {"date-shift", "{}", Vr::DA, "00010413", "00010101"},
      {"date-shift", "{}", Vr::DA, "99991231", "99990920"},
      {"date-shift", "{direction: future}", Vr::DA, "99991231", "(empty)"},
      {"date-shift", "{}", Vr::DA, "20000229", "19991119"},
      {"date-shift", "{}", Vr::DA, "19000229", "(empty)"},
      {"date-shift", "{}", Vr::DA, "201905", "201901"},
      {"date-shift", "{}", Vr::DA, "2019", "2018"},
      {"date-shift", "{}", Vr::DA, "20191", "(empty)"},
      {"date-shift", "{}", Vr::DA, "", "(empty)"},
      {"date-shift", "{}", Vr::DT, "2019", "2018"},
      {"date-shift", "{}", Vr::DT, "2019-0500", "2018-0500"},
      {"date-shift", "{}", Vr::DT, "2018-2019", "2017-2018"},
      {"date-shift", "{}", Vr::DT, "201905121015", "201901301015"},
      {"date-shift", "{}", Vr::DT, "20190512-0500", "20190130-0500"},
      {"date-shift", "{}", Vr::DT, "20190512101530.123456-1200", "20190130101530.123456-1200"},
      {"date-shift", "{}", Vr::DT, "20190512101530-0500-20190513101530-0500",
       "20190130101530-0500-20190131101530-0500"},
      {"date-shift", "{}", Vr::DT, "20190512-0500-", "20190130-0500-"},
      {"date-shift", "{}", Vr::DT, "-20190512101530+0100", "-20190130101530+0100"},
      {"date-shift", "{}", Vr::DT, "20190512250000", "(empty)"},
      {"date-shift", "{}", Vr::DT, "20190512101530.", "(empty)"},
      {"date-shift", "{}", Vr::DT, "20190512101530.1234567", "(empty)"},
      {"date-shift", "{}", Vr::DT, "20190512101530+01:00", "(empty)"},
      {"date-shift", "{}", Vr::DT, "20190512 Doe", "(empty)"},
      {"date-shift", "{}", Vr::DT, "2019.05.12", "20190130"},
      {"date-shift", "{days: 1, direction: past}", Vr::DA, "20190101", "20181231"},
      {"date-shift", "{days: 1, direction: future}", Vr::DA, "20191231", "20200101"},
      // Redaction.
      {"redact", "{partial: true}", Vr::AS, "45Y", "(empty)"},
      {"redact", "{partial: true}", Vr::AS, "045Y\\x\\100Y", "045Y\\\\090Y"},
      {"redact", "{partial: true}", Vr::AS, "045Y", "045Y"},
      {"redact", "{partial: true}", Vr::AS, "045y", "(empty)"},
      {"redact", "{partial: true}", Vr::DA, "2019", "20190101"},
      {"redact", "{partial: true}", Vr::DA, "201905", "20190101"},
      {"redact", "{partial: true}", Vr::DA, "2019/05/12", "(empty)"},
      {"redact", "{partial: true}", Vr::DA, "20190512\\20200512", "20190101\\20200101"},
      {"redact", "{partial: true}", Vr::LO, "2019", "(empty)"},
      {"redact", "{partial-ages: true}", Vr::DA, "20190512", "(empty)"},
      {"redact", "{partial-dates: true}", Vr::AS, "045Y", "(empty)"},
      {"redact", "{}", Vr::SQ, "", "(empty)"},
      {"redact", "{}", Vr::OW, "0102", "(empty)"},
      // Replacement.
      {"replace", "{value: 20}", Vr::DS, "1\\2", "20"},
      {"replace", "{value: '1\\2'}", Vr::US, "7", "1\\2"},
      {"replace", "{value: '1\\2'}", Vr::LT, "x", "1\\2"},
      {"replace", "{value: 70000}", Vr::US, "1", "(failed: action-cannot-take-vr)"},
      {"replace", "{value: -1}", Vr::US, "1", "(failed: action-cannot-take-vr)"},
      {"replace", "{value: -32768}", Vr::SS, "1", "-32768"},
      {"replace", "{value: 18446744073709551615}", Vr::UV, "1", "18446744073709551615"},
      {"replace", "{value: -9223372036854775808}", Vr::SV, "1", "-9223372036854775808"},
      {"replace", "{value: 1.5}", Vr::FD, "1", "1.5"},
      {"replace", "{value: 1e300}", Vr::FL, "1", "(failed: action-cannot-take-vr)"},
      {"replace", "{value: abc}", Vr::US, "1", "(failed: action-cannot-take-vr)"},
      {"replace", "{value: nan}", Vr::FD, "1", "(failed: action-cannot-take-vr)"},
      {"replace", "{value: '00100020'}", Vr::AT, "(0008,0001)", "(0010,0020)"},
      {"replace", "{value: PatientID}", Vr::AT, "(0008,0001)", "(failed: action-cannot-take-vr)"},
      {"replace", "{value: Anonymous}", Vr::DA, "20190512", "(failed: action-cannot-take-vr)"},
      {"replace", "{value: Anonymous}", Vr::CS, "HEAD", "(failed: action-cannot-take-vr)"},
      {"replace", "{value: 12345678901234567}", Vr::SH, "x", "(failed: action-cannot-take-vr)"},
      {"replace", "{value: ''}", Vr::LO, "x", "(empty)"},
      {"replace", "{value: x}", Vr::LO, "", "x"},
      // Hashes.
      {"hash", "{}", Vr::LO, "abc\\\\abc",
       "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\\\\"
       "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"hash", "{salt: a}", Vr::AE, "bc", "ba7816bf8f01cfea"},
      {"hash", "{}", Vr::OB, "616263",
       "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"hash", "{}", Vr::UI, "1.2.840.10008.1.2", "1.2.840.10008.1.2"},
      {"ctp-hash", "{form: uid, root: 1.2.3}", Vr::UI, "1.2.840.10008.1.2", "1.2.840.10008.1.2"},
      {"crypto-hash", "{}", Vr::LO, "", "(empty)"},
      {"crypto-hash", "{}", Vr::UN, "", "(empty)"},
      // UIDs.
      {"refresh-uid", "{}", Vr::UI, "", "(empty)"},
      {"refresh-uid", "{}", Vr::UI, "1.2.3\\\\1.2.840.10008.1.2.1",
       "2.25.265916546004113189793304262594618604694\\\\1.2.840.10008.1.2.1"},
      // Numbers.
      {"perturb", "{span: 0, proportional: false}", Vr::DS, "5", "5"},
      {"perturb", "{span: 0, round: 0}", Vr::FL, "5", "5"},
      {"perturb", "{span: 0}", Vr::SV, "-9223372036854775808", "-9223372036854775808"},
      {"perturb", "{span: 0}", Vr::UV, "18446744073709551615", "18446744073709551615"},
      {"perturb", "{}", Vr::IS, "99999999999", "(empty)"},
      {"perturb", "{}", Vr::IS, "1.5", "(empty)"},
      {"perturb", "{}", Vr::DS, "nan", "(empty)"},
      {"perturb", "{}", Vr::DS, "1e999", "(empty)"},
      {"perturb", "{}", Vr::AS, "4Y", "(empty)"},
      {"perturb", "{}", Vr::FD, "inf", "inf"},
      {"generalize", "{to: month}", Vr::DA, "2019", "20190101"},
      {"generalize", "{to: month}", Vr::DA, "201905", "20190501"},
      {"generalize", "{}", Vr::DT, "201905-0500", "20190101"},
      {"generalize", "{step: 10}", Vr::IS, "-1\\x\\19", "-10\\\\10"},
      {"generalize", "{step: 0.1}", Vr::DS, "0.3", "0.3"},
      {"generalize", "{step: 1000}", Vr::SS, "-32768", "-32000"},
      {"generalize", "{step: 2.5}", Vr::US, "9", "7"},
      {"generalize", "{step: 100}", Vr::UV, "18446744073709551615", "18446744073709551600"},
      {"generalize", "{step: 10, top: 80}", Vr::AS, "085Y\\079Y\\360M\\x", "080Y\\070Y\\030Y\\"},
      // Editing.
      {"edit", "{find: x, replace: 'a\\\\b'}", Vr::LO, "1x", "(empty)"},
      {"edit", "{find: x, replace: 'a\\\\b'}", Vr::LT, "1x", "1a\\b"},
      {"edit", "{find: A, replace: a}", Vr::CS, "HEAD", "(empty)"},
      {"edit", "{find: '.', replace: '\\0\\0\\0'}", Vr::SH, "123456", "(empty)"},
      {"edit", "{find: '.*'}", Vr::LO, "all\\of it", "\\"},
      {"edit", "{find: '.*'}", Vr::LO, "all of it", "(empty)"},
      {"edit", "{find: zzz}", Vr::LO, "none of it", "none of it"},
      {"edit", "{find: '^(.{0,6}).*$', replace: '\\1', joined: true}", Vr::LO, "DOE\\JANE",
       "DOE\\JA"},
      {"edit", "{find: '^(.{0,4}).*$', replace: '\\1', joined: true}", Vr::SH, "DOE\\JANE",
       "DOE\\"},
      {"edit", "{find: '\\\\', joined: true}", Vr::LO, "A\\B\\\\C", "ABC"},
      {"edit", "{find: '-', replace: '\\\\', joined: true}", Vr::CS, "A-B", "A\\B"},
      {"edit", "{find: '^A', replace: a, joined: true}", Vr::CS, "A\\B", "(empty)"},
      {"edit", "{find: '^B', joined: true}", Vr::LO, "A\\B", "A\\B"},
      {"edit", "{find: '\\\\', replace: '/', joined: true}", Vr::LT, "A\\B", "A/B"},
      {"edit", "{find: '.*', joined: true}", Vr::LO, "all\\of it", "(empty)"},
      // Pseudonyms.
      {"pseudonym", "{}", Vr::LO, "", "(empty)"},
      {"pseudonym", "{prefix: p-}", Vr::CS, "HEAD", "(failed: action-cannot-take-vr)"},
      {"pseudonym", "{prefix: p-}", Vr::PN, "4711=4712", "p-16Y1EK4EQA"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(RunWith(c.action, c.with, c.vr, c.before), c.after)
        << c.action << " " << c.with << " " << ToString(c.vr) << " " << c.before;
  }
}

TEST(ActionsTest, Notes) {
  struct NoteCase {
    std::string_view action;
    std::string_view with;
    Vr vr;
    std::string bytes;
    NoteCode note;
  };
  const Key key = TestKey();
  const std::vector<NoteCase> cases{
      {"date-shift", "{}", Vr::DA, "20190512\\yesterday", NoteCode::kDateUnparsed},
      {"redact", "{partial: true}", Vr::AS, "old", NoteCode::kAgeUnparsed},
      {"redact", "{partial: true}", Vr::DT, "old", NoteCode::kDateUnparsed},
      {"generalize", "{}", Vr::IS, "many", NoteCode::kNumberUnparsed},
      {"generalize", "{}", Vr::US, "odd", NoteCode::kNumberUnparsed},
      {"perturb", "{}", Vr::FD, "short", NoteCode::kNumberUnparsed},
      {"perturb", "{}", Vr::AS, "045", NoteCode::kAgeUnparsed},
      {"refresh-uid", "{}", Vr::UI, "1.2.x", NoteCode::kUidUnparsed},
      {"refresh-uid", "{}", Vr::UI, std::string(65, '1'), NoteCode::kUidUnparsed},
      {"encrypt", "{}", Vr::LO, std::string(18, 'x'), NoteCode::kNoRoom},
      {"pseudonym", "{length: 17}", Vr::SH, "4711", NoteCode::kNoRoom},
      {"crypto-hash", "{}", Vr::LO, std::string("4711\0Doe", 8), NoteCode::kTextAfterNul},
      {"edit", "{find: zzz}", Vr::LO, std::string("4711\0Doe", 8), NoteCode::kTextAfterNul},
      {"edit", "{find: zzz, joined: true}", Vr::LO, std::string("4711\0Doe", 8),
       NoteCode::kTextAfterNul},
  };
  for (const NoteCase& c : cases) {
    const MadeAction made = Make(c.action, c.with, &key);
    const Change change = Apply(*made.action, c.vr, c.bytes, TestInstance());
    EXPECT_EQ(change.note, c.note) << c.action << " " << ToString(c.vr);
    EXPECT_NE(change.kind, Change::Kind::kFail);
    EXPECT_NE(change.kind, Change::Kind::kKeep);
  }
}

// ---- Every action on every VR. ---------------------------------------------------------------

// Parameters that make sense for the VR.
std::string WithFor(const ActionSpec& spec, Vr vr) {
  if (spec.name == "edit") return "{find: '[0-9a-z]', replace: X}";
  if (spec.name != "replace" && spec.name != "add") return "{}";
  if (kNumberVrs.contains(vr) || vr == Vr::DS || vr == Vr::IS) return "{value: 7}";
  if (vr == Vr::AT) return "{value: '(0010,0020)'}";
  if (vr == Vr::AS) return "{value: 040Y}";
  if (vr == Vr::DA || vr == Vr::DT) return "{value: 20200101}";
  if (vr == Vr::TM) return "{value: 120000}";
  if (vr == Vr::UI) return "{value: 1.2}";
  return "{value: NEW}";
}

std::vector<std::string> CleanValues(Vr vr) {
  switch (vr) {
    case Vr::AS:
      return {"045Y", "003D", "018M\\099Y"};
    case Vr::AT:
      return {ToBytes(vr, "(0010,0010)"), ToBytes(vr, "(0010,0010)\\(0008,0005)")};
    case Vr::CS:
      return {"HEAD", "ORIGINAL\\PRIMARY", "A\\\\B"};
    case Vr::DA:
      return {"20190512", "20190512\\20200229"};
    case Vr::DS:
      return {"1.5", "-1.5e10\\70", "1234567890123456"};
    case Vr::DT:
      return {"20190512101530.25+0100", "20190512\\201905121015"};
    case Vr::IS:
      return {"12", "-2147483648\\2147483647"};
    case Vr::PN:
      return {"Doe^Jane", "Doe^Jane^^Dr.^PhD\\Doe^John", "A\\\\B"};
    case Vr::TM:
      return {"101530.25", "10\\1015"};
    case Vr::UI:
      return {"1.2.3", "1.2.3\\1.2.840.10008.1.2", "1.2.840.10008.5.1.4.1.1.2"};
    case Vr::UR:
      return {"https://example.org/a?b=c"};
    case Vr::SQ:
      return {""};
    default:
      break;
  }
  if (kNumberVrs.contains(vr)) return {ToBytes(vr, "7"), ToBytes(vr, "7\\0\\100")};
  if (kBulkVrs.contains(vr)) return {std::string("\x01\x02\x03\x04\x05\x06\x07\x08", 8)};
  if (IsSingle(vr)) return {"first line\r\nsecond", "a\\b", "x"};
  return {"4711", "4711\\4712", "A\\\\B"};
}

std::vector<std::string> DirtyValues(Vr vr) {
  std::vector<std::string> out{
      "   ",
      std::string(3, '\0'),
      std::string("1.2.3\0Doe^Jane", 14),
      std::string("A\0\\B\0", 5),
      "\\",
      "\\\\\\",
      "99999999",
      "20190230",
      "\x01\x02\x7F",
      "M\xFCller",
      "\x1B$B\x3B\x33",
      "\x1B",
      "\xFF\xFE\xC3",
      "no \\such^value=here\\ at all ",
      std::string(300, 'x'),
      std::string(70, '9'),
      "----",
      "12345678901234567890123456789012345678901234567890",
  };
  if (kNumberVrs.contains(vr)) {
    out.push_back(std::string(SizeOf(vr) + 1, '\xFF'));
    out.push_back(std::string(3 * SizeOf(vr), '\xFF'));
    out.push_back(std::string(SizeOf(vr) - 1, '\x7F') + "\x7F");
  }
  return out;
}

std::size_t CountValues(Vr vr, const std::string& bytes, const Instance& instance) {
  if (kNumberVrs.contains(vr)) return bytes.size() / SizeOf(vr);
  return instance.charset.DecodeValues(bytes, vr).values.size();
}

/// Actions whose answer does not depend on the value.
bool FillsEmpty(const ActionSpec& spec) {
  return spec.name == "replace" || spec.name == "add" || spec.name == "dummy";
}

TEST(ActionsTest, EveryActionOnEveryVr) {
  const Key key = TestKey();
  for (const ActionSpec* const spec : AllActions()) {
    for (int i = 0; i < kVrCount; ++i) {
      const Vr vr = VrAt(i);
      if (!spec->vrs.contains(vr)) continue;
      const MadeAction made = Make(spec->name, WithFor(*spec, vr), &key);
      ASSERT_NE(made.action, nullptr);
      ASSERT_TRUE(made.problems.empty());
      for (const std::string_view charset :
           {"", "ISO_IR 100", "ISO_IR 192", "\\ISO 2022 IR 87", "GB18030"}) {
        const Instance instance = TestInstance(charset);
        const std::string what = std::string(spec->name) + " " + std::string(ToString(vr)) +
                                 " in " + std::string(charset);
        for (const std::string& bytes : CleanValues(vr)) {
          const Change change = Apply(*made.action, vr, bytes, instance);
          EXPECT_NE(change.kind, Change::Kind::kFail) << what << " " << bytes;
          if (change.kind != Change::Kind::kSet) continue;
          ExpectLegal(vr, change.bytes, instance, what + " " + bytes);
          if (!FillsEmpty(*spec)) {
            EXPECT_EQ(CountValues(vr, change.bytes, instance), CountValues(vr, bytes, instance))
                << what << " " << bytes;
          }
        }
        for (const std::string& bytes : DirtyValues(vr)) {
          const Change change = Apply(*made.action, vr, bytes, instance);
          EXPECT_NE(change.kind, Change::Kind::kFail) << what << " " << bytes;
          // What `edit` does not find stays as it was.
          if (spec->name == "edit" || change.kind != Change::Kind::kSet) continue;
          ExpectLegal(vr, change.bytes, instance, what + " (dirty) " + bytes);
        }
        const Change change = Apply(*made.action, vr, "", instance);
        if (FillsEmpty(*spec) && vr != Vr::SQ) {
          EXPECT_EQ(change.kind, Change::Kind::kSet) << what;
        } else {
          EXPECT_NE(change.kind, Change::Kind::kSet) << what;
          EXPECT_NE(change.kind, Change::Kind::kFail) << what;
        }
      }
    }
  }
}

TEST(ActionsTest, TextDoesNotSurvive) {
  const Key key = TestKey();
  const std::string bytes = "Mustermann^Erika";
  for (const std::string_view name : {"hash", "crypto-hash", "pseudonym", "encrypt", "redact"}) {
    const ActionSpec* const spec = FindAction(name);
    const MadeAction made = Make(name, "{}", &key);
    for (int i = 0; i < kVrCount; ++i) {
      if (!spec->vrs.contains(VrAt(i))) continue;
      const Change change = Apply(*made.action, VrAt(i), bytes, TestInstance());
      EXPECT_NE(change.kind, Change::Kind::kKeep);
      EXPECT_EQ(change.bytes.find("Muster"), std::string::npos);
    }
  }
}

TEST(ActionsTest, UnservedVrs) {
  const auto unserved = [](std::string_view name, VrSet vrs) {
    EXPECT_FALSE(FindAction(name)->vrs.intersects(vrs)) << name;
  };
  unserved("date-shift", kAllVrs - VrSet{Vr::DA, Vr::DT});
  unserved("refresh-uid", kAllVrs - VrSet{Vr::UI});
  unserved("hash", {Vr::AS, Vr::DA, Vr::DT, Vr::TM, Vr::SQ, Vr::AT, Vr::OW});
  unserved("crypto-hash", {Vr::AS, Vr::DA, Vr::DT, Vr::TM, Vr::SQ, Vr::AT, Vr::OW});
  unserved("pseudonym",
           kAllVrs - VrSet{Vr::AE, Vr::CS, Vr::LO, Vr::LT, Vr::PN, Vr::SH, Vr::ST, Vr::UC, Vr::UT});
  unserved("encrypt", {Vr::AE, Vr::CS, Vr::SH, Vr::UI, Vr::SQ, Vr::DA, Vr::US});
  unserved("perturb", kBulkVrs | VrSet{Vr::SQ, Vr::AT, Vr::LO, Vr::DA, Vr::TM});
  unserved("generalize", kBulkVrs | VrSet{Vr::SQ, Vr::AT, Vr::LO, Vr::TM});
  unserved("replace", kBulkVrs | VrSet{Vr::SQ});
  unserved("edit", kNumberVrs | kBulkVrs | VrSet{Vr::DA, Vr::UI, Vr::SQ});
}

// ---- Character sets. -------------------------------------------------------------------------

TEST(ActionsTest, SameTextSameCodeInEveryCharacterSet) {
  const Key key = TestKey();
  for (const std::string_view name : {"crypto-hash", "pseudonym", "hash"}) {
    const MadeAction made = Make(name, "{}", &key);
    const std::string latin1 =
        RunAction(*made.action, Vr::LO, "Müller", TestInstance("ISO_IR 100"));
    EXPECT_EQ(latin1, RunAction(*made.action, Vr::LO, "Müller", TestInstance("ISO_IR 192")));
    EXPECT_EQ(latin1, RunAction(*made.action, Vr::LO, "Müller", TestInstance("GB18030")));
    // Read as Latin-1 where nothing is declared.
    const Change change = Apply(*made.action, Vr::LO, "M\xFCller", TestInstance(""));
    EXPECT_EQ(latin1, Show(Vr::LO, change, TestInstance("")));
  }
}

TEST(ActionsTest, JapaneseNames) {
  const Key key = TestKey();
  const Instance instance = TestInstance("\\ISO 2022 IR 87");
  const std::string_view name = "Yamada^Tarou=山田^太郎=やまだ^たろう";
  for (const std::string_view action : {"crypto-hash", "pseudonym", "hash"}) {
    const std::string out = RunAction(*Make(action, "{}", &key).action, Vr::PN, name, instance);
    EXPECT_EQ(out.find('='), std::string::npos);
    EXPECT_TRUE(LegalValue(Vr::PN, out));
  }
  EXPECT_EQ(RunAction(*Make("edit", "{find: '太郎', replace: '花子'}", &key).action, Vr::PN, name,
                      instance),
            "Yamada^Tarou=山田^花子=やまだ^たろう");
  EXPECT_EQ(
      RunAction(*Make("replace", "{value: 'Anon=匿名'}", &key).action, Vr::PN, name, instance),
      "Anon=匿名");
  const MadeAction encrypt = Make("encrypt", "{}", &key);
  EXPECT_EQ(DecryptText(key, RunAction(*encrypt.action, Vr::UT, name, instance)), name);
}

TEST(ActionsTest, WhatTheCharacterSetLacks) {
  const Key key = TestKey();
  EXPECT_EQ(
      RunAction(*Make("replace", "{value: 匿名}", &key).action, Vr::LO, "x", TestInstance("")),
      "(failed: not-in-character-set)");
  EXPECT_EQ(RunAction(*Make("replace", "{value: Müller}", &key).action, Vr::LO, "x",
                      TestInstance("ISO_IR 100")),
            "Müller");
  // Bytes that are not legal in the input are no failure.
  const Change change = Apply(*Make("edit", "{find: '[0-9]'}", &key).action, Vr::LO, "M\xFCller 12",
                              TestInstance(""));
  EXPECT_EQ(Show(Vr::LO, change, TestInstance("")), "M?ller");
}

TEST(ActionsTest, RoomCountsCharacters) {
  const Key key = TestKey();
  const MadeAction made = Make("edit", "{find: x, replace: ü}", &key);
  const std::string sixteen(16, 'x');
  EXPECT_EQ(RunAction(*made.action, Vr::SH, sixteen, TestInstance("ISO_IR 192")).size(), 32U);
}

// ---- Keys. -----------------------------------------------------------------------------------

TEST(ActionsTest, KeysDecide) {
  const Key key = TestKey();
  const Key other(std::string(32, 'k'));
  const std::vector<Case> cases{
      {"crypto-hash", "{}", Vr::LO, "4711", ""},    {"pseudonym", "{}", Vr::LO, "4711", ""},
      {"date-shift", "{}", Vr::DA, "20190512", ""}, {"refresh-uid", "{}", Vr::UI, "1.2.3", ""},
      {"encrypt", "{}", Vr::LO, "4711", ""},        {"perturb", "{}", Vr::DS, "1000", ""},
  };
  for (const Case& c : cases) {
    const std::string first =
        RunAction(*Make(c.action, c.with, &key).action, c.vr, c.before, TestInstance());
    EXPECT_EQ(first,
              RunAction(*Make(c.action, c.with, &key).action, c.vr, c.before, TestInstance()));
    EXPECT_NE(first,
              RunAction(*Make(c.action, c.with, &other).action, c.vr, c.before, TestInstance()));
    EXPECT_NE(first, RunAction(*Make(c.action, c.with, &key, true).action, c.vr, c.before,
                               TestInstance()));
  }
}

TEST(ActionsTest, RawKeyIsUsedAsItIs) {
  const Key key("123");
  EXPECT_EQ(RunAction(*Make("cryptoHash", "{}", &key, true).action, Vr::UT, "abc", TestInstance()),
            "8f16771f9f8851b26f4d460fa17de93e2711c7e51337cb8a608a0f81e1c1b6ae");
}

// ---- Properties. -----------------------------------------------------------------------------

int DaysSinceEpoch(const std::string& date) {
  using namespace std::chrono;  // NOLINT(google-build-using-namespace): calendar arithmetic
  const int number = std::stoi(date);
  return static_cast<int>(sys_days(year(number / 10000) / (number / 100 % 100) / (number % 100))
                              .time_since_epoch()
                              .count());
}

TEST(DateShiftTest, KeepsIntervalsWithinThePatient) {
  const Key key = TestKey();
  const MadeAction made = Make("date-shift", "{}", &key);
  const std::vector<std::string> dates{"19991231", "20000101", "20000228", "20000229",
                                       "20000301", "20190512", "20240229", "21000228"};
  bool past = false;
  bool future = false;
  std::set<int> offsets;
  for (int patient = 0; patient < 500; ++patient) {
    Instance instance = TestInstance();
    instance.patient_id = "P" + std::to_string(patient);
    std::set<int> shared;
    for (const std::string& date : dates) {
      instance.study_instance_uid = "1.2." + date;
      instance.sop_instance_uid = "1.2.3." + date;
      shared.insert(DaysSinceEpoch(RunAction(*made.action, Vr::DA, date, instance)) -
                    DaysSinceEpoch(date));
    }
    ASSERT_EQ(shared.size(), 1U);
    const int offset = *shared.begin();
    EXPECT_NE(offset, 0);
    EXPECT_LE(std::abs(offset), 365);
    past = past || offset < 0;
    future = future || offset > 0;
    offsets.insert(offset);
  }
  EXPECT_TRUE(past);
  EXPECT_TRUE(future);
  // 500 draws from 730 offsets hit about 362 different ones.
  EXPECT_GT(offsets.size(), 320U);
}

TEST(DateShiftTest, EveryOffsetOccursAndNoOther) {
  const Key key = TestKey();
  const auto offsets = [&key](std::string_view with) {
    const MadeAction made = Make("date-shift", with, &key);
    std::set<int> out;
    for (int i = 0; i < 300; ++i) {
      Instance instance = TestInstance();
      instance.patient_id = std::to_string(i);
      out.insert(DaysSinceEpoch(RunAction(*made.action, Vr::DA, "20000115", instance)) -
                 DaysSinceEpoch("20000115"));
    }
    return out;
  };
  EXPECT_EQ(offsets("{days: 2}"), (std::set<int>{-2, -1, 1, 2}));
  EXPECT_EQ(offsets("{days: 2, allow-zero: true}"), (std::set<int>{-2, -1, 0, 1, 2}));
  EXPECT_EQ(offsets("{days: 2, direction: past}"), (std::set<int>{-2, -1}));
  EXPECT_EQ(offsets("{days: 2, direction: past, allow-zero: true}"), (std::set<int>{-2, -1, 0}));
  EXPECT_EQ(offsets("{days: 2, direction: future}"), (std::set<int>{1, 2}));
  EXPECT_EQ(offsets("{days: 2, direction: future, allow-zero: true}"), (std::set<int>{0, 1, 2}));
}

TEST(DateShiftTest, Scopes) {
  const Key key = TestKey();
  const auto run = [&key](std::string_view scope, const Instance& instance) {
    return RunAction(*Make("date-shift", "{scope: " + std::string(scope) + "}", &key).action,
                     Vr::DA, "20190512", instance);
  };
  Instance other = TestInstance();
  other.patient_id = "4712";
  EXPECT_NE(run("patient", TestInstance()), run("patient", other));
  EXPECT_EQ(run("study", TestInstance()), run("study", other));
  other = TestInstance();
  other.issuer_of_patient_id = "HOSPITAL";
  EXPECT_NE(run("patient", TestInstance()), run("patient", other));
  other = TestInstance();
  other.series_instance_uid = "1.2.3.9";
  EXPECT_EQ(run("study", TestInstance()), run("study", other));
  EXPECT_NE(run("series", TestInstance()), run("series", other));
  EXPECT_EQ(run("instance", TestInstance()), run("instance", other));
  // Without a Patient ID the study takes its place.
  Instance nobody = TestInstance();
  nobody.patient_id.clear();
  EXPECT_EQ(run("patient", nobody), run("study", nobody));
}

TEST(PseudonymTest, NoCollisions) {
  const Key key = TestKey();
  const MadeAction made = Make("pseudonym", "{}", &key);
  const Instance instance = TestInstance();
  std::set<std::string> seen;
  for (int i = 0; i < 100000; ++i) {
    const Change change = Apply(*made.action, Vr::LO, std::to_string(i), instance);
    EXPECT_EQ(change.bytes.size(), 10U);
    EXPECT_TRUE(seen.insert(change.bytes).second);
  }
}

class TableFile {
 public:
  explicit TableFile(std::string_view text)
      : path_(::testing::TempDir() + "dcmveil_table_" +
              std::to_string(reinterpret_cast<std::uintptr_t>(this)) + ".csv") {
    std::ofstream(path_, std::ios::binary) << text;
  }
  TableFile(const TableFile&) = delete;
  TableFile& operator=(const TableFile&) = delete;
  ~TableFile() { std::remove(path_.c_str()); }
  [[nodiscard]] std::string With(std::string_view more = "") const {
    return "{table: '" + path_ + "'" + std::string(more) + "}";
  }

 private:
  std::string path_;
};

TEST(PseudonymTest, Table) {
  const TableFile file(
      "\xEF\xBB\xBFOriginal,Pseudonym\r\n4711,CARD-0001\r\n\"4712 \",\"a \"\"b\"\", c\"\n"
      "Müller,MUE\n\n\"two\nlines\",X");
  const auto run = [&file](std::string_view more, std::string_view value) {
    return RunAction(*Make("pseudonym", file.With(more), nullptr).action, Vr::LO, value,
                     TestInstance("ISO_IR 100"));
  };
  EXPECT_EQ(run("", "4711"), "CARD-0001");
  EXPECT_EQ(run("", "4712"), "a \"b\", c");
  EXPECT_EQ(run("", "Müller"), "MUE");
  EXPECT_EQ(run("", "4711\\\\Müller"), "CARD-0001\\\\MUE");
  EXPECT_EQ(run("", "4713"), "(failed: not-in-table)");
  EXPECT_EQ(run(", missing: empty", "4711\\4713"), "CARD-0001\\");
  EXPECT_EQ(run(", missing: remove", "4711\\4713"), "(removed)");
  // A header is no patient.
  EXPECT_EQ(run("", "Original"), "(failed: not-in-table)");
  EXPECT_EQ(Make("pseudonym", file.With(", missing: derive"), nullptr).problems.size(), 1U);
  const Key key = TestKey();
  const MadeAction derive = Make("pseudonym", file.With(", missing: derive"), &key);
  EXPECT_EQ(RunAction(*derive.action, Vr::LO, "4799", TestInstance()),
            RunAction(*Make("pseudonym", "{}", &key).action, Vr::LO, "4799", TestInstance()));
}

TEST(PseudonymTest, TableProblems) {
  const auto problem = [](std::string_view text) {
    const TableFile file(text);
    const MadeAction made = Make("pseudonym", file.With(), nullptr);
    return made.problems.empty() ? std::string() : made.problems.front().message;
  };
  EXPECT_EQ(problem("a,b\nc,d"), "");
  EXPECT_EQ(problem("a,b\na,b"), "");
  EXPECT_EQ(problem("a,b\na,c"), "line 2 gives a second pseudonym to the same original");
  EXPECT_EQ(problem("a,b\n\nc"), "line 3 must have two columns: original,pseudonym");
  EXPECT_EQ(problem("a,"), "line 1 has an empty column");
  EXPECT_EQ(problem("a,\"b"), "a quoted field has no end");
  EXPECT_EQ(problem("a,M\xFC"), "line 1 is not UTF-8 text");
  EXPECT_EQ(problem("a,b\\c"), "line 1 has a backslash in the pseudonym");
  EXPECT_EQ(problem(""), "the table is empty");
  EXPECT_EQ(Make("pseudonym", "{table: /nowhere/at/all.csv}", nullptr).problems.front().message,
            "the file cannot be read");
  EXPECT_EQ(Make("pseudonym", "{table: /tmp}", nullptr).problems.front().message,
            "the file cannot be read");
}

TEST(PseudonymTest, NeedsKeyOnlyWithoutTable) {
  EXPECT_EQ(Make("pseudonym", "{}", nullptr).problems.size(), 1U);
}

TEST(RefreshUidTest, LegalAndDifferent) {
  const Key key = TestKey();
  const MadeAction made = Make("refresh-uid", "{}", &key);
  std::set<std::string> seen;
  for (int i = 0; i < 20000; ++i) {
    const Change change = Apply(*made.action, Vr::UI, "1.2.3." + std::to_string(i), TestInstance());
    ASSERT_LE(change.bytes.size(), 64U);
    ASSERT_TRUE(LegalValue(Vr::UI, change.bytes));
    ASSERT_TRUE(change.bytes.starts_with("2.25."));
    ASSERT_TRUE(seen.insert(change.bytes).second);
  }
}

TEST(RefreshUidTest, PaddingDoesNotCount) {
  const Key key = TestKey();
  const MadeAction made = Make("refresh-uid", "{}", &key);
  const Instance instance = TestInstance();
  const std::string plain = Apply(*made.action, Vr::UI, "1.2.3", instance).bytes;
  EXPECT_EQ(Apply(*made.action, Vr::UI, std::string("1.2.3\0", 6), instance).bytes, plain);
  EXPECT_EQ(Apply(*made.action, Vr::UI, "1.2.3 ", instance).bytes, plain);
  EXPECT_EQ(Apply(*made.action, Vr::UI, " 1.2.3\\1.2.3", instance).bytes, plain + "\\" + plain);
}

TEST(RefreshUidTest, ClassesNewerThanOurTables) {
  const std::string_view uid = "1.2.840.10008.5.1.4.1.1.9999.1";
  EXPECT_EQ(RunWith("refresh-uid", "{}", Vr::UI, uid, TestInstance(), {0x0008, 0x0016}), uid);
  EXPECT_EQ(RunWith("refresh-uid", "{}", Vr::UI, uid, TestInstance(), {0x0008, 0x1150}), uid);
  EXPECT_NE(RunWith("refresh-uid", "{}", Vr::UI, uid, TestInstance(), {0x0008, 0x0018}), uid);
}

// PS3.15 E.1.1 replaces what tells instances apart; vendors' and institutions' own SOP classes and
// coding schemes do not.
TEST(RefreshUidTest, LocalClasses) {
  const std::string_view vendor = "1.3.46.670589.11.0.0.12.1";
  const auto run = [](std::string_view uid, Tag tag) {
    return RunWith("refresh-uid", "{}", Vr::UI, uid, TestInstance(), tag);
  };
  EXPECT_EQ(run(vendor, {0x0008, 0x0016}), vendor);
  EXPECT_EQ(run("1.2.276.0.7230010.3.0.0.1", {0x0008, 0x010C}), "1.2.276.0.7230010.3.0.0.1");
  EXPECT_NE(run(vendor, {0x0008, 0x0018}), vendor);
  EXPECT_NE(run(vendor, {0x0008, 0x010D}), vendor);
  // A date, a serial number, no UID at all.
  for (const std::string_view uid : {"1.3.46.20190304.1", "1.3.46.123456789", "DOE^JANE", "1..2"}) {
    EXPECT_NE(run(uid, {0x0008, 0x0016}), uid);
  }
}

TEST(EncryptTest, RoundTrip) {
  const Key key = TestKey();
  const Key other("other");
  for (const bool raw : {false, true}) {
    const MadeAction made = Make("encrypt", "{}", &key, raw);
    for (const std::string_view text :
         {"x", "Müller", "ͶΆΈΞξτϡϿῧῄᾴѶѾ", "a long text, with words"}) {
      const std::string token = RunAction(*made.action, Vr::UT, text, TestInstance("ISO_IR 192"));
      EXPECT_EQ(DecryptText(key, token), text);
      EXPECT_EQ(DecryptText(key, token + " "), text);
      EXPECT_EQ(DecryptText(other, token), std::nullopt);
      std::string damaged = token;
      damaged[10] = damaged[10] == 'A' ? 'B' : 'A';
      EXPECT_EQ(DecryptText(key, damaged), std::nullopt);
    }
    const Change change = Apply(*made.action, Vr::OB, std::string("\0\1\2", 3), TestInstance());
    EXPECT_EQ(DecryptBytes(key, change.bytes), std::string("\0\1\2", 3));
    EXPECT_EQ(DecryptBytes(key, change.bytes + '\0'), std::string("\0\1\2", 3));
    EXPECT_EQ(DecryptBytes(other, change.bytes), std::nullopt);
  }
  for (const std::string_view text : {"", "dv1.", "dv1.AAAA", "dv1.!", "DV1", "x"}) {
    EXPECT_EQ(DecryptText(key, text), std::nullopt);
    EXPECT_EQ(DecryptBytes(key, text), std::nullopt);
  }
}

TEST(EncryptTest, SeventeenBytesFitLo) {
  EXPECT_EQ(RunWith("encrypt", "{}", Vr::LO, std::string(17, 'x')).size(), 64U);
  EXPECT_EQ(RunWith("encrypt", "{}", Vr::LO, std::string(18, 'x')), "(empty)");
}

TEST(EncryptTest, EqualValuesDifferBetweenInstances) {
  Instance other = TestInstance();
  other.sop_instance_uid = "1.2.3.4.6";
  EXPECT_NE(RunWith("encrypt", "{}", Vr::LO, "4711"),
            RunWith("encrypt", "{}", Vr::LO, "4711", other));
}

TEST(PerturbTest, StaysInItsInterval) {
  const Key key = TestKey();
  struct RangeCase {
    std::string_view with;
    Vr vr;
    std::string_view value;
    double low;
    double high;
  };
  const std::vector<RangeCase> cases{
      {"{span: 1000, proportional: false}", Vr::DS, "1234.5", 734.5, 1734.5},
      {"{round: 0}", Vr::FL, "12345", 6172, 18518},
      {"{span: 10000, proportional: false}", Vr::SS, "12345", 7345, 17345},
      {"{}", Vr::US, "10", 5, 15},
      {"{}", Vr::IS, "5", 3, 7},
      {"{span: 0.74}", Vr::IS, "10", 7, 13},
      {"{span: 4, proportional: false}", Vr::UL, "0", 0, 2},
      {"{span: 1000000, proportional: false}", Vr::US, "65000", 0, 65535},
      {"{span: 1000000, proportional: false}", Vr::SS, "0", -32768, 32767},
      {"{span: 1e15}", Vr::IS, "2147483647", -2147483648.0, 2147483647.0},
  };
  for (const RangeCase& c : cases) {
    const MadeAction made = Make("perturb", c.with, &key);
    std::set<std::string> seen;
    double low = 1e300;
    double high = -1e300;
    for (int i = 0; i < 500; ++i) {
      Instance instance = TestInstance();
      instance.sop_instance_uid = "1.2." + std::to_string(i);
      const std::string out = RunAction(*made.action, c.vr, c.value, instance);
      seen.insert(out);
      low = std::min(low, std::stod(out));
      high = std::max(high, std::stod(out));
    }
    EXPECT_GE(low, c.low) << c.with;
    EXPECT_LE(high, c.high) << c.with;
    EXPECT_GT(seen.size(), 1U) << c.with;
    // The noise fills the interval.
    EXPECT_LT(low, c.low + (c.high - c.low) * 0.3) << c.with;
    EXPECT_GT(high, c.high - (c.high - c.low) * 0.3) << c.with;
  }
}

TEST(PerturbTest, EqualValuesOfOneElementDiffer) {
  const std::vector<std::string> values =
      SplitValues(RunWith("perturb", "{round: 10}", Vr::DS, "100\\100"));
  ASSERT_EQ(values.size(), 2U);
  EXPECT_NE(values[0], values[1]);
}

TEST(EditTest, BadPatternsAreProblems) {
  const auto param = [](std::string_view with) {
    const MadeAction made = Make("edit", with, nullptr);
    EXPECT_EQ(made.action, nullptr);
    return made.problems.empty() ? std::string() : made.problems.front().param;
  };
  EXPECT_EQ(param("{find: '('}"), "find");
  EXPECT_EQ(param("{find: '(?=x)'}"), "find");
  EXPECT_EQ(param("{find: '((((((a{100}){100}){100}){100}){100}){100})'}"), "find");
  EXPECT_EQ(param("{find: 'x', replace: '\\1'}"), "replace");
}

// ---- Helpers. --------------------------------------------------------------------------------

TEST(ValueTest, IsLegalTextAgreesWithTheSecondOpinion) {
  for (int i = 0; i < kVrCount; ++i) {
    const Vr vr = VrAt(i);
    if (!kTextVrs.contains(vr) || vr == Vr::TM) continue;
    for (const std::string& field : CleanValues(vr)) {
      const auto values = IsSingle(vr) ? std::vector<std::string>{field} : SplitValues(field);
      for (const std::string& value : values) {
        EXPECT_TRUE(IsLegalText(vr, value)) << ToString(vr) << " " << value;
        EXPECT_TRUE(LegalValue(vr, value)) << ToString(vr) << " " << value;
      }
    }
    for (const std::string value : {"x^^^^^", "a=b=c=d", "2019-05-12", "20191301", "045y", "1.02.3",
                                    "1..2", "lower", "1e", "99999999999", "a b", "\x01"}) {
      EXPECT_EQ(IsLegalText(vr, value),
                LegalValue(vr, value) && !(vr == Vr::IS && value.size() > 9))
          << ToString(vr) << " " << value;
    }
  }
  EXPECT_TRUE(IsLegalText(Vr::TM, "235960.123456"));
  EXPECT_FALSE(IsLegalText(Vr::TM, "2360"));
  EXPECT_FALSE(IsLegalText(Vr::TM, "10.5"));
  EXPECT_TRUE(IsLegalText(Vr::DT, "2019-0500"));
  EXPECT_FALSE(IsLegalText(Vr::DT, "20190512-20190513"));
}

TEST(ValueTest, PrintDecimal) {
  EXPECT_EQ(PrintDecimal(0, 2), "0");
  EXPECT_EQ(PrintDecimal(-0.001, 2), "0");
  EXPECT_EQ(PrintDecimal(1.5, 2), "1.5");
  EXPECT_EQ(PrintDecimal(1234567890.123456, 15), "1234567890.12346");
  EXPECT_EQ(PrintDecimal(-1e300, 2), "-1.00000000e+300");
  EXPECT_EQ(PrintDecimal(1e15, 2), "1000000000000000");
  for (const double number : {1e-300, -1.23456789e-200, 1e16, -9.9999999e15, 1.7e308, -1e-5}) {
    for (int decimals = 0; decimals <= 15; ++decimals) {
      const std::string text = PrintDecimal(number, decimals);
      EXPECT_LE(text.size(), 16U) << text;
      EXPECT_TRUE(ParseDecimal(text).has_value()) << text;
    }
  }
}

TEST(ValueTest, ParseNumbers) {
  EXPECT_EQ(ParseDecimal("+1.5E2"), 150);
  EXPECT_EQ(ParseDecimal(".5"), 0.5);
  for (const std::string_view text : {"", "+", "+-1", "--1", "inf", "nan", "0x10", "1,5", "1 2"}) {
    EXPECT_EQ(ParseDecimal(text), std::nullopt) << text;
    EXPECT_EQ(ParseInteger(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParseInteger("+12"), 12);
  EXPECT_EQ(ParseInteger("-012"), -12);
}

TEST(ValueTest, DatesMoveThroughEveryDay) {
  const auto start = ParseDates(Vr::DA, "18991231");
  ASSERT_TRUE(start.has_value());
  Date day = start->first->date;
  for (int i = 1; i <= 80000; ++i) {
    const std::optional<Date> next = day.Plus(1);
    ASSERT_TRUE(next.has_value());
    ASSERT_GT(next->Print(), day.Print());
    const auto back = ParseDates(Vr::DA, next->Print());
    ASSERT_TRUE(back.has_value());
    day = *next;
  }
  EXPECT_EQ(day.Print(), start->first->date.Plus(80000)->Print());
}

}  // namespace
}  // namespace dcmveil::engine
