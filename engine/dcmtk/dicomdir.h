// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "dcmveil/error.h"

namespace dcmveil::engine {

/// Writes `root`/DICOMDIR, the directory of a file-set (PS3.10 section 8), over the files of these
/// names relative to `root`, and puts it in the place of one that an earlier run left. The names
/// must be File IDs: at most 8 parts of at most 8 capitals, digits and underscores. Returns how
/// many of the files have no record, because PS3.3 annex F knows none for their SOP class. What is
/// required in a record and missing in the instance is made up, not taken from elsewhere. Fails
/// with kWriteFailed.
[[nodiscard]] Result<std::size_t> WriteDicomdir(const std::filesystem::path& root,
                                                const std::vector<std::string>& names);

}  // namespace dcmveil::engine
