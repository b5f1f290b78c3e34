// SPDX-License-Identifier: Apache-2.0
#include "engine/encoding/write.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <random>
#include <span>
#include <utility>

#include "dcmveil/tag.h"
#include "engine/encoding/elements.h"

namespace dcmveil::engine {
namespace {

constexpr std::uint64_t kChunk = 262144;
/// What an output's header is usually longer than the input's, at most.
constexpr std::size_t kRoomForMarks = 1024;

/// Ours alone: the decimal form of a random UUID (PS3.5 B.2).
constexpr std::string_view kImplementationClassUid = "2.25.214748394213307561120948261087725106913";

void Append16(std::string& bytes, unsigned value, bool big_endian) {
  const auto low = static_cast<char>(value & 0xFFU);
  const auto high = static_cast<char>((value >> 8U) & 0xFFU);
  bytes.push_back(big_endian ? high : low);
  bytes.push_back(big_endian ? low : high);
}

void Append32(std::string& bytes, std::uint32_t value, bool big_endian) {
  Append16(bytes, big_endian ? value >> 16U : value & 0xFFFFU, big_endian);
  Append16(bytes, big_endian ? value & 0xFFFFU : value >> 16U, big_endian);
}

/// File meta information elements are explicit VR little endian (PS3.10 section 7.1).
void AppendMeta(std::string& meta, unsigned element, std::string_view vr, std::string value) {
  if (value.size() % 2 != 0) value.push_back(vr == "UI" ? '\0' : ' ');
  Append16(meta, 0x0002, false);
  Append16(meta, element, false);
  meta += vr;
  if (vr == "OB") {
    Append16(meta, 0, false);
    Append32(meta, static_cast<std::uint32_t>(value.size()), false);
  } else {
    Append16(meta, static_cast<unsigned>(value.size()), false);
  }
  meta += value;
}

std::string MetaBytes(std::string_view sop_class_uid, std::string_view sop_instance_uid,
                      std::string_view transfer_syntax_uid) {
  std::string meta;
  AppendMeta(meta, 0x0001, "OB", std::string("\x00\x01", 2));
  AppendMeta(meta, 0x0002, "UI", std::string(sop_class_uid));
  AppendMeta(meta, 0x0003, "UI", std::string(sop_instance_uid));
  AppendMeta(meta, 0x0010, "UI", std::string(transfer_syntax_uid));
  AppendMeta(meta, 0x0012, "UI", std::string(kImplementationClassUid));
  AppendMeta(meta, 0x0013, "SH", "DCMVEIL_" + std::string(Version()));
  std::string bytes(128, '\0');
  bytes += "DICM";
  Append16(bytes, 0x0002, false);
  Append16(bytes, 0x0000, false);
  bytes += "UL";
  Append16(bytes, 4, false);
  Append32(bytes, static_cast<std::uint32_t>(meta.size()), false);
  return bytes.append(meta);
}

/// The header of a pixel data element; `size` is the length of a native value.
std::string PixelHeader(const ParsedInstance& parsed, const PixelExtent& pixels,
                        std::uint32_t size) {
  const bool big = parsed.encoding.big_endian;
  std::string header;
  Append16(header, pixels.tag.group, big);
  Append16(header, pixels.tag.element, big);
  if (parsed.encoding.explicit_vr) {
    const std::string_view vr(pixels.vr, 2);
    const bool legal = vr == "OB" || vr == "OW" || vr == "OF" || vr == "OD" || vr == "UN";
    header += legal ? vr : std::string_view("OW");
    Append16(header, 0, big);
  }
  Append32(header, size, big);
  return header;
}

Result<std::string> Deflate(const std::string& plain) {
  z_stream stream = {};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    return ErrorCode::kOutOfMemory;
  }
  std::string deflated(deflateBound(&stream, static_cast<uLong>(plain.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(deflated.data());
  stream.avail_out = static_cast<uInt>(deflated.size());
  const int code = deflate(&stream, Z_FINISH);
  deflated.resize(deflated.size() - stream.avail_out);
  deflateEnd(&stream);
  if (code != Z_STREAM_END) return ErrorCode::kEncodeFailed;
  // PS3.5 A.5: padded to even length.
  if (deflated.size() % 2 != 0) deflated.push_back('\0');
  return deflated;
}

/// Writes pieces that lie in memory, several with one call.
class Gatherer {
 public:
  explicit Gatherer(int descriptor) : descriptor_(descriptor) {}

  /// `bytes` must stay until the next Flush.
  [[nodiscard]] Status Add(std::string_view bytes) {
    if (bytes.empty()) return Done{};
    if (count_ == pieces_.size()) {
      const Status status = Flush();
      if (!status) return status;
    }
    pieces_[count_++] = {.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
    return Done{};
  }
  [[nodiscard]] Status Flush() {
    std::span<iovec> left(pieces_.data(), std::exchange(count_, 0));
    while (!left.empty()) {
      const ssize_t n = ::writev(descriptor_, left.data(), static_cast<int>(left.size()));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return ErrorCode::kWriteFailed;
      auto done = static_cast<std::size_t>(n);
      while (!left.empty() && done >= left.front().iov_len) {
        done -= left.front().iov_len;
        left = left.subspan(1);
      }
      if (left.empty()) break;
      left.front().iov_base = static_cast<char*>(left.front().iov_base) + done;
      left.front().iov_len -= done;
    }
    return Done{};
  }

 private:
  int descriptor_;
  std::array<iovec, 8> pieces_{};
  std::size_t count_ = 0;
};

Status WriteAll(int descriptor, std::string_view bytes) {
  Gatherer gatherer(descriptor);
  const Status status = gatherer.Add(bytes);
  return status ? gatherer.Flush() : status;
}

/// In the kernel where it can; else, and where the file systems do not agree, through memory.
Status CopyRange(int from, std::uint64_t offset, std::uint64_t size, int to) {
  auto position = static_cast<off_t>(offset);
  while (size > 0) {
    const ssize_t n = ::copy_file_range(from, &position, to, nullptr, size, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    size -= static_cast<std::uint64_t>(n);
  }
  std::string chunk;
  while (size > 0) {
    chunk.resize(static_cast<std::size_t>(std::min(size, kChunk)));
    const ssize_t n = ::pread(from, chunk.data(), chunk.size(), position);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return ErrorCode::kReadFailed;
    const Status status =
        WriteAll(to, std::string_view(chunk).substr(0, static_cast<std::size_t>(n)));
    if (!status) return status;
    position += n;
    size -= static_cast<std::uint64_t>(n);
  }
  return Done{};
}

/// `offset` counts from the start of the segment.
void ApplyMask(const std::string& mask, std::uint64_t offset, std::string& bytes) {
  if (mask.empty()) return;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(bytes[i] & mask[(offset + i) % mask.size()]);
  }
}

}  // namespace

EncodedParts EncodeParts(const ParsedInstance& parsed, PixelOutput output,
                         const std::string& pixel_mask, std::string_view sop_class_uid,
                         std::string_view sop_instance_uid) {
  EncodedParts parts;
  parts.meta = MetaBytes(sop_class_uid, sop_instance_uid, parsed.transfer_syntax_uid);
  parts.head.reserve(static_cast<std::size_t>(parsed.extents.head_end - parsed.extents.begin) +
                     kRoomForMarks);
  AppendElements(parsed.head, parsed.encoding, parts.head);
  if (parsed.extents.pixels && output != PixelOutput::kNone) {
    const PixelExtent& pixels = *parsed.extents.pixels;
    if (output == PixelOutput::kEmpty) {
      parts.head += PixelHeader(parsed, pixels, 0);
    } else {
      // A value field of odd length is padded as everything else is (PS3.5 section 7.1.1).
      const bool odd = !pixels.encapsulated && pixels.size % 2 != 0;
      parts.head += PixelHeader(parsed, pixels,
                                pixels.encapsulated
                                    ? 0xFFFFFFFFU
                                    : static_cast<std::uint32_t>(pixels.size + (odd ? 1 : 0)));
      parts.pixels = {.bytes = {},
                      .source = parsed.source,
                      .offset = pixels.value,
                      .size = pixels.size,
                      .mask = pixel_mask};
      parts.tail_padding = odd ? 1 : 0;
      parts.tail.assign(parts.tail_padding, '\0');
    }
  }
  if (parsed.after) AppendElements(*parsed.after, parsed.encoding, parts.tail);
  return parts;
}

Result<EncodedInstance> Join(EncodedParts parts, bool deflated) {
  std::vector<Segment> segments(1);
  if (!deflated) parts.head.insert(0, parts.meta);
  segments[0].bytes = std::move(parts.head);
  if (parts.pixels) segments.push_back(std::move(*parts.pixels));
  if (!parts.tail.empty()) {
    segments.push_back({.bytes = std::move(parts.tail), .source = nullptr});
  }
  EncodedInstance encoded(std::move(segments));
  if (!deflated) return encoded;
  Result<std::string> whole = encoded.ToBytes();
  if (!whole) return whole.error();
  Result<std::string> compressed = Deflate(*whole);
  if (!compressed) return compressed.error();
  segments.assign(1, {.bytes = parts.meta + *compressed, .source = nullptr});
  return EncodedInstance(std::move(segments));
}

int RenameNoReplace(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // File systems without that flag have link(), which does not replace either.
  if (::link(from.c_str(), to.c_str()) != 0) return errno;
  ::unlink(from.c_str());
  return 0;
}

}  // namespace dcmveil::engine

namespace dcmveil {

namespace {

/// A new file in the folder, with a name that nobody has; -1 if none can be made.
int MakeTemporary(const std::filesystem::path& folder, std::filesystem::path& name) {
  std::random_device random;
  for (int attempt = 0; attempt < 16; ++attempt) {
    name = folder / (".dcmveil-" + std::to_string(random()) + std::to_string(random()));
    const int fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0 || errno != EEXIST) return fd;
  }
  return -1;
}

}  // namespace

EncodedInstance::EncodedInstance(std::vector<engine::Segment> segments)
    : segments_(std::make_shared<const std::vector<engine::Segment>>(std::move(segments))) {}

EncodedInstance::EncodedInstance() : EncodedInstance(std::vector<engine::Segment>()) {}

std::uint64_t EncodedInstance::size() const {
  std::uint64_t total = 0;
  for (const engine::Segment& segment : *segments_) {
    total += segment.source ? segment.size : segment.bytes.size();
  }
  return total;
}

Status EncodedInstance::WriteTo(int descriptor) const {
  engine::Gatherer gatherer(descriptor);
  for (const engine::Segment& segment : *segments_) {
    const bool masked = !segment.mask.empty();
    std::optional<std::string_view> bytes;
    if (!segment.source) {
      bytes = segment.bytes;
    } else if (!masked) {
      bytes = segment.source->InMemory(segment.offset, segment.size);
    }
    Status status = bytes ? gatherer.Add(*bytes) : gatherer.Flush();
    if (!status) return status;
    if (bytes) continue;
    if (masked) {
      for (std::uint64_t done = 0; done < segment.size && status; done += engine::kChunk) {
        const std::uint64_t n = std::min(engine::kChunk, segment.size - done);
        std::string chunk = segment.source->Read(segment.offset + done, n);
        if (chunk.size() != n) return ErrorCode::kReadFailed;
        engine::ApplyMask(segment.mask, done, chunk);
        status = engine::WriteAll(descriptor, chunk);
      }
    } else if (segment.source->descriptor() >= 0) {
      status =
          engine::CopyRange(segment.source->descriptor(), segment.offset, segment.size, descriptor);
    } else {
      status = ErrorCode::kReadFailed;  // the buffer is shorter than the extents said
    }
    if (!status) return status;
  }
  return gatherer.Flush();
}

Status EncodedInstance::WriteToFile(const std::filesystem::path& file) const {
  std::filesystem::path temporary;
  const int fd = MakeTemporary(file.parent_path(), temporary);
  if (fd < 0) return ErrorCode::kWriteFailed;
  Status status = WriteTo(fd);
  if (status && ::fsync(fd) != 0) status = ErrorCode::kWriteFailed;
  if (::close(fd) != 0 && status) status = ErrorCode::kWriteFailed;
  if (status) {
    const int error = engine::RenameNoReplace(temporary, file);
    if (error == 0) return Done{};
    if (error == EEXIST) {
      status = SameAs(file) ? Status(Done{}) : ErrorCode::kOutputExists;
    } else {
      status = ErrorCode::kWriteFailed;
    }
  }
  ::unlink(temporary.c_str());
  return status;
}

Result<std::string> EncodedInstance::ToBytes() const {
  std::string bytes;
  bytes.reserve(size());
  for (const engine::Segment& segment : *segments_) {
    if (!segment.source) {
      bytes += segment.bytes;
      continue;
    }
    std::string range = segment.source->Read(segment.offset, segment.size);
    if (range.size() != segment.size) return ErrorCode::kReadFailed;
    engine::ApplyMask(segment.mask, 0, range);
    bytes += range;
  }
  return bytes;
}

bool EncodedInstance::SameAs(const std::filesystem::path& file) const {
  const Result<std::shared_ptr<engine::ByteSource>> other = engine::ByteSource::OpenFile(file);
  if (!other || (*other)->size() != size()) return false;
  std::uint64_t at = 0;
  for (const engine::Segment& segment : *segments_) {
    const std::uint64_t length = segment.source ? segment.size : segment.bytes.size();
    for (std::uint64_t done = 0; done < length; done += engine::kChunk) {
      const std::uint64_t n = std::min(engine::kChunk, length - done);
      std::string ours = segment.source ? segment.source->Read(segment.offset + done, n)
                                        : segment.bytes.substr(done, n);
      engine::ApplyMask(segment.mask, done, ours);
      if (ours.size() != n || (*other)->Read(at + done, n) != ours) return false;
    }
    at += length;
  }
  return true;
}

}  // namespace dcmveil
