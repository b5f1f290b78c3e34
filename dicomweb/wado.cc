// SPDX-License-Identifier: Apache-2.0
#include "dicomweb/wado.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "dicomweb/multipart.h"

namespace dcmveil::dicomweb {
namespace {

using Kind = Failure::Kind;

/// Turns an answer, in one part or in several, into files.
class InstanceReceiver : public Receiver, public PartHandler {
 public:
  using Take = std::function<bool(std::shared_ptr<Spool>)>;
  /// `begin` is called for each attempt; `once`: none follows on one of which something was taken.
  InstanceReceiver(Service& service, std::function<void()> begin, Take take, bool once)
      : service_(service), begin_(std::move(begin)), take_(std::move(take)), once_(once) {}

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

  [[nodiscard]] bool MayRepeat() const override { return !once_ || !any_taken_; }

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
    any_taken_ = true;
    if (take_(std::move(spool_))) return true;
    failure_ = Failure{Kind::kStopped, 0, "stopped"};
    return false;
  }

  Service& service_;
  std::function<void()> begin_;
  Take take_;
  const bool once_;
  bool any_taken_ = false;
  std::optional<MultipartParser> parser_;
  std::shared_ptr<Spool> spool_;
  std::optional<Failure> failure_;
};

Service::Call CallFor(const Service& service, const ResourceId& id) {
  return {
      .method = "GET",
      .url = service.base() + "/" + id.Path(),
      .headers = {{"Accept", "multipart/related; type=\"application/dicom\"; transfer-syntax=*"}},
      .body = nullptr};
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
      },
      false);
  const Reply<HttpHead> head = service.Send(CallFor(service, id), receiver);
  if (parts.size() > 1 || (head && parts.empty())) {
    return Failure{Kind::kBadAnswer, 0,
                   service.host() + ": answers with none or several where one is asked for"};
  }
  if (!head) return head.failure();
  return std::move(parts.front());
}

std::optional<Failure> RetrieveAll(Service& service, const ResourceId& id,
                                   const std::function<bool(std::shared_ptr<Spool>)>& take) {
  constexpr int kAttempts = 2;
  InstanceReceiver receiver(
      service, [] {}, take, true);
  Service::Call call = CallFor(service, id);
  call.attempts = kAttempts;
  call.optional = true;
  const Reply<HttpHead> head = service.Send(call, receiver);
  if (head) return std::nullopt;
  return head.failure();
}

}  // namespace dcmveil::dicomweb
