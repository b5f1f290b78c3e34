// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dicomweb/failure.h"

namespace dcmveil::dicomweb {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// The first lines of an answer.
struct HttpHead {
  long status = 0;
  Headers headers;   ///< names in lower case
  int attempts = 1;  ///< that it took
  /// The first header with that name, or empty.
  [[nodiscard]] std::string Get(std::string_view name) const;
};

/// What a request sends: pieces in memory or elsewhere, read as they are sent.
class RequestBody {
 public:
  virtual ~RequestBody() = default;
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  /// Bytes read at `offset`, 0 at the end, -1 on an error. Called from the network's thread.
  [[nodiscard]] virtual std::int64_t Read(std::uint64_t offset, char* to,
                                          std::size_t size) const = 0;
};

/// A body that is one text.
class TextBody : public RequestBody {
 public:
  explicit TextBody(std::string text) : text_(std::move(text)) {}
  [[nodiscard]] std::uint64_t size() const override { return text_.size(); }
  [[nodiscard]] std::int64_t Read(std::uint64_t offset, char* to, std::size_t size) const override;

 private:
  std::string text_;
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  Headers headers;
  std::shared_ptr<const RequestBody> body;
  bool direct = false;  ///< past any proxy
};

/// Gets the body piece by piece in the thread that called Perform; false ends the transfer.
using Receive = std::function<bool(const HttpHead&, std::string_view)>;

struct HttpSettings {
  std::filesystem::path ca_file;
  std::filesystem::path client_cert;
  std::filesystem::path client_key;
  std::chrono::seconds connect_timeout{10};
  std::chrono::seconds stall_timeout{60};
  int connections = 8;
};

/// HTTP over libcurl: one thread of its own moves the bytes of all requests. Any number of threads
/// may call Perform; each gets its body in its own thread, and where it is slow, the transfer is
/// paused: no more than a few hundred kB wait for it. Redirections are not followed, because they
/// would carry credentials elsewhere. Nothing is logged.
class HttpClient {
 public:
  explicit HttpClient(const HttpSettings& settings);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Blocks until the answer is complete. Any status is an answer. Failures: kUsage, kUnreachable,
  /// kCertificate, kTimeout, kBroken, kStopped.
  [[nodiscard]] Reply<HttpHead> Perform(const HttpRequest& request, const Receive& receive);
  /// Ends all requests, and all later ones at once, with kStopped.
  void Stop();

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
  HttpSettings settings_;
};

/// "https://host:port" of a URL; never its user, password, path or query.
[[nodiscard]] std::string HostOf(const std::string& url);

/// For a path segment, a query or a form: everything but letters, digits and "-._~" as %XX.
[[nodiscard]] std::string PercentEncode(std::string_view text);

}  // namespace dcmveil::dicomweb
