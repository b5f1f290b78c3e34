// SPDX-License-Identifier: Apache-2.0
//
// Rule sets from a few lines of YAML, and data sets sent through them.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "dcmveil/engine.h"
#include "dcmveil/rules.h"
#include "tests/support/dicom_bytes.h"
#include "tests/support/folder.h"

namespace dcmveil::testing {

/// `text` is the rule file without its first lines; it has a key, and `otherwise: keep` unless it
/// says something else. The guard is off unless it says something of it: what single rules leave
/// is what most tests look at. Throws RuleError.
inline RuleSet Rules(const std::string& text) {
  static const Folder folder;
  static const std::filesystem::path key =
      folder.Write("project.key", std::string(32, '0') + std::string(32, 'a') + "\n");
  std::string whole = "dcmveil: 1\nprofile: none\n";
  if (text.find("otherwise:") == std::string::npos) whole += "otherwise: keep\n";
  if (text.find("rules:") == std::string::npos) whole += "rules: []\n";
  if (text.find("guard:") == std::string::npos) whole += "guard: off\n";
  return LoadRulesFromText(whole + text, "rules.yaml", folder.path(), {.key_file = key});
}

/// What came of one instance: the decoded output, or the error.
struct Sent {
  bool ok = false;
  Error error = {};
  bool rejected = false;
  std::string because = {};
  std::string rule = {};
  std::vector<NoteCount> notes = {};
  std::string bytes = {};
  Decoded out = {};

  [[nodiscard]] int Noted(NoteCode code) const {
    for (const NoteCount& note : notes) {
      if (note.code == code) return note.count;
    }
    return 0;
  }
  [[nodiscard]] std::string Failure() const { return std::string(CodeOf(error.code)); }
};

inline Sent Send(const RuleSet& rules, std::string file) {
  Sent sent;
  const Result<Deidentified> result = Engine(rules).ApplyToBytes(std::move(file));
  if (!result) {
    sent.error = result.error();
    return sent;
  }
  sent.ok = true;
  sent.rejected = result->rejected;
  sent.because = result->because;
  sent.rule = result->rule;
  sent.notes = result->notes;
  if (sent.rejected) return sent;
  const Result<std::string> bytes = result->encoded.ToBytes();
  if (!bytes) throw std::runtime_error("ToBytes failed");
  sent.bytes = *bytes;
  sent.out = Decode(sent.bytes);
  return sent;
}

inline Sent Send(const std::string& rules, const DataSet& data_set,
                 const Syntax& syntax = kExplicit, const FileParts& parts = {}) {
  return Send(Rules(rules), File(data_set, syntax, parts));
}

}  // namespace dcmveil::testing
