// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "dcmveil/tag.h"
#include "dcmveil/vr.h"

namespace dcmveil::engine {

/// The VR of a private element in implicit VR, from the private dictionary that comes with DCMTK;
/// nothing if it does not list the creator's element. The first call reads the dictionary. Any
/// number of threads.
[[nodiscard]] std::optional<Vr> PrivateVr(Tag tag, std::string_view creator);

}  // namespace dcmveil::engine
