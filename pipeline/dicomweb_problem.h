// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cctype>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "dcmveil/connection.h"
#include "dcmveil/run.h"
#include "dicomweb/failure.h"

namespace dcmveil::pipeline {

/// Why a run cannot begin, of what a service answered when it was tried.
[[nodiscard]] inline std::optional<RunSummary::Problem> ProblemOf(
    const std::optional<dicomweb::Failure>& failure) {
  using Kind = dicomweb::Failure::Kind;
  if (!failure) return std::nullopt;
  const bool usage = failure->kind == Kind::kUsage || failure->kind == Kind::kNotFound ||
                     failure->kind == Kind::kRefused || failure->kind == Kind::kBadAnswer;
  return RunSummary::Problem{.usage = usage, .message = failure->message};
}

/// Whether what is written to `b` would be read from `a`: the same service and partition, of
/// whatever API version.
[[nodiscard]] inline bool IsSameService(const Connection& a, const Connection& b) {
  const auto place = [](const Connection& connection) {
    std::string url = connection.url;
    for (char& c : url) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    while (url.ends_with('/')) url.pop_back();
    for (const std::string_view port : {"https://:443", "http://:80"}) {
      const std::size_t colon = port.rfind(':');
      const std::size_t at = url.find(port.substr(colon), colon);
      const std::size_t end = at + port.size() - colon;
      const bool is_default = url.starts_with(port.substr(0, colon)) && at != std::string::npos &&
                              (end == url.size() || url[end] == '/');
      if (is_default) url.erase(at, end - at);
    }
    const bool is_usual = connection.partition == "Microsoft.Default";
    return std::pair(url, is_usual ? std::string() : connection.partition);
  };
  return place(a) == place(b);
}

}  // namespace dcmveil::pipeline
