// SPDX-License-Identifier: Apache-2.0
#include "pipeline/study_uid.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <string_view>

#include "dcmveil/tag.h"
#include "engine/dcmtk/syntax.h"
#include "engine/encoding/scan.h"

namespace dcmveil::pipeline {
namespace {

using engine::Encoding;
using engine::kUndefinedLength;

constexpr Tag kStudyInstanceUid{0x0020, 0x000D};
constexpr Tag kTransferSyntaxUid{0x0002, 0x0010};
/// What has more than this in front of the element is left to the full reading.
constexpr int kMostElements = 20000;
constexpr int kDeepest = 16;

/// A file of which only a window is in memory.
class Window {
 public:
  explicit Window(int fd) : fd_(fd) {}
  ~Window() { ::close(fd_); }
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;

  /// `size` bytes at the offset; fewer at the end of the file or if it cannot be read.
  std::string_view At(std::uint64_t offset, std::size_t size) {
    if (offset < begin_ || offset + size > begin_ + filled_) Fill(offset);
    const std::string_view all(bytes_.data(), filled_);
    return all.substr(std::min<std::uint64_t>(offset - begin_, filled_), size);
  }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  void Fill(std::uint64_t offset) {
    begin_ = offset;
    filled_ = 0;
    ssize_t n = 0;
    do {
      n = ::pread(fd_, bytes_.data(), bytes_.size(), static_cast<off_t>(offset));
    } while (n < 0 && errno == EINTR);
    if (n < 0) failed_ = true;
    if (n > 0) filled_ = static_cast<std::size_t>(n);
  }

  int fd_;
  bool failed_ = false;
  std::array<char, 4096> bytes_{};
  std::uint64_t begin_ = 0;
  std::size_t filled_ = 0;
};

struct Element {
  Tag tag;
  std::optional<Vr> vr;  ///< nothing: implicit
  std::uint32_t length = 0;
  std::uint64_t value = 0;
};

/// Walks elements; whatever is not as it should be ends the walk.
class Walk {
 public:
  explicit Walk(Window& window) : window_(window) {}

  std::optional<Element> ElementAt(std::uint64_t offset, Encoding encoding) {
    if (++elements_ > kMostElements) return std::nullopt;
    const std::string_view head = window_.At(offset, 12);
    if (head.size() < 8) return std::nullopt;
    Element element;
    element.tag = Tag((Number(head, 0, 2, encoding) << 16U) | Number(head, 2, 2, encoding));
    if (element.tag.group == engine::kItem.group || !encoding.explicit_vr) {
      element.length = Number(head, 4, 4, encoding);
      element.value = offset + 8;
      return element;
    }
    element.vr = VrFromString(head.substr(4, 2));
    if (!element.vr) return std::nullopt;
    const bool is_long = engine::HasLongLength(element.vr, {});
    if (is_long && head.size() < 12) return std::nullopt;
    element.length = is_long ? Number(head, 8, 4, encoding) : Number(head, 6, 2, encoding);
    element.value = offset + (is_long ? 12 : 8);
    return element;
  }

  /// Where the element ends.
  std::optional<std::uint64_t> EndOf(const Element& element, Encoding encoding, int depth = 0) {
    if (element.length != kUndefinedLength) return element.value + element.length;
    if (depth > kDeepest) return std::nullopt;
    if (element.vr && *element.vr != Vr::SQ && *element.vr != Vr::UN) return std::nullopt;
    // PS3.5 section 6.2.2, note 2.
    if (element.vr == Vr::UN) encoding = {.explicit_vr = false, .big_endian = false};
    std::uint64_t at = element.value;
    for (;;) {
      const std::optional<Element> item = ElementAt(at, encoding);
      if (!item) return std::nullopt;
      if (item->tag == engine::kSequenceEnd) return item->value;
      if (item->tag != engine::kItem) return std::nullopt;
      const std::optional<std::uint64_t> end = EndOfItem(*item, encoding, depth);
      if (!end) return std::nullopt;
      at = *end;
    }
  }

  std::string Text(const Element& element) {
    // PS3.5 section 9.1: 64 characters.
    constexpr std::uint32_t kLongest = 64;
    if (element.length > kLongest) return {};
    std::string_view text = window_.At(element.value, element.length);
    if (text.size() < element.length) return {};
    while (!text.empty() && (text.back() == '\0' || text.back() == ' ')) text.remove_suffix(1);
    const bool is_uid = text.find_first_not_of("0123456789.") == std::string_view::npos;
    return is_uid ? std::string(text) : std::string();
  }

 private:
  static std::uint32_t Number(std::string_view bytes, std::size_t at, std::size_t size,
                              Encoding encoding) {
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t place = encoding.big_endian ? at + i : at + size - 1 - i;
      number = (number << 8U) | static_cast<unsigned char>(bytes[place]);
    }
    return number;
  }

  std::optional<std::uint64_t> EndOfItem(const Element& item, Encoding encoding, int depth) {
    if (item.length != kUndefinedLength) return item.value + item.length;
    std::uint64_t at = item.value;
    for (;;) {
      const std::optional<Element> element = ElementAt(at, encoding);
      if (!element) return std::nullopt;
      if (element->tag == engine::kItemEnd) return element->value;
      const std::optional<std::uint64_t> end = EndOf(*element, encoding, depth + 1);
      if (!end) return std::nullopt;
      at = *end;
    }
  }

  Window& window_;
  int elements_ = 0;
};

std::optional<std::string> StudyUidIn(Window& window) {
  constexpr std::uint64_t kPreamble = 128;
  if (window.At(kPreamble, 4) != "DICM") return std::nullopt;
  Walk walk(window);
  std::uint64_t at = kPreamble + 4;
  std::string syntax;
  for (;;) {
    const std::string_view group = window.At(at, 2);
    if (group != std::string_view("\x02\0", 2)) break;
    const std::optional<Element> element = walk.ElementAt(at, {});
    if (!element || element->length == kUndefinedLength) return std::nullopt;
    if (element->tag == kTransferSyntaxUid) syntax = walk.Text(*element);
    at = element->value + element->length;
  }
  const std::optional<engine::Syntax> known = engine::FindSyntax(syntax);
  if (!known || known->deflated) return std::nullopt;
  const Encoding encoding = known->encoding;
  Tag last;
  for (;;) {
    const std::optional<Element> element = walk.ElementAt(at, encoding);
    if (!element || element->tag <= last || element->tag > kStudyInstanceUid) return std::nullopt;
    if (element->tag == kStudyInstanceUid) {
      if (element->vr && *element->vr != Vr::UI) return std::nullopt;
      std::string uid = walk.Text(*element);
      if (uid.empty()) return std::nullopt;
      return uid;
    }
    const std::optional<std::uint64_t> end = walk.EndOf(*element, encoding);
    if (!end) return std::nullopt;
    last = element->tag;
    at = *end;
  }
}

}  // namespace

Result<BriefLook> LookInto(const std::filesystem::path& file) {
  // It was a regular file when it was listed; should it be a FIFO by now, opening must not wait.
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return ErrorCode::kReadFailed;
  Window window(fd);
  struct stat info = {};
  if (::fstat(fd, &info) != 0) return ErrorCode::kReadFailed;
  BriefLook look{.stamp = StampOf(info)};
  look.study_uid = StudyUidIn(window);
  if (window.failed()) return ErrorCode::kReadFailed;
  return look;
}

}  // namespace dcmveil::pipeline
