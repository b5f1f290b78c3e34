// SPDX-License-Identifier: Apache-2.0
#include "engine/guard/frames.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace dcmveil::engine::guard {
namespace {

constexpr std::uint64_t kChunk = std::uint64_t{1} << 16U;
/// Long texts come in pieces that overlap by more than an identifier may take.
constexpr std::uint64_t kPiece = std::uint64_t{1} << 20U;
constexpr std::uint64_t kOverlap = 2048;
constexpr std::uint64_t kBoxHeader = 8;
constexpr std::uint64_t kFirstRead = 1024;
/// How far from a fragment's start an image may begin, and how much is searched of what is none.
constexpr std::uint64_t kLongestLead = std::uint64_t{1} << 16U;
constexpr std::uint64_t kRleHeader = 64;
constexpr std::uint64_t kMostRleSegments = 15;

/// The bytes of one frame, read as they are asked for.
class Frame {
 public:
  explicit Frame(std::string_view memory) : memory_(memory), size_(memory.size()) {}
  explicit Frame(const ByteSource& source) : source_(&source) {}

  void AddFragment(std::uint64_t offset, std::uint64_t length) {
    const auto bytes = fragments_.empty() ? source_->InMemory(offset, length) : std::nullopt;
    memory_ = bytes.value_or(std::string_view());
    fragments_.push_back({offset, size_, length});
    size_ += length;
  }

  [[nodiscard]] std::uint64_t size() const { return size_; }

  /// `count` bytes from `at` on; fewer at the end or after a read error. Valid until the next call.
  std::string_view Bytes(std::uint64_t at, std::uint64_t count) {
    if (at >= size_) return {};
    count = std::min(count, size_ - at);
    if (InMemory()) return memory_.substr(at, count);
    if (at < kept_at_ || at + count > kept_at_ + kept_.size()) Fill(at, count);
    return std::string_view(kept_).substr(at - kept_at_, count);
  }

  /// The bytes from `at` on that are at hand, at least one but at the end.
  std::string_view Some(std::uint64_t at) {
    if (InMemory()) return Bytes(at, size_);
    if (at < kept_at_ || at >= kept_at_ + kept_.size()) return Bytes(at, kChunk);
    return std::string_view(kept_).substr(at - kept_at_);
  }

  [[nodiscard]] std::optional<std::uint64_t> Number(std::uint64_t at, std::uint64_t count) {
    const std::string_view bytes = Bytes(at, count);
    if (bytes.size() < count) return std::nullopt;
    std::uint64_t number = 0;
    for (const char c : bytes) number = (number << 8U) | static_cast<unsigned char>(c);
    return number;
  }

 private:
  /// As a whole; several fragments are not.
  [[nodiscard]] bool InMemory() const { return memory_.size() == size_; }

  struct Fragment {
    std::uint64_t offset = 0;  ///< in the source
    std::uint64_t begin = 0;   ///< in the frame
    std::uint64_t length = 0;
  };

  void Fill(std::uint64_t at, std::uint64_t count) {
    // Headers are short; whoever reads on reads more.
    const std::uint64_t wanted = std::min(
        size_ - at, std::max(count, at == 0 || at > kept_at_ + kChunk ? kFirstRead : kChunk));
    kept_.clear();
    kept_at_ = at;
    for (const Fragment& fragment : fragments_) {
      const std::uint64_t from = std::max(fragment.begin, at + kept_.size());
      if (from >= fragment.begin + fragment.length || kept_.size() >= wanted) continue;
      const std::uint64_t length =
          std::min(fragment.begin + fragment.length - from, wanted - kept_.size());
      const std::uint64_t offset = fragment.offset + from - fragment.begin;
      if (const auto held = source_->InMemory(offset, length)) {
        kept_ += *held;
        continue;
      }
      const std::string bytes = source_->Read(offset, length);
      kept_ += bytes;
      if (bytes.size() < length) return;
    }
  }

  const ByteSource* source_ = nullptr;
  std::string_view memory_;
  std::vector<Fragment> fragments_;
  std::uint64_t size_ = 0;
  std::string kept_;
  std::uint64_t kept_at_ = 0;
};

bool BeginsFrame(std::string_view bytes) {
  return bytes.starts_with("\xFF\xD8") || bytes.starts_with("\xFF\x4F\xFF") ||
         (bytes.size() >= 12 && (bytes.substr(4, 4) == "jP  " || bytes.substr(4, 4) == "JXL "));
}

/// Where in bytes that begin with something else an image begins.
std::optional<std::uint64_t> FindImage(std::string_view bytes) {
  constexpr std::size_t kLength = 4;  // of the first box, in front of its type
  std::size_t first = std::min(bytes.find("\xFF\xD8\xFF"), bytes.find("\xFF\x4F\xFF\x51"));
  for (const std::string_view box : {"jP  \r\n\x87\n", "JXL \r\n\x87\n"}) {
    const std::size_t found = bytes.find(box, kLength);
    if (found != std::string_view::npos) first = std::min(first, found - kLength);
  }
  if (first == std::string_view::npos) return std::nullopt;
  return first;
}

/// Frame headers, tables and parameters of JPEG (T.81 table B.1) and JPEG-LS (T.87 C.1.1).
bool IsForJpegDecoder(std::uint64_t marker) {
  constexpr std::uint64_t kReserved = 0xC8;
  return (marker >= 0xC0 && marker <= 0xDF && marker != kReserved) || marker == 0xF7 ||
         marker == 0xF8;
}

/// Segments of JPEG 2000 that say how the image is coded (T.800 table A.2, T.814).
bool IsForCodestreamDecoder(std::uint64_t marker) {
  return (marker >= 0xFF50 && marker <= 0xFF63) || (marker >= 0xFF90 && marker <= 0xFF93);
}

class Reader {
 public:
  /// `cells`: of one image; 0 if that is not known.
  Reader(Frame& frame, std::uint64_t cells, const FrameTextVisitor& visit)
      : frame_(frame), cells_(cells), visit_(visit) {}

  /// Whether the image may go on in another fragment.
  bool MayGoOn() { return Image().has_value(); }

  bool Run() {
    if (BeginsRle()) return Rle();
    const std::optional<std::uint64_t> image = Image();
    const std::uint64_t lead = image.value_or(std::min(kLongestLead, frame_.size()));
    if (Text(0, lead, true)) return true;
    if (!image) return false;
    const std::string begin(frame_.Bytes(*image, 2));
    if (begin == "\xFF\xD8") return Jpeg(*image);
    return begin == "\xFF\x4F" ? Codestream(*image, frame_.size()) : Boxes(*image);
  }
  bool AllAsNoise() { return Text(0, frame_.size(), true); }

 private:
  std::optional<std::uint64_t> Image() {
    if (BeginsFrame(frame_.Bytes(0, 12))) return 0;
    return BeginsRle() ? std::nullopt : FindImage(frame_.Bytes(0, kLongestLead));
  }

  std::uint64_t LittleNumber(std::uint64_t at) {
    std::uint64_t number = 0;
    for (std::uint64_t i = 4; i > 0; --i) {
      number = (number << 8U) | frame_.Number(at + i - 1, 1).value_or(0);
    }
    return number;
  }

  bool BeginsRle() {
    const std::uint64_t segments = LittleNumber(0);
    return segments >= 1 && segments <= kMostRleSegments && frame_.size() > kRleHeader &&
           LittleNumber(4) == kRleHeader;
  }

  bool Rle() {
    const std::uint64_t segments = LittleNumber(0);
    if (Text(4 + 4 * segments, kRleHeader, true)) return true;
    std::uint64_t begin = kRleHeader;
    for (std::uint64_t i = 1; i <= segments; ++i) {
      const std::uint64_t next = i < segments ? LittleNumber(4 + 4 * i) : frame_.size();
      if (next < begin || next > frame_.size()) return Text(begin, frame_.size(), true);
      if (Text(EndOfRleSegment(begin, next), next, true)) return true;
      begin = next;
    }
    return false;
  }

  /// Where as many bytes as the image has cells were packed.
  std::uint64_t EndOfRleSegment(std::uint64_t at, std::uint64_t end) {
    constexpr unsigned kNothing = 128;
    std::uint64_t left = cells_;
    while (left > 0 && at < end) {
      const std::string_view bytes = frame_.Some(at);
      if (bytes.empty()) return end;
      const std::uint64_t room = std::min<std::uint64_t>(bytes.size(), end - at);
      std::uint64_t i = 0;
      while (left > 0 && i < room) {
        const auto control = static_cast<unsigned char>(bytes[i]);
        const bool literal = control < kNothing;
        const std::uint64_t cells = literal ? control + 1U : 257U - control;
        i += literal ? control + 2U : control == kNothing ? 1U : 2U;
        if (control != kNothing) left -= std::min(left, cells);
      }
      at += i;
    }
    return std::min(at, end);
  }

  bool Text(std::uint64_t begin, std::uint64_t end, bool noise = false) {
    end = std::min(end, frame_.size());
    while (begin < end) {
      const std::string_view piece = frame_.Bytes(begin, std::min(end - begin, kPiece));
      if (piece.empty()) return false;
      if (visit_({.bytes = piece, .begin = begin, .noise = noise})) return true;
      if (begin + piece.size() >= end) return false;
      begin += piece.size() - std::min<std::uint64_t>(kOverlap, piece.size() - 1);
    }
    return false;
  }

  /// The next marker from `at` on that is none of those inside a scan.
  std::uint64_t NextMarker(std::uint64_t at) {
    while (at + 1 < frame_.size()) {
      const std::string_view bytes = frame_.Some(at);
      if (bytes.empty()) break;
      const std::size_t found = bytes.find('\xFF');
      if (found == std::string_view::npos) {
        at += bytes.size();
        continue;
      }
      at += found;
      const std::uint64_t next = found + 1 < bytes.size()
                                     ? static_cast<unsigned char>(bytes[found + 1])
                                     : frame_.Number(at + 1, 1).value_or(0);
      if (next >= 0xC0 && next != 0xFF && (next < 0xD0 || next > 0xD7)) return at;
      ++at;
    }
    return frame_.size();
  }

  bool Jpeg(std::uint64_t begin) {
    std::uint64_t at = begin + 2;
    while (const std::optional<std::uint64_t> head = frame_.Number(at, 2)) {
      const std::uint64_t marker = *head & 0xFFU;
      if ((*head >> 8U) != 0xFF || marker < 0xC0) {
        const std::uint64_t next = NextMarker(at);
        if (Text(at, next, true)) return true;
        at = next;
      } else if (marker == 0xFF) {  // fill bytes may stand in front of a marker
        ++at;
      } else if (marker == 0xD9) {
        const std::uint64_t next = NextImage(at + 2);
        if (Text(at + 2, next)) return true;
        at = next + 2;
      } else if (marker >= 0xD0 && marker <= 0xD8) {
        at += 2;
      } else {
        const std::uint64_t length = frame_.Number(at + 2, 2).value_or(0);
        const bool text = marker == 0xFE || (marker >= 0xE0 && marker <= 0xEF);
        if (!IsForJpegDecoder(marker) && Text(at + 4, at + 2 + length, !text)) return true;
        at += 2 + length;
        if (marker == 0xDA || length < 2) at = NextMarker(at);
      }
    }
    return false;
  }

  /// Another image in the same frame, as of a file with a preview behind it.
  std::uint64_t NextImage(std::uint64_t at) {
    for (at = NextMarker(at); at < frame_.size(); at = NextMarker(at + 2)) {
      if (frame_.Bytes(at, 3) == "\xFF\xD8\xFF") return at;
    }
    return frame_.size();
  }

  /// A codestream of JPEG 2000 in [begin, end), or several.
  bool Codestream(std::uint64_t begin, std::uint64_t end) {
    if (frame_.Number(begin, 2) != 0xFF4F) return Text(begin, end, true);
    std::uint64_t at = begin + 2;
    std::uint64_t tile_end = 0;
    while (at + 2 <= end) {
      const std::uint64_t marker = frame_.Number(at, 2).value_or(0);
      if (marker == 0xFFD9) {
        const auto next = FindImage(frame_.Bytes(at + 2, std::min(end - at - 2, kLongestLead)));
        if (!next) return Text(at + 2, end);
        if (Text(at + 2, at + 2 + *next)) return true;
        at += 2 + *next;
        if (frame_.Number(at, 2) != 0xFF4F) return Text(at, end, true);
        at += 2;
        continue;
      }
      if (marker == 0xFF93) {
        if (tile_end <= at) return Text(at + 2, end, true);
        at = tile_end;
        continue;
      }
      const std::uint64_t length = frame_.Number(at + 2, 2).value_or(0);
      if ((marker >> 8U) != 0xFF || length < 2) return Text(at, end, true);
      if (!IsForCodestreamDecoder(marker) &&
          Text(at + 4, std::min(end, at + 2 + length), marker != 0xFF64)) {
        return true;
      }
      if (marker == 0xFF90) {
        const std::uint64_t size = frame_.Number(at + 6, 4).value_or(0);
        tile_end = size == 0 ? EndOfCodestream(at, end) : at + size;
      }
      at += 2 + length;
    }
    return false;
  }

  /// The last tile-part may leave its length open: it ends with the codestream.
  /// No image data has a marker in it.
  std::uint64_t EndOfCodestream(std::uint64_t at, std::uint64_t end) {
    for (at = NextMarker(at); at < end; at = NextMarker(at + 2)) {
      if (frame_.Number(at, 2) == 0xFFD9) return at;
    }
    return end;
  }

  bool Boxes(std::uint64_t begin) {
    const std::uint64_t size = frame_.size();
    const bool jpeg_xl = frame_.Bytes(begin + 4, 4) == "JXL ";
    for (std::uint64_t at = begin; at + kBoxHeader <= size;) {
      std::uint64_t length = frame_.Number(at, 4).value_or(0);
      const std::string type(frame_.Bytes(at + 4, 4));
      std::uint64_t header = kBoxHeader;
      if (length == 1) {
        length = frame_.Number(at + kBoxHeader, 8).value_or(0);
        header += 8;
      }
      if (length == 0) length = size - at;
      if (length < header || length > size - at) return Text(at, size, true);
      if (type == "jp2c") {
        if (Codestream(at + header, at + length)) return true;
      } else if (const bool image = type == "jxlc" || type == "jxlp";
                 !(image && jpeg_xl) && Text(at + header, at + length, image)) {
        return true;
      }
      at += length;
    }
    return false;
  }

  Frame& frame_;
  std::uint64_t cells_;
  const FrameTextVisitor& visit_;
};

}  // namespace

bool ForEachTextOfFrame(std::string_view frame, std::uint64_t cells,
                        const FrameTextVisitor& visit) {
  Frame bytes(frame);
  return Reader(bytes, cells, visit).Run();
}

bool ForEachNoise(const ByteSource& source, std::uint64_t begin, std::uint64_t size,
                  const FrameTextVisitor& visit) {
  Frame bytes(source);
  bytes.AddFragment(begin, size);
  return Reader(bytes, 0, visit).AllAsNoise();
}

bool ForEachFrameText(const ByteSource& source, std::uint64_t begin, std::uint64_t size,
                      std::uint64_t cells, const FrameTextVisitor& visit) {
  constexpr std::uint64_t kItemHeader = 8;
  constexpr std::uint64_t kMagic = 12;
  const std::uint64_t end = begin + size;
  std::optional<Frame> frame;
  bool first = true;
  for (std::uint64_t at = begin; at + kItemHeader <= end;) {
    const std::string bytes =
        source.Read(at, std::min<std::uint64_t>(kItemHeader + kMagic, end - at));
    if (bytes.size() < kItemHeader) break;
    const auto byte = [&](std::size_t i) {
      return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i]));
    };
    const std::uint64_t length = byte(4) | (byte(5) << 8U) | (byte(6) << 16U) | (byte(7) << 24U);
    at += kItemHeader;
    if (length > end - at) break;
    const std::string_view value = std::string_view(bytes).substr(kItemHeader);
    if (first) {
      const std::string table = source.Read(at, length);
      if (visit({.bytes = table})) return true;
    } else if (frame && !BeginsFrame(value.substr(0, length))) {
      frame->AddFragment(at, length);
    } else {
      if (frame && Reader(*frame, cells, visit).Run()) return true;
      frame.emplace(source).AddFragment(at, length);
      if (Reader single(*frame, cells, visit); !single.MayGoOn()) {
        if (single.Run()) return true;
        frame.reset();
      }
    }
    first = false;
    at += length;
  }
  return frame && Reader(*frame, cells, visit).Run();
}

}  // namespace dcmveil::engine::guard
