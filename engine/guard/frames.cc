// SPDX-License-Identifier: Apache-2.0
#include "engine/guard/frames.h"

#include <algorithm>

namespace dcmveil::engine::guard {
namespace {

constexpr unsigned kCom = 0xFE;
constexpr unsigned kSos = 0xDA;
constexpr unsigned kEoi = 0xD9;
constexpr unsigned kJ2kCom = 0x64;
constexpr unsigned kJ2kTilePart = 0x90;
constexpr std::size_t kBoxHeader = 8;

std::size_t Number(std::string_view bytes, std::size_t at, std::size_t count) {
  std::size_t number = 0;
  for (std::size_t i = 0; i < count; ++i) {
    number = (number << 8U) | static_cast<unsigned char>(bytes[at + i]);
  }
  return number;
}

/// Marker segments from behind the first marker on. `start` is where the codestream begins.
void ReadMarkers(std::string_view frame, std::size_t start, bool j2k, FrameHeader& header) {
  std::size_t at = start + 2;
  while (true) {
    header.needs = std::max(header.needs, at + 4);
    if (at + 4 > frame.size()) return;
    if (Number(frame, at, 1) != 0xFF) return;
    const auto marker = static_cast<unsigned>(Number(frame, at + 1, 1));
    if (marker == 0xFF) {  // fill bytes may stand in front of a marker
      ++at;
      continue;
    }
    if (j2k ? marker == kJ2kTilePart : marker == kSos || marker == kEoi) return;
    const std::size_t length = Number(frame, at + 2, 2);
    if (length < 2) return;
    const bool text =
        j2k ? marker == kJ2kCom : marker == kCom || (marker >= 0xE0 && marker <= 0xEF);
    if (text) header.texts.emplace_back(at + 4, at + 2 + length);
    at += 2 + length;
    header.needs = std::max(header.needs, at);
  }
}

void ReadBoxes(std::string_view frame, FrameHeader& header) {
  for (std::size_t at = 0;;) {
    header.needs = std::max(header.needs, at + kBoxHeader);
    if (at + kBoxHeader > frame.size()) return;
    const std::size_t length = Number(frame, at, 4);
    const std::string_view type = frame.substr(at + 4, 4);
    if (type == "jp2c") {
      header.needs = std::max(header.needs, at + kBoxHeader + 2);
      ReadMarkers(frame, at + kBoxHeader, true, header);
      return;
    }
    if (length < kBoxHeader) return;
    header.texts.emplace_back(at + kBoxHeader, at + length);
    at += length;
  }
}

}  // namespace

FrameHeader ReadFrameHeader(std::string_view frame) {
  FrameHeader header;
  if (frame.starts_with("\xFF\xD8")) ReadMarkers(frame, 0, false, header);
  if (frame.starts_with("\xFF\x4F")) ReadMarkers(frame, 0, true, header);
  if (frame.size() >= 12 && frame.substr(4, 4) == "jP  ") ReadBoxes(frame, header);
  return header;
}

}  // namespace dcmveil::engine::guard
