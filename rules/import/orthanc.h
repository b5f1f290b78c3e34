// SPDX-License-Identifier: Apache-2.0
//
// Rules of ours from the JSON that Orthanc's REST API takes at /anonymize and /modify.
#pragma once

#include "rules/import/rule_file.h"

namespace dcmveil::rules {

enum class OrthancRequest { kGuess, kAnonymize, kModify };

/// kGuess: by the keys that only one of the requests has, else /anonymize, which is stricter.
/// Throws RuleError if the text is no such JSON. Reads no other file.
[[nodiscard]] Imported ImportOrthanc(const std::string& text, const std::string& name,
                                     OrthancRequest request = OrthancRequest::kGuess);

}  // namespace dcmveil::rules
