// SPDX-License-Identifier: Apache-2.0
//
// Text inside compressed frames: comment and application segments of JPEG and JPEG-LS (ITU-T T.81
// B.2.4), comments of JPEG 2000 codestreams (T.800 A.9.2), boxes of JP2 files (T.800 annex I).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/dcmtk/bytes.h"

namespace dcmveil::engine::guard {

/// What lies in front of the image data of a frame.
struct FrameHeader {
  /// Begin and end of each piece of text, in bytes of the frame; the last may reach beyond what
  /// was given.
  std::vector<std::pair<std::size_t, std::size_t>> texts;
  /// As many bytes are needed to see the whole; more than were given if it was cut.
  std::size_t needs = 0;
};
[[nodiscard]] FrameHeader ReadFrameHeader(std::string_view frame);

/// Calls `text(std::string_view)` for each piece of text in the fragments of encapsulated pixel
/// data, of which no more than the headers is read; stops and returns true when it does.
/// `begin` and `size` are those of the value field in the source.
template <typename Text>
bool ForEachFrameText(const ByteSource& source, std::uint64_t begin, std::uint64_t size,
                      Text&& text) {
  constexpr std::uint64_t kItemHeader = 8;
  constexpr std::uint64_t kFirstRead = 1024;
  constexpr std::uint64_t kLongestHeader = 1U << 20U;
  const std::uint64_t end = begin + size;
  for (std::uint64_t at = begin; at + kItemHeader <= end;) {
    std::string bytes =
        source.Read(at, std::min<std::uint64_t>(kItemHeader + kFirstRead, end - at));
    if (bytes.size() < kItemHeader) return false;
    const auto byte = [&](std::size_t i) {
      return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i]));
    };
    const std::uint64_t length = byte(4) | (byte(5) << 8U) | (byte(6) << 16U) | (byte(7) << 24U);
    at += kItemHeader;
    if (length > end - at) return false;
    bytes.erase(0, kItemHeader);
    if (bytes.size() > length) bytes.resize(length);
    FrameHeader header = ReadFrameHeader(bytes);
    while (header.needs > bytes.size() && bytes.size() < std::min(length, kLongestHeader)) {
      bytes = source.Read(
          at, std::min<std::uint64_t>({std::max<std::uint64_t>(header.needs, 2 * bytes.size()),
                                       length, kLongestHeader}));
      if (bytes.empty()) return false;
      header = ReadFrameHeader(bytes);
    }
    for (const auto& [from, to] : header.texts) {
      if (from < bytes.size() && text(std::string_view(bytes).substr(from, to - from))) return true;
    }
    at += length;
  }
  return false;
}

}  // namespace dcmveil::engine::guard
