// SPDX-License-Identifier: Apache-2.0
#include "engine/dictionary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace dcmveil {
namespace {

constexpr std::uint32_t kExact = 0xFFFFFFFFU;

std::string KeywordOf(std::uint32_t number) {
  const Attribute* const row = FindAttribute(Tag(number));
  return row == nullptr ? "" : std::string(row->keyword);
}

TEST(DictionaryTest, RowsAreSortedAndWellFormed) {
  ASSERT_GT(AllAttributes().size(), 4950U);
  const Attribute* before = nullptr;
  for (const Attribute& row : AllAttributes()) {
    const std::string where = ToString(row.tag) + " " + std::string(row.keyword);
    if (before != nullptr) {
      EXPECT_TRUE(before->tag < row.tag || (before->tag == row.tag && before->mask > row.mask))
          << where;
    }
    before = &row;
    EXPECT_EQ(row.tag.number() & row.mask, row.tag.number()) << where;
    EXPECT_FALSE(row.tag.is_private()) << where;
    EXPECT_NE(row.mask & 0x00010000U, 0U) << where << ": would match odd groups";
    EXPECT_FALSE(row.vrs.empty()) << where;
    ASSERT_FALSE(row.keyword.empty()) << where;
    EXPECT_NE(std::isalpha(static_cast<unsigned char>(row.keyword[0])), 0) << where;
    EXPECT_TRUE(std::all_of(row.keyword.begin(), row.keyword.end(), [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0;
    })) << where;
  }
}

TEST(DictionaryTest, EveryRowIsFoundByTagAndByKeyword) {
  std::set<std::string_view> keywords;
  for (const Attribute& row : AllAttributes()) {
    EXPECT_TRUE(keywords.insert(row.keyword).second) << row.keyword;
    EXPECT_EQ(FindKeyword(row.keyword), &row) << row.keyword;
    if (row.mask == kExact) {
      EXPECT_EQ(FindAttribute(row.tag), &row) << row.keyword;
    }
  }
}

TEST(DictionaryTest, RepeatingRowsAreFoundUnlessAnExactRowOrAGroupLengthIsThere) {
  for (const Attribute& row : AllAttributes()) {
    if (row.mask == kExact) continue;
    int found = 0;
    for (std::uint32_t bits = ~row.mask, rest = bits; rest != 0; rest = (rest - 1) & bits) {
      const Tag tag(row.tag.number() | rest);
      const Attribute* const hit = FindAttribute(tag);
      if (tag.is_group_length()) continue;
      ASSERT_NE(hit, nullptr) << ToString(tag);
      EXPECT_TRUE(hit == &row || hit->mask == kExact) << ToString(tag);
      found += hit == &row ? 1 : 0;
    }
    EXPECT_GT(found, 0) << row.keyword;
  }
}

struct TagCase {
  std::uint32_t number;
  const char* keyword;  // Empty: no such attribute.
  VrSet vrs;
};

TEST(DictionaryTest, KnowsTheseTags) {
  const TagCase cases[] = {
      {0x00000000, "CommandGroupLength", Vr::UL},
      {0x00000002, "AffectedSOPClassUID", Vr::UI},
      {0x00020000, "FileMetaInformationGroupLength", Vr::UL},
      {0x00020010, "TransferSyntaxUID", Vr::UI},
      {0x00041130, "FileSetID", Vr::CS},
      {0x00041200, "OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity", Vr::UL},
      {0x00080005, "SpecificCharacterSet", Vr::CS},
      {0x00080019, "PyramidUID", Vr::UI},
      {0x00081301, "PrincipalDiagnosisCodeSequence", Vr::SQ},
      {0x00100011, "PersonNamesToUseSequence", Vr::SQ},
      {0x00100020, "PatientID", Vr::LO},
      {0x00100044, "GenderIdentityCodeSequence", Vr::SQ},
      {0x00101000, "OtherPatientIDs", Vr::LO},
      {0x00280106, "SmallestImagePixelValue", {Vr::US, Vr::SS}},
      {0x00283006, "LUTData", {Vr::US, Vr::OW}},
      {0x00281200, "GrayLookupTableData", {Vr::US, Vr::SS, Vr::OW}},
      {0x3004007F, "DoseCalculationModelName", Vr::LO},
      {0x7FE00010, "PixelData", {Vr::OB, Vr::OW}},
      {0xFFFCFFFC, "DataSetTrailingPadding", Vr::OB},
      // Repeating groups.
      {0x00203100, "SourceImageIDs", Vr::CS},
      {0x002031FE, "SourceImageIDs", Vr::CS},
      {0x00280400, "TransformLabel", Vr::LO},
      {0x00280410, "RowsForNthOrderCoefficients", Vr::US},
      {0x002804F3, "CoefficientCodingPointers", Vr::AT},
      {0x00280800, "CodeLabel", Vr::CS},
      {0x10000015, "ShiftTableTriplet", Vr::US},
      {0x10100004, "ZonalMap", Vr::US},
      {0x50000005, "CurveDimensions", Vr::US},
      {0x501E3000, "CurveData", {Vr::OB, Vr::OW}},
      {0x60003000, "OverlayData", {Vr::OB, Vr::OW}},
      {0x60023000, "OverlayData", {Vr::OB, Vr::OW}},
      {0x601E4000, "OverlayComments", Vr::LT},
      {0x7F020010, "VariablePixelData", {Vr::OB, Vr::OW}},
      // Nothing.
      {0x00000001 + 0x00F00000, "", {}},
      {0x00080000, "", {}},
      {0x10100000, "", {}},
      {0x60000000, "", {}},
      {0x00090010, "", {}},
      {0x00091001, "", {}},
      {0x60013000, "", {}},
      {0x60203000, "", {}},
      {0x50203000, "", {}},
      {0xFFFEE000, "", {}},
      {0xFFFFFFFF, "", {}},
  };
  for (const TagCase& c : cases) {
    EXPECT_EQ(KeywordOf(c.number), c.keyword) << ToString(Tag(c.number));
    const Attribute* const row = FindAttribute(Tag(c.number));
    if (row != nullptr) {
      EXPECT_EQ(row->vrs, c.vrs) << c.keyword;
    }
  }
}

TEST(DictionaryTest, KeywordsAreExact) {
  ASSERT_NE(FindKeyword("PatientID"), nullptr);
  EXPECT_EQ(FindKeyword("PatientID")->tag, Tag(0x0010, 0x0020));
  for (const char* const text : {"", "patientid", "PatientId", "Patient ID", "RETIRED_CurveData",
                                 "A", "Zzzz", "PatientIDs"}) {
    EXPECT_EQ(FindKeyword(text), nullptr) << text;
  }
}

struct NearCase {
  const char* word;
  const char* nearest;  // Empty: none.
};

TEST(DictionaryTest, NearestKeyword) {
  const NearCase cases[] = {
      {"PatientID", "PatientID"},
      {"patientid", "PatientID"},
      {"PatientNmae", "PatientName"},
      {"PatentName", "PatientName"},
      {"PatientsBirthDate", "PatientBirthDate"},
      {"StudyInstanceUid", "StudyInstanceUID"},
      {"StudyIntsanceUDI", "StudyInstanceUID"},
      {"ReferingPhysicanName", "ReferringPhysicianName"},
      {"Modalty", "Modality"},
      {"AcessionNumber", "AccessionNumber"},
      {"", ""},
      {"Q", ""},
      {"QX", ""},
      {"ThisIsNoKeywordAtAllNorNearOne", ""},
  };
  for (const NearCase& c : cases) {
    EXPECT_EQ(NearestKeyword(c.word).value_or(""), c.nearest) << c.word;
  }
}

TEST(DictionaryTest, NearestWord) {
  constexpr std::array<std::string_view, 6> kActions = {"remove", "replace", "empty",
                                                        "keep",   "keel",    "hash_uid"};
  const NearCase cases[] = {
      {"remove", "remove"},
      {"REMOVE", "remove"},
      {"romeve", "remove"},
      {"rmeove", "remove"},
      {"relpace", "replace"},
      {"hashuid", "hash_uid"},
      {"kep", "keep"},
      {"kee", "keel"},
      {"delete", ""},
      {"", ""},
      {"zz", ""},
  };
  for (const NearCase& c : cases) {
    EXPECT_EQ(NearestWord(c.word, kActions).value_or(""), c.nearest) << c.word;
  }
  EXPECT_EQ(NearestWord("remove", {}), std::nullopt);

  // The order of the choices decides nothing.
  std::vector<std::string_view> reversed(kActions.rbegin(), kActions.rend());
  EXPECT_EQ(NearestWord("kee", reversed), "keel");
}

TEST(DictionaryTest, RegisteredUids) {
  for (const char* const uid : {
           "1.2.840.10008.1.1",              // Verification
           "1.2.840.10008.1.2",              // Implicit VR Little Endian
           "1.2.840.10008.1.2.4.201",        // HTJ2K
           "1.2.840.10008.1.3.10",           // DICOMDIR
           "1.2.840.10008.1.4.1.1",          // Talairach frame of reference
           "1.2.840.10008.1.5.1",            // Hot Iron palette
           "1.2.840.10008.2.16.4",           // DCM
           "1.2.840.10008.5.1.4.1.1.12.77",  // retired without a name
           "1.2.840.10008.5.1.4.1.1.2",      // CT
           "1.2.840.10008.5.1.4.1.1.66.7",   // Label Map Segmentation
           "1.2.840.10008.5.1.4.34.5",       // UPS global subscription
           "1.2.840.10008.15.1.1",           // UTC
           "2.16.840.1.113883.6.1",          // LOINC
           "2.16.840.1.113883.6.96",         // SNOMED CT
       }) {
    EXPECT_TRUE(IsRegisteredUid(uid)) << uid;
    EXPECT_FALSE(UidName(uid).empty()) << uid;
  }
  for (const char* const uid : {
           "",
           "1",
           "1.2.840.10008",
           "1.2.840.10008.1",
           "1.2.840.10008.1.1 ",
           "1.2.840.10008.1.1.1",
           "1.2.840.10008.5.1.4.37.",
           "1.2.840.10008.99.1",
           "1.2.840.113619.2.1",
           "1.2.840.113619.5.2",
           "1.2.276.0.7230010.3.0.3.6.7",
           "2.25.329800735698586629295641978511506172918",
           "9",
       }) {
    EXPECT_FALSE(IsRegisteredUid(uid)) << uid;
    EXPECT_EQ(UidName(uid), "") << uid;
  }
  EXPECT_FALSE(IsRegisteredUid(std::string_view("1.2.840.10008.1.1\0", 18)));
}

TEST(DictionaryTest, UidNames) {
  EXPECT_EQ(UidName("1.2.840.10008.1.1"), "Verification SOP Class");
  EXPECT_EQ(UidName("1.2.840.10008.5.1.4.1.1.6"), "Ultrasound Image Storage (Retired)");

  struct Case {
    const char* name;
    const char* uid;  // Empty: none.
  };
  const Case cases[] = {
      {"EncapsulatedPDFStorage", "1.2.840.10008.5.1.4.1.1.104.1"},
      {"encapsulated pdf storage", "1.2.840.10008.5.1.4.1.1.104.1"},
      {"CTImageStorage", "1.2.840.10008.5.1.4.1.1.2"},
      {"Verification", "1.2.840.10008.1.1"},
      {"VerificationSOPClass", "1.2.840.10008.1.1"},
      {"TwelveLeadECGWaveformStorage", "1.2.840.10008.5.1.4.1.1.9.1.1"},
      {"12-lead ECG Waveform Storage", "1.2.840.10008.5.1.4.1.1.9.1.1"},
      {"UltrasoundImageStorage", "1.2.840.10008.5.1.4.1.1.6.1"},
      {"UltrasoundImageStorageRetired", "1.2.840.10008.5.1.4.1.1.6"},
      {"NuclearMedicineImageStorage", "1.2.840.10008.5.1.4.1.1.20"},
      {"MultiFrameTrueColorSecondaryCaptureImageStorage", "1.2.840.10008.5.1.4.1.1.7.4"},
      {"DigitalXRayImageStorageForPresentation", "1.2.840.10008.5.1.4.1.1.1.1"},
      {"JPEG2000Lossless", "1.2.840.10008.1.2.4.90"},
      {"SCT", "2.16.840.1.113883.6.96"},
      {"", ""},
      {" - ()", ""},
      {"CTImage", ""},
      {"1.2.840.10008.1.1", ""},
  };
  for (const Case& c : cases) EXPECT_EQ(UidFromName(c.name).value_or(""), c.uid) << c.name;
}

}  // namespace
}  // namespace dcmveil
