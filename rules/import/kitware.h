// SPDX-License-Identifier: Apache-2.0
//
// Rules of ours from the JSON dictionary of Kitware's dicom-anonymizer: tags and what is done with
// them, in front of the standard's basic profile.
#pragma once

#include "rules/import/rule_file.h"

namespace dcmveil::rules {

/// Throws RuleError if the text is no such JSON. Reads no other file.
[[nodiscard]] Imported ImportKitware(const std::string& text, const std::string& name);

}  // namespace dcmveil::rules
