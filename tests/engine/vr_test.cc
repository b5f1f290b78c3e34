// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "dcmveil/tag.h"

namespace dcmveil {
namespace {

TEST(TagTest, PrintsUpperCaseHexadecimal) {
  EXPECT_EQ(ToString(Tag(0x0010, 0x0020)), "(0010,0020)");
  EXPECT_EQ(ToString(Tag(0xFFFEE00DU)), "(FFFE,E00D)");
  EXPECT_EQ(ToString(Tag()), "(0000,0000)");
}

TEST(TagTest, KnowsItsKind) {
  EXPECT_TRUE(Tag(0x0009, 0x0010).is_private_creator());
  EXPECT_TRUE(Tag(0x0009, 0x00FF).is_private_creator());
  EXPECT_FALSE(Tag(0x0009, 0x000F).is_private_creator());
  EXPECT_FALSE(Tag(0x0009, 0x0100).is_private_creator());
  EXPECT_FALSE(Tag(0x0008, 0x0010).is_private_creator());
  EXPECT_TRUE(Tag(0x0009, 0x1001).is_private());
  EXPECT_FALSE(Tag(0x0008, 0x0018).is_private());
  EXPECT_TRUE(Tag(0x0008, 0x0000).is_group_length());
}

TEST(VrTest, EveryNameIsReadBack) {
  std::string before;
  for (int i = 0; i < kVrCount; ++i) {
    const Vr vr = static_cast<Vr>(i);
    const std::string name(ToString(vr));
    EXPECT_EQ(name.size(), 2U) << i;
    EXPECT_LT(before, name);
    EXPECT_EQ(VrFromString(name), vr) << name;
    EXPECT_TRUE(kAllVrs.contains(vr)) << name;
    before = name;
  }
}

TEST(VrTest, OtherTextIsNoVr) {
  for (const char* const text : {"", "U", "us", "Us", "XX", "UNK", "US ", " US", "AA", "ZZ"}) {
    EXPECT_EQ(VrFromString(text), std::nullopt) << '"' << text << '"';
  }
}

TEST(VrSetTest, PrintsAsTheStandardDoes) {
  const std::pair<VrSet, const char*> cases[] = {
      {VrSet(), ""},
      {Vr::PN, "PN"},
      {{Vr::US, Vr::SS}, "US or SS"},
      {{Vr::OB, Vr::OW}, "OB or OW"},
      {{Vr::US, Vr::OW}, "US or OW"},
      {{Vr::US, Vr::SS, Vr::OW}, "US or SS or OW"},
  };
  for (const auto& [vrs, text] : cases) EXPECT_EQ(ToString(vrs), text);
}

TEST(VrSetTest, FirstIsAlphabetical) {
  EXPECT_EQ((VrSet{Vr::US, Vr::SS}).first(), Vr::SS);
  EXPECT_EQ((VrSet{Vr::OW, Vr::OB}).first(), Vr::OB);
  EXPECT_EQ(VrSet(Vr::AE).first(), Vr::AE);
  EXPECT_EQ(VrSet(Vr::UV).first(), Vr::UV);
}

TEST(VrSetTest, ClassesDoNotOverlap) {
  EXPECT_FALSE(kTextVrs.intersects(kNumberVrs | kBulkVrs | VrSet{Vr::AT, Vr::SQ}));
  EXPECT_FALSE(kNumberVrs.intersects(kBulkVrs));
  EXPECT_EQ(kCharsetVrs - kTextVrs, VrSet());
  EXPECT_EQ(kSingleTextVrs - kTextVrs, VrSet());
}

TEST(VrTest, MaxLengthIsThatOfTable6_2_1) {
  const std::pair<Vr, int> cases[] = {
      {Vr::AE, 16}, {Vr::AS, 4},  {Vr::AT, 0}, {Vr::CS, 16}, {Vr::DA, 8},  {Vr::DS, 16},
      {Vr::DT, 26}, {Vr::FD, 0},  {Vr::FL, 0}, {Vr::IS, 12}, {Vr::LO, 64}, {Vr::LT, 10240},
      {Vr::OB, 0},  {Vr::OD, 0},  {Vr::OF, 0}, {Vr::OL, 0},  {Vr::OV, 0},  {Vr::OW, 0},
      {Vr::PN, 64}, {Vr::SH, 16}, {Vr::SL, 0}, {Vr::SQ, 0},  {Vr::SS, 0},  {Vr::ST, 1024},
      {Vr::SV, 0},  {Vr::TM, 14}, {Vr::UC, 0}, {Vr::UI, 64}, {Vr::UL, 0},  {Vr::UN, 0},
      {Vr::UR, 0},  {Vr::US, 0},  {Vr::UT, 0}, {Vr::UV, 0},
  };
  static_assert(std::size(cases) == kVrCount);
  for (const auto& [vr, length] : cases) EXPECT_EQ(MaxLength(vr), length) << ToString(vr);
}

}  // namespace
}  // namespace dcmveil
