// SPDX-License-Identifier: Apache-2.0
#include "tests/support/fake_service.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/support/dicom_bytes.h"

namespace dcmveil::testing {
namespace {

constexpr const char* kRoot = "/dicom";
constexpr const char* kJson = "application/dicom+json";

/// Without version and partition, which this service takes as they come.
std::vector<std::string> Split(const std::string& path) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (end > begin) parts.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  const auto drop = [&parts](std::size_t count) {
    parts.erase(parts.begin() + 1, parts.begin() + 1 + static_cast<std::ptrdiff_t>(count));
  };
  if (parts.size() > 1 && (parts[1] == "v1" || parts[1] == "v2")) drop(1);
  if (parts.size() > 2 && parts[1] == "partitions") drop(2);
  return parts;
}

nlohmann::json Element(const char* vr, const nlohmann::json& value) {
  return {{"vr", vr}, {"Value", nlohmann::json::array({value})}};
}

std::size_t Number(const httplib::Request& request, const char* key, std::size_t otherwise) {
  return request.has_param(key) ? std::stoul(request.get_param_value(key)) : otherwise;
}

}  // namespace

FakeService::FakeService() {
  const auto handler = [this](const httplib::Request& request, httplib::Response& response) {
    Answer(request, response);
  };
  server_.Get(".*", handler);
  server_.Post(".*", handler);
  server_.Put(".*", handler);
  server_.set_keep_alive_max_count(1000);
  server_.set_tcp_nodelay(true);
  port_ = server_.bind_to_any_port("127.0.0.1");
  thread_ = std::thread([this] { server_.listen_after_bind(); });
  while (!server_.is_running()) std::this_thread::yield();
}

FakeService::~FakeService() { Stop(); }

void FakeService::Stop() {
  server_.stop();
  if (thread_.joinable()) thread_.join();
}

void FakeService::SetFault(Fault fault) {
  const std::lock_guard lock(mutex_);
  fault_ = std::move(fault);
}
void FakeService::SetVerdict(Verdict verdict) {
  const std::lock_guard lock(mutex_);
  verdict_ = std::move(verdict);
}
void FakeService::SetFeed(std::vector<std::string> entries) {
  const std::lock_guard lock(mutex_);
  feed_ = std::move(entries);
}
void FakeService::Add(const std::string& id, const std::string& bytes) {
  const std::lock_guard lock(mutex_);
  stored_[id] = bytes;
}
std::map<std::string, std::string> FakeService::Stored() const {
  const std::lock_guard lock(mutex_);
  return stored_;
}

int FakeService::Requests(const std::string& method, const std::string& part) const {
  const std::lock_guard lock(mutex_);
  int count = 0;
  for (const auto& [name, n] : requests_) {
    if (name.starts_with(method + " ") && name.find(part) != std::string::npos) count += n;
  }
  return count;
}

int FakeService::RequestsOf(const std::string& method, const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto it = requests_.find(method + " " + path);
  return it == requests_.end() ? 0 : it->second;
}

std::string FakeService::host() const { return "http://127.0.0.1:" + std::to_string(port_); }

Connection FakeService::At(const std::string& name) const {
  Connection connection;
  connection.name = name;
  connection.url = host() + kRoot;
  connection.connections = 4;
  connection.first_wait = std::chrono::milliseconds(2);
  connection.attempts = 5;
  // A busy machine may take its time; tests of silence have less patience.
  connection.stall_timeout = std::chrono::seconds(60);
  return connection;
}

std::string FakeService::Multipart(const std::vector<std::string>& parts,
                                   const std::string& boundary, bool with_length) {
  std::string body;
  for (const std::string& part : parts) {
    body += "\r\n--" + boundary + "\r\nContent-Type: application/dicom\r\n";
    if (with_length) body += "Content-Length: " + std::to_string(part.size()) + "\r\n";
    body += "\r\n" + part;
  }
  return body + "\r\n--" + boundary + "--\r\n";
}

void FakeService::Answer(const httplib::Request& request, httplib::Response& response) {
  Fault fault;
  int before = 0;
  {
    const std::lock_guard lock(mutex_);
    before = requests_[request.method + " " + request.path]++;
    fault = fault_;
  }
  if (fault && fault(request, response, before)) return;
  if (!request.path.starts_with(kRoot)) {
    response.status = 404;
  } else if (request.path.find("/changefeed") != std::string::npos) {
    Feed(request, response);
  } else if (request.method != "GET") {
    Store(request, response);
  } else if (const auto size = Split(request.path).size(); size == 7 || size == 5 || size == 3) {
    Retrieve(request, response);
  } else {
    Search(request, response);
  }
}

void FakeService::Search(const httplib::Request& request, httplib::Response& response) {
  // dicom studies [S series [E instances]], or dicom studies S instances, or dicom series
  std::vector<std::string> path = Split(request.path);
  const std::string level = path.back();
  const std::string study = path.size() > 3 ? path[2] : "";
  const std::string series = path.size() > 5 ? path[4] : "";
  std::set<std::string> seen;
  nlohmann::json rows = nlohmann::json::array();
  const std::lock_guard lock(mutex_);
  for (const auto& [id, bytes] : stored_) {
    const std::vector<std::string> uids = Split(id);
    if (!study.empty() && uids[0] != study) continue;
    if (!series.empty() && uids[1] != series) continue;
    const auto differs = [&](const char* key, const std::string& uid) {
      return request.has_param(key) && request.get_param_value(key) != uid;
    };
    if (differs("StudyInstanceUID", uids[0]) || differs("SeriesInstanceUID", uids[1])) continue;
    nlohmann::json row;
    row["0020000D"] = Element("UI", uids[0]);
    if (level != "studies") row["0020000E"] = Element("UI", uids[1]);
    if (level == "instances") row["00080018"] = Element("UI", uids[2]);
    if (seen.insert(row.dump()).second) rows.push_back(row);
  }
  const std::size_t offset = std::min(Number(request, "offset", 0), rows.size());
  const std::size_t end = std::min(offset + Number(request, "limit", 100), rows.size());
  const nlohmann::json page(rows.begin() + static_cast<std::ptrdiff_t>(offset),
                            rows.begin() + static_cast<std::ptrdiff_t>(end));
  if (offset == end) {
    response.status = 204;
  } else {
    response.set_content(
        nlohmann::json(std::vector<nlohmann::json>(page.begin(), page.end())).dump(), kJson);
  }
}

void FakeService::Retrieve(const httplib::Request& request, httplib::Response& response) {
  const std::vector<std::string> path = Split(request.path);
  const auto is = [&path](std::size_t i, const std::string& uid) {
    return i >= path.size() || path[i] == uid;
  };
  std::vector<std::string> found;
  const std::lock_guard lock(mutex_);
  for (const auto& [id, bytes] : stored_) {
    const std::vector<std::string> uids = Split(id);
    if (is(2, uids[0]) && is(4, uids[1]) && is(6, uids[2])) found.push_back(bytes);
  }
  if (backwards_) std::reverse(found.begin(), found.end());
  if (found.empty()) {
    response.status = 404;
    return;
  }
  response.set_content(Multipart(found, "b0", true),
                       R"(multipart/related; type="application/dicom"; boundary="b0")");
}

void FakeService::Store(const httplib::Request& request, httplib::Response& response) {
  const std::string type = request.get_header_value("Content-Type");
  const std::size_t begin = type.find("boundary=\"") + 10;
  const std::string delimiter = "--" + type.substr(begin, type.find('"', begin) - begin);
  nlohmann::json stored = nlohmann::json::array();
  nlohmann::json failed = nlohmann::json::array();
  const std::lock_guard lock(mutex_);
  const std::string& body = request.body;
  for (std::size_t at = body.find(delimiter); at != std::string::npos;) {
    const std::size_t next = body.find("\r\n" + delimiter, at + 1);
    if (next == std::string::npos) break;
    const std::size_t content = body.find("\r\n\r\n", at) + 4;
    const std::string bytes = body.substr(content, next - content);
    at = next + 2;
    const Decoded decoded = Decode(bytes);
    const std::string uid = decoded.Value("(0008,0018)");
    const std::string id =
        decoded.Value("(0020,000D)") + "/" + decoded.Value("(0020,000E)") + "/" + uid;
    int reason = verdict_ ? verdict_(uid, sent_[uid]) : 0;
    ++sent_[uid];
    if (reason == 0 && request.method == "POST" && stored_.contains(id)) reason = 45070;
    nlohmann::json item = {{"00081155", Element("UI", uid)}};
    if (reason == 0) {
      stored_[id] = bytes;
      ++stores_;
      stored.push_back(item);
    } else {
      item["00081197"] = Element("US", reason);
      failed.push_back(item);
    }
  }
  nlohmann::json answer = nlohmann::json::object();
  if (!stored.empty()) answer["00081199"] = {{"vr", "SQ"}, {"Value", stored}};
  if (!failed.empty()) answer["00081198"] = {{"vr", "SQ"}, {"Value", failed}};
  response.status = failed.empty() ? 200 : stored.empty() ? 409 : 202;
  response.set_content(answer.dump(), kJson);
}

void FakeService::Feed(const httplib::Request& request, httplib::Response& response) {
  const std::lock_guard lock(mutex_);
  if (request.path.ends_with("/latest")) {
    if (feed_.empty()) {
      response.status = 204;
    } else {
      response.set_content(feed_.back(), "application/json");
    }
    return;
  }
  const bool by_sequence = request.path.find("/v1/") != std::string::npos;
  const std::size_t offset = Number(request, "offset", 0);
  const std::size_t limit = Number(request, "limit", 10);
  nlohmann::json page = nlohmann::json::array();
  std::size_t index = 0;
  for (const std::string& text : feed_) {
    const nlohmann::json entry = nlohmann::json::parse(text);
    const auto sequence = entry["Sequence"].get<std::size_t>();
    const std::string time = entry["Timestamp"];
    if (by_sequence) {
      // A window of sequence numbers, which may be empty.
      if (sequence > offset && sequence <= offset + limit) page.push_back(entry);
    } else if ((!request.has_param("startTime") || time >= request.get_param_value("startTime")) &&
               (!request.has_param("endTime") || time < request.get_param_value("endTime"))) {
      if (index >= offset && index < offset + limit) page.push_back(entry);
      ++index;
    }
  }
  response.set_content(page.dump(), "application/json");
}

}  // namespace dcmveil::testing
