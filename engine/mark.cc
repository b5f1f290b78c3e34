// SPDX-License-Identifier: Apache-2.0
#include "engine/mark.h"

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "engine/dcmtk/element.h"
#include "engine/facts.h"
#include "engine/value.h"

namespace dcmveil::engine {
namespace {

constexpr Tag kPatientIdentityRemoved{0x0012, 0x0062};
constexpr Tag kDeidentificationMethod{0x0012, 0x0063};
constexpr Tag kDeidentificationMethodCodes{0x0012, 0x0064};
constexpr Tag kLongitudinalModified{0x0028, 0x0303};

Status Insert(DcmItem& head, Tag tag, Vr vr, std::string_view bytes) {
  std::unique_ptr<DcmElement> made = MakeElement(tag, vr, bytes);
  if (!made || head.insert(made.release(), OFTrue).bad()) {
    return Error{ErrorCode::kEncodeFailed, ToString(tag)};
  }
  return Done{};
}

/// The codes of CID 7050 and (0028,0303). A code that an earlier de-identification left counts: the
/// sequence is a set.
Status MarkProfile(DcmDataset& head, const ProfileParts& profile) {
  if (!profile.longitudinal.empty()) {
    Status status = Insert(head, kLongitudinalModified, Vr::CS, profile.longitudinal);
    if (!status) return status;
  }
  std::set<std::string> present;
  DcmElement* earlier = nullptr;
  const DcmTagKey key(kDeidentificationMethodCodes.group, kDeidentificationMethodCodes.element);
  DcmSequenceOfItems* sequence =
      head.findAndGetElement(key, earlier).good() ? AsSequence(*earlier) : nullptr;
  for (unsigned long i = 0; sequence != nullptr && i < sequence->card(); ++i) {
    OFString value;
    OFString scheme;
    DcmItem& item = *sequence->getItem(i);
    (void)item.findAndGetOFString(DcmTagKey(0x0008, 0x0100), value);
    (void)item.findAndGetOFString(DcmTagKey(0x0008, 0x0102), scheme);
    if (scheme == "DCM") present.insert(value.c_str());
  }
  for (const ProfileParts::MethodCode& code : profile.method_codes) {
    if (present.contains(code.value)) continue;
    DcmItem* item = nullptr;
    if (head.findOrCreateSequenceItem(key, item, -2).bad()) {
      return Error{ErrorCode::kEncodeFailed, ToString(kDeidentificationMethodCodes)};
    }
    for (const auto& [tag, vr, text] :
         {std::tuple(Tag(0x0008, 0x0100), Vr::SH, std::string_view(code.value)),
          std::tuple(Tag(0x0008, 0x0102), Vr::SH, std::string_view("DCM")),
          std::tuple(Tag(0x0008, 0x0104), Vr::LO, std::string_view(code.meaning))}) {
      const Status status = Insert(*item, tag, vr, text);
      if (!status) return status;
    }
  }
  return Done{};
}

}  // namespace

Status Mark(ParsedInstance& parsed, const PlanParts& parts) {
  Status status = Insert(*parsed.head, kPatientIdentityRemoved, Vr::CS, "YES");
  if (!status) return status;
  if (parts.profile) {
    status = MarkProfile(*parsed.head, *parts.profile);
    if (!status) return status;
  }
  std::string method;
  if (DcmElement* earlier = FindTop(parsed, kDeidentificationMethod)) {
    method = TrimPadding(RawValue(*earlier));
  }
  if (method == parts.method_text || method.ends_with("\\" + parts.method_text)) return Done{};
  if (!method.empty()) method.push_back('\\');
  return Insert(*parsed.head, kDeidentificationMethod, Vr::LO, method + parts.method_text);
}

}  // namespace dcmveil::engine
