// SPDX-License-Identifier: Apache-2.0
//
// One text in different letters and bytes.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace dcmveil::engine::guard {

/// A byte as it is compared: letters in lower case; 0 for NUL and what separates words.
[[nodiscard]] const std::array<unsigned char, 256>& Folding();

[[nodiscard]] bool IsAscii(std::string_view text);

/// As it stands, in lower case and in capitals; ASCII letters always in lower case, and marks on
/// their letters.
[[nodiscard]] std::vector<std::u32string> CasesOf(std::string_view utf8);
/// Those that have marks, with each mark in a character of its own.
[[nodiscard]] std::vector<std::u32string> WithMarksApart(const std::vector<std::u32string>& cases);
/// In every encoding in which text may stand in a file, but for the instance's own character set.
[[nodiscard]] std::vector<std::string> EncodingsOf(const std::u32string& text);
[[nodiscard]] std::string Utf8Of(const std::u32string& text);
/// Without marks, and with umlauts in two letters.
[[nodiscard]] std::vector<std::string> PlainSpellingsOf(std::string_view utf8);

}  // namespace dcmveil::engine::guard
