// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

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

}  // namespace dcmveil::pipeline
