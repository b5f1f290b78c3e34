// SPDX-License-Identifier: Apache-2.0
#include "dicomweb/retry.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>

namespace dcmveil::dicomweb {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kLongest{30'000};

}  // namespace

std::optional<milliseconds> ParseRetryAfter(const std::string& text,
                                            std::chrono::system_clock::time_point now) {
  constexpr std::int64_t kMostSeconds = 86'400;
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size()) {
    if (seconds < 0) return std::nullopt;
    return milliseconds(std::min(seconds, kMostSeconds) * 1000);
  }
  const std::time_t date = curl_getdate(text.c_str(), nullptr);
  if (date < 0) return std::nullopt;
  const auto wait =
      std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::from_time_t(date) - now);
  return std::clamp(wait, milliseconds(0), milliseconds(kMostSeconds * 1000));
}

Backoff::Backoff(const Connection& connection, Clock::time_point now, std::uint64_t seed)
    : left_(connection.attempts),
      step_(connection.first_wait),
      end_(now + connection.give_up_after),
      random_(seed | 1U) {}

std::optional<milliseconds> Backoff::Next(Clock::time_point now,
                                          std::optional<milliseconds> asked) {
  if (--left_ <= 0) return std::nullopt;
  // xorshift: many clients that fail together shall not come back together; no more is asked of it.
  random_ ^= random_ << 13U;
  random_ ^= random_ >> 7U;
  random_ ^= random_ << 17U;
  const auto half = std::max<std::int64_t>(step_.count() / 2, 1);
  milliseconds wait(half + static_cast<std::int64_t>(random_ % static_cast<std::uint64_t>(half)));
  step_ = std::min(step_ * 2, std::max(kLongest, step_));
  if (asked) wait = std::max(wait, *asked + wait / 4);
  if (now + wait > end_) return std::nullopt;
  return wait;
}

}  // namespace dcmveil::dicomweb
