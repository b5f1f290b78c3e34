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

}  // namespace
}  // namespace dcmveil::testing
