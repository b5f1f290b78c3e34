// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace dcmveil::pipeline {

/// Sets `line[key]` to a file name. Names are bytes: one that is no UTF-8 is shown with U+FFFD for
/// what is none, and `line[key + "_bytes"]` has all its bytes in hex, so that two names that look
/// alike are told apart and the file can be found.
void SetFileName(nlohmann::ordered_json& line, const std::string& key, const std::string& name);

}  // namespace dcmveil::pipeline
