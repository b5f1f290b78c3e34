// SPDX-License-Identifier: Apache-2.0
#include "verify/pixels.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace dcmveil::verify {
namespace {

constexpr std::uint64_t kChunk = 1U << 20U;
/// Of one stream; its headers are far shorter.
constexpr std::uint64_t kLongestHeader = 4U << 20U;

unsigned Byte(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

/// JPEG (ITU-T T.81 B.1.1) and JPEG-LS: segments up to the first scan.
void JpegComments(std::string_view stream, std::vector<std::string>& found) {
  constexpr unsigned kStartOfScan = 0xDA;
  constexpr unsigned kComment = 0xFE;
  std::size_t at = 2;
  while (at + 4 <= stream.size() && Byte(stream, at) == 0xFF) {
    const unsigned marker = Byte(stream, at + 1);
    if (marker == kStartOfScan) return;
    if (marker == 0xFF) {
      ++at;
      continue;
    }
    const std::size_t length = (Byte(stream, at + 2) << 8U) | Byte(stream, at + 3);
    if (length < 2) return;
    if (marker == kComment || (marker >= 0xE0 && marker <= 0xEF)) {
      found.emplace_back(stream.substr(at + 4, length - 2));
    }
    at += 2 + length;
  }
}

/// JPEG 2000 (ITU-T T.800 A.9.2): the main header's comments.
void CodestreamComments(std::string_view stream, std::vector<std::string>& found) {
  constexpr unsigned kStartOfTile = 0x90;
  constexpr unsigned kComment = 0x64;
  std::size_t at = 2;
  while (at + 4 <= stream.size() && Byte(stream, at) == 0xFF &&
         Byte(stream, at + 1) != kStartOfTile) {
    const std::size_t length = (Byte(stream, at + 2) << 8U) | Byte(stream, at + 3);
    if (length < 2) return;
    if (Byte(stream, at + 1) == kComment) found.emplace_back(stream.substr(at + 4, length - 2));
    at += 2 + length;
  }
}

/// Boxes of a JP2 file (ITU-T T.800 annex I).
void BoxComments(std::string_view stream, std::vector<std::string>& found) {
  std::size_t at = 0;
  while (at + 8 <= stream.size()) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = (length << 8U) | Byte(stream, at + i);
    if (length == 0 || length > stream.size() - at) length = stream.size() - at;
    if (length < 8) return;
    const std::string_view content = stream.substr(at + 8, length - 8);
    if (stream.substr(at + 4, 4) == "jp2c") {
      CodestreamComments(content, found);
    } else {
      found.emplace_back(content);
    }
    at += length;
  }
}

unsigned long long FrameCount(const Facts& facts) {
  const std::string_view text = facts.Top({0x0028, 0x0008});
  unsigned long long frames = 1;
  std::from_chars(text.data(), text.data() + text.size(), frames);
  return std::max(frames, 1ULL);
}

/// Bits that the image uses, in the order of the bytes of a cell; empty if they are not to be told.
std::string UsedBits(const Facts& facts, bool big_endian) {
  const unsigned allocated = facts.Number({0x0028, 0x0100}, 0);
  const unsigned stored = facts.Number({0x0028, 0x0101}, 0);
  const unsigned high = facts.Number({0x0028, 0x0102}, 0);
  if (allocated % 8 != 0 || allocated > 32 || stored == 0 || high >= allocated ||
      stored > high + 1) {
    return {};
  }
  std::string bits;
  for (unsigned byte = 0; byte < allocated / 8; ++byte) {
    unsigned mask = 0;
    for (unsigned bit = 0; bit < 8; ++bit) {
      const unsigned position = byte * 8 + bit;
      if (position <= high && position + stored > high) mask |= 1U << bit;
    }
    bits.push_back(static_cast<char>(mask));
  }
  if (big_endian) std::reverse(bits.begin(), bits.end());
  return bits;
}

}  // namespace

PixelAnswer ComparePixels(const Layout& input, const Layout& output, const Facts& before) {
  const PixelPlace& from = *input.pixels;
  const PixelPlace& to = *output.pixels;
  const bool alike = from.tag == to.tag && from.encapsulated == to.encapsulated &&
                     input.big_endian == output.big_endian &&
                     (to.size == from.size || (to.size == from.size + 1 && from.size % 2 == 1));
  if (!alike) return PixelAnswer::kDifferent;
  const std::string used = UsedBits(before, input.big_endian);
  bool masked = false;
  for (std::uint64_t at = 0; at < from.size; at += kChunk) {
    const std::uint64_t n = std::min(kChunk, from.size - at);
    const std::string_view one = input.data->At(from.offset + at, n);
    const std::string_view other = output.data->At(to.offset + at, n);
    if (one.empty() || other.empty()) return PixelAnswer::kUnreadable;
    if (one == other) continue;
    if (used.empty() || from.encapsulated) return PixelAnswer::kDifferent;
    for (std::size_t i = 0; i < one.size(); ++i) {
      if ((one[i] & used[(at + i) % used.size()]) != other[i]) return PixelAnswer::kDifferent;
    }
    masked = true;
  }
  return masked ? PixelAnswer::kMasked : PixelAnswer::kSame;
}

std::vector<std::string> BytesBesideFrames(const Layout& file, const Facts& facts) {
  std::vector<std::string> found;
  if (!file.pixels) return found;
  const PixelPlace& pixels = *file.pixels;
  if (!pixels.encapsulated) {
    const unsigned long long bits =
        1ULL * facts.Number({0x0028, 0x0010}, 0) * facts.Number({0x0028, 0x0011}, 0) *
        facts.Number({0x0028, 0x0002}, 1) * facts.Number({0x0028, 0x0100}, 8);
    const unsigned long long frames = FrameCount(facts);
    if (bits == 0 || frames > pixels.size) return found;
    const unsigned long long bytes = (bits * frames + 7) / 8;
    if (bytes >= pixels.size) return found;
    const std::uint64_t rest = std::min<std::uint64_t>(pixels.size - bytes, kLongestHeader);
    found.emplace_back(file.data->At(pixels.offset + bytes, rest));
    return found;
  }
  for (const PixelPlace::Fragment& fragment : pixels.fragments) {
    const std::string_view stream =
        file.data->At(fragment.offset, std::min(fragment.size, kLongestHeader));
    if (stream.size() < 12) continue;
    if (stream.starts_with("\xFF\xD8")) JpegComments(stream, found);
    if (stream.starts_with("\xFF\x4F")) CodestreamComments(stream, found);
    if (stream.substr(4, 4) == "jP  ") BoxComments(stream, found);
  }
  return found;
}

}  // namespace dcmveil::verify
