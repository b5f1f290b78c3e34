// SPDX-License-Identifier: Apache-2.0
//
// A DICOM service in memory that answers as Azure's does, and can be told to do it badly.
#pragma once

#include <httplib.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "dcmveil/connection.h"

namespace dcmveil::testing {

class FakeService {
 public:
  FakeService();
  ~FakeService();
  FakeService(const FakeService&) = delete;
  FakeService& operator=(const FakeService&) = delete;

  /// Asked before every request, with the number of requests like it (same method and path) so
  /// far, from 0; true: it has answered.
  using Fault = std::function<bool(const httplib::Request&, httplib::Response&, int)>;
  void SetFault(Fault fault);
  /// What a store says of an instance instead of storing it: a failure reason, or 0. With the
  /// number of times that this instance was sent before.
  using Verdict = std::function<int(const std::string& sop_instance_uid, int)>;
  void SetVerdict(Verdict verdict);

  /// An instance that is there: "study/series/instance".
  void Add(const std::string& id, const std::string& bytes);
  [[nodiscard]] std::map<std::string, std::string> Stored() const;
  /// How often an instance was stored or replaced.
  [[nodiscard]] int stores() const { return stores_; }
  /// Requests with that method whose path holds the text.
  [[nodiscard]] int Requests(const std::string& method, const std::string& part) const;
  /// Requests with that method for exactly that path.
  [[nodiscard]] int RequestsOf(const std::string& method, const std::string& path) const;
  /// Entries of the change feed, as JSON objects.
  void SetFeed(std::vector<std::string> entries);

  [[nodiscard]] Connection At(const std::string& name = "fake") const;
  [[nodiscard]] std::string host() const;
  /// Series and studies are given in an order other than that of a search.
  void SetBackwards() { backwards_ = true; }
  /// Nobody answers from now on.
  void Stop();

  /// What a service answers to a request for an instance: one part, or several.
  static std::string Multipart(const std::vector<std::string>& parts, const std::string& boundary,
                               bool with_length);

 private:
  void Answer(const httplib::Request& request, httplib::Response& response);
  void Search(const httplib::Request& request, httplib::Response& response);
  void Retrieve(const httplib::Request& request, httplib::Response& response);
  void Store(const httplib::Request& request, httplib::Response& response);
  void Feed(const httplib::Request& request, httplib::Response& response);

  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
  mutable std::mutex mutex_;
  Fault fault_;
  Verdict verdict_;
  std::map<std::string, std::string> stored_;
  std::map<std::string, int> sent_;
  std::map<std::string, int> requests_;
  std::vector<std::string> feed_;
  std::atomic<int> stores_{0};
  std::atomic<bool> backwards_{false};
};

}  // namespace dcmveil::testing
