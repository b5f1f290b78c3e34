// SPDX-License-Identifier: Apache-2.0
#include "engine/encoding/scan.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "dcmveil/tag.h"
#include "engine/dictionary.h"

namespace dcmveil::engine {
namespace {

constexpr Tag kPixelData{0x7FE0, 0x0010};
/// Compressed frames up to this many bytes are read into memory, together.
constexpr std::uint64_t kShortFrames = 524288;
/// VRs with a 32-bit length behind two reserved bytes (PS3.5 table 7.1-1).
constexpr VrSet kLongVrs{Vr::OB, Vr::OD, Vr::OF, Vr::OL, Vr::OV, Vr::OW, Vr::SQ,
                         Vr::SV, Vr::UC, Vr::UN, Vr::UR, Vr::UT, Vr::UV};

struct Header {
  Tag tag;
  char vr[2] = {'U', 'N'};
  bool is_sequence = false;
  bool is_unknown = false;  ///< VR UN or no known VR
  std::uint32_t length = 0;
  std::uint64_t value = 0;
};

bool IsPixelTag(Tag tag) {
  return tag.group == 0x7FE0 &&
         (tag.element == 0x0008 || tag.element == 0x0009 || tag.element == 0x0010);
}

/// The bytes that are looked at: a growing head of a source, or a plain buffer.
class Window {
 public:
  /// What lies behind kLongestHead bytes from `begin` on does not exist, but for `too_large`.
  Window(ByteSource& source, std::uint64_t begin)
      : source_(&source), size_(source.size()), limit_(begin + kLongestHead) {}
  explicit Window(std::string_view bytes) : view_(bytes), size_(bytes.size()) {}
  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// Takes note of two elements in a row. False when too many stand behind one with a higher tag:
  /// no writer does that by mistake.
  [[nodiscard]] bool MayFollow(Tag last, Tag next) {
    return next >= last || ++out_of_order_ <= kMostOutOfOrder;
  }
  void CountDuplicate() { ++duplicates_; }
  [[nodiscard]] int duplicates() const { return duplicates_; }
  /// Takes note of an element or item; false beyond kMostElements.
  [[nodiscard]] bool Count() {
    too_large_ = too_large_ || (source_ != nullptr && ++elements_ > kMostElements);
    return !too_large_;
  }
  void SetTooLarge() { too_large_ = true; }
  /// Whether a limit is why something could not be read.
  [[nodiscard]] bool too_large() const { return too_large_; }
  /// Bytes [offset, offset + n), or empty if they do not exist.
  [[nodiscard]] const unsigned char* At(std::uint64_t offset, std::uint64_t n) {
    if (offset > size_ || n > size_ - offset) return nullptr;
    if (offset + n > limit_) {
      too_large_ = true;
      return nullptr;
    }
    if (source_ != nullptr && offset + n > view_.size()) {
      view_ = source_->HeadAndMore(offset + n);
      if (view_.size() < offset + n) return nullptr;
    }
    return reinterpret_cast<const unsigned char*>(view_.data() + offset);
  }

 private:
  static constexpr int kMostOutOfOrder = 1000;
  ByteSource* source_ = nullptr;
  std::string_view view_;
  std::uint64_t size_;
  std::uint64_t limit_ = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t elements_ = 0;
  bool too_large_ = false;
  int out_of_order_ = 0;
  int duplicates_ = 0;
};

std::uint16_t U16(const unsigned char* p, bool big) {
  return static_cast<std::uint16_t>(big ? (p[0] << 8U) | p[1] : (p[1] << 8U) | p[0]);
}
std::uint32_t U32(const unsigned char* p, bool big) {
  return big ? (static_cast<std::uint32_t>(U16(p, true)) << 16U) | U16(p + 2, true)
             : (static_cast<std::uint32_t>(U16(p + 2, false)) << 16U) | U16(p, false);
}

bool IsDelimiter(Tag tag) { return tag.group == 0xFFFE; }

/// False when the header does not fit in what is left.
bool ReadHeader(Window& window, std::uint64_t at, Encoding encoding, Header& header) {
  if (!window.Count()) return false;
  const unsigned char* p = window.At(at, 8);
  if (p == nullptr) return false;
  const bool big = encoding.big_endian;
  header = Header{};
  header.tag = Tag(U16(p, big), U16(p + 2, big));
  if (!encoding.explicit_vr || IsDelimiter(header.tag)) {
    header.length = U32(p + 4, big);
    header.value = at + 8;
    if (!IsDelimiter(header.tag)) {
      const Attribute* attribute = FindAttribute(header.tag);
      header.is_sequence = attribute != nullptr && attribute->vrs == VrSet(Vr::SQ);
      header.is_unknown = attribute == nullptr;
    }
    return true;
  }
  header.vr[0] = static_cast<char>(p[4]);
  header.vr[1] = static_cast<char>(p[5]);
  const std::optional<Vr> vr = VrFromString(std::string_view(header.vr, 2));
  header.is_sequence = vr == Vr::SQ;
  header.is_unknown = !vr || vr == Vr::UN;
  if (!HasLongLength(vr, std::string_view(header.vr, 2))) {
    header.length = U16(p + 6, big);
    header.value = at + 8;
    return true;
  }
  p = window.At(at, 12);
  if (p == nullptr) return false;
  header.length = U32(p + 8, big);
  header.value = at + 12;
  return true;
}

using End = Result<std::uint64_t>;

End ScanElements(Window& window, std::uint64_t at, std::uint64_t end, bool delimited,
                 Encoding encoding, int depth);

/// Items up to `end`, or up to the sequence delimiter; returns where the sequence ends.
End ScanItems(Window& window, std::uint64_t at, std::uint64_t end, bool delimited,
              Encoding encoding, int depth) {
  if (depth > kMaxDepth) return ErrorCode::kTooDeep;
  while (delimited || at < end) {
    Header header;
    if (!ReadHeader(window, at, encoding, header) || header.value > end) {
      return ErrorCode::kTruncated;
    }
    if (header.tag == kSequenceEnd && delimited) return header.value;
    if (header.tag != kItem) return ErrorCode::kMalformed;
    if (header.length == kUndefinedLength) {
      const End inside = ScanElements(window, header.value, end, true, encoding, depth);
      if (!inside) return inside;
      at = *inside;
    } else {
      if (header.length > end - header.value) return ErrorCode::kTruncated;
      at = header.value + header.length;
      const End inside = ScanElements(window, header.value, at, false, encoding, depth);
      if (!inside) return inside;
    }
  }
  return at;
}

/// Fragments of encapsulated pixel data; returns the offset behind the sequence delimiter.
template <typename PeekHeader>
End ScanFragments(std::uint64_t at, std::uint64_t end, const PeekHeader& peek) {
  for (;;) {
    const unsigned char* p = peek(at);
    if (p == nullptr || end - at < 8) return ErrorCode::kTruncated;
    const Tag tag(U16(p, false), U16(p + 2, false));
    const std::uint32_t length = U32(p + 4, false);
    at += 8;
    if (tag == kSequenceEnd) return at;
    if (tag != kItem || length == kUndefinedLength) return ErrorCode::kMalformed;
    if (length > end - at) return ErrorCode::kTruncated;
    at += length;
  }
}

/// Whether the value is read as text. One of many short values needs many times its own memory.
bool IsText(const Header& header, Encoding encoding) {
  constexpr VrSet kBinary{Vr::OB, Vr::OD, Vr::OF, Vr::OL, Vr::OV, Vr::OW, Vr::SQ, Vr::UN,
                          Vr::FD, Vr::FL, Vr::SL, Vr::SS, Vr::UL, Vr::US, Vr::SV, Vr::UV};
  if (const Attribute* attribute = FindAttribute(header.tag)) {
    return !attribute->vrs.intersects(kBinary);
  }
  const std::optional<Vr> vr = VrFromString(std::string_view(header.vr, 2));
  return encoding.explicit_vr && vr && !kBinary.contains(*vr);
}

/// What lies in one element's value; returns where the element ends.
End ScanValue(Window& window, const Header& header, std::uint64_t end, Encoding encoding,
              int depth) {
  if (header.length == kUndefinedLength) {
    if (header.tag == kPixelData && !header.is_unknown) {
      return ScanFragments(header.value, end,
                           [&window](std::uint64_t at) { return window.At(at, 8); });
    }
    if (encoding.explicit_vr && !header.is_sequence && !header.is_unknown) {
      return ErrorCode::kMalformed;
    }
    // PS3.5 section 6.2.2, note: what is UN with undefined length is in implicit VR little endian.
    const Encoding inner = header.is_sequence ? encoding : Encoding{.explicit_vr = false};
    return ScanItems(window, header.value, end, true, encoding.explicit_vr ? inner : encoding,
                     depth + 1);
  }
  if (header.length > end - header.value) return ErrorCode::kTruncated;
  if (header.length > kLongestOpened && IsText(header, encoding)) {
    window.SetTooLarge();
    return ErrorCode::kTooLarge;
  }
  const std::uint64_t value_end = header.value + header.length;
  if (header.length >= 8 && window.At(header.value, header.length) == nullptr) {
    return ErrorCode::kReadFailed;
  }
  if (header.is_sequence) {
    return ScanItems(window, header.value, value_end, false, encoding, depth + 1);
  }
  if (!encoding.explicit_vr && header.length >= 8) {
    // A private sequence may stand here: if it looks like one, its depth must be checked too. That
    // it is none is no error.
    const unsigned char* p = window.At(header.value, header.length);
    if (Tag(U16(p, false), U16(p + 2, false)) == kItem) {
      const End inside = ScanItems(window, header.value, value_end, false, encoding, depth + 1);
      if (!inside && inside.error().code == ErrorCode::kTooDeep) return inside;
    }
  }
  return value_end;
}

End ScanElements(Window& window, std::uint64_t at, std::uint64_t end, bool delimited,
                 Encoding encoding, int depth) {
  Tag last;
  while (delimited || at < end) {
    Header header;
    if (!ReadHeader(window, at, encoding, header) || header.value > end) {
      return ErrorCode::kTruncated;
    }
    if (header.tag == kItemEnd && delimited) return header.value;
    if (IsDelimiter(header.tag)) return ErrorCode::kMalformed;
    if (!window.MayFollow(last, header.tag)) return ErrorCode::kMalformed;
    if (header.tag == last) window.CountDuplicate();
    last = header.tag;
    const End next = ScanValue(window, header, end, encoding, depth);
    if (!next) return next;
    at = *next;
  }
  return at;
}

/// Whether everything from `at` on reads as data elements that somebody could have meant.
bool AreElements(Window& window, std::uint64_t at, std::uint64_t end, Encoding encoding) {
  if (at == end) return false;
  while (at < end) {
    Header header;
    if (!ReadHeader(window, at, encoding, header) || header.tag == Tag() ||
        header.tag.group < 0x0008 || IsDelimiter(header.tag)) {
      return false;
    }
    const bool meant = encoding.explicit_vr
                           ? VrFromString(std::string_view(header.vr, 2)).has_value()
                           : FindAttribute(header.tag) != nullptr || header.tag.is_private();
    if (!meant || header.tag == Tag(0xFFFC, 0xFFFC)) return false;
    const End next = ScanValue(window, header, end, encoding, 0);
    if (!next) return false;
    at = *next;
  }
  return true;
}

Error At(const Error& error, Tag tag) { return Error{error.code, ToString(tag)}; }

/// Whether native pixel data begins as a list of items does: data elements in disguise.
bool HoldsItem(ByteSource& source, const Header& header, Encoding encoding) {
  if (header.length == kUndefinedLength || header.length < 8) return false;
  const std::string_view start = source.Peek(header.value, 4);
  if (start.size() < 4) return false;
  const auto* p = reinterpret_cast<const unsigned char*>(start.data());
  return Tag(U16(p, encoding.big_endian), U16(p + 2, encoding.big_endian)) == kItem;
}

/// What a tag looks like that was read from filler bytes, or from too few of them.
bool IsFillerTag(Tag tag) {
  return tag == Tag() || tag == Tag(0x2020, 0x2020) || tag == Tag(0xFFFF, 0xFFFF);
}

/// True if everything from `at` on is one repeated filler byte: sectors written out in full.
bool IsFiller(ByteSource& source, std::uint64_t at) {
  constexpr std::uint64_t kLongest = 1U << 20U;
  if (source.size() - at > kLongest) return false;
  const std::string rest = source.Read(at, source.size() - at);
  return !rest.empty() && (rest[0] == '\0' || rest[0] == ' ' || rest[0] == '\xFF') &&
         rest.find_first_not_of(rest[0]) == std::string::npos;
}

/// Whether the header of a data element that the dictionary knows stands anywhere in the bytes.
bool HoldsKnownElement(std::string_view bytes, Encoding encoding) {
  for (std::size_t at = 0; at + 8 <= bytes.size(); ++at) {
    const auto* p = reinterpret_cast<const unsigned char*>(bytes.data()) + at;
    const Attribute* attribute =
        FindAttribute({U16(p, encoding.big_endian), U16(p + 2, encoding.big_endian)});
    if (attribute == nullptr) continue;
    const std::optional<Vr> vr = VrFromString(bytes.substr(at + 4, 2));
    if (!encoding.explicit_vr || (vr && attribute->vrs.contains(*vr))) return true;
  }
  return false;
}

/// Whether everything from `at` on is no data element at all: bytes that somebody hung on to a
/// finished data set. An image that has not come to its pixel data is not finished.
bool IsNoise(ByteSource& source, std::uint64_t at, Encoding encoding, bool is_image) {
  constexpr std::uint64_t kLongest = 1U << 16U;
  if (is_image || source.size() - at > kLongest) return false;
  const std::string rest = source.Read(at, source.size() - at);
  return !rest.empty() && !HoldsKnownElement(rest, encoding);
}

}  // namespace

bool HasLongLength(std::optional<Vr> vr, std::string_view spelled) {
  if (vr) return kLongVrs.contains(*vr);
  // What looks like a VR (two capitals) is one that came after this program; those have long
  // lengths (PS3.5 section 7.1.2).
  const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  return spelled.size() == 2 && capital(spelled[0]) && capital(spelled[1]);
}

Result<Extents> ScanDataSet(ByteSource& source, std::uint64_t begin, Encoding encoding) {
  Extents extents;
  extents.begin = begin;
  const std::uint64_t size = source.size();
  Window window(source, begin);
  std::uint64_t at = begin;
  Tag last;
  bool is_image = false;
  while (at < size) {
    Header header;
    const bool readable = ReadHeader(window, at, encoding, header);
    if (window.too_large()) return ErrorCode::kTooLarge;
    if (IsFillerTag(header.tag) && IsFiller(source, at)) {
      extents.trailing_bytes = true;
      break;
    }
    if (!readable || header.tag == Tag() || IsDelimiter(header.tag)) {
      return Error{readable ? ErrorCode::kMalformed : ErrorCode::kTruncated, ToString(header.tag)};
    }
    if (IsPixelTag(header.tag)) {
      PixelExtent pixels;
      pixels.tag = header.tag;
      pixels.element = at;
      if (encoding.explicit_vr) std::memcpy(pixels.vr, header.vr, 2);
      if (header.is_sequence || HoldsItem(source, header, encoding)) {
        return Error{ErrorCode::kMalformed, ToString(header.tag)};
      }
      pixels.value = header.value;
      pixels.encapsulated = header.length == kUndefinedLength;
      if (pixels.encapsulated) {
        // Fragments in UN are items of a sequence to every other reader.
        if (header.tag != kPixelData || (encoding.explicit_vr && header.is_unknown))
          return Error{ErrorCode::kMalformed, ToString(header.tag)};
        // One read instead of one for each fragment here, and more for the guard.
        if (size - header.value <= kShortFrames) (void)source.Head(size);
        const End end = ScanFragments(header.value, size, [&source](std::uint64_t offset) {
          const std::string_view bytes = source.Peek(offset, 8);
          return bytes.size() < 8 ? nullptr : reinterpret_cast<const unsigned char*>(bytes.data());
        });
        if (!end) return At(end.error(), header.tag);
        pixels.size = *end - header.value;
      } else {
        if (header.length > size - header.value) {
          return Error{ErrorCode::kTruncated, ToString(header.tag)};
        }
        pixels.size = header.length;
      }
      extents.pixels = pixels;
      break;
    }
    const bool may_follow = window.MayFollow(last, header.tag);
    const End next =
        may_follow ? ScanValue(window, header, size, encoding, 0) : End(ErrorCode::kMalformed);
    if (!next) {
      if (window.too_large()) return Error{ErrorCode::kTooLarge, ToString(header.tag)};
      if (extents.head_elements > 0 && IsNoise(source, at, encoding, is_image)) {
        extents.trailing_bytes = true;
        break;
      }
      return At(next.error(), header.tag);
    }
    last = header.tag;
    is_image = is_image || header.tag == Tag(0x0028, 0x0010);
    at = *next;
    ++extents.head_elements;
  }
  extents.head_end = at;
  extents.duplicates = window.duplicates();
  if (!extents.pixels) {
    extents.after_begin = extents.after_end = size;
    return extents;
  }

  // Behind the pixel data only elements with higher tags can be part of the data set.
  at = extents.pixels->value + extents.pixels->size;
  extents.after_begin = at;
  last = extents.pixels->tag;
  if (at < size) {
    // Short by nature; what is larger cannot be told from a data set that went wrong.
    constexpr std::uint64_t kLongest = 64U << 20U;
    if (size - at > kLongest) return Error{ErrorCode::kMalformed, ToString(last)};
    const std::string rest = source.Read(at, size - at);
    if (rest.size() != size - at) return ErrorCode::kReadFailed;
    Window tail{std::string_view(rest)};
    std::uint64_t offset = 0;
    while (offset < rest.size()) {
      Header header;
      if (!ReadHeader(tail, offset, encoding, header) || header.tag <= last ||
          IsDelimiter(header.tag)) {
        break;
      }
      if (encoding.explicit_vr && !VrFromString(std::string_view(header.vr, 2))) break;
      const End next = ScanValue(tail, header, rest.size(), encoding, 0);
      if (!next) {
        if (next.error().code == ErrorCode::kTooDeep) return At(next.error(), header.tag);
        break;
      }
      last = header.tag;
      offset = *next;
    }
    // Elements in the wrong place are not noise: dropping them would be a loss that nobody sees.
    if (AreElements(tail, offset, rest.size(), encoding)) {
      return Error{ErrorCode::kMalformed, ToString(last)};
    }
    at += offset;
  }
  extents.after_end = at;
  extents.trailing_bytes = at < size;
  return extents;
}

bool IsItemList(std::string_view bytes, Encoding encoding, int depth) {
  Window window(bytes);
  const End end = ScanItems(window, 0, bytes.size(), false, encoding, depth);
  return end.ok() && *end == bytes.size();
}

}  // namespace dcmveil::engine
