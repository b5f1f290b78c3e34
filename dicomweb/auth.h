// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "dcmveil/connection.h"
#include "dicomweb/failure.h"
#include "dicomweb/http.h"

namespace dcmveil::dicomweb {

/// The secret itself, without white space at its ends. The failure names the reference.
[[nodiscard]] Reply<std::string> ReadSecret(const SecretRef& ref);

/// Makes the Authorization header of requests. Any number of threads may use it: a token is
/// fetched by one of them while the others wait for it.
class Authorizer {
 public:
  /// `http` must outlive it.
  Authorizer(Auth auth, HttpClient& http);
  /// The header's value, fresh for some minutes; empty if none is needed.
  [[nodiscard]] Reply<std::string> Header();
  /// The service refused this value: it is not given again, if it still is the current one.
  void Refused(const std::string& header);
  /// Whether another value may be had after a refusal.
  [[nodiscard]] bool renewable() const;

 private:
  struct Token {
    std::string header;
    std::chrono::steady_clock::time_point renew;  ///< from when on a new one is asked for
  };
  [[nodiscard]] Reply<Token> Fetch();
  [[nodiscard]] Reply<Token> FetchToken(const HttpRequest& request, const std::string& who);

  const Auth auth_;
  HttpClient& http_;
  std::mutex mutex_;
  std::optional<Token> token_;
  bool had_token_ = false;  ///< so who gives tokens is there, and worth more patience
};

}  // namespace dcmveil::dicomweb
