// SPDX-License-Identifier: Apache-2.0
#include "engine/guard/output.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "engine/dictionary.h"

namespace dcmveil::engine::guard {
namespace {

constexpr std::uint32_t kUndefined = 0xFFFFFFFF;
constexpr Tag kItem{0xFFFE, 0xE000};
constexpr Tag kItemEnd{0xFFFE, 0xE00D};
constexpr Tag kSequenceEnd{0xFFFE, 0xE0DD};
/// Native pixel data of unknown image size is searched as a whole up to here.
constexpr std::uint64_t kShortPixels = std::uint64_t{1} << 16U;

/// Pixel Data, Float Pixel Data, Double Float Pixel Data. Others of the group are elements as any.
bool HoldsFrames(Tag tag) {
  return tag == Tag(0x7FE0, 0x0010) || tag == Tag(0x7FE0, 0x0008) || tag == Tag(0x7FE0, 0x0009);
}

class Walker {
 public:
  /// Of the field that begins at `wanted` the path is kept.
  Walker(std::string_view bytes, Encoding encoding, std::size_t wanted)
      : bytes_(bytes), encoding_(encoding), wanted_(wanted) {}

  void Run() {
    // What is left belongs to the element that was read last.
    if (!Elements(bytes_.size(), false)) Add({.begin = last_, .end = bytes_.size()});
  }
  std::vector<ValueField> TakeFields() { return std::move(fields_); }
  Path TakePath() { return std::move(wanted_path_); }

 private:
  struct Header {
    Tag tag;
    std::optional<Vr> vr;
    std::uint32_t length = 0;
  };

  [[nodiscard]] std::size_t left() const { return bytes_.size() - at_; }
  [[nodiscard]] unsigned Byte(std::size_t at) const {
    return static_cast<unsigned char>(bytes_[at]);
  }
  std::uint32_t Take16() {
    const unsigned a = Byte(at_);
    const unsigned b = Byte(at_ + 1);
    at_ += 2;
    return encoding_.big_endian ? (a << 8U) | b : (b << 8U) | a;
  }
  std::uint32_t Take32() {
    const std::uint32_t a = Take16();
    const std::uint32_t b = Take16();
    return encoding_.big_endian ? (a << 16U) | b : (b << 16U) | a;
  }

  static bool HasLongLength(Vr vr) {
    constexpr VrSet kLong{Vr::OB, Vr::OD, Vr::OF, Vr::OL, Vr::OV, Vr::OW, Vr::SQ,
                          Vr::SV, Vr::UC, Vr::UN, Vr::UR, Vr::UT, Vr::UV};
    return kLong.contains(vr);
  }

  std::optional<Header> TakeHeader() {
    if (left() < 8) return std::nullopt;
    Header header;
    const auto group = static_cast<std::uint16_t>(Take16());
    header.tag = Tag(group, static_cast<std::uint16_t>(Take16()));
    if (group == 0xFFFE || !encoding_.explicit_vr) {
      header.length = Take32();
      if (group != 0xFFFE) {
        const Attribute* attribute = FindAttribute(header.tag);
        header.vr = attribute != nullptr ? attribute->vrs.first() : Vr::UN;
      }
      return header;
    }
    header.vr = VrFromString(bytes_.substr(at_, 2));
    at_ += 2;
    if (!header.vr) return std::nullopt;
    if (!HasLongLength(*header.vr)) {
      header.length = Take16();
      return header;
    }
    if (left() < 6) return std::nullopt;
    at_ += 2;
    header.length = Take32();
    return header;
  }

  void Add(ValueField field) {
    field.tag = path_.back().tag;
    fields_.push_back(field);
    if (field.begin == wanted_) wanted_path_ = path_;
  }

  // Elements up to `end`, or up to the item's delimiter.
  bool Elements(std::size_t end, bool delimited) {
    path_.emplace_back();
    ImageSize image;
    while (at_ < end) {
      last_ = at_;
      const std::optional<Header> header = TakeHeader();
      if (!header) return false;
      if (header->tag == kItemEnd && delimited) {
        path_.pop_back();
        return true;
      }
      path_.back() = {.tag = header->tag};
      last_ = at_;
      const bool pixels = HoldsFrames(header->tag);
      if (header->length == kUndefined) {
        // The head ends with the header of the pixel data.
        if (pixels && at_ == bytes_.size()) break;
        if (!Items(bytes_.size(), true, pixels, image.cells())) return false;
        continue;
      }
      if (header->length > end - at_) {
        if (!pixels || at_ != bytes_.size()) return false;
        break;
      }
      const std::size_t value_end = at_ + header->length;
      if (header->vr == Vr::SQ) {
        if (!Items(value_end, false, false, 0)) return false;
        continue;
      }
      image.Learn(header->tag, bytes_.substr(at_, header->length), encoding_.big_endian);
      const std::uint64_t image_size = pixels ? image.BytesIn(header->length) : 0;
      Add({.begin = at_,
           .end = value_end,
           .vr = *header->vr,
           .pixels = pixels,
           .image_size = static_cast<std::size_t>(image_size)});
      at_ = value_end;
    }
    path_.pop_back();
    return !delimited;
  }

  bool Items(std::size_t end, bool delimited, bool fragments, std::uint64_t cells) {
    const std::size_t step = path_.size() - 1;
    int index = 0;
    while (at_ < end) {
      last_ = at_;
      const std::optional<Header> header = TakeHeader();
      if (!header) return false;
      if (header->tag == kSequenceEnd && delimited) {
        path_[step].item = -1;
        return true;
      }
      if (header->tag != kItem || path_.size() > kDeepest) return false;
      path_[step].item = index++;
      if (header->length == kUndefined) {
        if (fragments || !Elements(bytes_.size(), true)) return false;
        continue;
      }
      if (header->length > end - at_) return false;
      if (fragments) {
        Add({.begin = at_,
             .end = at_ + header->length,
             .vr = Vr::OB,
             .pixels = true,
             .fragment = true,
             .cells = cells});
        at_ += header->length;
        continue;
      }
      if (!Elements(at_ + header->length, false)) return false;
    }
    path_[step].item = -1;
    return !delimited;
  }

  static constexpr std::size_t kDeepest = 64;
  std::string_view bytes_;
  Encoding encoding_;
  std::size_t wanted_;
  std::vector<ValueField> fields_;
  Path wanted_path_;
  std::size_t at_ = 0;
  std::size_t last_ = 0;
  Path path_;
};

}  // namespace

void ImageSize::Learn(Tag tag, std::string_view value, bool big_endian) {
  if (tag.group != 0x0028) return;
  if (tag == kTags[1]) {
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    std::uint64_t frames = 0;
    std::from_chars(value.data(), value.data() + value.size(), frames);
    frames_ = std::max<std::uint64_t>(frames, 1);
    return;
  }
  if (value.size() < 2) return;
  const auto byte = [&](std::size_t at) -> unsigned {
    return static_cast<unsigned char>(value[at]);
  };
  const unsigned number = big_endian ? byte(0) << 8U | byte(1) : byte(1) << 8U | byte(0);
  if (tag == kTags[0]) samples_ = number;
  if (tag == kTags[2]) rows_ = number;
  if (tag == kTags[3]) columns_ = number;
  if (tag == kTags[4]) bits_ = number;
}

std::uint64_t ImageSize::BytesIn(std::uint64_t size) const {
  // Four numbers of 16 bits; the frames may be any number.
  const std::uint64_t bits = rows_ * columns_ * samples_ * bits_;
  if (bits == 0) return size <= kShortPixels ? 0 : size;
  if (frames_ > (std::numeric_limits<std::uint64_t>::max() - 7) / bits) return size;
  return std::min(size, (bits * frames_ + 7) / 8);
}

std::vector<ValueField> ValueFieldsOf(std::string_view elements, Encoding encoding) {
  Walker walker(elements, encoding, std::string_view::npos);
  walker.Run();
  return walker.TakeFields();
}

Path PathOf(const ValueField& field, std::string_view elements, Encoding encoding) {
  Walker walker(elements, encoding, field.begin);
  walker.Run();
  return walker.TakePath();
}

const ValueField* FieldAt(const std::vector<ValueField>& fields, std::size_t begin,
                          std::size_t end) {
  auto field = std::upper_bound(fields.begin(), fields.end(), begin,
                                [](std::size_t at, const ValueField& f) { return at < f.begin; });
  if (field == fields.begin()) return nullptr;
  --field;
  return end <= field->end ? &*field : nullptr;
}

}  // namespace dcmveil::engine::guard
