// SPDX-License-Identifier: Apache-2.0
//
// A rule file of ours in the making, as importers write it: entries with comments above them,
// findings at its head, and remarks for whoever runs the import.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "dcmveil/rules.h"

namespace dcmveil::rules {

struct Imported {
  std::string yaml;  ///< a rule file that loads, once its key has been made
  /// Warnings: what was replaced by something stricter. Notes: what means something else.
  std::vector<Diagnostic> remarks;
  bool complete = true;  ///< nothing had to be replaced
  bool needs_key = false;
};

/// A scalar in YAML's double quotes. Control characters are escaped.
[[nodiscard]] std::string Quoted(std::string_view text);

/// What may stand in a comment: one line, without control characters, cut at `longest` bytes.
[[nodiscard]] std::string Plain(std::string_view text, std::size_t longest = 160);

/// Why a file is refused. Line 0: as a whole.
[[nodiscard]] RuleError Refusal(const std::string& name, int line, const std::string& message,
                                const std::string& hint);
/// Throws a Refusal if the text is not UTF-8.
void RequireText(const std::string& name, std::string_view text, const std::string& hint);

/// "a, b, c".
[[nodiscard]] std::string List(const std::vector<std::string>& words);
/// "line 12: …".
[[nodiscard]] std::string AtLine(int line, std::string_view text);

class RuleFile {
 public:
  /// One entry of the lists with the comments above it.
  struct Entry {
    int line = 0;                       ///< of the original; 0: of no single line
    std::vector<std::string> comments;  ///< not wrapped
    std::string text;                   ///< "- {tag: …}"
    std::string fallback;               ///< instead of `text`, should it not load; may be empty
    std::string what;                   ///< the element, for messages
  };

  /// `tool` as in `dcmveil import TOOL`; `name` stands for the file in messages, its last part in
  /// the output.
  RuleFile(std::string_view tool, std::string name) : tool_(tool), name_(std::move(name)) {}

  std::vector<Entry> rules;
  std::vector<Entry> rejects;
  std::vector<std::string> head;  ///< what always holds for this tool's files
  std::string profile = "none";
  bool otherwise_keep = true;

  /// Something was replaced by something stricter.
  void Replaced(int line, const std::string& what, const std::string& message);
  /// Something means something else, and exposes no more.
  void Note(int line, const std::string& what, const std::string& message);
  /// A finding about the original.
  void Lint(std::string text) { lint_.push_back(std::move(text)); }

  /// Lines that the loader refuses become their fallbacks, or are left out, and are remarked.
  /// Throws RuleError if something else is refused.
  [[nodiscard]] Imported Finish();

 private:
  void Remark(Diagnostic::Severity severity, int line, const std::string& message);
  [[nodiscard]] bool NeedsKey() const;
  /// `places`, if not null, gets the entry behind each line of the text.
  [[nodiscard]] std::string Render(bool with_key, std::map<int, Entry*>* places);
  void MakeItLoad();
  void FallBack(Entry& entry, const std::string& message);

  std::string tool_;
  std::string name_;
  std::vector<Diagnostic> remarks_;
  std::vector<std::string> lint_;
  bool complete_ = true;
};

}  // namespace dcmveil::rules
