// SPDX-License-Identifier: Apache-2.0
#include "dicomweb/http.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

namespace dcmveil::dicomweb {
namespace {

constexpr std::size_t kMostWaiting = 512'000;  // bytes a slow receiver may be behind
constexpr long kSlowest = 1000;                // bytes a second
constexpr std::uint64_t kPutAway = 1'000'000;  // bytes that a service puts away in a second

std::string_view Trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) {
    text.remove_prefix(1);
  }
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) {
    text.remove_suffix(1);
  }
  return text;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

/// One request on its way. `easy` belongs to the loop's thread once it has been added.
struct Transfer {
  CURL* easy = nullptr;
  curl_slist* headers = nullptr;
  std::shared_ptr<const RequestBody> body;
  std::uint64_t sent = 0;

  std::mutex mutex;
  std::condition_variable changed;
  HttpHead head;
  std::deque<std::string> chunks;
  std::size_t waiting = 0;
  bool paused = false;
  bool cancelled = false;
  bool done = false;
  CURLcode code = CURLE_OK;
  std::array<char, CURL_ERROR_SIZE> error{};  ///< libcurl's words; may quote, so never shown

  Transfer() = default;
  ~Transfer() {
    if (easy != nullptr) curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
};

std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* user) {
  auto* transfer = static_cast<Transfer*>(user);
  const std::size_t bytes = size * count;
  const std::lock_guard lock(transfer->mutex);
  if (transfer->cancelled) return 0;
  if (transfer->waiting > kMostWaiting) {
    transfer->paused = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  transfer->chunks.emplace_back(data, bytes);
  transfer->waiting += bytes;
  transfer->changed.notify_one();
  return bytes;
}

std::size_t OnHeader(char* data, std::size_t size, std::size_t count, void* user) {
  auto* transfer = static_cast<Transfer*>(user);
  const std::string line(data, size * count);
  const std::lock_guard lock(transfer->mutex);
  if (line.starts_with("HTTP/")) {
    // An interim answer may have come before.
    transfer->head = {};
    const std::size_t space = line.find(' ');
    if (space != std::string::npos) {
      transfer->head.status = std::strtol(line.c_str() + space, nullptr, 10);
    }
  } else if (const std::size_t colon = line.find(':'); colon != std::string::npos) {
    transfer->head.headers.emplace_back(
        Lower(Trim(std::string_view(line).substr(0, colon))),
        std::string(Trim(std::string_view(line).substr(colon + 1))));
  }
  return line.size();
}

std::size_t OnSend(char* to, std::size_t size, std::size_t count, void* user) {
  auto* transfer = static_cast<Transfer*>(user);
  const std::int64_t n = transfer->body->Read(transfer->sent, to, size * count);
  if (n < 0) return CURL_READFUNC_ABORT;
  transfer->sent += static_cast<std::uint64_t>(n);
  return static_cast<std::size_t>(n);
}

int OnSeek(void* user, curl_off_t offset, int origin) {
  if (origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_CANTSEEK;
  static_cast<Transfer*>(user)->sent = static_cast<std::uint64_t>(offset);
  return CURL_SEEKFUNC_OK;
}

void InitialiseOnce() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(done);
}

Failure FailureOf(const Transfer& transfer, const std::string& host, bool connected) {
  using Kind = Failure::Kind;
  const long status = transfer.head.status;
  // What a server thinks of a client certificate libcurl says in words only.
  const std::string_view words(transfer.error.data());
  for (const std::string_view alert : {"alert certificate required", "alert bad certificate",
                                       "alert unknown ca", "alert certificate unknown"}) {
    if (words.find(alert) == std::string_view::npos) continue;
    return {Kind::kCertificate, 0, host + ": asks for a client certificate, or for another one"};
  }
  if (words.find("alert handshake failure") != std::string_view::npos) {
    return {Kind::kCertificate, 0,
            host + ": no TLS connection could be made; it may ask for a client certificate"};
  }
  switch (transfer.code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
      return {Kind::kUsage, 0, "the URL is none that can be used: it must be http(s)://host/path"};
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {Kind::kUnreachable, 0, host + ": the host name is not known"};
    case CURLE_COULDNT_CONNECT:
      return {Kind::kUnreachable, 0, host + ": no connection could be made"};
    case CURLE_PEER_FAILED_VERIFICATION:
      return {
          Kind::kCertificate, 0,
          host + ": its certificate does not verify (give `tls: {ca: FILE}` for a private one)"};
    case CURLE_SSL_CACERT_BADFILE:
      return {Kind::kCertificate, 0, host + ": the file of certificate authorities cannot be read"};
    case CURLE_SSL_CERTPROBLEM:
      return {Kind::kCertificate, 0, host + ": the client certificate or its key cannot be used"};
    case CURLE_SSL_CONNECT_ERROR:
      return {Kind::kUnreachable, 0, host + ": no TLS connection could be made"};
    case CURLE_WEIRD_SERVER_REPLY:
      return {Kind::kBadAnswer, 0, host + ": what answers there does not speak HTTP"};
    case CURLE_OPERATION_TIMEDOUT:
      if (!connected) return {Kind::kUnreachable, 0, host + ": no connection in time"};
      return {Kind::kTimeout, status, host + ": nothing, or next to nothing, arrived for too long"};
    case CURLE_ABORTED_BY_CALLBACK:
    case CURLE_WRITE_ERROR:
      return {Kind::kStopped, status, "stopped"};
    default:
      return {Kind::kBroken, status, host + ": the connection broke"};
  }
}

}  // namespace

std::string HttpHead::Get(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

std::int64_t TextBody::Read(std::uint64_t offset, char* to, std::size_t size) const {
  if (offset >= text_.size()) return 0;
  const std::size_t n = std::min(size, text_.size() - static_cast<std::size_t>(offset));
  std::memcpy(to, text_.data() + offset, n);
  return static_cast<std::int64_t>(n);
}

/// The thread that moves bytes. Requests are handed to it, and everything that is done to a handle
/// of libcurl afterwards is done there.
class HttpClient::Loop {
 public:
  explicit Loop(int connections) : multi_(curl_multi_init()) {
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(connections) + 2);
    curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS, static_cast<long>(connections));
    thread_ = std::thread([this] { Run(); });
  }
  ~Loop() {
    Stop();
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    curl_multi_wakeup(multi_);
    thread_.join();
    curl_multi_cleanup(multi_);
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  enum class What : std::uint8_t { kAdd, kResume, kCancel };
  void Post(What what, const std::shared_ptr<Transfer>& transfer) {
    {
      const std::lock_guard lock(mutex_);
      orders_.push_back({what, transfer});
    }
    curl_multi_wakeup(multi_);
  }
  void Stop() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    curl_multi_wakeup(multi_);
  }

 private:
  struct Order {
    What what;
    std::shared_ptr<Transfer> transfer;
  };

  void Run() {
    constexpr int kWaitMs = 1000;
    while (true) {
      std::vector<Order> orders;
      bool stopped = false;
      bool ending = false;
      {
        const std::lock_guard lock(mutex_);
        orders.swap(orders_);
        stopped = stopped_;
        ending = ending_;
      }
      for (const Order& order : orders) Carry(order);
      if (stopped) {
        while (!running_.empty()) {
          Finish(running_.begin()->first, CURLE_ABORTED_BY_CALLBACK);
        }
      }
      if (ending) return;
      int count = 0;
      curl_multi_perform(multi_, &count);
      while (const CURLMsg* message = curl_multi_info_read(multi_, &count)) {
        if (message->msg == CURLMSG_DONE) Finish(message->easy_handle, message->data.result);
      }
      curl_multi_poll(multi_, nullptr, 0, kWaitMs, nullptr);
    }
  }

  void Carry(const Order& order) {
    CURL* easy = order.transfer->easy;
    switch (order.what) {
      case What::kAdd:
        running_[easy] = order.transfer;
        if (curl_multi_add_handle(multi_, easy) != CURLM_OK) Finish(easy, CURLE_FAILED_INIT);
        break;
      case What::kResume:
        if (running_.contains(easy)) curl_easy_pause(easy, CURLPAUSE_CONT);
        break;
      case What::kCancel:
        if (running_.contains(easy)) Finish(easy, CURLE_ABORTED_BY_CALLBACK);
        break;
    }
  }

  void Finish(CURL* easy, CURLcode code) {
    const auto it = running_.find(easy);
    if (it == running_.end()) return;
    const std::shared_ptr<Transfer> transfer = std::move(it->second);
    running_.erase(it);
    curl_multi_remove_handle(multi_, easy);
    const std::lock_guard lock(transfer->mutex);
    transfer->code = code;
    transfer->done = true;
    transfer->changed.notify_one();
  }

  CURLM* multi_;
  std::mutex mutex_;
  std::vector<Order> orders_;
  bool stopped_ = false;
  bool ending_ = false;
  std::map<CURL*, std::shared_ptr<Transfer>> running_;  ///< of the thread alone
  std::thread thread_;
};

HttpClient::HttpClient(const HttpSettings& settings) : settings_(settings) {
  InitialiseOnce();
  loop_ = std::make_unique<Loop>(settings.connections);
}

HttpClient::~HttpClient() = default;

void HttpClient::Stop() { loop_->Stop(); }

Reply<HttpHead> HttpClient::Perform(const HttpRequest& request, const Receive& receive) {
  const auto transfer = std::make_shared<Transfer>();
  CURL* easy = transfer->easy = curl_easy_init();
  if (easy == nullptr) return Failure{Failure::Kind::kBroken, 0, "libcurl cannot be used"};
  for (const auto& [name, value] : request.headers) {
    transfer->headers =
        curl_slist_append(transfer->headers, std::string(name + ": " + value).c_str());
  }
  // libcurl would wait for an interim answer that many servers do not give.
  transfer->headers = curl_slist_append(transfer->headers, "Expect:");
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "dcmveil/" DCMVEIL_VERSION);
  // One request a connection at a time: a body that is paused or breaks hurts no other.
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error.data());
  curl_easy_setopt(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 128L * 1024);
  curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 256L * 1024);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT,
                   static_cast<long>(settings_.connect_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, kSlowest);
  // A service that was sent much is silent for as long as it takes to put that away.
  const std::uint64_t sent = request.body ? request.body->size() : 0;
  curl_easy_setopt(
      easy, CURLOPT_LOW_SPEED_TIME,
      static_cast<long>(settings_.stall_timeout.count()) + static_cast<long>(sent / kPutAway));
  if (request.direct) curl_easy_setopt(easy, CURLOPT_PROXY, "");
  if (!settings_.ca_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, settings_.ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  }
  if (!settings_.client_cert.empty()) {
    const std::filesystem::path& key =
        settings_.client_key.empty() ? settings_.client_cert : settings_.client_key;
    curl_easy_setopt(easy, CURLOPT_SSLCERT, settings_.client_cert.c_str());
    curl_easy_setopt(easy, CURLOPT_SSLKEY, key.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer.get());
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer.get());
  if (request.body) {
    transfer->body = request.body;
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body->size()));
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, OnSend);
    curl_easy_setopt(easy, CURLOPT_READDATA, transfer.get());
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, OnSeek);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, transfer.get());
  }
  if (request.body || request.method != "GET") {
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }

  loop_->Post(Loop::What::kAdd, transfer);
  HttpHead head;
  bool wanted = true;
  bool has_head = false;
  std::unique_lock lock(transfer->mutex);
  while (true) {
    transfer->changed.wait(lock, [&] { return !transfer->chunks.empty() || transfer->done; });
    if (transfer->chunks.empty()) break;
    std::string chunk = std::move(transfer->chunks.front());
    transfer->chunks.pop_front();
    transfer->waiting -= chunk.size();
    const bool resume = transfer->paused && transfer->waiting < kMostWaiting / 2;
    if (resume) transfer->paused = false;
    if (!has_head) {
      has_head = true;
      head = transfer->head;
    }
    lock.unlock();
    if (resume) loop_->Post(Loop::What::kResume, transfer);
    if (wanted && !receive(head, chunk)) {
      wanted = false;
      {
        const std::lock_guard cancelling(transfer->mutex);
        transfer->cancelled = true;
      }
      loop_->Post(Loop::What::kCancel, transfer);
    }
    lock.lock();
  }
  head = transfer->head;
  if (transfer->code == CURLE_OK && wanted) return head;
  if (!wanted) return Failure{Failure::Kind::kStopped, head.status, "stopped"};
  double connected = 0;
  curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME, &connected);
  return FailureOf(*transfer, HostOf(request.url), connected > 0);
}

std::string HostOf(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
  std::string authority = url.substr(begin, url.find_first_of("/?#", begin) - begin);
  if (const std::size_t at = authority.rfind('@'); at != std::string::npos) {
    authority.erase(0, at + 1);
  }
  return url.substr(0, begin) + authority;
}

std::string PercentEncode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (plain || c == '-' || c == '.' || c == '_' || c == '~') {
      encoded.push_back(c);
    } else {
      encoded += {'%', kHex[byte >> 4U], kHex[byte & 0x0FU]};
    }
  }
  return encoded;
}

}  // namespace dcmveil::dicomweb
