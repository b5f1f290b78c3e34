// SPDX-License-Identifier: Apache-2.0
//
// Elements as CTP's scripts and filters name them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/dictionary.h"

namespace dcmveil::rules {

/// The element that a rule is about.
struct CtpTarget {
  std::optional<Tag> tag;  ///< a standard or unknown attribute
  const Attribute* attribute = nullptr;
  std::string creator;   ///< of private elements
  std::string selector;  ///< "tag: PatientName", "private: {creator: …, tag: …}"
  std::string path;      ///< as in paths and conditions: "PatientName", "0009{ACME}02"
};

/// Nothing if the text names no element: "00100010", "0009[CREATOR]02", a keyword.
[[nodiscard]] std::optional<CtpTarget> ReadCtpTarget(std::string_view text);

/// As arguments and filters name one: also "(0010,0010)", "[0010,0010]", "[0009[CREATOR]02]".
[[nodiscard]] std::optional<CtpTarget> ReadCtpElement(std::string_view text);
/// The path of an element, or of a chain "A::B".
[[nodiscard]] std::optional<std::string> ReadCtpPath(std::string_view text);

}  // namespace dcmveil::rules
