// SPDX-License-Identifier: Apache-2.0
//
// What a run did, for people (report.html) and for programs (report.json).
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "dcmveil/error.h"
#include "dcmveil/survey.h"

namespace dcmveil::report {

struct Content {
  Survey survey;
  /// What `dcmveil verify` wrote, as JSON; nothing if it did not look yet.
  std::optional<std::string> verify;
};

/// report.json's text. It holds no value from data sets, no name of a file, and no private creator.
[[nodiscard]] std::string ToJson(const Content& content);

/// report.html's text: one page without external resources. It holds values from data sets.
[[nodiscard]] std::string ToHtml(const Content& content);

/// Writes both into the folder, which must exist; the page with mode 0600. Each appears whole or
/// not at all. Fails with kWriteFailed.
[[nodiscard]] Status Write(const Content& content, const std::filesystem::path& folder);

}  // namespace dcmveil::report
