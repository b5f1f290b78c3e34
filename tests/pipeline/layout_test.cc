// SPDX-License-Identifier: Apache-2.0
#include "pipeline/layout.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

#include <algorithm>
#include <ostream>
#include <sstream>

namespace dcmveil::pipeline {
namespace {

Deidentified Instance(const std::string& patient, const std::string& instance = "1.2.3.4.5") {
  Deidentified result;
  result.patient_id = patient;
  result.study_instance_uid = "1.2.3";
  result.series_instance_uid = "1.2.3.4";
  result.sop_instance_uid = instance;
  return result;
}

struct NameCase {
  const char* layout;
  const char* name;
};
void PrintTo(const NameCase& test, std::ostream* out) { *out << test.layout; }

class GoodLayoutTest : public ::testing::TestWithParam<NameCase> {};

TEST_P(GoodLayoutTest, Name) {
  std::string problem;
  const auto layout = Layout::Parse(GetParam().layout, problem);
  ASSERT_TRUE(layout) << problem;
  EXPECT_EQ(layout->NameFor(Instance("P-1"), "in put/a.dcm"), GetParam().name);
}

INSTANTIATE_TEST_SUITE_P(
    Layout, GoodLayoutTest,
    ::testing::Values(
        NameCase{"{PatientID}/{StudyInstanceUID}/{SeriesInstanceUID}/{SOPInstanceUID}.dcm",
                 "P-1/1.2.3/1.2.3.4/1.2.3.4.5.dcm"},
        NameCase{"{SOPInstanceUID}", "1.2.3.4.5"},
        NameCase{"export/{SOPInstanceUID}.dcm", "export/1.2.3.4.5.dcm"},
        NameCase{"a..b/x-{PatientID}_{SOPInstanceUID}", "a..b/x-P-1_1.2.3.4.5"},
        NameCase{"{SOPInstanceUID}/{SOPInstanceUID}", "1.2.3.4.5/1.2.3.4.5"},
        NameCase{"mirror", "in put/a.dcm"}));

class BadLayoutTest : public ::testing::TestWithParam<const char*> {};

TEST_P(BadLayoutTest, IsRefused) {
  std::string problem;
  EXPECT_FALSE(Layout::Parse(GetParam(), problem).has_value());
  EXPECT_FALSE(problem.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Layout, BadLayoutTest,
    ::testing::Values("", "{PatientID}", "fixed.dcm", "/{SOPInstanceUID}", "../{SOPInstanceUID}",
                      "{PatientID}/../{SOPInstanceUID}", "a/../{SOPInstanceUID}",
                      "{SOPInstanceUID}/..", "{PatientName}/{SOPInstanceUID}", "{sopinstanceuid}",
                      "{SOPInstanceUID", "SOPInstanceUID}", "{}/{SOPInstanceUID}",
                      "{{SOPInstanceUID}}", "a\\{SOPInstanceUID}", "Mirror",
                      // A part that is empty or ".", and characters that no part may hold.
                      "{PatientID}//{SOPInstanceUID}", "{SOPInstanceUID}/", "./{SOPInstanceUID}",
                      "{PatientID}/./{SOPInstanceUID}", "a b/{SOPInstanceUID}",
                      "a\n{SOPInstanceUID}", "*{SOPInstanceUID}",
                      // Names that no file system takes.
                      "{PatientID}{StudyInstanceUID}{SeriesInstanceUID}{SOPInstanceUID}"));

TEST(LayoutTest, HostileValues) {
  std::string problem;
  const auto layout = Layout::Parse("{PatientID}/{SOPInstanceUID}.dcm", problem);
  ASSERT_TRUE(layout);
  std::string all;
  for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
  for (const std::string& value : {std::string(),
                                   std::string("."),
                                   std::string(".."),
                                   std::string("..."),
                                   std::string("../../etc/passwd"),
                                   std::string("/etc/passwd"),
                                   std::string("a/b"),
                                   std::string("a\\b"),
                                   std::string("a\0b", 3),
                                   std::string("\n"),
                                   std::string("M\xC3\xBCller"),
                                   std::string("~"),
                                   std::string("$(rm)"),
                                   std::string(5000, 'x'),
                                   std::string("CON"),
                                   std::string("aux"),
                                   std::string("com1.x"),
                                   std::string("Lpt9"),
                                   std::string("NUL."),
                                   std::string("x."),
                                   std::string("x. "),
                                   std::string("-rf"),
                                   std::string(".dcmveil-1"),
                                   all}) {
    for (const bool as_uid : {false, true}) {
      const std::string name =
          layout->NameFor(as_uid ? Instance("P", value) : Instance(value), "input");
      std::istringstream parts(name);
      int count = 0;
      for (std::string part; std::getline(parts, part, '/'); ++count) {
        EXPECT_FALSE(part.empty() || part == "." || part == "..") << name;
        EXPECT_LE(part.size(), 255U);
        EXPECT_NE(part.front(), '.') << name;
        EXPECT_NE(part.back(), '.') << name;
        EXPECT_FALSE(RE2::PartialMatch(part, "(?i)^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\\.|$)"))
            << name;
        EXPECT_TRUE(std::all_of(part.begin(), part.end(), [](char c) {
          return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                 c == '.' || c == '_' || c == '-';
        })) << name;
      }
      EXPECT_EQ(count, 2) << name;
    }
  }
}

}  // namespace
}  // namespace dcmveil::pipeline
