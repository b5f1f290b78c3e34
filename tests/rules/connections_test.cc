// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "dcmveil/connection.h"
#include "dcmveil/rules.h"
#include "tests/support/folder.h"

namespace dcmveil {
namespace {

using testing::Folder;

std::string Errors(const std::string& text) {
  const Folder folder;
  const auto file = folder.Write("connections.yaml", text);
  try {
    static_cast<void>(LoadConnections(file));
    return "";
  } catch (const RuleError& error) {
    std::string all;
    for (const Diagnostic& d : error.diagnostics()) {
      all += std::to_string(d.line) + ": " + d.message + "|";
    }
    return all;
  }
}

TEST(ConnectionsTest, Whole) {
  const Folder folder;
  folder.Write("ca.pem", "");
  const auto connections = LoadConnections(folder.Write("connections.yaml", R"(
connections:
  archive:
    url: https://ws-a.dicom.azurehealthcareapis.com
    api-version: v2
    partition: Site.A
    auth: {type: client-credentials, token-endpoint: https://login.example/token, client-id: me,
           secret: {file: secret}, scope: https://dicom.healthcareapis.azure.com/.default}
    tls: {ca: ca.pem}
    retrieve: series
    limits: {connections: 3, attempts: 9, give-up-after: 60, stall-timeout: 5, memory: 32, page: 200,
             ahead: 500}
    store: {batch: 4, upsert: true, expire-after: 30d, metadata: {msdicom-meta-LO-00100020: x}}
  local: {url: "http://127.0.0.1:8042/dicom-web"}
)"));
  ASSERT_EQ(connections.size(), 2U);
  const Connection& archive = connections.at("archive");
  EXPECT_EQ(archive.name, "archive");
  EXPECT_EQ(archive.partition, "Site.A");
  EXPECT_EQ(archive.auth.kind, Auth::Kind::kClientCredentials);
  EXPECT_EQ(archive.auth.secret.name, (folder / "secret").string());
  EXPECT_EQ(archive.ca_file, folder / "ca.pem");
  EXPECT_EQ(archive.connections, 3);
  EXPECT_EQ(archive.memory, 32'000'000U);
  EXPECT_EQ(archive.ahead, 500'000'000U);
  EXPECT_EQ(archive.retrieve, Retrieve::kSeries);
  EXPECT_EQ(archive.stow_batch, 4);
  ASSERT_EQ(archive.store_headers.size(), 4U);
  EXPECT_EQ(archive.store_headers[0].second, "2592000000");
}

TEST(ConnectionsTest, Sample) {
  const auto connections =
      LoadConnections(std::string(DCMVEIL_SOURCE_DIR) + "/samples/connections.yaml");
  EXPECT_EQ(connections.size(), 4U);
  EXPECT_EQ(connections.at("other").auth.secret.from, SecretRef::From::kCommand);
}

TEST(ConnectionsTest, WhatIsWrongIsSaidAndSecretsAreNot) {
  const std::string errors = Errors(
      "connections:\n"
      "  a:\n"
      "    url: https://me:pw@host\n"
      "    limits: {conections: 3, attempts: 0}\n"
      "    auth: {type: bearer, token: s3cret}\n"
      "  b: {}\n");
  EXPECT_NE(errors.find("3: url: holds a user or password"), std::string::npos) << errors;
  EXPECT_NE(errors.find("4: conections: no such limits entry"), std::string::npos) << errors;
  EXPECT_NE(errors.find("4: attempts: must be a whole number from 1 to 100"), std::string::npos);
  EXPECT_NE(errors.find("5: token: says where the secret is"), std::string::npos) << errors;
  EXPECT_NE(errors.find("6: b: has no url"), std::string::npos) << errors;
  EXPECT_EQ(errors.find("s3cret"), std::string::npos);
  EXPECT_NE(Errors("connections: {a: {url: 'ftp://x'}}"), "");
  EXPECT_NE(Errors("conections: {}"), "");
  EXPECT_NE(Errors("connections: {a: {url: 'https://x', partition: a/b}}"), "");
  EXPECT_EQ(Errors("connections: {a: {url: 'https://x', retrieve: patient}}"),
            "1: retrieve: must be instance, series or study|");
}

}  // namespace
}  // namespace dcmveil
