// SPDX-License-Identifier: Apache-2.0
#include "pipeline/crosswalk.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/certificates.h"

namespace dcmveil::pipeline {
namespace {

using testing::Folder;
using testing::People;
using testing::ReadFile;

CrosswalkEntry Entry(const std::string& patient, int series, int instance) {
  Deidentified one;
  one.originals = {.patient_id = patient,
                   .issuer_of_patient_id = "Ward, \"3\"",
                   .study_instance_uid = "1.2." + patient,
                   .series_instance_uid = "1.2.3." + std::to_string(series),
                   .sop_instance_uid = "1.2.3.4." + std::to_string(instance)};
  one.patient_id = "NEW" + patient;
  one.study_instance_uid = "2.25.1";
  one.series_instance_uid = "2.25.2" + std::to_string(series);
  one.sop_instance_uid = "2.25.3" + std::to_string(instance);
  return CrosswalkEntry(one);
}

std::vector<std::string> Rows(const std::filesystem::path& file, std::string& problem,
                              bool stranger = false) {
  const People& people = People::Get();
  std::vector<std::string> rows;
  const auto& key = stranger ? people.stranger.key : people.office.key;
  (void)ReadCrosswalk(
      file, key, nullptr,
      [&rows](const CrosswalkRow& row) {
        rows.push_back(row.kind + " " + row.before + " " + row.after + " " + row.issuer);
      },
      problem);
  return rows;
}

TEST(CrosswalkTest, OneRowForEachEntityInParts) {
  const Folder folder;
  const auto file = folder / "walk";
  std::string problem;
  const auto crosswalk =
      Crosswalk::To(file, {People::Get().office.certificate_file}, false, problem);
  ASSERT_NE(crosswalk, nullptr) << problem;
  crosswalk->set_longest_part(2000);
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(crosswalk->Add(Entry(i < 100 ? "1" : "2", i / 10, i)));
    EXPECT_FALSE(std::filesystem::exists(file)) << "it has its name when it is whole";
  }
  ASSERT_TRUE(crosswalk->Finish());
  struct stat info = {};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  EXPECT_TRUE(std::filesystem::exists(folder / "walk.2"));
  EXPECT_FALSE(std::filesystem::exists(folder / "walk.partial"));
  const std::vector<std::string> rows = Rows(file, problem);
  EXPECT_EQ(problem, "");
  EXPECT_EQ(rows.size(), 200U + 2 + 2 + 20);
  EXPECT_EQ(rows[0], "patient 1 NEW1 Ward, \"3\"");
  EXPECT_EQ(rows.back(), "instance 1.2.3.4.199 2.25.3199 ");
  EXPECT_EQ(Rows(file, problem, true).size(), 0U);
  EXPECT_NE(problem, "");
}

/// Makes one of two parts.
void WriteTwoParts(const std::filesystem::path& file) {
  std::string problem;
  const auto crosswalk =
      Crosswalk::To(file, {People::Get().office.certificate_file}, false, problem);
  ASSERT_NE(crosswalk, nullptr) << problem;
  crosswalk->set_longest_part(1);
  ASSERT_TRUE(crosswalk->Add(Entry("1", 1, 1)));
  ASSERT_TRUE(crosswalk->Finish());
}

TEST(CrosswalkTest, AnUnfinishedOneLeavesNothingAndAnEarlierOneStays) {
  const Folder folder;
  const auto file = folder / "walk";
  WriteTwoParts(file);
  const std::string earlier = ReadFile(file);
  const std::string earlier_too = ReadFile(folder / "walk.2");
  std::string problem;
  {
    const auto crosswalk =
        Crosswalk::To(file, {People::Get().office.certificate_file}, false, problem);
    ASSERT_NE(crosswalk, nullptr);
    ASSERT_TRUE(crosswalk->Add(Entry("1", 1, 1)));
  }
  EXPECT_EQ(ReadFile(file), earlier);
  EXPECT_FALSE(std::filesystem::exists(folder / "walk.partial"));
  const auto crosswalk =
      Crosswalk::To(file, {People::Get().office.certificate_file}, false, problem);
  ASSERT_TRUE(crosswalk->Add(Entry("1", 1, 1)));
  ASSERT_TRUE(crosswalk->Finish());
  EXPECT_EQ(ReadFile(folder / "walk.previous"), earlier);
  EXPECT_EQ(ReadFile(folder / "walk.2.previous"), earlier_too);
  EXPECT_EQ(Rows(file, problem).size(), 4U);
}

TEST(CrosswalkTest, WhatIsNoCrosswalkStays) {
  for (const char* name :
       {"walk", "walk.previous", "walk.partial", "walk.2", "walk.2.previous", "walk.2.partial"}) {
    for (const bool dry_run : {false, true}) {
      const Folder folder;
      const auto file = folder / "walk";
      WriteTwoParts(file);
      const auto other = folder.Write(name, "a key");
      std::string problem;
      EXPECT_EQ(Crosswalk::To(file, {People::Get().office.certificate_file}, dry_run, problem),
                nullptr);
      EXPECT_NE(problem.find(std::string(name) + " is no crosswalk"), std::string::npos) << problem;
      EXPECT_EQ(ReadFile(other), "a key");
    }
  }
}

TEST(CrosswalkTest, WhatComesWhileItIsWrittenStays) {
  for (const char* name : {"walk", "walk.previous", "walk.2", "walk.2.partial"}) {
    const Folder folder;
    const auto file = folder / "walk";
    WriteTwoParts(file);
    std::string problem;
    {
      const auto crosswalk =
          Crosswalk::To(file, {People::Get().office.certificate_file}, false, problem);
      ASSERT_NE(crosswalk, nullptr) << problem;
      crosswalk->set_longest_part(2000);
      (void)folder.Write(name, "a key");
      bool well = true;
      for (int i = 0; i < 200 && well; ++i) well = crosswalk->Add(Entry("1", 1, i));
      EXPECT_FALSE(well && crosswalk->Finish()) << name;
    }
    EXPECT_EQ(ReadFile(folder / name), "a key");
  }
}

TEST(CrosswalkTest, WhatAKilledRunLeftIsTakenAway) {
  const Folder folder;
  const auto file = folder / "walk";
  WriteTwoParts(file);
  (void)folder.Write("walk.partial", ReadFile(file).substr(0, 100));
  (void)folder.Write("walk.2.partial", "");
  WriteTwoParts(file);
  EXPECT_FALSE(std::filesystem::exists(folder / "walk.partial"));
  EXPECT_FALSE(std::filesystem::exists(folder / "walk.2.partial"));
}

TEST(CrosswalkTest, WhatCannotBe) {
  const Folder folder;
  std::string problem;
  EXPECT_EQ(Crosswalk::To(folder / "walk", {}, false, problem), nullptr);
  EXPECT_NE(problem, "");
  EXPECT_EQ(Crosswalk::To(folder / "walk", {folder / "nobody.pem"}, true, problem), nullptr);
  EXPECT_NE(problem.find("does not exist"), std::string::npos);
  problem.clear();
  EXPECT_EQ(Crosswalk::To(folder / "no" / "where", {People::Get().office.certificate_file}, false,
                          problem),
            nullptr);
  EXPECT_NE(problem.find("cannot be written"), std::string::npos);
  problem.clear();
  EXPECT_EQ(Crosswalk::To(folder / "walk", {People::Get().office.certificate_file}, true, problem),
            nullptr);
  EXPECT_EQ(problem, "") << "a dry run";
  EXPECT_FALSE(std::filesystem::exists(folder / "walk.partial"));
}

TEST(CrosswalkTest, Csv) {
  EXPECT_EQ(CsvField("plain"), "plain");
  EXPECT_EQ(CsvField("a,b"), "\"a,b\"");
  EXPECT_EQ(CsvField("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(CsvField("a\nb"), "\"a\nb\"");
}

}  // namespace
}  // namespace dcmveil::pipeline
