// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "dcmveil/connection.h"
#include "dicomweb/auth.h"
#include "dicomweb/failure.h"
#include "dicomweb/http.h"
#include "dicomweb/spool.h"

namespace dcmveil::dicomweb {

/// Takes the body of an answer. A request may be tried several times; each begins anew.
class Receiver {
 public:
  virtual ~Receiver() = default;
  /// The head of an answer that is wanted. A failure ends the request, or, if it is kBroken, the
  /// attempt.
  [[nodiscard]] virtual std::optional<Failure> Begin(const HttpHead& head) = 0;
  /// False ends the attempt; End is asked why.
  [[nodiscard]] virtual bool Data(std::string_view bytes) = 0;
  /// Whether what came is whole.
  [[nodiscard]] virtual std::optional<Failure> End() = 0;
  /// False: an attempt that failed is the last, because another would bring the same once more.
  [[nodiscard]] virtual bool MayRepeat() const { return true; }
};

/// One DICOM service: its address, its credentials, and its patience. Any number of threads may
/// use it.
class Service {
 public:
  /// Instances that are too large for memory go to files without a name in `folder`.
  Service(Connection connection, std::filesystem::path folder);

  struct Call {
    std::string method = "GET";
    std::string url;
    Headers headers;
    std::shared_ptr<const RequestBody> body;
    bool conflict_is_answer = false;  ///< 409 has a body that counts
    int attempts = 0;                 ///< fewer than the connection's, if not 0
    bool first = false;     ///< who cannot be reached now is held to be wrong, not to be away
    bool optional = false;  ///< there is another way: that it fails says nothing of the service
  };
  /// Tries until there is an answer with a status of 2xx, or one that will stay, or patience ends.
  [[nodiscard]] Reply<HttpHead> Send(const Call& call, Receiver& receiver);
  /// Whether there is a DICOM service that lets us in: a search for one study. Where nobody answers
  /// it is tried once, where the service is busy for some seconds.
  [[nodiscard]] std::optional<Failure> Probe();
  /// The same as Send for JSON; empty for 204.
  [[nodiscard]] Reply<std::string> GetJson(const std::string& url);

  /// "https://host/v2/partitions/name"
  [[nodiscard]] const std::string& base() const { return base_; }
  /// The same without the partition, for the change feed.
  [[nodiscard]] const std::string& root() const { return root_; }
  [[nodiscard]] const std::string& host() const { return host_; }
  [[nodiscard]] const Connection& connection() const { return connection_; }
  [[nodiscard]] std::shared_ptr<Spool> NewSpool() const;

  /// Ends everything, now and later, with kStopped.
  void Stop();
  [[nodiscard]] bool stopped() const { return stopped_; }
  /// Set once the service is held to be down, or refuses who we are: what to say about it. All
  /// requests fail from then on.
  [[nodiscard]] std::optional<Failure> verdict() const;
  /// Waits, unless Stop comes first.
  void Pause(std::chrono::milliseconds time);

 private:
  [[nodiscard]] Reply<HttpHead> Attempt(const Call& call, Receiver& receiver,
                                        std::string& authorization);
  [[nodiscard]] Failure GiveUp(const Call& call, Failure failure);
  void Condemn(const Failure& failure);

  const Connection connection_;
  const std::filesystem::path folder_;
  const std::string host_;
  std::string root_;
  std::string base_;
  const std::shared_ptr<MemoryBudget> memory_;
  HttpClient http_;
  Authorizer authorizer_;
  std::atomic<bool> stopped_{false};
  std::atomic<int> exhausted_{0};  ///< requests in a row that found no end
  std::atomic<std::uint64_t> seed_{0};
  mutable std::mutex mutex_;
  std::condition_variable stopping_;
  std::optional<Failure> verdict_;
};

/// Gathers a body that is a text of at most 64 MB.
class TextReceiver : public Receiver {
 public:
  explicit TextReceiver(std::string host) : host_(std::move(host)) {}
  [[nodiscard]] std::optional<Failure> Begin(const HttpHead& head) override;
  [[nodiscard]] bool Data(std::string_view bytes) override;
  [[nodiscard]] std::optional<Failure> End() override;
  [[nodiscard]] std::string& text() { return text_; }

 private:
  std::string host_;
  std::string text_;
};

/// The media type alone, in lower case: "text/html".
[[nodiscard]] std::string MediaType(const std::string& content_type);

}  // namespace dcmveil::dicomweb
