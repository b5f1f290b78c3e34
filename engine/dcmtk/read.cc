// SPDX-License-Identifier: Apache-2.0
#include "engine/dcmtk/read.h"

#include <zlib.h>

#include <mutex>

#include "dcmtk/dcmdata/dcdeftag.h"
#include "dcmtk/dcmdata/dcdict.h"
#include "dcmtk/dcmdata/dcistrmb.h"
#include "dcmtk/dcmdata/dcmetinf.h"
#include "dcmtk/dcmdata/dcuid.h"
#include "dcmtk/dcmdata/dcxfer.h"
#include "dcmtk/oflog/oflog.h"
#include "dcmveil/vr.h"
#include "engine/dcmtk/element.h"
#include "engine/dictionary.h"

namespace dcmveil::engine {
namespace {

constexpr std::uint64_t kPreamble = 128;
constexpr std::size_t kChunk = 262144;
/// A deflated data set is held in memory, and one of a megabyte can grow to a gigabyte.
constexpr std::size_t kLongestInflated = std::size_t{256} << 20U;

/// DCMTK's log is the one thing of it that prints, and its warnings may quote values.
void SilenceDcmtk() {
  static std::once_flag once;
  std::call_once(once, [] { OFLog::configure(OFLogger::OFF_LOG_LEVEL); });
}

OFCondition ReadFrom(DcmItem& item, std::string_view bytes, E_TransferSyntax syntax) {
  DcmInputBufferStream stream;
  stream.setBuffer(bytes.data(), static_cast<offile_off_t>(bytes.size()));
  stream.setEos();
  item.transferInit();
  const OFCondition condition = item.read(stream, syntax);
  item.transferEnd();
  return condition;
}

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

/// Tells the encoding of a data set without file meta information from its first element.
E_TransferSyntax GuessSyntax(std::string_view start) {
  if (start.size() < 8) return EXS_Unknown;
  const auto byte = [&start](std::size_t i) -> unsigned {
    return static_cast<unsigned char>(start[i]);
  };
  const bool has_vr = VrFromString(start.substr(4, 2)).has_value();
  const unsigned little = byte(0) | (byte(1) << 8U);
  const unsigned big = (byte(0) << 8U) | byte(1);
  // Without meta information a data set begins in group 0008 (or with its length element).
  if (little == 0x0008) return has_vr ? EXS_LittleEndianExplicit : EXS_LittleEndianImplicit;
  if (big == 0x0008 && has_vr) return EXS_BigEndianExplicit;
  return EXS_Unknown;
}

/// Transfer syntaxes that this DCMTK does not know yet, such as High-Throughput JPEG 2000. All that
/// the standard added for pixel data since 1996 are explicit VR little endian with fragments (PS3.5
/// A.4), and pixel data is carried, not decoded.
bool IsNewerEncapsulated(std::string_view uid) {
  return (uid.starts_with("1.2.840.10008.1.2.4.") || uid == "1.2.840.10008.1.2.8.1") &&
         IsRegisteredUid(uid);
}

struct Meta {
  std::uint64_t data_set = 0;
  std::string transfer_syntax_uid;
  std::string sop_class_uid;
};

std::string MetaText(DcmMetaInfo& meta, const DcmTagKey& key) {
  DcmElement* element = nullptr;
  if (meta.findAndGetElement(key, element).bad()) return {};
  return std::string(TrimPadding(RawValue(*element)));
}

/// The elements of group 0002 from `at` on, with a group length that is right; empty if they are
/// not in explicit VR little endian. Many writers got that length wrong (PS3.10 section 7.1), and
/// DCMTK would take it at its word: elements of the data set would go with the meta information.
std::string MetaWithLength(ByteSource& source, std::uint64_t at, std::uint64_t longest,
                           std::uint64_t& end) {
  const std::uint64_t begin = at;
  std::string elements;
  for (;;) {
    const std::string_view header = source.Head(at + 12).substr(std::min(at, source.size()));
    const auto byte = [&header](std::size_t i) -> std::uint32_t {
      return static_cast<unsigned char>(header[i]);
    };
    if (header.size() < 8 || byte(0) != 0x02 || byte(1) != 0) break;
    const std::optional<Vr> vr = VrFromString(header.substr(4, 2));
    if (!vr) return {};
    const bool long_form = VrSet{Vr::OB, Vr::OW, Vr::UN, Vr::UT}.contains(*vr);
    if (long_form && header.size() < 12) return {};
    const std::uint32_t length =
        long_form ? byte(8) | (byte(9) << 8U) | (byte(10) << 16U) | (byte(11) << 24U)
                  : byte(6) | (byte(7) << 8U);
    const std::uint64_t size = (long_form ? 12U : 8U) + std::uint64_t{length};
    if (at + size - begin > longest || at + size > source.size()) return {};
    const bool is_group_length = byte(2) == 0 && byte(3) == 0;
    if (!is_group_length) elements += source.Read(at, size);
    at += size;
  }
  end = at;
  if (elements.empty()) return {};
  std::string result("\x02\0\0\0UL\x04\0", 8);
  for (unsigned shift = 0; shift < 32; shift += 8) {
    result.push_back(static_cast<char>((elements.size() >> shift) & 0xFFU));
  }
  return result + elements;
}

/// The elements of group 0002 from `at` on, read as implicit VR, which some writers used. Not by
/// DCMTK: it guesses the encoding, and sets aside whatever a lying length asks for.
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
  const std::string mended = MetaWithLength(source, begin, kLongest, result.data_set);
  if (mended.empty()) return ReadImplicitMeta(source, begin, kLongest);
  DcmMetaInfo meta;
  const OFCondition condition = ReadFrom(meta, mended, EXS_Unknown);
  if (condition.bad()) {
    return Error{ErrorCode::kMalformed, "file meta information, " + ConditionCode(condition)};
  }
  result.transfer_syntax_uid = MetaText(meta, DCM_TransferSyntaxUID);
  result.sop_class_uid = MetaText(meta, DCM_MediaStorageSOPClassUID);
  return result;
}

}  // namespace

Result<ParsedInstance> ReadInstance(std::shared_ptr<ByteSource> source) {
  SilenceDcmtk();
  // Without its dictionary DCMTK reads every implicit VR element as UN.
  if (!dcmDataDict.isDictionaryLoaded())
    return Error{ErrorCode::kInternal, "DCMTK data dictionary"};

  Result<Meta> meta = ReadMeta(*source);
  if (!meta) return meta.error();
  ParsedInstance parsed;
  bool newer_encapsulated = false;
  if (!meta->transfer_syntax_uid.empty()) {
    parsed.syntax = DcmXfer(meta->transfer_syntax_uid.c_str()).getXfer();
    if (parsed.syntax == EXS_Unknown) {
      if (!IsNewerEncapsulated(meta->transfer_syntax_uid)) return ErrorCode::kUnsupportedSyntax;
      parsed.syntax = EXS_LittleEndianExplicit;
      newer_encapsulated = true;
    }
  } else {
    parsed.syntax = GuessSyntax(source->Peek(meta->data_set, 8));
    if (parsed.syntax == EXS_Unknown) return ErrorCode::kNotDicom;
  }
  if (meta->sop_class_uid == UID_MediaStorageDirectoryStorage) return ErrorCode::kDicomdir;
  const DcmXfer xfer(parsed.syntax);
  parsed.transfer_syntax_uid =
      newer_encapsulated ? meta->transfer_syntax_uid : std::string(xfer.getXferID());
  parsed.encoding = {.explicit_vr = xfer.isExplicitVR() != 0,
                     .big_endian = xfer.getByteOrder() == EBO_BigEndian};
  parsed.deflated = xfer.getStreamCompression() == ESC_zlib;
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
  const bool compressed = newer_encapsulated || xfer.isEncapsulated() != 0;
  if (extents->pixels && compressed != extents->pixels->encapsulated) {
    // PS3.5 A.4: compressed pixel data is a list of fragments, and only that.
    return Error{ErrorCode::kMalformed, ToString(extents->pixels->tag)};
  }
  // DCMTK must not inflate a second time.
  const E_TransferSyntax plain = parsed.deflated ? EXS_LittleEndianExplicit : parsed.syntax;
  const std::string_view head =
      source->Head(extents->head_end).substr(static_cast<std::size_t>(extents->begin));
  parsed.head = std::make_unique<DcmDataset>();
  if (!head.empty()) {
    const OFCondition condition = ReadFrom(*parsed.head, head, plain);
    if (condition.bad()) return Error{ErrorCode::kMalformed, ConditionCode(condition)};
  }
  // Of two elements with one tag DCMTK keeps the first and says nothing.
  parsed.extents.duplicates += static_cast<int>(extents->head_elements - parsed.head->card());
  if (extents->after_end > extents->after_begin) {
    const std::string after =
        source->Read(extents->after_begin, extents->after_end - extents->after_begin);
    parsed.after = std::make_unique<DcmDataset>();
    const OFCondition condition = ReadFrom(*parsed.after, after, plain);
    if (condition.bad()) return Error{ErrorCode::kMalformed, ConditionCode(condition)};
  }
  if (parsed.head->card() == 0) return ErrorCode::kNotDicom;
  parsed.source = std::move(source);
  return parsed;
}

Result<std::unique_ptr<DcmDataset>> ReadDataSet(std::string bytes, const std::string& syntax_uid) {
  SilenceDcmtk();
  const DcmXfer xfer(syntax_uid.c_str());
  if (xfer.getXfer() == EXS_Unknown || xfer.isEncapsulated() != 0 ||
      xfer.getStreamCompression() == ESC_zlib) {
    return ErrorCode::kUnsupportedSyntax;
  }
  const std::shared_ptr<ByteSource> source = ByteSource::FromMemory(std::move(bytes));
  const Encoding encoding{.explicit_vr = xfer.isExplicitVR() != 0,
                          .big_endian = xfer.getByteOrder() == EBO_BigEndian};
  const Result<Extents> extents = ScanDataSet(*source, 0, encoding);
  if (!extents) return extents.error();
  if (extents->pixels || extents->trailing_bytes) return ErrorCode::kMalformed;
  auto data_set = std::make_unique<DcmDataset>();
  const std::string_view all = source->memory().substr(0, extents->head_end);
  if (all.empty() || ReadFrom(*data_set, all, xfer.getXfer()).bad()) return ErrorCode::kMalformed;
  return data_set;
}

}  // namespace dcmveil::engine
