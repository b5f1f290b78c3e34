// SPDX-License-Identifier: Apache-2.0
#include "engine/encoding/read.h"

#include <zlib.h>

#include <algorithm>

#include "dcmveil/tag.h"
#include "engine/dcmtk/syntax.h"
#include "engine/dictionary.h"
#include "engine/encoding/elements.h"

namespace dcmveil::engine {
namespace {

constexpr Tag kMediaStorageSopClassUid{0x0002, 0x0002};
constexpr Tag kTransferSyntaxUid{0x0002, 0x0010};
constexpr std::string_view kImplicitLittleEndian = "1.2.840.10008.1.2";
constexpr std::string_view kExplicitLittleEndian = "1.2.840.10008.1.2.1";
constexpr std::string_view kExplicitBigEndian = "1.2.840.10008.1.2.2";
constexpr std::string_view kMediaStorageDirectory = "1.2.840.10008.1.3.10";
constexpr std::uint64_t kPreamble = 128;
constexpr std::size_t kChunk = 262144;
/// A deflated data set is held in memory, and one of a megabyte can grow to a gigabyte.
constexpr std::size_t kLongestInflated = std::size_t{256} << 20U;

Result<std::string> Inflate(const std::string& deflated) {
  z_stream stream = {};
  if (deflated.size() > kLongestInflated) return ErrorCode::kTooLarge;
  // Negative: raw deflate without a header (PS3.5 A.5).
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return ErrorCode::kOutOfMemory;
  std::string inflated;
  std::string chunk(kChunk, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(deflated.data()));
  stream.avail_in = static_cast<uInt>(deflated.size());
  int code = Z_OK;
  while (code == Z_OK && inflated.size() <= kLongestInflated) {
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    code = inflate(&stream, Z_NO_FLUSH);
    inflated.append(chunk, 0, chunk.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (inflated.size() > kLongestInflated) return ErrorCode::kTooLarge;
  if (code != Z_STREAM_END) {
    return Error{code == Z_BUF_ERROR ? ErrorCode::kTruncated : ErrorCode::kMalformed, "deflate"};
  }
  return inflated;
}

/// Tells the transfer syntax of a data set without file meta information from its first element;
/// empty if it is none.
std::string_view GuessSyntax(std::string_view start) {
  if (start.size() < 8) return {};
  const auto byte = [&start](std::size_t i) -> unsigned {
    return static_cast<unsigned char>(start[i]);
  };
  const bool has_vr = VrFromString(start.substr(4, 2)).has_value();
  const unsigned little = byte(0) | (byte(1) << 8U);
  const unsigned big = (byte(0) << 8U) | byte(1);
  // Without meta information a data set begins in group 0008 (or with its length element).
  if (little == 0x0008) return has_vr ? kExplicitLittleEndian : kImplicitLittleEndian;
  if (big == 0x0008 && has_vr) return kExplicitBigEndian;
  return {};
}

struct Meta {
  std::uint64_t data_set = 0;
  std::string transfer_syntax_uid;
  std::string sop_class_uid;
};

/// The elements of group 0002 from `at` on in explicit VR little endian; nothing if they are not.
/// By their tags, not by the group's length: many writers got that wrong (PS3.10 section 7.1).
std::optional<Meta> ReadExplicitMeta(ByteSource& source, std::uint64_t at, std::uint64_t longest) {
  const std::uint64_t begin = at;
  Meta meta;
  bool any = false;
  for (;;) {
    const std::string_view header = source.Head(at + 12).substr(std::min(at, source.size()));
    const auto byte = [&header](std::size_t i) -> std::uint32_t {
      return static_cast<unsigned char>(header[i]);
    };
    if (header.size() < 8 || byte(0) != 0x02 || byte(1) != 0) break;
    const std::optional<Vr> vr = VrFromString(header.substr(4, 2));
    if (!vr) return std::nullopt;
    const bool long_form = HasLongLength(vr, {});
    if (long_form && header.size() < 12) return std::nullopt;
    const std::uint32_t length =
        long_form ? byte(8) | (byte(9) << 8U) | (byte(10) << 16U) | (byte(11) << 24U)
                  : byte(6) | (byte(7) << 8U);
    const std::uint64_t value = at + (long_form ? 12U : 8U);
    const Tag tag(0x0002, static_cast<std::uint16_t>(byte(2) | (byte(3) << 8U)));
    at = value + length;
    if (at - begin > longest || at > source.size()) return std::nullopt;
    any = any || !tag.is_group_length();
    const auto text = [&] { return std::string(TrimPadding(source.Peek(value, length))); };
    // Of two the first counts, as in the data set.
    if (tag == kMediaStorageSopClassUid && meta.sop_class_uid.empty()) meta.sop_class_uid = text();
    if (tag == kTransferSyntaxUid && meta.transfer_syntax_uid.empty()) {
      meta.transfer_syntax_uid = text();
    }
  }
  if (!any) return std::nullopt;
  meta.data_set = at;
  return meta;
}

/// The same in implicit VR, which some writers used.
Result<Meta> ReadImplicitMeta(ByteSource& source, std::uint64_t at, std::uint64_t longest) {
  const std::uint64_t begin = at;
  Meta result;
  for (;;) {
    const std::string_view header = source.Head(at + 8).substr(std::min(at, source.size()));
    const auto byte = [&header](std::size_t i) -> std::uint32_t {
      return static_cast<unsigned char>(header[i]);
    };
    if (header.size() < 8 || byte(0) != 0x02 || byte(1) != 0) break;
    const std::uint32_t element = byte(2) | (byte(3) << 8U);
    const std::uint32_t length = byte(4) | (byte(5) << 8U) | (byte(6) << 16U) | (byte(7) << 24U);
    const std::uint64_t value = at + 8;
    at = value + length;
    if (at - begin > longest || at > source.size()) {
      return Error{ErrorCode::kMalformed, "file meta information"};
    }
    const auto text = [&] { return std::string(TrimPadding(source.Read(value, length))); };
    if (element == 0x0002) result.sop_class_uid = text();
    if (element == 0x0010) result.transfer_syntax_uid = text();
  }
  result.data_set = at;
  return result;
}

Result<Meta> ReadMeta(ByteSource& source) {
  Meta result;
  const std::string_view start = source.Head(kPreamble + 16);
  const bool has_magic = start.size() >= kPreamble + 4 && start.substr(kPreamble, 4) == "DICM";
  const bool bare_meta =
      !has_magic && start.size() >= 8 && start.substr(0, 2) == std::string_view("\x02\0", 2);
  if (!has_magic && !bare_meta) return result;
  // The group is short; a file meta information longer than this is none.
  constexpr std::uint64_t kLongest = 1U << 20U;
  const std::uint64_t begin = has_magic ? kPreamble + 4 : 0;
  std::optional<Meta> meta = ReadExplicitMeta(source, begin, kLongest);
  if (meta) return std::move(*meta);
  return ReadImplicitMeta(source, begin, kLongest);
}

}  // namespace

Result<ParsedInstance> ReadInstance(std::shared_ptr<ByteSource> source) {
  Result<Meta> meta = ReadMeta(*source);
  if (!meta) return meta.error();
  ParsedInstance parsed;
  parsed.transfer_syntax_uid = std::move(meta->transfer_syntax_uid);
  if (parsed.transfer_syntax_uid.empty()) {
    parsed.transfer_syntax_uid = GuessSyntax(source->Peek(meta->data_set, 8));
    if (parsed.transfer_syntax_uid.empty()) return ErrorCode::kNotDicom;
  }
  const std::optional<Syntax> syntax = FindSyntax(parsed.transfer_syntax_uid);
  if (!syntax) return ErrorCode::kUnsupportedSyntax;
  if (meta->sop_class_uid == kMediaStorageDirectory) return ErrorCode::kDicomdir;
  parsed.encoding = syntax->encoding;
  parsed.deflated = syntax->deflated;
  if (parsed.deflated) {
    Result<std::string> inflated =
        Inflate(source->Read(meta->data_set, source->size() - meta->data_set));
    if (!inflated) return inflated.error();
    source = ByteSource::FromMemory(std::move(inflated).value());
    meta->data_set = 0;
  }

  Result<Extents> extents = ScanDataSet(*source, meta->data_set, parsed.encoding);
  if (!extents) return extents.error();
  parsed.extents = *extents;
  if (extents->pixels && syntax->encapsulated != extents->pixels->encapsulated) {
    // PS3.5 A.4: compressed pixel data is a list of fragments, and only that.
    return Error{ErrorCode::kMalformed, ToString(extents->pixels->tag)};
  }
  const std::string_view head =
      source->Head(extents->head_end).substr(static_cast<std::size_t>(extents->begin));
  Result<Item> elements = ReadElements(head, parsed.encoding, &parsed.dropped);
  if (!elements) return elements.error();
  parsed.head = std::move(*elements);
  parsed.extents.duplicates +=
      static_cast<int>(extents->head_elements - parsed.head.elements.size());
  if (extents->after_end > extents->after_begin) {
    parsed.after_bytes = std::make_unique<std::string>(
        source->Read(extents->after_begin, extents->after_end - extents->after_begin));
    elements = ReadElements(*parsed.after_bytes, parsed.encoding, &parsed.dropped);
    if (!elements) return elements.error();
    parsed.after = std::move(*elements);
  }
  if (parsed.head.elements.empty()) return ErrorCode::kNotDicom;
  parsed.source = std::move(source);
  return parsed;
}

Result<Item> ReadDataSet(std::string_view bytes, const std::string& syntax_uid) {
  const std::optional<Syntax> syntax = FindSyntax(syntax_uid);
  if (!syntax || syntax->encapsulated || syntax->deflated) return ErrorCode::kUnsupportedSyntax;
  const std::shared_ptr<ByteSource> source = ByteSource::FromMemory(std::string(bytes));
  const Result<Extents> extents = ScanDataSet(*source, 0, syntax->encoding);
  if (!extents) return extents.error();
  if (extents->pixels || extents->trailing_bytes) return ErrorCode::kMalformed;
  if (extents->head_elements == 0) return ErrorCode::kMalformed;
  return ReadElements(bytes.substr(0, extents->head_end), syntax->encoding);
}

}  // namespace dcmveil::engine
