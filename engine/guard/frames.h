// SPDX-License-Identifier: Apache-2.0
//
// Text inside compressed frames: comment and application segments of JPEG and JPEG-LS (ITU-T T.81
// B.2.4), wherever in the frame they stand; comments of JPEG 2000 codestreams, in the main header
// and in those of tile-parts (T.800 A.9.2); boxes of JP2 and JPEG XL files (T.800 annex I); what
// follows the end of an image; what lies between and behind the segments of RLE frames (PS3.5 annex
// G); and, as far as it is short, what stands in front of an image or is none.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "engine/encoding/bytes.h"

namespace dcmveil::engine::guard {

/// A piece of text in a frame.
struct FrameText {
  std::string_view bytes;
  std::uint64_t begin = 0;  ///< in bytes of the frame
  /// Image data may be among it.
  bool noise = false;
};

/// Returns true to see no more.
using FrameTextVisitor = std::function<bool(const FrameText&)>;

/// Visits the text of one frame, whose image has so many cells (0: not known), in the order of its
/// bytes: no text begins or ends in front of one before. True if the visitor ended it.
bool ForEachTextOfFrame(std::string_view frame, std::uint64_t cells, const FrameTextVisitor& visit);

/// Visits the text of all frames of encapsulated pixel data (PS3.5 A.4); frames may lie in several
/// fragments. The Basic Offset Table counts as text. `begin` and `size` are those of the value
/// field in the source. Image data is passed over, not kept.
bool ForEachFrameText(const ByteSource& source, std::uint64_t begin, std::uint64_t size,
                      std::uint64_t cells, const FrameTextVisitor& visit);

/// Visits bytes that may be text or image data: those behind the frames of native pixel data.
bool ForEachNoise(const ByteSource& source, std::uint64_t begin, std::uint64_t size,
                  const FrameTextVisitor& visit);

}  // namespace dcmveil::engine::guard
