// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "engine/clean/patterns.h"

namespace dcmveil::engine::clean {

/// The text without the words that are cut, and without the separators, brackets and blanks that
/// then separate nothing. REQUIRES: one flag a word.
[[nodiscard]] std::string JoinKept(const Text& text, const std::vector<bool>& cut);

}  // namespace dcmveil::engine::clean
