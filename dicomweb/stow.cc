// SPDX-License-Identifier: Apache-2.0
#include "dicomweb/stow.h"

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "dicomweb/dicom_json.h"
#include "dicomweb/multipart.h"
#include "dicomweb/part10.h"
#include "dicomweb/retry.h"

namespace dcmveil::dicomweb {
namespace {

using Kind = Failure::Kind;
using What = StowResult::What;

// Failure Reason (0008,1197): of PS3.18 table I.2-2, and of Azure's service.
constexpr long kProcessingFailure = 272;
constexpr long kAlreadyExists = 45070;
constexpr long kBeingCreated = 45071;

/// The parts of a request, read from where they are while they are sent.
class StowBody : public RequestBody {
 public:
  StowBody(const std::vector<StowItem>& items, const std::vector<std::size_t>& which,
           const std::string& boundary) {
    std::string before = "--" + boundary;
    for (const std::size_t i : which) {
      const std::shared_ptr<Spool>& file = items[i].file;
      Add(before + "\r\nContent-Type: application/dicom\r\nContent-Length: " +
          std::to_string(file->size()) + "\r\n\r\n");
      pieces_.push_back({size_, file->size(), {}, file});
      size_ += file->size();
      before = "\r\n--" + boundary;
    }
    Add(before + "--\r\n");
  }
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] std::int64_t Read(std::uint64_t offset, char* to, std::size_t size) const override {
    const auto after =
        std::upper_bound(pieces_.begin(), pieces_.end(), offset,
                         [](std::uint64_t at, const Piece& piece) { return at < piece.begin; });
    if (after == pieces_.begin()) return 0;
    const Piece& piece = *std::prev(after);
    const std::uint64_t in = offset - piece.begin;
    if (in >= piece.size) return 0;
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(size, piece.size - in));
    if (!piece.file) {
      return static_cast<std::int64_t>(piece.text.copy(to, n, static_cast<std::size_t>(in)));
    }
    const std::int64_t got = piece.file->Read(in, to, n);
    return got == 0 ? -1 : got;
  }

 private:
  struct Piece {
    std::uint64_t begin;
    std::uint64_t size;
    std::string text;
    std::shared_ptr<Spool> file;
  };
  void Add(std::string text) {
    const std::uint64_t size = text.size();
    pieces_.push_back({size_, size, std::move(text), nullptr});
    size_ += size;
  }

  std::vector<Piece> pieces_;
  std::uint64_t size_ = 0;
};

/// What an answer says of one instance.
struct Said {
  enum class Word : std::uint8_t { kNothing, kStored, kFailed };
  Word word = Word::kNothing;
  long reason = 0;
};

std::map<std::string, Said> ReadAnswer(const std::string& text) {
  std::map<std::string, Said> said;
  nlohmann::json answer = nlohmann::json::parse(text, nullptr, false);
  if (answer.is_array() && !answer.empty()) answer = answer.front();
  constexpr const char* kUid = "00081155";
  for (const nlohmann::json& item : ItemsOf(answer, "00081199")) {
    said[TextOf(item, kUid)] = {Said::Word::kStored, std::max(0L, NumberOf(item, "00081196"))};
  }
  // Of an instance that is in both lists the worse is believed.
  for (const nlohmann::json& item : ItemsOf(answer, "00081198")) {
    said[TextOf(item, kUid)] = {Said::Word::kFailed, std::max(0L, NumberOf(item, "00081197"))};
  }
  return said;
}

class Storing {
 public:
  Storing(Service& service, const std::vector<StowItem>& items)
      : service_(service), items_(items), results_(items.size()) {}

  std::vector<StowResult> Go() {
    std::vector<std::size_t> pending(items_.size());
    std::iota(pending.begin(), pending.end(), std::size_t{0});
    Backoff backoff(service_.connection(), Backoff::Clock::now(),
                    std::hash<std::string>{}(items_.front().id.instance));
    while (true) {
      pending = Round(pending);
      if (pending.empty()) return std::move(results_);
      const std::optional<std::chrono::milliseconds> wait =
          backoff.Next(Backoff::Clock::now(), std::nullopt);
      if (!wait || service_.stopped() || service_.verdict()) return std::move(results_);
      service_.Pause(*wait);
    }
  }

 private:
  /// Sends and judges; what must be sent again comes back, with its result so far.
  std::vector<std::size_t> Round(const std::vector<std::size_t>& pending) {
    const std::string boundary = NewBoundary();
    Service::Call call{
        .method = service_.connection().upsert ? "PUT" : "POST",
        .url = service_.base() + "/studies",
        .headers = {{"Accept", "application/dicom+json"},
                    {"Content-Type", R"(multipart/related; type="application/dicom"; boundary=")" +
                                         boundary + '"'}},
        .body = std::make_shared<StowBody>(items_, pending, boundary),
        .conflict_is_answer = true};
    const Headers& more = service_.connection().store_headers;
    call.headers.insert(call.headers.end(), more.begin(), more.end());
    TextReceiver receiver(service_.host());
    const Reply<HttpHead> head = service_.Send(call, receiver);
    if (!head) return AfterFailure(head.failure(), pending);
    std::map<std::string, Said> said = ReadAnswer(receiver.text());
    std::vector<std::size_t> again;
    for (const std::size_t i : pending) {
      if (Judge(i, said[items_[i].id.instance], *head)) again.push_back(i);
    }
    return again;
  }

  std::vector<std::size_t> AfterFailure(const Failure& failure,
                                        const std::vector<std::size_t>& pending) {
    const bool is_about_content = failure.kind == Kind::kRefused || failure.kind == Kind::kNotFound;
    if (is_about_content && pending.size() > 1) {
      // Which of them is to blame is found out by sending each alone.
      std::vector<std::size_t> again;
      for (const std::size_t i : pending) {
        for (const std::size_t left : Round({i})) again.push_back(left);
      }
      return again;
    }
    for (const std::size_t i : pending) {
      results_[i] = {.what = is_about_content ? What::kRefused : What::kFailed,
                     .warned = false,
                     .reason = failure.status};
    }
    return {};
  }

  /// True: send it again.
  bool Judge(std::size_t i, const Said& said, const HttpHead& head) {
    StowResult& result = results_[i];
    const bool doubtful = head.attempts > 1 || result.reason != 0;
    if (said.word == Said::Word::kStored) {
      result = {.what = What::kStored, .warned = said.reason != 0, .reason = 0};
      return false;
    }
    const bool exists = said.word == Said::Word::kFailed && said.reason == kAlreadyExists;
    if (exists || said.word == Said::Word::kNothing) {
      const Reply<Comparison> comparison = CompareWithStored(service_, items_[i]);
      result = {
          .what = What::kFailed, .warned = false, .reason = exists ? said.reason : head.status};
      if (!comparison) return false;
      if (*comparison == Comparison::kAbsent) return true;
      if (*comparison == Comparison::kDifferent) {
        result.what = What::kConflict;
      } else {
        result.what = exists && !doubtful ? What::kExists : What::kStored;
        result.reason = 0;
      }
      return false;
    }
    const bool once = said.reason == kProcessingFailure && result.reason != kProcessingFailure;
    if (once || said.reason == kBeingCreated) {
      result = {.what = What::kFailed, .warned = false, .reason = said.reason};
      return true;
    }
    result = {.what = What::kRefused, .warned = false, .reason = said.reason};
    return false;
  }

  Service& service_;
  const std::vector<StowItem>& items_;
  std::vector<StowResult> results_;
};

}  // namespace

std::vector<StowResult> Store(Service& service, const std::vector<StowItem>& items) {
  if (items.empty()) return {};
  return Storing(service, items).Go();
}

Reply<Comparison> CompareWithStored(Service& service, const StowItem& item) {
  const Reply<std::shared_ptr<Spool>> stored = RetrieveInstance(service, item.id);
  if (!stored) {
    if (stored.failure().kind == Kind::kNotFound) return Comparison::kAbsent;
    return stored.failure();
  }
  return SameInstance(**stored, *item.file) ? Comparison::kSame : Comparison::kDifferent;
}

}  // namespace dcmveil::dicomweb
