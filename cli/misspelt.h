// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

namespace dcmveil::cli {

/// After a parse that failed: the first verb or option given that there is not, with what was
/// probably meant, as a message without the program's name. Nothing if all of them are known.
[[nodiscard]] std::optional<std::string> FindMisspelt(const CLI::App& command);

}  // namespace dcmveil::cli
