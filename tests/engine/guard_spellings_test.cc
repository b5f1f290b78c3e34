// SPDX-License-Identifier: Apache-2.0
//
// Identifiers that stand in the output in another spelling than in the input.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/rules.h"

namespace dcmveil::testing {
namespace {

using namespace std::string_literals;  // NOLINT(google-build-using-namespace)

constexpr Tag kDescription{0x0008, 0x1030};
constexpr Tag kPrivate{0x0029, 0x1001};
constexpr const char* kRules = R"y(
guard: on
rules:
  - {tag: "(0029,xxxx)", action: keep}
  - {vr: PN, action: redact}
  - {tag: [PatientID, PatientTelephoneNumbers, PatientBirthDate], action: remove}
  - {tag: [StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID], action: refresh-uid}
)y";
constexpr const char* kStudyUid = "1.2.276.0.7230010.3.1.2.4711";

/// What the guard finds of an instance with these elements: "" for nothing.
std::string FoundIn(const DataSet& more, const Syntax& syntax = kImplicit) {
  const DataSet person = {
      Text({0x0008, 0x0005}, "CS", "ISO_IR 192"), Text({0x0010, 0x0010}, "PN", "Ottokar^Else"),
      Text({0x0010, 0x0030}, "DA", "19620319"), Text({0x0020, 0x000D}, "UI", kStudyUid),
      Raw({0x0029, 0x0010}, "LO", "ACME")};
  const Sent sent = Send(kRules, With(With(SmallCt(), person), more), syntax);
  if (sent.ok) return "";
  EXPECT_EQ(sent.Failure(), "identifier-left");
  return sent.error.where.substr(13);
}

std::string Even(std::string bytes) { return bytes += std::string(bytes.size() % 2, '\0'); }

std::string Utf16(const std::u16string& text, bool big_endian) {
  std::string bytes;
  for (const char16_t unit : text) {
    const char both[] = {static_cast<char>(unit >> 8U), static_cast<char>(unit & 0xFFU)};
    bytes += both[big_endian ? 0 : 1];
    bytes += both[big_endian ? 1 : 0];
  }
  return bytes;
}

TEST(GuardSpellings, MarksInACharacterOfTheirOwnAreTheSameLetters) {
  struct Case {
    const char* name;
    const char* text;
  };
  for (const auto& [name, text] : std::vector<Case>{
           {"Müstermann", "Mu\u0308stermann"},
           {"Müstermann", "of MU\u0308STERMANN"},
           {"Mu\u0308stermann", "Müstermann"},
           {"Mu\u0308stermann", "Mu\u0308stermann"},
           {"Mu\u0308stermann", "MÜSTERMANN"},
           {"Mu\u0308stermann", "Muestermann"},
           {"Lefe\u0300vre", "lefèvre"},
           {"Nguyễn", "Nguye\u0302\u0303n"},
           {"Nguye\u0302\u0303n", "NGUYỄN"},
           {"Dvořák", "Dvor\u030Ca\u0301k"},
           {"Τσίπρας", "Τσι\u0301πρας"},
           {"Горький", "Горькии\u0306"},
           {"Гор\u044Cкии\u0306", "ГОРЬКИЙ"},
       }) {
    EXPECT_EQ(FoundIn({Text({0x0010, 0x0010}, "PN", name), Text(kDescription, "LO", text)}),
              "person name")
        << name << " as " << text;
  }
  const Elem patient = Text({0x0010, 0x0010}, "PN", "Müstermann");
  for (const bool big_endian : {false, true}) {
    const std::string wide = Utf16(u"by Mu\u0308stermann.", big_endian);
    EXPECT_EQ(FoundIn({patient, Raw(kPrivate, "OB", wide)}), "person name");
  }
  // Longer words, and another name.
  for (const char* text : {"Mu\u0308stermanns", "Mu\u0308sterman", "Mo\u0308stermann"}) {
    EXPECT_EQ(FoundIn({patient, Text(kDescription, "LO", text)}), "") << text;
  }
  EXPECT_EQ(FoundIn({Text({0x0010, 0x0010}, "PN", "Quorl^Renatu"),
                     Text(kDescription, "LO", "Renatu\u0308")}),
            "");
  // Latin-1, whose name another system wrote in UTF-8.
  EXPECT_EQ(FoundIn({Text({0x0008, 0x0005}, "CS", "ISO_IR 100"),
                     Text({0x0010, 0x0010}, "PN", "M\xFCstermann"),
                     Raw(kPrivate, "OB", Even("by Mu\u0308stermann"))}),
            "person name");
}

TEST(GuardSpellings, AUidWithMoreBehindItIsThatUid) {
  for (const std::string& text :
       {kStudyUid + ".5.1"s, "see "s + kStudyUid + ".12/3", kStudyUid + ".0"s}) {
    EXPECT_EQ(FoundIn({Text(kDescription, "LO", text)}), "UID") << text;
    EXPECT_EQ(FoundIn({Raw(kPrivate, "OB", Even(text))}), "UID") << text;
  }
  EXPECT_EQ(FoundIn({Text({0x0020, 0x0052}, "UI", kStudyUid + ".7"s),
                     Text({0x0008, 0x0018}, "UI", kStudyUid + ".8"s)}),
            "");  // `otherwise` leaves it where it stands
  for (const std::string& text :
       {kStudyUid + "2.5"s, "9."s + kStudyUid + ".5", "1.2.276.0.7230010.3.1.2.471.1"s}) {
    EXPECT_EQ(FoundIn({Text(kDescription, "LO", text)}), "") << text;
  }
}

TEST(GuardSpellings, AUidThatIsKeptMayBeginWithOneThatIsNot) {
  const std::string kept = kStudyUid + ".5.1"s;
  const auto send = [&](const char* text) {
    return Send(
        "guard: on\nrules:\n  - {vr: PN, action: redact}\n  - {tag: StudyInstanceUID, action: "
        "refresh-uid}\n  - {tag: SOPInstanceUID, action: keep}\n",
        With(SmallCt(), {Text({0x0008, 0x0018}, "UI", kept), Text(kDescription, "LO", text),
                         Text({0x0020, 0x000D}, "UI", kStudyUid)}));
  };
  EXPECT_TRUE(send(("of " + kept + ", 2").c_str()).ok);
  EXPECT_FALSE(send((kept + ".3").c_str()).ok);
}

TEST(GuardSpellings, RootsOfOrganisationsAreNoUidsOfSomebody) {
  for (const char* root : {"1.2.840.113619.2", "1.3.6.1.4.1.14519.5.2.1",
                           "1.2.826.0.1.3680043.10.1234", "1.2.840.10008.5.1.4.1.1.88.9999"}) {
    const DataSet more = {Text({0x0020, 0x000D}, "UI", root),
                          Text(kDescription, "LO", root + ".77.12"s)};
    EXPECT_EQ(FoundIn(more), "") << root;
  }
}

TEST(GuardSpellings, ZerosInFrontOfANumberDoNotCount) {
  struct Case {
    const char* id;
    const char* text;
    bool found = true;
  };
  for (const auto& [id, text, found] : std::vector<Case>{
           {"52345", "0052345"},
           {"52345", "MRN 00052345."},
           {"52-345", "00052345"},
           {"0052345", "MRN 52345"},
           {"0052345", "0052345"},
           {"0052345", "00052345"},
           {"00-52345", "52345"},
           {"0052345^^^HOSP", "52345"},
           {"52345", "10052345", false},
           {"52345", "0.0052345", false},
           {"52345", "IM0052345", false},
           {"52345", "005234", false},
           {"52345", "00523450", false},
           {"0052345", "152345", false},
           {"0000523", "523", false},
           {"0005555", "5555", false},
       }) {
    const DataSet more = {Text({0x0010, 0x0020}, "LO", id), Text(kDescription, "LO", text)};
    EXPECT_EQ(FoundIn(more), found ? "ID" : "") << id << " as " << text;
  }
  const Elem id = Text({0x0010, 0x0020}, "LO", "52345");
  EXPECT_EQ(FoundIn({id, Raw(kPrivate, "OB", Even("- 00052345 -"))}), "ID");
  EXPECT_EQ(FoundIn({id, Raw(kPrivate, "OB", Utf16(u"id 00052345 ", false))}), "ID");
  EXPECT_EQ(FoundIn({id, Raw(kPrivate, "OB", Utf16(u"id 10052345 ", false))}), "");
  // A time and a number.
  EXPECT_EQ(FoundIn({id, Text({0x0008, 0x0030}, "TM", "052345")}), "");
  EXPECT_EQ(FoundIn({id, Text({0x0020, 0x0013}, "IS", "0052345")}), "");
  EXPECT_EQ(FoundIn({Text({0x0010, 0x2154}, "SH", "49895550143"),
                     Text(kDescription, "LO", "0049 89 5550143")}),
            "telephone or e-mail");
  // Kept on purpose.
  const Sent kept =
      Send("guard: on\nrules:\n  - {tag: PatientID, action: keep}\n  - {vr: PN, action: redact}\n",
           With(SmallCt(), {Text({0x0010, 0x0020}, "LO", "0052345"),
                            Text(kDescription, "LO", "0052345 or 52345")}));
  EXPECT_TRUE(kept.ok) << kept.error.where;
}

TEST(GuardSpellings, MonthsHaveNamesInManyLanguages) {
  struct Case {
    const char* born;
    const char* text;
    bool found = true;
  };
  for (const auto& [born, text, found] : std::vector<Case>{
           {"19620319", "19. März 1962"},
           {"19620319", "geb. 19.Mär.62"},
           {"19620319", "19. MÄRZ 1962"},
           {"19620319", "19. Ma\u0308rz 1962"},
           {"19620319", "19 Maerz 1962"},
           {"19620319", "19 mars 1962"},
           {"19620319", "19 de marzo de 1962"},
           {"19620319", "19 de março de 1962"},
           {"19620319", "19 MARCA 1962"},
           {"19620319", "19 марта 1962 г."},
           {"19620319", "19 МАРТА 1962"},
           {"19620319", "19 Μαρτίου 1962"},
           {"19620319", "19.III.1962"},
           {"19620319", "March 19th, 1962"},
           {"19620319", "19th of March 1962"},
           {"19620319", "19mar62"},
           {"19620319", "1962 Mar 19"},
           {"19620301", "1er mars 1962"},
           {"19621009", "9. října 1962"},
           {"19621009", "09-OKT-62"},
           {"19621009", "9 października 1962"},
           {"19620809", "9 Ağustos 1962"},
           {"19620809", "le 9 août 1962"},
           {"19620319", "18. März 1962", false},
           {"19620309", "19. März 1962", false},
           {"19620319", "19. März 1963", false},
           {"19620319", "19. Mai 1962", false},
           {"19620319", "März 1962", false},
           {"19620319", "19 x 1962", false},
           {"19620319", "19 März at 1962", false},
           {"19620319", "19          März 1962", false},
           {"19620319", "119 März 1962", false},
           {"19620319", "19 März 19622", false},
           {"19620319", "1962", false},
       }) {
    const DataSet more = {Text({0x0010, 0x0030}, "DA", born), Text(kDescription, "LO", text)};
    EXPECT_EQ(FoundIn(more), found ? "birth date" : "") << born << " as " << text;
  }
  // Two people who were born in one month.
  const Elem other = Text({0x0010, 0x0030}, "DA", "19620302");
  EXPECT_EQ(FoundIn({Seq({0x0008, 0x1111}, {{other}}), Text(kDescription, "LO", "2. März 1962")}),
            "birth date");
}

TEST(GuardSpellings, MonthsHaveNamesInOtherCharacterSets) {
  EXPECT_EQ(FoundIn({Text({0x0008, 0x0005}, "CS", "ISO_IR 100"),
                     Text(kDescription, "LO", "19. M\xC4RZ 1962")}),
            "birth date");
  EXPECT_EQ(FoundIn({Text({0x0008, 0x0005}, "CS", "ISO_IR 144"),
                     Text(kDescription, "LO", "19 \xDC\xD0\xE0\xE2\xD0 1962")}),
            "birth date");
  EXPECT_EQ(
      FoundIn({Text({0x0008, 0x0005}, "CS", "ISO_IR 101"), Text({0x0010, 0x0030}, "DA", "19620919"),
               Text(kDescription, "LO", "19 wrze\xB6nia 1962")}),
      "birth date");
  for (const bool big_endian : {false, true}) {
    for (const char16_t* text : {u"* 19. März 1962 ", u"* 19 марта 1962 ", u"* 19 mars 62 "}) {
      EXPECT_EQ(FoundIn({Raw(kPrivate, "OB", Utf16(text, big_endian))}), "birth date");
    }
  }
  EXPECT_EQ(FoundIn({Raw(kPrivate, "OB", "\1\2 19. M\xE4rz 1962\1\1"s)}), "birth date");
}

}  // namespace
}  // namespace dcmveil::testing
