// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "engine/encoding/scan.h"

namespace dcmveil::engine {

/// What a transfer syntax says of a data set (PS3.5 annex A).
struct Syntax {
  Encoding encoding;
  bool deflated = false;
  bool encapsulated = false;  ///< pixel data is a list of fragments
};

/// Nothing for a UID that is no transfer syntax. Any number of threads, no lock.
[[nodiscard]] std::optional<Syntax> FindSyntax(const std::string& uid);

}  // namespace dcmveil::engine
