// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace dcmveil::dicomweb {

// The DICOM JSON Model (PS3.18 annex F), as far as answers of services need it. None throws.

/// The first value of an element as text; numbers too. Empty if there is none.
[[nodiscard]] std::string TextOf(const nlohmann::json& data_set, const char* tag);
/// The first value as a number, or -1.
[[nodiscard]] long NumberOf(const nlohmann::json& data_set, const char* tag);
/// The items of a sequence; an empty list if there is none.
[[nodiscard]] const nlohmann::json& ItemsOf(const nlohmann::json& data_set, const char* tag);

}  // namespace dcmveil::dicomweb
