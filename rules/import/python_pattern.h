// SPDX-License-Identifier: Apache-2.0
//
// What Python's re.sub is given, as the action `edit` takes it.
#pragma once

#include <optional>
#include <string>

namespace dcmveil::rules {

/// A regular expression of RE2 that finds at least what Python's finds in a text, and nothing where
/// there may be none: `\b` and references, for example.
[[nodiscard]] std::optional<std::string> PatternOfPython(const std::string& pattern);

/// The text that is put there, with \1 to \9 for the groups. Nothing if an escape means something
/// else, as `\0` does.
[[nodiscard]] std::optional<std::string> ReplacementOfPython(const std::string& text);

}  // namespace dcmveil::rules
