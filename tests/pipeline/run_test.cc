// SPDX-License-Identifier: Apache-2.0
#include "dcmveil/run.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tests/support/outputs.h"
#include "tests/support/rules.h"

namespace dcmveil {
namespace {

namespace fs = std::filesystem;
using testing::Contents;
using testing::DataSet;
using testing::Folder;
using testing::Lines;
using testing::ReadFile;
using testing::Rules;
using testing::SmallCt;
using testing::Text;
using testing::With;
using testing::Without;

constexpr const char* kRules =
    "settings: {date-shift: {days: 365}}\n"
    "rules:\n"
    "- {tag: PatientID, action: pseudonym, with: {prefix: P-, length: 10}}\n"
    "- {vr: DA, action: date-shift}\n"
    "- {vr: UI, action: refresh-uid}\n"
    "- {vr: PN, action: redact}\n"
    "reject:\n- {when: {Modality: US}, because: no ultrasound}\n";

std::string Number(int i) {
  std::string text = std::to_string(i);
  return std::string(4 - text.size(), '0') + text;
}

DataSet Slice(int i) {
  return With(SmallCt(), {Text({0x0008, 0x0018}, "UI", "1.2.3.4.5." + std::to_string(i + 1)),
                          Text({0x0010, 0x0020}, "LO", "PAT" + std::to_string(i / 60)),
                          Text({0x0010, 0x0010}, "PN", "SECRET^" + std::to_string(i)),
                          testing::Raw({0x7FE0, 0x0010}, "OW", std::string(2000, 'p'))});
}

/// 300 inputs; those at certain numbers are something else.
struct Expected {
  int written = 0;
  std::map<std::string, std::uint64_t> reasons;
};
Expected MakeInputs(const Folder& folder) {
  Expected expected;
  for (int i = 0; i < 300; ++i) {
    const std::string name = "in/" + std::to_string(i % 7) + "/" + Number(i);
    const testing::Syntax& syntax = testing::kSyntaxes[i % 4];
    std::string file = testing::File(Slice(i), syntax);
    std::string reason;
    if (i % 25 == 3) {
      file = "this is no DICOM file";
      reason = "not-dicom";
    } else if (i % 25 == 7) {
      file = testing::File(Slice(i)).substr(0, 1500);
      reason = "truncated";
    } else if (i % 25 == 11) {
      file = testing::File(Without(Slice(i), {{0x0008, 0x0016}}), syntax);
      reason = "no-sop-class-uid";
    } else if (i % 25 == 15) {
      file = testing::File(With(Slice(i), {Text({0x0008, 0x0060}, "CS", "US")}), syntax);
      reason = "no ultrasound";
    }
    folder.Write(name, file);
    if (reason.empty()) {
      ++expected.written;
    } else {
      ++expected.reasons[reason];
    }
  }
  return expected;
}

RunOptions Options(const Folder& folder, const std::string& out, int jobs) {
  RunOptions options;
  options.input = folder / "in";
  options.output = folder / out;
  options.jobs = jobs;
  return options;
}

class RunTest : public ::testing::Test {
 protected:
  RunTest() : expected_(MakeInputs(folder_)), engine_(Rules(kRules)) {}
  Folder folder_;
  Expected expected_;
  Engine engine_;
};

TEST_F(RunTest, ThreeHundredInputsWithEightJobs) {
  const auto inputs = Contents(folder_ / "in");
  const RunSummary summary = dcmveil::Run(engine_, Options(folder_, "out", 8));
  ASSERT_FALSE(summary.problem) << summary.problem->message;
  EXPECT_EQ(summary.counts.of(Outcome::kWritten), static_cast<std::uint64_t>(expected_.written));
  EXPECT_EQ(summary.counts.of(Outcome::kRejected), 12U);
  EXPECT_EQ(summary.counts.of(Outcome::kQuarantined), 36U);
  EXPECT_EQ(summary.counts.of(Outcome::kFailed), 0U);
  EXPECT_EQ(summary.counts.finished(), 300U);
  EXPECT_EQ(summary.reasons, expected_.reasons);
  EXPECT_FALSE(summary.stopped);

  const auto outputs = Contents(folder_ / "out");
  EXPECT_EQ(outputs.size(), static_cast<std::size_t>(expected_.written));
  std::uint64_t bytes = 0;
  for (const auto& [name, content] : outputs) {
    EXPECT_EQ(content.find("SECRET"), std::string::npos) << name;
    EXPECT_EQ(name.find("PAT"), std::string::npos);
    EXPECT_NO_THROW(testing::Decode(content)) << name;
    bytes += content.size();
  }
  EXPECT_EQ(summary.counts.bytes_out, bytes);
  EXPECT_EQ(Contents(folder_ / "in"), inputs) << "inputs were changed";

  // One line for every input, in the order of their names.
  std::vector<std::string> named;
  std::set<std::string> listed;
  for (const nlohmann::json& line : Lines(summary.manifest)) {
    named.push_back(line["input"]);
    if (line["output"].is_null()) {
      EXPECT_FALSE(line["reason"].is_null());
    } else {
      listed.insert(line["output"].get<std::string>());
      EXPECT_TRUE(outputs.contains(line["output"].get<std::string>()));
    }
  }
  EXPECT_EQ(listed.size(), outputs.size());
  std::vector<std::string> in_order;
  for (const auto& [name, content] : inputs) in_order.push_back(name);
  EXPECT_EQ(named, in_order);
  EXPECT_EQ(summary.manifest.parent_path(), folder_ / "out.dcmveil");
  EXPECT_EQ(fs::status(folder_ / "out.dcmveil").permissions(), fs::perms::owner_all);
  EXPECT_EQ(ReadFile(summary.manifest).find("SECRET"), std::string::npos);
}

TEST_F(RunTest, TheNumberOfJobsChangesNothing) {
  std::vector<std::map<std::string, std::string>> outputs;
  std::vector<std::string> manifests;
  for (const int jobs : {1, 2, 8}) {
    const RunSummary summary =
        dcmveil::Run(engine_, Options(folder_, "out" + std::to_string(jobs), jobs));
    ASSERT_FALSE(summary.problem);
    outputs.push_back(Contents(folder_ / ("out" + std::to_string(jobs))));
    manifests.push_back(ReadFile(summary.manifest));
  }
  EXPECT_EQ(outputs[0], outputs[1]);
  EXPECT_EQ(outputs[0], outputs[2]);
  EXPECT_EQ(manifests[0], manifests[1]);
  EXPECT_EQ(manifests[0], manifests[2]);
}

TEST_F(RunTest, ASecondRunIsUnchanged) {
  ASSERT_FALSE(dcmveil::Run(engine_, Options(folder_, "out", 8)).problem);
  const auto outputs = Contents(folder_ / "out");
  const RunSummary again = dcmveil::Run(engine_, Options(folder_, "out", 8));
  EXPECT_EQ(again.counts.of(Outcome::kUnchanged), static_cast<std::uint64_t>(expected_.written));
  EXPECT_EQ(again.counts.of(Outcome::kWritten), 0U);
  EXPECT_EQ(again.counts.bytes_out, 0U);
  EXPECT_EQ(Contents(folder_ / "out"), outputs);
  EXPECT_TRUE(fs::exists(folder_ / "out.dcmveil/manifest.previous.ndjson"));
}

TEST_F(RunTest, ADryRunWritesNothing) {
  RunOptions options = Options(folder_, "out", 8);
  options.dry_run = true;
  const RunSummary summary = dcmveil::Run(engine_, options);
  EXPECT_EQ(summary.counts.of(Outcome::kWritten), static_cast<std::uint64_t>(expected_.written));
  EXPECT_TRUE(summary.manifest.empty());
  EXPECT_FALSE(fs::exists(folder_ / "out"));
  EXPECT_FALSE(fs::exists(folder_ / "out.dcmveil"));
}

TEST_F(RunTest, ProgressIsTold) {
  RunOptions options = Options(folder_, "out", 8);
  std::atomic<int> inside{0};
  std::uint64_t last = 0;
  int calls = 0;
  options.on_progress = [&](const RunCounts& counts) {
    EXPECT_EQ(inside.fetch_add(1), 0) << "called by two threads at once";
    EXPECT_GE(counts.finished(), last);
    last = counts.finished();
    EXPECT_TRUE(counts.total == 0 || counts.total == 300) << counts.total;
    ++calls;
    --inside;
  };
  const RunSummary summary = dcmveil::Run(engine_, options);
  EXPECT_GE(calls, 1);
  EXPECT_LE(calls, 2 + static_cast<int>(summary.seconds * 10));
  EXPECT_EQ(last, 300U);
}

TEST_F(RunTest, TheStopFlag) {
  std::atomic<bool> stop{true};
  RunOptions options = Options(folder_, "out", 8);
  options.stop = &stop;
  const RunSummary none = dcmveil::Run(engine_, options);
  EXPECT_TRUE(none.stopped);
  EXPECT_EQ(none.counts.finished(), 0U);

  // Set while it runs: what is in flight is finished and listed, and a rerun does the rest.
  stop = false;
  std::thread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(15));
    stop = true;
  });
  const RunSummary some = dcmveil::Run(engine_, options);
  stopper.join();
  EXPECT_TRUE(some.stopped);
  EXPECT_EQ(Lines(some.manifest).size(), some.counts.finished());
  EXPECT_EQ(Contents(folder_ / "out").size(), some.counts.of(Outcome::kWritten));
  options.stop = nullptr;
  const RunSummary rest = dcmveil::Run(engine_, options);
  EXPECT_EQ(rest.recalled, some.counts.finished() - some.counts.of(Outcome::kFailed));
  EXPECT_EQ(rest.counts.of(Outcome::kWritten), static_cast<std::uint64_t>(expected_.written));
  EXPECT_EQ(Contents(folder_ / "out").size(), static_cast<std::size_t>(expected_.written));
}

TEST_F(RunTest, OutcomesAreToldInOrder) {
  RunOptions options = Options(folder_, "out", 8);
  std::vector<std::string> told;
  options.on_outcome = [&](const std::string& input, const std::string& output,
                           const InstanceReport& report) {
    told.push_back(input + "|" + output + "|" + std::string(ToString(report.outcome)) + "|" +
                   report.reason);
  };
  const RunSummary summary = dcmveil::Run(engine_, options);
  std::vector<std::string> listed;
  for (const auto& line : Lines(summary.manifest)) {
    const auto text = [&](const char* key) {
      return line[key].is_null() ? std::string() : line[key].get<std::string>();
    };
    listed.push_back(text("input") + "|" + text("output") + "|" + text("outcome") + "|" +
                     text("reason"));
  }
  EXPECT_EQ(told.size(), 300U);
  EXPECT_EQ(told, listed);
}

TEST_F(RunTest, WhatACallbackThrowsComesOut) {
  for (const bool of_progress : {false, true}) {
    const std::string out = of_progress ? "out-1" : "out-2";
    RunOptions options = Options(folder_, out, 8);
    int calls = 0;
    const auto fail = [&] {
      ++calls;
      throw std::logic_error("mine");
    };
    if (of_progress) {
      options.on_progress = [&](const RunCounts&) { fail(); };
    } else {
      options.on_outcome = [&](const auto&, const auto&, const auto&) { fail(); };
    }
    EXPECT_THROW((void)dcmveil::Run(engine_, options), std::logic_error);
    EXPECT_EQ(calls, 1);
    options.on_progress = nullptr;
    options.on_outcome = nullptr;
    const RunSummary rest = dcmveil::Run(engine_, options);
    EXPECT_FALSE(rest.problem);
    EXPECT_EQ(rest.counts.of(Outcome::kWritten), static_cast<std::uint64_t>(expected_.written))
        << "what was done before the exception is recalled as this run's";
  }
}

TEST_F(RunTest, OneEngineInEightThreads) {
  const std::vector<std::string> files = [this] {
    std::vector<std::string> list;
    for (const auto& [name, content] : Contents(folder_ / "in")) list.push_back(content);
    return list;
  }();
  const auto digest = [this](const std::string& file) {
    const Result<Deidentified> result = engine_.ApplyToBytes(file);
    if (!result) return result.error().Message();
    return result->rejected ? result->because : *result->encoded.ToBytes();
  };
  std::vector<std::string> expected;
  for (int i = 0; i < 60; ++i) expected.push_back(digest(files[static_cast<std::size_t>(i)]));
  std::atomic<int> different{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (std::size_t i = 0; i < expected.size(); ++i) {
        if (digest(files[i]) != expected[i]) ++different;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(different, 0);
}

// Which of two inputs gets a name does not depend on which thread is faster.
TEST(RunCollisionTest, TheFirstInputWins) {
  const Folder folder;
  // All of one name; the first by name is much larger than the others.
  for (int i = 0; i < 12; ++i) {
    const std::size_t pixels = i == 0 ? 400000 : 10;
    folder.Write("in/" + Number(i),
                 testing::File(With(
                     SmallCt(), {Text({0x0008, 0x103E}, "LO", Number(i)),
                                 testing::Raw({0x7FE0, 0x0010}, "OW", std::string(pixels, 'p'))})));
  }
  const Engine engine(Rules(""));
  for (int repetition = 0; repetition < 20; ++repetition) {
    const std::string out = "out" + std::to_string(repetition);
    const RunSummary summary = dcmveil::Run(engine, Options(folder, out, 8));
    ASSERT_EQ(summary.counts.of(Outcome::kWritten), 1U);
    EXPECT_EQ(summary.reasons.at("same-output"), 11U);
    const auto lines = Lines(summary.manifest);
    EXPECT_EQ(lines[0]["outcome"], "written");
    const auto outputs = Contents(folder / out);
    ASSERT_EQ(outputs.size(), 1U);
    EXPECT_EQ(testing::Decode(outputs.begin()->second).Value("(0008,103E)"), "0000");
  }
  // Also when it stands there already.
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const RunSummary again = dcmveil::Run(engine, Options(folder, "out0", 8));
  EXPECT_EQ(again.counts.of(Outcome::kUnchanged), 1U);
  EXPECT_EQ(again.reasons.at("same-output"), 11U);
}

TEST(RunCollisionTest, AFileOfSomebodyElse) {
  const Folder folder;
  folder.Write("in/a", testing::File(SmallCt()));
  folder.Write("out/a", "mine");
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  RunOptions options = Options(folder, "out", 2);
  options.layout = "mirror";
  const RunSummary summary = dcmveil::Run(Engine(Rules("")), options);
  EXPECT_EQ(summary.reasons.at("output-exists"), 1U);
  EXPECT_EQ(ReadFile(folder / "out/a"), "mine");
}

TEST(RunUsageTest, WhatCannotBe) {
  const Folder folder;
  folder.Write("in/a", testing::File(SmallCt()));
  folder.Write("file", "x");
  struct Case {
    const char* name;
    fs::path input;
    fs::path output;
    fs::path state;
    const char* layout;
  };
  const char* mirror = "mirror";
  for (const Case& test : {
           Case{"no input", folder / "missing", folder / "out", "", mirror},
           Case{"empty input", "", folder / "out", "", mirror},
           Case{"empty output", folder / "in", "", "", mirror},
           Case{"output is input", folder / "in", folder / "in", "", mirror},
           Case{"output in input", folder / "in", folder / "in/out", "", mirror},
           Case{"input in output", folder / "in", folder.path(), "", mirror},
           Case{"by another way", folder / "in", folder / "x/../in/out", "", mirror},
           Case{"state in input", folder / "in", folder / "out", folder / "in/state", mirror},
           Case{"state in output", folder / "in", folder / "out", folder / "out/state", mirror},
           Case{"state is output", folder / "in", folder / "out", folder / "out", mirror},
           Case{"output is a file", folder / "in", folder / "file", "", mirror},
           Case{"bad layout", folder / "in", folder / "out", "", "{PatientName}"},
           Case{"file onto itself", folder / "in/a", folder / "in/a", "", mirror},
           Case{"a name too long", folder / "in", folder / std::string(5000, 'x'), "", mirror},
       }) {
    RunOptions options;
    options.input = test.input;
    options.output = test.output;
    options.state = test.state;
    options.layout = test.layout;
    const RunSummary summary = dcmveil::Run(Engine(Rules("")), options);
    ASSERT_TRUE(summary.problem) << test.name;
    EXPECT_TRUE(summary.problem->usage) << test.name << ": " << summary.problem->message;
    EXPECT_FALSE(fs::exists(folder / "out")) << test.name;
    EXPECT_FALSE(fs::exists(folder / "out.dcmveil")) << test.name;
    EXPECT_EQ(Contents(folder / "in").size(), 1U) << test.name;
  }
}

TEST(RunUsageTest, OneFile) {
  const Folder folder;
  folder.Write("in/a", testing::File(SmallCt()));
  RunOptions options;
  options.input = folder / "in/a";
  options.output = folder / "one.dcm";
  const RunSummary summary = dcmveil::Run(Engine(Rules("")), options);
  ASSERT_FALSE(summary.problem);
  EXPECT_EQ(summary.counts.of(Outcome::kWritten), 1U);
  EXPECT_EQ(testing::Decode(ReadFile(folder / "one.dcm")).Value("(0010,0020)"), "4711");
  options.output = folder / "two";
  EXPECT_FALSE(dcmveil::Run(Engine(Rules("")), options).problem);
  EXPECT_TRUE(fs::exists(folder / "two/4711/1.2.3/1.2.3.4/1.2.3.4.5.dcm"));
}

}  // namespace
}  // namespace dcmveil
