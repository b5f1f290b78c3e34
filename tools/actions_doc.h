// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace dcmveil::tools {

/// The text of docs/actions.md, from the specs of all actions.
[[nodiscard]] std::string ActionsDoc();

}  // namespace dcmveil::tools
