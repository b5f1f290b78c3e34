// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "dcmveil/error.h"

namespace dcmveil::pipeline {

/// The Study Instance UID of a file, by as little reading as it takes: of most files the first 4
/// KB. Nothing if that cannot be told without doubt: a file that is not as PS3.10 and PS3.5 have it
/// up to that element, or is deflated, or has none. Then only a full reading tells. Fails with
/// kReadFailed. Any number of threads.
[[nodiscard]] Result<std::optional<std::string>> LookForStudyUid(const std::filesystem::path& file);

}  // namespace dcmveil::pipeline
