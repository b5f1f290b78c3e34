// SPDX-License-Identifier: Apache-2.0
//
// DICOM data sets written and read by hand, byte by byte, so that the engine's reading and writing
// is held against something that is not DCMTK.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "dcmveil/tag.h"
#include "engine/encoding/scan.h"

namespace dcmveil::testing {

/// One element to be written. Values are given in little endian; in a big endian data set they are
/// swapped as their VR says.
struct Elem {
  enum class Kind : std::uint8_t {
    kValue,
    kSequence,
    kFragments,  ///< encapsulated: `parts` are the items, the first is the offset table
    kVerbatim,   ///< `value` stands in the data set as it is, header and all
  };
  Kind kind = Kind::kValue;
  Tag tag;
  std::string vr = "UN";  ///< as written in explicit VR; any two characters
  std::string value = {};
  std::vector<std::vector<Elem>> items = {};
  std::vector<std::string> parts = {};
  /// Sequences: overrides Form::undefined_length.
  enum class Length : std::uint8_t { kAsForm, kDefined, kUndefined };
  Length length = Length::kAsForm;
};
using DataSet = std::vector<Elem>;

/// Padded to even length as the VR wants.
Elem Text(Tag tag, std::string_view vr, std::string_view value);
/// Not padded.
Elem Raw(Tag tag, std::string_view vr, std::string_view value);
Elem Seq(Tag tag, std::vector<DataSet> items);
Elem Fragments(std::vector<std::string> parts, std::string_view vr = "OB");
Elem Verbatim(std::string bytes);

/// Little endian numbers.
std::string Le16(std::initializer_list<unsigned> numbers);
std::string Le32(std::initializer_list<std::uint32_t> numbers);
std::string LeFloat(float number);
std::string LeDouble(double number);

struct Form {
  bool explicit_vr = true;
  bool big_endian = false;
  bool undefined_length = false;  ///< of sequences and items
  bool group_lengths = false;     ///< at every level
};
std::string Encode(const DataSet& data_set, const Form& form = {});
/// The items of a sequence without the sequence's own header.
std::string EncodeItems(const std::vector<DataSet>& items, const Form& form);

struct Syntax {
  const char* name;
  const char* uid;
  bool explicit_vr;
  bool big_endian;
  bool deflated;
};
inline constexpr Syntax kImplicit{"Implicit", "1.2.840.10008.1.2", false, false, false};
inline constexpr Syntax kExplicit{"Explicit", "1.2.840.10008.1.2.1", true, false, false};
inline constexpr Syntax kBig{"BigEndian", "1.2.840.10008.1.2.2", true, true, false};
inline constexpr Syntax kDeflated{"Deflated", "1.2.840.10008.1.2.1.99", true, false, true};
inline constexpr Syntax kJpeg{"Jpeg", "1.2.840.10008.1.2.4.50", true, false, false};
inline constexpr Syntax kSyntaxes[] = {kImplicit, kExplicit, kBig, kDeflated};

[[nodiscard]] inline engine::Encoding EncodingOf(const Syntax& syntax) {
  return {.explicit_vr = syntax.explicit_vr, .big_endian = syntax.big_endian};
}

struct FileParts {
  bool preamble = true;  ///< 128 bytes and "DICM"
  bool meta = true;
  bool undefined_length = false;
  bool group_lengths = false;
  std::string preamble_text = {};
  std::string meta_sop_class = "1.2.840.10008.5.1.4.1.1.2";
  DataSet more_meta = {};
};
/// A file. Big endian and deflate are done here.
std::string File(const DataSet& data_set, const Syntax& syntax = kExplicit,
                 const FileParts& parts = {});
/// The file meta information, with preamble if `parts` says so.
std::string Meta(const std::string& transfer_syntax, const FileParts& parts = {});
std::string RawDeflate(const std::string& plain);

/// A small CT: UIDs 1.2.3.4.5 (instance), 1.2.3 (study), 1.2.3.4 (series), DOE^JANE, 4711.
DataSet SmallCt();
/// A CT with sequences three levels deep, private blocks at two levels, numbers, an overlay and
/// pixels.
DataSet EverythingInOne();
/// Both lists, in the order of tags; a later element replaces an earlier one with its tag.
DataSet With(DataSet base, const DataSet& more);
DataSet Without(DataSet base, std::initializer_list<Tag> tags);
/// 4 x 4 pixels of 16 bits, native.
Elem NativePixels();

/// An element that was read. Values are in little endian again and as long as in the file.
struct Leaf {
  std::string vr;  ///< empty in implicit VR
  std::string value;
  bool operator==(const Leaf&) const = default;
};
/// A file taken apart, by rules so strict that only what dcmveil promises to write passes: zeroed
/// preamble, meta information with a right group length, ascending tags at every level, even
/// lengths, no group lengths, sequences and items of undefined length. Throws std::runtime_error.
struct Decoded {
  std::map<std::string, std::string> meta;  ///< by tag
  std::string transfer_syntax;
  /// By path: "(0008,1140)[0].(0008,1155)". A sequence's value is "n item(s)"; fragments are the
  /// bytes as encoded.
  std::map<std::string, Leaf> elements;
  std::vector<std::string> order;  ///< keys of `elements` as they stand in the file

  [[nodiscard]] bool Has(const std::string& path) const { return elements.contains(path); }
  /// Without padding; "(absent)" if there is none.
  [[nodiscard]] std::string Value(const std::string& path) const;
  [[nodiscard]] std::string VrOf(const std::string& path) const;
  /// Path and value of every element, VRs left out.
  [[nodiscard]] std::map<std::string, std::string> Values() const;
};
Decoded Decode(std::string_view file);

}  // namespace dcmveil::testing
