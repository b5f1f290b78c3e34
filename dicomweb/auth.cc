// SPDX-License-Identifier: Apache-2.0
#include "dicomweb/auth.h"

#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <thread>

#include "dicomweb/retry.h"

namespace dcmveil::dicomweb {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::seconds;
constexpr std::size_t kMostBytes = 1'000'000;
constexpr seconds kReadAgain{60};  // a file or command may give a new token at any time
constexpr const char* kAzureInstance = "http://169.254.169.254/metadata/identity/oauth2/token";
constexpr const char* kAzureDicom = "https://dicom.healthcareapis.azure.com";

std::string Trim(std::string text) {
  const auto is_space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  while (!text.empty() && is_space(text.back())) text.pop_back();
  std::size_t begin = 0;
  while (begin < text.size() && is_space(text[begin])) ++begin;
  return text.substr(begin);
}

Failure NoSecret(std::string message) {
  return {Failure::Kind::kUnauthorized, 0, std::move(message)};
}

Reply<std::string> RunCommand(const std::string& command) {
  std::FILE* pipe = ::popen(command.c_str(), "re");  // NOLINT(cert-env33-c): the user's own
  if (pipe == nullptr) return NoSecret("the command for a secret cannot be run");
  std::string text;
  std::array<char, 4096> buffer{};
  std::size_t n = 0;
  while ((n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0 && text.size() < kMostBytes) {
    text.append(buffer.data(), n);
  }
  if (::pclose(pipe) != 0) return NoSecret("the command for a secret failed");
  return text;
}

std::string Base64(const std::string& bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group =
          (group << 8U) | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      const bool padding = i + j > bytes.size();
      text.push_back(padding ? '=' : kDigits[(group >> (18U - 6U * j)) & 0x3FU]);
    }
  }
  return text;
}

/// Services write the number of seconds as a number or as text.
std::int64_t SecondsOf(const nlohmann::json& answer) {
  constexpr std::int64_t kUnsaid = 300;
  const auto it = answer.find("expires_in");
  if (it == answer.end()) return kUnsaid;
  if (it->is_number()) return it->get<std::int64_t>();
  if (it->is_string()) return std::strtoll(it->get_ref<const std::string&>().c_str(), nullptr, 10);
  return kUnsaid;
}

/// Some minutes before the end, or half-way where the whole is not longer than that.
Clock::time_point RenewAfter(std::int64_t lifetime) {
  constexpr std::int64_t kMargin = 300;
  return Clock::now() + seconds(lifetime > 2 * kMargin ? lifetime - kMargin : lifetime / 2);
}

}  // namespace

Reply<std::string> ReadSecret(const SecretRef& ref) {
  std::string text;
  switch (ref.from) {
    case SecretRef::From::kNowhere:
      return NoSecret("no secret is configured");
    case SecretRef::From::kFile: {
      std::ifstream file(ref.name, std::ios::binary);
      if (!file) return NoSecret("the file " + ref.name + " with a secret cannot be read");
      text.assign(std::istreambuf_iterator<char>(file), {});
      break;
    }
    case SecretRef::From::kEnvironment: {
      const char* value = std::getenv(ref.name.c_str());
      if (value == nullptr) return NoSecret("environment variable " + ref.name + " is not set");
      text = value;
      break;
    }
    case SecretRef::From::kCommand: {
      Reply<std::string> output = RunCommand(ref.name);
      if (!output) return output;
      text = std::move(*output);
      break;
    }
  }
  text = Trim(std::move(text));
  if (text.empty()) return NoSecret("a secret is empty");
  // A line break would end the header and begin another.
  if (text.find_first_of("\r\n") != std::string::npos)
    return NoSecret("a secret has several lines");
  return text;
}

Authorizer::Authorizer(Auth auth, HttpClient& http) : auth_(std::move(auth)), http_(http) {}

bool Authorizer::renewable() const {
  return auth_.kind != Auth::Kind::kNone && auth_.kind != Auth::Kind::kBasic;
}

Reply<std::string> Authorizer::Header() {
  if (auth_.kind == Auth::Kind::kNone) return std::string();
  const std::lock_guard lock(mutex_);
  if (!token_ || Clock::now() >= token_->renew) {
    Reply<Token> fresh = Fetch();
    if (!fresh) return fresh.failure();
    token_ = std::move(*fresh);
    had_token_ = true;
  }
  return token_->header;
}

void Authorizer::Refused(const std::string& header) {
  const std::lock_guard lock(mutex_);
  if (token_ && token_->header == header) token_.reset();
}

Reply<Authorizer::Token> Authorizer::Fetch() {
  switch (auth_.kind) {
    case Auth::Kind::kNone:
      return Token{"", Clock::time_point::max()};
    case Auth::Kind::kBasic: {
      const Reply<std::string> password = ReadSecret(auth_.secret);
      if (!password) return password.failure();
      return Token{"Basic " + Base64(auth_.user + ":" + *password), Clock::time_point::max()};
    }
    case Auth::Kind::kBearer: {
      const Reply<std::string> token = ReadSecret(auth_.secret);
      if (!token) return token.failure();
      return Token{"Bearer " + *token, Clock::now() + kReadAgain};
    }
    case Auth::Kind::kClientCredentials: {
      const Reply<std::string> secret = ReadSecret(auth_.secret);
      if (!secret) return secret.failure();
      std::string form =
          "grant_type=client_credentials&client_id=" + PercentEncode(auth_.client_id) +
          "&client_secret=" + PercentEncode(*secret);
      if (!auth_.scope.empty()) form += "&scope=" + PercentEncode(auth_.scope);
      if (!auth_.resource.empty()) form += "&resource=" + PercentEncode(auth_.resource);
      HttpRequest request;
      request.method = "POST";
      request.url = auth_.token_endpoint;
      request.headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                         {"Accept", "application/json"}};
      request.body = std::make_shared<TextBody>(std::move(form));
      return FetchToken(request, "the token endpoint " + HostOf(request.url));
    }
    case Auth::Kind::kManagedIdentity: {
      HttpRequest request;
      request.url = auth_.token_endpoint.empty() ? kAzureInstance : auth_.token_endpoint;
      request.url += "?api-version=2018-02-01&resource=" +
                     PercentEncode(auth_.resource.empty() ? kAzureDicom : auth_.resource);
      if (!auth_.client_id.empty()) request.url += "&client_id=" + PercentEncode(auth_.client_id);
      request.headers = {{"Metadata", "true"}};
      request.direct = true;  // the address means this machine, to a proxy another
      return FetchToken(request, "the managed identity endpoint " + HostOf(request.url));
    }
  }
  return NoSecret("no way to authenticate");
}

Reply<Authorizer::Token> Authorizer::FetchToken(const HttpRequest& request,
                                                const std::string& who) {
  Connection policy;
  policy.attempts = had_token_ ? 5 : 3;
  policy.give_up_after = seconds(had_token_ ? 60 : 20);
  Backoff backoff(policy, Clock::now(), std::hash<std::string>{}(who));
  while (true) {
    std::string text;
    const Reply<HttpHead> head =
        http_.Perform(request, [&text](const HttpHead&, std::string_view chunk) {
          text.append(chunk);
          return text.size() < kMostBytes;
        });
    if (head && head->status == 200) {
      const nlohmann::json answer = nlohmann::json::parse(text, nullptr, false);
      const auto it = answer.is_object() ? answer.find("access_token") : answer.end();
      if (!answer.is_object() || it == answer.end() || !it->is_string() ||
          it->get_ref<const std::string&>().find_first_of("\r\n") != std::string::npos) {
        return NoSecret(who + " answers without a token");
      }
      return Token{"Bearer " + it->get<std::string>(), RenewAfter(SecondsOf(answer))};
    }
    const auto may_pass = [this](Failure::Kind kind) {
      if (kind == Failure::Kind::kBroken) return true;
      return had_token_ && (kind == Failure::Kind::kUnreachable || kind == Failure::Kind::kTimeout);
    };
    const bool again = head ? IsTransient(head->status) : may_pass(head.failure().kind);
    const std::optional<std::chrono::milliseconds> wait =
        again ? backoff.Next(Clock::now(), head ? ParseRetryAfter(head->Get("retry-after"),
                                                                  std::chrono::system_clock::now())
                                                : std::nullopt)
              : std::nullopt;
    if (!wait) {
      if (!head) return head.failure();
      return NoSecret(who + " gives no token (HTTP " + std::to_string(head->status) + ")");
    }
    std::this_thread::sleep_for(*wait);
  }
}

}  // namespace dcmveil::dicomweb
