// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace dcmveil::dicomweb {

/// Why a service did not do what it was asked for. Texts hold hosts and status codes, and never a
/// secret, a UID or anything else that a service answered.
struct Failure {
  enum class Kind : std::uint8_t {
    kUsage,         ///< the URL or a setting is wrong
    kUnreachable,   ///< no connection
    kCertificate,   ///< the server's or the client's certificate does not do
    kBroken,        ///< a connection broke or a body ended early
    kTimeout,       ///< nothing arrived for too long
    kBusy,          ///< 408, 429, 5xx
    kUnauthorized,  ///< 401, 403, or no token can be had
    kNotFound,      ///< 404, 410
    kRefused,       ///< any other status
    kBadAnswer,     ///< an answer that is not DICOMweb
    kNoSpace,       ///< no room for a temporary file
    kStopped,       ///< by the caller
  };
  Kind kind = Kind::kBroken;
  long status = 0;  ///< HTTP, if there was an answer
  std::string message = {};
};

/// A value or the failure that prevented it.
template <typename T>
class [[nodiscard]] Reply {
 public:
  // NOLINTBEGIN(google-explicit-constructor): `return value;` and `return failure;` shall both do.
  Reply(T value) : value_(std::move(value)) {}
  Reply(Failure failure) : failure_(std::move(failure)) {}
  // NOLINTEND(google-explicit-constructor)

  explicit operator bool() const { return value_.has_value(); }
  /// REQUIRES: there is a value.
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }
  /// REQUIRES: there is none.
  [[nodiscard]] const Failure& failure() const { return failure_; }

 private:
  std::optional<T> value_;
  Failure failure_;
};

}  // namespace dcmveil::dicomweb
