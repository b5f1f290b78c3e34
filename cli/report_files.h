// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace dcmveil::cli {

/// Whether a report, which holds values, may be written to the folder: not inside one of these
/// places. False, and a message on standard error, if not.
[[nodiscard]] bool MayHoldReport(const std::filesystem::path& folder,
                                 const std::vector<std::filesystem::path>& places);

/// Makes the folder for a report, mode 0700, unless it is there; `made` says if it was not. False
/// if that is not possible.
[[nodiscard]] bool MakeReportFolder(const std::filesystem::path& folder, bool& made);

/// Writes report.json and report.html from what runs left in these state folders (parts of one
/// run). False, and a message on standard error, if that is not possible.
[[nodiscard]] bool WriteReport(const std::vector<std::filesystem::path>& states,
                               const std::filesystem::path& folder);

}  // namespace dcmveil::cli
