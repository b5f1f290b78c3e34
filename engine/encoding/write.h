// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "dcmveil/engine.h"
#include "engine/encoding/read.h"

namespace dcmveil::engine {

/// What becomes of the top-level pixel data.
enum class PixelOutput : std::uint8_t { kNone, kCarry, kEmpty };

/// The parts of an encoded instance before they are deflated, if its transfer syntax does that.
struct EncodedParts {
  std::string meta;  ///< zeroed preamble and file meta information
  std::string head;  ///< elements up to the pixel data, and that one's header
  std::optional<EncodedInstance::Segment> pixels;
  std::string tail;              ///< what follows
  std::size_t tail_padding = 0;  ///< bytes of it that fill the pixel data to even length
};

/// Encodes the instance in its own transfer syntax: a zeroed preamble, file meta information made
/// afresh (PS3.15 E.1.1 item 7), the elements without group lengths and padding, sequences with
/// undefined length.
/// `pixel_mask`: see EncodedInstance::Segment::mask; for native pixel data only.
[[nodiscard]] EncodedParts EncodeParts(const ParsedInstance& parsed, PixelOutput pixels,
                                       const std::string& pixel_mask,
                                       std::string_view sop_class_uid,
                                       std::string_view sop_instance_uid);

/// The parts as one file.
[[nodiscard]] Result<EncodedInstance> Join(EncodedParts parts, bool deflated);

}  // namespace dcmveil::engine
