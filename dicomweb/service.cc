// SPDX-License-Identifier: Apache-2.0
#include "dicomweb/service.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <random>

#include "dicomweb/retry.h"

namespace dcmveil::dicomweb {
namespace {

using Kind = Failure::Kind;
constexpr int kExhaustedIsDown = 3;
constexpr std::size_t kMostText = 64'000'000;
constexpr std::chrono::seconds kFirstContact{20};

HttpSettings SettingsOf(const Connection& connection) {
  return {.ca_file = connection.ca_file,
          .client_cert = connection.client_cert,
          .client_key = connection.client_key,
          .connect_timeout = connection.connect_timeout,
          .stall_timeout = connection.stall_timeout,
          .connections = connection.connections};
}

bool MayPass(const Failure& failure) {
  return failure.kind == Kind::kUnreachable || failure.kind == Kind::kBroken ||
         failure.kind == Kind::kTimeout || failure.kind == Kind::kBusy;
}

Failure OfStatus(const HttpHead& head, const std::string& host) {
  const long status = head.status;
  const std::string said = " (HTTP " + std::to_string(status) + ")";
  if (IsTransient(status)) return {Kind::kBusy, status, host + ": does not answer now" + said};
  switch (status) {
    case 401:
      return {Kind::kUnauthorized, status, host + ": asks for other credentials" + said};
    case 403:
      return {Kind::kUnauthorized, status, host + ": these credentials may not do that" + said};
    case 404:
    case 410:
      return {Kind::kNotFound, status, host + ": has nothing at that address" + said};
    default:
      break;
  }
  if (status >= 300 && status < 400) {
    return {Kind::kBadAnswer, status,
            host + ": redirects to another address, which is not followed" + said};
  }
  return {Kind::kRefused, status, host + ": refuses the request" + said};
}

}  // namespace

Service::Service(Connection connection, std::filesystem::path folder)
    : connection_(std::move(connection)),
      folder_(std::move(folder)),
      host_(HostOf(connection_.url)),
      root_(connection_.url),
      memory_(std::make_shared<MemoryBudget>(connection_.memory)),
      http_(SettingsOf(connection_)),
      authorizer_(connection_.auth, http_),
      seed_(std::random_device{}()) {
  while (root_.ends_with('/')) root_.pop_back();
  if (!connection_.api_version.empty()) root_ += "/" + connection_.api_version;
  base_ = root_;
  if (!connection_.partition.empty()) {
    base_ += "/partitions/" + PercentEncode(connection_.partition);
  }
}

std::shared_ptr<Spool> Service::NewSpool() const {
  return std::make_shared<Spool>(folder_, memory_);
}

void Service::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  stopping_.notify_all();
  http_.Stop();
}

std::optional<Failure> Service::verdict() const {
  const std::lock_guard lock(mutex_);
  return verdict_;
}

void Service::Pause(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  stopping_.wait_for(lock, time, [this] { return stopped_.load() || verdict_.has_value(); });
}

void Service::Condemn(const Failure& failure) {
  {
    const std::lock_guard lock(mutex_);
    if (!verdict_) verdict_ = failure;
  }
  stopping_.notify_all();
}

Failure Service::GiveUp(const Call& call, Failure failure) {
  // That nothing can be reached is the service's state; that one request finds no end, or an answer
  // that is none, may be the fault of what it asks for.
  const bool in_doubt = MayPass(failure) || failure.kind == Kind::kBadAnswer;
  if (failure.kind == Kind::kUnauthorized || failure.kind == Kind::kCertificate ||
      failure.kind == Kind::kUnreachable ||
      (in_doubt && !call.optional && exhausted_.fetch_add(1) + 1 >= kExhaustedIsDown)) {
    Condemn(failure);
  }
  return failure;
}

Reply<HttpHead> Service::Attempt(const Call& call, Receiver& receiver, std::string& authorization) {
  Reply<std::string> header = authorizer_.Header();
  if (!header) return header.failure();
  authorization = *header;
  HttpRequest request{.method = call.method,
                      .url = call.url,
                      .headers = call.headers,
                      .body = call.body,
                      .direct = false};
  if (!authorization.empty()) request.headers.emplace_back("Authorization", authorization);
  const auto is_wanted = [&call](long status) {
    return (status >= 200 && status < 300) || (status == 409 && call.conflict_is_answer);
  };
  std::optional<Failure> failure;
  bool begun = false;
  bool full = false;
  Reply<HttpHead> head =
      http_.Perform(request, [&](const HttpHead& answer, std::string_view bytes) {
        if (!is_wanted(answer.status)) return true;
        if (!begun) {
          begun = true;
          failure = receiver.Begin(answer);
          if (failure) return false;
        }
        full = !receiver.Data(bytes);
        return !full;
      });
  if (failure) return *failure;
  if (full) {
    failure = receiver.End();
    return failure.value_or(Failure{Kind::kBadAnswer, 0, host_ + ": an answer too large"});
  }
  if (!head) return head;
  if (!is_wanted(head->status)) return head;
  if (!begun) failure = receiver.Begin(*head);
  if (!failure) failure = receiver.End();
  if (failure) return *failure;
  return head;
}

Reply<HttpHead> Service::Send(const Call& call, Receiver& receiver) {
  Connection patience = connection_;
  if (call.attempts > 0) patience.attempts = std::min(call.attempts, patience.attempts);
  if (call.first) patience.give_up_after = std::min(kFirstContact, patience.give_up_after);
  Backoff backoff(patience, Backoff::Clock::now(), seed_.fetch_add(0x9E3779B97F4A7C15U));
  bool renewed = false;
  int attempts = 0;
  while (true) {
    if (stopped_) return Failure{Kind::kStopped, 0, "stopped"};
    if (const std::optional<Failure> bad = verdict()) return *bad;
    std::string authorization;
    Reply<HttpHead> head = Attempt(call, receiver, authorization);
    ++attempts;
    std::optional<std::chrono::milliseconds> asked;
    Failure failure;
    if (head) {
      const long status = head->status;
      if ((status >= 200 && status < 300) || (status == 409 && call.conflict_is_answer)) {
        exhausted_ = 0;
        head->attempts = attempts;
        return head;
      }
      if (status == 401 && !renewed && authorizer_.renewable()) {
        renewed = true;
        authorizer_.Refused(authorization);
        continue;
      }
      failure = OfStatus(*head, host_);
      asked = ParseRetryAfter(head->Get("retry-after"), std::chrono::system_clock::now());
      const bool is_answer = failure.kind == Kind::kNotFound || failure.kind == Kind::kRefused;
      if (is_answer && !call.optional) exhausted_ = 0;
    } else {
      failure = head.failure();
    }
    if (stopped_) return Failure{Kind::kStopped, 0, "stopped"};
    const bool is_away = failure.kind == Kind::kUnreachable || failure.kind == Kind::kTimeout;
    if (!MayPass(failure) || (call.first && is_away)) return GiveUp(call, failure);
    if (!receiver.MayRepeat()) return failure;
    const std::optional<std::chrono::milliseconds> wait =
        backoff.Next(Backoff::Clock::now(), asked);
    if (!wait) return GiveUp(call, failure);
    Pause(*wait);
  }
}

std::optional<Failure> Service::Probe() {
  constexpr int kAttempts = 3;
  TextReceiver receiver(host_);
  const Call call{.method = "GET",
                  .url = base_ + "/studies?limit=1",
                  .headers = {{"Accept", "application/dicom+json"}},
                  .body = nullptr,
                  .attempts = kAttempts,
                  .first = true};
  const Reply<HttpHead> head = Send(call, receiver);
  if (head) {
    const nlohmann::json rows = nlohmann::json::parse(receiver.text(), nullptr, false);
    if (receiver.text().empty() || rows.is_array()) return std::nullopt;
    return Failure{Kind::kBadAnswer, 0,
                   host_ +
                       ": answers a search with something that is no DICOM JSON; is this the "
                       "base URL of a DICOM service?"};
  }
  Failure failure = head.failure();
  if (failure.kind == Kind::kNotFound || failure.kind == Kind::kRefused) {
    failure.message += "; is this the base URL of a DICOM service, with its version?";
  }
  // TLS 1.3 refuses after the handshake, and that may be lost with the connection.
  if (failure.kind == Kind::kBroken && base_.starts_with("https") &&
      connection_.client_cert.empty()) {
    failure.message += "; does it ask for a client certificate?";
  }
  return failure;
}

Reply<std::string> Service::GetJson(const std::string& url) {
  TextReceiver receiver(host_);
  const Call call{.method = "GET",
                  .url = url,
                  .headers = {{"Accept", "application/dicom+json"}},
                  .body = nullptr};
  const Reply<HttpHead> head = Send(call, receiver);
  if (!head) return head.failure();
  return std::move(receiver.text());
}

std::optional<Failure> TextReceiver::Begin(const HttpHead& head) {
  text_.clear();
  const std::string type = MediaType(head.Get("content-type"));
  if (head.status == 204 || type.empty() || type.ends_with("json")) return std::nullopt;
  return Failure{Kind::kBadAnswer, head.status,
                 host_ + ": answers with " + (type == "text/html" ? "a web page" : "something") +
                     " where DICOM JSON is expected; is this the base URL of a DICOM service?"};
}

bool TextReceiver::Data(std::string_view bytes) {
  if (text_.size() + bytes.size() > kMostText) return false;
  text_.append(bytes);
  return true;
}

std::optional<Failure> TextReceiver::End() { return std::nullopt; }

std::string MediaType(const std::string& content_type) {
  std::string type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ')) type.pop_back();
  std::transform(type.begin(), type.end(), type.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return type;
}

}  // namespace dcmveil::dicomweb
