// SPDX-License-Identifier: Apache-2.0
#include "engine/mark.h"

#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "engine/data_set.h"
#include "engine/facts.h"
#include "engine/value.h"

namespace dcmveil::engine {
namespace {

constexpr Tag kPatientIdentityRemoved{0x0012, 0x0062};
constexpr Tag kDeidentificationMethod{0x0012, 0x0063};
constexpr Tag kDeidentificationMethodCodes{0x0012, 0x0064};
constexpr Tag kLongitudinalModified{0x0028, 0x0303};
constexpr Tag kCodeValue{0x0008, 0x0100};
constexpr Tag kCodingSchemeDesignator{0x0008, 0x0102};
constexpr Tag kCodeMeaning{0x0008, 0x0104};

/// `text` is the plan's or the program's own, which live longer.
void Put(Item& item, Tag tag, Vr vr, std::string_view text) {
  item.Put(DataElement::View(tag, vr, text));
}

/// The value without padding; empty if there is none.
std::string_view TextIn(const Item& item, Tag tag) {
  const DataElement* element = item.Find(tag);
  return element != nullptr ? TrimPadding(element->value()) : std::string_view();
}

/// The codes of CID 7050 and (0028,0303). A code that an earlier de-identification left counts: the
/// sequence is a set.
void MarkProfile(Item& head, const ProfileParts& profile) {
  if (!profile.longitudinal.empty()) {
    Put(head, kLongitudinalModified, Vr::CS, profile.longitudinal);
  }
  DataElement* codes = head.Find(kDeidentificationMethodCodes);
  std::set<std::string, std::less<>> present;
  if (codes != nullptr && codes->sequence() != nullptr) {
    for (const Item& item : *codes->sequence()) {
      if (TextIn(item, kCodingSchemeDesignator) == "DCM") {
        present.emplace(TextIn(item, kCodeValue));
      }
    }
  } else if (!profile.method_codes.empty()) {
    head.Put(DataElement(kDeidentificationMethodCodes, Vr::SQ));
    codes = head.Find(kDeidentificationMethodCodes);
  }
  for (const ProfileParts::MethodCode& code : profile.method_codes) {
    if (present.contains(code.value)) continue;
    Item item;
    item.elements.reserve(3);
    Put(item, kCodeValue, Vr::SH, code.value);
    Put(item, kCodingSchemeDesignator, Vr::SH, "DCM");
    Put(item, kCodeMeaning, Vr::LO, code.meaning);
    codes->sequence()->push_back(std::move(item));
  }
}

}  // namespace

void Mark(ParsedInstance& parsed, const PlanParts& parts) {
  Put(parsed.head, kPatientIdentityRemoved, Vr::CS, "YES");
  if (parts.profile) MarkProfile(parsed.head, *parts.profile);
  const std::string_view before = TextIn(parsed.head, kDeidentificationMethod);
  if (before.empty()) {
    Put(parsed.head, kDeidentificationMethod, Vr::LO, parts.method_text);
  } else if (before != parts.method_text && !before.ends_with("\\" + parts.method_text)) {
    parsed.head.Put(DataElement::Of(kDeidentificationMethod, Vr::LO,
                                    std::string(before) + "\\" + parts.method_text));
  }
}

}  // namespace dcmveil::engine
