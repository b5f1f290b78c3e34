// SPDX-License-Identifier: Apache-2.0
#include "engine/dcmtk/element.h"

#include <array>

#include "dcmtk/dcmdata/dcdeftag.h"
#include "dcmtk/dcmdata/dcistrmb.h"
#include "engine/dcmtk/scan.h"

namespace dcmveil::engine {
namespace {

/// In the order of Vr.
constexpr std::array<DcmEVR, kVrCount> kEvr = {
    EVR_AE, EVR_AS, EVR_AT, EVR_CS, EVR_DA, EVR_DS, EVR_DT, EVR_FD, EVR_FL, EVR_IS, EVR_LO, EVR_LT,
    EVR_OB, EVR_OD, EVR_OF, EVR_OL, EVR_OV, EVR_OW, EVR_PN, EVR_SH, EVR_SL, EVR_SQ, EVR_SS, EVR_ST,
    EVR_SV, EVR_TM, EVR_UC, EVR_UI, EVR_UL, EVR_UN, EVR_UR, EVR_US, EVR_UT, EVR_UV};

/// One element read from its encoded form; this way bytes of every VR take the same road.
std::unique_ptr<DcmElement> ReadOne(std::string_view encoded, E_TransferSyntax syntax) {
  DcmInputBufferStream stream;
  stream.setBuffer(encoded.data(), static_cast<offile_off_t>(encoded.size()));
  stream.setEos();
  DcmItem item(DcmTag(DCM_Item), DCM_UndefinedLength);  // of length 0 it would read nothing
  item.transferInit();
  const OFCondition condition = item.read(stream, syntax);
  item.transferEnd();
  if (condition.bad() || item.card() != 1) return nullptr;
  return std::unique_ptr<DcmElement>(item.remove(0UL));
}

void Append16(std::string& bytes, unsigned value) {
  bytes.push_back(static_cast<char>(value & 0xFFU));
  bytes.push_back(static_cast<char>((value >> 8U) & 0xFFU));
}

void Append32(std::string& bytes, std::uint32_t value) {
  Append16(bytes, value & 0xFFFFU);
  Append16(bytes, value >> 16U);
}

std::string Header(Tag tag, std::string_view vr, bool big_endian = false) {
  std::string header;
  const auto swap = [](unsigned v) { return ((v & 0xFFU) << 8U) | (v >> 8U); };
  Append16(header, big_endian ? swap(tag.group) : tag.group);
  Append16(header, big_endian ? swap(tag.element) : tag.element);
  header += vr;
  return header;
}

}  // namespace

std::optional<Vr> EncodedVr(const DcmObject& object) {
  const DcmEVR evr = object.ident() == EVR_SQ ? EVR_SQ : object.getTag().getEVR();
  for (std::size_t i = 0; i < kEvr.size(); ++i) {
    if (kEvr[i] == evr) return static_cast<Vr>(i);
  }
  switch (evr) {
    case EVR_xs:
      return Vr::US;
    case EVR_ox:
    case EVR_px:
    case EVR_lt:
    case EVR_PixelData:
    case EVR_OverlayData:
      return Vr::OW;
    case EVR_up:
      return Vr::UL;
    case EVR_UNKNOWN:
    case EVR_UNKNOWN2B:
      return Vr::UN;
    default:
      return std::nullopt;
  }
}

std::string RawValue(DcmElement& element) {
  const Uint32 length = element.getLengthField();
  if (length == 0 || length == DCM_UndefinedLength || !element.isLeaf()) return {};
  std::string bytes(length, '\0');
  if (element.getPartialValue(bytes.data(), 0, length, nullptr, EBO_LittleEndian).bad()) return {};
  return bytes;
}

std::unique_ptr<DcmElement> MakeElement(Tag tag, Vr vr, std::string_view bytes) {
  if (kTextVrs.contains(vr)) {
    DcmElement* made = nullptr;
    const DcmTag dcm_tag(tag.group, tag.element, DcmVR(kEvr[static_cast<std::size_t>(vr)]));
    if (DcmItem::newDicomElementWithVR(made, dcm_tag).bad()) return nullptr;
    std::unique_ptr<DcmElement> element(made);
    if (!bytes.empty() &&
        element->putString(bytes.data(), static_cast<Uint32>(bytes.size())).bad()) {
      return nullptr;
    }
    return element;
  }
  std::string encoded = Header(tag, ToString(vr));
  std::string padded(bytes);
  if (padded.size() % 2 != 0) padded.push_back('\0');
  if (VrSet{Vr::AT, Vr::FD, Vr::FL, Vr::SL, Vr::SS, Vr::UL, Vr::US}.contains(vr)) {
    if (padded.size() > 0xFFFE) return nullptr;
    Append16(encoded, static_cast<unsigned>(padded.size()));
  } else {
    Append16(encoded, 0);
    Append32(encoded, static_cast<std::uint32_t>(padded.size()));
  }
  return ReadOne(encoded.append(padded), EXS_LittleEndianExplicit);
}

std::unique_ptr<DcmElement> MakeSequence(Tag tag, std::string_view bytes, int depth) {
  if (bytes.size() > kLongestOpened) return nullptr;
  for (const Encoding encoding : {Encoding{.explicit_vr = false}, Encoding{},
                                  Encoding{.explicit_vr = true, .big_endian = true}}) {
    if (!IsItemList(bytes, encoding, depth)) continue;
    const bool big = encoding.big_endian;
    std::string encoded = Header(tag, encoding.explicit_vr ? "SQ" : "UN", big);
    Append16(encoded, 0);
    Append32(encoded, DCM_UndefinedLength);
    encoded += bytes;
    encoded += Header({0xFFFE, 0xE0DD}, "", big);
    Append32(encoded, 0);
    auto element = ReadOne(encoded, big ? EXS_BigEndianExplicit : EXS_LittleEndianExplicit);
    if (element && AsSequence(*element) != nullptr) return element;
  }
  return nullptr;
}

bool BeginsWithItem(DcmElement& element) {
  if (!element.isLeaf() || element.getLengthField() < 8) return false;
  std::array<char, 4> start{};
  if (element.getPartialValue(start.data(), 0, 4, nullptr, EBO_LittleEndian).bad()) return false;
  const std::string_view bytes(start.data(), start.size());
  return bytes == std::string_view("\xFE\xFF\x00\xE0", 4) ||
         bytes == std::string_view("\xFF\xFE\xE0\x00", 4);
}

DcmSequenceOfItems* AsSequence(DcmElement& element) {
  return element.ident() == EVR_SQ ? dynamic_cast<DcmSequenceOfItems*>(&element) : nullptr;
}

std::string ConditionCode(const OFCondition& condition) {
  return "DCMTK " + std::to_string(condition.module()) + ":" + std::to_string(condition.code());
}

std::string_view TrimPadding(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
  return text;
}

}  // namespace dcmveil::engine
