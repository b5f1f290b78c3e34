// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "dcmveil/action.h"
#include "dcmveil/error.h"

namespace dcmveil {

namespace engine {
class Plan;
}

/// One remark about a rule file. Lines and columns count from 1; 0 means the whole file.
struct Diagnostic {
  enum class Severity { kError, kWarning, kNote };
  Severity severity = Severity::kError;
  std::string file;
  int line = 0;
  int column = 0;
  std::string message;  ///< what is wrong
  std::string hint;     ///< what was probably meant, or what to do; may be empty
};

/// "rules.yaml:12:5: error: PatientNmae: no such keyword; did you mean PatientName?"
[[nodiscard]] DCMVEIL_API std::string ToString(const Diagnostic& diagnostic);

/// Thrown while loading rules, with every error of the file, never with only the first.
class DCMVEIL_API RuleError : public std::runtime_error {
 public:
  explicit RuleError(std::vector<Diagnostic> diagnostics);
  [[nodiscard]] const std::vector<Diagnostic>& diagnostics() const { return diagnostics_; }

 private:
  std::vector<Diagnostic> diagnostics_;
};

/// The checked, immutable result of loading rules. Cheap to copy; all threads may share it.
class DCMVEIL_API RuleSet {
 public:
  RuleSet(std::shared_ptr<const engine::Plan> plan, std::string name, std::string hash,
          std::string key_id, std::vector<Diagnostic> warnings);
  [[nodiscard]] const std::shared_ptr<const engine::Plan>& plan() const { return plan_; }
  /// The `name:` of the file, or the file's own name without its ending.
  [[nodiscard]] const std::string& name() const { return name_; }
  /// SHA-256 over the text of the rule file and all files that it extends or reads, lower-case hex.
  [[nodiscard]] const std::string& hash() const { return hash_; }
  /// Identifies the key without telling it; empty when the rules use none.
  [[nodiscard]] const std::string& key_id() const { return key_id_; }
  /// What `dcmveil check` prints beside errors; there are no errors in a RuleSet.
  [[nodiscard]] const std::vector<Diagnostic>& warnings() const { return warnings_; }

 private:
  std::shared_ptr<const engine::Plan> plan_;
  std::string name_;
  std::string hash_;
  std::string key_id_;
  std::vector<Diagnostic> warnings_;
};

struct LoadOptions {
  /// Actions of one's own, which rules then name like any other.
  std::vector<CustomAction> actions = {};
  /// Replaces the rule file's `key:`; a path to a key file. Empty: the rule file decides.
  std::filesystem::path key_file = {};
  /// Do not fail when no key can be had (for `check`): keyed actions use a throw-away key, a
  /// warning says so, and the result must not be used to write anything.
  bool allow_missing_key = false;
};

/// Loads a rule file in YAML, or Microsoft's JSON configuration (recognised by its content).
/// Throws RuleError with all diagnostics. Reads no DICOM.
[[nodiscard]] DCMVEIL_API RuleSet LoadRules(const std::filesystem::path& file,
                                            const LoadOptions& options = {});

/// The same from text; `name` stands for the file in messages, and relative paths in the text are
/// resolved against `folder`.
[[nodiscard]] DCMVEIL_API RuleSet LoadRulesFromText(const std::string& text,
                                                    const std::string& name,
                                                    const std::filesystem::path& folder = ".",
                                                    const LoadOptions& options = {});

/// How many outputs that stand somewhere came of one rule set.
struct RuleSetOutputs {
  std::string rules_hash;  ///< RuleSet::hash()
  std::string edition;     ///< of the profile; empty: none
  std::uint64_t outputs = 0;
};

}  // namespace dcmveil
