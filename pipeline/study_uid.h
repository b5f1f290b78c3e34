// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "dcmveil/error.h"
#include "pipeline/files.h"

namespace dcmveil::pipeline {

struct BriefLook {
  FileStamp stamp;
  /// Study Instance UID. Nothing if it cannot be told without doubt: the file is not as PS3.10 and
  /// PS3.5 have it up to that element, or is deflated, or has none. Only a full reading tells then.
  std::optional<std::string> study_uid = {};
};

/// What the beginning of a file tells, of most files the first 4 KB, for one opening. Fails with
/// kReadFailed. Any number of threads.
[[nodiscard]] Result<BriefLook> LookInto(const std::filesystem::path& file);

}  // namespace dcmveil::pipeline
