// SPDX-License-Identifier: Apache-2.0
//
// The code of one rule of a DicomAnonymizer script: text with calls in it.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace dcmveil::rules {

/// Without blanks, tabs and line ends at both ends.
[[nodiscard]] std::string Trimmed(std::string_view text);

struct CtpCode;

/// A text, or a call such as @hash(this,10) or @if(Modality,equals,"US"){…}{…}.
struct CtpPart {
  bool is_call = false;
  std::string text;               ///< the text, or the function's name without @
  std::vector<std::string> args;  ///< without the blanks and quotes around each
  std::vector<CtpCode> branches;
};

struct CtpCode {
  std::vector<CtpPart> parts;
};

/// The code in parts, or what is wrong with it. Backslashes in quotes are left as they are, but
/// before a quote, for they are mostly a regular expression's.
[[nodiscard]] std::variant<CtpCode, std::string> ParseCtpCode(std::string_view text);

}  // namespace dcmveil::rules
