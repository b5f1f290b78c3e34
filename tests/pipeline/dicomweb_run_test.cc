// SPDX-License-Identifier: Apache-2.0
//
// Whole runs to and from a service that misbehaves: nothing lost, nothing doubled, the right
// outcome.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "dcmveil/run.h"
#include "tests/support/fake_service.h"
#include "tests/support/rules.h"

namespace dcmveil {
namespace {

namespace fs = std::filesystem;
using testing::FakeService;
using testing::Folder;
using testing::ReadFile;
using testing::Text;

constexpr int kInputs = 12;

std::string InstanceUid(int i) { return "1.2.3.4.5." + std::to_string(100 + i); }

std::string Slice(int i) {
  return testing::File(testing::With(
      testing::SmallCt(), {Text({0x0008, 0x0018}, "UI", InstanceUid(i)),
                           testing::Raw({0x7FE0, 0x0010}, "OW", std::string(50'000, 'p'))}));
}

class DicomWebRunTest : public ::testing::Test {
 protected:
  /// Identifiers stay, so that the tests know the new ones.
  RuleSet rules_ = testing::Rules("rules: [{tag: PatientName, action: remove}]\n");
  Folder folder_;
  FakeService fake_;
  Connection connection_ = fake_.At();
  RunSummary summary_;

  void MakeInputs() {
    for (int i = 0; i < kInputs; ++i) {
      folder_.Write("in/" + std::to_string(100 + i), Slice(i));
    }
  }
  void FillService() {
    for (int i = 0; i < kInputs; ++i) fake_.Add("1.2.3/1.2.3.4/" + InstanceUid(i), Slice(i));
  }
  RunOptions ToService() {
    RunOptions options;
    options.input = folder_ / "in";
    options.output_service = connection_;
    options.state = folder_ / "state";
    options.jobs = 2;
    return options;
  }
  RunOptions FromService() {
    RunOptions options;
    options.input_service = connection_;
    options.output = folder_ / "out";
    options.jobs = 2;
    return options;
  }
  void Go(const RunOptions& options) { summary_ = dcmveil::Run(Engine(rules_), options); }
  [[nodiscard]] std::uint64_t Count(Outcome outcome) const { return summary_.counts.of(outcome); }
  [[nodiscard]] std::vector<nlohmann::json> Manifest() const {
    std::vector<nlohmann::json> lines;
    std::istringstream text(ReadFile(summary_.manifest));
    for (std::string line; std::getline(text, line);) lines.push_back(nlohmann::json::parse(line));
    return lines;
  }
  /// All inputs have one line, and the service has exactly what the manifest says is there.
  void ExpectAccount() {
    std::set<std::string> inputs;
    std::set<std::string> outputs;
    for (const nlohmann::json& line : Manifest()) {
      EXPECT_TRUE(inputs.insert(line["input"]).second);
      if (!line["output"].is_null()) outputs.insert(line["output"]);
    }
    std::set<std::string> stored;
    for (const auto& [id, bytes] : fake_.Stored()) {
      const std::size_t a = id.find('/');
      const std::size_t b = id.rfind('/');
      stored.insert("studies/" + id.substr(0, a) + "/series/" + id.substr(a + 1, b - a - 1) +
                    "/instances/" + id.substr(b + 1));
    }
    EXPECT_EQ(outputs, stored);
  }
};

TEST_F(DicomWebRunTest, StoresAndASecondRunStoresNothing) {
  MakeInputs();
  for (const int batch : {1, 5}) {
    connection_.stow_batch = batch;
    Go(ToService());
    EXPECT_FALSE(summary_.problem);
    EXPECT_EQ(Count(batch == 1 ? Outcome::kWritten : Outcome::kUnchanged), 12U);
    EXPECT_EQ(fake_.stores(), kInputs);
    ExpectAccount();
  }
  EXPECT_EQ(fake_.Requests("POST", ""), kInputs);
}

TEST_F(DicomWebRunTest, WhatOneServiceHasIsStoredInAnother) {
  MakeInputs();
  Go(ToService());
  EXPECT_EQ(Count(Outcome::kWritten), 12U);
  const FakeService other;
  RunOptions options = ToService();
  options.output_service = other.At();
  Go(options);
  EXPECT_EQ(Count(Outcome::kWritten), 12U) << "the journal speaks of the first";
  EXPECT_EQ(other.stores(), kInputs);
  options.output_service->partition = "cardiac";
  Go(options);
  EXPECT_EQ(summary_.recalled, 0U) << "a partition is a place of its own";
}

TEST_F(DicomWebRunTest, TwoInputsWithOneUid) {
  MakeInputs();
  folder_.Write("in/200", Slice(3));
  Go(ToService());
  EXPECT_EQ(Count(Outcome::kWritten), 12U);
  EXPECT_EQ(summary_.reasons["same-output"], 1U);
  EXPECT_EQ(Manifest().back()["reason"], "same-output");
}

TEST_F(DicomWebRunTest, SomeAreRefusedInA202) {
  MakeInputs();
  connection_.stow_batch = 6;
  fake_.SetVerdict([](const std::string& uid, int) { return uid == InstanceUid(4) ? 43264 : 0; });
  Go(ToService());
  EXPECT_EQ(Count(Outcome::kWritten), 11U);
  EXPECT_EQ(Count(Outcome::kFailed), 1U);
  EXPECT_EQ(Manifest()[4]["reason"], "refused");
  EXPECT_EQ(Manifest()[4]["where"], "reason 43264");
  ExpectAccount();
}

TEST_F(DicomWebRunTest, AllAreRefusedInA409) {
  MakeInputs();
  fake_.SetVerdict([](const std::string&, int) { return 43264; });
  Go(ToService());
  EXPECT_EQ(summary_.reasons["refused"], 12U);
  ExpectAccount();
}

TEST_F(DicomWebRunTest, BeingCreatedByAnotherAndProcessingFailure) {
  MakeInputs();
  fake_.SetVerdict([](const std::string& uid, int before) {
    if (uid == InstanceUid(1)) return before < 2 ? 45071 : 0;
    return uid == InstanceUid(2) && before < 1 ? 272 : 0;
  });
  Go(ToService());
  EXPECT_EQ(Count(Outcome::kWritten), 12U);
  ExpectAccount();
}

TEST_F(DicomWebRunTest, AnotherInstanceIsThere) {
  MakeInputs();
  fake_.Add("1.2.3/1.2.3.4/" + InstanceUid(7), Slice(8));
  Go(ToService());
  EXPECT_EQ(Count(Outcome::kWritten), 11U);
  EXPECT_EQ(summary_.reasons["output-exists"], 1U);
  EXPECT_EQ(fake_.Stored().at("1.2.3/1.2.3.4/" + InstanceUid(7)), Slice(8));
  connection_.upsert = true;
  Go(ToService());
  EXPECT_EQ(Count(Outcome::kWritten), 1U);
  EXPECT_EQ(Count(Outcome::kUnchanged), 11U);
  EXPECT_NE(fake_.Stored().at("1.2.3/1.2.3.4/" + InstanceUid(7)), Slice(8));
}

TEST_F(DicomWebRunTest, AlreadyExistsWhereTheSearchIsBehind) {
  MakeInputs();
  Go(ToService());
  // The index has nothing yet of what is stored.
  fake_.SetFault([](const httplib::Request& request, httplib::Response& response, int) {
    if (!request.path.ends_with("/instances")) return false;
    response.status = 204;
    return true;
  });
  Go(ToService());
  EXPECT_EQ(Count(Outcome::kUnchanged), 12U);
  EXPECT_EQ(fake_.stores(), kInputs);
}

TEST_F(DicomWebRunTest, BusyThrottledAndBroken) {
  MakeInputs();
  std::atomic<int> posts{0};
  fake_.SetFault([&](const httplib::Request& request, httplib::Response& response, int) {
    if (request.method != "POST") return false;
    const int n = posts++;
    if (n % 4 == 3) return false;
    if (n % 4 == 2) {
      response.status = 429;
      return true;
    }
    response.status = 503;
    response.set_header("Retry-After", n == 0 ? "1" : "0");
    return true;
  });
  connection_.attempts = 20;
  const auto begin = std::chrono::steady_clock::now();
  Go(ToService());
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
  EXPECT_EQ(Count(Outcome::kWritten), 12U);
  EXPECT_EQ(fake_.stores(), kInputs);
  ExpectAccount();
}

TEST_F(DicomWebRunTest, AnswerIsLostAfterStoring) {
  MakeInputs();
  std::atomic<int> lost{0};
  std::mutex mutex;
  std::set<std::string> stored;  // a repeated request may be among the first
  // The first requests are carried out and their answers cut off; then "already exists" is right.
  fake_.SetFault([&](const httplib::Request& request, httplib::Response& response, int) {
    if (request.method != "POST" || lost++ >= 3) return false;
    const testing::Decoded decoded = testing::Decode(
        request.body.substr(request.body.find("\r\n\r\n") + 4,
                            request.body.rfind("\r\n--") - request.body.find("\r\n\r\n") - 4));
    const std::size_t begin = request.body.find("\r\n\r\n") + 4;
    const std::lock_guard lock(mutex);
    stored.insert(decoded.Value("(0008,0018)"));
    fake_.Add("1.2.3/1.2.3.4/" + decoded.Value("(0008,0018)"),
              request.body.substr(begin, request.body.rfind("\r\n--") - begin));
    response.set_content_provider(1000, "application/dicom+json",
                                  [](std::size_t, std::size_t, httplib::DataSink& sink) {
                                    return sink.write("{", 1), false;
                                  });
    return true;
  });
  Go(ToService());
  EXPECT_EQ(Count(Outcome::kWritten), 12U);
  EXPECT_EQ(fake_.stores(), kInputs - static_cast<int>(stored.size()));
  ExpectAccount();
}

TEST_F(DicomWebRunTest, AnswerWithoutAWordAboutInstances) {
  MakeInputs();
  std::atomic<int> posts{0};
  fake_.SetFault([&](const httplib::Request& request, httplib::Response& response, int) {
    // Says that all is well, and has stored nothing.
    if (request.method != "POST" || posts++ >= 2) return false;
    response.set_content("{}", "application/dicom+json");
    return true;
  });
  Go(ToService());
  EXPECT_EQ(Count(Outcome::kWritten), 12U);
  EXPECT_EQ(fake_.stores(), kInputs);
  ExpectAccount();
}

TEST_F(DicomWebRunTest, BatchThatIsTooLargeGoesOneByOne) {
  MakeInputs();
  connection_.stow_batch = 6;
  fake_.SetFault([](const httplib::Request& request, httplib::Response& response, int) {
    if (request.method != "POST" || request.body.size() < 100'000) return false;
    response.status = 413;
    return true;
  });
  Go(ToService());
  EXPECT_EQ(Count(Outcome::kWritten), 12U);
  EXPECT_EQ(fake_.stores(), kInputs);
}

TEST_F(DicomWebRunTest, NoPatientIdOnVersion1) {
  MakeInputs();
  connection_.api_version = "v1";
  folder_.Write("in/100", testing::File(testing::Without(testing::SmallCt(), {{0x0010, 0x0020}})));
  fake_.SetFault([](const httplib::Request& request, httplib::Response& response, int) {
    if (request.method == "GET") {
      response.status = 204;
    } else {
      response.set_content("{}", "application/dicom+json");
    }
    return true;
  });
  RunOptions options = ToService();
  options.input = folder_ / "in/100";
  Go(options);
  EXPECT_EQ(summary_.reasons["missing-for-service"], 1U);
  EXPECT_EQ(fake_.Requests("POST", ""), 0);
}

TEST_F(DicomWebRunTest, ServiceStaysDownAndARerunGoesOn) {
  MakeInputs();
  std::atomic<bool> down{false};
  std::atomic<int> posts{0};
  fake_.SetFault([&](const httplib::Request& request, httplib::Response& response, int) {
    if (request.method == "POST" && ++posts > 5) down = true;
    if (!down) return false;
    response.status = 503;
    return true;
  });
  Go(ToService());
  ASSERT_TRUE(summary_.problem);
  EXPECT_FALSE(summary_.problem->usage);
  EXPECT_EQ(Count(Outcome::kWritten), 5U);
  ExpectAccount();
  fake_.SetFault({});
  Go(ToService());
  EXPECT_FALSE(summary_.problem);
  EXPECT_EQ(Count(Outcome::kWritten), 12U);
  EXPECT_EQ(summary_.recalled, 5U);
  EXPECT_EQ(fake_.stores(), kInputs);
  ExpectAccount();
}

TEST_F(DicomWebRunTest, BodiesThatEndEarlyDripOrHoldTheBoundary) {
  FillService();
  const std::string type = R"(multipart/related; type="application/dicom"; boundary="b0")";
  connection_.stall_timeout = std::chrono::seconds(1);
  connection_.attempts = 20;
  fake_.SetFault([&](const httplib::Request& request, httplib::Response& response, int n) {
    const auto is = [&](int i) { return request.path.ends_with("/" + InstanceUid(i)); };
    const std::string body = FakeService::Multipart({Slice(1)}, "b0", false);
    if (is(0) && n == 0) {  // a whole answer, but its parts are not
      response.set_content(body.substr(0, body.size() / 2), type.c_str());
      return true;
    }
    if (is(1) && n == 0) {  // reset in mid-body
      response.set_content_provider(body.size(), type.c_str(),
                                    [body](std::size_t, std::size_t, httplib::DataSink& sink) {
                                      sink.write(body.data(), 20'000);
                                      return false;
                                    });
      return true;
    }
    if (is(2) && n == 0) {  // a byte now and then
      response.set_content_provider(body.size(), type.c_str(),
                                    [body](std::size_t at, std::size_t, httplib::DataSink& sink) {
                                      std::this_thread::sleep_for(std::chrono::milliseconds(200));
                                      return sink.write(body.data() + at, 1);
                                    });
      return true;
    }
    if (is(3)) {  // what looks like a boundary, in the pixels
      const std::string slice = testing::File(testing::With(
          testing::SmallCt(),
          {Text({0x0008, 0x0018}, "UI", InstanceUid(3)),
           testing::Raw({0x7FE0, 0x0010}, "OW", std::string(20'000, 'p') + "\r\n--b0x\r\n--b")}));
      response.set_content(FakeService::Multipart({slice}, "b0", false), type.c_str());
      return true;
    }
    if (is(4)) {  // not in parts
      response.set_content(Slice(4), "application/dicom");
      return true;
    }
    if (is(5)) response.status = 404;
    return is(5);
  });
  Go(FromService());
  EXPECT_FALSE(summary_.problem);
  EXPECT_EQ(Count(Outcome::kWritten), 11U);
  EXPECT_EQ(summary_.reasons["not-found"], 1U);
  EXPECT_EQ(summary_.counts.total, 12U);
  std::set<std::string> inputs;
  for (const nlohmann::json& line : Manifest()) inputs.insert(line["input"]);
  EXPECT_EQ(inputs.size(), 12U);
  EXPECT_TRUE(inputs.contains("studies/1.2.3/series/1.2.3.4/instances/" + InstanceUid(0)));
  // The same as from files.
  MakeInputs();
  RunOptions direct;
  direct.input = folder_ / "in";
  direct.output = folder_ / "direct";
  EXPECT_FALSE(dcmveil::Run(Engine(rules_), direct).problem);
  for (const int i : {0, 1, 2, 4, 6}) {
    const std::string name = "4711/1.2.3/1.2.3.4/" + InstanceUid(i) + ".dcm";
    EXPECT_EQ(ReadFile(folder_ / ("out/" + name)), ReadFile(folder_ / ("direct/" + name))) << i;
  }
  const std::string pixels =
      ReadFile(folder_ / ("out/4711/1.2.3/1.2.3.4/" + InstanceUid(3) + ".dcm"));
  EXPECT_TRUE(pixels.ends_with("\r\n--b0x\r\n--b"));
  Go(FromService());
  EXPECT_EQ(Count(Outcome::kUnchanged), 11U);
}

TEST_F(DicomWebRunTest, SourceGoesAway) {
  FillService();
  std::atomic<bool> down{false};
  fake_.SetFault([&](const httplib::Request& request, httplib::Response& response, int) {
    if (request.path.ends_with("/" + InstanceUid(6))) down = true;
    if (down) response.status = 503;
    return down.load();
  });
  connection_.connections = 1;
  connection_.attempts = 2;
  Go(FromService());
  ASSERT_TRUE(summary_.problem);
  EXPECT_FALSE(summary_.problem->usage);
  EXPECT_EQ(Count(Outcome::kWritten), 6U);
  const auto count_retrieved = [this] {
    const auto retrieved = std::make_shared<std::atomic<std::size_t>>(0);
    fake_.SetFault([retrieved](const httplib::Request& request, httplib::Response&, int) {
      if (request.method == "GET" && request.path.find("/instances/") != std::string::npos) {
        ++*retrieved;
      }
      return false;
    });
    Go(FromService());
    EXPECT_FALSE(summary_.problem);
    return retrieved->load();
  };
  EXPECT_EQ(count_retrieved(), 6U) << "what is done is not retrieved again";
  EXPECT_EQ(Count(Outcome::kWritten), 12U);
  EXPECT_EQ(summary_.recalled, 6U);
  EXPECT_EQ(count_retrieved(), 0U);
  EXPECT_EQ(Count(Outcome::kUnchanged), 12U);
}

TEST_F(DicomWebRunTest, NobodyAnswers) {
  fake_.Stop();
  Go(FromService());
  ASSERT_TRUE(summary_.problem);
  EXPECT_FALSE(summary_.problem->usage);
  EXPECT_EQ(summary_.problem->message, fake_.host() + ": no connection could be made");
  EXPECT_FALSE(fs::exists(folder_ / "out"));
}

TEST_F(DicomWebRunTest, ListOfUids) {
  FillService();
  fake_.Add("7.1/7.2/" + InstanceUid(0), Slice(0));
  RunOptions options = FromService();
  options.selection.uids = {{"1.2.3/1.2.3.4/" + InstanceUid(2), "9.9", "7.2"}};
  Go(options);
  // 7.2 is found as a series.
  EXPECT_EQ(Count(Outcome::kWritten), 2U);
  EXPECT_EQ(summary_.reasons["not-found"], 1U);
  EXPECT_EQ(summary_.counts.finished(), 3U);
  EXPECT_EQ(Manifest()[1]["input"], "studies/9.9");
  options.selection.uids = {{"1.2/../3"}};
  Go(options);
  ASSERT_TRUE(summary_.problem);
  EXPECT_TRUE(summary_.problem->usage);
}

TEST_F(DicomWebRunTest, ChangeFeedGoesOnWhereItEnded) {
  FillService();
  const auto entry = [](int i) {
    return R"({"Sequence":)" + std::to_string(i + 1) +
           R"(,"StudyInstanceUID":"1.2.3","SeriesInstanceUID":"1.2.3.4","SOPInstanceUID":")" +
           InstanceUid(i) +
           R"(","Action":"create","State":"current","Timestamp":"2024-01-01T00:00:)" +
           std::to_string(10 + i) + R"(Z"})";
  };
  std::vector<std::string> feed;
  for (int i = 0; i < 6; ++i) feed.push_back(entry(i));
  fake_.SetFeed(feed);
  RunOptions options = FromService();
  options.selection.changefeed = true;
  // The fourth fails, so the next run begins with it.
  fake_.SetFault([](const httplib::Request& request, httplib::Response& response, int) {
    const bool bad = request.path.ends_with("/" + InstanceUid(3));
    if (bad) response.status = 404;
    return bad;
  });
  Go(options);
  EXPECT_EQ(Count(Outcome::kWritten), 5U);
  EXPECT_EQ(Count(Outcome::kFailed), 1U);
  fake_.SetFault({});
  for (int i = 6; i < 9; ++i) feed.push_back(entry(i));
  fake_.SetFeed(feed);
  Go(options);
  EXPECT_EQ(Count(Outcome::kWritten), 4U);    // 3 and 6 to 8
  EXPECT_EQ(Count(Outcome::kUnchanged), 3U);  // 2, 4 and 5 again
  Go(options);
  EXPECT_EQ(summary_.counts.finished(), 1U);  // the last again: its time may have others
  EXPECT_EQ(Count(Outcome::kUnchanged), 1U);
}

TEST_F(DicomWebRunTest, VersionPartitionAndHeaders) {
  FillService();
  connection_.api_version = "v2";
  connection_.partition = "cardiac";
  FakeService target;
  std::atomic<int> stores{0};
  target.SetFault([&](const httplib::Request& request, httplib::Response&, int) {
    EXPECT_TRUE(request.path.starts_with("/dicom/v2/partitions/export/studies")) << request.path;
    if (request.method == "POST") {
      ++stores;
      EXPECT_EQ(request.get_header_value("msdicom-expiry-time-milliseconds"), "86400000");
      EXPECT_EQ(request.get_header_value("msdicom-meta-LO-00100020"), "x");
    }
    return false;
  });
  fake_.SetFault([&](const httplib::Request& request, httplib::Response&, int) {
    EXPECT_TRUE(request.path.starts_with("/dicom/v2/partitions/cardiac/studies")) << request.path;
    return false;
  });
  RunOptions options = FromService();
  options.output_service = target.At();
  options.output_service->api_version = "v2";
  options.output_service->partition = "export";
  options.output_service->store_headers = {{"msdicom-expiry-time-milliseconds", "86400000"},
                                           {"msdicom-meta-LO-00100020", "x"}};
  options.output.clear();
  options.state = folder_ / "state";
  Go(options);
  EXPECT_EQ(Count(Outcome::kWritten), 12U);
  EXPECT_EQ(stores, kInputs);
}

TEST_F(DicomWebRunTest, IntoItselfIsRefused) {
  RunOptions options = FromService();
  options.output.clear();
  options.state = folder_ / "state";
  const auto problem_of = [&](const std::string& url, const std::string& partition) {
    options.output_service = connection_;
    options.output_service->url = url;
    options.output_service->partition = partition;
    options.output_service->api_version = "v1";
    Go(options);
    return summary_.problem && summary_.problem->usage;
  };
  EXPECT_TRUE(problem_of(connection_.url + "/", ""));
  EXPECT_TRUE(problem_of(connection_.url, "Microsoft.Default"));
  EXPECT_FALSE(problem_of(connection_.url, "other"));
}

TEST_F(DicomWebRunTest, WhatTheServiceRemarksIsNoted) {
  folder_.Write("in/100", Slice(0));
  fake_.SetFault([](const httplib::Request& request, httplib::Response& response, int) {
    if (request.method != "POST") return false;
    const nlohmann::json item = {{"00081155", {{"vr", "UI"}, {"Value", {InstanceUid(0)}}}},
                                 {"00081196", {{"vr", "US"}, {"Value", {45063}}}}};
    response.status = 202;
    response.set_content(
        nlohmann::json{{"00081199", {{"vr", "SQ"}, {"Value", nlohmann::json::array({item})}}}}
            .dump(),
        "application/dicom+json");
    return true;
  });
  Go(ToService());
  EXPECT_EQ(Count(Outcome::kWritten), 1U);
  EXPECT_EQ(summary_.notes["service-warning"], 1U);
}

TEST_F(DicomWebRunTest, TokenThatEndsInMidRun) {
  FillService();
  std::atomic<int> token{1};
  std::atomic<int> requests{0};
  fake_.SetFault([&](const httplib::Request& request, httplib::Response& response, int) {
    if (++requests == 8) {
      folder_.Write("token", "t2");
      token = 2;
    }
    const bool good =
        request.get_header_value("Authorization") == "Bearer t" + std::to_string(token);
    if (!good) response.status = 401;
    return !good;
  });
  connection_.auth.kind = Auth::Kind::kBearer;
  connection_.auth.secret = {SecretRef::From::kFile, folder_.Write("token", "t1").string()};
  Go(FromService());
  EXPECT_FALSE(summary_.problem);
  EXPECT_EQ(Count(Outcome::kWritten), 12U);
  for (const auto& file : fs::directory_iterator(folder_ / "out.dcmveil")) {
    EXPECT_EQ(ReadFile(file.path()).find("t1"), std::string::npos);
  }
}

TEST_F(DicomWebRunTest, LargeInstancesGoByDisk) {
  const std::string large = testing::File(testing::With(
      testing::SmallCt(), {testing::Raw({0x7FE0, 0x0010}, "OW", std::string(6'000'000, 'L'))}));
  fake_.Add("1.2.3/1.2.3.4/1.2.3.4.5", large);
  FakeService target;
  RunOptions options = FromService();
  options.output_service = target.At();
  options.output.clear();
  options.state = folder_ / "state";
  Go(options);
  EXPECT_EQ(Count(Outcome::kWritten), 1U);
  ASSERT_EQ(target.Stored().size(), 1U);
  EXPECT_TRUE(target.Stored().begin()->second.ends_with(std::string(1000, 'L')));
  for (const auto& file : fs::directory_iterator(folder_ / "state")) {
    EXPECT_TRUE(file.path().extension() == ".json" || file.path().extension() == ".ndjson" ||
                file.path().filename() == "journal" || file.path().filename() == "lock");
  }
}

/// Each shard searches the studies of its own, and nothing is left or done twice.
TEST_F(DicomWebRunTest, ShardsOfAService) {
  constexpr int kStudies = 9;
  const auto study_of = [](int i) { return "1.2.3." + std::to_string(i % kStudies); };
  for (int i = 0; i < 27; ++i) {
    const std::string uid = InstanceUid(i);
    fake_.Add(study_of(i) + "/" + study_of(i) + ".1/" + uid,
              testing::File(testing::With(
                  testing::SmallCt(),
                  {Text({0x0008, 0x0018}, "UI", uid), Text({0x0020, 0x000D}, "UI", study_of(i)),
                   Text({0x0020, 0x000E}, "UI", study_of(i) + ".1")})));
  }
  std::vector<std::string> list;
  for (int i = 0; i < kStudies; ++i) {
    // A study, a series alone, a series of a study, and what is not there.
    list.push_back(
        i % 3 == 0 ? study_of(i)
                   : (i % 3 == 1 ? study_of(i) + ".1" : study_of(i) + "/" + study_of(i) + ".1"));
    list.push_back("9.9." + std::to_string(i));
  }
  for (const bool listed : {false, true}) {
    std::set<std::string> inputs;
    std::uint64_t not_found = 0;
    std::map<std::string, int> before;
    for (std::uint32_t index = 1; index <= 4; ++index) {
      RunOptions options = FromService();
      options.output = folder_ / (listed ? "listed" : "out");
      if (listed) options.selection.uids = list;
      options.shard = Shard{.index = index, .count = 4};
      Go(options);
      ASSERT_FALSE(summary_.problem) << summary_.problem->message;
      EXPECT_EQ(summary_.counts.total, summary_.counts.finished());
      not_found += summary_.reasons["not-found"];
      std::set<std::string> studies;
      for (const nlohmann::json& line : Manifest()) {
        const std::string input = line["input"];
        EXPECT_TRUE(inputs.insert(input).second) << input << " is in two shards";
        if (!line["output"].is_null()) studies.insert(input.substr(0, input.find("/series")));
      }
      if (listed) continue;
      for (int i = 0; i < kStudies; ++i) {
        const std::string part = "/dicom/studies/" + study_of(i) + "/series";
        const bool asked = fake_.RequestsOf("GET", part) > before[part];
        before[part] = fake_.RequestsOf("GET", part);
        EXPECT_EQ(asked, studies.contains("studies/" + study_of(i))) << part;
      }
    }
    EXPECT_EQ(inputs.size() - not_found, 27U);
    EXPECT_EQ(not_found, listed ? 9U : 0U);
  }
  RunOptions by_path = FromService();
  by_path.shard = Shard{.index = 1, .count = 4, .by = Shard::By::kPath};
  Go(by_path);
  ASSERT_TRUE(summary_.problem);
  EXPECT_TRUE(summary_.problem->usage);
}

}  // namespace
}  // namespace dcmveil
