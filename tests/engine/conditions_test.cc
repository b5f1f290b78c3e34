// SPDX-License-Identifier: Apache-2.0
#include "engine/conditions.h"

#include <gtest/gtest.h>

#include <ostream>

#include "engine/encoding/read.h"
#include "tests/support/rules.h"

namespace dcmveil::engine {
namespace {

using testing::DataSet;
using testing::EncodeItems;
using testing::File;
using testing::Fragments;
using testing::kSyntaxes;
using testing::Le16;
using testing::Le32;
using testing::LeDouble;
using testing::LeFloat;
using testing::NativePixels;
using testing::Raw;
using testing::Rules;
using testing::Seq;
using testing::SmallCt;
using testing::Syntax;
using testing::Text;
using testing::With;

bool Answer(const std::string& when, const std::string& file) {
  const RuleSet rules = Rules("reject:\n- {when: " + when + ", because: test}\n");
  const auto parsed = ReadInstance(ByteSource::FromMemory(std::string(file)));
  if (!parsed) throw std::runtime_error(parsed.error().Message());
  Instance instance;
  instance.charset = Charset::FromTerms("ISO_IR 100");
  return AnswerConditions(*rules.plan(), *parsed, instance)[0];
}

DataSet Subject() {
  const DataSet step = {Text({0x0040, 0x0007}, "LO", "first"), Text({0x0040, 0x0009}, "SH", "S1"),
                        Seq({0x0040, 0x0008}, {{Text({0x0008, 0x0100}, "SH", "CODE")}})};
  const DataSet other = {Text({0x0040, 0x0009}, "SH", "S2")};
  return With(SmallCt(), {Text({0x0008, 0x0008}, "CS", "ORIGINAL\\PRIMARY\\ AXIAL "),
                          Text({0x0008, 0x0070}, "LO", "GE MEDICAL"),
                          Text({0x0008, 0x1010}, "SH", ""),
                          Text({0x0008, 0x1030}, "LO", "M\xFCller"),
                          Text({0x0010, 0x1030}, "DS", "+072.50"),
                          Text({0x0010, 0x4000}, "LT", "a\\b"),
                          Raw({0x0010, 0x21B0}, "LT", std::string("see\0SECRET", 10)),
                          Text({0x0018, 0x0050}, "DS", "abc\\1.25"),
                          Raw({0x0018, 0x1310}, "US", Le16({0, 512, 65535, 0})),
                          Raw({0x0018, 0x9087}, "FD", LeDouble(1000.5)),
                          Raw({0x0018, 0x6020}, "SL", Le32({0xFFFFFFFF})),
                          Raw({0x0018, 0x9073}, "FD", LeDouble(0.1)),
                          Text({0x0020, 0x0013}, "IS", "12"),
                          Raw({0x0028, 0x0103}, "US", Le16({1})),
                          Raw({0x0028, 0x0106}, "SS", Le16({0xFFFE})),
                          Raw({0x0028, 0x9099}, "US", Le16({7})),
                          Raw({0x0029, 0x0010}, "LO", "ACME"),
                          Raw({0x0029, 0x0011}, "LO", "OTHER "),
                          Raw({0x0029, 0x1010}, "LO", "acme's"),
                          Raw({0x0029, 0x1110}, "LO", "other's "),
                          Raw({0x0029, 0x1020}, "FL", LeFloat(0.1F)),
                          Seq({0x0029, 0x1030}, {{Text({0x0010, 0x0020}, "LO", "inner")}}),
                          Seq({0x0040, 0x0275}, {step, other})});
}

struct ConditionCase {
  const char* when;
  bool expected;
};

void PrintTo(const ConditionCase& test, std::ostream* out) { *out << test.when; }

constexpr ConditionCase kCases[] = {
    // equals and one of
    {"{Modality: CT}", true},
    {"{Modality: MR}", false},
    {"{Modality: ct}", true},  // code strings have capitals only
    {"{PatientName: doe^jane}", false},
    {"{Modality: C}", false},
    {"{Modality: [MR, CT]}", true},
    {"{Modality: {equals: CT}}", true},
    {"{Modality: {one-of: [US, MR]}}", false},
    {"{PatientID: \"4711\"}", true},
    {"{SOPClassUID: CTImageStorage}", true},
    {"{SOPClassUID: 1.2.840.10008.5.1.4.1.1.2}", true},
    {"{SOPClassUID: MRImageStorage}", false},
    {"{StudyDescription: Müller}", true},
    {"{PatientComments: 'a\\b'}", true},
    {"{PatientComments: a}", false},
    {"{AdditionalPatientHistory: see}", true},
    // any of several values
    {"{ImageType: PRIMARY}", true},
    {"{ImageType: AXIAL}", true},
    {"{ImageType: DERIVED}", false},
    {"{ImageType: {not: {equals: PRIMARY}}}", false},
    // matches
    {"{Manufacturer: {matches: \"(?i)^ge\"}}", true},
    {"{Manufacturer: {matches: \"^ge\"}}", false},
    {"{Manufacturer: {matches: \"CAL$\"}}", true},
    {"{ImageType: {matches: \"^AX\"}}", true},
    {"{StudyDescription: {matches: \"^M.ller$\"}}", true},
    {"{AdditionalPatientHistory: {matches: SECRET}}", false},
    {"{OperatorsName: {matches: \".*\"}}", false},
    // all values joined; what is absent is an empty text
    {"{ImageType: {joined: '^ORIGINAL\\\\PRIMARY\\\\AXIAL$'}}", true},
    {"{ImageType: {joined: \"^PRIMARY\"}}", false},
    {"{ImageType: {joined: \"^$\"}}", false},
    {"{Modality: {joined: \"^CT$\"}}", true},
    {"{OperatorsName: {joined: \"^$\"}}", true},
    {"{OperatorsName: {joined: \".\"}}", false},
    {"{StationName: {joined: \"^$\"}}", true},
    {"{SourceImageSequence/PatientID: {joined: \"^$\"}}", true},
    {"{RequestAttributesSequence/ScheduledProcedureStepID: {joined: \"^S2$\"}}", true},
    {"{RequestAttributesSequence/ScheduledProcedureStepID: {joined: \"^S1.S2$\"}}", false},
    {"{FrameIncrementPointer: {joined: \"x\"}}", false},
    // exists and absent
    {"{PatientID: {exists: true}}", true},
    {"{OperatorsName: {exists: true}}", false},
    {"{OperatorsName: {absent: true}}", true},
    {"{PatientID: {absent: true}}", false},
    {"{PatientID: {exists: false}}", false},
    {"{OperatorsName: {absent: false}}", false},
    {"{StationName: {exists: true}}", true},
    {"{RequestAttributesSequence: {exists: true}}", true},
    {"{ReferencedStudySequence: {exists: true}}", false},
    {"{PixelData: {exists: true}}", false},
    {"{PixelData: {absent: true}}", true},
    // numbers
    {"{InstanceNumber: {min: 12, max: 12}}", true},
    {"{InstanceNumber: {min: 13}}", false},
    {"{InstanceNumber: {max: 11.5}}", false},
    {"{PatientWeight: {min: 72.5, max: 72.5}}", true},
    {"{SliceThickness: {min: 1, max: 2}}", true},
    {"{SliceThickness: {min: 2}}", false},
    {"{StudyDescription: {min: 0}}", false},
    {"{AcquisitionMatrix: {min: 65535}}", true},
    {"{AcquisitionMatrix: 512}", true},
    {"{AcquisitionMatrix: 513}", false},
    {"{DiffusionBValue: {min: 1000.5, max: 1000.5}}", true},
    {"{DiffusionBValue: 1000.5}", true},
    {"{AcquisitionDuration: 0.1}", true},
    {"{SmallestImagePixelValue: -2}", true},
    {"{SmallestImagePixelValue: {max: -1}}", true},
    {"{ReferencePixelX0: {max: -1}}", true},
    {"{LargestMonochromePixelValue: 7}", true},
    {"{OperatorsName: {min: 0}}", false},
    // several tests, and words between them
    {"{Modality: CT, PatientID: \"4711\"}", true},
    {"{Modality: CT, PatientID: \"4712\"}", false},
    {"{InstanceNumber: {min: 1, not: {equals: \"12\"}}}", false},
    {"{any: [{Modality: MR}, {PatientID: \"4711\"}]}", true},
    {"{any: [{Modality: MR}, {PatientID: \"4712\"}]}", false},
    {"{all: [{Modality: CT}, {PatientID: \"4711\"}]}", true},
    {"{all: [{Modality: CT}, {PatientID: \"4712\"}]}", false},
    {"{not: {Modality: CT}}", false},
    {"{not: {Modality: MR, PatientID: \"4711\"}}", true},
    {"{not: {any: [{Modality: MR}, {not: {Modality: CT}}]}}", true},
    // paths
    {"{RequestAttributesSequence/ScheduledProcedureStepID: S1}", true},
    {"{RequestAttributesSequence/ScheduledProcedureStepID: S2}", true},
    {"{RequestAttributesSequence/ScheduledProcedureStepID: S3}", false},
    {"{RequestAttributesSequence/ScheduledProtocolCodeSequence/CodeValue: CODE}", true},
    {"{RequestAttributesSequence/*/CodeValue: CODE}", true},
    {"{\"*/CodeValue\": CODE}", false},
    {"{RequestAttributesSequence/ScheduledProcedureStepDescription: {exists: true}}", true},
    {"{RequestAttributesSequence/PatientID: {absent: true}}", true},
    {"{ScheduledProcedureStepID: {exists: true}}", false},
    // private elements
    {"{\"0029{ACME}10\": acme's}", true},
    {"{\"0029{OTHER}10\": acme's}", false},
    {"{\"0029{OTHER}10\": other's}", true},
    {"{\"0029{NOBODY}10\": {exists: true}}", false},
    {"{\"0029{ACME}11\": {absent: true}}", true},
    {"{\"0029{ACME}30/PatientID\": inner}", true},
    {"{\"0029{OTHER}30/PatientID\": inner}", false},
};

class ConditionTest : public ::testing::TestWithParam<ConditionCase> {};

TEST_P(ConditionTest, InExplicitVr) {
  for (const bool undefined : {false, true}) {
    for (const Syntax& syntax : kSyntaxes) {
      if (!syntax.explicit_vr) continue;
      const std::string file = File(Subject(), syntax, {.undefined_length = undefined});
      EXPECT_EQ(Answer(GetParam().when, file), GetParam().expected) << syntax.name << undefined;
    }
  }
}

// Numbers of private elements have no VR in implicit VR; all other answers are the same.
TEST_P(ConditionTest, InImplicitVr) {
  for (const bool undefined : {false, true}) {
    const std::string file = File(Subject(), testing::kImplicit, {.undefined_length = undefined});
    EXPECT_EQ(Answer(GetParam().when, file), GetParam().expected) << undefined;
  }
}

INSTANTIATE_TEST_SUITE_P(Conditions, ConditionTest, ::testing::ValuesIn(kCases));

TEST(ConditionsTest, PrivateNumber) {
  const std::string file = File(Subject());
  EXPECT_TRUE(Answer("{\"0029{ACME}20\": 0.1}", file));
  EXPECT_TRUE(Answer("{\"0029{ACME}20\": {min: 0.05, max: 0.2}}", file));
}

TEST(ConditionsTest, PixelData) {
  for (const Syntax& syntax : kSyntaxes) {
    const std::string file = File(With(Subject(), {NativePixels()}), syntax);
    EXPECT_TRUE(Answer("{PixelData: {exists: true}}", file)) << syntax.name;
    EXPECT_FALSE(Answer("{PixelData: {absent: true}}", file)) << syntax.name;
    EXPECT_FALSE(Answer("{FloatPixelData: {exists: true}}", file)) << syntax.name;
  }
  const std::string jpeg = File(With(Subject(), {Fragments({"", "JPEG"})}), testing::kJpeg);
  EXPECT_TRUE(Answer("{PixelData: {exists: true}}", jpeg));
}

TEST(ConditionsTest, ElementsBehindThePixels) {
  const std::string file =
      File(With(Subject(), {NativePixels(), Raw({0x7FE1, 0x0010}, "LO", "ACME"),
                            Raw({0x7FE1, 0x1001}, "LO", "here")}));
  EXPECT_TRUE(Answer("{\"7FE1{ACME}01\": here}", file));
  EXPECT_FALSE(Answer("{\"7FE1{ACME}02\": {exists: true}}", file));
}

// A standard attribute is what the dictionary says it is, also for whoever asks.
TEST(ConditionsTest, KnownTagsInUn) {
  const testing::Form implicit{.explicit_vr = false};
  const std::string items = EncodeItems({{Text({0x0040, 0x0009}, "SH", "S1")}}, implicit);
  const std::string file = File(
      With(SmallCt(), {Raw({0x0008, 0x0060}, "UN", "CT"), Raw({0x0028, 0x0010}, "UN", Le16({4})),
                       Raw({0x0040, 0x0275}, "UN", items)}));
  EXPECT_TRUE(Answer("{Modality: CT}", file));
  EXPECT_TRUE(Answer("{Rows: 4}", file));
  EXPECT_TRUE(Answer("{RequestAttributesSequence: {exists: true}}", file));
  EXPECT_TRUE(Answer("{RequestAttributesSequence/ScheduledProcedureStepID: S1}", file));
}

TEST(ConditionsTest, PrivateSequenceInUn) {
  const std::string items =
      EncodeItems({{Text({0x0010, 0x0020}, "LO", "inner")}}, {.explicit_vr = false});
  const std::string file = File(
      With(SmallCt(), {Raw({0x0029, 0x0010}, "LO", "ACME"), Raw({0x0029, 0x1030}, "UN", items)}));
  EXPECT_TRUE(Answer("{\"0029{ACME}30/PatientID\": inner}", file));
}

// As rules do: a number that was encoded as text is the text that it is.
TEST(ConditionsTest, NumberEncodedAsText) {
  const std::string file = File(With(SmallCt(), {Raw({0x0028, 0x0010}, "IS", "512 ")}));
  EXPECT_TRUE(Answer("{Rows: 512}", file));
  EXPECT_TRUE(Answer("{Rows: {min: 512, max: 512}}", file));
}

}  // namespace
}  // namespace dcmveil::engine
