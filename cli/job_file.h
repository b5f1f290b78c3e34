// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace dcmveil::cli {

/// The arguments with `--job FILE` followed by the options that the file holds, in CLI11's form of
/// TOML: "output = export" stands for "--output=export", a list for the option repeated. Nothing,
/// and a message on standard error, if a file cannot be read.
[[nodiscard]] std::optional<std::vector<std::string>> ExpandJobFiles(
    const std::vector<std::string>& arguments);

}  // namespace dcmveil::cli
