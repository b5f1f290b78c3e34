// SPDX-License-Identifier: Apache-2.0
#include "rules/profile_tables.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "engine/dictionary.h"

namespace dcmveil::rules {
namespace {

constexpr std::string_view kCt = "1.2.840.10008.5.1.4.1.1.2";
constexpr std::string_view kPet = "1.2.840.10008.5.1.4.1.1.128";
constexpr std::string_view kEnhancedCt = "1.2.840.10008.5.1.4.1.1.2.1";
constexpr std::string_view kEnhancedPet = "1.2.840.10008.5.1.4.1.1.130";
constexpr std::string_view kPrivateClass = "1.3.12.2.1107.5.9.1";

const ProfileRow* Find(std::span<const ProfileRow> rows, std::string_view keyword) {
  const auto row = std::find_if(rows.begin(), rows.end(),
                                [keyword](const ProfileRow& r) { return r.keyword == keyword; });
  return row == rows.end() ? nullptr : &*row;
}

std::string BasicCode(std::string_view keyword) {
  const ProfileRow* const row = Find(BasicRows(), keyword);
  return row == nullptr ? "none" : std::string(row->code.text);
}

Tag TagOf(std::string_view keyword) {
  const Attribute* const attribute = FindKeyword(keyword);
  return attribute == nullptr ? Tag() : attribute->tag;
}

// What holds for E.1-1 and for the layer on top of it.
void CheckRows(std::span<const ProfileRow> rows) {
  const ProfileRow* before = nullptr;
  for (const ProfileRow& row : rows) {
    const std::string where = ToString(Tag(row.value)) + " " + std::string(row.keyword);
    if (before != nullptr && !row.odd_groups) {
      EXPECT_LT(before->value, row.value) << where;
    }
    before = &row;
    EXPECT_EQ(row.value & row.mask, row.value) << where;
    EXPECT_TRUE(row.Matches(Tag(row.value))) << where;
    EXPECT_NE(row.mask & 0x00010000U, 0U) << where;
    EXPECT_FALSE(row.code.offers(ProfileCode::kK)) << where;
    EXPECT_FALSE(row.code.offers(ProfileCode::kC)) << where;
    EXPECT_NE(row.code.strongest(), ProfileCode::kNone) << where;
    for (const ProfileCode code : row.by_option) {
      EXPECT_TRUE(code == ProfileCode::kNone || code == ProfileCode::kK || code == ProfileCode::kC)
          << where;
    }
    EXPECT_EQ(CodeFor(row.by_option, Option::kCleanPixelData), ProfileCode::kNone) << where;
    if (row.keyword.empty()) continue;
    const Attribute* const attribute = FindAttribute(Tag(row.value));
    ASSERT_NE(attribute, nullptr) << where;
    EXPECT_EQ(attribute->keyword, row.keyword) << where;
    EXPECT_EQ(attribute->vrs & row.vrs, row.vrs) << where;
    EXPECT_FALSE(row.vrs.empty()) << where;
  }
}

TEST(ProfileTablesTest, TheBasicProfileIsComplete) {
  EXPECT_EQ(ProfileEdition(), "DICOM PS3.15 2026d");
  ASSERT_EQ(BasicRows().size(), 657U);
  CheckRows(BasicRows());
  // Table E.1-1 by code and by option, so that a lost cell shows.
  std::map<std::string_view, int> codes;
  std::map<std::pair<Option, ProfileCode>, int> cells;
  for (const ProfileRow& row : BasicRows()) {
    ++codes[row.code.text];
    for (const OptionInfo& info : Options()) {
      const ProfileCode code = CodeFor(row.by_option, info.option);
      if (code != ProfileCode::kNone) ++cells[{info.option, code}];
    }
  }
  EXPECT_EQ(codes, (std::map<std::string_view, int>{{"X", 417},
                                                    {"Z", 42},
                                                    {"D", 93},
                                                    {"U", 55},
                                                    {"Z/D", 6},
                                                    {"X/Z", 11},
                                                    {"X/D", 23},
                                                    {"X/Z/D", 8},
                                                    {"X/Z/U*", 2}}));
  const auto kept = [&cells](Option option) { return cells[{option, ProfileCode::kK}]; };
  const auto cleaned = [&cells](Option option) { return cells[{option, ProfileCode::kC}]; };
  EXPECT_EQ(kept(Option::kRetainFullDates), 169);
  EXPECT_EQ(cleaned(Option::kRetainModifiedDates), 169);
  EXPECT_EQ(cleaned(Option::kCleanDescriptors), 141);
  EXPECT_EQ(kept(Option::kRetainUids), 60);
  EXPECT_EQ(kept(Option::kRetainDeviceIdentity), 48);
  EXPECT_EQ(cleaned(Option::kRetainDeviceIdentity), 11);
  EXPECT_EQ(kept(Option::kRetainPatientCharacteristics), 14);
  EXPECT_EQ(cleaned(Option::kRetainPatientCharacteristics), 5);
  EXPECT_EQ(kept(Option::kRetainInstitutionIdentity), 10);
  EXPECT_EQ(cleaned(Option::kCleanStructuredContent), 4);
  EXPECT_EQ(cleaned(Option::kCleanGraphics), 4);
  EXPECT_EQ(cleaned(Option::kRetainSafePrivate), 1);
}

TEST(ProfileTablesTest, BasicRowsReadAsTheStandardHasThem) {
  EXPECT_EQ(BasicCode("PatientName"), "Z");
  EXPECT_EQ(BasicCode("PatientID"), "Z/D");
  EXPECT_EQ(BasicCode("PatientBirthDate"), "Z");
  EXPECT_EQ(BasicCode("AccessionNumber"), "Z");
  EXPECT_EQ(BasicCode("StudyDate"), "Z");
  EXPECT_EQ(BasicCode("SeriesDate"), "X/D");
  EXPECT_EQ(BasicCode("PersonName"), "D");
  EXPECT_EQ(BasicCode("ContentSequence"), "D");
  EXPECT_EQ(BasicCode("SOPInstanceUID"), "U");
  EXPECT_EQ(BasicCode("AnnotationGroupUID"), "D");
  EXPECT_EQ(BasicCode("ReferencedImageSequence"), "X/Z/U*");
  EXPECT_EQ(BasicCode("SOPClassUID"), "none");

  const CodeChoice& image = Find(BasicRows(), "ReferencedImageSequence")->code;
  EXPECT_TRUE(image.compound());
  EXPECT_TRUE(image.offers(ProfileCode::kX));
  EXPECT_TRUE(image.offers(ProfileCode::kZ));
  EXPECT_FALSE(image.offers(ProfileCode::kU));
  EXPECT_EQ(image.strongest(), ProfileCode::kUInItems);
  EXPECT_FALSE(Find(BasicRows(), "PatientName")->code.compound());

  const OptionCodes& date = Find(BasicRows(), "StudyDate")->by_option;
  EXPECT_EQ(CodeFor(date, Option::kRetainFullDates), ProfileCode::kK);
  EXPECT_EQ(CodeFor(date, Option::kRetainModifiedDates), ProfileCode::kC);
  EXPECT_EQ(CodeFor(date, Option::kRetainUids), ProfileCode::kNone);
  // Never retained, under no option (E.3.6).
  EXPECT_EQ(Find(BasicRows(), "PatientBirthDate")->by_option, OptionCodes{});
}

TEST(ProfileTablesTest, RepeatingGroupsAndPrivateElementsHaveTheirRows) {
  const ProfileRow& odd = BasicRows().back();
  EXPECT_TRUE(odd.odd_groups);
  EXPECT_TRUE(odd.Matches(Tag(0x0009, 0x0010)));
  EXPECT_FALSE(odd.Matches(Tag(0x0008, 0x0010)));
  EXPECT_EQ(CodeFor(odd.by_option, Option::kRetainSafePrivate), ProfileCode::kC);
  const ProfileRow& overlay = *Find(BasicRows(), "OverlayData");
  EXPECT_TRUE(overlay.Matches(Tag(0x601E, 0x3000)));
  EXPECT_FALSE(overlay.Matches(Tag(0x6001, 0x3000)));
  EXPECT_FALSE(overlay.Matches(Tag(0x6000, 0x4000)));
  const auto matching = [](Tag tag) {
    return std::count_if(BasicRows().begin(), BasicRows().end(),
                         [tag](const ProfileRow& row) { return row.Matches(tag); });
  };
  EXPECT_EQ(matching(Tag(0x5002, 0x0022)), 1);
  EXPECT_EQ(matching(Tag(0x5003, 0x0022)), 1);
  EXPECT_EQ(matching(Tag(0x0010, 0x0010)), 1);
  EXPECT_EQ(matching(Tag(0x0028, 0x0010)), 0);
}

TEST(ProfileTablesTest, PlusAddsToTheBasicProfileAndDoesNotChangeIt) {
  ASSERT_GT(PlusRows().size(), 250U);
  CheckRows(PlusRows());
  for (const ProfileRow& plus : PlusRows()) {
    EXPECT_FALSE(plus.odd_groups);
    EXPECT_FALSE(plus.code.compound()) << plus.keyword;
    for (const ProfileRow& basic : BasicRows()) {
      EXPECT_FALSE(basic.Matches(Tag(plus.value))) << plus.keyword;
    }
    const bool uid = plus.vrs == VrSet(Vr::UI);
    EXPECT_EQ(plus.code.offers(ProfileCode::kU), uid) << plus.keyword;
  }
  for (const std::string_view kept : {"PixelData", "SOPClassUID", "Manufacturer", "CodeValue"}) {
    EXPECT_EQ(Find(PlusRows(), kept), nullptr) << kept;
  }
  ASSERT_NE(Find(PlusRows(), "TextValue"), nullptr);
  ASSERT_NE(Find(PlusRows(), "DocumentTitle"), nullptr);
  EXPECT_EQ(Find(PlusRows(), "DocumentTitle")->code.text, "Z");
}

TEST(ProfileTablesTest, SafePrivateElements) {
  const std::span<const SafePrivate> rows = SafePrivateRows();
  ASSERT_EQ(rows.size(), 479U);
  const auto key = [](const SafePrivate& r) { return std::tuple(r.creator, r.group, r.element); };
  std::set<std::string_view> creators;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i > 0) {
      EXPECT_LT(key(rows[i - 1]), key(rows[i]));
    }
    EXPECT_TRUE(Tag(rows[i].group, 0x1000).is_private());
    creators.insert(rows[i].creator);
  }
  EXPECT_EQ(creators.size(), 20U);
  EXPECT_TRUE(creators.contains("HOLOGIC, Inc."));
  EXPECT_EQ(
      std::count_if(rows.begin(), rows.end(), [](const SafePrivate& r) { return r.vrs.empty(); }),
      5);
}

TEST(ProfileTablesTest, ContentItems) {
  const std::span<const ContentItemRow> rows = ContentItemRows();
  ASSERT_EQ(rows.size(), 214U);
  const auto key = [](const ContentItemRow& r) {
    return std::tuple(r.code, r.scheme, r.value_type);
  };
  std::map<std::string_view, int> actions;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i > 0) {
      EXPECT_LT(key(rows[i - 1]), key(rows[i]));
    }
    EXPECT_FALSE(rows[i].meaning.empty());
    ++actions[rows[i].action.text];
  }
  EXPECT_EQ(actions, (std::map<std::string_view, int>{{"X", 135}, {"D", 60}, {"X/D", 19}}));
  const auto row = std::find_if(rows.begin(), rows.end(), [](const ContentItemRow& r) {
    return r.code == "113795" && r.value_type == "IMAGE";
  });
  ASSERT_NE(row, rows.end());
  EXPECT_EQ(row->meaning, "Acquired Image");
  EXPECT_EQ(CodeFor(row->by_option, Option::kRetainUids), ProfileCode::kK);
}

TEST(ProfileTablesTest, EverySctConceptHasItsRetiredCode) {
  std::set<std::string_view> concepts;
  for (const ContentItemRow& row : ContentItemRows()) {
    if (row.scheme == "SCT") concepts.insert(row.code);
  }
  std::set<std::string_view> retired;
  for (const RetiredCode& row : RetiredCodes()) {
    EXPECT_TRUE(retired.insert(row.code).second) << row.code;
    EXPECT_FALSE(row.retired.empty());
    if (row.code == "363698007") {
      EXPECT_EQ(row.retired, "G-C0E3");
    }
  }
  EXPECT_EQ(retired, concepts);
  EXPECT_EQ(retired.size(), 10U);
}

TEST(ProfileTablesTest, EveryOptionHasItsNameAndMethodCode) {
  ASSERT_EQ(Options().size(), kOptionCount);
  std::set<std::string_view> codes = {BasicMethodCode().code};
  for (std::size_t i = 0; i < kOptionCount; ++i) {
    const OptionInfo& info = Options()[i];
    EXPECT_EQ(info.option, static_cast<Option>(i));
    EXPECT_EQ(OptionFromName(info.name), info.option);
    EXPECT_FALSE(info.method.meaning.empty()) << info.name;
    EXPECT_TRUE(info.method.section.starts_with("E.3.")) << info.name;
    EXPECT_TRUE(codes.insert(info.method.code).second) << info.name;
  }
  EXPECT_EQ(BasicMethodCode().code, "113100");
  EXPECT_EQ(InfoOf(Option::kRetainSafePrivate).method.code, "113111");
  EXPECT_EQ(InfoOf(Option::kRetainFullDates).name, "retain-longitudinal-full-dates");
  EXPECT_EQ(OptionFromName("retain-everything"), std::nullopt);
}

TEST(ProfileTablesTest, TypesDecideByIodAndByPlace) {
  for (const TypeRow& row : TypeRows()) {
    EXPECT_EQ(TagOf(row.keyword), row.tag) << row.keyword;
    ASSERT_NE(Find(BasicRows(), row.keyword), nullptr) << row.keyword;
    EXPECT_TRUE(Find(BasicRows(), row.keyword)->code.compound()) << row.keyword;
  }
  EXPECT_TRUE(HasTypes(kCt));
  EXPECT_FALSE(HasTypes(kPrivateClass));
  const auto top = [](std::string_view keyword, std::string_view sop_class) {
    return TypeOf(TagOf(keyword), std::nullopt, sop_class);
  };
  EXPECT_EQ(top("SeriesDate", kPet), 1);
  EXPECT_EQ(top("SeriesDate", kCt), 3);
  EXPECT_EQ(top("SeriesDate", kPrivateClass), std::nullopt);
  EXPECT_EQ(top("AcquisitionDate", kPet), 2);
  EXPECT_EQ(top("ContentDate", kCt), 2);
  EXPECT_EQ(top("ContentDate", kEnhancedCt), 1);
  EXPECT_EQ(top("DeviceSerialNumber", kCt), 3);
  EXPECT_EQ(top("DeviceSerialNumber", kEnhancedCt), 1);
  EXPECT_EQ(top("PatientID", kCt), 2);
  EXPECT_EQ(top("Rows", kCt), std::nullopt);
  const auto nested = [](std::string_view parent, std::string_view keyword) {
    return TypeOf(TagOf(keyword), TagOf(parent), kCt);
  };
  EXPECT_EQ(nested("SourcePatientGroupIdentificationSequence", "PatientID"), 1);
  EXPECT_EQ(nested("GroupOfPatientsIdentificationSequence", "PatientID"), 1);
  EXPECT_EQ(nested("OperatorIdentificationSequence", "InstitutionName"), 1);
  EXPECT_EQ(nested("TreatmentMachineSequence", "InstitutionName"), 2);
  EXPECT_EQ(nested("PerFrameFunctionalGroupsSequence", "ReferencedImageSequence"), 2);
  EXPECT_EQ(nested("DerivationImageSequence", "SourceImageSequence"), 2);
  EXPECT_EQ(nested("ReferencedSeriesSequence", "ReferencedImageSequence"), 1);
  EXPECT_EQ(nested("ReferencedSeriesSequence", "PatientID"), std::nullopt);
}

TEST(ProfileTablesTest, ConflictsAreRowsThatRemoveWhatAnIodRequires) {
  ASSERT_FALSE(TypeConflicts().empty());
  for (const TypeRow& row : TypeConflicts()) {
    EXPECT_EQ(TagOf(row.keyword), row.tag) << row.keyword;
    EXPECT_EQ(BasicCode(row.keyword), "X") << row.keyword;
    EXPECT_NE(row.type, 3) << row.keyword;
  }
  const auto conflict = [](std::string_view keyword, std::string_view parent,
                           std::string_view sop_class) {
    return ConflictTypeOf(TagOf(keyword),
                          parent.empty() ? std::nullopt : std::optional<Tag>(TagOf(parent)),
                          sop_class);
  };
  constexpr std::string_view kStart = "RadiopharmaceuticalStartDateTime";
  constexpr std::string_view kIsotope = "RadiopharmaceuticalInformationSequence";
  EXPECT_EQ(conflict(kStart, kIsotope, kEnhancedPet), 1);
  EXPECT_EQ(conflict(kStart, kIsotope, kPet), std::nullopt);
  EXPECT_EQ(conflict(kStart, kIsotope, kPrivateClass), 1);
  EXPECT_EQ(conflict("PresentationCreationDate", "", "1.2.840.10008.5.1.4.1.1.11.1"), 1);
  EXPECT_EQ(conflict("PresentationCreationDate", "", kCt), std::nullopt);
  EXPECT_EQ(conflict("RequestedProcedureID", "RequestAttributesSequence", kCt), 1);
  EXPECT_EQ(conflict("RequestedProcedureID", "ReferencedRequestSequence", kCt), 2);
  EXPECT_EQ(conflict("RequestedProcedureID", "", kCt), std::nullopt);
  EXPECT_EQ(conflict("ResponsiblePerson", "", kCt), 2);
}

}  // namespace
}  // namespace dcmveil::rules
