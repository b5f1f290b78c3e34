// SPDX-License-Identifier: Apache-2.0
//
// Finds where the parts of a data set lie, before any of it is read: the elements in front of the
// pixel data, the pixel data itself, what follows, and bytes that belong to nothing. Nesting depth,
// lengths and numbers of elements are checked here, and pixel data need never pass through memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "dcmveil/error.h"
#include "dcmveil/tag.h"
#include "engine/encoding/bytes.h"

namespace dcmveil::engine {

/// How the elements are encoded (PS3.5 section 7.1 and annex A).
struct Encoding {
  bool explicit_vr = true;
  bool big_endian = false;
};

/// What delimits items and sequences, and the length of what is delimited (PS3.5 section 7.5).
inline constexpr Tag kItem{0xFFFE, 0xE000};
inline constexpr Tag kItemEnd{0xFFFE, 0xE00D};
inline constexpr Tag kSequenceEnd{0xFFFE, 0xE0DD};
inline constexpr std::uint32_t kUndefinedLength = 0xFFFFFFFF;

/// Whether a VR, or what stands in its place, is followed by a 32-bit length behind two reserved
/// bytes (PS3.5 table 7.1-1).
[[nodiscard]] bool HasLongLength(std::optional<Vr> vr, std::string_view spelled);

/// Deepest nesting of sequences that is accepted. Real objects stay below 12.
inline constexpr int kMaxDepth = 48;

/// Most elements and items of one instance; each needs some fifty bytes. Enhanced multi-frame
/// objects have some fifty a frame.
inline constexpr std::uint64_t kMostElements = 4'000'000;
/// Most bytes in front of the pixel data, all of which are held in memory, several times at that.
inline constexpr std::uint64_t kLongestHead = std::uint64_t{512} << 20U;
/// Longest value that is read as text, or as a sequence that was encoded as something else.
inline constexpr std::uint64_t kLongestOpened = std::uint64_t{32} << 20U;

/// Pixel Data, Float Pixel Data or Double Float Pixel Data at the top level.
struct PixelExtent {
  Tag tag;
  std::uint64_t element = 0;  ///< offset of the tag
  char vr[2] = {'O', 'W'};    ///< as encoded; "OW" in implicit VR
  std::uint64_t value = 0;    ///< offset of the value field
  std::uint64_t size = 0;     ///< bytes of the value field; with delimiter if encapsulated
  bool encapsulated = false;  ///< undefined length: a sequence of fragments
};

struct Extents {
  std::uint64_t begin = 0;     ///< first element
  std::uint64_t head_end = 0;  ///< end of the elements in front of the pixel data
  std::optional<PixelExtent> pixels;
  std::uint64_t after_begin = 0;  ///< elements behind the pixel data
  std::uint64_t after_end = 0;
  unsigned long head_elements = 0;  ///< how many at the top level stand in front of the pixel data
  int duplicates = 0;           ///< in items: second elements right behind one with the same tag
  bool trailing_bytes = false;  ///< something that is no element follows
};

/// Scans the data set that starts at `begin` and reaches to the end of the source. Errors:
/// kTruncated, kMalformed, kTooDeep, kTooLarge, kReadFailed. Afterwards source.Head(head_end) is in
/// memory.
[[nodiscard]] Result<Extents> ScanDataSet(ByteSource& source, std::uint64_t begin,
                                          Encoding encoding);

/// Whether the bytes are a complete list of sequence items in that encoding, nested no deeper than
/// the limit allows below `depth`. REQUIRES: no more than kLongestOpened bytes.
[[nodiscard]] bool IsItemList(std::string_view bytes, Encoding encoding, int depth);

}  // namespace dcmveil::engine
