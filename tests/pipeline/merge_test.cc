// SPDX-License-Identifier: Apache-2.0
//
// Runs in shards, joined: what one run over all would have left.
#include "pipeline/merge.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <thread>
#include <vector>

#include "dcmveil/survey.h"
#include "pipeline/shard.h"
#include "tests/support/outputs.h"
#include "tests/support/rules.h"

namespace dcmveil {
namespace {

namespace fs = std::filesystem;
using pipeline::MergeOptions;
using pipeline::MergeShards;
using pipeline::MergeSummary;
using testing::Contents;
using testing::Folder;
using testing::Lines;
using testing::ReadFile;
using testing::SmallCt;
using testing::Text;
using testing::With;

constexpr const char* kRules =
    "rules:\n"
    "- {tag: PatientID, action: pseudonym, with: {prefix: P-, length: 10}}\n"
    "- {vr: UI, action: refresh-uid}\n"
    "- {vr: PN, action: redact}\n"
    "- {tag: StudyDescription, action: keep}\n"
    "reject:\n- {when: {Modality: US}, because: no ultrasound}\n";

std::string Instance(int study, int instance, const char* modality = "CT") {
  return testing::File(
      With(SmallCt(), {Text({0x0008, 0x0018}, "UI", "1.2.3.4." + std::to_string(instance)),
                       Text({0x0008, 0x0060}, "CS", modality),
                       Text({0x0008, 0x1030}, "LO", "study " + std::to_string(study % 3)),
                       Text({0x0020, 0x000D}, "UI", "1.2." + std::to_string(study)),
                       testing::Raw({0x7FE0, 0x0010}, "OW", std::string(3000, 'p'))}),
      testing::kSyntaxes[instance % 4]);
}

class MergeTest : public ::testing::Test {
 protected:
  MergeTest() : engine_(testing::Rules(kRules)) {}

  /// 20 studies, each in two folders and partly in one with others; some twice, some no DICOM.
  void MakeInputs() const {
    for (int i = 0; i < 120; ++i) {
      const std::string place =
          i % 5 == 0 ? "mixed" : "s" + std::to_string(i % 20) + (i % 2 ? "/a" : "-a");
      const char* modality = i % 17 == 4 ? "US" : "CT";
      folder_.Write("in/" + place + "/" + std::to_string(i), Instance(i % 20, i, modality));
      if (i % 11 == 3) folder_.Write("in/again/" + std::to_string(i), Instance(i % 20, i));
      if (i % 13 == 3) folder_.Write("in/x/" + std::to_string(i), "no DICOM");
      if (i % 19 == 3)
        folder_.Write("in/y/\xFF" + std::to_string(i), Instance(i, 1000 + i).substr(0, 900));
    }
    folder_.Write("in/\xC3\xBC-name", Instance(99, 5000));
    folder_.Write("in/\xFF-name", "no DICOM");
  }
  [[nodiscard]] RunOptions Options(const std::string& out) const {
    RunOptions options;
    options.input = folder_ / "in";
    options.output = folder_ / out;
    options.jobs = 2;
    options.survey = true;
    return options;
  }
  RunSummary RunShard(const std::string& out, std::uint32_t index, std::uint32_t count,
                      Shard::By by = Shard::By::kStudy) {
    RunOptions options = Options(out);
    options.shard = Shard{.index = index, .count = count, .by = by};
    RunSummary summary = dcmveil::Run(engine_, options);
    EXPECT_FALSE(summary.problem) << summary.problem->message;
    return summary;
  }
  [[nodiscard]] fs::path State(const std::string& out) const {
    return folder_ / (out + ".dcmveil");
  }
  [[nodiscard]] fs::path ShardState(const std::string& out, int index, int count) const {
    return State(out) / ("shard-" + std::to_string(index) + "-of-" + std::to_string(count));
  }
  [[nodiscard]] MergeSummary Join(const std::string& out, bool incomplete = false) const {
    MergeOptions options;
    options.state = State(out);
    options.incomplete = incomplete;
    return MergeShards(options);
  }
  /// The merge is refused, and says this.
  void ExpectRefused(const std::string& out, const std::string& text) const {
    const MergeSummary summary = Join(out);
    ASSERT_TRUE(summary.problem) << text;
    EXPECT_TRUE(summary.problem->usage);
    EXPECT_NE(summary.problem->message.find(text), std::string::npos) << summary.problem->message;
    EXPECT_FALSE(fs::exists(State(out) / "manifest.ndjson"));
  }

  Folder folder_;
  Engine engine_;
};

TEST_F(MergeTest, LikeASingleRunForAnyNumberOfShardsInAnyOrder) {
  MakeInputs();
  ASSERT_FALSE(dcmveil::Run(engine_, Options("single")).problem);
  const std::string manifest = ReadFile(State("single") / "manifest.ndjson");
  const auto tree = Contents(folder_ / "single");
  const Result<Survey> single = LoadSurvey(State("single"));
  ASSERT_TRUE(single);
  for (const std::uint32_t count : {1U, 2U, 3U, 7U}) {
    const std::string out = "out" + std::to_string(count);
    std::uint64_t inputs = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      // Not in the order of their numbers.
      const RunSummary summary = RunShard(out, (i * 5 + 2) % count + 1, count);
      inputs += summary.counts.finished();
      EXPECT_EQ(summary.counts.total, summary.counts.finished());
    }
    EXPECT_EQ(static_cast<std::ptrdiff_t>(inputs),
              std::count(manifest.begin(), manifest.end(), '\n'));
    const MergeSummary summary = Join(out);
    ASSERT_FALSE(summary.problem) << summary.problem->message;
    EXPECT_EQ(summary.counts.finished(), inputs);
    EXPECT_EQ(summary.doubled_outputs, 0U);
    EXPECT_EQ(summary.repeated, 0U);
    EXPECT_EQ(ReadFile(State(out) / "manifest.ndjson"), manifest) << count;
    EXPECT_EQ(ReadFile(State(out) / "quarantine.ndjson"),
              ReadFile(State("single") / "quarantine.ndjson"));
    EXPECT_EQ(Contents(folder_ / out), tree);
    const Result<Survey> survey = LoadSurvey(State(out));
    ASSERT_TRUE(survey);
    EXPECT_EQ(survey->outcomes, single->outcomes);
    EXPECT_EQ(survey->bytes_in, single->bytes_in);
    EXPECT_EQ(survey->kindless, single->kindless);
    EXPECT_EQ(survey->notes, single->notes);
    const auto texts = [](const Survey& of) {
      std::vector<std::string> rows;
      for (const Survey::Text& row : of.texts) {
        rows.push_back(row.element + "=" + row.text + " " + std::to_string(row.times) + " by " +
                       of.rules[row.rule].origin);
      }
      for (const Survey::Rule& row : of.rules) {
        rows.push_back(row.origin + row.selector + row.action + std::to_string(row.elements));
      }
      for (const Survey::Reason& row : of.reasons) {
        rows.push_back(row.reason + row.where + std::to_string(row.inputs));
      }
      for (const Survey::Kind& row : of.kinds) {
        rows.push_back(row.modality + row.sop_class_uid + std::to_string(row.outcomes[0]));
      }
      return rows;
    };
    EXPECT_EQ(texts(*survey), texts(*single));
    struct stat info = {};
    ASSERT_EQ(::stat(State(out).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0700U);
    // Once more: the same.
    ASSERT_FALSE(Join(out).problem);
    EXPECT_EQ(ReadFile(State(out) / "manifest.ndjson"), manifest);
  }
}

TEST_F(MergeTest, ByPathWhereNoInstanceIsTwice) {
  for (int i = 0; i < 60; ++i) {
    folder_.Write(
        "in/s" + std::to_string(i % 9) + "/" + std::to_string(i % 2) + "/" + std::to_string(i),
        Instance(i % 9, i));
  }
  ASSERT_FALSE(dcmveil::Run(engine_, Options("single")).problem);
  for (std::uint32_t i = 1; i <= 4; ++i) RunShard("out", i, 4, Shard::By::kPath);
  ASSERT_FALSE(Join("out").problem);
  EXPECT_EQ(ReadFile(State("out") / "manifest.ndjson"),
            ReadFile(State("single") / "manifest.ndjson"));
  EXPECT_EQ(Contents(folder_ / "out"), Contents(folder_ / "single"));
}

/// By path, two shards may want one output. Nothing is overwritten or lost, whoever comes first.
TEST_F(MergeTest, TwoShardsWithOneOutputAtTheSameTime) {
  constexpr int kInstances = 60;
  for (int i = 0; i < kInstances; ++i) {
    folder_.Write("in/a/" + std::to_string(i), Instance(1, i));
    // The same instance, now and then in another encoding of its pixels.
    std::string other = Instance(1, i);
    if (i % 2 == 0) other[other.size() - 3] = 'q';
    folder_.Write("in/b/" + std::to_string(i), other);
  }
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  std::uint32_t count = 1;
  while (a == b) {  // the first N that parts the two folders
    ++count;
    for (std::uint32_t index = 1; index <= count; ++index) {
      const pipeline::Splitter splitter({.index = index, .count = count, .by = Shard::By::kPath});
      if (splitter.TakesName("a/0")) a = index;
      if (splitter.TakesName("b/0")) b = index;
    }
  }
  for (int round = 0; round < 5; ++round) {
    const std::string out = "out" + std::to_string(round);
    std::thread other([&] { RunShard(out, b, count, Shard::By::kPath); });
    RunShard(out, a, count, Shard::By::kPath);
    other.join();
    for (std::uint32_t index = 1; index <= count; ++index) {
      if (index != a && index != b) RunShard(out, index, count, Shard::By::kPath);
    }
    const MergeSummary summary = Join(out);
    ASSERT_FALSE(summary.problem) << summary.problem->message;
    EXPECT_EQ(summary.counts.of(Outcome::kWritten) + summary.counts.of(Outcome::kUnchanged),
              std::uint64_t{kInstances});
    EXPECT_EQ(summary.counts.of(Outcome::kQuarantined), std::uint64_t{kInstances});
    std::set<std::string> outputs;
    for (const nlohmann::json& line : Lines(State(out) / "manifest.ndjson")) {
      if (line["output"].is_null()) {
        EXPECT_TRUE(line["reason"] == "same-output" || line["reason"] == "output-exists") << line;
        continue;
      }
      EXPECT_TRUE(outputs.insert(line["output"]).second);
    }
    const auto tree = Contents(folder_ / out);
    EXPECT_EQ(outputs.size(), tree.size());
    for (const auto& [name, bytes] : tree) EXPECT_TRUE(outputs.contains(name)) << name;
  }
}

/// One shard ran after the other and found its output there, byte for byte.
TEST_F(MergeTest, WhatTwoShardsTakeForTheirOwnIsGivenToTheFirstInput) {
  for (int i = 0; i < 10; ++i) {
    for (const char* place : {"a/", "b/", "c/", "d/", "e/"}) {
      folder_.Write("in/" + (place + std::to_string(i)), Instance(1, i));
    }
  }
  ASSERT_FALSE(dcmveil::Run(engine_, Options("single")).problem);
  for (const std::uint32_t index : {3U, 1U, 2U}) RunShard("out", index, 3, Shard::By::kPath);
  const MergeSummary summary = Join("out");
  ASSERT_FALSE(summary.problem) << summary.problem->message;
  EXPECT_GT(summary.doubled_outputs, 0U) << "the folders are in one shard: choose others";
  EXPECT_EQ(ReadFile(State("out") / "manifest.ndjson"),
            ReadFile(State("single") / "manifest.ndjson"));
  EXPECT_EQ(ReadFile(State("out") / "quarantine.ndjson"),
            ReadFile(State("single") / "quarantine.ndjson"));
  EXPECT_EQ(LoadSurvey(State("out"))->outcomes, LoadSurvey(State("single"))->outcomes);
}

TEST_F(MergeTest, WhatSeveralShardsCouldNotReadHasOneLine) {
  MakeInputs();
  for (std::uint32_t i = 1; i <= 3; ++i) RunShard("out", i, 3);
  ASSERT_FALSE(Join("out").problem);
  const std::string whole = ReadFile(State("out") / "manifest.ndjson");
  // Shard 1 could not read what 2 wrote, nor what nobody could read.
  const std::string failed = R"(,"output":null,"outcome":"failed","reason":"read-failed"})";
  const auto lines = Lines(ShardState("out", 2, 3) / "manifest.ndjson");
  const auto written = std::find_if(lines.begin(), lines.end(),
                                    [](const auto& line) { return !line["output"].is_null(); });
  ASSERT_NE(written, lines.end());
  const std::string nobody = R"({"input":"zz")" + failed + "\n";
  for (const int index : {1, 3}) {
    const fs::path file = ShardState("out", index, 3) / "manifest.ndjson";
    std::vector<std::string> all;
    std::istringstream text(ReadFile(file) + R"({"input":)" + (*written)["input"].dump() + failed +
                            "\n" + nobody);
    for (std::string line; std::getline(text, line);) all.push_back(line);
    // In the order of a folder's inputs.
    const auto key = [](const std::string& line) {
      std::string name = nlohmann::json::parse(line)["input"];
      std::replace(name.begin(), name.end(), '/', '\1');
      return name;
    };
    std::stable_sort(all.begin(), all.end(),
                     [&](const auto& a, const auto& b) { return key(a) < key(b); });
    std::string joined;
    for (const std::string& line : all) joined += line + "\n";
    std::ofstream(file) << joined;
  }
  const MergeSummary summary = Join("out");
  ASSERT_FALSE(summary.problem) << summary.problem->message;
  EXPECT_EQ(summary.repeated, 3U);
  EXPECT_EQ(summary.counts.of(Outcome::kFailed), 1U);
  const auto merged = Lines(State("out") / "manifest.ndjson");
  EXPECT_EQ(merged.size(), Lines(ShardState("out", 2, 3) / "manifest.ndjson").size() +
                               Lines(ShardState("out", 1, 3) / "manifest.ndjson").size() +
                               Lines(ShardState("out", 3, 3) / "manifest.ndjson").size() - 3);
  for (const nlohmann::json& line : merged) {
    if (line["input"] == (*written)["input"]) {
      EXPECT_EQ(line, *written);
    }
  }
}

TEST_F(MergeTest, ShardsThatDoNotBelongTogether) {
  MakeInputs();
  ExpectRefused("out", "no shards");
  RunShard("out", 1, 3);
  RunShard("out", 3, 3);
  ExpectRefused("out", "of 3 shards missing: 2");
  RunShard("out", 2, 3);
  // The same shard twice.
  fs::copy(ShardState("out", 2, 3), folder_ / "copy", fs::copy_options::recursive);
  MergeOptions twice;
  twice.state = State("out");
  for (int i = 1; i <= 3; ++i) twice.shards.push_back(ShardState("out", i, 3));
  twice.shards.push_back(folder_ / "copy");
  MergeSummary summary = MergeShards(twice);
  ASSERT_TRUE(summary.problem);
  EXPECT_NE(summary.problem->message.find("shard 2 is there twice"), std::string::npos);
  // From another run, in one way or another.
  const auto with = [&](const fs::path& other) {
    MergeOptions options;
    options.state = State("out");
    options.shards = {ShardState("out", 1, 3), other, ShardState("out", 3, 3)};
    const MergeSummary refused = MergeShards(options);
    EXPECT_TRUE(refused.problem && refused.problem->usage);
    return refused.problem ? refused.problem->message : "";
  };
  const auto edited = [&](const std::string& from, const std::string& to) {
    fs::remove_all(folder_ / "copy");
    fs::copy(ShardState("out", 2, 3), folder_ / "copy", fs::copy_options::recursive);
    std::string run = ReadFile(folder_ / "copy/run.json");
    const std::size_t at = run.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    std::ofstream(folder_ / "copy/run.json") << run.replace(at, from.size(), to);
    return folder_ / "copy";
  };
  EXPECT_NE(with(edited("\"rules_hash\": \"", "\"rules_hash\": \"0")).find("rules differ"),
            std::string::npos);
  EXPECT_NE(with(edited("\"key_id\": \"", "\"key_id\": \"0")).find("keys differ"),
            std::string::npos);
  EXPECT_NE(with(edited("\"by\": \"study\"", "\"by\": \"path\"")).find("by study and one by path"),
            std::string::npos);
  EXPECT_NE(with(edited("\"count\": 3", "\"count\": 4")).find("one is of 3 and one of 4"),
            std::string::npos);
  EXPECT_NE(with(edited("/in\"", "/on\"")).find("inputs differ"), std::string::npos);
  EXPECT_NE(with(edited("/out\"", "/oat\"")).find("outputs differ"), std::string::npos);
  EXPECT_NE(with(edited("\"shard\"", "\"shart\"")).find("not the state folder of a shard"),
            std::string::npos);
  EXPECT_NE(with(folder_ / "in").find("not the state folder of a shard"), std::string::npos);
  EXPECT_FALSE(fs::exists(State("out") / "manifest.ndjson"));
  EXPECT_FALSE(Join("out").problem);
}

TEST_F(MergeTest, UnfinishedShards) {
  MakeInputs();
  RunShard("out", 2, 2);
  // As if it had been killed.
  RunShard("out", 1, 2);
  const fs::path journal = ShardState("out", 1, 2) / "journal";
  const std::string whole = ReadFile(journal);
  const std::size_t cut = whole.rfind('\n', whole.size() - 2) + 1;
  fs::resize_file(journal, cut);
  ExpectRefused("out", "of 2 shards not at their end: 1");
  const MergeSummary summary = Join("out", /*incomplete=*/true);
  ASSERT_FALSE(summary.problem) << summary.problem->message;
  EXPECT_EQ(summary.missing, 1U);
  EXPECT_EQ(nlohmann::json::parse(ReadFile(State("out") / "run.json"))["shards"]["missing"], 1);
  EXPECT_TRUE(LoadSurvey(State("out"))->run.stopped);
  // It goes on, and all is well.
  RunShard("out", 1, 2);
  ASSERT_FALSE(Join("out").problem);
  ASSERT_FALSE(dcmveil::Run(engine_, Options("single")).problem);
  EXPECT_EQ(ReadFile(State("out") / "manifest.ndjson"),
            ReadFile(State("single") / "manifest.ndjson"));
}

TEST_F(MergeTest, ADamagedManifest) {
  MakeInputs();
  RunShard("out", 1, 2);
  RunShard("out", 2, 2);
  std::ofstream(ShardState("out", 2, 2) / "manifest.ndjson", std::ios::app) << "{\n";
  const MergeSummary summary = Join("out");
  ASSERT_TRUE(summary.problem);
  EXPECT_FALSE(summary.problem->usage);
  EXPECT_FALSE(fs::exists(State("out") / "manifest.ndjson"));
}

TEST_F(MergeTest, AnotherSplitInTheSameStateIsRefused) {
  MakeInputs();
  RunShard("out", 2, 3);
  const auto refused = [&](std::optional<Shard> shard, const std::string& text) {
    RunOptions options = Options("out");
    options.shard = shard;
    const RunSummary summary = dcmveil::Run(engine_, options);
    ASSERT_TRUE(summary.problem) << text;
    EXPECT_TRUE(summary.problem->usage);
    EXPECT_NE(summary.problem->message.find(text), std::string::npos) << summary.problem->message;
  };
  refused(Shard{.index = 1, .count = 4}, "has shards of 3, not of 4");
  refused(Shard{.index = 1, .count = 3, .by = Shard::By::kPath}, "by study, not by path");
  refused(Shard{.index = 2, .count = 3, .by = Shard::By::kPath}, "by study, not by path");
  refused(std::nullopt, "a run in 3 shards");
  EXPECT_FALSE(fs::exists(ShardState("out", 1, 4)));
  ASSERT_FALSE(dcmveil::Run(engine_, Options("single")).problem);
  RunOptions options = Options("single");
  options.shard = Shard{.index = 1, .count = 3};
  const RunSummary summary = dcmveil::Run(engine_, options);
  ASSERT_TRUE(summary.problem);
  EXPECT_NE(summary.problem->message.find("a run without shards"), std::string::npos);
}

}  // namespace
}  // namespace dcmveil
