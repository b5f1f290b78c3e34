// SPDX-License-Identifier: Apache-2.0
//
// The look at the beginning of a file must say what the engine says after reading all of it, or
// nothing: else the shards would not agree whose an instance is.
#include "pipeline/study_uid.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "tests/support/rules.h"

namespace dcmveil::pipeline {
namespace {

namespace fs = std::filesystem;
using testing::DataSet;
using testing::Folder;
using testing::SmallCt;
using testing::Text;
using testing::With;
using testing::Without;

std::string Look(const std::string& bytes) {
  static const Folder folder;
  const auto look = LookInto(folder.Write("file", bytes));
  EXPECT_TRUE(look);
  if (look) {
    EXPECT_EQ(look->stamp.size, bytes.size());
  }
  return look ? look->study_uid.value_or("(unsure)") : "(unread)";
}

const Engine& AnEngine() {
  static const Engine engine(testing::Rules(""));
  return engine;
}

TEST(StudyUidTest, InEverySyntax) {
  for (const testing::Syntax& syntax :
       {testing::kImplicit, testing::kExplicit, testing::kBig, testing::kJpeg}) {
    EXPECT_EQ(Look(testing::File(SmallCt(), syntax)), "1.2.3") << syntax.name;
    EXPECT_EQ(Look(testing::File(testing::EverythingInOne(), syntax)), "1.2.3") << syntax.name;
    for (const bool undefined : {false, true}) {
      EXPECT_EQ(Look(testing::File(testing::EverythingInOne(), syntax,
                                   {.undefined_length = undefined, .group_lengths = true})),
                "1.2.3")
          << syntax.name;
    }
  }
}

TEST(StudyUidTest, BehindMuchElse) {
  const DataSet nested = {
      testing::Seq({0x0008, 0x1140},
                   {{Text({0x0008, 0x1150}, "UI", "9.9"),
                     testing::Seq({0x0008, 0x1199}, {{Text({0x0020, 0x000D}, "UI", "6.6.6")}})}}),
      testing::Raw({0x0009, 0x0010}, "LO", "VENDOR"),
      testing::Raw({0x0009, 0x1001}, "OB", std::string(100'000, '\x20')),
      Text({0x0010, 0x4000}, "LT", std::string(9000, 'x'))};
  for (const testing::Syntax& syntax : {testing::kImplicit, testing::kExplicit, testing::kBig}) {
    for (const bool undefined : {false, true}) {
      EXPECT_EQ(
          Look(testing::File(With(SmallCt(), nested), syntax, {.undefined_length = undefined})),
          "1.2.3")
          << syntax.name;
    }
  }
}

TEST(StudyUidTest, WhatItDoesNotTell) {
  const std::string file = testing::File(SmallCt());
  EXPECT_EQ(Look(testing::File(SmallCt(), testing::kDeflated)), "(unsure)");
  EXPECT_EQ(Look(testing::File(SmallCt(), testing::kExplicit, {.preamble = false})), "(unsure)");
  EXPECT_EQ(Look(testing::File(Without(SmallCt(), {{0x0020, 0x000D}}))), "(unsure)");
  EXPECT_EQ(Look(testing::File(With(SmallCt(), {Text({0x0020, 0x000D}, "UI", "")}))), "(unsure)");
  EXPECT_EQ(Look(testing::File(With(SmallCt(), {Text({0x0020, 0x000D}, "LO", "1.2.3")}))),
            "(unsure)");
  EXPECT_EQ(Look(testing::File(With(SmallCt(), {Text({0x0020, 0x000D}, "UI", "1.2.3\\1.2.4")}))),
            "(unsure)");
  EXPECT_EQ(Look(""), "(unsure)");
  EXPECT_EQ(Look("this is no DICOM file"), "(unsure)");
  for (std::size_t size = 0; size < file.size(); size += 7) {
    const std::string uid = Look(file.substr(0, size));
    EXPECT_TRUE(uid == "(unsure)" || uid == "1.2.3") << size;
  }
  EXPECT_FALSE(LookInto("/nowhere/at/all"));
}

/// What the engine makes of the file, if the look told something.
void ExpectAgreement(const std::string& bytes, const std::string& what) {
  const std::string uid = Look(bytes);
  if (uid == "(unsure)") return;
  const Result<Deidentified> result = AnEngine().ApplyToBytes(bytes);
  if (!result || result->rejected) return;
  EXPECT_EQ(result->originals.study_instance_uid, uid) << what;
}

TEST(StudyUidTest, DamagedFilesNeverTellSomethingElseThanTheEngine) {
  std::mt19937 chance(3);
  const std::string file = testing::File(testing::EverythingInOne());
  const std::size_t head = std::min<std::size_t>(file.size(), 1500);
  for (int i = 0; i < 800; ++i) {
    std::string damaged = file;
    for (std::uint64_t bytes = 1 + chance() % 3; bytes > 0; --bytes) {
      damaged[132 + chance() % (head - 132)] = static_cast<char>(chance());
    }
    ExpectAgreement(damaged, "damage " + std::to_string(i));
  }
}

TEST(StudyUidTest, SamplesAndCorpus) {
  const Folder folder;
  const std::string make = std::string(DCMVEIL_BINARY_DIR) + "/make_samples";
  ASSERT_EQ(std::system((make + " " + (folder / "s").string() + " > /dev/null").c_str()), 0);
  const char* shared = std::getenv("DCMVEIL_SHARED");
  const fs::path corpus =
      (shared != nullptr ? fs::path(shared) : fs::path(DCMVEIL_SOURCE_DIR) / "../shared") /
      "corpus";
  int told = 0;
  for (const fs::path& root : {folder / "s", corpus}) {
    if (!fs::is_directory(root)) {
      std::printf("no corpus at %s (set DCMVEIL_SHARED)\n", root.c_str());
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      if (!entry.is_regular_file()) continue;
      const auto look = LookInto(entry.path());
      ASSERT_TRUE(look);
      if (!look->study_uid) continue;
      ++told;
      const Result<Deidentified> result = AnEngine().ApplyToFile(entry.path());
      if (!result) continue;
      EXPECT_EQ(result->originals.study_instance_uid, *look->study_uid) << entry.path();
    }
  }
  EXPECT_GT(told, 40);
}

}  // namespace
}  // namespace dcmveil::pipeline
