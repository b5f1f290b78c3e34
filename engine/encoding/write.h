// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "dcmveil/engine.h"
#include "engine/encoding/read.h"

namespace dcmveil::engine {

/// What becomes of the top-level pixel data.
enum class PixelOutput : std::uint8_t { kNone, kCarry, kEmpty };

/// A stretch of an EncodedInstance.
struct Segment {
  std::string bytes;  ///< used if `source` is null
  std::shared_ptr<ByteSource> source;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  /// The bits of each pixel cell that stay, in the file's byte order; empty: all. Overlays can
  /// hide in the others (PS3.5 section 8.1.2).
  std::string mask = {};
};

/// The parts of an encoded instance before they are deflated, if its transfer syntax does that.
struct EncodedParts {
  std::string meta;  ///< zeroed preamble and file meta information
  std::string head;  ///< elements up to the pixel data, and that one's header
  std::optional<Segment> pixels;
  std::string tail;              ///< what follows
  std::size_t tail_padding = 0;  ///< bytes of it that fill the pixel data to even length
};

/// Encodes the instance in its own transfer syntax: a zeroed preamble, file meta information made
/// afresh (PS3.15 E.1.1 item 7), the elements without group lengths and padding, sequences with
/// undefined length.
/// `pixel_mask`: see Segment::mask; for native pixel data only.
[[nodiscard]] EncodedParts EncodeParts(const ParsedInstance& parsed, PixelOutput pixels,
                                       const std::string& pixel_mask,
                                       std::string_view sop_class_uid,
                                       std::string_view sop_instance_uid);

/// The parts as one file.
[[nodiscard]] Result<EncodedInstance> Join(EncodedParts parts, bool deflated);

/// Gives a file another name in its file system, unless something has that name. Zero, or errno.
[[nodiscard]] int RenameNoReplace(const std::filesystem::path& from,
                                  const std::filesystem::path& to);

}  // namespace dcmveil::engine
