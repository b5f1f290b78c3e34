// SPDX-License-Identifier: Apache-2.0
//
// Rules of ours from a recipe of pydicom/deid. Its lines are carried out one after the other, and
// several may name one element: what becomes of each attribute of the dictionary is worked out
// here, and written as rules of which only one decides.
#pragma once

#include "rules/import/rule_file.h"

namespace dcmveil::rules {

/// Throws RuleError if the text is no recipe, or one at which deid stops. Reads no other file.
[[nodiscard]] Imported ImportDeid(const std::string& text, const std::string& name);

}  // namespace dcmveil::rules
