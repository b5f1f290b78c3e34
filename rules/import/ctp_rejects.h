// SPDX-License-Identifier: Apache-2.0
//
// CTP's scripts that are about instances, not elements: of the DicomFilter, whose expression lets
// pass what it is true for, and of the DicomPixelAnonymizer, whose signatures name images with text
// in their pixels. Both become `reject`, in front of the standard's basic profile.
#pragma once

#include <string>
#include <string_view>

#include "rules/import/rule_file.h"

namespace dcmveil::rules {

/// Which script a text is, by what only that one can have. kRules: neither of the two.
enum class CtpScriptKind { kRules, kFilter, kPixels };
[[nodiscard]] CtpScriptKind KindOfCtpScript(std::string_view text);

/// Both throw RuleError if an expression is wrong; see ImportCtp.
[[nodiscard]] Imported ImportCtpFilter(const std::string& text, const std::string& name);
[[nodiscard]] Imported ImportCtpPixels(const std::string& text, const std::string& name);

}  // namespace dcmveil::rules
