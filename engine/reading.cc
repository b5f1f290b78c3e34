// SPDX-License-Identifier: Apache-2.0
#include "engine/reading.h"

#include <algorithm>

#include "engine/dictionary.h"

namespace dcmveil::engine {

Reading ReadAs(const DataElement& element) {
  Reading reading;
  const Vr encoded = element.vr();
  const bool encoded_sequence = element.sequence() != nullptr;
  const Attribute* attribute = FindAttribute(element.tag());
  if (attribute == nullptr) {
    reading.vr = encoded;
    reading.vrs = reading.vr;
    reading.is_sequence = encoded_sequence;
    return reading;
  }
  reading.keyword = attribute->keyword;
  reading.vrs = attribute->vrs;
  reading.is_sequence = encoded_sequence || attribute->vrs.contains(Vr::SQ);
  if (attribute->vrs.contains(encoded)) {
    reading.vr = encoded;
    return reading;
  }
  reading.mended = true;
  reading.vr = attribute->vrs.first();
  // A number that was encoded as text can only be read as the text that it is.
  if (kTextVrs.contains(encoded) && !kTextVrs.contains(reading.vr) && reading.vr != Vr::SQ) {
    reading.vr = encoded;
  }
  return reading;
}

bool ReadsAsItsAttribute(const DataElement& element, const Reading& reading) {
  const std::string_view text = TrimPadding(element.value());
  const auto only = [text](std::string_view characters) {
    return text.find_first_not_of(characters) == std::string_view::npos;
  };
  const Vr vr = reading.vrs.first();
  const bool encoded_as_text = kTextVrs.contains(element.vr());
  const bool encoded_as_number = kNumberVrs.contains(element.vr());
  if (kNumberVrs.contains(vr) || encoded_as_number) {
    if (encoded_as_text) return only("0123456789+-.eE\\ ");
    // Bytes of unstated kind that all are letters are hardly numbers.
    constexpr std::size_t kWord = 6;
    const bool printable =
        std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
    return text.size() < kWord || !printable;
  }
  switch (vr) {
    case Vr::DS:
    case Vr::IS:
      return only("0123456789+-.eE\\ ");
    case Vr::DA:
    case Vr::TM:
    case Vr::DT:
      return only("0123456789+-.:\\ ");
    case Vr::AS:
      return only("0123456789DWMY\\ ");
    case Vr::UI:
      return only(std::string_view("0123456789.\\ \0", 14));
    case Vr::CS:
      return only("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_\\ ");
    default:
      return true;
  }
}

}  // namespace dcmveil::engine
