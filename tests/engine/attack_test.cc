// SPDX-License-Identifier: Apache-2.0
//
// Places where an identifier can hide that no rule speaks of, and inputs made to stop a run. Each
// case once got through.
#include <gtest/gtest.h>

#include "tests/support/rules.h"

namespace dcmveil::testing {
namespace {

using namespace std::string_literals;  // NOLINT(google-build-using-namespace)

constexpr std::string_view kPlant = "ZZPLANTED";
constexpr const char* kStrong = R"(
rules:
  - {vr: [PN, LO, SH, LT, ST, UT, UC, AE], action: redact}
  - {private: {creator: ACME 1}, action: keep}
  - {group: odd, action: remove}
)";

bool Leaks(const Sent& sent) { return sent.bytes.find(kPlant) != std::string::npos; }

/// Written without the plant, or quarantined.
void ExpectNoLeak(const char* rules, const DataSet& data_set) {
  for (const Syntax& syntax : kSyntaxes) {
    SCOPED_TRACE(syntax.name);
    const Sent sent = Send(rules, With(SmallCt(), data_set), syntax);
    // The deflated output is searched as its elements.
    bool leaks = Leaks(sent);
    for (const auto& [path, leaf] : sent.out.elements) {
      leaks = leaks || leaf.value.find(kPlant) != std::string::npos;
    }
    EXPECT_FALSE(leaks);
  }
}

std::string NameItem(const Form& form) {
  return EncodeItems({{Text({0x0010, 0x0010}, "PN", kPlant)}}, form);
}

TEST(Attack, PrivateCreatorsCarryNothingButTheirName) {
  const std::string creator = "ACME 1\0ZZPLANTED"s.substr(0, 16);
  const DataSet data_set = {Raw({0x0029, 0x0010}, "LO", creator),
                            Raw({0x0029, 0x1001}, "US", Le16({7}))};
  ExpectNoLeak(kStrong, data_set);
  const Sent sent = Send(kStrong, With(SmallCt(), data_set));
  EXPECT_EQ(sent.out.Value("(0029,0010)"), "ACME 1");
  EXPECT_TRUE(sent.out.Has("(0029,1001)"));
}

TEST(Attack, ASequenceInACreatorsPlaceIsDecided) {
  ExpectNoLeak("rules:\n  - {vr: PN, action: redact}\n",
               {Seq({0x0029, 0x0010}, {{Text({0x0010, 0x0010}, "PN", kPlant)}})});
}

TEST(Attack, ALoneCreatorIsNoLoopholeForVrRules) {
  ExpectNoLeak("rules:\n  - {vr: PN, action: redact}\n", {Text({0x0029, 0x0010}, "LO", kPlant)});
}

TEST(Attack, CharacterSetHoldsTermsOnly) {
  ExpectNoLeak(kStrong, {Text({0x0008, 0x0005}, "CS", kPlant)});
  ExpectNoLeak(kStrong, {Text({0x0008, 0x0005}, "CS", "ISO_IR 100\\ZZPLANTED")});
  ExpectNoLeak(kStrong, {Raw({0x0008, 0x0005}, "OB", std::string(600, 'x') + "ZZPLANTED ")});
  EXPECT_EQ(Send(kStrong, With(SmallCt(), {Text({0x0008, 0x0005}, "CS", "ISO_IR 100")}))
                .out.Value("(0008,0005)"),
            "ISO_IR 100");
}

TEST(Attack, TheMethodOfEarlierToolsStaysAsFarAsItIsOne) {
  const std::string longer(80, 'a');
  const Sent sent =
      Send(kStrong, With(SmallCt(), {Text({0x0012, 0x0063}, "LO", "earlier tool\\" + longer)}));
  EXPECT_EQ(sent.out.Value("(0012,0063)").rfind("earlier tool\\dcmveil", 0), 0U);
  EXPECT_EQ(sent.out.Value("(0012,0063)").find(longer), std::string::npos);
}

TEST(Attack, ItemsDoNotHideInOpaqueElements) {
  constexpr const char* kKeepPrivate = R"(
rules:
  - {vr: PN, action: redact}
  - {group: odd, action: keep}
)";
  for (const Form& form : {Form{.explicit_vr = false}, Form{}, Form{.big_endian = true}}) {
    for (const char* vr : {"UN", "OB", "OW", "UT", "ZZ"}) {
      SCOPED_TRACE(vr);
      ExpectNoLeak(kKeepPrivate, {Text({0x0029, 0x0010}, "LO", "ACME 1"),
                                  Raw({0x0029, 0x1001}, vr, NameItem(form))});
    }
    for (const Tag tag : {Tag{0x0028, 0x3006}, Tag{0x0042, 0x0011}, Tag{0x0028, 0x0010}}) {
      SCOPED_TRACE(ToString(tag));
      ExpectNoLeak(kKeepPrivate, {Raw(tag, "OB", NameItem(form))});
    }
  }
}

TEST(Attack, ANameInThePlaceOfANumberGoes) {
  for (const char* vr : {"PN", "LO", "UT", "UN", "OB"}) {
    SCOPED_TRACE(vr);
    for (const Tag tag : {Tag{0x0028, 0x0010}, Tag{0x0028, 0x0030}, Tag{0x0020, 0x0013}}) {
      const Sent sent = Send("rules:\n  - {vr: PN, action: redact}\n",
                             With(SmallCt(), {Raw(tag, vr, "ZZPLANTED ")}));
      EXPECT_FALSE(Leaks(sent)) << ToString(tag);
    }
  }
  // A number that was only encoded oddly stays.
  const Sent sent = Send("", With(SmallCt(), {Text({0x0028, 0x0030}, "LO", "0.5\\0.5")}));
  EXPECT_EQ(sent.out.Value("(0028,0030)"), "0.5\\0.5");
}

TEST(Attack, PixelDataIsFragmentsExactlyWhenTheSyntaxSaysSo) {
  const DataSet sequence = {Seq({0x7FE0, 0x0010}, {{Text({0x0010, 0x0010}, "PN", kPlant)}})};
  ExpectNoLeak(kStrong, sequence);
  const DataSet fragments = {Fragments({"", "abcd"})};
  EXPECT_EQ(Send("", With(SmallCt(), fragments)).Failure(), "malformed");
  EXPECT_TRUE(Send("", With(SmallCt(), fragments), kJpeg).ok);
  EXPECT_EQ(Send("", With(SmallCt(), {NativePixels()}), kJpeg).Failure(), "malformed");
}

TEST(Attack, ElementsBehindThePixelsAreNoNoise) {
  const std::string file = File(With(SmallCt(), {NativePixels()}));
  const std::string lower = Encode({Raw({0x0018, 0x9087}, "FD", LeDouble(1000))});
  EXPECT_EQ(Send(Rules(""), file + lower).Failure(), "malformed");
  const Sent text = Send(Rules(""), file + "John Doe, ZZPLANTED");
  EXPECT_TRUE(text.ok);
  EXPECT_FALSE(Leaks(text));
  EXPECT_EQ(text.Noted(NoteCode::kTrailingBytes), 1);
}

TEST(Attack, DeepSequencesThatOnlyThePrivateDictionaryKnowsDoNotExhaustTheStack) {
  // (2001,xx5F) of "Philips Imaging DD 001" is a sequence to DCMTK's dictionary. Its first item
  // holds what makes the scan give up; then it goes down.
  for (const int depth : {2000, 20000}) {
    std::string inside;
    for (int i = 0; i < depth; ++i) {
      const std::string item =
          "\xFE\xFF\x00\xE0"s + Le32({static_cast<std::uint32_t>(inside.size())});
      inside = "\x01\x20\x5F\x10"s + Le32({static_cast<std::uint32_t>(inside.size() + 8)}) + item +
               inside;
    }
    const std::string stopper = "\xFE\xFF\x00\xE0"s + Le32({8}) + "\xFE\xFF\x0D\xE0"s + Le32({0});
    const std::string item =
        "\xFE\xFF\x00\xE0"s + Le32({static_cast<std::uint32_t>(inside.size())}) + inside;
    const Sent sent = Send("",
                           With(SmallCt(), {Text({0x2001, 0x0010}, "LO", "Philips Imaging DD 001"),
                                            Raw({0x2001, 0x105F}, "UN", stopper + item)}),
                           kImplicit);
    EXPECT_EQ(sent.Failure(), "malformed");
  }
}

TEST(Attack, MetaInformationThatLiesAboutItsLengthIsNotBelieved) {
  const std::string file = File(SmallCt());
  for (const std::string& element :
       {"\x02\0\x12\0UQ\x30\0\xF0\xFF\xFF\x7F"s, "\x02\0\x12\0\xF0\xFF\xFF\x7F"s,
        "\x02\0\x12\0\xFF\xFF\xFF\xFF"s}) {
    const Sent sent = Send(Rules(""), file.substr(0, 132) + element + file.substr(132));
    EXPECT_EQ(sent.Failure(), "malformed");
    EXPECT_EQ(sent.error.where, "file meta information");
  }
}

TEST(Attack, ElementsInReverseOrderDoNotTakeForever) {
  std::string reversed;
  for (std::uint32_t group = 0x6FFE; group > 0x3000; group -= 2) {
    for (unsigned element = 8; element > 0; --element) {
      reversed += Encode({Raw(Tag((group << 16U) | element), "US", Le16({1}))});
    }
  }
  EXPECT_EQ(Send(Rules(""), File(SmallCt()) + reversed).Failure(), "malformed");
}

TEST(Attack, ADeflateBombIsNotInflated) {
  DataSet bomb = SmallCt();
  bomb.push_back(Raw({0x7FE0, 0x0010}, "OW", std::string(300U << 20U, '\0')));
  EXPECT_EQ(Send(Rules(""), File(bomb, kDeflated)).Failure(), "too-large");
}

TEST(Attack, DirtySpellingsDoNotSlipPastAReject) {
  constexpr const char* kReject =
      "reject:\n  - {when: {BurnedInAnnotation: \"YES\"}, because: text in the pixels}\n";
  for (const std::string& value :
       {"YES"s, "yes"s, "Yes"s, " YES"s, "YES\n"s, "YES\t"s, "YES\0"s, "\0YES"s, "NO\\YES"s}) {
    const Sent sent = Send(kReject, With(SmallCt(), {Raw({0x0028, 0x0301}, "CS", value)}));
    EXPECT_TRUE(sent.rejected) << value;
  }
  EXPECT_FALSE(Send(kReject, With(SmallCt(), {Text({0x0028, 0x0301}, "CS", "NO")})).rejected);
}

TEST(Attack, ValuesPaddedWithNulsAreAllKept) {
  const Sent sent =
      Send("", With(SmallCt(), {Raw({0x0008, 0x0008}, "CS", "ORIGINAL\0\\PRIMARY\0"s)}));
  EXPECT_EQ(sent.out.Value("(0008,0008)"), "ORIGINAL\\PRIMARY");
  const Sent hidden =
      Send("", With(SmallCt(), {Raw({0x0008, 0x0008}, "CS", "ORIGINAL\0ZZPLANTED\\X "s)}));
  EXPECT_EQ(hidden.out.Value("(0008,0008)"), "ORIGINAL");
}

TEST(Attack, UidsOfOurOwnMakingAreNotTakenForRegistered) {
  const Sent sent =
      Send("rules:\n  - {vr: UI, action: refresh-uid}\n",
           With(SmallCt(), {Seq({0x0008, 0x1140},
                                {{Text({0x0008, 0x1150}, "UI", "1.2.840.10008.19530427.777")}})}));
  EXPECT_EQ(sent.out.Value("(0008,1140)[0].(0008,1150)").rfind("2.25.", 0), 0U);
}

TEST(Attack, ReservedGroupsGo) {
  for (const std::uint32_t group :
       {0x0000U, 0x0002U, 0x0004U, 0x0006U, 0x0001U, 0x0007U, 0xFFFFU}) {
    ExpectNoLeak("", {Text(Tag((group << 16U) | 0x0010U), "LO", kPlant)});
  }
}

}  // namespace
}  // namespace dcmveil::testing
