// SPDX-License-Identifier: Apache-2.0
#include "engine/encoding/elements.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "engine/dictionary.h"
#include "engine/private_blocks.h"
#include "engine/private_dictionary.h"

namespace dcmveil::engine {
namespace {

constexpr Tag kPixelData{0x7FE0, 0x0010};
constexpr Tag kPixelRepresentation{0x0028, 0x0103};

/// Swaps the bytes of each number; what is left over at the end stays.
std::string Swapped(std::string_view bytes, std::size_t width) {
  std::string swapped(bytes);
  for (std::size_t at = 0; at + width <= swapped.size(); at += width) {
    const auto begin = swapped.begin() + static_cast<std::ptrdiff_t>(at);
    std::reverse(begin, begin + static_cast<std::ptrdiff_t>(width));
  }
  return swapped;
}

/// The VR of a standard attribute in implicit VR; where there is a choice, the one that says least.
/// "US or SS" follows Pixel Representation (PS3.5 annex A.1).
Vr ImplicitVr(VrSet vrs, bool signed_pixels) {
  if (vrs.contains(Vr::OW)) return Vr::OW;
  if (vrs.contains(Vr::US)) return signed_pixels && vrs.contains(Vr::SS) ? Vr::SS : Vr::US;
  return vrs.first();
}

/// What stands from `first` on, in a vector of just that size.
template <typename T>
std::vector<T> TakeFrom(std::vector<T>& stack, std::size_t first) {
  const auto begin = stack.begin() + static_cast<std::ptrdiff_t>(first);
  std::vector<T> taken(std::make_move_iterator(begin), std::make_move_iterator(stack.end()));
  stack.erase(begin, stack.end());
  return taken;
}

class Reader {
 public:
  Reader(std::string_view bytes, Encoding encoding, std::vector<DataElement>* dropped = nullptr)
      : bytes_(bytes), encoding_(encoding), dropped_(dropped) {}

  /// Elements up to `end`, or up to the item's delimiter.
  Status ReadItem(std::size_t end, bool delimited, int depth, Item& item);
  /// Items up to `end`, or up to the sequence's delimiter.
  Status ReadItems(std::size_t end, bool delimited, int depth, Sequence& items);
  [[nodiscard]] std::size_t at() const { return at_; }

 private:
  struct Header {
    Tag tag;
    std::optional<Vr> vr;  ///< in explicit VR, if it is one
    std::uint32_t length = 0;
  };

  [[nodiscard]] bool ReadHeader(std::size_t end, Header& header);
  Status ReadUndefined(const Header& header, std::size_t end, int depth);
  Status ReadValue(const Header& header, std::size_t end, int depth, const PrivateBlocks& blocks);
  [[nodiscard]] Vr VrOf(const Header& header, const PrivateBlocks& blocks) const;
  [[nodiscard]] std::size_t FragmentsEnd(std::size_t end) const;

  [[nodiscard]] unsigned Byte(std::size_t at) const {
    return static_cast<unsigned char>(bytes_[at]);
  }
  [[nodiscard]] std::uint16_t U16(std::size_t at) const {
    const unsigned a = Byte(at);
    const unsigned b = Byte(at + 1);
    return static_cast<std::uint16_t>(encoding_.big_endian ? a << 8U | b : b << 8U | a);
  }
  [[nodiscard]] std::uint32_t U32(std::size_t at) const {
    const std::uint32_t a = U16(at);
    const std::uint32_t b = U16(at + 2);
    return encoding_.big_endian ? a << 16U | b : b << 16U | a;
  }

  std::string_view bytes_;
  Encoding encoding_;
  std::vector<DataElement>* dropped_;
  std::size_t at_ = 0;
  /// Of the items that are being read, the innermost last: a vector of an item's own would grow
  /// several times, and keep the room.
  std::vector<DataElement> elements_;
  std::vector<Item> items_;
  bool signed_pixels_ = false;  ///< Pixel Representation, as far as it was read
};

bool Reader::ReadHeader(std::size_t end, Header& header) {
  if (at_ > end || end - at_ < 8) return false;
  header.tag = Tag(U16(at_), U16(at_ + 2));
  header.vr.reset();
  if (!encoding_.explicit_vr || header.tag.group == 0xFFFE) {
    header.length = U32(at_ + 4);
    at_ += 8;
    return true;
  }
  const std::string_view vr = bytes_.substr(at_ + 4, 2);
  header.vr = VrFromString(vr);
  if (!HasLongLength(header.vr, vr)) {
    header.length = U16(at_ + 6);
    at_ += 8;
    return true;
  }
  if (end - at_ < 12) return false;
  header.length = U32(at_ + 8);
  at_ += 12;
  return true;
}

Vr Reader::VrOf(const Header& header, const PrivateBlocks& blocks) const {
  if (encoding_.explicit_vr) return header.vr.value_or(Vr::UN);
  const Tag tag = header.tag;
  if (const Attribute* attribute = FindAttribute(tag)) {
    return ImplicitVr(attribute->vrs, signed_pixels_);
  }
  if (tag.is_group_length()) return Vr::UL;
  if (tag.is_private_creator()) return Vr::LO;
  const std::string_view creator = blocks.CreatorOf(tag);
  return creator.empty() ? Vr::UN : PrivateVr(tag, creator).value_or(Vr::UN);
}

/// The end of a list of fragments that begins here; 0 if there is none up to `end`.
std::size_t Reader::FragmentsEnd(std::size_t end) const {
  for (std::size_t at = at_; end - at >= 8;) {
    const Tag tag(U16(at), U16(at + 2));
    const std::uint32_t length = U32(at + 4);
    at += 8;
    if (tag == kSequenceEnd) return at;
    if (tag != kItem || length > end - at) return 0;
    at += length;
  }
  return 0;
}

Status Reader::ReadUndefined(const Header& header, std::size_t end, int depth) {
  const bool unknown = encoding_.explicit_vr ? !header.vr || header.vr == Vr::UN : false;
  if (header.tag == kPixelData && !unknown) {
    const std::size_t behind = FragmentsEnd(end);
    if (behind == 0) return ErrorCode::kMalformed;
    const Vr vr = header.vr.value_or(Vr::OW);
    elements_.push_back(DataElement::Fragments(header.tag, vr, bytes_.substr(at_, behind - at_)));
    at_ = behind;
    return Done{};
  }
  Sequence items;
  // PS3.5 section 6.2.2, note: what is UN with undefined length is in implicit VR little endian.
  const Encoding outer = encoding_;
  if (unknown) encoding_ = {.explicit_vr = false};
  const Status status = ReadItems(end, true, depth + 1, items);
  encoding_ = outer;
  if (!status) return status;
  elements_.push_back(DataElement::Of(header.tag, std::move(items)));
  return Done{};
}

Status Reader::ReadValue(const Header& header, std::size_t end, int depth,
                         const PrivateBlocks& blocks) {
  if (header.length == kUndefinedLength) return ReadUndefined(header, end, depth);
  if (header.length > end - at_) return ErrorCode::kMalformed;
  const Vr vr = VrOf(header, blocks);
  const std::string_view value = bytes_.substr(at_, header.length);
  if (vr == Vr::SQ) {
    // The scan did not know that this is a sequence if only DCMTK's private dictionary says so.
    const bool sound = !header.tag.is_private() || encoding_.explicit_vr ||
                       IsItemList(value, encoding_, depth + 1);
    if (!sound) return ErrorCode::kMalformed;
    Sequence items;
    const Status status = ReadItems(at_ + header.length, false, depth + 1, items);
    if (!status) return status;
    elements_.push_back(DataElement::Of(header.tag, std::move(items)));
    return Done{};
  }
  if (header.tag == kPixelRepresentation && value.size() >= 2) {
    signed_pixels_ = value.front() == '\1';
  }
  const std::size_t width = encoding_.big_endian ? NumberWidth(vr) : 1;
  if (width > 1) {
    elements_.push_back(DataElement::Of(header.tag, vr, Swapped(value, width)));
  } else {
    const bool text = kTextVrs.contains(vr);
    elements_.push_back(DataElement::View(header.tag, vr, text ? TrimPadding(value) : value));
  }
  at_ += header.length;
  return Done{};
}

Status Reader::ReadItem(std::size_t end, bool delimited, int depth, Item& item) {
  const std::size_t first = elements_.size();
  PrivateBlocks blocks;
  bool ascending = true;
  while (delimited || at_ < end) {
    Header header;
    if (!ReadHeader(end, header)) return ErrorCode::kMalformed;
    if (header.tag == kItemEnd && delimited) break;
    if (header.tag.group == 0xFFFE) return ErrorCode::kMalformed;
    ascending = ascending && (elements_.size() == first || elements_.back().tag() < header.tag);
    const Status status = ReadValue(header, end, depth, blocks);
    if (!status) return status;
    if (!encoding_.explicit_vr && header.tag.is_private_creator()) {
      blocks.Reserve(header.tag, elements_.back());
    }
  }
  item.elements = TakeFrom(elements_, first);
  if (ascending) return Done{};
  std::vector<DataElement>& elements = item.elements;
  const auto by_tag = [](const DataElement& a, const DataElement& b) { return a.tag() < b.tag(); };
  std::stable_sort(elements.begin(), elements.end(), by_tag);
  std::vector<DataElement> kept;
  for (DataElement& element : elements) {
    if (kept.empty() || kept.back().tag() != element.tag()) {
      kept.push_back(std::move(element));
    } else if (dropped_ != nullptr) {
      dropped_->push_back(std::move(element));
    }
  }
  elements = std::move(kept);
  return Done{};
}

Status Reader::ReadItems(std::size_t end, bool delimited, int depth, Sequence& items) {
  if (depth > kMaxDepth) return ErrorCode::kTooDeep;
  const std::size_t first = items_.size();
  while (delimited || at_ < end) {
    Header header;
    if (!ReadHeader(end, header)) return ErrorCode::kMalformed;
    if (header.tag == kSequenceEnd && delimited) break;
    if (header.tag != kItem) return ErrorCode::kMalformed;
    const bool item_delimited = header.length == kUndefinedLength;
    if (!item_delimited && header.length > end - at_) return ErrorCode::kMalformed;
    Item item;
    const Status status =
        ReadItem(item_delimited ? end : at_ + header.length, item_delimited, depth, item);
    if (!status) return status;
    items_.push_back(std::move(item));
  }
  items = TakeFrom(items_, first);
  return Done{};
}

/// The header of one element, put together on its own: one growing of the output for all of it.
class HeaderBytes {
 public:
  explicit HeaderBytes(bool big_endian) : big_endian_(big_endian) {}
  void Put16(std::uint32_t value) {
    const auto low = static_cast<char>(value & 0xFFU);
    const auto high = static_cast<char>((value >> 8U) & 0xFFU);
    Put(big_endian_ ? high : low);
    Put(big_endian_ ? low : high);
  }
  void Put32(std::uint32_t value) {
    Put16(big_endian_ ? value >> 16U : value & 0xFFFFU);
    Put16(big_endian_ ? value & 0xFFFFU : value >> 16U);
  }
  void Put(Tag tag) {
    Put16(tag.group);
    Put16(tag.element);
  }
  void Put(char c) { bytes_[size_++] = c; }
  [[nodiscard]] std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  bool big_endian_;
  std::array<char, 12> bytes_;
  std::size_t size_ = 0;
};

class Writer {
 public:
  Writer(Encoding encoding, std::string& bytes) : encoding_(encoding), bytes_(bytes) {}
  void Add(const Item& item) {
    for (const DataElement& element : item.elements) Add(element);
  }
  void Add(const DataElement& element);

 private:
  void AppendHeader(Tag tag, Vr vr, std::uint32_t length);
  /// Of an item or a delimiter: no VR.
  void AppendHeader(Tag tag, std::uint32_t length) {
    HeaderBytes header(encoding_.big_endian);
    header.Put(tag);
    header.Put32(length);
    bytes_ += header.view();
  }

  Encoding encoding_;
  std::string& bytes_;
};

void Writer::AppendHeader(Tag tag, Vr vr, std::uint32_t length) {
  HeaderBytes header(encoding_.big_endian);
  header.Put(tag);
  bool is_long = true;
  if (encoding_.explicit_vr) {
    // PS3.5 section 6.2.2: a value that is too long for a short length is UN.
    const bool fits = length <= 0xFFFF || HasLongLength(vr, {});
    const Vr written = fits ? vr : Vr::UN;
    const std::string_view name = ToString(written);
    header.Put(name[0]);
    header.Put(name[1]);
    is_long = HasLongLength(written, {});
    if (is_long) header.Put16(0);
  }
  if (is_long) {
    header.Put32(length);
  } else {
    header.Put16(length);
  }
  bytes_ += header.view();
}

void Writer::Add(const DataElement& element) {
  if (const Sequence* items = element.sequence()) {
    AppendHeader(element.tag(), Vr::SQ, kUndefinedLength);
    for (const Item& item : *items) {
      AppendHeader(kItem, kUndefinedLength);
      Add(item);
      AppendHeader(kItemEnd, 0);
    }
    AppendHeader(kSequenceEnd, 0);
    return;
  }
  if (element.is_fragments()) {
    AppendHeader(element.tag(), element.vr(), kUndefinedLength);
    bytes_ += element.fragments();
    return;
  }
  const std::string_view value = element.value();
  const bool odd = value.size() % 2 != 0;
  AppendHeader(element.tag(), element.vr(), static_cast<std::uint32_t>(value.size() + odd));
  const std::size_t width = encoding_.big_endian ? NumberWidth(element.vr()) : 1;
  if (width > 1) {
    bytes_ += Swapped(value, width);
  } else {
    bytes_ += value;
  }
  const bool blank = kTextVrs.contains(element.vr()) && element.vr() != Vr::UI;
  if (odd) bytes_.push_back(blank ? ' ' : '\0');
}

}  // namespace

Result<Item> ReadElements(std::string_view bytes, Encoding encoding,
                          std::vector<DataElement>* dropped) {
  Reader reader(bytes, encoding, dropped);
  Item item;
  const Status status = reader.ReadItem(bytes.size(), false, 0, item);
  if (!status) return status.error();
  return item;
}

std::optional<DataElement> MakeSequence(Tag tag, std::string_view bytes, int depth) {
  if (bytes.size() > kLongestOpened) return std::nullopt;
  for (const Encoding encoding : {Encoding{.explicit_vr = false}, Encoding{},
                                  Encoding{.explicit_vr = true, .big_endian = true}}) {
    if (!IsItemList(bytes, encoding, depth)) continue;
    auto storage = std::make_unique<std::string>(bytes);
    Reader reader(*storage, encoding);
    Sequence items;
    if (!reader.ReadItems(storage->size(), false, depth, items)) continue;
    return DataElement::Of(tag, std::move(items), std::move(storage));
  }
  return std::nullopt;
}

void AppendElements(const Item& item, Encoding encoding, std::string& bytes) {
  Writer(encoding, bytes).Add(item);
}

void AppendElement(const DataElement& element, Encoding encoding, std::string& bytes) {
  Writer(encoding, bytes).Add(element);
}

}  // namespace dcmveil::engine
