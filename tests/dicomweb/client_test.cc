// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>

#include "dicomweb/auth.h"
#include "dicomweb/changefeed.h"
#include "dicomweb/part10.h"
#include "dicomweb/qido.h"
#include "dicomweb/retry.h"
#include "dicomweb/service.h"
#include "dicomweb/spool.h"
#include "dicomweb/wado.h"
#include "tests/support/dicom_bytes.h"
#include "tests/support/fake_service.h"
#include "tests/support/folder.h"

namespace dcmveil::dicomweb {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::FakeService;
using testing::Folder;

TEST(RetryTest, RetryAfter) {
  const auto now = std::chrono::system_clock::from_time_t(1'704'103'200);  // 2024-01-01 10:00:00
  EXPECT_EQ(ParseRetryAfter("7", now), milliseconds(7000));
  EXPECT_EQ(ParseRetryAfter("Mon, 01 Jan 2024 10:00:30 GMT", now), milliseconds(30'000));
  EXPECT_EQ(ParseRetryAfter("Mon, 01 Jan 2024 09:00:00 GMT", now), milliseconds(0));
  EXPECT_FALSE(ParseRetryAfter("", now));
  EXPECT_FALSE(ParseRetryAfter("-3", now));
  EXPECT_FALSE(ParseRetryAfter("soon", now));
}

TEST(RetryTest, WaitsGrowAndEnd) {
  Connection connection;
  connection.attempts = 6;
  connection.first_wait = milliseconds(100);
  const auto now = Backoff::Clock::now();
  Backoff backoff(connection, now, 1);
  for (int i = 0; i < 5; ++i) {
    const auto wait = backoff.Next(now, std::nullopt);
    ASSERT_TRUE(wait);
    EXPECT_GE(*wait, milliseconds(50 << i));
    EXPECT_LE(*wait, milliseconds(100 << i));
  }
  EXPECT_FALSE(backoff.Next(now, std::nullopt));
  Backoff asked(connection, now, 2);
  EXPECT_GE(*asked.Next(now, seconds(9)), seconds(9));
  // Longer than the whole request may take.
  EXPECT_FALSE(asked.Next(now, seconds(400)));
}

TEST(AuthTest, SecretsAreReadWhereTheyAre) {
  const Folder folder;
  const auto file = folder.Write("token", "  s3cret\n");
  EXPECT_EQ(*ReadSecret({SecretRef::From::kFile, file.string()}), "s3cret");
  EXPECT_EQ(*ReadSecret({SecretRef::From::kCommand, "echo from-command"}), "from-command");
  ::setenv("DCMVEIL_TEST_SECRET", "from-env", 1);
  EXPECT_EQ(*ReadSecret({SecretRef::From::kEnvironment, "DCMVEIL_TEST_SECRET"}), "from-env");
  EXPECT_FALSE(ReadSecret({SecretRef::From::kEnvironment, "DCMVEIL_NO_SUCH"}));
  EXPECT_FALSE(ReadSecret({SecretRef::From::kCommand, "echo s3cret; exit 3"}));
  const Reply<std::string> lines = ReadSecret({SecretRef::From::kCommand, "printf 's3\\ncret'"});
  ASSERT_FALSE(lines);
  EXPECT_EQ(lines.failure().message.find("s3"), std::string::npos);
}

TEST(AuthTest, OneTokenForAll) {
  FakeService fake;
  const Folder folder;
  std::atomic<int> tokens{0};
  fake.SetFault([&](const httplib::Request& request, httplib::Response& response, int) {
    if (request.path == "/token") {
      EXPECT_EQ(request.get_param_value("client_secret"), "p&=ss");
      EXPECT_EQ(request.get_param_value("grant_type"), "client_credentials");
      const int n = ++tokens;
      response.set_content(
          R"({"access_token":"t)" + std::to_string(n) + R"(","expires_in":"3600"})",
          "application/json");
      return true;
    }
    // The first token has expired early.
    if (request.get_header_value("Authorization") != "Bearer t2") {
      response.status = 401;
      return true;
    }
    return false;
  });
  fake.Add("1.2/1.3/1.4", testing::File(testing::SmallCt()));
  Connection connection = fake.At();
  connection.auth.kind = Auth::Kind::kClientCredentials;
  connection.auth.token_endpoint = fake.host() + "/token";
  connection.auth.client_id = "me";
  connection.auth.secret = {SecretRef::From::kFile, folder.Write("s", "p&=ss").string()};
  Service service(connection, folder.path());
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      if (RetrieveInstance(service, {"1.2", "1.3", "1.4"})) ++good;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 8);
  EXPECT_EQ(tokens, 2);
}

TEST(AuthTest, ManagedIdentity) {
  FakeService fake;
  const Folder folder;
  fake.SetFault([&](const httplib::Request& request, httplib::Response& response, int) {
    if (request.path == "/identity") {
      EXPECT_EQ(request.get_header_value("Metadata"), "true");
      EXPECT_EQ(request.get_param_value("resource"), "https://dicom.healthcareapis.azure.com");
      response.set_content(R"({"access_token":"mi","expires_in":"86399"})", "application/json");
      return true;
    }
    EXPECT_EQ(request.get_header_value("Authorization"), "Bearer mi");
    return false;
  });
  Connection connection = fake.At();
  connection.auth.kind = Auth::Kind::kManagedIdentity;
  connection.auth.token_endpoint = fake.host() + "/identity";
  Service service(connection, folder.path());
  EXPECT_FALSE(service.Probe());
}

TEST(AuthTest, RefusedCredentialsEndIt) {
  FakeService fake;
  const Folder folder;
  fake.SetFault([](const httplib::Request&, httplib::Response& response, int) {
    response.status = 401;
    return true;
  });
  Connection connection = fake.At();
  connection.auth.kind = Auth::Kind::kBearer;
  connection.auth.secret = {SecretRef::From::kCommand, "echo t0ken"};
  Service service(connection, folder.path());
  const auto failure = service.Probe();
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, Failure::Kind::kUnauthorized);
  EXPECT_EQ(failure->message.find("t0ken"), std::string::npos);
  // Once, and once more with a new token.
  EXPECT_EQ(fake.Requests("GET", "/studies"), 2);
  EXPECT_TRUE(service.verdict());
}

TEST(AuthTest, RenewedBeforeItEnds) {
  FakeService fake;
  const Folder folder;
  std::atomic<int> tokens{0};
  std::atomic<int> refused{0};
  fake.SetFault([&](const httplib::Request& request, httplib::Response& response, int) {
    if (request.path == "/token") {
      response.set_content(
          R"({"access_token":"t)" + std::to_string(++tokens) + R"(","expires_in":2})",
          "application/json");
      return true;
    }
    const bool is_current =
        request.get_header_value("Authorization") == "Bearer t" + std::to_string(tokens);
    if (!is_current) ++refused;
    return false;
  });
  Connection connection = fake.At();
  connection.auth.kind = Auth::Kind::kClientCredentials;
  connection.auth.token_endpoint = fake.host() + "/token";
  connection.auth.secret = {SecretRef::From::kCommand, "echo s"};
  Service service(connection, folder.path());
  EXPECT_FALSE(service.Probe());
  const int before = tokens;
  // Half of its life is over.
  std::this_thread::sleep_for(milliseconds(1100));
  EXPECT_FALSE(service.Probe());
  EXPECT_GT(tokens, before);
  EXPECT_EQ(refused, 0);
}

class FirstContactTest : public ::testing::Test {
 protected:
  /// With the patience of a real connection; what the service says within some seconds.
  std::string Probe(const std::function<void(Connection&)>& change = {}) {
    Connection connection;
    connection.url = fake_.host() + "/dicom";
    if (change) change(connection);
    const auto begin = std::chrono::steady_clock::now();
    Service service(connection, folder_.path());
    const std::optional<Failure> failure = service.Probe();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(30));
    return failure ? failure->message : "";
  }
  void Answer(int status, const std::string& header, const std::string& value) {
    fake_.SetFault([=](const httplib::Request&, httplib::Response& response, int) {
      response.status = status;
      response.set_header(header.c_str(), value);
      return true;
    });
  }
  Folder folder_;
  FakeService fake_;
};

TEST_F(FirstContactTest, WhoIsAwayIsNotWaitedFor) {
  EXPECT_EQ(Probe(), "");
  EXPECT_EQ(Probe([](Connection& c) { c.url = "http://no-such-host.invalid"; }),
            "http://no-such-host.invalid: the host name is not known");
  const auto without_tls = [](Connection& c) { c.url.replace(0, 4, "https"); };
  EXPECT_EQ(Probe(without_tls),
            "https" + fake_.host().substr(4) + ": no TLS connection could be made");
  Answer(503, "Retry-After", "3600");
  EXPECT_EQ(Probe(), fake_.host() + ": does not answer now (HTTP 503)");
  fake_.SetFault([](const httplib::Request&, httplib::Response&, int) {
    std::this_thread::sleep_for(seconds(3));
    return false;
  });
  EXPECT_EQ(Probe([](Connection& c) { c.stall_timeout = seconds(1); }),
            fake_.host() + ": nothing, or next to nothing, arrived for too long");
  fake_.Stop();
  EXPECT_EQ(Probe(), fake_.host() + ": no connection could be made");
}

TEST_F(FirstContactTest, WhoGivesNoTokenIsNamed) {
  const auto with_tokens = [](Connection& c) {
    c.auth.kind = Auth::Kind::kClientCredentials;
    c.auth.token_endpoint = "http://127.0.0.1:9/token";
    c.auth.secret = {SecretRef::From::kCommand, "echo s3cret"};
  };
  EXPECT_EQ(Probe(with_tokens), "http://127.0.0.1:9: no connection could be made");
  EXPECT_EQ(fake_.Requests("GET", ""), 0);
}

TEST_F(FirstContactTest, WhatIsNoDicomService) {
  fake_.SetFault([](const httplib::Request&, httplib::Response& response, int) {
    response.set_content(R"({"error":"x"})", "application/json");
    return true;
  });
  EXPECT_NE(Probe().find("no DICOM JSON"), std::string::npos);
  Answer(302, "Location", "https://login.example/");
  EXPECT_EQ(Probe(),
            fake_.host() + ": redirects to another address, which is not followed (HTTP 302)");
}

TEST(ServiceTest, APageToSignInEndsIt) {
  FakeService fake;
  const Folder folder;
  fake.SetFault([](const httplib::Request&, httplib::Response& response, int) {
    response.set_content("<html>", "text/html");
    return true;
  });
  Service service(fake.At(), folder.path());
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(service.verdict());
    EXPECT_FALSE(RetrieveInstance(service, {"1.2", "1.3", "1.4"}));
  }
  ASSERT_TRUE(service.verdict());
  EXPECT_EQ(service.verdict()->message,
            fake.host() + ": answers with a web page where DICOM instances are expected");
}

TEST(QidoTest, PagesSurviveInserts) {
  FakeService fake;
  const Folder folder;
  for (int i = 100; i < 150; ++i) fake.Add("9." + std::to_string(i) + "/1.2/1.3", "x");
  std::atomic<int> inserted{0};
  fake.SetFault([&](const httplib::Request&, httplib::Response&, int n) {
    // In front of what has been given, between the pages.
    if (n > 0 && n < 4) fake.Add("1." + std::to_string(++inserted) + "/1.2/1.3", "x");
    return false;
  });
  Connection connection = fake.At();
  connection.page = 7;
  Service service(connection, folder.path());
  std::multiset<std::string> found;
  const Reply<bool> done = Search(service, Level::kStudy, {}, {}, [&](const ResourceId& id) {
    found.insert(id.study);
    return true;
  });
  ASSERT_TRUE(done);
  for (int i = 100; i < 150; ++i) EXPECT_EQ(found.count("9." + std::to_string(i)), 1U);
}

TEST(QidoTest, ServerThatKnowsNoOffset) {
  FakeService fake;
  const Folder folder;
  fake.SetFault([](const httplib::Request&, httplib::Response& response, int) {
    response.set_content(R"([{"0020000D":{"vr":"UI","Value":["1.2"]}}])", "application/dicom+json");
    return true;
  });
  Service service(fake.At(), folder.path());
  int found = 0;
  EXPECT_TRUE(
      Search(service, Level::kStudy, {}, {}, [&](const ResourceId&) { return ++found > 0; }));
  EXPECT_EQ(found, 1);
}

std::string Entry(int sequence, const std::string& time, const char* action = "create",
                  const char* state = "current") {
  return R"({"Sequence":)" + std::to_string(sequence) +
         R"(,"StudyInstanceUid":"1.2","SeriesInstanceUid":"1.3","SopInstanceUid":"1.4.)" +
         std::to_string(sequence) + R"(","Action":")" + action + R"(","State":")" + state +
         R"(","Timestamp":")" + time + R"("})";
}

std::vector<std::int64_t> ReadFeed(const FakeService& fake, const std::string& version,
                                   const FeedPosition& from) {
  const Folder folder;
  Connection connection = fake.At();
  connection.api_version = version;
  connection.page = 2;
  Service service(connection, folder.path());
  std::vector<std::int64_t> found;
  const Reply<bool> done = ReadChangeFeed(service, from, seconds(900), [&](const FeedEntry& entry) {
    found.push_back(entry.position.sequence);
    return true;
  });
  EXPECT_TRUE(done);
  return found;
}

TEST(ChangeFeedTest, BothVersions) {
  FakeService fake;
  // A gap of sequence numbers wider than a page; what was deleted or replaced; what is too new.
  fake.SetFeed(
      {Entry(1, "2024-01-01T00:00:00Z"), Entry(2, "2024-01-01T00:00:00Z", "create", "deleted"),
       Entry(3, "2024-01-01T00:00:01Z", "delete", "deleted"), Entry(20, "2024-01-02T00:00:00Z"),
       Entry(21, "2024-01-03T00:00:00Z", "update", "current"),
       Entry(22, "2024-01-03T00:00:00Z", "create", "replaced"), Entry(40, "2999-01-01T00:00:00Z")});
  using List = std::vector<std::int64_t>;
  for (const char* version : {"v1", "v2"}) {
    EXPECT_EQ(ReadFeed(fake, version, {}), (List{1, 20, 21})) << version;
    EXPECT_EQ(ReadFeed(fake, version, *ParsePosition("20")), (List{21})) << version;
    EXPECT_EQ(ReadFeed(fake, version, *ParsePosition("2024-01-02")), (List{20, 21})) << version;
  }
  fake.SetFeed({});
  for (const char* version : {"v1", "v2"}) EXPECT_EQ(ReadFeed(fake, version, {}), List{});
}

TEST(ChangeFeedTest, Positions) {
  EXPECT_EQ(ParsePosition("17")->sequence, 17);
  EXPECT_EQ(ParsePosition("2024-05-01")->time, "2024-05-01T00:00:00Z");
  EXPECT_EQ(ParsePosition("2024-05-01T02:00:00.123+02:00")->time, "2024-05-01T00:00:00Z");
  EXPECT_FALSE(ParsePosition("yesterday"));
  EXPECT_FALSE(ParsePosition("2024-05-01T"));
  EXPECT_FALSE(ParsePosition("-1"));
}

TEST(SpoolTest, GoesToDiskWhenMemoryIsUsedUp) {
  const Folder folder;
  const auto budget = std::make_shared<MemoryBudget>(1'000'000);
  {
    Spool first(folder.path(), budget);
    EXPECT_TRUE(first.Append(std::string(600'000, 'a')));
    EXPECT_TRUE(first.in_memory());
    Spool second(folder.path(), budget);
    EXPECT_TRUE(second.Append(std::string(600'000, 'b')));
    EXPECT_TRUE(second.Append("end"));
    EXPECT_FALSE(second.in_memory());
    EXPECT_EQ(second.size(), 600'003U);
    EXPECT_EQ(testing::ReadFile(second.file()), std::string(600'000, 'b') + "end");
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  }
  Spool third(folder.path(), budget);
  EXPECT_TRUE(third.Reserve(900'000));
  EXPECT_FALSE(Spool(folder.path(), budget).Reserve(900'000));
}

TEST(WadoTest, WholeSeriesAndWhatOneThatBreaksHasBrought) {
  FakeService fake;
  const Folder folder;
  std::vector<std::string> parts;
  for (int i = 0; i < 20; ++i) {
    parts.push_back(testing::File(
        testing::With(testing::SmallCt(),
                      {testing::Text({0x0008, 0x0018}, "UI", "1.2.3.4.5." + std::to_string(i)),
                       testing::Raw({0x7FE0, 0x0010}, "OW", std::string(200'000, 'p'))})));
  }
  const std::string whole = FakeService::Multipart(parts, "bb", false);
  std::size_t end = 0;
  fake.SetFault([&](const httplib::Request& request, httplib::Response& response, int n) {
    EXPECT_EQ(request.get_header_value("Accept"),
              R"(multipart/related; type="application/dicom"; transfer-syntax=*)");
    response.set_content(n == 0 ? whole.substr(0, end) : whole,
                         "multipart/related; type=\"application/dicom\"; boundary=bb");
    return true;
  });
  Service service(fake.At(), folder.path());
  std::vector<std::string> uids;
  const auto take = [&](const std::shared_ptr<Spool>& spool) {
    uids.push_back(SopInstanceUidOf(*spool));
    return true;
  };
  // Before anything has come it is tried again; then it is for the caller to ask for the rest.
  EXPECT_FALSE(RetrieveAll(service, {"1.2", "1.3", ""}, take));
  EXPECT_EQ(uids.size(), 20U);
  EXPECT_EQ(uids.back(), "1.2.3.4.5.19");
  EXPECT_EQ(fake.Requests("GET", "/series"), 2);
  uids.clear();
  end = whole.size() / 2;
  const std::optional<Failure> failure = RetrieveAll(service, {"1.2", "1.4", ""}, take);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, Failure::Kind::kBroken);
  EXPECT_EQ(uids.size(), 9U);
  EXPECT_EQ(fake.Requests("GET", "/series/1.4"), 1);
  EXPECT_FALSE(service.verdict());
}

TEST(Part10Test, SopInstanceUidOfTheDataSet) {
  const Folder folder;
  const auto budget = std::make_shared<MemoryBudget>(1'000'000);
  const auto uid_of = [&](const std::string& file) {
    Spool spool(folder.path(), budget);
    EXPECT_TRUE(spool.Append(file));
    return SopInstanceUidOf(spool);
  };
  const auto with = [](const std::string& syntax, const std::string& data_set) {
    const std::string uid = syntax + std::string(syntax.size() % 2, '\0');
    return std::string(128, '\0') + "DICM" + std::string("\2\0\x10\0UI", 6) +
           static_cast<char>(uid.size()) + std::string(1, '\0') + uid + data_set;
  };
  using namespace std::string_literals;
  EXPECT_EQ(uid_of(testing::File(testing::SmallCt())), "1.2.3.4.5");
  // Behind an element whose length has 32 bits.
  EXPECT_EQ(uid_of(with("1.2.840.10008.1.2.1",
                        "\x08\0\x06\0SQ\0\0\x02\0\0\0xx\x08\0\x18\0UI\x04\0"
                        "1.2\0rest"s)),
            "1.2");
  EXPECT_EQ(uid_of(with("1.2.840.10008.1.2",
                        "\x08\0\x05\0\x02\0\0\0xx\x08\0\x18\0\x04\0\0\0"
                        "1.23rest"s)),
            "1.23");
  EXPECT_EQ(uid_of(with("1.2.840.10008.1.2.2",
                        "\0\x08\0\x18UI\0\x04"
                        "1.23rest"s)),
            "1.23");
  EXPECT_EQ(uid_of(with("1.2.840.10008.1.2.1.99",
                        "\x08\0\x18\0UI\x04\0"
                        "1.23"s)),
            "");
  // Absent, cut, of a length beyond the end, no file at all.
  EXPECT_EQ(uid_of(with("1.2.840.10008.1.2.1", "\x08\0\x20\0DA\0\0\0\0\0\0"s)), "");
  EXPECT_EQ(uid_of(with("1.2.840.10008.1.2.1",
                        "\x08\0\x18\0UI\x04\0"
                        "1.2"s)),
            "");
  EXPECT_EQ(uid_of(with("1.2.840.10008.1.2.1", "\x08\0\x06\0SQ\0\0\xFF\xFF\xFF\xFF"s)), "");
  EXPECT_EQ(uid_of("nothing"), "");
}

}  // namespace
}  // namespace dcmveil::dicomweb
