// SPDX-License-Identifier: Apache-2.0
//
// Regular expressions of Python and what its re.sub puts in the place of what they find.
#pragma once

#include <optional>
#include <string>

namespace dcmveil::rules {

/// A regular expression of RE2 that finds something wherever Python's does and nowhere else; an end
/// of line at the end may be part of it. Nothing if there may be none: for `\b` and references,
/// say.
[[nodiscard]] std::optional<std::string> PatternOfPython(const std::string& pattern);

/// The text that is put there, with \1 to \9 for the groups. Nothing if an escape means something
/// else, as `\0` does.
[[nodiscard]] std::optional<std::string> ReplacementOfPython(const std::string& text);

}  // namespace dcmveil::rules
