// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "dcmveil/tag.h"
#include "engine/data_set.h"

namespace dcmveil::engine {

/// How the VR of an element is understood. A standard attribute is what the dictionary says it is,
/// however it is encoded, so that explicit, implicit and UN encodings of it get the same answer.
struct Reading {
  VrSet vrs = {};                 ///< what VR rules are compared with
  Vr vr = Vr::UN;                 ///< by which its value is read, and what actions get
  bool is_sequence = false;       ///< by dictionary or by encoding
  bool mended = false;            ///< the encoded VR was overruled
  std::string_view keyword = {};  ///< empty for private and unknown elements
};

[[nodiscard]] Reading ReadAs(const DataElement& element);

/// Whether the value could be one of the attribute's dictionary VR. Rules are written with that VR
/// in mind, and a name in the place of a number would be met by none.
/// REQUIRES: reading.mended.
[[nodiscard]] bool ReadsAsItsAttribute(const DataElement& element, const Reading& reading);

}  // namespace dcmveil::engine
