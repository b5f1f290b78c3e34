// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace dcmveil::tools {

/// The text of docs/reference.md, from the tables of the language, the profile and the codes.
[[nodiscard]] std::string ReferenceDoc();

}  // namespace dcmveil::tools
