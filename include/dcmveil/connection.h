// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dcmveil/error.h"

namespace dcmveil {

/// Where a secret is kept; never the secret itself.
struct SecretRef {
  enum class From : std::uint8_t { kNowhere, kFile, kEnvironment, kCommand };
  From from = From::kNowhere;
  std::string name;  ///< a path, a variable's name, or a command for /bin/sh
};

/// How a DICOM service is told who asks.
struct Auth {
  enum class Kind : std::uint8_t { kNone, kBasic, kBearer, kClientCredentials, kManagedIdentity };
  Kind kind = Kind::kNone;
  std::string user;            ///< basic
  SecretRef secret;            ///< basic: password; bearer: token; client credentials: the secret
  std::string token_endpoint;  ///< client credentials; managed identity: empty is Azure's own
  std::string client_id;       ///< managed identity: empty is the one of the system
  std::string scope;           ///< client credentials, OAuth2 version 2
  std::string resource;        ///< managed identity, and OAuth2 version 1
};

/// What one WADO-RS request asks for.
enum class Retrieve : std::uint8_t { kInstance, kSeries, kStudy };

/// One DICOM service (PS3.18) and how it is to be used. A value.
struct Connection {
  std::string name;         ///< in messages and for the state folder; the host if it has no name
  std::string url;          ///< https://host/path, without version and partition
  std::string api_version;  ///< "v1", "v2"; empty: the service has no such segment
  std::string partition;    ///< data partition; may be empty
  Auth auth;

  std::filesystem::path ca_file;      ///< PEM; empty: the system's authorities
  std::filesystem::path client_cert;  ///< PEM; may be empty
  std::filesystem::path client_key;   ///< PEM; empty: it is in `client_cert`

  int connections = 8;  ///< requests at the same time
  int page = 100;       ///< rows a search asks for at once; Azure allows 200 at most
  int attempts = 8;     ///< of one request
  std::chrono::milliseconds first_wait{500};
  std::chrono::seconds give_up_after{300};  ///< of one request, waiting included
  std::chrono::seconds connect_timeout{10};
  std::chrono::seconds stall_timeout{60};  ///< slower than 1 kB/s for so long: broken
  std::size_t memory = 64'000'000;         ///< bytes of instances in memory; the rest goes to disk

  Retrieve retrieve = Retrieve::kInstance;
  std::uint64_t ahead = 2'000'000'000;  ///< bytes that may be retrieved and not yet asked for

  int stow_batch = 1;   ///< instances a STOW-RS request
  bool upsert = false;  ///< PUT: replace what is there
  /// Sent with every STOW-RS request: expiry and metadata headers.
  std::vector<std::pair<std::string, std::string>> store_headers;
};

/// Reads a file of named connections (docs/dicomweb.md). Throws RuleError with all errors. Opens
/// no connection and no secret.
[[nodiscard]] DCMVEIL_API std::map<std::string, Connection> LoadConnections(
    const std::filesystem::path& file);

/// "instance", "series" or "study"; nothing for any other text.
[[nodiscard]] DCMVEIL_API std::optional<Retrieve> ParseRetrieve(const std::string& text);
/// The same from text; `name` stands for the file in messages, and relative paths in the text are
/// resolved against `folder`.
[[nodiscard]] DCMVEIL_API std::map<std::string, Connection> LoadConnectionsFromText(
    const std::string& text, const std::string& name, const std::filesystem::path& folder = ".");

/// True for what begins with http:// or https://.
[[nodiscard]] DCMVEIL_API bool IsServiceUrl(const std::string& text);

}  // namespace dcmveil
