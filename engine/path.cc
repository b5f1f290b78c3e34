// SPDX-License-Identifier: Apache-2.0
#include "engine/path.h"

namespace dcmveil::engine {

std::string ToString(const Path& path) {
  std::string text;
  for (const PathStep& step : path) {
    if (!text.empty()) text.push_back('.');
    text += dcmveil::ToString(step.tag);
    if (step.item >= 0) text.append("[").append(std::to_string(step.item)).append("]");
  }
  return text;
}

}  // namespace dcmveil::engine
