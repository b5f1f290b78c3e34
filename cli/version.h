// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace dcmveil::cli {

/// "dcmveil 0.1.0".
[[nodiscard]] std::string VersionLine();

/// One JSON object on one line: name, version, compiler, and the libraries (name and version) of
/// the machine that built this. The same for every build with the same of these.
[[nodiscard]] std::string VersionJson();

}  // namespace dcmveil::cli
