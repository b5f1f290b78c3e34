// SPDX-License-Identifier: Apache-2.0
//
// Rules of ours from a script of CTP: a DicomAnonymizer's, a DicomFilter's or a
// DicomPixelAnonymizer's, told by what stands in it. What has no translation is replaced by
// something stricter and said, never left out; findings about the script stand in the output as
// comments. The standard's part is PS3.15 table E.1-1, whose attributes without a rule are listed.
#pragma once

#include <string>

#include "rules/import/ctp_rule.h"
#include "rules/import/rule_file.h"

namespace dcmveil::rules {

/// Throws RuleError if the text is no script. `name` stands for the file in messages, its last part
/// in the output. Reads no other file. No message holds a cipher's key.
[[nodiscard]] Imported ImportCtp(const std::string& text, const std::string& name,
                                 const ImportOptions& options = {});

}  // namespace dcmveil::rules
