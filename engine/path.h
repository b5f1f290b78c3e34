// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dcmveil/tag.h"

namespace dcmveil::engine {

/// One step of the way from the data set's root to an element.
struct PathStep {
  Tag tag;
  /// The private creator that reserved the element's block; empty for standard elements and for
  /// private elements that no creator claims.
  std::string_view creator = {};
  /// The item entered below this element, from 0; -1 at the last step.
  int item = -1;
};

/// Root first; the last step is the element itself.
using Path = std::vector<PathStep>;

/// "(0008,1140)[0].(0008,1155)".
[[nodiscard]] std::string ToString(const Path& path);

}  // namespace dcmveil::engine
