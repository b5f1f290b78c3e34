// SPDX-License-Identifier: Apache-2.0
#include "engine/deidentify.h"

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "engine/conditions.h"
#include "engine/dcmtk/collect.h"
#include "engine/dcmtk/element.h"
#include "engine/declared_private.h"
#include "engine/dictionary.h"
#include "engine/escrow.h"
#include "engine/facts.h"
#include "engine/mark.h"
#include "engine/private_blocks.h"
#include "engine/reading.h"
#include "engine/value.h"

namespace dcmveil::engine {
namespace {

constexpr Tag kSpecificCharacterSet{0x0008, 0x0005};
constexpr Tag kSopClassUid{0x0008, 0x0016};
constexpr Tag kSopInstanceUid{0x0008, 0x0018};
constexpr Tag kManufacturer{0x0008, 0x0070};
constexpr Tag kManufacturerModelName{0x0008, 0x1090};
constexpr Tag kModality{0x0008, 0x0060};
constexpr Tag kPatientId{0x0010, 0x0020};
constexpr Tag kDeidentificationMethod{0x0012, 0x0063};
constexpr Tag kDeidentificationMethodCodes{0x0012, 0x0064};
constexpr Tag kStudyInstanceUid{0x0020, 0x000D};
constexpr Tag kSeriesInstanceUid{0x0020, 0x000E};
constexpr Tag kBurnedInAnnotation{0x0028, 0x0301};
constexpr Tag kRecognizableVisualFeatures{0x0028, 0x0302};
constexpr Tag kValueType{0x0040, 0xA040};
constexpr Tag kConceptName{0x0040, 0xA043};
constexpr Tag kTextValue{0x0040, 0xA160};
constexpr Tag kContentSequence{0x0040, 0xA730};
constexpr Tag kDataSetTrailingPadding{0xFFFC, 0xFFFC};

bool IsUid(std::string_view text) {
  return !text.empty() && text.size() <= 64 &&
         text.find_first_not_of("0123456789.") == std::string_view::npos;
}

/// Elements that no data set holds: commands, file meta information, directory records, delimiters
/// and the illegal odd groups (PS3.5 7.8.1, PS3.15 E.1.1 item 9).
bool IsIllegalGroup(Tag tag) {
  constexpr std::array<std::uint16_t, 9> kIllegal = {0x0000, 0x0001, 0x0002, 0x0003, 0x0004,
                                                     0x0005, 0x0006, 0x0007, 0xFFFF};
  return std::find(kIllegal.begin(), kIllegal.end(), tag.group) != kIllegal.end() ||
         tag.group == 0xFFFE;
}

bool IsPixelElement(Tag tag) {
  return tag.group == 0x7FE0 &&
         (tag.element == 0x0008 || tag.element == 0x0009 || tag.element == 0x0010);
}

/// Rules that do not name these must not take them away: without (0008,0005) text turns to noise,
/// and the record of an earlier de-identification is added to, not lost (PS3.15 E.1.1 item 6).
bool IsKeptUnlessNamed(Tag tag) {
  return tag == kSpecificCharacterSet || tag == kDeidentificationMethod ||
         tag == kDeidentificationMethodCodes;
}

/// The elements that hold a content item's value (PS3.3 C.17.3.2.1).
bool IsContentValue(Tag tag) {
  constexpr std::array<std::uint16_t, 8> kValues = {0xA120, 0xA121, 0xA122, 0xA123,
                                                    0xA124, 0xA160, 0xA168, 0xA300};
  return (tag.group == 0x0040 &&
          std::find(kValues.begin(), kValues.end(), tag.element) != kValues.end()) ||
         tag == Tag(0x0008, 0x1199);
}

std::size_t CountCharacters(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

/// Whether what the rule writes says nothing about what stood there.
bool WritesItsOwn(const Rule& rule) {
  return rule.spec->name == "replace" || rule.spec->name == "dummy";
}

class Walker {
 public:
  Walker(const Plan& plan, Instance instance, DeclaredPrivate declared,
         const ConditionAnswers& answers, Observer* observer)
      : plan_(plan),
        instance_(std::move(instance)),
        declared_(std::move(declared)),
        answers_(answers),
        observer_(observer) {}

  /// Decides and changes all elements of a data set or item. `path_` holds the way to it.
  Status WalkItem(DcmItem& item);
  /// Pixel data at the top level, which is in no item.
  Result<PixelOutput> DecidePixels(const PixelExtent& pixels);
  Status AddMissing(DcmDataset& head);

  void Note(NoteCode code) {
    for (NoteCount& note : notes_) {
      if (note.code == code) {
        ++note.count;
        return;
      }
    }
    notes_.push_back({code, 1});
  }
  std::vector<NoteCount> TakeNotes() { return std::move(notes_); }
  guard::Retained TakeRetained() { return std::move(retained_); }

 private:
  using Owned = std::unique_ptr<DcmElement>;

  /// The element's successor; null: removed.
  Result<Owned> Process(Owned element, Tag tag, std::string_view creator);
  Result<Owned> Carry(Owned element, Tag tag, const Reading& reading,
                      const Plan::Decision& decision);
  Result<Owned> Judge(Owned element, const Reading& reading);
  /// What decides the element: the plan, or, where a profile's row would, something more exact.
  Plan::Decision Decide(Tag tag, std::string_view creator, VrSet vrs) const;
  /// The rule for a content item, if the profile has some; null for other items.
  const ContentRule* ContentRuleOf(DcmItem& item) const;
  /// The rule for a content item that no list names: text is free text; else null.
  const Rule* OtherContent(DcmItem& item) const;
  /// `made_anew`: the value is the action's, not the input's.
  Result<Owned> Apply(Owned element, const Reading& reading, const Rule& rule, bool& made_anew);
  Result<Owned> Keep(Owned element, const Reading& reading);
  Result<Owned> KeepText(Owned element, const Reading& reading);
  Result<Owned> KeepCharacterSet(Owned element);
  Result<Owned> KeepMethod(Owned element);
  Status WalkElements(DcmItem& item);
  Status WalkSequence(DcmSequenceOfItems& sequence);
  void Tell(const Reading& reading, std::string_view action, std::string_view origin,
            std::string before, DcmElement* after, bool survives);
  /// Readable, if the observer wants it.
  [[nodiscard]] std::string Before(DcmElement& element, const Reading& reading) const;
  Error Fail(ErrorCode code) const { return {code, ToString(path_)}; }
  [[nodiscard]] std::string Readable(DcmElement& element, const Reading& reading) const;

  const Plan& plan_;
  Instance instance_;  ///< a copy: its character set is that of the item being walked
  DeclaredPrivate declared_;
  const Rule* content_rule_ = nullptr;  ///< for the value of the content item being walked
  const ConditionAnswers& answers_;
  Observer* observer_;
  Path path_;
  std::vector<NoteCount> notes_;
  guard::Retained retained_;  ///< filled only for the guard
  std::uint64_t walked_ = 0;  ///< elements and items
};

std::string Walker::Readable(DcmElement& element, const Reading& reading) const {
  if (const DcmSequenceOfItems* sequence = AsSequence(element)) {
    return std::to_string(const_cast<DcmSequenceOfItems*>(sequence)->card()) + " item(s)";
  }
  const Vr vr = reading.vr;
  if (kNumberVrs.contains(vr) || vr == Vr::AT) {
    OFString text;
    if (element.getOFStringArray(text).good()) return {text.c_str(), text.size()};
  }
  const std::string bytes = RawValue(element);
  if (kTextVrs.contains(vr)) return instance_.charset.Decode(TrimPadding(bytes), vr).text;
  return std::to_string(element.getLengthField()) + " bytes";
}

std::string Walker::Before(DcmElement& element, const Reading& reading) const {
  const bool wanted = observer_ != nullptr &&
                      observer_->Wanted(path_.back().tag, reading.vr) == Observer::Values::kBoth;
  return wanted ? Readable(element, reading) : std::string();
}

void Walker::Tell(const Reading& reading, std::string_view action, std::string_view origin,
                  std::string before, DcmElement* after, bool survives) {
  if (observer_ == nullptr) return;
  const bool wanted = after != nullptr &&
                      observer_->Wanted(path_.back().tag, reading.vr) != Observer::Values::kNone;
  const bool bytes =
      wanted && (reading.vr == Vr::UN || reading.vr == Vr::OB) && AsSequence(*after) == nullptr;
  observer_->OnElement({.path = path_,
                        .keyword = reading.keyword,
                        .vr = reading.vr,
                        .action = action,
                        .origin = origin,
                        .before = std::move(before),
                        .after = wanted ? Readable(*after, reading) : std::string(),
                        .removed = after == nullptr,
                        .survives = survives && after != nullptr,
                        .bytes = bytes ? RawValue(*after) : std::string()});
}

Status Walker::WalkItem(DcmItem& item) {
  // An item may declare a character set of its own (PS3.3 C.12.1.1.2).
  std::optional<Charset> outer;
  DcmElement* declared = nullptr;
  if (!path_.empty() &&
      item.findAndGetElement(DcmTagKey(kSpecificCharacterSet.group, kSpecificCharacterSet.element),
                             declared)
          .good()) {
    outer = std::exchange(instance_.charset, Charset::FromTerms(RawValue(*declared)));
    if (!instance_.charset.known()) Note(NoteCode::kUnknownCharset);
  }
  const Status status = WalkElements(item);
  if (outer) instance_.charset = std::move(*outer);
  return status;
}

Status Walker::WalkElements(DcmItem& item) {
  // The elements leave the item and the survivors come back: DCMTK's removal of single elements
  // searches its list from the start each time.
  std::vector<std::pair<Tag, Owned>> elements;
  elements.reserve(item.card());
  // Sequences that were encoded as something else were not counted when the file was scanned.
  walked_ += 1 + item.card();
  if (walked_ > kMostElements) return Fail(ErrorCode::kTooLarge);
  PrivateBlocks blocks;
  while (item.card() > 0) {
    Owned element(item.remove(0UL));
    const Tag tag = TagOf(*element);
    if (tag.is_private_creator()) blocks.Reserve(tag, *element);
    elements.emplace_back(tag, std::move(element));
  }

  // Blocks (by group and number) that hold elements, and those with an element that survives.
  std::set<std::uint32_t> used;
  std::set<std::uint32_t> surviving;
  const auto block_of = [](Tag tag) {
    return (static_cast<std::uint32_t>(tag.group) << 16U) | (tag.element >> 8U);
  };
  std::vector<std::pair<Tag, Owned>> creators;
  path_.emplace_back();
  for (auto& [tag, element] : elements) {
    if (tag.is_group_length() || tag == kDataSetTrailingPadding) continue;
    if (IsIllegalGroup(tag)) {
      Note(NoteCode::kIllegalGroup);
      continue;
    }
    // A sequence in a creator's place names nobody; it is decided like anything else.
    if (tag.is_private_creator() && AsSequence(*element) == nullptr) {
      creators.emplace_back(tag, std::move(element));
      continue;
    }
    const std::string_view creator = blocks.CreatorOf(tag);
    if (!creator.empty()) used.insert(block_of(tag));
    path_.back() = {.tag = tag, .creator = creator};
    Result<Owned> result = Process(std::move(element), tag, creator);
    if (!result) return result.error();
    if (!*result) continue;
    if (!creator.empty()) surviving.insert(block_of(tag));
    if (item.insert(result->release(), OFFalse).bad()) Note(NoteCode::kDuplicateElement);
  }
  // A creator stays exactly as long as its block has elements; one that reserved nothing is
  // decided like any other element.
  for (auto& [tag, element] : creators) {
    const std::uint32_t block = (static_cast<std::uint32_t>(tag.group) << 16U) | tag.element;
    path_.back() = {.tag = tag};
    const Reading reading{.vrs = Vr::LO, .vr = Vr::LO};
    std::string before = Before(*element, reading);
    bool stays = surviving.contains(block);
    if (!stays && !used.contains(block)) {
      const Plan::Decision decision = plan_.Decide(path_, Vr::LO, answers_);
      stays = decision.rule != nullptr
                  ? decision.rule->spec->effect == Effect::kKeep
                  : plan_.parts().otherwise_keep && !decision.private_by_vr_only;
    }
    // Only the name itself stays: what else stands in the element, behind a NUL or in another VR,
    // was matched by no rule.
    Owned written = stays ? MakeElement(tag, Vr::LO, blocks.CreatorAt(tag)) : nullptr;
    if (stays && !written) return Fail(ErrorCode::kEncodeFailed);
    if (stays && EncodedVr(*element) != Vr::LO) Note(NoteCode::kVrMended);
    Tell(reading, stays ? "keep" : "remove", "private block", std::move(before), written.get(),
         true);
    if (written && item.insert(written.release(), OFFalse).bad()) {
      Note(NoteCode::kDuplicateElement);
    }
  }
  path_.pop_back();
  return Done{};
}

Plan::Decision Walker::Decide(Tag tag, std::string_view creator, VrSet vrs) const {
  const Plan::Decision decision = plan_.Decide(path_, vrs, answers_);
  const std::optional<ProfileParts>& profile = plan_.parts().profile;
  if (!profile || (decision.rule != nullptr && !decision.rule->of_profile)) return decision;
  if (content_rule_ != nullptr && IsContentValue(tag)) return {.rule = content_rule_};
  if (!tag.is_private() || !profile->declared) return decision;
  using Answer = DeclaredPrivate::Answer;
  switch (declared_.Find(tag.group, creator, static_cast<std::uint8_t>(tag.element & 0xFFU))) {
    case Answer::kNothing:
      return decision;
    case Answer::kSafe:
      return {.rule = &profile->declared->keep};
    case Answer::kDummy:
      return {.rule = &profile->declared->dummy};
    case Answer::kEmpty:
      return {.rule = &profile->declared->empty};
    case Answer::kUid:
      return {.rule = &profile->declared->uid};
    case Answer::kRemove:
      break;
  }
  return {.rule = &profile->declared->remove};
}

const ContentRule* Walker::ContentRuleOf(DcmItem& item) const {
  if (!plan_.parts().profile || plan_.parts().profile->content.empty()) return nullptr;
  const auto find = [](DcmItem& in, Tag tag) {
    DcmElement* element = nullptr;
    (void)in.findAndGetElement(DcmTagKey(tag.group, tag.element), element);
    return element;
  };
  const auto text = [&](DcmItem& in, Tag tag) {
    DcmElement* element = find(in, tag);
    if (element == nullptr) return std::string();
    const std::string bytes = RawValue(*element);
    const std::string_view trimmed = TrimPadding(bytes);
    return std::string(trimmed.substr(std::min(trimmed.find_first_not_of(' '), trimmed.size())));
  };
  const std::string value_type = text(item, kValueType);
  if (value_type.empty()) return nullptr;
  DcmElement* name = find(item, kConceptName);
  DcmSequenceOfItems* codes = name != nullptr ? AsSequence(*name) : nullptr;
  if (codes == nullptr || codes->card() == 0) return nullptr;
  DcmItem& code = *codes->getItem(0);
  return plan_.FindContent(text(code, {0x0008, 0x0100}), text(code, {0x0008, 0x0102}), value_type);
}

const Rule* Walker::OtherContent(DcmItem& item) const {
  const std::optional<ProfileParts>& profile = plan_.parts().profile;
  if (!profile || !profile->other_text) return nullptr;
  DcmElement* text = nullptr;
  const DcmTagKey key(kTextValue.group, kTextValue.element);
  return item.findAndGetElement(key, text).good() ? &*profile->other_text : nullptr;
}

Result<Walker::Owned> Walker::Process(Owned element, Tag tag, std::string_view creator) {
  const Reading reading = ReadAs(tag, *element);
  if (element->isLeaf() && element->getLengthField() > kLongestOpened &&
      (reading.is_sequence || kTextVrs.contains(reading.vr) || BeginsWithItem(*element))) {
    return Fail(ErrorCode::kTooLarge);
  }
  const Plan::Decision decision = Decide(tag, creator, reading.vrs);
  if (!plan_.parts().guard) return Carry(std::move(element), tag, reading, decision);
  const std::optional<clean::IdentifierKind> kind = clean::KindOf(tag, reading.vrs);
  const bool device = kind == clean::IdentifierKind::kDevice;
  if (!kind || !(device || guard::IsSearched(*kind))) {
    return Carry(std::move(element), tag, reading, decision);
  }
  std::vector<clean::Identifier> before;
  AppendIdentifiers(*element, reading, instance_.charset, *kind, before);
  Result<Owned> result = Carry(std::move(element), tag, reading, decision);
  if (!result || before.empty()) return result;
  std::vector<clean::Identifier> after;
  if (*result) AppendIdentifiers(**result, reading, instance_.charset, *kind, after);
  const Rule* rule = decision.rule;
  // What keeping cuts off (bytes behind a NUL) was not taken by a rule.
  if (*result && (rule == nullptr || rule->spec->effect == Effect::kKeep)) {
    auto& list = rule == nullptr ? retained_.by_default : retained_.on_purpose;
    // A station is not searched, but one that is kept may bear the institution's name.
    if (!device || rule != nullptr) list.insert(list.end(), after.begin(), after.end());
    return result;
  }
  if (device) return result;
  // What these leave is what they did not recognise, not what the rules wanted to keep.
  const bool says_what =
      rule != nullptr && rule->spec->name != "edit" && rule->spec->name != "clean";
  std::unordered_set<std::string_view> left;
  for (const clean::Identifier& identifier : after) left.insert(identifier.value);
  for (clean::Identifier& identifier : before) {
    const bool stays = left.contains(identifier.value);
    std::vector<clean::Identifier>& list = !stays      ? retained_.taken
                                           : says_what ? retained_.on_purpose
                                                       : retained_.by_default;
    list.push_back(std::move(identifier));
  }
  return result;
}

Result<Walker::Owned> Walker::Carry(Owned element, Tag tag, const Reading& reading,
                                    const Plan::Decision& decision) {
  const Rule* rule = decision.rule;
  const PlanParts& parts = plan_.parts();
  std::string before = Before(*element, reading);

  const bool named =
      rule != nullptr &&
      std::any_of(rule->selectors.begin(), rule->selectors.end(), [tag](const Selector& selector) {
        return !selector.by_vr() && selector.path.back().is_exact() &&
               selector.path.back().Matches(tag, {});
      });
  bool keep = rule != nullptr ? rule->spec->effect == Effect::kKeep : parts.otherwise_keep;
  std::string_view origin =
      rule != nullptr ? std::string_view(rule->origin) : std::string_view(parts.otherwise_origin);
  if (decision.private_by_vr_only) {
    Note(NoteCode::kPrivateUndecided);
    Tell(reading, "remove",
         tag.is_private() ? "private, reached by VR rules only"
                          : "not in PS3.6, reached by VR rules only",
         std::move(before), nullptr, false);
    return Owned();
  }
  if (IsKeptUnlessNamed(tag) && !named && !keep) {
    keep = true;
    origin = "kept unless named";
  }
  // A VR or mask rule is not meant for pixel data unless it keeps or removes it.
  if (IsPixelElement(tag) && rule != nullptr && !rule->spec->may_touch_pixels) {
    keep = true;
    origin = "pixel data";
  }
  if (keep) {
    Result<Owned> kept = Keep(std::move(element), reading);
    if (kept) Tell(reading, "keep", origin, std::move(before), kept->get(), true);
    return kept;
  }
  if (rule == nullptr || rule->spec->effect == Effect::kRemove) {
    Owned left;
    if (rule != nullptr && rule->judge_sequences) {
      Result<Owned> judged = Judge(std::move(element), reading);
      if (!judged) return judged.error();
      left = std::move(*judged);
    }
    Tell(reading, left ? "keep" : "remove", origin, std::move(before), left.get(), true);
    return left;
  }
  bool made_anew = false;
  Result<Owned> changed = Apply(std::move(element), reading, *rule, made_anew);
  if (changed) {
    Tell(reading, rule->spec->name, origin, std::move(before), changed->get(),
         !made_anew || rule->spec->leaves_text);
  }
  return changed;
}

// A sequence that nothing speaks for is decided element by element and stays for what is left in it
// (PS3.15 E.3.10).
Result<Walker::Owned> Walker::Judge(Owned element, const Reading& reading) {
  if (AsSequence(*element) == nullptr) {
    if (!reading.is_sequence && !BeginsWithItem(*element)) return Owned();
    element = MakeSequence(path_.back().tag, RawValue(*element), static_cast<int>(path_.size()));
    if (!element) return Owned();
  }
  DcmSequenceOfItems& sequence = *AsSequence(*element);
  const Status status = WalkSequence(sequence);
  if (!status) return status.error();
  for (unsigned long i = 0; i < sequence.card(); ++i) {
    if (sequence.getItem(i)->card() > 0) return element;
  }
  return Owned();
}

Result<Walker::Owned> Walker::Apply(Owned element, const Reading& reading, const Rule& rule,
                                    bool& made_anew) {
  Vr vr = reading.is_sequence ? Vr::SQ : reading.vr;
  if (vr == Vr::UN) vr = rule.as_vr.value_or(vr);
  if (!rule.spec->vrs.contains(vr)) return Fail(ErrorCode::kVrUnsupported);
  const std::string bytes = RawValue(*element);
  const Tag tag = path_.back().tag;
  const std::string_view trimmed =
      kTextVrs.contains(vr) ? TrimPadding(bytes) : std::string_view(bytes);
  Change change = rule.action->Apply(
      {.tag = tag, .vr = vr, .bytes = trimmed, .path = path_, .instance = instance_});
  if (change.note) Note(*change.note);
  switch (change.kind) {
    case Change::Kind::kKeep:
      return Keep(std::move(element), reading);
    case Change::Kind::kRemove:
      return Owned();
    case Change::Kind::kFail:
      return Fail(change.error);
    case Change::Kind::kEmpty:
    case Change::Kind::kSet:
      break;
  }
  made_anew = true;
  if (reading.mended) Note(NoteCode::kVrMended);
  const std::string_view value =
      change.kind == Change::Kind::kSet ? std::string_view(change.bytes) : std::string_view();
  if (plan_.parts().guard && kTextVrs.contains(vr) && WritesItsOwn(rule)) {
    retained_.on_purpose.push_back({.kind = clean::IdentifierKind::kPersonName,
                                    .value = instance_.charset.Decode(value, vr).text});
  }
  // The bytes of a sequence are its items; an empty one has no bytes to read items from.
  Owned made = vr == Vr::SQ && !value.empty()
                   ? MakeSequence(tag, value, static_cast<int>(path_.size()))
                   : MakeElement(tag, vr, value);
  if (!made) return Fail(ErrorCode::kEncodeFailed);
  return made;
}

Result<Walker::Owned> Walker::Keep(Owned element, const Reading& reading) {
  if (DcmSequenceOfItems* sequence = AsSequence(*element)) {
    const unsigned long items = sequence->card();
    const Status status = WalkSequence(*sequence);
    if (!status) return status.error();
    // Content Sequence has one item or is not there.
    if (items > 0 && sequence->card() == 0 && path_.back().tag == kContentSequence) return Owned();
    return element;
  }
  const Tag tag = path_.back().tag;
  if (tag == kSpecificCharacterSet) return KeepCharacterSet(std::move(element));
  if (tag == kDeidentificationMethod) return KeepMethod(std::move(element));
  // A list of items can hide in any VR. What must be a sequence is read as one or not at all, and
  // so is a private or unknown element that begins like one; a standard attribute of another kind
  // has no business to hold one.
  const bool begins_with_item = BeginsWithItem(*element);
  if (reading.is_sequence || begins_with_item) {
    const std::string bytes = RawValue(*element);
    if (bytes.empty()) return element;
    Owned sequence = MakeSequence(tag, bytes, static_cast<int>(path_.size()));
    if (!reading.keyword.empty() && !reading.is_sequence) {
      if (sequence) return Fail(ErrorCode::kMalformed);
      return element;
    }
    if (!sequence) return Fail(ErrorCode::kUnreadableSequence);
    if (reading.is_sequence) Note(NoteCode::kVrMended);
    const Status status = WalkSequence(*AsSequence(*sequence));
    if (!status) return status.error();
    return sequence;
  }
  if (reading.mended && !ReadsAsItsAttribute(*element, reading)) {
    Note(NoteCode::kVrMended);
    Owned made = MakeElement(tag, reading.vrs.first(), "");
    if (!made) return Fail(ErrorCode::kEncodeFailed);
    return made;
  }
  if (kTextVrs.contains(reading.vr)) return KeepText(std::move(element), reading);
  return element;
}

// PS3.5 allows NUL as padding of UI only. Text behind a NUL is invisible to most readers, and so to
// whoever reviewed the rules. Some writers pad each value of several with NULs, though.
Result<Walker::Owned> Walker::KeepText(Owned element, const Reading& reading) {
  const std::string bytes = RawValue(*element);
  const std::size_t nul = bytes.find('\0');
  if (nul == std::string::npos || TrimPadding(bytes).size() <= nul) return element;
  std::string kept;
  const bool several =
      !kSingleTextVrs.contains(reading.vr) &&
      (!kCharsetVrs.contains(reading.vr) || instance_.charset.ascii_bytes_stand_alone());
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t end = several ? std::min(bytes.find('\\', at), bytes.size()) : bytes.size();
    const std::string_view value = std::string_view(bytes).substr(at, end - at);
    const std::string_view visible = value.substr(0, value.find('\0'));
    kept += visible;
    if (TrimPadding(value).size() > visible.size()) break;
    if (end < bytes.size()) kept.push_back('\\');
    at = end + 1;
  }
  Note(NoteCode::kTextAfterNul);
  Owned made = MakeElement(path_.back().tag, reading.vr, TrimPadding(kept));
  if (!made) return Fail(ErrorCode::kEncodeFailed);
  return made;
}

// Free text here would pass every rule: only terms that declare a character set stay.
Result<Walker::Owned> Walker::KeepCharacterSet(Owned element) {
  const std::string bytes = RawValue(*element);
  const std::string_view text = TrimPadding(bytes);
  if (Charset::FromTerms(text).known() && EncodedVr(*element) == Vr::CS) return element;
  std::string known;
  bool first = true;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\\', at), text.size());
    const std::string_view term = text.substr(at, end - at);
    if (!first) known.push_back('\\');
    if (Charset::FromTerms(term).known()) known += term;
    first = false;
    at = end + 1;
  }
  while (known.ends_with('\\')) known.pop_back();
  Owned made = MakeElement(path_.back().tag, Vr::CS, known);
  if (!made) return Fail(ErrorCode::kEncodeFailed);
  return made;
}

// What earlier de-identifiers said stays (PS3.15 E.1.1 item 6), as far as it is what LO may hold.
Result<Walker::Owned> Walker::KeepMethod(Owned element) {
  constexpr std::size_t kRoom = 64;
  const std::string bytes = RawValue(*element);
  const auto decoded = instance_.charset.DecodeValues(
      TrimPadding(std::string_view(bytes).substr(0, bytes.find('\0'))), Vr::LO);
  std::string kept;
  for (const std::string& value : decoded.values) {
    if (CountCharacters(value) > kRoom) continue;
    if (!kept.empty()) kept.push_back('\\');
    kept += value;
  }
  const std::optional<std::string> encoded = instance_.charset.Encode(kept, Vr::LO);
  if (!encoded && EncodedVr(*element) == Vr::LO) return element;
  Owned made = MakeElement(path_.back().tag, Vr::LO, encoded.value_or(""));
  if (!made) return Fail(ErrorCode::kEncodeFailed);
  return made;
}

Status Walker::WalkSequence(DcmSequenceOfItems& sequence) {
  const std::size_t at = path_.size() - 1;
  int index = 0;
  const Rule* const outer = content_rule_;
  std::vector<DcmItem*> dropped;
  for (DcmObject* object = sequence.nextInContainer(nullptr); object != nullptr;
       object = sequence.nextInContainer(object)) {
    path_[at].item = index++;
    auto& item = static_cast<DcmItem&>(*object);
    const ContentRule* const content = ContentRuleOf(item);
    if (content != nullptr && content->drops_item()) {
      dropped.push_back(&item);
      continue;
    }
    content_rule_ = content != nullptr ? &content->rule : OtherContent(item);
    const Status status = WalkItem(item);
    if (!status) return status;
  }
  content_rule_ = outer;
  path_[at].item = -1;
  for (DcmItem* item : dropped) {
    const std::unique_ptr<DcmItem> gone(sequence.remove(item));
  }
  return Done{};
}

Result<PixelOutput> Walker::DecidePixels(const PixelExtent& pixels) {
  path_.assign(1, {.tag = pixels.tag});
  const Attribute* attribute = FindAttribute(pixels.tag);
  const VrSet vrs = attribute != nullptr ? attribute->vrs : VrSet{Vr::OB, Vr::OW};
  const Plan::Decision decision = plan_.Decide(path_, vrs, answers_);
  const Rule* rule = decision.rule;
  const bool keep = rule != nullptr
                        ? rule->spec->effect == Effect::kKeep || !rule->spec->may_touch_pixels
                        : plan_.parts().otherwise_keep;
  PixelOutput result = PixelOutput::kCarry;
  if (!keep) {
    const bool removed = rule == nullptr || rule->spec->effect == Effect::kRemove;
    result = removed ? PixelOutput::kNone : PixelOutput::kEmpty;
  }
  if (observer_ != nullptr) {
    const std::string size = std::to_string(pixels.size) + " bytes";
    observer_->OnElement({.path = path_,
                          .keyword = attribute != nullptr ? attribute->keyword : "",
                          .vr = vrs.first(),
                          .action = keep ? std::string_view("keep")
                                         : (rule != nullptr ? rule->spec->name : "remove"),
                          .origin = rule != nullptr ? rule->origin : plan_.parts().otherwise_origin,
                          .before = size,
                          .after = keep ? size : std::string(),
                          .removed = result == PixelOutput::kNone});
  }
  path_.clear();
  return result;
}

Status Walker::AddMissing(DcmDataset& head) {
  const std::vector<AddRule>& adds = plan_.parts().adds;
  for (std::size_t i = 0; i < adds.size(); ++i) {
    const AddRule& add = adds[i];
    const DcmTagKey key(add.tag.group, add.tag.element);
    if (!plan_.AddApplies(i, answers_) || head.tagExists(key)) continue;
    const Path path = {{.tag = add.tag}};
    const Change change = SetFromRule(
        {.tag = add.tag, .vr = add.vr, .bytes = {}, .path = path, .instance = instance_},
        add.value);
    if (change.kind == Change::Kind::kFail) return Error{change.error, add.origin};
    Owned made = MakeElement(add.tag, add.vr, change.bytes);
    if (!made || head.insert(made.release(), OFFalse).bad()) {
      return Error{ErrorCode::kEncodeFailed, add.origin};
    }
    if (observer_ != nullptr) {
      observer_->OnElement({.path = path,
                            .keyword = FindAttribute(add.tag)->keyword,
                            .vr = add.vr,
                            .action = "add",
                            .origin = add.origin,
                            .before = "",
                            .after = add.value});
    }
  }
  return Done{};
}

}  // namespace

Result<Rewrite> Deidentify(ParsedInstance& parsed, const Plan& plan, Observer* observer) {
  Rewrite rewrite;
  bool charset_known = true;
  Instance instance = ReadFacts(parsed, charset_known);
  if (plan.wants_identifiers() || plan.parts().guard) {
    instance.identifiers = CollectIdentifiers(
        parsed, instance.charset, plan.wants_identifiers() ? Which::kAll : Which::kSearched);
  }
  if (observer != nullptr) {
    observer->OnInstance(instance.sop_class_uid,
                         TopText(parsed, instance.charset, kModality, Vr::CS));
  }
  const ConditionAnswers answers = AnswerConditions(plan, parsed, instance);
  for (std::size_t i = 0; i < plan.parts().rejects.size(); ++i) {
    if (plan.RejectApplies(i, answers)) {
      rewrite.rejected = &plan.parts().rejects[i];
      return rewrite;
    }
  }
  if (!IsUid(instance.sop_class_uid)) return ErrorCode::kNoSopClass;
  if (instance.sop_instance_uid.empty()) return ErrorCode::kNoSopInstance;

  const std::optional<ProfileParts>& profile = plan.parts().profile;
  if (profile && parsed.extents.pixels) {
    const auto says_no = [&](Tag tag) {
      return TopText(parsed, instance.charset, tag, Vr::CS) == "NO";
    };
    if (profile->needs_clean_pixels && !says_no(kBurnedInAnnotation)) {
      return ErrorCode::kPixelsNotClean;
    }
    if (profile->needs_clean_features && !says_no(kRecognizableVisualFeatures)) {
      return ErrorCode::kFeaturesNotClean;
    }
  }
  if (profile) {
    Result<std::string> mask = MaskForOverlays(parsed);
    if (!mask) return mask.error();
    rewrite.pixel_mask = std::move(*mask);
  }
  std::vector<std::string> about;
  if (plan.parts().guard) {
    for (const Tag tag : {kManufacturer, kManufacturerModelName}) {
      about.push_back(TopText(parsed, instance.charset, tag, Vr::LO));
    }
  }
  Walker walker(
      plan, instance,
      profile && profile->declared ? DeclaredPrivate(parsed, instance.charset) : DeclaredPrivate(),
      answers, observer);
  if (!charset_known) walker.Note(NoteCode::kUnknownCharset);
  if (parsed.extents.trailing_bytes) walker.Note(NoteCode::kTrailingBytes);
  for (int i = 0; i < parsed.extents.duplicates; ++i) walker.Note(NoteCode::kDuplicateElement);
  // A file that was cut between two elements looks whole. Images can be told by their Rows; those
  // of spectroscopy have their data elsewhere, and some leave it with a server (PS3.3 C.7.6.3.1.4).
  if (!parsed.extents.pixels && FindTop(parsed, {0x0028, 0x0010}) != nullptr &&
      FindTop(parsed, {0x5600, 0x0020}) == nullptr &&
      FindTop(parsed, {0x0028, 0x7FE0}) == nullptr) {
    walker.Note(NoteCode::kNoPixelData);
  }
  std::optional<Escrow> escrow;
  if (plan.parts().escrow) escrow.emplace(*plan.parts().escrow, parsed, instance);
  Status status = walker.WalkItem(*parsed.head);
  if (!status) return status.error();
  if (parsed.extents.pixels) {
    const Result<PixelOutput> pixels = walker.DecidePixels(*parsed.extents.pixels);
    if (!pixels) return pixels.error();
    rewrite.pixels = *pixels;
  }
  if (parsed.after) {
    status = walker.WalkItem(*parsed.after);
    if (!status) return status.error();
  }
  status = walker.AddMissing(*parsed.head);
  if (!status) return status.error();
  if (plan.parts().mark) {
    status = Mark(parsed, plan.parts());
    if (!status) return status.error();
  }

  if (escrow) {
    status = escrow->PutInto(parsed, observer);
    if (!status) return status.error();
  }

  if (plan.parts().profile) TrimDeclarations(*parsed.head, instance.charset);

  // Names of the output come from the output: what the rules left of these.
  const auto text = [&](Tag tag, Vr vr) { return TopText(parsed, instance.charset, tag, vr); };
  rewrite.patient_id = text(kPatientId, Vr::LO);
  rewrite.study_instance_uid = text(kStudyInstanceUid, Vr::UI);
  rewrite.series_instance_uid = text(kSeriesInstanceUid, Vr::UI);
  rewrite.sop_instance_uid = text(kSopInstanceUid, Vr::UI);
  rewrite.sop_class_uid = text(kSopClassUid, Vr::UI);
  if (!IsUid(rewrite.sop_class_uid) || !IsUid(rewrite.sop_instance_uid)) {
    return ErrorCode::kLostIdentity;
  }
  rewrite.originals = {.patient_id = instance.patient_id,
                       .issuer_of_patient_id = instance.issuer_of_patient_id,
                       .study_instance_uid = instance.study_instance_uid,
                       .series_instance_uid = instance.series_instance_uid,
                       .sop_instance_uid = instance.sop_instance_uid};
  rewrite.notes = walker.TakeNotes();
  if (plan.parts().guard) {
    rewrite.knowledge = guard::Knowledge{.identifiers = instance.identifiers,
                                         .retained = walker.TakeRetained(),
                                         .about = std::move(about),
                                         .charset = instance.charset};
  }
  return rewrite;
}

}  // namespace dcmveil::engine
