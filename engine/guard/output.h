// SPDX-License-Identifier: Apache-2.0
//
// Where in an encoded output a byte stands. By other code than wrote the bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "dcmveil/tag.h"
#include "engine/encoding/scan.h"
#include "engine/path.h"

namespace dcmveil::engine::guard {

/// The attributes that say how much of native pixel data is image.
class ImageSize {
 public:
  static constexpr std::array<Tag, 5> kTags{Tag(0x0028, 0x0002), Tag(0x0028, 0x0008),
                                            Tag(0x0028, 0x0010), Tag(0x0028, 0x0011),
                                            Tag(0x0028, 0x0100)};
  /// Notes the value if it is of one of these.
  void Learn(Tag tag, std::string_view value, bool big_endian);
  /// How many bytes in front of a value of `size` bytes are image data. Of a short value of which
  /// that is not known, none are taken to be; of a long one, all.
  [[nodiscard]] std::uint64_t BytesIn(std::uint64_t size) const;
  /// Of one frame; 0 if that is not known.
  [[nodiscard]] std::uint64_t cells() const { return rows_ * columns_; }

 private:
  std::uint64_t samples_ = 1;
  std::uint64_t frames_ = 1;
  std::uint64_t rows_ = 0;
  std::uint64_t columns_ = 0;
  std::uint64_t bits_ = 0;
};

/// One value field.
struct ValueField {
  std::size_t begin = 0;
  std::size_t end = 0;
  Vr vr = Vr::UN;  ///< as encoded; by the dictionary in implicit VR
  Tag tag = {};
  bool pixels = false;         ///< pixel data, here or in an icon
  bool fragment = false;       ///< of compressed ones
  std::uint64_t cells = 0;     ///< of a frame of these; 0: not known
  std::size_t image_size = 0;  ///< so many first bytes are native image data
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
