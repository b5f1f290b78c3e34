// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "engine/clean/fold.h"
#include "engine/clean/identifiers.h"
#include "engine/clean/text_cleaner.h"
#include "engine/clean/vocabulary.h"
#include "tests/engine/action_test_util.h"

namespace dcmveil::engine::clean {
namespace {

using Kind = IdentifierKind;

void AddPatient(Identifiers& ids) {
  ids.Add(Kind::kPersonName, "Müller-Lüdenscheidt^Jürgen^Karl");
  ids.Add(Kind::kPersonName, "O'Brien^Siobhan^^Dr");
  ids.Add(Kind::kId, "AB-0012345");
  ids.Add(Kind::kId, "77 88 99 1");
  ids.Add(Kind::kDate, "19570812");
  ids.Add(Kind::kDate, "20190304101500");
  ids.Add(Kind::kInstitution, "St. Mary's Hospital Kaltenbrunn");
  ids.Add(Kind::kAddress, "12 Lindenallee, Kaltenbrunn 54321");
  ids.Add(Kind::kTelephone, "+49 (30) 1234-567");
  ids.Add(Kind::kDevice, "AWP12345");
}

std::string Clean(std::string_view text, Strictness strictness) {
  Identifiers ids;
  AddPatient(ids);
  return TextCleaner(strictness).Clean(text, ids);
}

/// Lines of tests/engine/cases/NAME.
std::vector<std::string> Lines(const std::string& name) {
  std::ifstream file(std::string(DCMVEIL_SOURCE_DIR) + "/tests/engine/cases/" + name);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && !line.starts_with('#')) lines.push_back(line);
  }
  return lines;
}

TEST(CleanTest, FoldsEveryScript) {
  EXPECT_EQ(Fold("MÜLLER Straße"), "muller strasse");
  EXPECT_EQ(Fold("ΆΛΦΑ ΟΔΌΣ"), Fold("αλφα οδος"));
  EXPECT_EQ(Fold("ЁЛКА"), "елка");
  EXPECT_EQ(Fold("ﾔﾏﾀﾞ"), Fold("やまた"));
  EXPECT_EQ(Fold("ＡＢ１"), "ab1");
  EXPECT_EQ(Fold("Łukasz Đorđe Øre"), "lukasz dorde ore");
  EXPECT_EQ(Fold("e\xCC\x81"), "e");  // a combining accent
  EXPECT_EQ(Fold("\xFF"
                 "A")
                .back(),
            'a');  // no UTF-8
}

TEST(CleanTest, OwnIdentifiersGoInEverySpelling) {
  const std::vector<std::string> spellings{
      "Müller-Lüdenscheidt, Jürgen",
      "JUERGEN MUELLER LUEDENSCHEIDT",
      "muller ludenscheidt j. k.",
      "JMuller",
      "Juergen_Karl_Mueller",
      "MüllerJürgen",
      "Siobhan O'Brien",
      "OBRIEN SIOBHAN",
      "O’Brien's",
      "AB-0012345",
      "AB0012345",
      "ab 001 2345",
      "12345",
      "0012345",
      "7788991",
      "77-88-99-1",
      "1957-08-12",
      "12.08.1957",
      "08/12/1957",
      "12 Aug 1957",
      "August 12, 1957",
      "12AUG1957",
      "1957-08-12T00:00:00Z",
      "1957-08-12T10:15:30.250+02:00",
      "1957-08-12T10:15-0500",
      "12.08.1957T10",
      "1957:08:12",
      "12;08;1957",
      "12|08|1957",
      "12.VIII.1957",
      "12 VIII 1957",
      "12-viii-1957",
      "1957 Aug 12",
      "1957-Aug-12",
      "12 sierpnia 1957",
      "12. srpna 1957",
      "12 серпня 1957",
      "12. elokuuta 1957",
      "12 Ağustos 1957",
      "12 augusti 1957",
      "19570812",
      "120857",
      "4. März 2019",
      "4 de marzo de 2019",
      "St Marys Hospital Kaltenbrunn",
      "Kaltenbrunn",
      "12 Lindenallee, Kaltenbrunn 54321",
      "+49 30 1234567",
      "030/1234567",
      "030 1234 567",
      "MRNAB0012345",
      "PIDab0012345",
      "S i o b h a n",
      "O B R I E N S i o b h a n",
      "AWP12345",
      "1.2.276.0.7230010.3.1.4",
  };
  for (const Strictness strictness :
       {Strictness::kIdentifiers, Strictness::kPatterns, Strictness::kStrict}) {
    for (const std::string& spelling : spellings) {
      EXPECT_EQ(Clean("chest " + spelling, strictness), "chest") << spelling;
      EXPECT_EQ(Clean(spelling + ", chest", strictness), "chest") << spelling;
      EXPECT_EQ(Clean("knee (" + spelling + ") left", strictness), "knee left") << spelling;
    }
  }
}

TEST(CleanTest, PatternsGoWhoeverTheyBelongTo) {
  const std::vector<std::string> patterns{"2021-11-30",
                                          "30.11.2021",
                                          "11/30/21",
                                          "30 Nov 2021",
                                          "Nov 2021",
                                          "30NOV2021",
                                          "2021年11月30日",
                                          "2021년 11월 30일",
                                          "30 ноября 2021",
                                          "10:30",
                                          "10:30:15.25",
                                          "2021-11-30T08:15:00Z",
                                          "2021:11:30 08:15:00",
                                          "30;11;2021",
                                          "30|11|2021",
                                          "30.XI.2021",
                                          "30 XII 2021",
                                          "2021 Nov 30",
                                          "30 listopada 2021",
                                          "30 Kasım 2021",
                                          "3 pm",
                                          "14h30",
                                          "555-123-4567",
                                          "(555) 123-4567",
                                          "+44 20 7946 0958",
                                          "321-54-9876",
                                          "a.b-c@mail.example.org",
                                          "https://example.org/x?y=z",
                                          "www.example.org",
                                          "192.168.0.12",
                                          "00:1A:2B:3C:4D:5E",
                                          "12345678",
                                          "MRN 77",
                                          "acc# 12-7",
                                          "Dr. Kowalczyk",
                                          "Prof. Dr. A. Kowalczyk",
                                          "Mrs Hand",
                                          "Frau Hand",
                                          "Herr Dr. med. Kowalczyk"};
  for (const std::string& pattern : patterns) {
    EXPECT_EQ(Clean("knee left, " + pattern, Strictness::kPatterns), "knee left") << pattern;
    EXPECT_EQ(Clean("knee left, " + pattern, Strictness::kStrict), "knee left") << pattern;
    if (pattern.find("2345678") == std::string::npos && pattern.find("192.168") != 0) {
      EXPECT_EQ(Clean("knee " + pattern, Strictness::kIdentifiers), "knee " + pattern);
    }
  }
}

TEST(CleanTest, VersionsAndLocalCodesAreNoUids) {
  for (const std::string text : {"5.10.2.1-5", "5.10.2.5-5", "51.80.108.010", "2.22.5.0", "2.7.5.0",
                                 "9.1.2.3.4.7", "3.1.256.256.7", "1.02.3.4.5"}) {
    for (const Strictness strictness :
         {Strictness::kIdentifiers, Strictness::kPatterns, Strictness::kStrict}) {
      EXPECT_EQ(Clean("version " + text, strictness), "version " + text);
    }
  }
  for (const std::string text : {"1.2.826.0.1", "2.25.329800735698586629295641978511506172918",
                                 "1.3.46.670589.11", "0.0.0.0.1", "1.2.840.113619.2.55.003.17",
                                 "1.22.333.4444555", "192.168.10.1", "10.110.20.30"}) {
    for (const Strictness strictness :
         {Strictness::kIdentifiers, Strictness::kPatterns, Strictness::kStrict}) {
      EXPECT_EQ(Clean("version " + text, strictness), "version") << text;
    }
  }
}

TEST(CleanTest, WhatOnlyResemblesADateOrANameStays) {
  for (const std::string text :
       {"5 x 2000", "1 IV 2000 ml", "matrix 2000 x 10", "4 V 2019", "3;4;2000", "T 2 w i",
        "A P L R", "10|400|1000", "12;8;2000", "v x y z", "Kasim 4"}) {
    EXPECT_EQ(Clean("chest " + text, Strictness::kPatterns), "chest " + text);
    EXPECT_EQ(Clean("chest " + text, Strictness::kIdentifiers), "chest " + text);
  }
}

TEST(CleanTest, WhatWasTakenForAUidGoesAsWhatItIs) {
  for (const std::string text : {"1957.08.12.1", "12.08.1957.10.30", "12.8.1957.1"}) {
    for (const Strictness strictness :
         {Strictness::kIdentifiers, Strictness::kPatterns, Strictness::kStrict}) {
      EXPECT_EQ(Clean("chest " + text, strictness), "chest") << text;
    }
  }
  for (const std::string text : {"01.23.45.67.89", "0049.30.1234.777"}) {
    EXPECT_EQ(Clean("chest " + text, Strictness::kPatterns), "chest") << text;
  }
  // A UID of the instance goes even if it is none by the rules.
  Identifiers ids;
  ids.Add(Kind::kUid, "9.08.1234.007");
  ids.Add(Kind::kUid, "1.2.840.10008.5.1.4.1.1.2");
  EXPECT_EQ(TextCleaner(Strictness::kIdentifiers).Clean("see 9.08.1234.007, chest", ids),
            "see, chest");
  const std::string registered = "see 1.2.840.10008.5.1.4.1.1.2, chest";
  EXPECT_EQ(TextCleaner(Strictness::kIdentifiers).Clean(registered, ids), registered);
}

TEST(CleanTest, StrictFindsNamesThatOccurNowhereElse) {
  for (const std::string name :
       {"Kowalczyk",    "KOWALCZYK",       "Smith",        "garcia",      "Nguyen",
        "Young",        "Brown",           "White",        "Dixon",       "Grant",
        "Wood",         "Kowalczyk, Anna", "A. Kowalczyk", "Kowalczyk J", "van der Kowalczyk",
        "McAdams",      "Kowalczyk-Smith", "O'Malley",     "D'Angelo",    "Иванова",
        "Παπαδόπουλος", "山田太郎",        "김철수",       "สมชาย",       "محمد",
        "כהן",          "Nuñez",           "Åkesson",      "Dvořák"}) {
    EXPECT_EQ(Clean("CT abdomen " + name, Strictness::kStrict), "CT abdomen") << name;
    EXPECT_EQ(Clean(name, Strictness::kStrict), "") << name;
    EXPECT_EQ(Clean(name + " CT abdomen", Strictness::kStrict), "CT abdomen") << name;
  }
}

TEST(CleanTest, AmbiguousWordsStayWhereTheyAreTerms) {
  const auto strict = [](std::string_view text) { return Clean(text, Strictness::kStrict); };
  EXPECT_EQ(strict("MRI hand"), "MRI hand");
  EXPECT_EQ(strict("HAND 3 VIEWS"), "HAND 3 VIEWS");
  EXPECT_EQ(strict("HEAD"), "HEAD");
  EXPECT_EQ(strict("Dr. Hand"), "");
  EXPECT_EQ(strict("Hand, John"), "");
  EXPECT_EQ(strict("J Hand MRI"), "MRI");
  EXPECT_EQ(strict("J. Hand"), "");
  EXPECT_EQ(strict("L hand"), "L hand");
  EXPECT_EQ(strict("MRI hand Kowalczyk"), "MRI hand");
  EXPECT_EQ(strict("white matter"), "white matter");
  EXPECT_EQ(strict("CT White"), "CT");
  EXPECT_EQ(strict("t1_vibe_dixon_tra"), "t1_vibe_dixon_tra");
  EXPECT_EQ(strict("DR CHEST"), "DR CHEST");
  EXPECT_EQ(strict("MR Hand"), "MR Hand");
}

TEST(CleanTest, JoinsWhatIsLeft) {
  const auto strict = [](std::string_view text) { return Clean(text, Strictness::kStrict); };
  EXPECT_EQ(strict("CT chest for Kowalczyk MRN 12345 on 2019-03-04, follow-up"),
            "CT chest, follow-up");
  EXPECT_EQ(strict("Patient name: Kowalczyk. CT chest."), "CT chest.");
  EXPECT_EQ(strict("CT chest [Kowalczyk]"), "CT chest");
  EXPECT_EQ(strict("CT (chest Kowalczyk)"), "CT (chest)");
  EXPECT_EQ(strict("t2_tse_Kowalczyk_sag"), "t2_tse_sag");
  EXPECT_EQ(strict("CT done. Seen by Dr. Kowalczyk. Chest normal."), "CT done. Chest normal.");
  EXPECT_EQ(strict("chest normal\nDOB 12.08.1957\nno effusion"), "chest normal\nno effusion");
}

TEST(CleanTest, ClinicalTextStaysByteByByte) {
  const std::vector<std::string> lines = Lines("clean_keep.txt");
  ASSERT_GE(lines.size(), 150U);
  for (const std::string& line : lines) {
    EXPECT_EQ(Clean(line, Strictness::kStrict), line);
    EXPECT_EQ(Clean(line, Strictness::kPatterns), line);
    EXPECT_EQ(Clean(line, Strictness::kIdentifiers), line);
  }
}

struct InCharset {
  const char* terms;
  const char* name;
  const char* text;
  const char* left;
};

TEST(CleanTest, NamesOfEveryCharacterSet) {
  const std::vector<InCharset> cases{
      {"", "Doe^Jane", "chest, Jane DOE", "chest"},
      {"ISO_IR 100", "Müller^Jürgen", "Thorax JÜRGEN MÜLLER", "Thorax"},
      {"ISO_IR 101", "Dvořák^Jiří", "Thorax Jiří Dvořák", "Thorax"},
      {"ISO_IR 109", "Ġorġ^Ċensa", "Thorax ĊENSA", "Thorax"},
      {"ISO_IR 110", "Bērziņš^Jānis", "Thorax BĒRZIŅŠ", "Thorax"},
      {"ISO_IR 144", "Люкceмбypг^Анна", "Thorax ЛЮКCEМБYPГ", "Thorax"},
      {"ISO_IR 126", "Διονυσιος^Ελένη", "Thorax ΕΛΕΝΗ", "Thorax"},
      {"ISO_IR 127", "قباني^لنزار", "Thorax قباني", "Thorax"},
      {"ISO_IR 138", "שרון^דבורה", "Thorax דבורה", "Thorax"},
      {"ISO_IR 148", "Çavuşoğlu^İpek", "Thorax ÇAVUŞOĞLU", "Thorax"},
      {"ISO_IR 166", "สมศรี^ใจดี", "Thorax ใจดีสมศรี", "Thorax"},
      {"ISO_IR 13", "ﾔﾏﾀﾞ^ﾀﾛｳ", "Thorax ﾔﾏﾀﾞ", "Thorax"},
      {"\\ISO 2022 IR 87", "Yamada^Tarou=山田^太郎=やまだ^たろう", "胸部CT 山田太郎 やまだ",
       "胸部CT"},
      {"\\ISO 2022 IR 149", "Hong^Gildong=洪^吉洞=홍^길동", "흉부 홍길동 CT", "흉부 CT"},
      {"\\ISO 2022 IR 58", "Zhang^XiaoDong=张^小东", "胸部 张小东 CT", "胸部 CT"},
      {"GB18030", "Wang^XiaoDong=王^小东", "王小东 胸部", "胸部"},
      {"ISO_IR 192", "Wang^XiaoDong=王^小東=", "王小東 CT", "CT"},
  };
  for (const InCharset& test : cases) {
    Instance instance = engine::testing::TestInstance(test.terms);
    auto ids = std::make_shared<Identifiers>();
    ids->Add(Kind::kPersonName, test.name);
    instance.identifiers = ids;
    for (const char* with : {"{}", "{vocabulary: none}", "{vocabulary: identifiers}"}) {
      const auto made = engine::testing::Make("clean", with, nullptr);
      EXPECT_EQ(engine::testing::RunAction(*made.action, Vr::LO, test.text, instance), test.left)
          << test.terms << " " << with;
    }
  }
}

TEST(CleanTest, ValuesOneByOneAndDirtyOnes) {
  const Instance instance = engine::testing::TestInstance();
  const auto made = engine::testing::Make("clean", "{}", nullptr);
  EXPECT_EQ(engine::testing::RunAction(*made.action, Vr::LO, "chest\\Kowalczyk\\knee", instance),
            "chest\\\\knee");
  EXPECT_EQ(engine::testing::RunAction(*made.action, Vr::LO, "Kowalczyk", instance), "(empty)");
  EXPECT_EQ(engine::testing::RunAction(*made.action, Vr::LO, "", instance), "(empty)");
  for (const char* dirty :
       {"\xFF\xFE\xE9", "((((", "....", "\x1B$)C", "-", "1.2.3.4.", "@", "#1"}) {
    const Change change = engine::testing::Apply(*made.action, Vr::LO, dirty, instance);
    EXPECT_NE(change.kind, Change::Kind::kFail) << dirty;
  }
  Instance none = engine::testing::TestInstance();
  none.identifiers = nullptr;
  EXPECT_EQ(engine::testing::Apply(*made.action, Vr::LO, "chest", none).kind, Change::Kind::kFail);
}

TEST(CleanTest, IdentifiersCanBeListed) {
  Identifiers ids;
  AddPatient(ids);
  const std::size_t count = ids.entries().size();
  ids.Add(Kind::kId, "AB-0012345");
  ids.Add(Kind::kId, "");
  EXPECT_EQ(ids.entries().size(), count);
  EXPECT_EQ(KindOf({0x0010, 0x0020}, Vr::LO), Kind::kId);
  EXPECT_EQ(KindOf({0x0010, 0x0010}, Vr::PN), Kind::kPersonName);
  EXPECT_EQ(KindOf({0x0009, 0x1001}, Vr::PN), Kind::kPersonName);
  EXPECT_EQ(KindOf({0x0008, 0x1030}, Vr::LO), std::nullopt);
  EXPECT_EQ(ClassOfWord("hand"), WordClass::kAmbiguous);
}

}  // namespace
}  // namespace dcmveil::engine::clean
