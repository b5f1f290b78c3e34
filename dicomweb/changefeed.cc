// SPDX-License-Identifier: Apache-2.0
#include "dicomweb/changefeed.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <deque>
#include <nlohmann/json.hpp>
#include <unordered_set>

namespace dcmveil::dicomweb {
namespace {

using SystemClock = std::chrono::system_clock;

/// Seconds since 1970 of "2024-05-01", "2024-05-01T10:20:30Z", "…30.123+02:00"; no zone is UTC.
std::optional<std::time_t> ParseTime(const std::string& text) {
  std::tm time = {};
  const char* rest = ::strptime(text.c_str(), "%Y-%m-%d", &time);
  if (rest == nullptr) return std::nullopt;
  if (*rest == 'T' || *rest == ' ') {
    rest = ::strptime(rest + 1, "%H:%M:%S", &time);
    if (rest == nullptr) return std::nullopt;
    if (*rest == '.') {
      ++rest;
      while (*rest >= '0' && *rest <= '9') ++rest;
    }
  }
  std::time_t seconds = ::timegm(&time);
  if (*rest == '+' || *rest == '-') {
    int hours = 0;
    int minutes = 0;
    if (std::sscanf(rest + 1, "%2d:%2d", &hours, &minutes) != 2) return std::nullopt;  // NOLINT
    const std::time_t zone = std::time_t{3600} * hours + std::time_t{60} * minutes;
    seconds -= *rest == '+' ? zone : -zone;
  } else if (*rest != '\0' && std::string_view(rest) != "Z") {
    return std::nullopt;
  }
  return seconds;
}

std::string FormatTime(SystemClock::time_point when) {
  const std::time_t seconds = SystemClock::to_time_t(when);
  std::tm time = {};
  ::gmtime_r(&seconds, &time);
  std::string text(32, '\0');
  text.resize(std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &time));
  return text;
}

std::string Text(const nlohmann::json& entry, const char* key) {
  const auto it = entry.find(key);
  return it != entry.end() && it->is_string() ? it->get<std::string>() : std::string();
}

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// An entry with lower-case keys: versions spell them differently.
nlohmann::json LowerKeys(const nlohmann::json& entry) {
  nlohmann::json lower = nlohmann::json::object();
  for (const auto& [key, value] : entry.items()) {
    if (!value.is_structured()) lower[Lower(key)] = value;
  }
  return lower;
}

class FeedReader {
 public:
  FeedReader(Service& service, const FeedPosition& from, std::chrono::seconds lag,
             const std::function<bool(const FeedEntry&)>& found)
      : service_(service), from_(from), found_(found), until_(SystemClock::now() - lag) {}

  Reply<bool> BySequence() {
    const Reply<std::int64_t> latest = Latest();
    if (!latest) return latest.failure();
    const int limit = std::clamp(service_.connection().page, 1, 100);
    std::int64_t offset = from_.sequence;
    while (offset < *latest) {
      const Reply<nlohmann::json> page =
          Page("offset=" + std::to_string(offset) + "&limit=" + std::to_string(limit));
      if (!page) return page.failure();
      std::int64_t next = page->empty() ? offset + limit : offset;
      for (const nlohmann::json& row : *page) {
        const Step step = Take(LowerKeys(row));
        if (step == Step::kTooNew) return true;
        if (step == Step::kStop) return false;
        if (step == Step::kBad) return bad_;
        next = std::max(next, last_);
      }
      if (next <= offset) return bad_;
      offset = next;
    }
    return true;
  }

  Reply<bool> ByTime() {
    const int limit = std::clamp(service_.connection().page, 1, 200);
    std::string window = "&endTime=" + PercentEncode(FormatTime(until_));
    if (!from_.time.empty()) window += "&startTime=" + PercentEncode(from_.time);
    std::size_t offset = 0;
    while (true) {
      const Reply<nlohmann::json> page =
          Page("offset=" + std::to_string(offset) + "&limit=" + std::to_string(limit) + window);
      if (!page) return page.failure();
      if (page->empty()) return true;
      bool any = false;
      for (const nlohmann::json& row : *page) {
        const std::uint64_t before = new_;
        const Step step = Take(LowerKeys(row));
        if (step == Step::kStop) return false;
        if (step == Step::kBad) return bad_;
        any = any || new_ > before;
      }
      // A service that knows no offset gives the same page for ever.
      if (!any) return true;
      offset += page->size();
    }
  }

 private:
  enum class Step { kOn, kTooNew, kStop, kBad };

  Reply<nlohmann::json> Get(const std::string& path) {
    const Reply<std::string> text = service_.GetJson(service_.root() + path);
    if (!text) return text.failure();
    if (text->empty()) return nlohmann::json();
    nlohmann::json answer = nlohmann::json::parse(*text, nullptr, false);
    if (answer.is_discarded()) return bad_;
    return answer;
  }

  Reply<nlohmann::json> Page(const std::string& query) {
    Reply<nlohmann::json> page = Get("/changefeed?" + query + "&includeMetadata=false");
    if (!page) return page;
    if (page->is_null()) return nlohmann::json::array();
    if (!page->is_array()) return bad_;
    return page;
  }

  Reply<std::int64_t> Latest() {
    const Reply<nlohmann::json> answer = Get("/changefeed/latest?includeMetadata=false");
    if (!answer) return answer.failure();
    if (answer->is_null()) return std::int64_t{0};
    if (!answer->is_object()) return bad_;
    return SequenceOf(LowerKeys(*answer));
  }

  static std::int64_t SequenceOf(const nlohmann::json& entry) {
    const auto it = entry.find("sequence");
    return it != entry.end() && it->is_number_integer() ? it->get<std::int64_t>() : 0;
  }

  /// Pages repeat what is near, if at all, so the feed of a whole archive need not be remembered.
  bool IsNew(std::int64_t sequence) {
    constexpr std::size_t kMostRemembered = 10'000;
    if (!seen_.insert(sequence).second) return false;
    ++new_;
    order_.push_back(sequence);
    if (order_.size() > kMostRemembered) {
      seen_.erase(order_.front());
      order_.pop_front();
    }
    return true;
  }

  Step Take(const nlohmann::json& entry) {
    FeedEntry found;
    found.position.sequence = SequenceOf(entry);
    found.position.time = Text(entry, "timestamp");
    found.id = {.study = Text(entry, "studyinstanceuid"),
                .series = Text(entry, "seriesinstanceuid"),
                .instance = Text(entry, "sopinstanceuid")};
    const std::optional<std::time_t> time = ParseTime(found.position.time);
    if (found.position.sequence <= 0 || !time) return Step::kBad;
    // Compared as seconds: a far year is beyond what the clock can say.
    if (*time > SystemClock::to_time_t(until_)) return Step::kTooNew;
    last_ = std::max(last_, found.position.sequence);
    if (!IsNew(found.position.sequence)) return Step::kOn;
    if (found.position.sequence <= from_.sequence && from_.time.empty()) return Step::kOn;
    if (const std::optional<std::time_t> since = ParseTime(from_.time); since && *time < *since) {
      return Step::kOn;
    }
    const std::string& wanted = service_.connection().partition;
    const std::string partition = Text(entry, "partitionname");
    if (!wanted.empty() && !partition.empty() && partition != wanted) return Step::kOn;
    if (Lower(Text(entry, "action")) == "delete") return Step::kOn;
    // Replaced: a later entry has what is there now. Deleted: nothing is there.
    if (Lower(Text(entry, "state")) != "current") return Step::kOn;
    if (!IsUid(found.id.study) || !IsUid(found.id.series) || !IsUid(found.id.instance)) {
      return Step::kBad;
    }
    return found_(found) ? Step::kOn : Step::kStop;
  }

  Service& service_;
  const FeedPosition from_;
  const std::function<bool(const FeedEntry&)>& found_;
  const SystemClock::time_point until_;
  std::unordered_set<std::int64_t> seen_;
  std::deque<std::int64_t> order_;  ///< of what is in `seen_`
  std::uint64_t new_ = 0;
  std::int64_t last_ = 0;
  const Failure bad_{Failure::Kind::kBadAnswer, 0,
                     service_.host() + ": answers with something that is no change feed"};
};

}  // namespace

std::optional<FeedPosition> ParsePosition(const std::string& text) {
  FeedPosition position;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), position.sequence);
  if (error == std::errc() && end == text.data() + text.size() && position.sequence >= 0) {
    return position;
  }
  const std::optional<std::time_t> time = ParseTime(text);
  if (!time) return std::nullopt;
  return FeedPosition{.sequence = 0, .time = FormatTime(SystemClock::from_time_t(*time))};
}

Reply<bool> ReadChangeFeed(Service& service, const FeedPosition& from, std::chrono::seconds lag,
                           const std::function<bool(const FeedEntry&)>& found) {
  FeedReader reader(service, from, lag, found);
  return service.connection().api_version.starts_with("v1") ? reader.BySequence() : reader.ByTime();
}

}  // namespace dcmveil::dicomweb
