// SPDX-License-Identifier: Apache-2.0
//
// Where in an encoded output a byte stands. By other code than wrote the bytes.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "dcmveil/tag.h"
#include "engine/encoding/scan.h"
#include "engine/path.h"

namespace dcmveil::engine::guard {

/// One value field.
struct ValueField {
  std::size_t begin = 0;
  std::size_t end = 0;
  Vr vr = Vr::UN;  ///< as encoded; by the dictionary in implicit VR
  Tag tag;
  bool frames = false;  ///< pixel data, here or in an icon
};

/// The value fields of encoded elements in the order of their bytes; those of sequences are their
/// items'. What cannot be taken apart is one field of unknown VR: no byte behind the first element
/// belongs to none but headers.
[[nodiscard]] std::vector<ValueField> ValueFieldsOf(std::string_view elements, Encoding encoding);

/// The way to the element of the field, without private creators.
[[nodiscard]] Path PathOf(const ValueField& field, std::string_view elements, Encoding encoding);

/// The field that holds the whole of [begin, end), or null.
[[nodiscard]] const ValueField* FieldAt(const std::vector<ValueField>& fields, std::size_t begin,
                                        std::size_t end);

}  // namespace dcmveil::engine::guard
