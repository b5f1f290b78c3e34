// SPDX-License-Identifier: Apache-2.0
//
// A data set as it is held in memory (PS3.5 section 7): elements whose values are bytes. Values
// stay where they were read as long as nobody changes them, so that reading costs no copy.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dcmveil/tag.h"

namespace dcmveil::engine {

struct Item;
using Sequence = std::vector<Item>;

/// One data element: a value field or a sequence of items. Moves, and leaves views of its value
/// valid; copies only by Clone.
class DataElement {
 public:
  /// An empty value; for SQ a sequence without items.
  DataElement(Tag tag, Vr vr);
  /// Bytes that live elsewhere, at least as long as the element.
  static DataElement View(Tag tag, Vr vr, std::string_view value);
  static DataElement Of(Tag tag, Vr vr, std::string value);
  /// `storage`: bytes that the items' values are views of; may be null.
  static DataElement Of(Tag tag, Sequence items, std::unique_ptr<std::string> storage = nullptr);
  /// Encapsulated pixel data in an item: everything behind its header, delimiter included.
  static DataElement Fragments(Tag tag, Vr vr, std::string_view value);
  DataElement(DataElement&& other) noexcept;
  DataElement& operator=(DataElement&& other) noexcept;
  ~DataElement();

  [[nodiscard]] Tag tag() const { return tag_; }
  /// As encoded; in implicit VR what the dictionary says, OW or US where it leaves a choice. UN for
  /// one that is no VR, SQ for every sequence.
  [[nodiscard]] Vr vr() const { return vr_; }
  /// The value field in little endian; of text that was read, without padding. Empty for sequences
  /// and fragments.
  [[nodiscard]] std::string_view value() const { return fragments_ ? std::string_view() : bytes_; }
  /// The items, or null if it is no sequence.
  [[nodiscard]] Sequence* sequence() { return items_.get(); }
  [[nodiscard]] const Sequence* sequence() const { return items_.get(); }
  [[nodiscard]] bool is_fragments() const { return fragments_; }
  /// REQUIRES: is_fragments().
  [[nodiscard]] std::string_view fragments() const { return bytes_; }
  /// A copy that holds all of its bytes itself.
  [[nodiscard]] DataElement Clone() const;

 private:
  Tag tag_;
  Vr vr_;
  bool fragments_ = false;
  std::string_view bytes_;
  std::unique_ptr<std::string> storage_;  ///< what bytes_, or the items' values, are views of
  std::unique_ptr<Sequence> items_;
};

/// A data set or an item of a sequence: elements in ascending order of their tags, each tag once.
struct Item {
  std::vector<DataElement> elements;

  [[nodiscard]] DataElement* Find(Tag tag);
  [[nodiscard]] const DataElement* Find(Tag tag) const;
  /// Takes the place of one with the same tag.
  void Put(DataElement element);
  void Remove(Tag tag);
  [[nodiscard]] Item Clone() const;
};

inline DataElement::DataElement(DataElement&& other) noexcept = default;
inline DataElement& DataElement::operator=(DataElement&& other) noexcept = default;
inline DataElement::~DataElement() = default;

/// A new element that holds the bytes, a value field in little endian. Nothing if they are no whole
/// number of the VR's numbers, or for SQ any bytes at all.
[[nodiscard]] std::optional<DataElement> MakeElement(Tag tag, Vr vr, std::string_view bytes);

/// Whether the value field begins as a list of items does, in either byte order.
[[nodiscard]] bool BeginsWithItem(const DataElement& element);

/// Bytes of one number of a binary VR, whose bytes are swapped in big endian; 1 for all others.
[[nodiscard]] std::size_t NumberWidth(Vr vr);

/// Cuts off padding: blanks and NULs behind the last character.
[[nodiscard]] std::string_view TrimPadding(std::string_view text);

}  // namespace dcmveil::engine
