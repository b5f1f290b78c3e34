// SPDX-License-Identifier: Apache-2.0
#include "engine/deidentify.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "engine/collect.h"
#include "engine/conditions.h"
#include "engine/declared_private.h"
#include "engine/dictionary.h"
#include "engine/encoding/elements.h"
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
constexpr Tag kCodeValue{0x0008, 0x0100};
constexpr Tag kCodingSchemeDesignator{0x0008, 0x0102};
constexpr Tag kCodingSchemeVersion{0x0008, 0x0103};
constexpr Tag kLongCodeValue{0x0008, 0x0119};
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
bool IsIllegalGroup(Tag tag) { return tag.group <= 0x0007 || tag.group >= 0xFFFE; }

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

bool Names(const Rule* rule, Tag tag) {
  return rule != nullptr &&
         std::any_of(rule->selectors.begin(), rule->selectors.end(), [tag](const auto& selector) {
           return !selector.by_vr() && selector.path.back().is_exact() &&
                  selector.path.back().Matches(tag, {});
         });
}

bool IsOfCode(Tag tag) {
  return tag == kCodeValue || tag == kCodingSchemeDesignator || tag == kCodingSchemeVersion ||
         tag == kLongCodeValue;
}

/// The value without padding and leading blanks; empty if there is none.
std::string_view TrimmedIn(const Item& item, Tag tag) {
  const DataElement* element = item.Find(tag);
  if (element == nullptr) return {};
  const std::string_view trimmed = TrimPadding(element->value());
  return trimmed.substr(std::min(trimmed.find_first_not_of(' '), trimmed.size()));
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

std::string Joined(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) {
    if (!text.empty()) text.push_back('\\');
    text += value;
  }
  return text;
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
  Status WalkItem(Item& item);
  /// Pixel data at the top level, which is in no item.
  Result<PixelOutput> DecidePixels(const PixelExtent& pixels);
  Status AddMissing(Item& head);

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
  /// What becomes of an element. One that stays was changed in its place.
  enum class Fate { kStays, kGoes };

  Result<Fate> Process(DataElement& element, Tag tag, std::string_view creator);
  Result<Fate> Carry(DataElement& element, Tag tag, const Reading& reading,
                     const Plan::Decision& decision);
  Result<Fate> Judge(DataElement& element, const Reading& reading);
  /// What decides the element: the plan, or, where a profile's row would, something more exact.
  Plan::Decision Decide(Tag tag, std::string_view creator, VrSet vrs) const;
  /// The rule for a content item, if the profile has some; null for other items.
  const ContentRule* ContentRuleOf(const Item& item) const;
  /// The rule for a content item that no list names: text is free text; else null.
  const Rule* OtherContent(const Item& item) const;
  bool IsPublishedCode(const Item& item) const;
  /// `made_anew`: the value is the action's, not the input's.
  Result<Fate> Apply(DataElement& element, const Reading& reading, const Rule& rule,
                     bool& made_anew);
  Result<Fate> Keep(DataElement& element, const Reading& reading);
  void KeepText(DataElement& element, const Reading& reading);
  void KeepCharacterSet(DataElement& element);
  void KeepMethod(DataElement& element);
  Status WalkElements(Item& item);
  Status WalkSequence(Sequence& sequence);
  void Tell(const Reading& reading, std::string_view action, std::string_view origin,
            std::string& before, const DataElement* after, bool survives);
  /// Readable, if the observer wants it.
  [[nodiscard]] std::string Before(const DataElement& element, const Reading& reading) const;
  Error Fail(ErrorCode code) const { return {code, ToString(path_)}; }
  [[nodiscard]] std::string Readable(const DataElement& element, const Reading& reading) const;

  const Plan& plan_;
  Instance instance_;  ///< a copy: its character set is that of the item being walked
  DeclaredPrivate declared_;
  const Rule* content_rule_ = nullptr;  ///< for the value of the content item being walked
  bool published_ = false;  ///< the item being walked is a code of a scheme that all use
  const ConditionAnswers& answers_;
  Observer* observer_;
  Memo memo_;
  Path path_;
  std::vector<NoteCount> notes_;
  guard::Retained retained_;  ///< filled only for the guard
  std::uint64_t walked_ = 0;  ///< elements and items
};

std::string Walker::Readable(const DataElement& element, const Reading& reading) const {
  if (element.sequence() != nullptr) {
    return std::to_string(element.sequence()->size()) + " item(s)";
  }
  const Vr vr = reading.vr;
  const std::string_view bytes = element.value();
  if (kNumberVrs.contains(vr) || vr == Vr::AT) return Joined(NumbersIn(bytes, vr));
  if (kTextVrs.contains(vr)) return instance_.charset.Decode(TrimPadding(bytes), vr).text;
  const std::size_t size = element.is_fragments() ? element.fragments().size() : bytes.size();
  return std::to_string(size) + " bytes";
}

std::string Walker::Before(const DataElement& element, const Reading& reading) const {
  const bool wanted = observer_ != nullptr &&
                      observer_->Wanted(path_.back().tag, reading.vr) == Observer::Values::kBoth;
  return wanted ? Readable(element, reading) : std::string();
}

void Walker::Tell(const Reading& reading, std::string_view action, std::string_view origin,
                  std::string& before, const DataElement* after, bool survives) {
  if (observer_ == nullptr) return;
  const bool wanted = after != nullptr &&
                      observer_->Wanted(path_.back().tag, reading.vr) != Observer::Values::kNone;
  const bool bytes =
      wanted && (reading.vr == Vr::UN || reading.vr == Vr::OB) && after->sequence() == nullptr;
  observer_->OnElement({.path = path_,
                        .keyword = reading.keyword,
                        .vr = reading.vr,
                        .action = action,
                        .origin = origin,
                        .before = std::move(before),
                        .after = wanted ? Readable(*after, reading) : std::string(),
                        .removed = after == nullptr,
                        .survives = survives && after != nullptr,
                        .bytes = bytes ? std::string(after->value()) : std::string()});
}

Status Walker::WalkItem(Item& item) {
  // An item may declare a character set of its own (PS3.3 C.12.1.1.2).
  std::optional<Charset> outer;
  const DataElement* declared = path_.empty() ? nullptr : item.Find(kSpecificCharacterSet);
  if (declared != nullptr) {
    outer = std::exchange(instance_.charset, Charset::FromTerms(declared->value()));
    if (!instance_.charset.known()) Note(NoteCode::kUnknownCharset);
  }
  const Status status = WalkElements(item);
  if (outer) instance_.charset = std::move(*outer);
  return status;
}

Status Walker::WalkElements(Item& item) {
  // Sequences that were encoded as something else were not counted when the file was scanned.
  walked_ += 1 + item.elements.size();
  if (walked_ > kMostElements) return Fail(ErrorCode::kTooLarge);
  PrivateBlocks blocks;
  for (const DataElement& element : item.elements) {
    if (element.tag().is_private_creator()) blocks.Reserve(element.tag(), element);
  }

  // Blocks (by group and number) that hold elements, and those with an element that survives.
  std::vector<std::uint32_t> used;
  std::vector<std::uint32_t> surviving;
  // The elements of an item are sorted, and so are their blocks.
  const auto add = [](std::vector<std::uint32_t>& list, std::uint32_t block) {
    if (list.empty() || list.back() != block) list.push_back(block);
  };
  const auto contains = [](const std::vector<std::uint32_t>& list, std::uint32_t block) {
    return std::binary_search(list.begin(), list.end(), block);
  };
  const auto block_of = [](Tag tag) {
    return (static_cast<std::uint32_t>(tag.group) << 16U) | (tag.element >> 8U);
  };
  // The survivors close up behind those that were decided.
  auto end = item.elements.begin();
  std::vector<DataElement> creators;
  path_.emplace_back();
  for (DataElement& element : item.elements) {
    const Tag tag = element.tag();
    if (tag.is_group_length() || tag == kDataSetTrailingPadding) continue;
    if (IsIllegalGroup(tag)) {
      Note(NoteCode::kIllegalGroup);
      continue;
    }
    // A sequence in a creator's place names nobody; it is decided like anything else.
    if (tag.is_private_creator() && element.sequence() == nullptr) {
      creators.push_back(std::move(element));
      continue;
    }
    const std::string_view creator = blocks.CreatorOf(tag);
    if (!creator.empty()) add(used, block_of(tag));
    path_.back() = {.tag = tag, .creator = creator};
    const Result<Fate> fate = Process(element, tag, creator);
    if (!fate) return fate.error();
    if (*fate == Fate::kGoes) continue;
    if (!creator.empty()) add(surviving, block_of(tag));
    if (&*end != &element) *end = std::move(element);
    ++end;
  }
  item.elements.erase(end, item.elements.end());
  const auto decided = static_cast<std::ptrdiff_t>(item.elements.size());
  // A creator stays exactly as long as its block has elements; one that reserved nothing is
  // decided like any other element.
  for (const DataElement& element : creators) {
    const Tag tag = element.tag();
    const std::uint32_t block = (static_cast<std::uint32_t>(tag.group) << 16U) | tag.element;
    path_.back() = {.tag = tag};
    const Reading reading{.vrs = Vr::LO, .vr = Vr::LO};
    std::string before = Before(element, reading);
    bool stays = contains(surviving, block);
    if (!stays && !contains(used, block)) {
      const Plan::Decision decision = plan_.Decide(path_, Vr::LO, answers_);
      stays = decision.rule != nullptr
                  ? decision.rule->spec->effect == Effect::kKeep
                  : plan_.parts().otherwise_keep && !decision.private_by_vr_only;
    }
    // Only the name itself stays: what else stands in the element, behind a NUL or in another VR,
    // was matched by no rule.
    std::optional<DataElement> written;
    if (stays) written = DataElement::Of(tag, Vr::LO, std::string(blocks.CreatorAt(tag)));
    if (stays && element.vr() != Vr::LO) Note(NoteCode::kVrMended);
    Tell(reading, stays ? "keep" : "remove", "private block", before, written ? &*written : nullptr,
         true);
    if (written) item.elements.push_back(std::move(*written));
  }
  std::inplace_merge(item.elements.begin(), item.elements.begin() + decided, item.elements.end(),
                     [](const DataElement& a, const DataElement& b) { return a.tag() < b.tag(); });
  path_.pop_back();
  return Done{};
}

Plan::Decision Walker::Decide(Tag tag, std::string_view creator, VrSet vrs) const {
  const Plan::Decision decision = plan_.Decide(path_, vrs, answers_);
  const std::optional<ProfileParts>& profile = plan_.parts().profile;
  if (!profile || (decision.rule != nullptr && !decision.rule->of_profile)) return decision;
  if (content_rule_ != nullptr && IsContentValue(tag)) return {.rule = content_rule_};
  const bool cleaned = decision.rule != nullptr && decision.rule->spec->leaves_text;
  if (published_ && cleaned && IsOfCode(tag)) return {.rule = &*profile->published_code};
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

const ContentRule* Walker::ContentRuleOf(const Item& item) const {
  if (!plan_.parts().profile || plan_.parts().profile->content.empty()) return nullptr;
  const std::string_view value_type = TrimmedIn(item, kValueType);
  if (value_type.empty()) return nullptr;
  const DataElement* name = item.Find(kConceptName);
  const Sequence* codes = name != nullptr ? name->sequence() : nullptr;
  if (codes == nullptr || codes->empty()) return nullptr;
  const Item& code = codes->front();
  return plan_.FindContent(TrimmedIn(code, kCodeValue), TrimmedIn(code, kCodingSchemeDesignator),
                           value_type);
}

bool Walker::IsPublishedCode(const Item& item) const {
  const std::optional<ProfileParts>& profile = plan_.parts().profile;
  if (!profile || !profile->published_code) return false;
  const std::span<const std::string_view> schemes = profile->published_schemes;
  return std::binary_search(schemes.begin(), schemes.end(),
                            TrimmedIn(item, kCodingSchemeDesignator));
}

const Rule* Walker::OtherContent(const Item& item) const {
  const std::optional<ProfileParts>& profile = plan_.parts().profile;
  if (!profile || !profile->other_text) return nullptr;
  return item.Find(kTextValue) != nullptr ? &*profile->other_text : nullptr;
}

Result<Walker::Fate> Walker::Process(DataElement& element, Tag tag, std::string_view creator) {
  const Reading reading = ReadAs(element);
  if (element.value().size() > kLongestOpened &&
      (reading.is_sequence || kTextVrs.contains(reading.vr) || BeginsWithItem(element))) {
    return Fail(ErrorCode::kTooLarge);
  }
  const Plan::Decision decision = Decide(tag, creator, reading.vrs);
  if (!plan_.parts().guard) return Carry(element, tag, reading, decision);
  const std::optional<clean::IdentifierKind> kind = clean::KindOf(tag, reading.vrs);
  const bool device = kind == clean::IdentifierKind::kDevice;
  if (!kind || !(device || guard::IsSearched(*kind))) {
    return Carry(element, tag, reading, decision);
  }
  std::vector<clean::Identifier> before;
  AppendIdentifiers(element, reading, instance_.charset, *kind, before);
  Result<Fate> fate = Carry(element, tag, reading, decision);
  if (!fate || before.empty()) return fate;
  const bool stays = *fate == Fate::kStays;
  std::vector<clean::Identifier> after;
  if (stays) AppendIdentifiers(element, reading, instance_.charset, *kind, after);
  const Rule* rule = decision.rule;
  // What keeping cuts off (bytes behind a NUL) was not taken by a rule.
  if (stays && (rule == nullptr || rule->spec->effect == Effect::kKeep)) {
    // Nobody means a person's data in a private element, or in one that is not what it should be.
    const bool meant = rule != nullptr && !tag.is_private() && !reading.mended;
    auto& list = meant ? retained_.on_purpose : retained_.by_default;
    // A station is not searched, but one that is kept may bear the institution's name.
    if (!device || rule != nullptr) list.insert(list.end(), after.begin(), after.end());
    return fate;
  }
  if (device) return fate;
  // What these leave is what they did not recognise, not what the rules wanted to keep.
  const bool says_what = rule != nullptr && !rule->spec->leaves_text;
  std::unordered_set<std::string_view> left;
  for (const clean::Identifier& identifier : after) left.insert(identifier.value);
  for (clean::Identifier& identifier : before) {
    const bool is_left = left.contains(identifier.value);
    std::vector<clean::Identifier>& list = !is_left    ? retained_.taken
                                           : says_what ? retained_.on_purpose
                                                       : retained_.by_default;
    list.push_back(std::move(identifier));
  }
  return fate;
}

Result<Walker::Fate> Walker::Carry(DataElement& element, Tag tag, const Reading& reading,
                                   const Plan::Decision& decision) {
  const Rule* rule = decision.rule;
  const PlanParts& parts = plan_.parts();
  std::string before = Before(element, reading);

  bool keep = rule != nullptr ? rule->spec->effect == Effect::kKeep : parts.otherwise_keep;
  std::string_view origin =
      rule != nullptr ? std::string_view(rule->origin) : std::string_view(parts.otherwise_origin);
  if (decision.private_by_vr_only) {
    Note(NoteCode::kPrivateUndecided);
    Tell(reading, "remove",
         tag.is_private() ? "private, reached by VR rules only"
                          : "not in PS3.6, reached by VR rules only",
         before, nullptr, false);
    return Fate::kGoes;
  }
  if (!keep && IsKeptUnlessNamed(tag) && !Names(rule, tag)) {
    keep = true;
    origin = "kept unless named";
  }
  // A VR or mask rule is not meant for pixel data unless it keeps or removes it.
  if (IsPixelElement(tag) && rule != nullptr && !rule->spec->may_touch_pixels) {
    keep = true;
    origin = "pixel data";
  }
  const auto left = [&element](Fate fate) { return fate == Fate::kStays ? &element : nullptr; };
  if (keep) {
    const Result<Fate> kept = Keep(element, reading);
    if (kept) Tell(reading, "keep", origin, before, left(*kept), true);
    return kept;
  }
  if (rule == nullptr || rule->spec->effect == Effect::kRemove) {
    Fate fate = Fate::kGoes;
    if (rule != nullptr && rule->judge_sequences) {
      const Result<Fate> judged = Judge(element, reading);
      if (!judged) return judged;
      fate = *judged;
    }
    Tell(reading, fate == Fate::kStays ? "keep" : "remove", origin, before, left(fate), true);
    return fate;
  }
  bool made_anew = false;
  const Result<Fate> changed = Apply(element, reading, *rule, made_anew);
  if (changed) {
    Tell(reading, rule->spec->name, origin, before, left(*changed),
         !made_anew || rule->spec->leaves_text);
  }
  return changed;
}

// A sequence that nothing speaks for is decided element by element and stays for what is left in it
// (PS3.15 E.3.10).
Result<Walker::Fate> Walker::Judge(DataElement& element, const Reading& reading) {
  if (element.sequence() == nullptr) {
    if (!reading.is_sequence && !BeginsWithItem(element)) return Fate::kGoes;
    std::optional<DataElement> opened =
        MakeSequence(path_.back().tag, element.value(), static_cast<int>(path_.size()));
    if (!opened) return Fate::kGoes;
    element = std::move(*opened);
  }
  Sequence& sequence = *element.sequence();
  const Status status = WalkSequence(sequence);
  if (!status) return status.error();
  const bool any = std::any_of(sequence.begin(), sequence.end(),
                               [](const Item& item) { return !item.elements.empty(); });
  return any ? Fate::kStays : Fate::kGoes;
}

Result<Walker::Fate> Walker::Apply(DataElement& element, const Reading& reading, const Rule& rule,
                                   bool& made_anew) {
  Vr vr = reading.is_sequence ? Vr::SQ : reading.vr;
  if (vr == Vr::UN) vr = rule.as_vr.value_or(vr);
  if (!rule.spec->vrs.contains(vr)) return Fail(ErrorCode::kVrUnsupported);
  const std::string_view bytes = element.value();
  const Tag tag = path_.back().tag;
  const std::string_view trimmed = kTextVrs.contains(vr) ? TrimPadding(bytes) : bytes;
  Change change = rule.action->Apply({.tag = tag,
                                      .vr = vr,
                                      .bytes = trimmed,
                                      .path = path_,
                                      .instance = instance_,
                                      .memo = &memo_});
  if (change.note) Note(*change.note);
  switch (change.kind) {
    case Change::Kind::kKeep:
      return Keep(element, reading);
    case Change::Kind::kRemove:
      return Fate::kGoes;
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
  std::optional<DataElement> made = vr == Vr::SQ && !value.empty()
                                        ? MakeSequence(tag, value, static_cast<int>(path_.size()))
                                        : MakeElement(tag, vr, value);
  if (!made) return Fail(ErrorCode::kEncodeFailed);
  element = std::move(*made);
  return Fate::kStays;
}

Result<Walker::Fate> Walker::Keep(DataElement& element, const Reading& reading) {
  if (Sequence* sequence = element.sequence()) {
    const std::size_t items = sequence->size();
    const Status status = WalkSequence(*sequence);
    if (!status) return status.error();
    // Content Sequence has one item or is not there.
    const bool emptied = items > 0 && sequence->empty() && path_.back().tag == kContentSequence;
    return emptied ? Fate::kGoes : Fate::kStays;
  }
  const Tag tag = path_.back().tag;
  if (tag == kSpecificCharacterSet) {
    KeepCharacterSet(element);
    return Fate::kStays;
  }
  if (tag == kDeidentificationMethod) {
    KeepMethod(element);
    return Fate::kStays;
  }
  // A list of items can hide in any VR. What must be a sequence is read as one or not at all, and
  // so is a private or unknown element that begins like one; a standard attribute of another kind
  // has no business to hold one.
  if (reading.is_sequence || BeginsWithItem(element)) {
    const std::string_view bytes = element.value();
    if (bytes.empty()) return Fate::kStays;
    std::optional<DataElement> opened = MakeSequence(tag, bytes, static_cast<int>(path_.size()));
    if (!reading.keyword.empty() && !reading.is_sequence) {
      if (opened) return Fail(ErrorCode::kMalformed);
      return Fate::kStays;
    }
    if (!opened) return Fail(ErrorCode::kUnreadableSequence);
    if (reading.is_sequence) Note(NoteCode::kVrMended);
    element = std::move(*opened);
    const Status status = WalkSequence(*element.sequence());
    if (!status) return status.error();
    return Fate::kStays;
  }
  if (reading.mended && !ReadsAsItsAttribute(element, reading)) {
    Note(NoteCode::kVrMended);
    element = DataElement(tag, reading.vrs.first());
    return Fate::kStays;
  }
  if (kTextVrs.contains(reading.vr)) KeepText(element, reading);
  return Fate::kStays;
}

// PS3.5 allows NUL as padding of UI only. Text behind a NUL is invisible to most readers, and so to
// whoever reviewed the rules. Some writers pad each value of several with NULs, though.
void Walker::KeepText(DataElement& element, const Reading& reading) {
  const std::string_view bytes = element.value();
  const std::size_t nul = bytes.find('\0');
  if (nul == std::string::npos || TrimPadding(bytes).size() <= nul) return;
  std::string kept;
  const bool several =
      !kSingleTextVrs.contains(reading.vr) &&
      (!kCharsetVrs.contains(reading.vr) || instance_.charset.ascii_bytes_stand_alone());
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t end = several ? std::min(bytes.find('\\', at), bytes.size()) : bytes.size();
    const std::string_view value = bytes.substr(at, end - at);
    const std::string_view visible = value.substr(0, value.find('\0'));
    kept += visible;
    if (TrimPadding(value).size() > visible.size()) break;
    if (end < bytes.size()) kept.push_back('\\');
    at = end + 1;
  }
  Note(NoteCode::kTextAfterNul);
  kept.resize(TrimPadding(kept).size());
  element = DataElement::Of(path_.back().tag, reading.vr, std::move(kept));
}

// Free text here would pass every rule: only terms that declare a character set stay.
void Walker::KeepCharacterSet(DataElement& element) {
  const std::string_view text = TrimPadding(element.value());
  if (Charset::FromTerms(text).known() && element.vr() == Vr::CS) return;
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
  element = DataElement::Of(path_.back().tag, Vr::CS, std::move(known));
}

// What earlier de-identifiers said stays (PS3.15 E.1.1 item 6), as far as it is what LO may hold.
void Walker::KeepMethod(DataElement& element) {
  constexpr std::size_t kRoom = 64;
  const std::string_view bytes = element.value();
  const auto decoded =
      instance_.charset.DecodeValues(TrimPadding(bytes.substr(0, bytes.find('\0'))), Vr::LO);
  std::string kept;
  for (const std::string& value : decoded.values) {
    if (CountCharacters(value) > kRoom) continue;
    if (!kept.empty()) kept.push_back('\\');
    kept += value;
  }
  std::optional<std::string> encoded = instance_.charset.Encode(kept, Vr::LO);
  if (!encoded && element.vr() == Vr::LO) return;
  element =
      DataElement::Of(path_.back().tag, Vr::LO, encoded ? std::move(*encoded) : std::string());
}

Status Walker::WalkSequence(Sequence& sequence) {
  const std::size_t at = path_.size() - 1;
  int index = 0;
  const Rule* const outer = content_rule_;
  const bool outer_published = published_;
  auto end = sequence.begin();
  for (Item& item : sequence) {
    path_[at].item = index++;
    const ContentRule* const content = ContentRuleOf(item);
    if (content != nullptr && content->drops_item()) continue;
    content_rule_ = content != nullptr ? &content->rule : OtherContent(item);
    published_ = IsPublishedCode(item);
    const Status status = WalkItem(item);
    if (!status) return status;
    if (&*end != &item) *end = std::move(item);
    ++end;
  }
  content_rule_ = outer;
  published_ = outer_published;
  path_[at].item = -1;
  sequence.erase(end, sequence.end());
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

Status Walker::AddMissing(Item& head) {
  const std::vector<AddRule>& adds = plan_.parts().adds;
  for (std::size_t i = 0; i < adds.size(); ++i) {
    const AddRule& add = adds[i];
    if (!plan_.AddApplies(i, answers_) || head.Find(add.tag) != nullptr) continue;
    const Path path = {{.tag = add.tag}};
    const Change change = SetFromRule(
        {.tag = add.tag, .vr = add.vr, .bytes = {}, .path = path, .instance = instance_},
        add.value);
    if (change.kind == Change::Kind::kFail) return Error{change.error, add.origin};
    std::optional<DataElement> made = MakeElement(add.tag, add.vr, change.bytes);
    if (!made) return Error{ErrorCode::kEncodeFailed, add.origin};
    head.Put(std::move(*made));
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
  if (!plan.parts().asks.empty()) {
    instance.asked = std::make_shared<const std::map<Tag, std::vector<std::string>>>(
        ReadAsked(parsed, instance, plan.parts().asks));
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
  Status status = walker.WalkItem(parsed.head);
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
  status = walker.AddMissing(parsed.head);
  if (!status) return status.error();
  if (plan.parts().mark) Mark(parsed, plan.parts());
  if (escrow) {
    status = escrow->PutInto(parsed, observer);
    if (!status) return status.error();
  }

  if (plan.parts().profile) TrimDeclarations(parsed.head, instance.charset);

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
