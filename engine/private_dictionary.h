// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "dcmveil/tag.h"

namespace dcmveil::engine {

/// The VR of a private element in implicit VR, by the private dictionary that came with the DCMTK
/// of the build; nothing if it does not list the creator's element.
[[nodiscard]] std::optional<Vr> PrivateVr(Tag tag, std::string_view creator);

}  // namespace dcmveil::engine
