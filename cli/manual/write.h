// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/manual/definition.h"

namespace dcmveil::cli {

/// The page of section 1 about `verb` and all that is below it, or about the whole command, which
/// has pages for its verbs: roff with the macros of man(7). It bears the version and no date, so
/// that the same source gives the same page.
[[nodiscard]] std::string ManPage(const VerbText& command, const VerbText& verb);

/// What completes the command's verbs, options, paths and choices in bash 5 and zsh 5.
[[nodiscard]] std::string BashCompletion(const VerbText& command);
[[nodiscard]] std::string ZshCompletion(const VerbText& command);

}  // namespace dcmveil::cli
