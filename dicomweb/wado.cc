// SPDX-License-Identifier: Apache-2.0
#include "dicomweb/wado.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "dicomweb/multipart.h"

namespace dcmveil::dicomweb {
namespace {

using Kind = Failure::Kind;

/// Turns an answer, in one part or in several, into files.
class InstanceReceiver : public Receiver, public PartHandler {
 public:
  using Take = std::function<bool(std::shared_ptr<Spool>)>;
  /// `begin` is called for each attempt.
  InstanceReceiver(Service& service, std::function<void()> begin, Take take)
      : service_(service), begin_(std::move(begin)), take_(std::move(take)) {}

  [[nodiscard]] std::optional<Failure> Begin(const HttpHead& head) override {
    begin_();
    failure_.reset();
    parser_.reset();
    spool_.reset();
    const std::string content_type = head.Get("content-type");
    const std::string type = MediaType(content_type);
    if (type == "application/dicom") {
      spool_ = service_.NewSpool();
      return std::nullopt;
    }
    const std::optional<std::string> boundary = BoundaryOf(content_type);
    if (type != "multipart/related" || !boundary) {
      return Failure{Kind::kBadAnswer, head.status,
                     service_.host() + ": answers with " +
                         (type == "text/html" ? "a web page" : "something") +
                         " where DICOM instances are expected"};
    }
    parser_.emplace(*boundary, *this);
    return std::nullopt;
  }

  [[nodiscard]] bool Data(std::string_view bytes) override {
    if (parser_) return parser_->Feed(bytes);
    return PartData(bytes);
  }

  [[nodiscard]] std::optional<Failure> End() override {
    if (failure_) return failure_;
    if (parser_) {
      if (parser_->malformed()) {
        return Failure{Kind::kBroken, 0, service_.host() + ": an answer's parts do not fit"};
      }
      if (!parser_->complete()) {
        return Failure{Kind::kBroken, 0, service_.host() + ": an answer ended early"};
      }
    } else if (spool_ && !PartEnds()) {
      return failure_;
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] bool PartBegins() override {
    spool_ = service_.NewSpool();
    return true;
  }
  [[nodiscard]] bool PartData(std::string_view bytes) override {
    if (spool_->Append(bytes)) return true;
    failure_ = Failure{Kind::kNoSpace, 0, "there is no room for a temporary file"};
    return false;
  }
  [[nodiscard]] bool PartEnds() override {
    if (take_(std::move(spool_))) return true;
    failure_ = Failure{Kind::kStopped, 0, "stopped"};
    return false;
  }

  Service& service_;
  std::function<void()> begin_;
  Take take_;
  std::optional<MultipartParser> parser_;
  std::shared_ptr<Spool> spool_;
  std::optional<Failure> failure_;
};

/// Tells instances apart by all their bytes: the UID in a file's meta information may be wrong.
std::string Fingerprint(const Spool& spool) {
  constexpr std::size_t kPiece = 256'000;
  std::string piece(kPiece, '\0');
  std::size_t hash = 0;
  std::uint64_t at = 0;
  while (true) {
    const std::int64_t n = spool.Read(at, piece.data(), piece.size());
    if (n <= 0) break;
    const std::string_view bytes(piece.data(), static_cast<std::size_t>(n));
    hash = std::hash<std::string_view>{}(bytes) + hash * 0x9E3779B97F4A7C15U;
    at += static_cast<std::uint64_t>(n);
  }
  return std::to_string(spool.size()) + " " + std::to_string(hash);
}

Service::Call CallFor(const Service& service, const ResourceId& id) {
  return {
      .method = "GET",
      .url = service.base() + "/" + id.Path(),
      .headers = {{"Accept", "multipart/related; type=\"application/dicom\"; transfer-syntax=*"}},
      .body = nullptr,
      .conflict_is_answer = false,
      .attempts = 0};
}

}  // namespace

std::string ResourceId::Path() const {
  std::string path = "studies/" + study;
  if (!series.empty()) path += "/series/" + series;
  if (!instance.empty()) path += "/instances/" + instance;
  return path;
}

bool IsUid(const std::string& text) {
  constexpr std::size_t kLongest = 64;
  return !text.empty() && text.size() <= kLongest && text != "." && text != ".." &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '.' || c == '-';
         });
}

Reply<std::shared_ptr<Spool>> RetrieveInstance(Service& service, const ResourceId& id) {
  std::vector<std::shared_ptr<Spool>> parts;
  InstanceReceiver receiver(
      service, [&] { parts.clear(); },
      [&](std::shared_ptr<Spool> spool) {
        parts.push_back(std::move(spool));
        return parts.size() == 1;
      });
  const Reply<HttpHead> head = service.Send(CallFor(service, id), receiver);
  if (parts.size() > 1 || (head && parts.empty())) {
    return Failure{Kind::kBadAnswer, 0,
                   service.host() + ": answers with none or several where one is asked for"};
  }
  if (!head) return head.failure();
  return std::move(parts.front());
}

Reply<std::size_t> RetrieveAll(Service& service, const ResourceId& id,
                               const std::function<bool(std::shared_ptr<Spool>)>& take) {
  std::unordered_set<std::string> taken;
  const auto give = [&](std::shared_ptr<Spool> spool) {
    if (!taken.insert(Fingerprint(*spool)).second) return true;
    return take(std::move(spool));
  };
  const auto begin = [] {};
  InstanceReceiver receiver(service, begin, give);
  const Reply<HttpHead> head = service.Send(CallFor(service, id), receiver);
  if (!head) return head.failure();
  return taken.size();
}

}  // namespace dcmveil::dicomweb
