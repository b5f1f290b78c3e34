// SPDX-License-Identifier: Apache-2.0
#include "engine/escrow.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "engine/dcmtk/element.h"
#include "engine/dcmtk/write.h"

namespace dcmveil::engine {
namespace {

constexpr Tag kSpecificCharacterSet{0x0008, 0x0005};
constexpr Tag kSopClassUid{0x0008, 0x0016};
constexpr Tag kSopInstanceUid{0x0008, 0x0018};
constexpr Tag kPatientIdentityRemoved{0x0012, 0x0062};
constexpr Tag kDeidentificationMethod{0x0012, 0x0063};
constexpr Tag kDeidentificationMethodCodes{0x0012, 0x0064};
constexpr Tag kEncryptedAttributes{0x0400, 0x0500};
constexpr Tag kEncryptedContentSyntax{0x0400, 0x0510};
constexpr Tag kEncryptedContent{0x0400, 0x0520};
constexpr Tag kModifiedAttributes{0x0400, 0x0550};
constexpr Tag kDataSetTrailingPadding{0xFFFC, 0xFFFC};
/// Explicit VR Little Endian: the one that PS3.3 C.12.1.1.4.1 allows.
constexpr std::string_view kContentSyntax = "1.2.840.10008.1.2.1";

DcmTagKey KeyOf(Tag tag) { return {tag.group, tag.element}; }

DcmElement* Find(DcmItem* item, Tag tag) {
  DcmElement* element = nullptr;
  const bool found = item != nullptr && item->findAndGetElement(KeyOf(tag), element).good();
  return found ? element : nullptr;
}

std::unique_ptr<DcmElement> Clone(const DcmElement& element) {
  return std::unique_ptr<DcmElement>(static_cast<DcmElement*>(element.clone()));
}

Error Fail(Tag tag) { return {ErrorCode::kEncodeFailed, ToString(tag)}; }

Status Insert(DcmItem& item, std::unique_ptr<DcmElement> element, Tag tag) {
  // DCMTK takes the element only if it succeeds.
  if (!element || item.insert(element.get(), OFTrue).bad()) return Fail(tag);
  (void)element.release();
  return Done{};
}

/// A sequence with the one item, which it takes.
Result<std::unique_ptr<DcmElement>> SequenceOf(Tag tag, std::unique_ptr<DcmItem> item) {
  std::unique_ptr<DcmElement> made = MakeElement(tag, Vr::SQ, "");
  DcmSequenceOfItems* const sequence = made ? AsSequence(*made) : nullptr;
  if (sequence == nullptr || sequence->insert(item.get()).bad()) return Fail(tag);
  (void)item.release();
  return made;
}

/// Whether an element comes out changed or not at all. False for one that the transfer syntax of
/// the content cannot hold: an icon whose pixels are compressed.
bool IsReplaced(DcmElement& original, DcmElement* left) {
  const auto before = EncodeObject(original, EXS_LittleEndianExplicit);
  if (!before) return false;
  return left == nullptr || EncodeObject(*left, EXS_LittleEndianExplicit) != before;
}

std::string TextOf(DcmItem& item, Tag tag) {
  DcmElement* const element = Find(&item, tag);
  return element != nullptr ? std::string(TrimPadding(RawValue(*element))) : std::string();
}

/// The item of Modified Attributes Sequence in one item of Encrypted Attributes Sequence.
Result<std::unique_ptr<DcmItem>> OpenItem(DcmItem& item, const cms::PrivateKey& key,
                                          const cms::Certificate* certificate) {
  DcmElement* const encrypted = Find(&item, kEncryptedContent);
  if (encrypted == nullptr) return ErrorCode::kWrongKey;
  std::optional<std::string> content = cms::Open(RawValue(*encrypted), key, certificate);
  if (!content) return ErrorCode::kWrongKey;
  const Result<std::unique_ptr<DcmDataset>> data_set =
      ReadDataSet(std::move(*content), TextOf(item, kEncryptedContentSyntax));
  // A wrong key may open the envelope and give noise.
  if (!data_set) return ErrorCode::kWrongKey;
  DcmElement* const modified = Find(data_set->get(), kModifiedAttributes);
  DcmSequenceOfItems* const sequence = modified != nullptr ? AsSequence(*modified) : nullptr;
  if (sequence == nullptr || sequence->card() != 1) {
    return Error{ErrorCode::kMalformed, ToString(kModifiedAttributes)};
  }
  return std::unique_ptr<DcmItem>(sequence->remove(0UL));
}

Status PutBack(ParsedInstance& parsed, DcmItem& originals) {
  while (originals.card() > 0) {
    std::unique_ptr<DcmElement> element(originals.remove(0UL));
    const Tag tag = TagOf(*element);
    if (!MayEscrow(tag)) continue;
    const bool behind = parsed.extents.pixels && parsed.extents.pixels->tag < tag;
    if (behind && !parsed.after) parsed.after = std::make_unique<DcmDataset>();
    DcmDataset& place = behind ? *parsed.after : *parsed.head;
    const Status status = Insert(place, std::move(element), tag);
    if (!status) return status;
  }
  return Done{};
}

}  // namespace

const std::vector<Tag>& DefaultEscrow() {
  static const std::vector<Tag> kTags = {
      {0x0008, 0x0018},  // SOP Instance UID
      {0x0008, 0x0020},  // Study Date
      {0x0008, 0x0050},  // Accession Number
      {0x0010, 0x0010},  // Patient's Name
      {0x0010, 0x0020},  // Patient ID
      {0x0010, 0x0021},  // Issuer of Patient ID
      {0x0010, 0x0030},  // Patient's Birth Date
      {0x0020, 0x000D},  // Study Instance UID
      {0x0020, 0x000E},  // Series Instance UID
  };
  return kTags;
}

bool MayEscrow(Tag tag) {
  const bool of_the_format = tag.group < 0x0008 || tag.group >= 0xFFFC || tag.is_group_length() ||
                             tag == kDataSetTrailingPadding;
  const bool pixels = tag.group == 0x7FE0;
  const bool markers = tag == kPatientIdentityRemoved || tag == kDeidentificationMethod ||
                       tag == kDeidentificationMethodCodes || tag == kEncryptedAttributes;
  return !of_the_format && !pixels && !markers;
}

Escrow::Escrow(const EscrowPlan& plan, const ParsedInstance& parsed, const Instance& instance)
    : plan_(plan), sop_instance_uid_(instance.sop_instance_uid) {
  Take(*parsed.head);
  if (parsed.after) Take(*parsed.after);
}

void Escrow::Take(DcmDataset& data_set) {
  for (DcmObject* object = data_set.nextInContainer(nullptr); object != nullptr;
       object = data_set.nextInContainer(object)) {
    const Tag tag = TagOf(*object);
    if (!MayEscrow(tag)) continue;
    const bool listed =
        std::find(plan_.attributes.begin(), plan_.attributes.end(), tag) != plan_.attributes.end();
    // Texts say nothing without their character set.
    if (!listed && !plan_.all_replaced && tag != kSpecificCharacterSet) continue;
    originals_.push_back({Clone(static_cast<const DcmElement&>(*object)), listed});
  }
}

Result<std::unique_ptr<DcmItem>> Escrow::Choose(ParsedInstance& parsed) const {
  std::set<Tag> chosen;
  std::set<Tag> creators;
  for (const Original& original : originals_) {
    const Tag tag = TagOf(*original.element);
    bool goes_in = original.listed;
    if (!goes_in && plan_.all_replaced && tag != kSpecificCharacterSet) {
      DcmElement* left = Find(parsed.head.get(), tag);
      if (left == nullptr) left = Find(parsed.after.get(), tag);
      goes_in = IsReplaced(*original.element, left);
    }
    if (!goes_in) continue;
    chosen.insert(tag);
    // Without its creator a private element belongs to nobody.
    if (tag.is_private())
      creators.insert({tag.group, static_cast<std::uint16_t>(tag.element >> 8)});
  }
  if (chosen.empty()) return std::unique_ptr<DcmItem>();
  chosen.insert(kSpecificCharacterSet);
  chosen.merge(creators);
  auto item = std::make_unique<DcmItem>(DcmTag(0xFFFE, 0xE000), DCM_UndefinedLength);
  for (const Original& original : originals_) {
    const Tag tag = TagOf(*original.element);
    if (!chosen.contains(tag)) continue;
    const Status status = Insert(*item, Clone(*original.element), tag);
    if (!status) return status.error();
  }
  return item;
}

Status Escrow::PutInto(ParsedInstance& parsed, Observer* observer) const {
  Result<std::unique_ptr<DcmItem>> chosen = Choose(parsed);
  if (!chosen) return chosen.error();
  (void)parsed.head->findAndDeleteElement(KeyOf(kEncryptedAttributes));
  if (!*chosen) return Done{};
  Result<std::unique_ptr<DcmElement>> modified =
      SequenceOf(kModifiedAttributes, std::move(*chosen));
  if (!modified) return modified.error();
  std::optional<std::string> content = EncodeObject(**modified, EXS_LittleEndianExplicit);
  if (!content) return Fail(kModifiedAttributes);
  const std::optional<std::string> sealed =
      cms::SealDerived(plan_.recipients, *plan_.key, sop_instance_uid_, *content);
  Cleanse(*content);
  if (!sealed) return Error{ErrorCode::kCryptoFailed, plan_.origin};

  auto item = std::make_unique<DcmItem>(DcmTag(0xFFFE, 0xE000), DCM_UndefinedLength);
  Status status = Insert(*item, MakeElement(kEncryptedContentSyntax, Vr::UI, kContentSyntax),
                         kEncryptedContentSyntax);
  if (status) {
    status = Insert(*item, MakeElement(kEncryptedContent, Vr::OB, *sealed), kEncryptedContent);
  }
  if (!status) return status;
  Result<std::unique_ptr<DcmElement>> sequence = SequenceOf(kEncryptedAttributes, std::move(item));
  if (!sequence) return sequence.error();
  status = Insert(*parsed.head, std::move(*sequence), kEncryptedAttributes);
  if (status && observer != nullptr) {
    const Path path = {{.tag = kEncryptedAttributes}};
    observer->OnElement({.path = path,
                         .keyword = "EncryptedAttributesSequence",
                         .vr = Vr::SQ,
                         .action = "escrow",
                         .origin = plan_.origin,
                         .before = "",
                         .after = "1 item(s)"});
  }
  return status;
}

Status Reidentify(ParsedInstance& parsed, const cms::PrivateKey& key,
                  const cms::Certificate* certificate) {
  DcmElement* const found = Find(parsed.head.get(), kEncryptedAttributes);
  if (found == nullptr) return ErrorCode::kNoEscrow;
  std::unique_ptr<DcmElement> read;
  if (AsSequence(*found) == nullptr) read = MakeSequence(kEncryptedAttributes, RawValue(*found), 1);
  DcmSequenceOfItems* const sequence = AsSequence(read ? *read : *found);
  if (sequence == nullptr || sequence->card() == 0) return ErrorCode::kNoEscrow;

  std::vector<std::unique_ptr<DcmItem>> opened;
  for (unsigned long i = 0; i < sequence->card();) {
    Result<std::unique_ptr<DcmItem>> originals = OpenItem(*sequence->getItem(i), key, certificate);
    if (originals) {
      opened.push_back(std::move(*originals));
      delete sequence->remove(i);
      continue;
    }
    if (originals.error().code != ErrorCode::kWrongKey) return originals.error();
    ++i;
  }
  if (opened.empty()) return ErrorCode::kWrongKey;
  if (sequence->card() == 0) {
    (void)parsed.head->findAndDeleteElement(KeyOf(kEncryptedAttributes));
  } else if (read) {
    const Status status = Insert(*parsed.head, std::move(read), kEncryptedAttributes);
    if (!status) return status;
  }
  for (const std::unique_ptr<DcmItem>& originals : opened) {
    const Status status = PutBack(parsed, *originals);
    if (!status) return status;
  }
  (void)parsed.head->findAndDeleteElement(KeyOf(kDeidentificationMethod));
  (void)parsed.head->findAndDeleteElement(KeyOf(kDeidentificationMethodCodes));
  return Insert(*parsed.head, MakeElement(kPatientIdentityRemoved, Vr::CS, "NO"),
                kPatientIdentityRemoved);
}

Result<EncodedInstance> ReidentifyFile(const std::filesystem::path& file,
                                       const cms::PrivateKey& key,
                                       const cms::Certificate* certificate) {
  Result<std::shared_ptr<ByteSource>> source = ByteSource::OpenFile(file);
  if (!source) return source.error();
  Result<ParsedInstance> parsed = ReadInstance(std::move(*source));
  if (!parsed) return parsed.error();
  const Status status = Reidentify(*parsed, key, certificate);
  if (!status) return status.error();
  const std::string sop_class = TextOf(*parsed->head, kSopClassUid);
  const std::string sop_instance = TextOf(*parsed->head, kSopInstanceUid);
  Result<EncodedParts> parts =
      EncodeParts(*parsed, PixelOutput::kCarry, {}, sop_class, sop_instance);
  if (!parts) return parts.error();
  return Join(std::move(*parts), parsed->deflated);
}

}  // namespace dcmveil::engine
