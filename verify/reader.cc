// SPDX-License-Identifier: Apache-2.0
#include "verify/reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "verify/dcmtk/dictionary.h"

namespace dcmveil::verify {
namespace {

constexpr std::uint32_t kUndefined = 0xFFFFFFFF;
constexpr Tag kItem{0xFFFE, 0xE000};
constexpr Tag kItemEnd{0xFFFE, 0xE00D};
constexpr Tag kSequenceEnd{0xFFFE, 0xE0DD};
constexpr Tag kSpecificCharacterSet{0x0008, 0x0005};
/// Deeper than any data set; what is deeper is shown as bytes.
constexpr std::size_t kDeepest = 128;
constexpr std::uint64_t kLongestInflated = std::uint64_t{1} << 30U;
constexpr std::string_view kDataSet = "data set";
constexpr std::string_view kMeta = "file meta information";

struct Encoding {
  bool explicit_vr = true;
  bool big_endian = false;
};

unsigned Byte(std::string_view bytes, std::size_t i) {
  return static_cast<unsigned char>(bytes[i]);
}
std::uint16_t U16(std::string_view bytes, std::size_t i, bool big) {
  return static_cast<std::uint16_t>(big ? (Byte(bytes, i) << 8U) | Byte(bytes, i + 1)
                                        : (Byte(bytes, i + 1) << 8U) | Byte(bytes, i));
}
std::uint32_t U32(std::string_view bytes, std::size_t i, bool big) {
  const std::uint32_t first = U16(bytes, i, big);
  const std::uint32_t second = U16(bytes, i + 2, big);
  return big ? (first << 16U) | second : (second << 16U) | first;
}

bool IsCapital(char c) { return c >= 'A' && c <= 'Z'; }

/// VRs whose length has 16 bits (PS3.5 table 7.1-2).
bool HasShortLength(std::string_view vr) {
  constexpr std::string_view kShort =
      "AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US";
  if (IsCapital(vr[0]) && IsCapital(vr[1])) return kShort.find(vr) != std::string_view::npos;
  return true;
}

bool IsPixelTag(Tag tag) {
  return tag.group == 0x7FE0 &&
         (tag.element == 0x0008 || tag.element == 0x0009 || tag.element == 0x0010);
}

struct Header {
  Tag tag;
  std::string vr = "UN";
  std::uint32_t length = 0;
  std::uint64_t value = 0;
};

class Walk {
 public:
  Walk(Bytes& data, Visitor& visitor) : data_(data), visitor_(visitor) {}

  /// Elements from `at` to the end; returns where they stopped making sense.
  std::uint64_t DataSet(std::uint64_t at, Encoding encoding, std::optional<PixelPlace>& pixels);
  /// Group 0002 from `at` on; returns where it ends.
  std::uint64_t Meta(std::uint64_t at, std::string& transfer_syntax);
  void Show(std::string_view part, std::string_view value) {
    const std::string none;
    visitor_.OnBytes({.path = {}, .part = part, .vr = "OB", .value = value, .charset = none});
  }

 private:
  using End = std::optional<std::uint64_t>;
  [[nodiscard]] bool ReadHeader(std::uint64_t at, Encoding encoding, Header& header);
  /// Behind the element; nothing if it does not fit.
  End Element(const Header& header, std::uint64_t end, Encoding encoding);
  End Elements(std::uint64_t at, std::uint64_t end, bool delimited, Encoding encoding);
  End Items(std::uint64_t at, std::uint64_t end, bool delimited, Encoding encoding);
  /// Whether the range is a whole list of items.
  [[nodiscard]] bool AreItems(std::uint64_t at, std::uint64_t end, Encoding encoding);
  [[nodiscard]] bool BeginsWithItem(std::uint64_t at, bool big);
  End Fragments(std::uint64_t at, PixelPlace& pixels);
  void ShowElement(const Header& header, Encoding encoding);

  Bytes& data_;
  Visitor& visitor_;
  std::vector<Step> path_;
  std::string charset_;
  std::string_view part_ = kDataSet;
  bool quiet_ = false;  ///< only trying whether something reads as items
  static constexpr std::uint64_t kMostTried = 20'000'000;
  std::uint64_t tried_ = 0;  ///< headers read so
};

bool Walk::ReadHeader(std::uint64_t at, Encoding encoding, Header& header) {
  // Trying each depth in three encodings must not take for ever on a file that is made to.
  if (quiet_ && ++tried_ > kMostTried) return false;
  const std::string_view start = data_.At(at, 8);
  if (start.empty()) return false;
  const bool big = encoding.big_endian;
  header.tag = Tag(U16(start, 0, big), U16(start, 2, big));
  header.value = at + 8;
  if (header.tag.group == 0xFFFE || !encoding.explicit_vr) {
    header.length = U32(start, 4, big);
    header.vr = header.tag.group == 0xFFFE ? "UN" : DictionaryVr(header.tag);
    return true;
  }
  header.vr = std::string(start.substr(4, 2));
  if (HasShortLength(header.vr)) {
    header.length = U16(start, 6, big);
    return true;
  }
  const std::string_view whole = data_.At(at, 12);
  if (whole.empty()) return false;
  header.length = U32(whole, 8, big);
  header.value = at + 12;
  return true;
}

bool Walk::BeginsWithItem(std::uint64_t at, bool big) {
  const std::string_view start = data_.At(at, 4);
  return !start.empty() && Tag(U16(start, 0, big), U16(start, 2, big)) == kItem;
}

bool Walk::AreItems(std::uint64_t at, std::uint64_t end, Encoding encoding) {
  const bool before = std::exchange(quiet_, true);
  const End stop = Items(at, end, false, encoding);
  quiet_ = before;
  return stop && *stop == end;
}

void Walk::ShowElement(const Header& header, Encoding encoding) {
  if (quiet_) return;
  const std::string_view value = header.length > 0 ? data_.At(header.value, header.length) : "";
  path_.push_back({.tag = header.tag});
  if (header.tag == kSpecificCharacterSet) charset_ = std::string(Trimmed(value));
  visitor_.OnBytes({.path = path_,
                    .part = part_,
                    .vr = header.vr,
                    .value = value,
                    .big_endian = encoding.big_endian,
                    .charset = charset_});
  path_.pop_back();
}

Walk::End Walk::Items(std::uint64_t at, std::uint64_t end, bool delimited, Encoding encoding) {
  if (path_.size() >= kDeepest) return std::nullopt;
  int index = 0;
  while (delimited || at < end) {
    Header header;
    if (!ReadHeader(at, encoding, header) || header.value > end) return std::nullopt;
    if (header.tag == kSequenceEnd && (delimited || header.value == end)) {
      at = header.value;
      break;
    }
    if (header.tag != kItem) return std::nullopt;
    if (!path_.empty()) path_.back().item = index;
    ++index;
    const std::string outer = charset_;
    End inside;
    if (header.length == kUndefined) {
      inside = Elements(header.value, end, true, encoding);
    } else if (header.length <= end - header.value) {
      inside = Elements(header.value, header.value + header.length, false, encoding);
    }
    charset_ = outer;
    if (!inside) return std::nullopt;
    at = *inside;
  }
  if (!path_.empty()) path_.back().item = -1;
  if (!quiet_) visitor_.OnSequence(path_, index);
  return at;
}

Walk::End Walk::Elements(std::uint64_t at, std::uint64_t end, bool delimited, Encoding encoding) {
  while (delimited || at < end) {
    Header header;
    if (!ReadHeader(at, encoding, header) || header.value > end) return std::nullopt;
    if (header.tag == kItemEnd) {
      if (delimited || header.value == end) return header.value;
      return std::nullopt;
    }
    if (header.tag.group == 0xFFFE) return std::nullopt;
    const End next = Element(header, end, encoding);
    if (!next) return std::nullopt;
    at = *next;
  }
  return at;
}

Walk::End Walk::Element(const Header& header, std::uint64_t end, Encoding encoding) {
  if (header.length == kUndefined) {
    // What is UN with undefined length is in implicit VR little endian (PS3.5 section 6.2.2).
    const bool is_sequence = header.vr == "SQ" || !encoding.explicit_vr;
    if (IsPixelTag(header.tag) && (header.vr == "OB" || header.vr == "OW")) {
      // A compressed icon. Its frames are few and small: they are searched like anything else.
      PixelPlace icon;
      const End stop = Fragments(header.value, icon);
      for (const PixelPlace::Fragment& fragment : icon.fragments) {
        Header one = header;
        one.value = fragment.offset;
        one.length = static_cast<std::uint32_t>(fragment.size);
        ShowElement(one, encoding);
      }
      return stop;
    }
    if (!is_sequence && header.vr != "UN") return std::nullopt;
    path_.push_back({.tag = header.tag});
    const End stop =
        Items(header.value, end, true, is_sequence ? encoding : Encoding{.explicit_vr = false});
    path_.pop_back();
    return stop;
  }
  if (header.length > end - header.value) return std::nullopt;
  const std::uint64_t stop = header.value + header.length;
  if (header.vr != "SQ" && !BeginsWithItem(header.value, encoding.big_endian) &&
      !BeginsWithItem(header.value, false)) {
    ShowElement(header, encoding);
    return stop;
  }
  // Items may hide in any VR, in the encoding of the data set or in implicit VR.
  for (const Encoding inner : {encoding, Encoding{.explicit_vr = false}, Encoding{}}) {
    path_.push_back({.tag = header.tag});
    const bool are_items = AreItems(header.value, stop, inner);
    if (are_items && !quiet_) (void)Items(header.value, stop, false, inner);
    path_.pop_back();
    if (are_items) return stop;
  }
  if (header.vr == "SQ") return std::nullopt;
  ShowElement(header, encoding);
  return stop;
}

Walk::End Walk::Fragments(std::uint64_t at, PixelPlace& pixels) {
  for (;;) {
    const std::string_view start = data_.At(at, 8);
    if (start.empty()) return std::nullopt;
    const Tag tag(U16(start, 0, false), U16(start, 2, false));
    const std::uint32_t length = U32(start, 4, false);
    at += 8;
    if (tag == kSequenceEnd) return at;
    if (tag != kItem || length > data_.size() - at) return std::nullopt;
    pixels.fragments.push_back({.offset = at, .size = length});
    at += length;
  }
}

std::uint64_t Walk::DataSet(std::uint64_t at, Encoding encoding,
                            std::optional<PixelPlace>& pixels) {
  const std::uint64_t end = data_.size();
  while (at < end) {
    Header header;
    if (!ReadHeader(at, encoding, header) || header.tag.group == 0xFFFE || header.tag == Tag() ||
        header.value > end) {
      return at;
    }
    if (IsPixelTag(header.tag) && !pixels) {
      PixelPlace place{.tag = header.tag, .offset = header.value};
      place.encapsulated = header.length == kUndefined;
      if (place.encapsulated) {
        const End stop = Fragments(header.value, place);
        if (!stop) return at;
        place.size = *stop - header.value;
      } else if (header.length > end - header.value) {
        return at;
      } else {
        place.size = header.length;
      }
      at = header.value + place.size;
      pixels = std::move(place);
      continue;
    }
    const End next = Element(header, end, encoding);
    if (!next) return at;
    at = *next;
  }
  return at;
}

std::uint64_t Walk::Meta(std::uint64_t at, std::string& transfer_syntax) {
  part_ = kMeta;
  Header header;
  while (ReadHeader(at, {}, header) && header.tag.group == 0x0002 &&
         header.length <= data_.size() - header.value) {
    if (header.tag == Tag(0x0002, 0x0010)) {
      transfer_syntax = std::string(Trimmed(data_.At(header.value, header.length)));
    }
    ShowElement(header, {});
    at = header.value + header.length;
  }
  part_ = kDataSet;
  return at;
}

/// Nothing if it is no deflated stream. `rest` is what follows it.
std::optional<std::string> Inflate(std::string_view deflated, std::string& rest) {
  z_stream stream = {};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return std::nullopt;
  std::string plain;
  std::string chunk(1U << 18U, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(deflated.data()));
  stream.avail_in = static_cast<uInt>(deflated.size());
  int code = Z_OK;
  while (code == Z_OK && plain.size() < kLongestInflated) {
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    code = inflate(&stream, Z_NO_FLUSH);
    plain.append(chunk, 0, chunk.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (code != Z_STREAM_END) return std::nullopt;
  rest = deflated.substr(deflated.size() - stream.avail_in);
  return plain;
}

/// The encoding of a data set that no transfer syntax declares, by its first element.
Encoding Guess(std::string_view start) {
  if (start.size() < 8) return {};
  const bool has_vr = IsCapital(start[4]) && IsCapital(start[5]);
  const bool big = Byte(start, 0) == 0 && Byte(start, 1) != 0;
  return {.explicit_vr = has_vr, .big_endian = big};
}

/// Everything is one filler byte.
bool IsFiller(std::string_view bytes) {
  return bytes.find_first_not_of(bytes.front()) == std::string_view::npos;
}

}  // namespace

std::unique_ptr<Bytes> Bytes::Open(const std::filesystem::path& file) {
  std::unique_ptr<Bytes> bytes(new Bytes);
  bytes->fd_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat info = {};
  if (bytes->fd_ < 0 || ::fstat(bytes->fd_, &info) != 0 || !S_ISREG(info.st_mode)) return nullptr;
  bytes->size_ = static_cast<std::uint64_t>(info.st_size);
  return bytes;
}

std::unique_ptr<Bytes> Bytes::FromMemory(std::string memory) {
  std::unique_ptr<Bytes> bytes(new Bytes);
  bytes->window_ = std::move(memory);
  bytes->size_ = bytes->window_.size();
  return bytes;
}

Bytes::~Bytes() {
  if (fd_ >= 0) ::close(fd_);
}

std::string_view Bytes::At(std::uint64_t offset, std::uint64_t n) {
  constexpr std::uint64_t kAhead = 1U << 16U;
  if (offset > size_ || n > size_ - offset) return {};
  if (offset < window_at_ || offset + n > window_at_ + window_.size()) {
    if (fd_ < 0) return {};
    window_.resize(static_cast<std::size_t>(std::min(size_ - offset, std::max(n, kAhead))));
    window_at_ = offset;
    std::size_t done = 0;
    while (done < window_.size()) {
      const ssize_t got = ::pread(fd_, window_.data() + done, window_.size() - done,
                                  static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) {
        failed_ = true;
        window_.clear();
        return {};
      }
      done += static_cast<std::size_t>(got);
    }
  }
  return std::string_view(window_).substr(static_cast<std::size_t>(offset - window_at_),
                                          static_cast<std::size_t>(n));
}

std::string_view Trimmed(std::string_view value) {
  constexpr std::string_view kPadding(" \0\t\r\n", 5);
  const std::size_t begin = value.find_first_not_of(kPadding);
  if (begin == std::string_view::npos) return {};
  return value.substr(begin, value.find_last_not_of(kPadding) - begin + 1);
}

std::string ToString(const std::vector<Step>& path) {
  std::string text;
  for (const Step& step : path) {
    if (!text.empty()) text += '.';
    text += dcmveil::ToString(step.tag);
    if (step.item >= 0) text += "[" + std::to_string(step.item) + "]";
  }
  return text;
}

std::string Seen::Where() const { return path.empty() ? std::string(part) : ToString(path); }

Layout ReadFile(const std::filesystem::path& file, Visitor& visitor) {
  Layout layout;
  layout.data = Bytes::Open(file);
  if (!layout.data) return layout;
  layout.opened = true;
  std::uint64_t at = 0;
  {
    Walk walk(*layout.data, visitor);
    constexpr std::uint64_t kPreamble = 128;
    const bool has_preamble = layout.data->At(kPreamble, 4) == "DICM";
    if (has_preamble) {
      walk.Show("preamble", layout.data->At(0, kPreamble));
      at = kPreamble + 4;
    }
    const std::string_view start = layout.data->At(at, 8);
    if (!start.empty() && U16(start, 0, false) == 0x0002) {
      at = walk.Meta(at, layout.transfer_syntax);
    }
  }
  Encoding encoding = Guess(layout.data->At(at, 8));
  if (layout.transfer_syntax == "1.2.840.10008.1.2") encoding = {.explicit_vr = false};
  if (layout.transfer_syntax == "1.2.840.10008.1.2.2") encoding = {.big_endian = true};
  if (layout.transfer_syntax == "1.2.840.10008.1.2.1.99") {
    std::string rest;
    std::optional<std::string> plain = Inflate(layout.data->At(at, layout.data->size() - at), rest);
    if (!plain) return layout;
    layout.data = Bytes::FromMemory(std::move(*plain));
    // One NUL makes the length even (PS3.5 A.5).
    layout.filler = rest.size() > 1 || (rest.size() == 1 && rest != std::string_view("\0", 1));
    if (layout.filler) Walk(*layout.data, visitor).Show("behind the data set", rest);
    at = 0;
    encoding = {};
  }
  layout.explicit_vr = encoding.explicit_vr;
  layout.big_endian = encoding.big_endian;
  Walk walk(*layout.data, visitor);
  at = walk.DataSet(at, encoding, layout.pixels);
  layout.readable = at == layout.data->size();
  if (!layout.readable) {
    const std::string_view rest = layout.data->At(at, layout.data->size() - at);
    if (!rest.empty()) {
      layout.readable = layout.filler = IsFiller(rest);
      walk.Show("behind the data set", rest);
    }
  }
  if (layout.data->failed()) layout.opened = false;
  return layout;
}

}  // namespace dcmveil::verify
