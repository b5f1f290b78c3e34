// SPDX-License-Identifier: Apache-2.0
//
// What a rule set does with each row of PS3.15 table E.1-1, for `check`, and the Conformance
// Statement of E.1.3. Both come from the compiled rules, so that they say what is done.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dcmveil/rules.h"
#include "rules/profile_tables.h"

namespace dcmveil::rules {

/// A row of table E.1-1 and the rules that may decide it.
struct RowStatement {
  const ProfileRow* row = nullptr;
  enum class Kind : std::uint8_t {
    kProfile,  ///< decided by the profile, with its options, alone
    kOwn,      ///< a rule of the file decides it, always or on a condition
    kOpen,     ///< no rule decides it everywhere, so `otherwise` does
  };
  Kind kind = Kind::kOpen;
  /// "rules.yaml:7 pseudonym, else basic: Z redact".
  std::string what;
  /// The attribute may pass as it was, although the table protects it.
  bool may_pass = false;
};

/// One entry a row, in the table's order.
[[nodiscard]] std::vector<RowStatement> StateRows(const RuleSet& rules);

/// "StudyDate", "(50xx,xxxx)", "private elements".
[[nodiscard]] std::string NameOf(const ProfileRow& row);

/// The Conformance Statement in Markdown (PS3.15 E.1.3, PS3.2 N.8.4.4).
[[nodiscard]] std::string ConformanceStatement(const RuleSet& rules);

}  // namespace dcmveil::rules
