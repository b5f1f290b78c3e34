// SPDX-License-Identifier: Apache-2.0
#include "engine/facts.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "engine/data_set.h"
#include "engine/reading.h"
#include "engine/value.h"

namespace dcmveil::engine {
namespace {

constexpr Tag kSpecificCharacterSet{0x0008, 0x0005};
constexpr Tag kSopClassUid{0x0008, 0x0016};
constexpr Tag kSopInstanceUid{0x0008, 0x0018};
constexpr Tag kPatientId{0x0010, 0x0020};
constexpr Tag kIssuerOfPatientId{0x0010, 0x0021};
constexpr Tag kStudyInstanceUid{0x0020, 0x000D};
constexpr Tag kSeriesInstanceUid{0x0020, 0x000E};
constexpr Tag kMimeType{0x0042, 0x0012};

std::optional<unsigned> TopNumber(const ParsedInstance& parsed, Tag tag) {
  const DataElement* element = FindTop(parsed, tag);
  if (element == nullptr) return std::nullopt;
  const std::string_view bytes = element->value();
  if (bytes.size() < 2) return std::nullopt;
  return static_cast<unsigned char>(bytes[0]) |
         static_cast<unsigned>(static_cast<unsigned char>(bytes[1])) << 8U;
}

}  // namespace

const DataElement* FindTop(const ParsedInstance& parsed, Tag tag) { return parsed.head.Find(tag); }

std::string TopText(const ParsedInstance& parsed, const Charset& charset, Tag tag, Vr vr) {
  const DataElement* element = FindTop(parsed, tag);
  if (element == nullptr) return {};
  const std::string_view bytes = element->value().substr(0, element->value().find('\0'));
  const auto values = charset.DecodeValues(TrimPadding(bytes), vr).values;
  if (values.empty()) return {};
  const std::string_view first = TrimPadding(values.front());
  const std::size_t start = std::min(first.find_first_not_of(' '), first.size());
  return std::string(first.substr(start));
}

Instance ReadFacts(const ParsedInstance& parsed, bool& charset_known) {
  Instance instance;
  if (const DataElement* element = FindTop(parsed, kSpecificCharacterSet)) {
    instance.charset = Charset::FromTerms(element->value());
  }
  charset_known = instance.charset.known();
  const auto text = [&](Tag tag, Vr vr) { return TopText(parsed, instance.charset, tag, vr); };
  instance.patient_id = text(kPatientId, Vr::LO);
  instance.issuer_of_patient_id = text(kIssuerOfPatientId, Vr::LO);
  instance.study_instance_uid = text(kStudyInstanceUid, Vr::UI);
  instance.series_instance_uid = text(kSeriesInstanceUid, Vr::UI);
  instance.sop_instance_uid = text(kSopInstanceUid, Vr::UI);
  instance.sop_class_uid = text(kSopClassUid, Vr::UI);
  instance.mime_type = text(kMimeType, Vr::LO);
  return instance;
}

std::map<Tag, std::vector<std::string>> ReadAsked(const ParsedInstance& parsed,
                                                  const Instance& instance,
                                                  const std::vector<Tag>& tags) {
  std::map<Tag, std::vector<std::string>> asked;
  for (const Tag tag : tags) {
    const DataElement* element = FindTop(parsed, tag);
    if (element == nullptr || element->sequence() != nullptr || element->is_fragments()) continue;
    const Vr vr = ReadAs(*element).vr;
    const bool is_text = kTextVrs.contains(vr);
    // The walk refuses longer ones.
    if (is_text && element->value().size() > kLongestOpened) continue;
    const Path path{{.tag = tag}};
    asked.emplace(tag,
                  ValuesOf({.tag = tag,
                            .vr = vr,
                            .bytes = is_text ? TrimPadding(element->value()) : element->value(),
                            .path = path,
                            .instance = instance}));
  }
  return asked;
}

Result<std::string> MaskForOverlays(const ParsedInstance& parsed) {
  std::set<std::uint16_t> positions;
  for (const DataElement& element : parsed.head.elements) {
    const Tag tag = element.tag();
    if ((tag.group & 0xFF01U) != 0x6000) continue;
    if (tag.element == 0x0102) positions.insert(tag.group);
    if (tag.element == 0x3000) positions.erase(tag.group);
  }
  const bool embedded = !positions.empty();
  if (!embedded || !parsed.extents.pixels) return std::string();
  if (parsed.extents.pixels->encapsulated) return ErrorCode::kEmbeddedOverlay;
  const unsigned allocated = TopNumber(parsed, {0x0028, 0x0100}).value_or(0);
  const unsigned stored = TopNumber(parsed, {0x0028, 0x0101}).value_or(0);
  const unsigned high = TopNumber(parsed, {0x0028, 0x0102}).value_or(0);
  const bool sound = (allocated == 8 || allocated == 16 || allocated == 32) && stored > 0 &&
                     high < allocated && stored <= high + 1;
  if (!sound) return ErrorCode::kEmbeddedOverlay;
  const std::uint64_t bits = ((std::uint64_t{1} << stored) - 1) << (high + 1 - stored);
  std::string mask;
  for (unsigned byte = 0; byte < allocated / 8; ++byte) {
    mask.push_back(static_cast<char>((bits >> (8 * byte)) & 0xFFU));
  }
  if (parsed.encoding.big_endian) std::reverse(mask.begin(), mask.end());
  const bool all = mask.find_first_not_of('\xFF') == std::string::npos;
  return all ? std::string() : mask;
}

}  // namespace dcmveil::engine
