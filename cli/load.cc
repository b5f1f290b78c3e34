// SPDX-License-Identifier: Apache-2.0
#include "cli/load.h"

#include <cstdio>

#include "cli/terminal.h"

namespace dcmveil::cli {

std::optional<RuleSet> Load(const std::string& file, const LoadOptions& options, bool warn) {
  try {
    RuleSet rules = LoadRules(file, options);
    if (warn) Print(rules.warnings());
    return rules;
  } catch (const RuleError& error) {
    Print(error.diagnostics());
    std::size_t errors = 0;
    for (const Diagnostic& diagnostic : error.diagnostics()) {
      if (diagnostic.severity == Diagnostic::Severity::kError) ++errors;
    }
    std::fprintf(stderr, "dcmveil: %zu error%s in the rules; nothing was touched\n", errors,
                 errors == 1 ? "" : "s");
    return std::nullopt;
  }
}

}  // namespace dcmveil::cli
