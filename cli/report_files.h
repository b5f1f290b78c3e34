// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace dcmveil::cli {

/// Makes the folder for a report, mode 0700, unless it is there; `made` says if it was not. False
/// if that is not possible.
[[nodiscard]] bool MakeReportFolder(const std::filesystem::path& folder, bool& made);

/// Writes report.json and report.html from what runs left in these state folders (parts of one
/// run). False, and a message on standard error, if that is not possible.
[[nodiscard]] bool WriteReport(const std::vector<std::filesystem::path>& states,
                               const std::filesystem::path& folder);

}  // namespace dcmveil::cli
