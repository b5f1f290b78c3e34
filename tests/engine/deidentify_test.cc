// SPDX-License-Identifier: Apache-2.0
#include "engine/deidentify.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <ostream>

#include "tests/support/rules.h"

namespace dcmveil::engine {
namespace {

using testing::DataSet;
using testing::Decoded;
using testing::Elem;
using testing::EncodeItems;
using testing::EverythingInOne;
using testing::File;
using testing::FileParts;
using testing::Form;
using testing::Fragments;
using testing::kBig;
using testing::kExplicit;
using testing::kImplicit;
using testing::kSyntaxes;
using testing::Le16;
using testing::Le32;
using testing::NativePixels;
using testing::Raw;
using testing::Rules;
using testing::Send;
using testing::Sent;
using testing::Seq;
using testing::SmallCt;
using testing::Syntax;
using testing::Text;
using testing::With;
using testing::Without;

constexpr Tag kRequests{0x0040, 0x0275};
constexpr Tag kStudies{0x0008, 0x1110};
const std::string kNoMark = "settings: {mark: false}\n";

struct Told {
  std::string path;
  std::string keyword;
  std::string vr;
  std::string action;
  std::string origin;
  std::string before;
  std::string after;
  bool removed;
};

class Recorder final : public Observer {
 public:
  void OnElement(const Event& event) override {
    told.push_back({ToString(event.path), std::string(event.keyword),
                    std::string(ToString(event.vr)), std::string(event.action),
                    std::string(event.origin), event.before, event.after, event.removed});
  }
  /// "path action origin", sorted: what was decided.
  [[nodiscard]] std::vector<std::string> Decisions() const {
    std::vector<std::string> lines;
    for (const Told& one : told) {
      lines.push_back(one.path + " " + one.action + " " + one.origin +
                      (one.removed ? " removed" : ""));
    }
    std::sort(lines.begin(), lines.end());
    return lines;
  }
  [[nodiscard]] const Told* Find(const std::string& path) const {
    for (const Told& one : told) {
      if (one.path == path) return &one;
    }
    return nullptr;
  }
  std::vector<Told> told;
};

Recorder Watch(const RuleSet& rules, const std::string& file) {
  Recorder recorder;
  auto parsed = ReadInstance(ByteSource::FromMemory(std::string(file)));
  if (!parsed) throw std::runtime_error(parsed.error().Message());
  const auto rewrite = Deidentify(*parsed, *rules.plan(), &recorder);
  if (!rewrite) throw std::runtime_error(rewrite.error().Message());
  return recorder;
}

// ---- The same data set in every encoding ------------------------------------------------------

constexpr const char* kManyRules =
    "settings: {date-shift: {days: 365}}\n"
    "rules:\n"
    "- {tag: PatientName, action: replace, with: {value: ANON}}\n"
    "- {tag: PatientID, action: crypto-hash}\n"
    "- {path: /StudyDate, action: keep}\n"
    "- {tag: OperatorsName, action: remove}\n"
    "- {tag: SmallestImagePixelValue, when: {Rows: 4}, action: replace, with: {value: \"3\"}}\n"
    "- {tag: PatientWeight, when: {RequestAttributesSequence/ReferringPhysicianName: "
    "\"REFERRER^JO\"}, action: remove}\n"
    "- {private: [{creator: ACME, tag: \"(0029,xx10)\"}, {creator: ACME, tag: \"(0029,xx30)\"}], "
    "action: keep}\n"
    "- {group: odd, action: remove}\n"
    "- {vr: DA, action: date-shift}\n"
    "- {vr: UI, action: refresh-uid}\n"
    "- {vr: PN, action: redact}\n"
    "- {vr: [LT, AT], action: remove}\n"
    "- {vr: FD, action: redact}\n"
    "- {tag: \"60xx,3000\", action: remove}\n";

struct Way {
  Syntax syntax;
  bool undefined_length;
  bool group_lengths;
  [[nodiscard]] FileParts parts() const {
    FileParts parts;
    parts.undefined_length = undefined_length;
    parts.group_lengths = group_lengths;
    return parts;
  }
};

void PrintTo(const Way& way, std::ostream* out) {
  *out << way.syntax.name << (way.undefined_length ? "Undefined" : "Defined")
       << (way.group_lengths ? "GroupLengths" : "");
}

std::vector<Way> AllWays() {
  std::vector<Way> ways;
  for (const Syntax& syntax : kSyntaxes) {
    for (const bool undefined : {false, true}) {
      for (const bool lengths : {false, true}) ways.push_back({syntax, undefined, lengths});
    }
  }
  return ways;
}

class EncodingTest : public ::testing::TestWithParam<Way> {};
INSTANTIATE_TEST_SUITE_P(Deidentify, EncodingTest, ::testing::ValuesIn(AllWays()),
                         ::testing::PrintToStringParamName());

TEST_P(EncodingTest, SameDecisions) {
  const RuleSet rules = Rules(kManyRules);
  const Recorder reference = Watch(rules, File(EverythingInOne()));
  const Recorder here =
      Watch(rules, File(EverythingInOne(), GetParam().syntax, GetParam().parts()));
  EXPECT_EQ(here.Decisions(), reference.Decisions());
}

TEST_P(EncodingTest, SameElements) {
  const RuleSet rules = Rules(kManyRules);
  const Sent reference = Send(rules, File(EverythingInOne()));
  const Sent here = Send(rules, File(EverythingInOne(), GetParam().syntax, GetParam().parts()));
  ASSERT_TRUE(reference.ok);
  ASSERT_TRUE(here.ok) << here.error.Message();
  EXPECT_EQ(here.out.transfer_syntax, GetParam().syntax.uid);
  EXPECT_EQ(here.out.Values(), reference.out.Values());
  EXPECT_EQ(here.notes.size(), 0U);
  // And they are the right ones.
  EXPECT_EQ(here.out.Value("(0010,0010)"), "ANON");
  EXPECT_EQ(here.out.Value("(0008,0020)"), "20200131");
  EXPECT_EQ(here.out.Value("(0010,1030)"), "(absent)");
  EXPECT_EQ(here.out.elements.at("(0028,0106)").value, Le16({3}));
  EXPECT_EQ(here.out.Value("(0040,0275)"), "2 item(s)");
  EXPECT_EQ(here.out.Value("(0040,0275)[0].(0008,0090)"), "");
  EXPECT_NE(here.out.Value("(0040,0275)[0].(0008,0020)"), "20200130");
  EXPECT_EQ(here.out.Value("(0040,0275)[0].(0029,1010)"), "inner private");
  EXPECT_EQ(here.out.Value("(0040,0275)[0].(0029,1011)"), "(absent)");
  const std::string uid = here.out.Value("(0008,1110)[0].(0008,1155)");
  EXPECT_NE(uid, "1.2.3.77");
  EXPECT_EQ(here.out.Value("(0040,0275)[0].(0040,0008)[0].(0008,1110)[0].(0008,1155)"), uid);
  EXPECT_EQ(here.out.Value("(0008,1110)[0].(0008,1150)"), "1.2.840.10008.5.1.4.1.1.2");
  EXPECT_EQ(here.out.Value("(0029,0010)"), "ACME");
  EXPECT_EQ(here.out.Value("(0029,0011)"), "(absent)");
  EXPECT_EQ(here.out.Value("(0029,1010)"), "acme's");
  EXPECT_EQ(here.out.Value("(0029,1030)[0].(0010,0010)"), "ANON");
  EXPECT_EQ(here.out.Value("(0029,1030)[0].(0010,0020)"), here.out.Value("(0010,0020)"));
  EXPECT_FALSE(here.out.Has("(6000,3000)"));
  EXPECT_EQ(here.out.elements.at("(7FE0,0010)").value, NativePixels().value);
}

TEST_P(EncodingTest, KeepAllKeepsAll) {
  const Sent sent =
      Send(Rules(kNoMark), File(EverythingInOne(), GetParam().syntax, GetParam().parts()));
  ASSERT_TRUE(sent.ok) << sent.error.Message();
  const Sent reference = Send(Rules(kNoMark), File(EverythingInOne()));
  EXPECT_EQ(sent.out.Values(), reference.out.Values());
  EXPECT_EQ(sent.out.elements.size(), 47U);
}

// ---- Known tags that are encoded as something else ---------------------------------------------

struct OddCase {
  const char* name;
  const char* rules;
  DataSet more;
  std::map<std::string, std::string> expected;  ///< path to value
  std::string failure = {};                     ///< code at place
};

void PrintTo(const OddCase& test, std::ostream* out) { *out << test.name; }

std::vector<OddCase> OddCases() {
  const Form implicit{.explicit_vr = false};
  const Form implicit_undefined{.explicit_vr = false, .undefined_length = true};
  const std::vector<DataSet> names = {
      {Text({0x0010, 0x0010}, "PN", "DOE^JANE"), Text({0x0040, 0x0009}, "SH", "S1")}};
  const std::string in_implicit = EncodeItems(names, implicit);
  const std::string in_undefined = EncodeItems(names, implicit_undefined);
  const std::string in_explicit = EncodeItems(names, {});
  constexpr const char* kRedactPn = "rules:\n- {vr: PN, action: redact}\n";
  constexpr const char* kRedactPnKeepOdd =
      "rules:\n- {vr: PN, action: redact}\n- {group: odd, action: keep}\n";
  const Elem acme = Raw({0x0029, 0x0010}, "LO", "ACME");
  const std::map<std::string, std::string> emptied = {{"(0040,0275)[0].(0010,0010)", ""},
                                                      {"(0040,0275)[0].(0040,0009)", "S1"}};
  const std::map<std::string, std::string> private_emptied = {{"(0029,1030)[0].(0010,0010)", ""},
                                                              {"(0029,1030)[0].(0040,0009)", "S1"}};
  std::string deep = EncodeItems({{Text({0x0010, 0x0010}, "PN", "DOE^JANE")}}, implicit);
  return {
      {"name as UN", kRedactPn, {Raw({0x0010, 0x0010}, "UN", "DOE^JANE")}, {{"(0010,0010)", ""}}},
      {"name as LO", kRedactPn, {Raw({0x0010, 0x0010}, "LO", "DOE^JANE")}, {{"(0010,0010)", ""}}},
      {"name as OB", kRedactPn, {Raw({0x0010, 0x0010}, "OB", "DOE^JANE")}, {{"(0010,0010)", ""}}},
      {"name of no VR",
       kRedactPn,
       {Raw({0x0010, 0x0010}, "ZZ", "DOE^JANE")},
       {{"(0010,0010)", ""}}},
      {"LO as PN is not a name",
       kRedactPn,
       {Raw({0x0010, 0x0020}, "PN", "4711")},
       {{"(0010,0020)", "4711"}}},
      {"unknown element as PN goes, as it would with any VR",
       kRedactPn,
       {Raw({0x0010, 0x0FFE}, "PN", "DOE^JANE")},
       {{"(0010,0FFE)", "(absent)"}}},
      {"date as UN",
       "rules:\n- {vr: DA, action: redact, with: {partial-dates: true}}\n",
       {Raw({0x0008, 0x0020}, "UN", "20200131")},
       {{"(0008,0020)", "20200101"}}},
      {"date as LO",
       "rules:\n- {vr: DA, action: redact, with: {partial-dates: true}}\n",
       {Raw({0x0008, 0x0020}, "LO", "20200131")},
       {{"(0008,0020)", "20200101"}}},
      {"number as UN",
       "rules:\n- {tag: Rows, action: replace, with: {value: \"3\"}}\n",
       {Raw({0x0028, 0x0010}, "UN", Le16({4}))},
       {{"(0028,0010)", std::string("\3", 1)}}},
      {"number as text",
       "rules:\n- {tag: Rows, action: replace, with: {value: \"3\"}}\n",
       {Raw({0x0028, 0x0010}, "IS", "4 ")},
       {{"(0028,0010)", "3"}}},
      {"sequence as UN", kRedactPn, {Raw(kRequests, "UN", in_implicit)}, emptied},
      {"sequence as UN, items undefined", kRedactPn, {Raw(kRequests, "UN", in_undefined)}, emptied},
      {"sequence as UN, in explicit VR", kRedactPn, {Raw(kRequests, "UN", in_explicit)}, emptied},
      {"sequence as OB", kRedactPn, {Raw(kRequests, "OB", in_implicit)}, emptied},
      {"empty sequence as UN", kRedactPn, {Raw(kRequests, "UN", "")}, {{"(0040,0275)", ""}}},
      {"sequence as UN, redacted",
       "rules:\n- {tag: RequestAttributesSequence, action: redact}\n",
       {Raw(kRequests, "UN", in_implicit)},
       {{"(0040,0275)", "0 item(s)"}}},
      {"sequence as UN, removed",
       "rules:\n- {tag: RequestAttributesSequence, action: remove}\n",
       {Raw(kRequests, "UN", in_implicit)},
       {{"(0040,0275)", "(absent)"}}},
      {"sequence as UN that is none",
       kRedactPn,
       {Raw(kRequests, "UN", "DOE^JANE")},
       {},
       "unreadable-sequence (0040,0275)"},
      {"sequence as UN that is cut",
       kRedactPn,
       {Raw(kRequests, "UN", in_implicit.substr(0, in_implicit.size() - 2))},
       {},
       "unreadable-sequence (0040,0275)"},
      {"sequence as LO",
       kRedactPn,
       {Raw(kRequests, "LO", "DOE^JANE")},
       {},
       "unreadable-sequence (0040,0275)"},
      {"sequence that is none, removed",
       "rules:\n- {tag: RequestAttributesSequence, action: remove}\n",
       {Raw(kRequests, "UN", "DOE^JANE")},
       {{"(0040,0275)", "(absent)"}}},
      {"name as sequence",
       kRedactPn,
       {Elem{.kind = Elem::Kind::kSequence, .tag = {0x0010, 0x0010}, .vr = "SQ", .items = names}},
       {{"(0010,0010)", "0 item(s)"}}},
      {"private sequence", kRedactPnKeepOdd, {acme, Seq({0x0029, 0x1030}, names)}, private_emptied},
      {"private sequence as UN",
       kRedactPnKeepOdd,
       {acme, Raw({0x0029, 0x1030}, "UN", in_implicit)},
       private_emptied},
      {"private sequence as UN, in explicit VR",
       kRedactPnKeepOdd,
       {acme, Raw({0x0029, 0x1030}, "UN", in_explicit)},
       private_emptied},
      {"private sequence as OB",
       kRedactPnKeepOdd,
       {acme, Raw({0x0029, 0x1030}, "OB", in_undefined)},
       private_emptied},
      {"private bytes in UN",
       kRedactPnKeepOdd,
       {acme, Raw({0x0029, 0x1030}, "UN", "some bytes")},
       {{"(0029,1030)", "some bytes"}}},
      {"private bytes that only begin like a sequence",
       kRedactPnKeepOdd,
       {acme, Raw({0x0029, 0x1030}, "UN", std::string("\xFE\xFF\0\xE0\xF0\0\0\0DOE^JANE", 16))},
       {},
       "unreadable-sequence (0029,1030)"},
      {"nested UN sequence that is none",
       kRedactPn,
       {Seq(kRequests, {{}, {Raw({0x0040, 0x0008}, "UN", "DOE^JANE")}})},
       {},
       "unreadable-sequence (0040,0275)[1].(0040,0008)"},
  };
}

class OddTest : public ::testing::TestWithParam<OddCase> {};
INSTANTIATE_TEST_SUITE_P(Deidentify, OddTest, ::testing::ValuesIn(OddCases()));

TEST_P(OddTest, Outcome) {
  const OddCase& test = GetParam();
  const DataSet base = Without(SmallCt(), {{0x0010, 0x0010}});
  const Sent sent = Send(test.rules, With(base, test.more));
  if (!test.failure.empty()) {
    ASSERT_FALSE(sent.ok);
    EXPECT_EQ(sent.Failure() + " " + sent.error.where, test.failure);
    return;
  }
  ASSERT_TRUE(sent.ok) << sent.error.Message();
  for (const auto& [path, value] : test.expected) EXPECT_EQ(sent.out.Value(path), value) << path;
  EXPECT_EQ(sent.bytes.find("JANE"), std::string::npos);
}

// In implicit VR a private sequence of defined length looks like any other bytes.
TEST(DeidentifyTest, PrivateSequenceOfDefinedLengthInImplicitVr) {
  const DataSet data_set =
      With(Without(SmallCt(), {{0x0010, 0x0010}}),
           {Raw({0x0029, 0x0010}, "LO", "ACME"),
            Seq({0x0029, 0x1030}, {{Text({0x0010, 0x0010}, "PN", "DOE^JANE")}})});
  for (const Syntax& syntax : kSyntaxes) {
    const Sent sent = Send("rules:\n- {vr: PN, action: redact}\n- {private: ACME, action: keep}\n",
                           data_set, syntax);
    ASSERT_TRUE(sent.ok) << sent.error.Message();
    EXPECT_EQ(sent.bytes.find("JANE"), std::string::npos) << syntax.name;
    EXPECT_EQ(sent.out.Value("(0029,1030)[0].(0010,0010)"), "") << syntax.name;
  }
}

TEST(DeidentifyTest, MendedIsCounted) {
  const Sent sent = Send("rules:\n- {vr: PN, action: redact}\n",
                         With(SmallCt(), {Raw({0x0010, 0x0010}, "UN", "DOE^JANE"),
                                          Raw({0x0008, 0x1070}, "LO", "DOE^JANE")}));
  ASSERT_TRUE(sent.ok);
  EXPECT_EQ(sent.Noted(NoteCode::kVrMended), 2);
  EXPECT_EQ(sent.out.VrOf("(0010,0010)"), "PN");
}

TEST(DeidentifyTest, EveryDepth) {
  for (int depth = 1; depth <= 6; ++depth) {
    for (const Syntax& syntax : kSyntaxes) {
      for (const bool undefined : {false, true}) {
        DataSet inside = {Text({0x0008, 0x0020}, "DA", "20200131"),
                          Text({0x0010, 0x0010}, "PN", "DOE^JANE"),
                          Text({0x0040, 0x0009}, "SH", "STAYS")};
        std::string path;
        for (int i = 0; i < depth; ++i) {
          inside = {Seq(kRequests, {{}, inside})};
          path += "(0040,0275)[1].";
        }
        const Sent sent =
            Send("rules:\n- {vr: PN, action: redact}\n- {tag: StudyDate, action: remove}\n",
                 With(SmallCt(), inside), syntax, {.undefined_length = undefined});
        ASSERT_TRUE(sent.ok) << sent.error.Message();
        EXPECT_EQ(sent.out.Value(path + "(0010,0010)"), "") << syntax.name;
        EXPECT_EQ(sent.out.Value(path + "(0008,0020)"), "(absent)");
        EXPECT_EQ(sent.out.Value(path + "(0040,0009)"), "STAYS");
      }
    }
  }
}

TEST(DeidentifyTest, PathsReachOnlyWhatTheyName) {
  const DataSet inner = {Text({0x0010, 0x0020}, "LO", "4711")};
  const Sent sent = Send(
      "rules:\n"
      "- {path: RequestAttributesSequence/PatientID, action: redact}\n"
      "- {path: /ReferencedStudySequence/PatientID, action: remove}\n",
      With(SmallCt(), {Seq(kRequests, {inner, {Seq(kStudies, {inner})}}), Seq(kStudies, {inner})}));
  ASSERT_TRUE(sent.ok);
  EXPECT_EQ(sent.out.Value("(0010,0020)"), "4711");
  EXPECT_EQ(sent.out.Value("(0040,0275)[0].(0010,0020)"), "");
  EXPECT_EQ(sent.out.Value("(0040,0275)[1].(0008,1110)[0].(0010,0020)"), "4711");
  EXPECT_EQ(sent.out.Value("(0008,1110)[0].(0010,0020)"), "(absent)");
}

// ---- Private blocks -----------------------------------------------------------------------------

TEST(DeidentifyTest, CreatorsGoWithTheirBlock) {
  const DataSet data_set =
      With(SmallCt(), {Raw({0x0029, 0x0010}, "LO", "ACME"), Raw({0x0029, 0x0011}, "LO", "OTHER "),
                       Raw({0x0029, 0x0012}, "LO", "ACME"), Text({0x0029, 0x1010}, "LO", "one"),
                       Text({0x0029, 0x1020}, "LO", "two"), Text({0x0029, 0x1110}, "LO", "three"),
                       Text({0x0029, 0x1220}, "LO", "four"), Text({0x0029, 0x1310}, "LO", "five")});
  struct Case {
    const char* rules;
    const char* kept;
  };
  for (const Case& test : {
           Case{"rules:\n- {group: odd, action: remove}\n", ""},
           Case{"rules:\n- {private: {creator: ACME, tag: \"(0029,xx10)\"}, action: keep}\n"
                "- {group: odd, action: remove}\n",
                "(0029,0010) (0029,1010) "},
           Case{"rules:\n- {private: {creator: OTHER, tag: \"(0029,xx10)\"}, action: keep}\n"
                "- {group: odd, action: remove}\n",
                "(0029,0011) (0029,1110) "},
           Case{"rules:\n- {private: {creator: ACME, tag: \"(0029,xx20)\"}, action: keep}\n"
                "- {group: odd, action: remove}\n",
                "(0029,0010) (0029,0012) (0029,1020) (0029,1220) "},
           Case{"rules:\n- {private: {creator: ACME, tag: \"(0029,xx20)\"}, action: keep}\n"
                "otherwise: remove\n",
                "(0029,0010) (0029,0012) (0029,1020) (0029,1220) "},
           Case{"rules:\n- {private: {creator: ACME, tag: \"(0029,xx10)\"}, action: redact}\n"
                "- {group: odd, action: remove}\n",
                "(0029,0010) (0029,1010) "},
           Case{"rules:\n- {private: {creator: ACME, tag: \"(0029,xx10)\"}, action: remove}\n",
                "(0029,0010) (0029,0011) (0029,0012) (0029,1020) (0029,1110) (0029,1220) "
                "(0029,1310) "},
           Case{"rules:\n- {private: OTHER, action: remove}\n",
                "(0029,0010) (0029,0012) (0029,1010) (0029,1020) (0029,1220) (0029,1310) "},
           Case{"rules:\n- {vr: PN, action: redact}\n", ""},
       }) {
    for (const Syntax& syntax : kSyntaxes) {
      std::string rules = test.rules;
      if (rules.find("otherwise: remove") != std::string::npos) {
        rules.insert(7, "- {tag: [SOPClassUID, SOPInstanceUID], action: keep}\n");
      }
      const Sent sent = Send(rules, data_set, syntax);
      ASSERT_TRUE(sent.ok) << sent.error.Message();
      std::string kept;
      for (const std::string& path : sent.out.order) {
        if (path.substr(0, 5) == "(0029") kept += path + " ";
      }
      EXPECT_EQ(kept, test.kept) << test.rules << syntax.name;
    }
  }
}

TEST(DeidentifyTest, AReservationCountsForItsItemOnly) {
  const Sent sent = Send(
      "rules:\n- {private: ACME, action: keep}\n- {group: odd, action: remove}\n",
      With(SmallCt(),
           {Raw({0x0029, 0x0010}, "LO", "ACME"), Raw({0x0029, 0x1010}, "LO", "keep"),
            Seq(kRequests,
                {{Raw({0x0029, 0x1010}, "LO", "lost")},
                 {Raw({0x0029, 0x0010}, "LO", "OTHER "), Raw({0x0029, 0x1010}, "LO", "lost")},
                 {Raw({0x0029, 0x0020}, "LO", "ACME"), Raw({0x0029, 0x2010}, "LO", "keep")}})}));
  ASSERT_TRUE(sent.ok);
  EXPECT_TRUE(sent.out.Has("(0029,1010)"));
  EXPECT_TRUE(sent.out.Has("(0040,0275)[2].(0029,2010)"));
  EXPECT_EQ(sent.bytes.find("lost"), std::string::npos);
  EXPECT_EQ(sent.bytes.find("OTHER"), std::string::npos);
}

// A creator that reserves nothing is a private element like any other: free text of somebody.
TEST(DeidentifyTest, ACreatorWithoutABlock) {
  const DataSet data_set = With(SmallCt(), {Raw({0x0029, 0x0010}, "LO", "DOE^JANE")});
  EXPECT_TRUE(Send(kNoMark, data_set).out.Has("(0029,0010)"));
  EXPECT_FALSE(Send("rules:\n- {group: odd, action: remove}\n", data_set).out.Has("(0029,0010)"));
  const Sent by_vr = Send("rules:\n- {vr: [PN, LO], action: redact}\n", data_set);
  ASSERT_TRUE(by_vr.ok);
  EXPECT_FALSE(by_vr.out.Has("(0029,0010)"));
}

TEST(DeidentifyTest, PrivateReachedByVrRulesOnly) {
  const Sent sent = Send(
      "rules:\n- {vr: PN, action: redact}\n- {private: ACME, action: keep}\n",
      With(SmallCt(), {Raw({0x0029, 0x0010}, "LO", "ACME"), Raw({0x0029, 0x1010}, "LO", "keep"),
                       Raw({0x0031, 0x0010}, "LO", "OTHER "), Raw({0x0031, 0x1010}, "PN", "lost"),
                       Raw({0x0031, 0x1011}, "US", Le16({1}))}));
  ASSERT_TRUE(sent.ok);
  EXPECT_EQ(sent.Noted(NoteCode::kPrivateUndecided), 2);
  EXPECT_TRUE(sent.out.Has("(0029,1010)"));
  EXPECT_FALSE(sent.out.Has("(0031,1010)"));
  EXPECT_FALSE(sent.out.Has("(0031,1011)"));
  EXPECT_FALSE(sent.out.Has("(0031,0010)"));
}

// A tag that PS3.6 does not list has a VR in one encoding and none in the other.
TEST(DeidentifyTest, UnlistedReachedByVrRulesOnly) {
  constexpr Tag kUnlisted{0x0010, 0x9999};
  const std::string rules = "rules:\n- {vr: PN, action: redact}\n";
  for (const Syntax& syntax : kSyntaxes) {
    for (const char* vr : {"PN", "LO", "UN"}) {
      const Sent sent = Send(rules, With(SmallCt(), {Raw(kUnlisted, vr, "Doe^Jane")}), syntax);
      ASSERT_TRUE(sent.ok) << sent.error.Message();
      EXPECT_FALSE(sent.out.Has("(0010,9999)")) << vr;
      EXPECT_EQ(sent.Noted(NoteCode::kPrivateUndecided), 1) << vr;
    }
  }
  const DataSet file = With(SmallCt(), {Raw(kUnlisted, "LO", "kept")});
  EXPECT_TRUE(
      Send("rules:\n- {tag: \"(0010,9999)\", action: keep}\n- {vr: PN, action: redact}\n", file)
          .out.Has("(0010,9999)"));
  EXPECT_TRUE(Send("rules:\n- {vr: PN, action: keep}\n", file).out.Has("(0010,9999)"));
}

// ---- Text
// -----------------------------------------------------------------------------------------

TEST(DeidentifyTest, ItemsHaveCharacterSetsOfTheirOwn) {
  const DataSet utf8 = {Text({0x0008, 0x0005}, "CS", "ISO_IR 192"),
                        Text({0x0008, 0x1030}, "LO", "M\xC3\xBCller")};
  const Sent sent =
      Send("rules:\n- {tag: StudyDescription, action: edit, with: {find: \"ü\", replace: \"ö\"}}\n",
           With(SmallCt(), {Text({0x0008, 0x1030}, "LO", "M\xFCller"),
                            Seq(kRequests, {{Text({0x0008, 0x1030}, "LO", "M\xFCller")},
                                            utf8,
                                            {Text({0x0008, 0x1030}, "LO", "M\xFCller")}})}));
  ASSERT_TRUE(sent.ok) << sent.error.Message();
  EXPECT_EQ(sent.out.Value("(0008,1030)"), "M\xF6ller");
  EXPECT_EQ(sent.out.Value("(0040,0275)[0].(0008,1030)"), "M\xF6ller");
  EXPECT_EQ(sent.out.Value("(0040,0275)[1].(0008,1030)"), "M\xC3\xB6ller");
  EXPECT_EQ(sent.out.Value("(0040,0275)[2].(0008,1030)"), "M\xF6ller");
}

TEST(DeidentifyTest, ACharacterSetThatIsUnknown) {
  const Sent sent = Send(kNoMark, With(SmallCt(), {Text({0x0008, 0x0005}, "CS", "ISO_IR 999")}));
  ASSERT_TRUE(sent.ok);
  EXPECT_EQ(sent.Noted(NoteCode::kUnknownCharset), 1);
}

TEST(DeidentifyTest, AReplacementThatTheCharacterSetLacks) {
  const Sent sent =
      Send("rules:\n- {tag: PatientName, action: replace, with: {value: \"王\"}}\n", SmallCt());
  ASSERT_FALSE(sent.ok);
  EXPECT_EQ(sent.Failure(), "not-in-character-set");
  EXPECT_EQ(sent.error.where, "(0010,0010)");
}

TEST(DeidentifyTest, TextBehindNulIsCut) {
  const DataSet data_set = With(
      SmallCt(), {Raw({0x0008, 0x1030}, "LO", std::string("HEAD\0SECRET!", 12)),
                  Raw({0x0008, 0x103E}, "LO", std::string("padded\0\0", 8)),
                  Raw({0x0010, 0x0010}, "UN", std::string("DOE\0SECRET", 10)),
                  Seq(kRequests, {{Raw({0x0040, 0x0009}, "SH", std::string("S\0SECRET", 8))}})});
  for (const Syntax& syntax : kSyntaxes) {
    const Sent kept = Send(kNoMark, data_set, syntax);
    ASSERT_TRUE(kept.ok);
    EXPECT_EQ(kept.bytes.find("SECRET"), std::string::npos) << syntax.name;
    EXPECT_EQ(kept.out.Value("(0008,1030)"), "HEAD");
    EXPECT_EQ(kept.out.Value("(0008,103E)"), "padded");
    EXPECT_EQ(kept.out.Value("(0010,0010)"), "DOE");
    EXPECT_EQ(kept.out.Value("(0040,0275)[0].(0040,0009)"), "S");
    EXPECT_EQ(kept.Noted(NoteCode::kTextAfterNul), 3);
  }
}

// Whatever an action makes of the text, what stands behind the NUL is not part of it.
TEST(DeidentifyTest, ActionsDoNotCarryTextBehindNul) {
  for (const char* action :
       {"edit, with: {find: HEAD, replace: NECK}", "edit, with: {find: nothing, replace: x}",
        "crypto-hash", "redact", "pseudonym, with: {prefix: P}"}) {
    const Sent sent =
        Send("rules:\n- {tag: StudyDescription, action: " + std::string(action) + "}\n",
             With(SmallCt(), {Raw({0x0008, 0x1030}, "LO", std::string("HEAD\0SECRET!", 12))}));
    ASSERT_TRUE(sent.ok) << action << ": " << sent.error.Message();
    EXPECT_EQ(sent.bytes.find("SECRET"), std::string::npos) << action;
  }
}

// ---- What the engine adds and never passes on -------------------------------------------------

TEST(DeidentifyTest, Markers) {
  const RuleSet rules = Rules("");
  const std::string method = rules.plan()->parts().method_text;
  const Sent first = Send(rules, File(SmallCt()));
  ASSERT_TRUE(first.ok);
  EXPECT_EQ(first.out.Value("(0012,0062)"), "YES");
  EXPECT_EQ(first.out.Value("(0012,0063)"), method);
  EXPECT_LE(method.size(), 64U);
  const Sent second = Send(rules, first.bytes);
  ASSERT_TRUE(second.ok);
  EXPECT_EQ(second.out.Value("(0012,0063)"), method) << "appended once";
  const RuleSet others = Rules("name: others\n");
  const std::string other_method = others.plan()->parts().method_text;
  const Sent third = Send(others, first.bytes);
  EXPECT_EQ(third.out.Value("(0012,0063)"), method + "\\" + other_method);
  EXPECT_EQ(Send(others, third.bytes).out.Value("(0012,0063)"), method + "\\" + other_method);
  EXPECT_FALSE(Send(kNoMark, SmallCt()).out.Has("(0012,0062)"));
}

TEST(DeidentifyTest, MarkersOfOthersStay) {
  const DataSet data_set =
      With(SmallCt(), {Text({0x0012, 0x0062}, "CS", "NO"), Text({0x0012, 0x0063}, "LO", "by hand"),
                       Seq({0x0012, 0x0064}, {{Text({0x0008, 0x0100}, "SH", "113100")}})});
  const std::string keep_uids = "rules:\n- {tag: [SOPClassUID, SOPInstanceUID], action: keep}\n";
  const Sent sent = Send(keep_uids + "otherwise: remove\n", data_set);
  ASSERT_TRUE(sent.ok) << sent.error.Message();
  EXPECT_EQ(sent.out.Value("(0012,0062)"), "YES");
  EXPECT_EQ(sent.out.Value("(0012,0063)").substr(0, 8), "by hand\\");
  EXPECT_EQ(sent.out.Value("(0012,0064)"), "1 item(s)");
  EXPECT_EQ(sent.out.Value("(0008,0005)"), "ISO_IR 100");
  EXPECT_FALSE(sent.out.Has("(0010,0020)"));
  // A rule that names them is obeyed.
  const Sent named =
      Send("rules:\n- {tag: [DeidentificationMethod, SpecificCharacterSet], action: remove}\n",
           data_set);
  ASSERT_TRUE(named.ok);
  EXPECT_EQ(named.out.Value("(0012,0063)").find("by hand"), std::string::npos);
  EXPECT_FALSE(named.out.Has("(0008,0005)"));
}

TEST(DeidentifyTest, CharacterSetStaysUnderWideRules) {
  for (const char* rules :
       {"rules:\n- {vr: CS, action: remove}\n", "rules:\n- {tag: \"0008,000x\", action: remove}\n",
        "rules:\n- {vr: CS, action: redact}\n", "rules:\n- {vr: CS, action: crypto-hash}\n"}) {
    const Sent sent = Send(rules, SmallCt());
    ASSERT_TRUE(sent.ok) << sent.error.Message();
    EXPECT_EQ(sent.out.Value("(0008,0005)"), "ISO_IR 100") << rules;
  }
}

TEST(DeidentifyTest, IllegalGroupsAndPadding) {
  for (const Syntax& syntax : {kExplicit, kImplicit, kBig}) {
    DataSet data_set = With(
        SmallCt(), {Raw({0x0003, 0x1001}, "LO", "SECRET"), Raw({0x0005, 0x0010}, "LO", "SECRET"),
                    Raw({0x0007, 0x1001}, "LO", "SECRET"), Raw({0x0029, 0x0000}, "UL", Le32({12})),
                    NativePixels(), Raw({0xFFFC, 0xFFFC}, "OB", "SECRET"),
                    Raw({0xFFFF, 0x0010}, "LO", "SECRET")});
    data_set.insert(data_set.begin(), Raw({0x0008, 0x0000}, "UL", Le32({12})));
    std::sort(data_set.begin(), data_set.end(),
              [](const Elem& a, const Elem& b) { return a.tag < b.tag; });
    const Sent sent = Send(kNoMark, data_set, syntax);
    ASSERT_TRUE(sent.ok) << syntax.name << sent.error.Message();
    EXPECT_EQ(sent.bytes.find("SECRET"), std::string::npos);
    EXPECT_EQ(sent.bytes.find("ESRCTE"), std::string::npos);
    EXPECT_EQ(sent.Noted(NoteCode::kIllegalGroup), 4) << syntax.name;
  }
}

TEST(DeidentifyTest, DuplicatesGo) {
  DataSet data_set = SmallCt();
  const auto name = std::find_if(data_set.begin(), data_set.end(),
                                 [](const Elem& elem) { return elem.tag == Tag(0x0010, 0x0010); });
  data_set.insert(name + 1, Text({0x0010, 0x0010}, "PN", "SECOND^X"));
  for (const Syntax& syntax : kSyntaxes) {
    const Sent kept = Send(kNoMark, data_set, syntax);
    ASSERT_TRUE(kept.ok);
    EXPECT_EQ(kept.out.Value("(0010,0010)"), "DOE^JANE");
    EXPECT_EQ(kept.bytes.find("SECOND"), std::string::npos);
    EXPECT_EQ(kept.Noted(NoteCode::kDuplicateElement), 1) << syntax.name;
    const Sent redacted = Send("rules:\n- {vr: PN, action: redact}\n", data_set, syntax);
    ASSERT_TRUE(redacted.ok);
    EXPECT_EQ(redacted.out.Value("(0010,0010)"), "");
  }
}

TEST(DeidentifyTest, TrailingBytes) {
  const Sent sent = Send(Rules(kNoMark), File(With(SmallCt(), {NativePixels()})) + "SECRET");
  ASSERT_TRUE(sent.ok);
  EXPECT_EQ(sent.Noted(NoteCode::kTrailingBytes), 1);
  EXPECT_EQ(sent.bytes.find("SECRET"), std::string::npos);
}

// ---- Pixel data ---------------------------------------------------------------------------------

struct PixelCase {
  const char* rules;
  const char* expected;  ///< kept, empty, absent
};

TEST(DeidentifyTest, PixelRules) {
  const std::string uids = "- {tag: [SOPClassUID, SOPInstanceUID], action: keep}\n";
  for (const auto& [rules, expected] : {
           PixelCase{"", "kept"},
           PixelCase{"- {tag: PixelData, action: remove}\n", "absent"},
           PixelCase{"- {tag: PixelData, action: redact}\n", "empty"},
           PixelCase{"- {tag: PixelData, action: keep}\n- {vr: OW, action: remove}\n", "kept"},
           PixelCase{"- {vr: [OW, OB], action: remove}\n", "absent"},
           PixelCase{"- {vr: OB, action: redact}\n", "empty"},
           PixelCase{"- {tag: \"7fe0,xxxx\", action: remove}\n", "absent"},
           PixelCase{"- {vr: OB, action: crypto-hash}\n", "kept"},
           PixelCase{"- {tag: \"7fe0,xxxx\", action: crypto-hash}\n", "kept"},
           PixelCase{"- {tag: \"7fe0,xxxx\", action: replace, with: {value: X}}\n", "kept"},
           PixelCase{"- {tag: PixelData, when: {Modality: MR}, action: remove}\n", "kept"},
           PixelCase{"otherwise: remove\n", "absent"},
           PixelCase{"- {tag: PixelData, action: keep}\notherwise: remove\n", "kept"},
       }) {
    for (const bool compressed : {false, true}) {
      SCOPED_TRACE(std::string(rules) + (compressed ? "compressed" : "native"));
      const Elem pixels = compressed ? Fragments({"", "JPEGJPEG"}) : NativePixels();
      Result<Deidentified> result = ErrorCode::kInternal;
      try {
        result = Engine(Rules("rules:\n" + uids + rules))
                     .ApplyToBytes(
                         File(With(SmallCt(), {pixels}), compressed ? testing::kJpeg : kExplicit));
      } catch (const RuleError& error) {
        ADD_FAILURE() << ToString(error.diagnostics().front());
        continue;
      }
      ASSERT_TRUE(result) << result.error().Message();
      const Decoded out = testing::Decode(*result->encoded.ToBytes());
      const std::string path = "(7FE0,0010)";
      EXPECT_EQ(!out.Has(path)            ? "absent"
                : out.Value(path).empty() ? "empty"
                                          : "kept",
                std::string(expected));
      if (std::string(expected) == "kept" && !compressed) {
        EXPECT_EQ(out.elements.at(path).value, pixels.value);
      }
    }
  }
}

TEST(DeidentifyTest, PixelsOfAnIcon) {
  const DataSet icon = {Raw({0x0028, 0x0010}, "US", Le16({4})), NativePixels()};
  const DataSet data_set = With(SmallCt(), {Seq({0x0088, 0x0200}, {icon}), NativePixels()});
  const std::string path = "(0088,0200)[0].(7FE0,0010)";
  EXPECT_EQ(Send("rules:\n- {tag: \"7fe0,xxxx\", action: crypto-hash}\n", data_set)
                .out.elements.at(path)
                .value,
            NativePixels().value);
  EXPECT_FALSE(Send("rules:\n- {tag: PixelData, action: remove}\n", data_set).out.Has(path));
  const Sent inner_only =
      Send("rules:\n- {path: IconImageSequence/PixelData, action: redact}\n", data_set);
  EXPECT_EQ(inner_only.out.Value(path), "");
  EXPECT_EQ(inner_only.out.elements.at("(7FE0,0010)").value, NativePixels().value);
}

// ---- Add, reject, identity ----------------------------------------------------------------------

TEST(DeidentifyTest, Add) {
  const Sent sent = Send(
      "rules:\n"
      "- {tag: ClinicalTrialProtocolID, action: add, with: {value: TRIAL}}\n"
      "- {tag: PatientID, action: add, with: {value: NEW}}\n"
      "- {tag: OperatorsName, action: add, with: {value: \"Müller\"}}\n"
      "- {tag: Columns, action: add, with: {value: \"4\"}}\n"
      "- {tag: StudyID, when: {Modality: CT}, action: add, with: {value: CT}}\n"
      "- {tag: AccessionNumber, when: {Modality: MR}, action: add, with: {value: MR}}\n"
      "- {tag: StudyDate, action: remove}\n"
      "- {tag: StudyDate, action: add, with: {value: \"20000101\"}}\n",
      With(SmallCt(), {NativePixels()}));
  ASSERT_TRUE(sent.ok) << sent.error.Message();
  EXPECT_EQ(sent.out.Value("(0012,0020)"), "TRIAL");
  EXPECT_EQ(sent.out.Value("(0010,0020)"), "4711");
  EXPECT_EQ(sent.out.Value("(0008,1070)"), "M\xFCller");
  EXPECT_EQ(sent.out.elements.at("(0028,0011)").value, Le16({4}));
  EXPECT_EQ(sent.out.Value("(0020,0010)"), "CT");
  EXPECT_FALSE(sent.out.Has("(0008,0050)"));
  EXPECT_EQ(sent.out.Value("(0008,0020)"), "20000101");
  const Sent impossible =
      Send("rules:\n- {tag: OperatorsName, action: add, with: {value: \"王\"}}\n", SmallCt());
  ASSERT_FALSE(impossible.ok);
  EXPECT_EQ(impossible.Failure(), "not-in-character-set");
}

TEST(DeidentifyTest, Reject) {
  const std::string rules =
      "rules:\n- {tag: Modality, action: replace, with: {value: MR}}\n"
      "reject:\n- {when: {Modality: MR}, because: never}\n- {when: {Modality: CT}, because: no "
      "CT}\n";
  const Sent sent = Send(rules, SmallCt());
  ASSERT_TRUE(sent.ok);
  EXPECT_TRUE(sent.rejected);
  EXPECT_EQ(sent.because, "no CT");
  EXPECT_EQ(sent.rule.substr(0, 11), "rules.yaml:");
  // Also where nothing else could be done with the instance.
  EXPECT_TRUE(Send(rules, Without(SmallCt(), {{0x0008, 0x0016}})).rejected);
}

TEST(DeidentifyTest, Identity) {
  struct Case {
    const char* name;
    DataSet data_set;
    const char* rules;
    const char* failure;
  };
  const Tag sop_class{0x0008, 0x0016};
  const Tag instance{0x0008, 0x0018};
  for (const Case& test : {
           Case{"no class", Without(SmallCt(), {sop_class}), "rules: []\n", "no-sop-class-uid"},
           Case{"no instance", Without(SmallCt(), {instance}), "rules: []\n",
                "no-sop-instance-uid"},
           Case{"empty class", With(SmallCt(), {Text(sop_class, "UI", "")}), "rules: []\n",
                "no-sop-class-uid"},
           Case{"empty instance", With(SmallCt(), {Text(instance, "UI", "")}), "rules: []\n",
                "no-sop-instance-uid"},
           Case{"a text for a UID", With(SmallCt(), {Text(instance, "UI", "DOE JANE")}),
                "rules: []\n", "lost-identity"},
           Case{"a UID of 65 characters",
                With(SmallCt(), {Text(instance, "UI", std::string(65, '1'))}), "rules: []\n",
                "lost-identity"},
           Case{"a text for a class", With(SmallCt(), {Text(sop_class, "UI", "DOE JANE")}),
                "rules: []\n", "no-sop-class-uid"},
           Case{"class removed", SmallCt(), "rules:\n- {tag: SOPClassUID, action: remove}\n",
                "lost-identity"},
           Case{"instance emptied", SmallCt(), "rules:\n- {tag: SOPInstanceUID, action: redact}\n",
                "lost-identity"},
           Case{"allow-list without UIDs", SmallCt(), "otherwise: remove\n", "lost-identity"},
       }) {
    const Sent sent = Send(test.rules, test.data_set);
    ASSERT_FALSE(sent.ok) << test.name;
    EXPECT_EQ(sent.Failure(), test.failure) << test.name;
    EXPECT_EQ(sent.error.Message().find("DOE"), std::string::npos);
  }
}

// What is no UID becomes one, where a rule makes UIDs.
TEST(DeidentifyTest, ATextForAUid) {
  const Sent sent = Send("rules:\n- {vr: UI, action: refresh-uid}\n",
                         With(SmallCt(), {Text({0x0008, 0x0018}, "UI", "DOE JANE")}));
  ASSERT_TRUE(sent.ok) << sent.error.Message();
  EXPECT_EQ(sent.out.Value("(0008,0018)").substr(0, 5), "2.25.");
  EXPECT_EQ(sent.Noted(NoteCode::kUidUnparsed), 1);
}

TEST(DeidentifyTest, NamesOfTheOutputAreThoseOfTheOutput) {
  const auto result =
      Engine(Rules("rules:\n- {tag: PatientID, action: replace, with: {value: NEW}}\n"
                   "- {tag: StudyInstanceUID, action: remove}\n- {vr: UI, action: refresh-uid}\n"))
          .ApplyToBytes(File(SmallCt()));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->patient_id, "NEW");
  EXPECT_EQ(result->study_instance_uid, "");
  EXPECT_NE(result->sop_instance_uid, "1.2.3.4.5");
  EXPECT_EQ(result->sop_class_uid, "1.2.840.10008.5.1.4.1.1.2");
  const Decoded out = testing::Decode(*result->encoded.ToBytes());
  EXPECT_EQ(out.Value("(0008,0018)"), result->sop_instance_uid);
  EXPECT_EQ(out.meta.at("(0002,0003)"), result->sop_instance_uid);
  EXPECT_EQ(result->input_size, File(SmallCt()).size());
}

// ---- Errors and notes name places, never values
// --------------------------------------------------

TEST(DeidentifyTest, ErrorsNameThePlace) {
  const DataSet data_set =
      With(SmallCt(),
           {Seq(kRequests, {{}, {Seq(kStudies, {{}, {}, {Raw({0x0010, 0x0010}, "SQ", "")}})}})});
  const Sent sent =
      Send("rules:\n- {tag: PatientName, action: replace, with: {value: ANON}}\n", data_set);
  ASSERT_FALSE(sent.ok);
  EXPECT_EQ(sent.Failure(), "action-cannot-take-vr");
  EXPECT_EQ(sent.error.where, "(0040,0275)[1].(0008,1110)[2].(0010,0010)");
}

TEST(DeidentifyTest, NotesAreCounted) {
  const Sent sent = Send(
      "settings: {date-shift: {days: 365}}\nrules:\n- {vr: DA, action: date-shift}\n",
      With(SmallCt(), {Text({0x0008, 0x0020}, "DA", "no date"), Text({0x0008, 0x0021}, "DA", "?"),
                       Seq(kRequests, {{Text({0x0008, 0x0020}, "DA", "20209999")}})}));
  ASSERT_TRUE(sent.ok);
  EXPECT_EQ(sent.Noted(NoteCode::kDateUnparsed), 3);
  EXPECT_EQ(sent.out.Value("(0008,0020)"), "");
}

TEST(DeidentifyTest, TheObserverIsToldEverything) {
  const RuleSet rules = Rules(
      "rules:\n"
      "- {tag: PatientName, action: replace, with: {value: ANON}}\n"
      "- {tag: PatientBirthDate, action: remove}\n"
      "- {tag: PatientID, action: redact}\n"
      "- {tag: StudyID, action: add, with: {value: NEW}}\n"
      "- {group: odd, action: remove}\n");
  const Recorder recorder = Watch(
      rules, File(With(SmallCt(),
                       {Raw({0x0029, 0x0010}, "LO", "ACME"), Raw({0x0029, 0x1010}, "LO", "text"),
                        Seq(kRequests, {{Text({0x0040, 0x0009}, "SH", "S1")}}), NativePixels()})));
  const auto line = [&recorder](const std::string& path) {
    const Told* told = recorder.Find(path);
    if (told == nullptr) return std::string("nothing");
    return told->keyword + "|" + told->vr + "|" + told->action + "|" + told->before + "|" +
           told->after + (told->removed ? "|removed" : "");
  };
  EXPECT_EQ(line("(0010,0010)"), "PatientName|PN|replace|DOE^JANE|ANON");
  EXPECT_EQ(line("(0010,0030)"), "PatientBirthDate|DA|remove|19580312||removed");
  EXPECT_EQ(line("(0010,0020)"), "PatientID|LO|redact|4711|");
  EXPECT_EQ(line("(0020,0010)"), "StudyID|SH|add||NEW");
  EXPECT_EQ(line("(0028,0010)"), "Rows|US|keep|4|4");
  EXPECT_EQ(line("(0029,1010)"), "|LO|remove|text||removed");
  EXPECT_EQ(line("(0029,0010)"), "|LO|remove|ACME||removed");
  EXPECT_EQ(line("(0040,0275)"), "RequestAttributesSequence|SQ|keep|1 item(s)|1 item(s)");
  EXPECT_EQ(line("(0040,0275)[0].(0040,0009)"), "ScheduledProcedureStepID|SH|keep|S1|S1");
  const Told* pixels = recorder.Find("(7FE0,0010)");
  ASSERT_NE(pixels, nullptr);
  EXPECT_EQ(pixels->action + "|" + pixels->before, "keep|32 bytes");
  EXPECT_EQ(recorder.Find("(0010,0010)")->origin.substr(0, 11), "rules.yaml:");
}

}  // namespace
}  // namespace dcmveil::engine
