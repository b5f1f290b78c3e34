// SPDX-License-Identifier: Apache-2.0
//
// Letters with marks: in one character (Unicode's normalization form C) and with each mark in a
// character of its own (form D). Latin, Greek and Cyrillic ones; others stay as they are.
#pragma once

#include <string>

namespace dcmveil::engine::clean {

[[nodiscard]] std::u32string Compose(const std::u32string& text);
[[nodiscard]] std::u32string Decompose(const std::u32string& text);

}  // namespace dcmveil::engine::clean
