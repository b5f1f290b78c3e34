// SPDX-License-Identifier: Apache-2.0
//
// The public types of dcmveil/rules.h that need no YAML.
#include <string_view>
#include <utility>

#include "dcmveil/rules.h"

namespace dcmveil {
namespace {

std::string_view ToString(Diagnostic::Severity severity) {
  switch (severity) {
    case Diagnostic::Severity::kError:
      return "error";
    case Diagnostic::Severity::kWarning:
      return "warning";
    case Diagnostic::Severity::kNote:
      return "note";
  }
  return "error";
}

std::string Join(const std::vector<Diagnostic>& diagnostics) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics) {
    if (!text.empty()) text += '\n';
    text += ToString(diagnostic);
  }
  return text;
}

}  // namespace

std::string ToString(const Diagnostic& diagnostic) {
  std::string text = diagnostic.file;
  if (diagnostic.line > 0) {
    text += ":" + std::to_string(diagnostic.line);
    if (diagnostic.column > 0) text += ":" + std::to_string(diagnostic.column);
  }
  if (!text.empty()) text += ": ";
  text += ToString(diagnostic.severity);
  text += ": " + diagnostic.message;
  if (!diagnostic.hint.empty()) text += "; " + diagnostic.hint;
  return text;
}

RuleError::RuleError(std::vector<Diagnostic> diagnostics)
    : std::runtime_error(Join(diagnostics)), diagnostics_(std::move(diagnostics)) {}

RuleSet::RuleSet(std::shared_ptr<const engine::Plan> plan, std::string name, std::string hash,
                 std::string key_id, std::vector<Diagnostic> warnings)
    : plan_(std::move(plan)),
      name_(std::move(name)),
      hash_(std::move(hash)),
      key_id_(std::move(key_id)),
      warnings_(std::move(warnings)) {}

}  // namespace dcmveil
