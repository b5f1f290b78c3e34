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
  std::vector<std::string> args;  ///< without the blanks around each, but with quotes and escapes
  std::vector<CtpCode> branches;  ///< of if, select and append: at most as many as they can have
};

struct CtpCode {
  std::vector<CtpPart> parts;
};

/// Why a code cannot be read.
struct CtpCodeProblem {
  std::string what;
  bool stops = false;  ///< CTP puts every instance that has the element into quarantine
};

/// The code in parts as CTP reads them: blanks in a function's name and text between a call and its
/// braces do not count, and behind an @if with one branch everything is passed over.
[[nodiscard]] std::variant<CtpCode, CtpCodeProblem> ParseCtpCode(std::string_view text);

/// Without the quotes at both ends.
[[nodiscard]] std::string_view Unquoted(std::string_view arg);

/// Whether @quarantine or @skip may be called, in a branch or not.
[[nodiscard]] bool Quarantines(const CtpCode& code);

}  // namespace dcmveil::rules
