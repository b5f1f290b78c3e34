// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "dcmveil/rules.h"

namespace dcmveil::rules {

/// One text that rules are read from.
struct SourceFile {
  std::string name;              ///< as it is called in messages
  std::filesystem::path folder;  ///< what relative paths in it are relative to
  std::string text;              ///< as read; it enters the rule set's hash
};

/// A position in a source file. Lines and columns count from 1; 0 means the whole file.
struct Place {
  const SourceFile* file = nullptr;
  int line = 0;
  int column = 0;
};

/// "rules.yaml:12": the file's own name without folders, for reports and manifests.
[[nodiscard]] std::string Origin(const Place& place);

/// Collects what is to be said about a rule file. Not for several threads. A remark that has been
/// made already, word for word and about the same place, is not made again.
class Diagnostics {
 public:
  void Error(const Place& place, std::string message, std::string hint = {});
  void Warning(const Place& place, std::string message, std::string hint = {});
  void Note(const Place& place, std::string message, std::string hint = {});
  void Add(Diagnostic diagnostic);

  [[nodiscard]] bool has_errors() const { return errors_ > 0; }
  [[nodiscard]] int errors() const { return errors_; }
  /// Throws RuleError with all errors if there are any, in the order of `files`, then of lines.
  void ThrowIfErrors(const std::deque<SourceFile>& files) const;
  /// All remarks in the order of `files`, then of lines.
  [[nodiscard]] std::vector<Diagnostic> Sorted(const std::deque<SourceFile>& files) const;

 private:
  void Add(Diagnostic::Severity severity, const Place& place, std::string message,
           std::string hint);

  std::vector<Diagnostic> list_;
  /// What `list_` holds, as one text each.
  std::set<std::string> known_;
  int errors_ = 0;
};

/// "did you mean PatientName?", or empty without a suggestion.
[[nodiscard]] std::string DidYouMean(std::string_view suggestion);

}  // namespace dcmveil::rules
