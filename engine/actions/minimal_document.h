// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace dcmveil::engine {

/// The smallest valid document of a MIME type that Encapsulated Document may have (PS3.3 C.24.2):
/// one empty page of PDF, a CDA without content, a model without faces. For other types two zero
/// bytes: nothing valid is known. Valid for the life of the process.
[[nodiscard]] std::string_view MinimalDocument(std::string_view mime_type);

}  // namespace dcmveil::engine
