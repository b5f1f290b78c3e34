// SPDX-License-Identifier: Apache-2.0
#include "rules/diagnostics.h"

#include <algorithm>
#include <cstddef>
#include <tuple>
#include <utility>

namespace dcmveil::rules {
std::string Origin(const Place& place) {
  std::string text = std::filesystem::path(place.file->name).filename().string();
  if (text.empty()) text = place.file->name;
  if (place.line > 0) text += ":" + std::to_string(place.line);
  return text;
}

void Diagnostics::Error(const Place& place, std::string message, std::string hint) {
  Add(Diagnostic::Severity::kError, place, std::move(message), std::move(hint));
}

void Diagnostics::Warning(const Place& place, std::string message, std::string hint) {
  Add(Diagnostic::Severity::kWarning, place, std::move(message), std::move(hint));
}

void Diagnostics::Note(const Place& place, std::string message, std::string hint) {
  Add(Diagnostic::Severity::kNote, place, std::move(message), std::move(hint));
}

void Diagnostics::Add(Diagnostic::Severity severity, const Place& place, std::string message,
                      std::string hint) {
  Diagnostic diagnostic;
  diagnostic.severity = severity;
  diagnostic.file = place.file == nullptr ? std::string() : place.file->name;
  diagnostic.line = place.line;
  diagnostic.column = place.column;
  diagnostic.message = std::move(message);
  diagnostic.hint = std::move(hint);
  Add(std::move(diagnostic));
}

void Diagnostics::Add(Diagnostic diagnostic) {
  if (!known_.insert(ToString(diagnostic)).second) return;
  if (diagnostic.severity == Diagnostic::Severity::kError) ++errors_;
  list_.push_back(std::move(diagnostic));
}

std::vector<Diagnostic> Diagnostics::Sorted(const std::deque<SourceFile>& files) const {
  const auto rank = [&files](const Diagnostic& diagnostic) {
    const auto it = std::find_if(files.begin(), files.end(), [&diagnostic](const SourceFile& file) {
      return file.name == diagnostic.file;
    });
    return it - files.begin();
  };
  std::vector<Diagnostic> sorted = list_;
  std::stable_sort(sorted.begin(), sorted.end(), [&rank](const Diagnostic& a, const Diagnostic& b) {
    return std::tuple(rank(a), a.line, a.column) < std::tuple(rank(b), b.line, b.column);
  });
  return sorted;
}

void Diagnostics::ThrowIfErrors(const std::deque<SourceFile>& files) const {
  if (!has_errors()) return;
  std::vector<Diagnostic> errors = Sorted(files);
  std::erase_if(errors, [](const Diagnostic& diagnostic) {
    return diagnostic.severity != Diagnostic::Severity::kError;
  });
  throw RuleError(std::move(errors));
}

std::string DidYouMean(std::string_view suggestion) {
  if (suggestion.empty()) return {};
  return "did you mean " + std::string(suggestion) + "?";
}

}  // namespace dcmveil::rules
