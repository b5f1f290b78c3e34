// SPDX-License-Identifier: Apache-2.0
//
// Which of two places lies inside the other, whether they exist yet or not.
#pragma once

#include <filesystem>
#include <optional>

namespace dcmveil::pipeline {

/// The path from the root on, without links and dots as far as it exists. Nothing if it is empty or
/// cannot be followed.
[[nodiscard]] std::optional<std::filesystem::path> WholePath(const std::filesystem::path& path);

/// Whether `inner` is `outer` or lies below it; false if either has no whole path.
[[nodiscard]] bool IsWithin(const std::filesystem::path& inner, const std::filesystem::path& outer);

}  // namespace dcmveil::pipeline
