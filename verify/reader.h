// SPDX-License-Identifier: Apache-2.0
//
// A second reader of DICOM files (PS3.10, PS3.5 section 7), which shares no code with the engine's:
// what one of them overlooks the other may find. It shows every byte of a file but frames to a
// visitor, element by element; what does not read as an element is shown as bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dcmveil/tag.h"

namespace dcmveil::verify {

/// Random access to a file or a buffer. For one thread.
class Bytes {
 public:
  /// Null if the file cannot be opened or is no regular file.
  [[nodiscard]] static std::unique_ptr<Bytes> Open(const std::filesystem::path& file);
  [[nodiscard]] static std::unique_ptr<Bytes> FromMemory(std::string bytes);
  ~Bytes();
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;

  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// Exactly `n` bytes, or none if they do not exist or cannot be read. Valid until the next call.
  [[nodiscard]] std::string_view At(std::uint64_t offset, std::uint64_t n);
  /// Whether a read failed that should not have.
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  Bytes() = default;
  int fd_ = -1;
  std::uint64_t size_ = 0;
  std::string window_;
  std::uint64_t window_at_ = 0;
  bool failed_ = false;
};

/// The way from the data set to an element: tag and, for sequences on the way, the item from 0.
struct Step {
  Tag tag;
  int item = -1;
};

/// One element without items, or bytes that belong to none.
struct Seen {
  /// Empty for bytes that are no element.
  const std::vector<Step>& path;
  /// "preamble", "file meta information", "data set", "behind the data set".
  std::string_view part;
  /// Two letters: as encoded, or, in implicit VR, the dictionary's; "UN" if there is none.
  std::string_view vr;
  std::string_view value;
  bool big_endian = false;
  /// Value of Specific Character Set (0008,0005) that holds here.
  const std::string& charset;

  [[nodiscard]] Tag tag() const { return path.empty() ? Tag() : path.back().tag; }
  /// "(0008,1140)[0].(0008,1155)", or the part.
  [[nodiscard]] std::string Where() const;
  [[nodiscard]] bool at_top() const { return path.size() == 1; }
};

/// Pixel Data, Float Pixel Data or Double Float Pixel Data at the top level.
struct PixelPlace {
  Tag tag;
  std::uint64_t offset = 0;  ///< of the value field
  std::uint64_t size = 0;    ///< bytes of the value field; with delimiter if encapsulated
  bool encapsulated = false;
  struct Fragment {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
  };
  std::vector<Fragment> fragments = {};
};

class Visitor {
 public:
  Visitor() = default;
  Visitor(const Visitor&) = delete;
  Visitor& operator=(const Visitor&) = delete;
  virtual ~Visitor() = default;
  virtual void OnBytes(const Seen& seen) = 0;
  /// A sequence that ended, with its number of items.
  virtual void OnSequence(const std::vector<Step>& path, int items) = 0;
};

/// How far a file could be read.
struct Layout {
  std::unique_ptr<Bytes> data;  ///< the file, or what a deflated data set inflates to
  bool readable = false;        ///< every byte has its place in an element or is filler at the end
  bool filler = false;          ///< bytes of one value follow the data set
  bool opened = false;
  std::string transfer_syntax;
  bool explicit_vr = true;
  bool big_endian = false;
  std::optional<PixelPlace> pixels;
};

/// Reads the file and shows all of it to the visitor but pixel data at the top level.
[[nodiscard]] Layout ReadFile(const std::filesystem::path& file, Visitor& visitor);

/// "(0008,1140)[0].(0008,1155)".
[[nodiscard]] std::string ToString(const std::vector<Step>& path);
/// The value without blanks and NULs at its ends.
[[nodiscard]] std::string_view Trimmed(std::string_view value);

}  // namespace dcmveil::verify
