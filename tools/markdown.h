// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace dcmveil::tools {

/// A table's cell: a bar would end it.
inline std::string Cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

inline std::string Code(std::string_view text) { return "`" + Cell(text) + "`"; }

}  // namespace dcmveil::tools
