// SPDX-License-Identifier: Apache-2.0
//
// What the action `clean` knows of an instance: identifiers from every place and encoding.
#include <gtest/gtest.h>

#include "tests/support/rules.h"

namespace dcmveil::engine {
namespace {

using testing::DataSet;
using testing::EncodeItems;
using testing::kImplicit;
using testing::kSyntaxes;
using testing::Raw;
using testing::Send;
using testing::Sent;
using testing::Seq;
using testing::SmallCt;
using testing::Syntax;
using testing::Text;
using testing::With;

constexpr Tag kDescription{0x0008, 0x1030};
constexpr Tag kRequests{0x0040, 0x0275};
// `identifiers`, so that no vocabulary helps; PN goes first, so that the order is seen not to
// count.
constexpr const char* kRules =
    "rules:\n"
    "- {vr: PN, action: remove}\n"
    "- {group: odd, action: keep}\n"
    "- {tag: StudyDescription, action: clean, with: {vocabulary: identifiers}}\n";

TEST(CollectTest, FromEveryDepthAndSyntax) {
  const DataSet item = {Text({0x0008, 0x0090}, "PN", "Kowalczyk^Anna"),
                        Text({0x0040, 0x1001}, "SH", "RQ-55512")};
  for (const Syntax& syntax : kSyntaxes) {
    const Sent sent =
        Send(kRules,
             With(SmallCt(), {Text(kDescription, "LO", "Doe knee RQ55512 KOWALCZYK left"),
                              Seq(kRequests, {{}, {Seq({0x0008, 0x1110}, {item})}})}),
             syntax);
    ASSERT_TRUE(sent.ok) << sent.error.Message();
    EXPECT_EQ(sent.out.Value("(0008,1030)"), "knee left") << syntax.name;
  }
}

TEST(CollectTest, FromUnknownVrsAndPrivateElements) {
  const DataSet item = {Text({0x0008, 0x0090}, "PN", "Kowalczyk^Anna")};
  const Sent sent = Send(
      kRules, With(SmallCt(),
                   {Text(kDescription, "LO", "knee Kowalczyk, Nowak, Lewandowski"),
                    Raw(kRequests, "UN", EncodeItems({item}, {.explicit_vr = false})),
                    Text({0x0008, 0x1070}, "UN", "Nowak^Jan"), Text({0x0009, 0x0010}, "LO", "ACME"),
                    Text({0x0009, 0x1001}, "PN", "Lewandowski^Ewa")}));
  ASSERT_TRUE(sent.ok) << sent.error.Message();
  EXPECT_EQ(sent.out.Value("(0008,1030)"), "knee");
}

TEST(CollectTest, ItemsHaveCharacterSetsOfTheirOwn) {
  const DataSet item = {Text({0x0008, 0x0005}, "CS", "ISO_IR 192"),
                        Text({0x0008, 0x0090}, "PN", "M\xC3\xBCller^Eva"),
                        Text(kDescription, "LO", "knie M\xC3\xBCller")};
  const Sent sent =
      Send(kRules,
           With(SmallCt(), {Text(kDescription, "LO", "knie M\xFCLLER"), Seq(kRequests, {item})}));
  ASSERT_TRUE(sent.ok) << sent.error.Message();
  EXPECT_EQ(sent.out.Value("(0008,1030)"), "knie");
  EXPECT_EQ(sent.out.Value("(0040,0275)[0].(0008,1030)"), "knie");
}

TEST(CollectTest, OtherElementsStayAsTheyAre) {
  const Sent sent = Send("rules:\n- {tag: StudyDescription, action: clean}\n",
                         With(SmallCt(), {Text(kDescription, "LO", "CT chest\\4711")}), kImplicit);
  ASSERT_TRUE(sent.ok) << sent.error.Message();
  EXPECT_EQ(sent.out.Value("(0010,0010)"), "DOE^JANE");
  EXPECT_EQ(sent.out.Value("(0008,1030)"), "CT chest\\");
}

}  // namespace
}  // namespace dcmveil::engine
