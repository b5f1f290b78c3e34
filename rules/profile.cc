// SPDX-License-Identifier: Apache-2.0
#include "rules/profile.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "rules/profile_tables.h"

namespace dcmveil::rules {
namespace {

using engine::Condition;
using engine::Selector;
using engine::TagPattern;

constexpr VrSet kFreeText{Vr::LO, Vr::LT, Vr::SH, Vr::ST, Vr::UC, Vr::UT};

/// An action by name with parameters: what a code of the table comes to.
struct Deed {
  std::string_view action;
  std::vector<std::pair<std::string_view, std::string_view>> with = {};
};

const Deed kKeep{"keep"};
const Deed kRemove{"remove"};
const Deed kEmpty{"redact"};
const Deed kDummy{"dummy"};
const Deed kNewUid{"refresh-uid"};
const Deed kShift{"date-shift"};
const Deed kClean{"clean"};
// Of what must have a value something is left.
const Deed kCleanToDummy{"clean", {{"if-empty", "dummy"}}};
const Deed kCleanIdentifiers{"clean", {{"vocabulary", "identifiers"}, {"if-empty", "dummy"}}};
// Patients, subjects and specimens must stay apart, or all of them become one.
const Deed kPseudonym{"pseudonym"};
const Deed kPseudonymOrDummy{"pseudonym", {{"if-empty", "dummy"}}};
const Deed kShortPseudonym{"pseudonym", {{"prefix", ""}, {"length", "10"}}};

TagPattern PatternOf(const ProfileRow& row) {
  return {.value = row.value, .mask = row.mask, .creator = {}, .odd_groups_only = row.odd_groups};
}

TagPattern Exact(Tag tag) { return {.value = tag.number(), .mask = 0xFFFFFFFF, .creator = {}}; }

Condition SopClassIn(std::vector<std::string> uids) {
  std::sort(uids.begin(), uids.end());
  Condition condition;
  condition.kind = Condition::Kind::kSopClass;
  condition.texts = std::move(uids);
  return condition;
}

std::vector<std::string> Strings(std::span<const std::string_view> views) {
  return {views.begin(), views.end()};
}

/// The alternative of a compound code that the least retains and yet keeps the IOD conformant.
ProfileCode Resolve(const CodeChoice& choice, int type) {
  const auto rank = [](ProfileCode code) {
    switch (code) {
      case ProfileCode::kX:
        return 0;
      case ProfileCode::kZ:
        return 1;
      default:
        return 2;
    }
  };
  // Zero length may be a dummy as well, and references to other instances with new UIDs are one:
  // without them a segmentation or presentation state is lost.
  if (type != 3 && choice.offers(ProfileCode::kUInItems)) return ProfileCode::kUInItems;
  const int wanted = 3 - type;
  ProfileCode best = choice.strongest();
  for (const ProfileCode code : choice.offered) {
    if (code == ProfileCode::kNone) break;
    if (rank(code) >= wanted && rank(code) < rank(best)) best = code;
  }
  // Z allows a dummy as well, and a required attribute must not be empty.
  return best == ProfileCode::kZ && type == 1 ? ProfileCode::kD : best;
}

class Profile {
 public:
  Profile(RuleBook& book, Diagnostics& diagnostics)
      : book_(book), request_(*book.profile_request), diagnostics_(diagnostics) {}

  void Run() {
    for (const auto& [option, place] : request_.options) options_.insert(option);
    if (Has(Option::kRetainFullDates) && Has(Option::kRetainModifiedDates)) {
      diagnostics_.Error(request_.options_place, "options: dates can be kept or modified, not both",
                         "choose one of retain-longitudinal-full-dates and "
                         "retain-longitudinal-modified-dates");
      return;
    }
    layer_ = "basic";
    // What a row says of a place is more exact than what another says of the attribute.
    if (!request_.strict_table) Conflicts();
    Graphics();
    for (const ProfileRow& row : BasicRows()) Row(row);
    // PS3.15 E.1.1: without the signatures nobody can use what they were made by.
    Add(Exact({0x4FFE, 0x0001}), kRemove, "follows DigitalSignaturesSequence");
    EncapsulatedDocument();
    if (request_.plus) {
      layer_ = "basic+";
      for (const ProfileRow& row : PlusRows()) Row(row);
    }
    layer_ = "basic";
    Private();
    Rest();
    Content();
    Markers();
    book_.profile = std::move(draft_);
  }

 private:
  [[nodiscard]] bool Has(Option option) const { return options_.contains(option); }

  RuleDraft Make(const Deed& deed, std::string origin) const {
    RuleDraft draft;
    draft.place = request_.place;
    draft.action_place = request_.place;
    draft.spec = engine::FindAction(deed.action);
    draft.of_profile = true;
    draft.origin = std::move(origin);
    for (const auto& [name, text] : deed.with) {
      draft.with[std::string(name)] = {std::string(text), request_.place};
    }
    return draft;
  }

  void Add(Selector selector, std::optional<Condition> when, const Deed& deed,
           std::string_view why) {
    RuleDraft draft = Make(deed, std::string(layer_) + ": " + std::string(why));
    SelectorDraft one{std::move(selector), {}, request_.place};
    one.text = Spell(one.selector);
    draft.selector_text = one.text;
    draft.selectors.push_back(std::move(one));
    draft.when = std::move(when);
    book_.rules.push_back(std::move(draft));
  }

  void Add(const TagPattern& pattern, const Deed& deed, std::string_view why) {
    Selector selector;
    selector.path = {pattern};
    Add(std::move(selector), std::nullopt, deed, why);
  }

  void AddIn(Tag parent, const TagPattern& pattern, const Deed& deed, std::string_view why) {
    Selector selector;
    selector.path = {Exact(parent), pattern};
    Add(std::move(selector), std::nullopt, deed, why);
  }

  void AddVr(VrSet vrs, const Deed& deed, std::string_view why) {
    Selector selector;
    selector.vrs = vrs;
    Add(std::move(selector), std::nullopt, deed, why);
  }

  // ---- Rows ------------------------------------------------------------------------------------

  /// The option that speaks for the row, and its code. K before C, except that dates of a device
  /// follow `device-dates`, where the standard names no winner.
  [[nodiscard]] std::pair<const OptionInfo*, ProfileCode> OptionFor(
      const OptionCodes& codes) const {
    const OptionInfo* clean = nullptr;
    const OptionInfo* keep = nullptr;
    for (const OptionInfo& info : Options()) {
      if (!Has(info.option)) continue;
      const ProfileCode code = CodeFor(codes, info.option);
      if (code == ProfileCode::kK && keep == nullptr) keep = &info;
      if (code == ProfileCode::kC && clean == nullptr) clean = &info;
    }
    const bool dates = clean != nullptr && clean->option == Option::kRetainModifiedDates;
    if (keep != nullptr && !(dates && !request_.keep_device_dates)) return {keep, ProfileCode::kK};
    if (clean != nullptr) return {clean, ProfileCode::kC};
    return {nullptr, ProfileCode::kNone};
  }

  void Row(const ProfileRow& row) {
    if (row.odd_groups || IsGraphics(row)) return;
    const auto [option, code] = OptionFor(row.by_option);
    if (option != nullptr) {
      const std::string why = std::string(option->name) + (code == ProfileCode::kK ? " K" : " C");
      if (const std::optional<Deed> deed = DeedOf(row, option->option, code)) {
        if (code == ProfileCode::kC && row.vrs.contains(Vr::SQ) &&
            option->option == Option::kCleanDescriptors) {
          // Local codes have meanings in free text (E.1-1 note 7).
          AddIn(Tag(row.value), Exact({0x0008, 0x0104}), kClean, why);
        }
        Add(PatternOf(row), *deed, why);
        return;
      }
    }
    const std::string why(row.code.text);
    if (!row.code.compound()) {
      Add(PatternOf(row), DeedOf(row, row.code.offered[0]), why);
      return;
    }
    Compound(row, why);
  }

  /// What an option's code comes to; nothing if it cannot be carried out on the row, which then
  /// falls back on the profile's own code.
  [[nodiscard]] static std::optional<Deed> DeedOf(const ProfileRow& row, Option option,
                                                  ProfileCode code) {
    // Free text that is kept as a characteristic of the patient does not name the patient.
    if (code == ProfileCode::kK && option == Option::kRetainPatientCharacteristics &&
        row.vrs.intersects(kFreeText | VrSet(Vr::UR))) {
      return kCleanIdentifiers;
    }
    if (code == ProfileCode::kK || row.vrs.contains(Vr::SQ)) return kKeep;
    switch (option) {
      case Option::kRetainModifiedDates:
        if (row.vrs.intersects({Vr::DA, Vr::DT})) return kShift;
        // Whole days are shifted, so times of day are kept, and with them all intervals in a day.
        if (row.vrs.contains(Vr::TM)) return kKeep;
        return std::nullopt;
      case Option::kRetainDeviceIdentity:
        return kShortPseudonym;
      default:
        if (!row.vrs.intersects(kFreeText)) return std::nullopt;
        return row.code.offers(ProfileCode::kD) ? kCleanToDummy : kClean;
    }
  }

  [[nodiscard]] static Deed DeedOf(const ProfileRow& row, ProfileCode code) {
    switch (code) {
      case ProfileCode::kX:
        return kRemove;
      case ProfileCode::kZ:
        return kEmpty;
      case ProfileCode::kU:
        return kNewUid;
      case ProfileCode::kUInItems:
        return kKeep;
      case ProfileCode::kK:
      case ProfileCode::kC:
      case ProfileCode::kNone:
      case ProfileCode::kD:
        break;
    }
    constexpr std::array<std::string_view, 4> kApart{"PatientID", "ClinicalTrialSubjectID",
                                                     "ContainerIdentifier", "SpecimenIdentifier"};
    if (std::find(kApart.begin(), kApart.end(), row.keyword) != kApart.end()) {
      return kPseudonymOrDummy;
    }
    if (row.vrs == VrSet(Vr::UI)) return kNewUid;
    // A reference without its UIDs is worth nothing, and with new ones it tells nothing.
    if (row.keyword == "ReferencedPerformedProcedureStepSequence") return kKeep;
    return kDummy;
  }

  void Compound(const ProfileRow& row, const std::string& why) {
    const TagPattern pattern = PatternOf(row);
    const Tag tag(row.value);
    // Patient ID is a pseudonym wherever it stands, whatever the IOD asks for.
    if (row.keyword == "PatientID") {
      for (const TypeRow& type : TypeRows()) {
        if (type.tag != tag || !type.parent || type.type != 1) continue;
        AddIn(*type.parent, pattern, kPseudonymOrDummy, why + " type 1");
      }
      Add(pattern, kPseudonym, why);
      return;
    }
    for (const TypeRow& type : TypeRows()) {
      if (type.tag != tag) continue;
      const ProfileCode code = Resolve(row.code, type.type);
      const std::string resolved = why + " type " + std::to_string(type.type);
      if (type.parent) {
        AddIn(*type.parent, pattern, DeedOf(row, code), resolved);
        continue;
      }
      Selector top;
      top.path = {pattern};
      top.anchored = true;
      if (!type.sop_classes.empty()) {
        Add(top, SopClassIn(Strings(type.sop_classes)), DeedOf(row, code), resolved);
      }
    }
    for (const TypeRow& type : TypeRows()) {
      if (type.tag != tag || type.parent || !type.sop_classes.empty()) continue;
      Selector top;
      top.path = {pattern};
      top.anchored = true;
      Add(top, SopClassIn(Strings(KnownSopClasses())), DeedOf(row, Resolve(row.code, type.type)),
          why + " type " + std::to_string(type.type));
    }
    // Where the IOD is not known, only the strongest is sure to keep it conformant; but no place in
    // items that the tables do not name is known to want an empty sequence.
    const bool may_go = row.vrs.contains(Vr::SQ) && row.code.strongest() == ProfileCode::kZ;
    if (may_go) {
      Selector top;
      top.path = {pattern};
      top.anchored = true;
      Add(std::move(top), std::nullopt, kEmpty, why);
    }
    Add(pattern, may_go ? kRemove : DeedOf(row, row.code.strongest()), why);
  }

  /// Attributes that the table removes and an IOD requires: "removed or replaced" is what E.1.1
  /// allows, and a harmless dummy keeps the instance conformant.
  void Conflicts() {
    for (const TypeRow& conflict : TypeConflicts()) {
      const ProfileRow* row = BasicRow(conflict.tag);
      if (row == nullptr || OptionFor(row->by_option).first != nullptr) continue;
      const Deed deed = conflict.type == 1 ? kDummy : kEmpty;
      const std::string why = "X, required by the IOD";
      Selector selector;
      if (conflict.parent) selector.path.push_back(Exact(*conflict.parent));
      selector.path.push_back(Exact(conflict.tag));
      std::optional<Condition> when;
      if (!conflict.sop_classes.empty()) when = SopClassIn(Strings(conflict.sop_classes));
      Add(std::move(selector), std::move(when), deed, why);
    }
  }

  static const ProfileRow* BasicRow(Tag tag) {
    for (const ProfileRow& row : BasicRows()) {
      if (row.mask == 0xFFFFFFFF && row.value == tag.number()) return &row;
    }
    return nullptr;
  }

  // ---- Groups of attributes --------------------------------------------------------------------

  static bool IsGraphics(const ProfileRow& row) {
    return (row.value >> 24U) == 0x50 || (row.value >> 24U) == 0x60;
  }

  /// Overlay Data is required in its group, so it goes with all of it, and what the table does not
  /// list there goes too: description, label. Cleaned, the bitmap is blank and the text cleaned.
  void Graphics() {
    const TagPattern curves{.value = 0x50000000, .mask = 0xFF000000, .creator = {}};
    const TagPattern overlays{.value = 0x60000000, .mask = 0xFF000000, .creator = {}};
    const auto in_overlay = [](std::uint32_t element) {
      return TagPattern{.value = 0x60000000 | element, .mask = 0xFF00FFFF, .creator = {}};
    };
    Add(curves, kRemove, "X");
    if (!Has(Option::kCleanGraphics)) {
      Add(overlays, kRemove, "X");
      return;
    }
    Add(in_overlay(0x3000), kDummy, "clean-graphics C");
    for (const std::uint32_t text : {0x0022U, 0x1500U, 0x4000U}) {
      Add(in_overlay(text), kClean, "clean-graphics C");
    }
  }

  void EncapsulatedDocument() {
    Add(Exact({0x0042, 0x0015}), kDummy, "follows EncapsulatedDocument");
  }

  void Private() {
    if (!Has(Option::kRetainSafePrivate)) {
      Add(TagPattern{.value = 0, .mask = 0, .creator = {}, .odd_groups_only = true}, kRemove, "X");
      return;
    }
    constexpr std::string_view kWhy = "retain-safe-private K";
    for (const SafePrivate& safe : SafePrivateRows()) {
      TagPattern pattern;
      pattern.value = (std::uint32_t{safe.group} << 16U) | safe.element;
      pattern.mask = 0xFFFF00FF;
      pattern.creator = safe.creator;
      const bool uid = safe.vrs == VrSet(Vr::UI) && !Has(Option::kRetainUids);
      Selector selector;
      selector.path = {pattern};
      Add(std::move(selector), std::nullopt, uid ? kNewUid : kKeep, kWhy);
      if (uid) book_.rules.back().as_vr = Vr::UI;
    }
    Add(TagPattern{.value = 0, .mask = 0, .creator = {}, .odd_groups_only = true},
        Deed{"remove", {{"sequences", "judge"}}}, "X");
    for (const Deed* deed : {&kKeep, &kRemove, &kDummy, &kEmpty, &kNewUid}) {
      draft_.declared.push_back(Make(*deed, "declared in (0008,0300)"));
    }
  }

  /// What no row names.
  void Rest() {
    if (!Has(Option::kRetainUids)) AddVr(Vr::UI, kNewUid, "every other UID");
    if (!request_.plus) return;
    layer_ = "basic+";
    AddVr(Vr::PN, kEmpty, "every other name");
    const bool times = Has(Option::kRetainFullDates) || Has(Option::kRetainModifiedDates);
    if (!times) AddVr({Vr::DA, Vr::DT, Vr::TM}, kEmpty, "every other date and time");
    if (Has(Option::kRetainModifiedDates)) AddVr({Vr::DA, Vr::DT}, kShift, "every other date");
    AddVr(Vr::AE, Has(Option::kRetainDeviceIdentity) ? kShortPseudonym : kEmpty,
          "every other AE title");
    AddVr(Vr::UN, kRemove, "unknown attribute");
    AddVr(kFreeText, kCleanIdentifiers, "every other text");
    draft_.published_code = Make(kKeep, "basic+: code of a published scheme");
    draft_.parts.published_schemes = PublishedSchemes();
    layer_ = "basic";
  }

  // ---- Structured content ----------------------------------------------------------------------

  void Content() {
    if (!Has(Option::kCleanStructuredContent)) return;
    for (const ContentItemRow& row : ContentItemRows()) {
      AddContent(row, row.code, row.scheme);
      if (row.scheme != "SCT") continue;
      for (const RetiredCode& old : RetiredCodes()) {
        if (old.code != row.code) continue;
        for (const std::string_view scheme : RetiredSchemes()) AddContent(row, old.retired, scheme);
      }
    }
    const auto key = [](const ContentDraft& item) {
      return std::tie(item.code, item.scheme, item.value_type);
    };
    // The plan looks items up by their order.
    std::sort(draft_.content.begin(), draft_.content.end(),
              [&](const ContentDraft& a, const ContentDraft& b) { return key(a) < key(b); });
    draft_.other_text = Make(kCleanToDummy, "clean-structured-content C: text");
  }

  void AddContent(const ContentItemRow& row, std::string_view code, std::string_view scheme) {
    ContentDraft item;
    item.code = code;
    item.scheme = scheme;
    item.value_type = row.value_type;
    item.rule = ContentRuleOf(row);
    draft_.content.push_back(std::move(item));
  }

  [[nodiscard]] RuleDraft ContentRuleOf(const ContentItemRow& row) const {
    const auto [option, code] = OptionFor(row.by_option);
    std::string why = "clean-structured-content: " + std::string(row.meaning) + " ";
    if (option != nullptr) {
      why += std::string(option->name) + (code == ProfileCode::kK ? " K" : " C");
      if (code == ProfileCode::kK) return Make(kKeep, why);
      if (option->option != Option::kRetainModifiedDates) return Make(kCleanToDummy, why);
      return Make(row.value_type == "TIME" ? kKeep : kShift, why);
    }
    why += row.action.text;
    RuleDraft dropped;
    dropped.place = request_.place;
    dropped.origin = why;
    if (row.action.strongest() == ProfileCode::kX) return dropped;
    if (row.value_type == "UIDREF") return Make(kNewUid, why);
    // References are kept with new UIDs; so is what hangs below a container.
    constexpr std::array<std::string_view, 4> kReferences{"IMAGE", "COMPOSITE", "WAVEFORM",
                                                          "CONTAINER"};
    const bool reference =
        std::find(kReferences.begin(), kReferences.end(), row.value_type) != kReferences.end();
    return Make(reference ? kKeep : kDummy, why);
  }

  // ---- What the output says --------------------------------------------------------------------

  void Markers() {
    draft_.parts.method_codes.push_back(
        {std::string(BasicMethodCode().code), std::string(BasicMethodCode().meaning)});
    for (const OptionInfo& info : Options()) {
      if (!Has(info.option)) continue;
      draft_.parts.method_codes.push_back(
          {std::string(info.method.code), std::string(info.method.meaning)});
    }
    draft_.parts.layer = request_.plus ? "basic+" : "basic";
    for (const Option option : options_) draft_.parts.options.emplace_back(InfoOf(option).name);
    draft_.parts.edition = ProfileEdition();
    draft_.parts.strict_table = request_.strict_table;
    draft_.parts.keep_device_dates = request_.keep_device_dates;
    draft_.parts.longitudinal = "REMOVED";
    if (Has(Option::kRetainFullDates)) draft_.parts.longitudinal = "UNMODIFIED";
    if (Has(Option::kRetainModifiedDates)) draft_.parts.longitudinal = "MODIFIED";
    draft_.parts.needs_clean_pixels = Has(Option::kCleanPixelData);
    draft_.parts.needs_clean_features = Has(Option::kCleanRecognizableVisualFeatures);
  }

  RuleBook& book_;
  const ProfileRequest& request_;
  Diagnostics& diagnostics_;
  std::set<Option> options_;
  std::string_view layer_;
  ProfileDraft draft_;
};

}  // namespace

void ApplyProfile(RuleBook& book, Diagnostics& diagnostics) {
  if (book.profile_request) Profile(book, diagnostics).Run();
}

}  // namespace dcmveil::rules
