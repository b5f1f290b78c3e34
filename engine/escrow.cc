// SPDX-License-Identifier: Apache-2.0
#include "engine/escrow.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "engine/encoding/elements.h"
#include "engine/encoding/write.h"

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
constexpr Encoding kContentEncoding{};

/// A sequence with the one item.
DataElement SequenceOf(Tag tag, Item item) {
  DataElement made(tag, Vr::SQ);
  made.sequence()->push_back(std::move(item));
  return made;
}

std::string Encoded(const DataElement& element) {
  std::string bytes;
  AppendElement(element, kContentEncoding, bytes);
  return bytes;
}

/// Whether the content's transfer syntax cannot hold the element: an icon with compressed pixels.
bool HoldsFragments(const DataElement& element) {
  if (element.sequence() == nullptr) return element.is_fragments();
  return std::any_of(element.sequence()->begin(), element.sequence()->end(), [](const Item& item) {
    return std::any_of(item.elements.begin(), item.elements.end(), HoldsFragments);
  });
}

/// Whether an element that can be put aside comes out changed or not at all.
bool IsReplaced(const DataElement& original, const DataElement* left) {
  if (HoldsFragments(original)) return false;
  return left == nullptr || Encoded(*left) != Encoded(original);
}

std::string TextOf(const Item& item, Tag tag) {
  const DataElement* const element = item.Find(tag);
  return element != nullptr ? std::string(TrimPadding(element->value())) : std::string();
}

/// The item of Modified Attributes Sequence in one item of Encrypted Attributes Sequence.
Result<Item> OpenItem(const Item& item, const cms::PrivateKey& key,
                      const cms::Certificate* certificate) {
  const DataElement* const encrypted = item.Find(kEncryptedContent);
  if (encrypted == nullptr) return ErrorCode::kWrongKey;
  const std::optional<std::string> content =
      cms::Open(std::string(encrypted->value()), key, certificate);
  if (!content) return ErrorCode::kWrongKey;
  const Result<Item> data_set = ReadDataSet(*content, TextOf(item, kEncryptedContentSyntax));
  // A wrong key may open the envelope and give noise.
  if (!data_set) return ErrorCode::kWrongKey;
  const DataElement* const modified = data_set->Find(kModifiedAttributes);
  const Sequence* const sequence = modified != nullptr ? modified->sequence() : nullptr;
  if (sequence == nullptr || sequence->size() != 1) {
    return Error{ErrorCode::kMalformed, ToString(kModifiedAttributes)};
  }
  return sequence->front().Clone();
}

void PutBack(ParsedInstance& parsed, Item originals) {
  for (DataElement& element : originals.elements) {
    const Tag tag = element.tag();
    if (!MayEscrow(tag)) continue;
    const bool behind = parsed.extents.pixels && parsed.extents.pixels->tag < tag;
    if (behind && !parsed.after) parsed.after.emplace();
    (behind ? *parsed.after : parsed.head).Put(std::move(element));
  }
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
  Take(parsed.head);
  if (parsed.after) Take(*parsed.after);
}

void Escrow::Take(const Item& data_set) {
  for (const DataElement& element : data_set.elements) {
    const Tag tag = element.tag();
    if (!MayEscrow(tag)) continue;
    const bool listed =
        std::find(plan_.attributes.begin(), plan_.attributes.end(), tag) != plan_.attributes.end();
    // Texts say nothing without their character set.
    if (!listed && !plan_.all_replaced && tag != kSpecificCharacterSet) continue;
    originals_.push_back({element.Clone(), listed});
  }
}

Item Escrow::Choose(const ParsedInstance& parsed) const {
  std::set<Tag> chosen;
  std::set<Tag> creators;
  for (const Original& original : originals_) {
    const Tag tag = original.element.tag();
    bool goes_in = original.listed;
    if (!goes_in && plan_.all_replaced && tag != kSpecificCharacterSet) {
      const DataElement* left = parsed.head.Find(tag);
      if (left == nullptr && parsed.after) left = parsed.after->Find(tag);
      goes_in = IsReplaced(original.element, left);
    }
    if (!goes_in) continue;
    chosen.insert(tag);
    // Without its creator a private element belongs to nobody.
    if (tag.is_private())
      creators.insert({tag.group, static_cast<std::uint16_t>(tag.element >> 8)});
  }
  Item item;
  if (chosen.empty()) return item;
  chosen.insert(kSpecificCharacterSet);
  chosen.merge(creators);
  for (const Original& original : originals_) {
    if (chosen.contains(original.element.tag())) item.Put(original.element.Clone());
  }
  return item;
}

Status Escrow::PutInto(ParsedInstance& parsed, Observer* observer) const {
  Item chosen = Choose(parsed);
  parsed.head.Remove(kEncryptedAttributes);
  if (chosen.elements.empty()) return Done{};
  std::string content = Encoded(SequenceOf(kModifiedAttributes, std::move(chosen)));
  const std::optional<std::string> sealed =
      cms::SealDerived(plan_.recipients, *plan_.key, sop_instance_uid_, content);
  Cleanse(content);
  if (!sealed) return Error{ErrorCode::kCryptoFailed, plan_.origin};

  Item item;
  item.Put(DataElement::Of(kEncryptedContentSyntax, Vr::UI, std::string(kContentSyntax)));
  item.Put(DataElement::Of(kEncryptedContent, Vr::OB, *sealed));
  parsed.head.Put(SequenceOf(kEncryptedAttributes, std::move(item)));
  if (observer != nullptr) {
    const Path path = {{.tag = kEncryptedAttributes}};
    observer->OnElement({.path = path,
                         .keyword = "EncryptedAttributesSequence",
                         .vr = Vr::SQ,
                         .action = "escrow",
                         .origin = plan_.origin,
                         .before = "",
                         .after = "1 item(s)"});
  }
  return Done{};
}

Status Reidentify(ParsedInstance& parsed, const cms::PrivateKey& key,
                  const cms::Certificate* certificate) {
  DataElement* found = parsed.head.Find(kEncryptedAttributes);
  if (found == nullptr) return ErrorCode::kNoEscrow;
  if (found->sequence() == nullptr) {
    std::optional<DataElement> read = MakeSequence(kEncryptedAttributes, found->value(), 1);
    if (!read) return ErrorCode::kNoEscrow;
    *found = std::move(*read);
  }
  Sequence& sequence = *found->sequence();
  if (sequence.empty()) return ErrorCode::kNoEscrow;

  std::vector<Item> opened;
  for (auto item = sequence.begin(); item != sequence.end();) {
    Result<Item> originals = OpenItem(*item, key, certificate);
    if (originals) {
      opened.push_back(std::move(*originals));
      item = sequence.erase(item);
      continue;
    }
    if (originals.error().code != ErrorCode::kWrongKey) return originals.error();
    ++item;
  }
  if (opened.empty()) return ErrorCode::kWrongKey;
  if (sequence.empty()) parsed.head.Remove(kEncryptedAttributes);
  for (Item& originals : opened) PutBack(parsed, std::move(originals));
  parsed.head.Remove(kDeidentificationMethod);
  parsed.head.Remove(kDeidentificationMethodCodes);
  parsed.head.Put(DataElement::Of(kPatientIdentityRemoved, Vr::CS, "NO"));
  return Done{};
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
  const std::string sop_class = TextOf(parsed->head, kSopClassUid);
  const std::string sop_instance = TextOf(parsed->head, kSopInstanceUid);
  return Join(EncodeParts(*parsed, PixelOutput::kCarry, {}, sop_class, sop_instance),
              parsed->deflated);
}

}  // namespace dcmveil::engine
