// SPDX-License-Identifier: Apache-2.0
//
// Values that mean nothing, legal for their VR and plausible for their attribute: what code D of
// PS3.15 table E.1-1a asks for. They are the same in all instances, so that they tell no two
// patients apart and agree within every study and series.
#include <array>
#include <initializer_list>

#include "engine/actions/minimal_document.h"
#include "engine/actions/specs.h"
#include "engine/value.h"

namespace dcmveil::engine {
namespace {

constexpr std::string_view kText = "REMOVED";
constexpr std::string_view kDateTime = "20000101000000";

// ---- Items of sequences, in implicit VR little endian, which needs no VRs ---------------------

void Append32(std::string& bytes, std::size_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) {
    bytes.push_back(static_cast<char>((value >> shift) & 0xFFU));
  }
}

std::string Put(std::uint32_t tag, std::string_view value, char padding = ' ') {
  std::string bytes;
  Append32(bytes, (tag >> 16U) | (tag << 16U));
  Append32(bytes, value.size() + value.size() % 2);
  bytes += value;
  if (value.size() % 2 != 0) bytes.push_back(padding);
  return bytes;
}

std::string Item(std::initializer_list<std::string> elements) {
  std::string content;
  for (const std::string& element : elements) content += element;
  return Put(0xFFFEE000, content);
}

std::string Code(std::string_view value, std::string_view scheme, std::string_view meaning) {
  return Item({Put(0x00080100, value), Put(0x00080102, scheme), Put(0x00080104, meaning)});
}

std::string NobodysCode() { return Code("REMOVED", "99DCMVEIL", "Removed"); }

// The items hold what is Type 1 in them (PS3.3), and of Type 2 what readers look for.
std::string ItemsFor(Tag sequence) {
  switch (sequence.number()) {
    case 0x0040A730:  // Content Sequence: one comment
      return Item({Put(0x0040A010, "CONTAINS"), Put(0x0040A040, "TEXT"),
                   Put(0x0040A043, Code("121106", "DCM", "Comment")), Put(0x0040A160, kText)});
    case 0x0040B020:  // Waveform Annotation Sequence
      return Item({Put(0x00700006, kText), Put(0x0040A0B0, std::string_view("\x01\0\0\0", 4))});
    case 0x00700001:  // Graphic Annotation Sequence: a point in the first pixel
      return Item(
          {Put(0x00700002, "REMOVED"),
           Put(0x00700009,
               Item({Put(0x00700005, "PIXEL"), Put(0x00700020, std::string_view("\x02\0", 2)),
                     Put(0x00700021, std::string_view("\x01\0", 2)),
                     Put(0x00700022, std::string_view("\0\0\x80\x3F\0\0\x80\x3F", 8)),
                     Put(0x00700023, "POINT")}))});
    case 0x0040A073:  // Verifying Observer Sequence
      return Item({Put(0x0040A027, kText), Put(0x0040A030, kDateTime), Put(0x0040A075, kText),
                   Put(0x0040A088, "")});
    case 0x00340001:  // Flow Identifier Sequence
      return Item({Put(0x00340002, std::string_view("\0\0", 2)),
                   Put(0x00340005, std::string_view("\0\0", 2))});
    case 0x00081072:  // Operator Identification Sequence and its like
    case 0x00080096:
    case 0x0008009D:
    case 0x00081049:
    case 0x00081052:
    case 0x00081062:
    case 0x00321031:
      return Item({Put(0x00080080, kText), Put(0x00401101, NobodysCode())});
    case 0x00080082:  // Institution Code Sequence
    case 0x00081041:
    case 0x00401101:  // Person Identification Code Sequence
    case 0x0040A088:
      return NobodysCode();
    default:
      return {};
  }
}

// ---- Single values ----------------------------------------------------------------------------

std::string_view TextFor(Tag tag, Vr vr) {
  // Enumerated values where free text is not legal.
  if (tag == Tag(0x0400, 0x0565)) return "COERCE";  // Reason for the Attribute Modification
  if (tag == Tag(0x0010, 0x0040)) return "O";       // Patient's Sex
  switch (vr) {
    case Vr::AS:
      return "030Y";
    case Vr::CS:
      return "UNKNOWN";
    case Vr::DA:
      return "20000101";
    case Vr::DT:
      return kDateTime;
    case Vr::TM:
      return "000000";
    case Vr::DS:
    case Vr::IS:
      return "0";
    case Vr::UI:
      return "2.25.0";
    case Vr::UR:
      return "urn:removed";
    default:
      return kText;
  }
}

/// Bytes of one number of a binary VR.
std::size_t UnitOf(Vr vr) {
  switch (vr) {
    case Vr::OW:
      return 2;
    case Vr::AT:
    case Vr::OF:
    case Vr::OL:
      return 4;
    case Vr::OD:
    case Vr::OV:
      return 8;
    default:
      return kNumberVrs.contains(vr) ? NumberSize(vr) : 1;
  }
}

class Dummy final : public Action {
 public:
  [[nodiscard]] Change Apply(const Element& element) const override {
    const Vr vr = element.vr;
    if (vr == Vr::SQ) {
      std::string items = ItemsFor(element.tag);
      return items.empty() ? Change::Empty() : Change::Set(std::move(items));
    }
    if (element.tag == kEncapsulatedDocument) {
      return Change::Set(std::string(MinimalDocument(element.instance.mime_type)));
    }
    if (element.tag == kEncapsulatedDocumentLength) {
      std::string bytes;
      Append32(bytes, MinimalDocument(element.instance.mime_type).size());
      return Change::Set(std::move(bytes));
    }
    if (kTextVrs.contains(vr)) return Change::Set(std::string(TextFor(element.tag, vr)));
    // Zeros, as many as there were: the length of a bitmap or a number is part of its form.
    const std::size_t unit = UnitOf(vr);
    const std::size_t size = element.bytes.size() / unit * unit;
    return Change::Set(std::string(std::max(size, std::max<std::size_t>(unit, 2)), '\0'));
  }

 private:
  static constexpr Tag kEncapsulatedDocument{0x0042, 0x0011};
  static constexpr Tag kEncapsulatedDocumentLength{0x0042, 0x0015};
};

}  // namespace

const ActionSpec& DummySpec() {
  static const ActionSpec spec{
      .name = "dummy",
      .summary = "Puts a value in the place that is legal there and means nothing.",
      .vrs = kAllVrs,
      .examples =
          {
              {Vr::LO, "{}", "Ward 3, Dr Roe", "REMOVED"},
              {Vr::PN, "{}", "Doe^Jane", "REMOVED"},
              {Vr::DA, "{}", "20190512", "20000101"},
              {Vr::TM, "{}", "101530", "000000"},
              {Vr::AS, "{}", "045Y", "030Y"},
              {Vr::US, "{}", "10\\20", "0\\0"},
          },
      .details =
          "The same in every instance: it tells no two patients apart. Binary values become zeros, "
          "as many as there were. Sequences that the standard replaces (Content Sequence, Graphic "
          "Annotation Sequence, Verifying Observer Sequence, identification codes) get one item "
          "that holds what is required in it; other sequences are emptied. Encapsulated Document "
          "becomes a minimal document of the instance's MIME type (PDF, CDA, STL, OBJ, text), and "
          "Encapsulated Document Length its length. This is code D of PS3.15 Annex E; use "
          "`pseudonym` where values must stay distinct, `refresh-uid` for UIDs.",
      .make = [](const Params&, MakeContext&) -> std::unique_ptr<const Action> {
        return std::make_unique<Dummy>();
      },
  };
  return spec;
}

}  // namespace dcmveil::engine
