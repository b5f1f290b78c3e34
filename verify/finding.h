// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace dcmveil::verify {

/// Something wrong with an output. No field holds a value of the data.
struct Finding {
  /// "leak", "leak-in-name", "unchanged", "marker", "duplicate-uid", "reference", "entity",
  /// "dates", "pixels", "unreadable", "missing", "not-in-manifest".
  std::string check;
  std::string file;   ///< name in the output
  std::string where;  ///< element; may be empty
  std::string kind;   ///< of identifier, or what is wrong
};

}  // namespace dcmveil::verify
