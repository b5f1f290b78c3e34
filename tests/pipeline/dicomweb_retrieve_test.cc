// SPDX-License-Identifier: Apache-2.0
//
// Whole series and studies in one request: every instance that was found is accounted for, whatever
// the body brings, in the order in which they were found.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "dcmveil/run.h"
#include "tests/support/fake_service.h"
#include "tests/support/rules.h"

namespace dcmveil {
namespace {

using testing::FakeService;
using testing::Folder;
using testing::ReadFile;
using testing::Text;

constexpr int kStudies = 2;
constexpr int kSeries = 3;
constexpr int kInstances = 5;
constexpr std::uint64_t kAll = kStudies * kSeries * kInstances;
constexpr const char* kType = R"(multipart/related; type="application/dicom"; boundary="b0")";

std::string Study(int study) { return "1.2." + std::to_string(study); }
std::string Series(int study, int series) { return Study(study) + "." + std::to_string(series); }
std::string Uid(int study, int series, int instance) {
  return Series(study, series) + "." + std::to_string(instance);
}
std::string Name(int study, int series, int instance) {
  return "studies/" + Study(study) + "/series/" + Series(study, series) + "/instances/" +
         Uid(study, series, instance);
}
std::string Slice(int study, int series, int instance) {
  return testing::File(testing::With(
      testing::SmallCt(), {Text({0x0008, 0x0018}, "UI", Uid(study, series, instance)),
                           Text({0x0020, 0x000D}, "UI", Study(study)),
                           Text({0x0020, 0x000E}, "UI", Series(study, series)),
                           testing::Raw({0x7FE0, 0x0010}, "OW",
                                        std::string(40'000, static_cast<char>('a' + series)))}));
}

class DicomWebRetrieveTest : public ::testing::Test {
 protected:
  RuleSet rules_ = testing::Rules("rules: [{tag: PatientName, action: remove}]\n");
  Folder folder_;
  FakeService fake_;
  Connection connection_ = fake_.At();
  Selection selection_;
  RunSummary summary_;
  int runs_ = 0;

  DicomWebRetrieveTest() {
    for (int study = 0; study < kStudies; ++study) {
      for (int series = 0; series < kSeries; ++series) {
        for (int i = 0; i < kInstances; ++i) {
          fake_.Add(Study(study) + "/" + Series(study, series) + "/" + Uid(study, series, i),
                    Slice(study, series, i));
        }
      }
    }
  }
  /// Into a folder of its own, unless told.
  void Go(Retrieve retrieve, const std::string& output = "") {
    RunOptions options;
    connection_.retrieve = retrieve;
    options.input_service = connection_;
    options.selection = selection_;
    options.output = folder_ / (output.empty() ? "out" + std::to_string(++runs_) : output);
    options.jobs = 2;
    summary_ = dcmveil::Run(Engine(rules_), options);
  }
  [[nodiscard]] std::string Manifest() const { return ReadFile(summary_.manifest); }
  [[nodiscard]] std::vector<std::string> Inputs() const {
    std::vector<std::string> inputs;
    std::istringstream text(Manifest());
    for (std::string line; std::getline(text, line);) {
      inputs.push_back(nlohmann::json::parse(line)["input"]);
    }
    return inputs;
  }
  [[nodiscard]] std::uint64_t Written() const { return summary_.counts.of(Outcome::kWritten); }
  /// Requests for that many levels: 1 a study, 2 a series, 3 an instance.
  [[nodiscard]] int Retrievals(int levels) const {
    int count = 0;
    for (int study = 0; study < kStudies; ++study) {
      const std::string root = "/dicom/studies/" + Study(study);
      if (levels == 1) count += fake_.RequestsOf("GET", root);
      for (int series = 0; series < kSeries; ++series) {
        const std::string path = root + "/series/" + Series(study, series);
        if (levels == 2) count += fake_.RequestsOf("GET", path);
        if (levels == 3) count += fake_.Requests("GET", path + "/instances/");
      }
    }
    return count;
  }
  void FailSeries(const std::function<void(httplib::Response&)>& answer) {
    fake_.SetFault([answer](const httplib::Request& request, httplib::Response& response, int) {
      if (request.path != "/dicom/studies/" + Study(0) + "/series/" + Series(0, 1)) return false;
      answer(response);
      return true;
    });
  }
  [[nodiscard]] static std::vector<std::string> SeriesOne() {
    std::vector<std::string> parts;
    for (int i = 0; i < kInstances; ++i) parts.push_back(Slice(0, 1, i));
    return parts;
  }
};

TEST_F(DicomWebRetrieveTest, AllWaysGiveTheSame) {
  Go(Retrieve::kInstance);
  EXPECT_EQ(Written(), kAll);
  const std::string manifest = Manifest();
  EXPECT_EQ(Inputs().front(), Name(0, 0, 0));
  EXPECT_EQ(Retrievals(3), static_cast<int>(kAll));
  EXPECT_EQ(Retrievals(2) + Retrievals(1), 0);
  Go(Retrieve::kSeries);
  EXPECT_EQ(Manifest(), manifest);
  EXPECT_EQ(Retrievals(2), kStudies * kSeries);
  Go(Retrieve::kStudy);
  EXPECT_EQ(Manifest(), manifest);
  EXPECT_EQ(Retrievals(1), kStudies);
  EXPECT_EQ(Retrievals(3), static_cast<int>(kAll)) << "none more alone";
  for (int series = 0; series < kSeries; ++series) {
    const std::string name =
        "/4711/" + Study(1) + "/" + Series(1, series) + "/" + Uid(1, series, 4) + ".dcm";
    EXPECT_EQ(ReadFile(folder_ / ("out2" + name)), ReadFile(folder_ / ("out1" + name)));
    EXPECT_EQ(ReadFile(folder_ / ("out3" + name)), ReadFile(folder_ / ("out1" + name)));
  }
}

TEST_F(DicomWebRetrieveTest, AnotherOrderAndLittleRoom) {
  Go(Retrieve::kInstance);
  const std::string manifest = Manifest();
  fake_.SetBackwards();
  for (const std::uint64_t ahead : {400'000U, 4U}) {
    for (const int connections : {1, 4}) {
      connection_.ahead = ahead;
      connection_.connections = connections;
      Go(Retrieve::kStudy);
      EXPECT_EQ(Manifest(), manifest) << ahead << " " << connections;
      Go(Retrieve::kSeries);
      EXPECT_EQ(Manifest(), manifest) << ahead << " " << connections;
    }
  }
}

TEST_F(DicomWebRetrieveTest, AFewInstancesAheadOnDisk) {
  connection_.memory = 1;
  Go(Retrieve::kStudy);
  EXPECT_EQ(Written(), kAll);
}

TEST_F(DicomWebRetrieveTest, WhatABodyLacksIsAskedForAlone) {
  FailSeries([](httplib::Response& response) {
    std::vector<std::string> parts = SeriesOne();
    parts.erase(parts.begin() + 2);
    parts.push_back(Slice(1, 1, 1));  // nobody asked for it
    parts.push_back(parts.front());   // twice
    parts.emplace_back("no DICOM");   // and what is none
    response.set_content(FakeService::Multipart(parts, "b0", true), kType);
  });
  Go(Retrieve::kSeries);
  EXPECT_EQ(Written(), kAll);
  EXPECT_EQ(Inputs().size(), kAll);
  EXPECT_EQ(Retrievals(3), 1);
  EXPECT_EQ(fake_.Requests("GET", Name(0, 1, 2)), 1);
}

TEST_F(DicomWebRetrieveTest, WhatIsGoneIsSaid) {
  fake_.SetFault([](const httplib::Request& request, httplib::Response& response, int) {
    const bool is_series = request.path == "/dicom/studies/" + Study(0) + "/series/" + Series(0, 1);
    const bool is_instance = request.path.ends_with("/" + Uid(0, 1, 3));
    if (is_instance) response.status = 404;
    if (is_series) {
      std::vector<std::string> parts = SeriesOne();
      parts.erase(parts.begin() + 3);
      response.set_content(FakeService::Multipart(parts, "b0", true), kType);
    }
    return is_series || is_instance;
  });
  Go(Retrieve::kSeries);
  EXPECT_FALSE(summary_.problem);
  EXPECT_EQ(Written(), kAll - 1);
  EXPECT_EQ(summary_.reasons["not-found"], 1U);
  EXPECT_EQ(Inputs()[kInstances + 3], Name(0, 1, 3));
}

TEST_F(DicomWebRetrieveTest, EveryEarlyEnd) {
  const std::string body = FakeService::Multipart(SeriesOne(), "b0", false);
  int alone = 0;
  for (const std::size_t end : {std::size_t{0}, body.size() / 3, body.size() - 3}) {
    // A whole answer whose parts are not, and a connection that breaks.
    for (const bool breaks : {false, true}) {
      FailSeries([&](httplib::Response& response) {
        if (breaks) {
          response.set_content_provider(body.size(), kType,
                                        [&](std::size_t, std::size_t, httplib::DataSink& sink) {
                                          sink.write(body.data(), end);
                                          return false;
                                        });
        } else {
          response.set_content(body.substr(0, end), kType);
        }
      });
      Go(Retrieve::kSeries);
      EXPECT_FALSE(summary_.problem);
      EXPECT_EQ(Written(), kAll) << end << " " << breaks;
      EXPECT_EQ(Inputs().size(), kAll);
      EXPECT_GT(Retrievals(3), alone);
      EXPECT_LE(Retrievals(3), alone + kInstances);
      alone = Retrievals(3);
    }
  }
}

TEST_F(DicomWebRetrieveTest, ServicesThatGiveNoSeries) {
  int alone = 0;
  for (const int status : {200, 404, 406, 501, 503}) {
    fake_.SetFault([status](const httplib::Request& request, httplib::Response& response, int) {
      const std::string& path = request.path;
      if (path.find("/series/") == std::string::npos ||
          path.find("/instances") != std::string::npos)
        return false;
      response.status = status;
      response.set_content("<html>no</html>", "text/html");
      return true;
    });
    Go(Retrieve::kSeries);
    EXPECT_FALSE(summary_.problem) << status;
    EXPECT_EQ(Written(), kAll) << status;
    EXPECT_EQ(Retrievals(3), alone += static_cast<int>(kAll));
  }
}

TEST_F(DicomWebRetrieveTest, PartsOfASeriesAreNotHadByTheWhole) {
  selection_.query = {{"Modality", "CT"}};
  Go(Retrieve::kStudy);
  EXPECT_EQ(Retrievals(1), 0);
  EXPECT_EQ(Retrievals(2), kStudies * kSeries);
  selection_.query = {{"SOPClassUID", "1.2.840.10008.5.1.4.1.1.2"}};
  Go(Retrieve::kStudy);
  EXPECT_EQ(Retrievals(3), static_cast<int>(kAll));
  EXPECT_EQ(Retrievals(2), kStudies * kSeries);
}

TEST_F(DicomWebRetrieveTest, ListsThatNameAnInstanceTwice) {
  const std::string series = Study(0) + "/" + Series(0, 1);
  // An instance, its series by UID alone and with its study, its study, all again.
  selection_.uids = {{series + "/" + Uid(0, 1, 4), Series(0, 1), series, Study(0), Study(0), series,
                      "9.9", "9.9"}};
  for (const Retrieve retrieve : {Retrieve::kInstance, Retrieve::kSeries, Retrieve::kStudy}) {
    Go(retrieve);
    EXPECT_EQ(Written(), static_cast<std::uint64_t>(kSeries * kInstances));
    EXPECT_EQ(summary_.counts.of(Outcome::kFailed), 1U);
    EXPECT_EQ(summary_.counts.finished(), static_cast<std::uint64_t>(kSeries * kInstances + 1));
    EXPECT_EQ(Inputs().front(), Name(0, 1, 4));
    EXPECT_EQ(Inputs()[1], Name(0, 1, 0));
    EXPECT_EQ(Inputs()[kInstances], Name(0, 0, 0));
  }
}

TEST_F(DicomWebRetrieveTest, ServiceGoesAwayInASeriesAndARerunGoesOn) {
  std::atomic<bool> down{false};
  const std::string body = FakeService::Multipart(SeriesOne(), "b0", true);
  fake_.SetFault([&](const httplib::Request& request, httplib::Response& response, int) {
    if (request.path == "/dicom/studies/" + Study(0) + "/series/" + Series(0, 1)) {
      down = true;
      response.set_content(body.substr(0, body.size() / 2), kType);
      return true;
    }
    if (down) response.status = 503;
    return down.load();
  });
  connection_.connections = 1;
  connection_.attempts = 2;
  Go(Retrieve::kSeries, "out");
  ASSERT_TRUE(summary_.problem);
  EXPECT_FALSE(summary_.problem->usage);
  // The first series, and what the second brought before it broke.
  const std::uint64_t before = Written();
  EXPECT_GE(before, static_cast<std::uint64_t>(kInstances));
  EXPECT_LE(before, static_cast<std::uint64_t>(kInstances + 2));
  fake_.SetFault({});
  Go(Retrieve::kSeries, "out");
  EXPECT_FALSE(summary_.problem);
  EXPECT_EQ(Written(), kAll);
  EXPECT_EQ(summary_.recalled, before);
}

}  // namespace
}  // namespace dcmveil
