// SPDX-License-Identifier: Apache-2.0
//
// Identifiers of the input that weak rules leave somewhere in the output, and what looks like them.
#include <gtest/gtest.h>

#include "engine/plan.h"
#include "tests/support/rules.h"

namespace dcmveil::testing {
namespace {

using namespace std::string_literals;  // NOLINT(google-build-using-namespace)

/// Takes the identifiers from where they belong and looks nowhere else.
constexpr const char* kWeak = R"(
guard: on
rules:
  - {tag: [PatientName, PatientID, PatientBirthDate, AccessionNumber, ReferringPhysicianName], action: redact}
  - {tag: [PatientAddress, PatientTelephoneNumbers, InstitutionName], action: redact}
  - {tag: [StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID], action: refresh-uid}
)";

DataSet Patient() {
  return With(SmallCt(), {Text({0x0008, 0x0018}, "UI", "1.2.826.0.1.77.5.10"),
                          Text({0x0008, 0x0050}, "SH", "ACC-90/551"),
                          Text({0x0008, 0x0080}, "LO", "St. Quirin Klinikum"),
                          Text({0x0008, 0x0090}, "PN", "O'Harrowby^Tamsin"),
                          Text({0x0010, 0x0010}, "PN", "Quennelthorp^Zebediah"),
                          Text({0x0010, 0x0020}, "LO", "84-7719302"),
                          Text({0x0010, 0x1040}, "LO", "17 Wexcombe Lane, Harbourne"),
                          Text({0x0010, 0x2154}, "SH", "+49 89 5550143"),
                          Text({0x0020, 0x000D}, "UI", "1.2.826.0.1.77.5")});
}

std::string Wide(std::string_view ascii, bool big_endian) {
  std::string wide;
  for (const char c : ascii) {
    wide += big_endian ? "\0"s + c : c + "\0"s;
  }
  return wide;
}

void ExpectLeft(const Sent& sent, const std::string& where) {
  EXPECT_FALSE(sent.ok);
  EXPECT_EQ(sent.Failure(), "identifier-left");
  EXPECT_EQ(sent.error.where, where);
}

TEST(Guard, CleanOutputsPass) {
  for (const Syntax& syntax : kSyntaxes) {
    SCOPED_TRACE(syntax.name);
    EXPECT_TRUE(Send(kWeak, With(Patient(), {NativePixels()}), syntax).ok);
  }
}

TEST(Guard, FindsEveryKind) {
  const std::pair<const char*, const char*> cases[] = {
      {"seen by Quennelthorp", "person name"},
      {"ZEBEDIAH", "person name"},
      {"dr.tamsin", "person name"},
      {"zebediahquennelthorp", "person name"},
      {"MRN 847719302!", "ID"},
      {"84/7719302", "ID"},
      {"acc90551", "ID"},
      {"born 12.03.1958", "birth date"},
      {"1958-03-12", "birth date"},
      {"12 March 1958", "birth date"},
      {"3/12/58", "birth date"},
      {"17 Wexcombe Lane", "address"},
      {"call 0049 (89) 555-0143 or +4989 5550143", "telephone or e-mail"},
      {"at ST QUIRIN KLINIKUM", "institution"},
      {"see 1.2.826.0.1.77.5.10", "UID"},
      {"study 1.2.826.0.1.77.5", "UID"},
  };
  for (const auto& [text, kind] : cases) {
    SCOPED_TRACE(text);
    ExpectLeft(Send(kWeak, With(Patient(), {Text({0x0008, 0x1030}, "LO", text)})),
               "(0008,1030): "s + kind);
  }
}

TEST(Guard, LeavesWhatOnlyLooksAlike) {
  for (const char* text :
       {"Zebediahs", "Tamsinia", "1847719302", "84.7719302", "119580312", "1.2.826.0.1.77.5.10.3",
        "9.1.2.826.0.1.77.5", "55501", "Klinikum", "12:03:58", "Wexcombe"}) {
    SCOPED_TRACE(text);
    const Sent sent = Send(kWeak, With(Patient(), {Text({0x0008, 0x1030}, "LO", text)}));
    EXPECT_TRUE(sent.ok) << sent.error.where;
  }
  // Series 847719302, and a study on the day of birth.
  EXPECT_TRUE(Send(kWeak, With(Patient(), {Text({0x0020, 0x0011}, "IS", "847719302"),
                                           Text({0x0008, 0x0020}, "DA", "19580312")}))
                  .ok);
  EXPECT_TRUE(Send(kWeak, With(Patient(), {Text({0x0018, 0x0050}, "DS", " 847719302 "),
                                           Text({0x0018, 0x1149}, "IS", "-1\\+847719302"),
                                           Text({0x0018, 0x1164}, "DS", "1.5e-3\\19580312\\")}))
                  .ok);
}

TEST(Guard, FindsTextInElementsForNumbersAndDates) {
  struct Case {
    Tag tag;
    const char* vr;
    const char* value;
    const char* kind;
  };
  for (const auto& [tag, vr, value, kind] : std::vector<Case>{
           {{0x0018, 0x0060}, "DS", "1958-03-12", "birth date"},
           {{0x0018, 0x0060}, "DS", "born 1958-03-12", "birth date"},
           {{0x0018, 0x1164}, "DS", "1.5\\19580312\\*", "birth date"},
           {{0x0018, 0x1150}, "IS", "MRN 847719302", "ID"},
           {{0x0018, 0x1150}, "IS", "84-7719302", "ID"},
           {{0x0018, 0x1150}, "IS", "tel 49895550143", "telephone or e-mail"},
           {{0x0008, 0x0020}, "DA", "b. 19580312", "birth date"},
       }) {
    SCOPED_TRACE(value);
    const Sent sent = Send(kWeak, With(Patient(), {Text(tag, vr, value)}));
    EXPECT_EQ(sent.Failure(), "identifier-left");
    EXPECT_EQ(sent.error.where.substr(11), ": "s + kind);
  }
}

TEST(Guard, LooksEverywhereInEveryEncoding) {
  const std::string name = "xx Quennelthorp";
  const DataSet creator = {Text({0x0029, 0x0010}, "LO", "ACME 1")};
  const std::pair<DataSet, const char*> cases[] = {
      {{Raw({0x0029, 0x1001}, "OB", "\x01\x02\x03Quennelthorp\0"s)}, "(0029,1001)"},
      {{Raw({0x0029, 0x1001}, "UN", Wide("Quennelthorp", false))}, "(0029,1001)"},
      {{Raw({0x0029, 0x1001}, "UN", Wide("- quennelTHORP -", true))}, "(0029,1001)"},
      {{Text({0x0029, 0x1001}, "LO", name)}, "(0029,1001)"},
      {{Seq({0x0008, 0x1111}, {{},
                               {Text({0x0008, 0x1150}, "UI", "1.2"),
                                Seq({0x0040, 0x0275}, {{Text({0x0032, 0x1060}, "LO", name)}})}})},
       "(0008,1111)[1].(0040,0275)[0].(0032,1060)"},
      {{Text({0x0042, 0x0010}, "ST", "t"),
        Raw({0x0042, 0x0011}, "OB", "%PDF-1.4 (" + name + ") Tj")},
       "(0042,0011)"},
      {{NativePixels(), Raw({0xFFFA, 0x0010}, "OB", name + "!")}, "(FFFA,0010)"},
      // The next element begins with the letter 'T': it is no part of the word.
      {{Text({0x0040, 0x0254}, "LO", "xQuennelthorp-Quennelthorp"),
        Text({0x0054, 0x0400}, "SH", "i")},
       "(0040,0254)"},
  };
  for (const auto& [more, where] : cases) {
    for (const Syntax& syntax : kSyntaxes) {
      SCOPED_TRACE(std::string(where) + syntax.name);
      ExpectLeft(Send(kWeak, With(With(Patient(), creator), more), syntax),
                 std::string(where) + ": person name");
    }
  }
}

TEST(Guard, KnowsCharacterSets) {
  const auto send = [](const char* terms, const std::string& name, Tag tag, const char* vr,
                       const std::string& left) {
    const DataSet more = {Text({0x0008, 0x0005}, "CS", terms), Text({0x0010, 0x0010}, "PN", name),
                          Raw(tag, vr, left)};
    return Send(kWeak, With(Patient(), more));
  };
  const Tag text{0x0008, 0x1030};
  const Tag bytes{0x0042, 0x0011};
  // Latin-1 name.
  const std::string krueger = "Kr\xFCger-Wei\xDFhaupt^Ole";
  for (const std::string& left : {"KR\xDCGER "s, "Kr\xFCger "s, "Krueger "s, "KRUGER"s}) {
    ExpectLeft(send("ISO_IR 100", krueger, text, "LO", left), "(0008,1030): person name");
  }
  ExpectLeft(send("ISO_IR 100", krueger, bytes, "OB", "Kr\xC3\xBCger"s + " "),
             "(0042,0011): person name");
  ExpectLeft(send("ISO_IR 100", krueger, bytes, "OB", "K\0r\0\xFC\0g\0e\0r\0"s),
             "(0042,0011): person name");
  // UTF-8: Cyrillic, and Chinese inside other text.
  const std::string ivanov = "\xD0\x98\xD0\xB2\xD0\xB0\xD0\xBD\xD0\xBE\xD0\xB2";
  const std::string upper = "\xD0\x98\xD0\x92\xD0\x90\xD0\x9D\xD0\x9E\xD0\x92";
  ExpectLeft(send("ISO_IR 192", ivanov, text, "LO", upper), "(0008,1030): person name");
  ExpectLeft(
      send("ISO_IR 192", ivanov, bytes, "OB", "\x18\x04\x32\x04\x30\x04\x3D\x04\x3E\x04\x32\x04"s),
      "(0042,0011): person name");
  const std::string wang = "\xE7\x8E\x8B\xE5\xB0\x8F\xE4\xB8\x9C";
  ExpectLeft(
      send("ISO_IR 192", "Wang=" + wang, text, "LO", "\xE6\x82\xA3" + wang + "\xE6\x82\xA3 "),
      "(0008,1030): person name");
  // Korean by code extension, in its own bytes.
  ExpectLeft(send("\\ISO 2022 IR 149", "Hong=\x1B$)C\xFB\xF3\x1B$)C\xD1\xCE\xD4\xD7", text, "LO",
                  "\x1B$)C\xFB\xF3\xD1\xCE\xD4\xD7"s),
             "(0008,1030): person name");
}

TEST(Guard, FindsNamesWrittenAsOneWordAndIdsWithoutTheirIssuer) {
  const auto left = [](const char* name, const char* id, const char* text) {
    return Send(kWeak, With(Patient(),
                            {Text({0x0010, 0x0010}, "PN", name), Text({0x0010, 0x0020}, "LO", id),
                             Text({0x0008, 0x1030}, "LO", text)}))
        .error.where;
  };
  EXPECT_EQ(left("O'Quorley^Ann", "1", "seen OQUORLEY"), "(0008,1030): person name");
  EXPECT_EQ(left("van der Quorl^Ann", "1", "VanderQuorl"), "(0008,1030): person name");
  EXPECT_EQ(left("van der Quorl^Ann", "1", "VanderQuorls"), "");
  EXPECT_EQ(left("Quorl^Ann", "8471930^^^HOSP", "MRN 8471930"), "(0008,1030): ID");
}

TEST(Guard, KnowsTheCapitalsOfGreekAndTurkish) {
  const std::pair<const char*, const char*> cases[] = {
      {"\xCE\x9A\xCF\x8C\xCF\x81\xCE\xB1\xCE\xBA\xCE\xB1\xCF\x82",  // with a final sigma
       "\xCE\x9A\xCE\x8C\xCE\xA1\xCE\x91\xCE\x9A\xCE\x91\xCE\xA3"},
      {"\xCE\x9A\xCE\x8C\xCE\xA1\xCE\x91\xCE\x9A\xCE\x91\xCE\xA3",
       "\xCE\xBA\xCF\x8C\xCF\x81\xCE\xB1\xCE\xBA\xCE\xB1\xCF\x82"},
      {"K\xC4\xB1rd\xC4\xB1\xC4\x9Fl\xC4\xB1", "KIRDI\xC4\x9ELI"},
      {"KIRDI\xC4\x9ELI", "k\xC4\xB1rd\xC4\xB1\xC4\x9Fl\xC4\xB1"},
      {"Di\xC5\x9Flili", "D\xC4\xB0\xC5\x9EL\xC4\xB0L\xC4\xB0"},
      {"D\xC4\xB0\xC5\x9EL\xC4\xB0L\xC4\xB0", "di\xC5\x9Flili"},
  };
  for (const auto& [name, text] : cases) {
    SCOPED_TRACE(name);
    ExpectLeft(Send(kWeak, With(Patient(), {Text({0x0008, 0x0005}, "CS", "ISO_IR 192"),
                                            Text({0x0010, 0x0010}, "PN", name),
                                            Text({0x0008, 0x1030}, "LO", text)})),
               "(0008,1030): person name");
  }
  ExpectLeft(Send(kWeak, With(Patient(), {Text({0x0008, 0x1030}, "LO", "born 1958:03:12")})),
             "(0008,1030): birth date");
}

TEST(Guard, WordsEndAtWhatIsNoLetterInAnyEncoding) {
  const std::string name = "Quennelthorp";
  struct Case {
    const char* what;
    std::string bytes;
    bool alone = true;
  };
  const std::string le = "\xFF\xFE"s + Wide(name, false);
  const std::string be = "\xFE\xFF"s + Wide(name, true);
  for (const auto& [what, bytes, alone] : std::vector<Case>{
           {"no-break spaces", "\xC2\xA0" + name + "\xC2\xA0"},
           {"quotes", "\xE2\x80\x9C" + name + "\xE2\x80\x9D"},
           {"low quotes", "\xE2\x80\x9E" + name + "\xE2\x80\x9C"},
           {"a dash", "CT\xE2\x80\x93" + name},
           {"an ellipsis", name + "\xE2\x80\xA6"},
           {"guillemets", "\xC2\xAB" + name + "\xC2\xBB"},
           {"guillemets of Latin-1", "\xAB" + name + "\xBB"},
           {"quotes of Windows", "\x93" + name + "\x94"},
           {"a multiplication sign", "\xD7" + name + "\xF7"},
           {"a byte order mark", "\xEF\xBB\xBF" + name},
           {"a bullet", "\xE2\x80\xA2" + name},
           {"an arrow", "\xE2\x86\x92" + name},
           {"Chinese", "\xE7\x8E\x8B" + name + "\xE7\x8E\x8B"},
           {"a mark of UTF-16", le},
           {"a mark of UTF-16, big endian", be},
           {"quotes in UTF-16", "\x1C\x20" + Wide(name, false) + "\x1D\x20"},
           {"quotes in UTF-16, big endian", "\x20\x1C" + Wide(name, true) + "\x20\x1D"},
           {"a letter", name + "\xC3\xB6", false},
           {"a letter in front", "\xC3\xB6" + name, false},
           {"a letter of Latin-1", name + "\xF6", false},
           {"a Greek letter", "\xCE\xB1" + name, false},
           {"a letter in UTF-16", Wide("s" + name, false), false},
           {"a letter behind, in UTF-16", Wide(name + "s", true), false},
           {"a Greek letter in UTF-16", "\xB1\x03" + Wide(name, false), false},
           {"a Greek letter behind, in UTF-16", Wide(name, true) + "\x03\xB1", false},
       }) {
    SCOPED_TRACE(what);
    const std::string even = bytes + std::string(bytes.size() % 2, '\0');
    const Sent sent = Send(kWeak, With(Patient(), {Text({0x0029, 0x0010}, "LO", "ACME 1"),
                                                   Raw({0x0029, 0x1001}, "OB", even)}));
    EXPECT_EQ(sent.ok, !alone);
  }
}

TEST(Guard, LooksIntoTheCommentsOfFrames) {
  const auto frame = [](const std::string& comment) {
    std::string bytes = "\xFF\xD8\xFF\xFE"s;
    bytes.push_back('\0');
    bytes.push_back(static_cast<char>(comment.size() + 2));
    return bytes + comment + "\xFF\xDA\0\x02"s + "Quennelthorp\xFF\xD9"s +
           (comment.size() % 2 ? "\0"s : ""s);
  };
  ExpectLeft(
      Send(kWeak, With(Patient(), {Fragments({"", frame("x"), frame("by Quennelthorp")})}), kJpeg),
      "(7FE0,0010): person name");
  // Image data is no text.
  EXPECT_TRUE(Send(kWeak, With(Patient(), {Fragments({"", frame("Lavc"), frame("x")})}), kJpeg).ok);
  const std::string codestream = "\xFF\x4F\xFF\x64\0\x10\0\x01"s + "Quennelthorp\xFF\x90"s;
  ExpectLeft(Send(kWeak, With(Patient(), {Fragments({"", codestream})}), kJpeg),
             "(7FE0,0010): person name");
}

TEST(Guard, WhatIsRetainedOnPurposeIsExempt) {
  EXPECT_TRUE(Send("guard: on\n", Patient()).ok);
  EXPECT_TRUE(Send("guard: on\nrules:\n  - {tag: PatientName, action: keep}\n  - {tag: PatientID, "
                   "action: redact}\n",
                   With(Patient(), {Text({0x0008, 0x1030}, "LO", "Quennelthorp")}))
                  .ok);
  // `otherwise: keep` is no purpose where a rule took the same name away.
  ExpectLeft(Send("guard: on\nrules:\n  - {tag: PatientName, action: redact}\n",
                  With(Patient(), {Text({0x0040, 0xA123}, "PN", "Quennelthorp^Zebediah")})),
             "(0040,A123): person name");
  // What a rule writes is its own, even if it stood there before.
  EXPECT_TRUE(
      Send("guard: on\nrules:\n  - {tag: PatientName, action: replace, with: {value: Zebediah}}\n",
           With(Patient(), {Text({0x0010, 0x0010}, "PN", "Zebediah")}))
          .ok);
  ExpectLeft(
      Send(
          "guard: on\nrules:\n  - {tag: PatientName, action: edit, with: {find: ^Q, replace: X}}\n",
          Patient()),
      "(0010,0010): person name");
}

TEST(Guard, CanBeSwitchedOffAndHasExceptions) {
  const DataSet leak = With(Patient(), {Text({0x0008, 0x1030}, "LO", "Quennelthorp")});
  const std::string rules = std::string(kWeak).substr(std::string(kWeak).find("rules:"));
  EXPECT_TRUE(Send("guard: off\n" + rules, leak).ok);
  const std::string except =
      "guard: {except: [{tag: [StudyDescription, SeriesDescription], because: a test}]}\n" + rules;
  EXPECT_TRUE(Send(except, leak).ok);
  ExpectLeft(Send(except, With(leak, {Text({0x0018, 0x1030}, "LO", "Zebediah")})),
             "(0018,1030): person name");
  EXPECT_THROW(Rules("guard: no\n"), RuleError);
  EXPECT_THROW(Rules("guard: {except: [{tag: StudyDescription}]}\n"), RuleError);
  EXPECT_THROW(Rules("guard: {except: [{because: x}]}\n"), RuleError);
  EXPECT_THROW(Rules("guard: {}\n"), RuleError);
  EXPECT_TRUE(
      LoadRulesFromText("dcmveil: 1\nrules: []\notherwise: keep\n", "r").plan()->parts().guard);
}

TEST(Guard, SaysNoValue) {
  const Sent sent = Send(kWeak, With(Patient(), {Text({0x0008, 0x1030}, "LO", "Quennelthorp")}));
  EXPECT_EQ(sent.error.Message().find("uennel"), std::string::npos);
}

TEST(Guard, CommonWordsAreNoNames) {
  const DataSet hand = With(Patient(), {Text({0x0010, 0x0010}, "PN", "Hand^Zebediah"),
                                        Text({0x0008, 0x1030}, "LO", "CT Hand, left")});
  EXPECT_TRUE(Send(kWeak, hand).ok);
  const DataSet manufacturer = With(Patient(), {Text({0x0008, 0x0070}, "LO", "Vendotron"),
                                                Text({0x0008, 0x0080}, "LO", "Vendotron")});
  EXPECT_TRUE(Send(kWeak, manufacturer).ok);
}

}  // namespace
}  // namespace dcmveil::testing
