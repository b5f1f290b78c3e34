// SPDX-License-Identifier: Apache-2.0
#include "tests/support/dicom_bytes.h"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <optional>
#include <stdexcept>

namespace dcmveil::testing {
namespace {

constexpr std::uint32_t kUndefined = 0xFFFFFFFF;
constexpr std::string_view kLongVrs = "OB OD OF OL OV OW SQ SV UC UN UR UT UV";

[[noreturn]] void Fail(const std::string& what, const std::string& where) {
  throw std::runtime_error(what + " at " + where);
}

bool IsLong(std::string_view vr) {
  const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (vr.size() != 2 || !capital(vr[0]) || !capital(vr[1])) return false;
  constexpr std::string_view kShortVrs =
      "AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US";
  if (kLongVrs.find(vr) != std::string_view::npos) return true;
  return kShortVrs.find(vr) == std::string_view::npos;  // unknown VRs are long
}

std::size_t WordOf(std::string_view vr) {
  for (const std::string_view two : {"US", "SS", "OW", "AT"}) {
    if (vr == two) return 2;
  }
  for (const std::string_view four : {"UL", "SL", "FL", "OF", "OL"}) {
    if (vr == four) return 4;
  }
  for (const std::string_view eight : {"FD", "OD", "SV", "UV", "OV"}) {
    if (vr == eight) return 8;
  }
  return 1;
}

std::string Swapped(std::string value, std::size_t word) {
  if (word < 2) return value;
  for (std::size_t at = 0; at + word <= value.size(); at += word) {
    std::reverse(value.begin() + static_cast<std::ptrdiff_t>(at),
                 value.begin() + static_cast<std::ptrdiff_t>(at + word));
  }
  return value;
}

void Put(std::string& bytes, std::uint64_t number, std::size_t size, bool big) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text.push_back(static_cast<char>(number >> (8 * i)));
  bytes += big ? Swapped(text, size) : text;
}

void PutTag(std::string& bytes, Tag tag, bool big) {
  Put(bytes, tag.group, 2, big);
  Put(bytes, tag.element, 2, big);
}

void PutHeader(std::string& bytes, Tag tag, std::string_view vr, std::uint32_t length,
               const Form& form) {
  PutTag(bytes, tag, form.big_endian);
  if (form.explicit_vr && tag.group != 0xFFFE) {
    bytes += vr;
    if (!IsLong(vr)) {
      Put(bytes, length, 2, form.big_endian);
      return;
    }
    Put(bytes, 0, 2, form.big_endian);
  }
  Put(bytes, length, 4, form.big_endian);
}

std::uint32_t Size(const std::string& bytes) { return static_cast<std::uint32_t>(bytes.size()); }

std::string EncodeOne(const Elem& elem, const Form& form) {
  std::string bytes;
  switch (elem.kind) {
    case Elem::Kind::kVerbatim:
      return elem.value;
    case Elem::Kind::kValue: {
      PutHeader(bytes, elem.tag, elem.vr, Size(elem.value), form);
      return bytes + (form.big_endian ? Swapped(elem.value, WordOf(elem.vr)) : elem.value);
    }
    case Elem::Kind::kSequence: {
      Form inner = form;
      if (elem.length != Elem::Length::kAsForm) {
        inner.undefined_length = elem.length == Elem::Length::kUndefined;
      }
      const std::string items = EncodeItems(elem.items, inner);
      PutHeader(bytes, elem.tag, elem.vr, inner.undefined_length ? kUndefined : Size(items), form);
      bytes += items;
      if (inner.undefined_length) PutHeader(bytes, {0xFFFE, 0xE0DD}, "", 0, form);
      return bytes;
    }
    case Elem::Kind::kFragments:
      PutHeader(bytes, elem.tag, elem.vr, kUndefined, form);
      for (const std::string& part : elem.parts) {
        PutHeader(bytes, {0xFFFE, 0xE000}, "", Size(part), form);
        bytes += part;
      }
      PutHeader(bytes, {0xFFFE, 0xE0DD}, "", 0, form);
      return bytes;
  }
  return bytes;
}

/// Reads what Decoded describes.
class Reader {
 public:
  Reader(std::string_view bytes, bool explicit_vr, bool big, Decoded& out)
      : bytes_(bytes), explicit_(explicit_vr), big_(big), out_(out) {}

  void All() {
    Elements("", false);
    if (at_ != bytes_.size()) Fail("bytes left over", std::to_string(at_));
  }

 private:
  std::uint64_t Number(std::size_t size) {
    if (bytes_.size() - at_ < size) Fail("end of data", std::to_string(at_));
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t from = big_ ? at_ + i : at_ + size - 1 - i;
      number = number << 8U | static_cast<unsigned char>(bytes_[from]);
    }
    at_ += size;
    return number;
  }
  std::string Take(std::size_t size, const std::string& where) {
    if (bytes_.size() - at_ < size) Fail("end of data", where);
    at_ += size;
    return std::string(bytes_.substr(at_ - size, size));
  }
  Tag NextTag() {
    const auto group = static_cast<std::uint16_t>(Number(2));
    return {group, static_cast<std::uint16_t>(Number(2))};
  }
  void Store(const std::string& path, Leaf leaf) {
    out_.order.push_back(path);
    if (!out_.elements.emplace(path, std::move(leaf)).second) Fail("duplicate", path);
  }

  void Elements(const std::string& prefix, bool in_item) {
    std::optional<Tag> last;
    while (in_item || at_ < bytes_.size()) {
      const Tag tag = NextTag();
      const std::string path = prefix + ToString(tag);
      if (tag == Tag(0xFFFE, 0xE00D) && in_item) {
        if (Number(4) != 0) Fail("length of a delimiter", path);
        return;
      }
      if (tag.group == 0xFFFE) Fail("a delimiter", path);
      if (tag.is_group_length()) Fail("a group length", path);
      if (last && tag <= *last) Fail("tags do not ascend", path);
      last = tag;
      One(tag, path);
    }
  }

  void One(Tag tag, const std::string& path) {
    std::string vr;
    std::uint64_t length = 0;
    if (explicit_) {
      vr = Take(2, path);
      if (IsLong(vr)) {
        if (Number(2) != 0) Fail("reserved bytes", path);
        length = Number(4);
      } else {
        length = Number(2);
      }
    } else {
      length = Number(4);
    }
    if (length != kUndefined) {
      if (vr == "SQ") Fail("a sequence of defined length", path);
      if (length % 2 != 0) Fail("odd length", path);
      const std::string value = Take(length, path);
      Store(path, {vr, big_ ? Swapped(value, WordOf(vr)) : value});
      return;
    }
    if (tag == Tag(0x7FE0, 0x0010)) {
      Store(path, {vr, FragmentsOf(path)});
      return;
    }
    if (!vr.empty() && vr != "SQ" && vr != "UN") Fail("undefined length", path);
    Store(path, {});
    int count = 0;
    for (;; ++count) {
      const Tag item = NextTag();
      const std::uint64_t item_length = Number(4);
      if (item == Tag(0xFFFE, 0xE0DD)) {
        if (item_length != 0) Fail("length of a delimiter", path);
        break;
      }
      if (item != Tag(0xFFFE, 0xE000)) Fail("no item", path);
      if (item_length != kUndefined) Fail("an item of defined length", path);
      Elements(path + "[" + std::to_string(count) + "].", true);
    }
    out_.elements[path] = {vr, std::to_string(count) + " item(s)"};
  }

  std::string FragmentsOf(const std::string& path) {
    const std::size_t start = at_;
    for (;;) {
      const Tag item = NextTag();
      const std::uint64_t length = Number(4);
      if (item == Tag(0xFFFE, 0xE0DD)) break;
      if (item != Tag(0xFFFE, 0xE000)) Fail("no fragment", path);
      Take(length, path);
    }
    return std::string(bytes_.substr(start, at_ - start));
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
  bool explicit_;
  bool big_;
  Decoded& out_;
};

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
  return text;
}

std::string RawInflate(std::string_view deflated) {
  z_stream stream = {};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) Fail("inflateInit2", "deflate");
  std::string plain(std::size_t{1} << 24U, '\0');
  std::string input(deflated);
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_out = static_cast<uInt>(plain.size());
  const int code = inflate(&stream, Z_FINISH);
  plain.resize(plain.size() - stream.avail_out);
  const uInt left = stream.avail_in;
  inflateEnd(&stream);
  if (code != Z_STREAM_END) Fail("inflate", "deflate");
  if (left > 1 || deflated.size() % 2 != 0) Fail("padding", "deflate");
  return plain;
}

}  // namespace

Elem Text(Tag tag, std::string_view vr, std::string_view value) {
  Elem elem = Raw(tag, vr, value);
  if (elem.value.size() % 2 != 0) elem.value.push_back(vr == "UI" ? '\0' : ' ');
  return elem;
}

Elem Raw(Tag tag, std::string_view vr, std::string_view value) {
  return {.tag = tag, .vr = std::string(vr), .value = std::string(value)};
}

Elem Seq(Tag tag, std::vector<DataSet> items) {
  return {.kind = Elem::Kind::kSequence, .tag = tag, .vr = "SQ", .items = std::move(items)};
}

Elem Fragments(std::vector<std::string> parts, std::string_view vr) {
  return {.kind = Elem::Kind::kFragments,
          .tag = {0x7FE0, 0x0010},
          .vr = std::string(vr),
          .parts = std::move(parts)};
}

Elem Verbatim(std::string bytes) {
  return {.kind = Elem::Kind::kVerbatim, .tag = {0xFFFF, 0xFFFF}, .value = std::move(bytes)};
}

std::string Le16(std::initializer_list<unsigned> numbers) {
  std::string bytes;
  for (const unsigned number : numbers) Put(bytes, number, 2, false);
  return bytes;
}

std::string Le32(std::initializer_list<std::uint32_t> numbers) {
  std::string bytes;
  for (const std::uint32_t number : numbers) Put(bytes, number, 4, false);
  return bytes;
}

std::string LeFloat(float number) {
  std::string bytes;
  Put(bytes, std::bit_cast<std::uint32_t>(number), 4, false);
  return bytes;
}

std::string LeDouble(double number) {
  std::string bytes;
  Put(bytes, std::bit_cast<std::uint64_t>(number), 8, false);
  return bytes;
}

std::string Encode(const DataSet& data_set, const Form& form) {
  std::string bytes;
  for (std::size_t i = 0; i < data_set.size();) {
    std::string group;
    const std::uint16_t number = data_set[i].tag.group;
    const bool verbatim = data_set[i].kind == Elem::Kind::kVerbatim;
    do {
      group += EncodeOne(data_set[i++], form);
    } while (i < data_set.size() && data_set[i].tag.group == number);
    if (form.group_lengths && !verbatim) {
      std::string length;
      Put(length, group.size(), 4, false);
      bytes += EncodeOne(Raw({number, 0}, "UL", length), form);
    }
    bytes += group;
  }
  return bytes;
}

std::string EncodeItems(const std::vector<DataSet>& items, const Form& form) {
  std::string bytes;
  for (const DataSet& item : items) {
    const std::string inside = Encode(item, form);
    PutHeader(bytes, {0xFFFE, 0xE000}, "", form.undefined_length ? kUndefined : Size(inside), form);
    bytes += inside;
    if (form.undefined_length) PutHeader(bytes, {0xFFFE, 0xE00D}, "", 0, form);
  }
  return bytes;
}

std::string Meta(const std::string& transfer_syntax, const FileParts& parts) {
  DataSet meta = {Raw({0x0002, 0x0001}, "OB", std::string("\0\1", 2))};
  if (!parts.meta_sop_class.empty()) {
    meta.push_back(Text({0x0002, 0x0002}, "UI", parts.meta_sop_class));
  }
  meta.push_back(Text({0x0002, 0x0003}, "UI", "1.2.3.4.5"));
  if (!transfer_syntax.empty()) meta.push_back(Text({0x0002, 0x0010}, "UI", transfer_syntax));
  meta.push_back(Text({0x0002, 0x0012}, "UI", "1.2.3.99"));
  meta = With(std::move(meta), parts.more_meta);
  std::string bytes;
  if (parts.preamble) {
    bytes = parts.preamble_text;
    bytes.resize(128, '\0');
    bytes += "DICM";
  }
  return bytes + Encode(meta, {.group_lengths = true});
}

std::string RawDeflate(const std::string& plain) {
  z_stream stream = {};
  deflateInit2(&stream, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string deflated(deflateBound(&stream, static_cast<uLong>(plain.size())), '\0');
  std::string input = plain;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(deflated.data());
  stream.avail_out = static_cast<uInt>(deflated.size());
  deflate(&stream, Z_FINISH);
  deflated.resize(deflated.size() - stream.avail_out);
  deflateEnd(&stream);
  if (deflated.size() % 2 != 0) deflated.push_back('\0');
  return deflated;
}

std::string File(const DataSet& data_set, const Syntax& syntax, const FileParts& parts) {
  std::string body = Encode(data_set, {.explicit_vr = syntax.explicit_vr,
                                       .big_endian = syntax.big_endian,
                                       .undefined_length = parts.undefined_length,
                                       .group_lengths = parts.group_lengths});
  if (syntax.deflated) body = RawDeflate(body);
  if (parts.meta) return Meta(syntax.uid, parts) + body;
  if (!parts.preamble) return body;
  std::string start = parts.preamble_text;
  start.resize(128, '\0');
  return start + "DICM" + body;
}

DataSet SmallCt() {
  return {Text({0x0008, 0x0005}, "CS", "ISO_IR 100"),
          Text({0x0008, 0x0016}, "UI", "1.2.840.10008.5.1.4.1.1.2"),
          Text({0x0008, 0x0018}, "UI", "1.2.3.4.5"),
          Text({0x0008, 0x0020}, "DA", "20200131"),
          Text({0x0008, 0x0060}, "CS", "CT"),
          Text({0x0010, 0x0010}, "PN", "DOE^JANE"),
          Text({0x0010, 0x0020}, "LO", "4711"),
          Text({0x0010, 0x0030}, "DA", "19580312"),
          Text({0x0020, 0x000D}, "UI", "1.2.3"),
          Text({0x0020, 0x000E}, "UI", "1.2.3.4"),
          Raw({0x0028, 0x0010}, "US", Le16({4}))};
}

DataSet EverythingInOne() {
  const DataSet reference = {Text({0x0008, 0x1150}, "UI", "1.2.840.10008.5.1.4.1.1.2"),
                             Text({0x0008, 0x1155}, "UI", "1.2.3.77")};
  const DataSet request = {Text({0x0008, 0x0020}, "DA", "20200130"),
                           Text({0x0008, 0x0090}, "PN", "REFERRER^JO"),
                           Text({0x0010, 0x0020}, "LO", "4711"),
                           Raw({0x0029, 0x0010}, "LO", "ACME"),
                           Text({0x0029, 0x1010}, "LO", "inner private"),
                           Raw({0x0029, 0x1011}, "LO", "gone"),
                           Seq({0x0040, 0x0008}, {{Seq({0x0008, 0x1110}, {reference})}, {}})};
  return With(SmallCt(), {Text({0x0008, 0x0008}, "CS", "ORIGINAL\\PRIMARY"),
                          Text({0x0008, 0x1070}, "PN", "OPERATOR^O"),
                          Seq({0x0008, 0x1110}, {reference, reference}),
                          Seq({0x0008, 0x1140}, {}),
                          Text({0x0010, 0x1030}, "DS", "72.5"),
                          Text({0x0010, 0x4000}, "LT", "a\\b"),
                          Raw({0x0018, 0x1310}, "US", Le16({0, 512, 512, 0})),
                          Raw({0x0018, 0x6020}, "SL", Le32({7})),
                          Raw({0x0018, 0x9087}, "FD", LeDouble(1000)),
                          Raw({0x0028, 0x0009}, "AT", Le16({0x0018, 0x1063})),
                          Raw({0x0028, 0x0106}, "US", Le16({1})),
                          Raw({0x0029, 0x0010}, "LO", "ACME"),
                          Raw({0x0029, 0x0011}, "LO", "OTHER "),
                          Text({0x0029, 0x1010}, "LO", "acme's"),
                          Text({0x0029, 0x1020}, "LO", "acme's, not named"),
                          Seq({0x0029, 0x1030}, {{Text({0x0010, 0x0010}, "PN", "DOE^JANE"),
                                                  Text({0x0010, 0x0020}, "LO", "4711")}}),
                          Text({0x0029, 0x1110}, "LO", "other's"),
                          Seq({0x0040, 0x0275}, {request, {}}),
                          Raw({0x6000, 0x3000}, "OW", std::string(8, 'o')),
                          NativePixels()});
}

DataSet With(DataSet base, const DataSet& more) {
  for (const Elem& elem : more) {
    const auto same = [&elem](const Elem& other) {
      return other.tag == elem.tag && elem.kind != Elem::Kind::kVerbatim;
    };
    base.erase(std::remove_if(base.begin(), base.end(), same), base.end());
    base.push_back(elem);
  }
  std::stable_sort(base.begin(), base.end(),
                   [](const Elem& a, const Elem& b) { return a.tag < b.tag; });
  return base;
}

DataSet Without(DataSet base, std::initializer_list<Tag> tags) {
  const auto listed = [&tags](const Elem& elem) {
    return std::find(tags.begin(), tags.end(), elem.tag) != tags.end();
  };
  base.erase(std::remove_if(base.begin(), base.end(), listed), base.end());
  return base;
}

Elem NativePixels() {
  std::string value;
  for (unsigned i = 0; i < 16; ++i) value += Le16({i * 257 + 1});
  return Raw({0x7FE0, 0x0010}, "OW", value);
}

std::string Decoded::Value(const std::string& path) const {
  const auto it = elements.find(path);
  return it == elements.end() ? "(absent)" : std::string(Trimmed(it->second.value));
}

std::string Decoded::VrOf(const std::string& path) const {
  const auto it = elements.find(path);
  return it == elements.end() ? "(absent)" : it->second.vr;
}

std::map<std::string, std::string> Decoded::Values() const {
  std::map<std::string, std::string> values;
  for (const auto& [path, leaf] : elements) values[path] = leaf.value;
  return values;
}

Decoded Decode(std::string_view file) {
  Decoded decoded;
  if (file.size() < 144 || file.substr(128, 4) != "DICM") Fail("no DICM", "128");
  if (file.substr(0, 128).find_first_not_of('\0') != std::string_view::npos) {
    Fail("text in the preamble", "0");
  }
  constexpr std::string_view kLengthHeader("\x02\0\0\0UL\x04\0", 8);
  if (file.substr(132, 8) != kLengthHeader) Fail("no group length", "132");
  std::uint32_t length = 0;
  for (std::size_t i = 4; i-- > 0;) {
    length = length << 8U | static_cast<unsigned char>(file[140 + i]);
  }
  if (file.size() - 144 < length) Fail("group length", "140");
  Decoded meta;
  Reader(file.substr(144, length), true, false, meta).All();
  for (const auto& [path, leaf] : meta.elements) {
    if (path.substr(0, 6) != "(0002,") Fail("no file meta information", path);
    decoded.meta[path] = std::string(Trimmed(leaf.value));
  }
  decoded.transfer_syntax = decoded.meta["(0002,0010)"];
  const std::string_view uid = decoded.transfer_syntax;
  const std::string_view rest = file.substr(144 + length);
  const std::string plain = uid == kDeflated.uid ? RawInflate(rest) : std::string(rest);
  Reader(plain, uid != kImplicit.uid, uid == kBig.uid, decoded).All();
  return decoded;
}

}  // namespace dcmveil::testing
