// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "dcmveil/connection.h"

namespace dcmveil::dicomweb {

/// How long a `Retry-After` header asks to wait (RFC 9110 section 10.2.3): seconds or a date.
/// Nothing if it is neither.
[[nodiscard]] std::optional<std::chrono::milliseconds> ParseRetryAfter(
    const std::string& text, std::chrono::system_clock::time_point now);

/// Whether a status may be another one later.
[[nodiscard]] inline bool IsTransient(long status) {
  const bool never = status == 501 || status == 505;  // not implemented, not that version of HTTP
  return status == 408 || status == 424 || status == 429 || (status >= 500 && !never);
}

/// The waits of one request: doubling, with jitter, never longer than half a minute unless the
/// service asks for it, and none once the attempts or the time are used up.
class Backoff {
 public:
  using Clock = std::chrono::steady_clock;
  Backoff(const Connection& connection, Clock::time_point now, std::uint64_t seed);
  /// After an attempt that failed: how long to wait before the next, or nothing: give up.
  [[nodiscard]] std::optional<std::chrono::milliseconds> Next(
      Clock::time_point now, std::optional<std::chrono::milliseconds> asked);

 private:
  int left_;
  std::chrono::milliseconds step_;
  Clock::time_point end_;
  std::uint64_t random_;
};

}  // namespace dcmveil::dicomweb
