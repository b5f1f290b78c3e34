// SPDX-License-Identifier: Apache-2.0
#include "rules/import/microsoft.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "rules/check.h"
#include "rules/coverage.h"
#include "rules/read.h"

namespace dcmveil::rules {
namespace {

using engine::Effect;
using engine::Selector;
using engine::TagPattern;

// Method and setting names are compared in lower case there.
struct Method {
  std::string_view name;
  std::string_view action;
  std::array<std::string_view, 4> settings;
};

constexpr std::array<Method, 9> kMethods{{
    {"keep", "keep", {}},
    {"remove", "remove", {}},
    {"redact",
     "redact",
     {"enablePartialAgesForRedact", "enablePartialDatesForRedact", "enablePartialZipCodesForRedact",
      "restrictedZipCodeTabulationAreas"}},
    {"substitute", "replace", {"replaceWith"}},
    {"cryptoHash", "crypto-hash", {"cryptoHashKey", "cryptoHashType", "matchInputStringLength"}},
    {"encrypt", "encrypt", {"encryptKey"}},
    {"dateShift", "date-shift", {"dateShiftKey", "dateShiftRange", "dateShiftScope"}},
    {"perturb", "perturb", {"span", "rangeType", "roundTo"}},
    {"refreshUID", "refresh-uid", {}},
}};

constexpr std::array<std::string_view, 3> kSections{"rules", "defaultSettings", "customSettings"};
constexpr std::array<std::string_view, 4> kRuleMembers{"tag", "method", "params", "setting"};
constexpr std::array<std::string_view, 3> kSecrets{"cryptohashkey", "encryptkey", "dateshiftkey"};

// Direct identifiers whose passing a user of the configuration should know of.
constexpr std::array<std::string_view, 23> kWatched{"PatientName",
                                                    "PatientID",
                                                    "PatientBirthDate",
                                                    "PatientAddress",
                                                    "PatientTelephoneNumbers",
                                                    "OtherPatientIDs",
                                                    "AccessionNumber",
                                                    "ReferringPhysicianName",
                                                    "InstitutionName",
                                                    "StudyID",
                                                    "StationName",
                                                    "OperatorsName",
                                                    "RequestingPhysician",
                                                    "PatientComments",
                                                    "ImageComments",
                                                    "StudyDescription",
                                                    "SeriesDescription",
                                                    "ContentSequence",
                                                    "EncapsulatedDocument",
                                                    "StudyInstanceUID",
                                                    "SeriesInstanceUID",
                                                    "SOPInstanceUID",
                                                    "FrameOfReferenceUID"};

constexpr std::int64_t kMaxDecimals = 15;

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

const Method* FindMethod(std::string_view name) {
  const std::string lower = Lower(name);
  for (const Method& method : kMethods) {
    if (Lower(method.name) == lower) return &method;
  }
  return nullptr;
}

// A setting as written; names are compared without regard to case.
struct Setting {
  std::string name;
  std::string text;
  Place place;
};
using SettingMap = std::map<std::string, Setting>;

class Importer {
 public:
  explicit Importer(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  RuleBook Run(const Node& root) {
    book_.place = {root.place.file, 0, 0};
    book_.imported = true;
    book_.otherwise_keep = true;
    book_.otherwise_place = book_.place;
    for (const auto& [key, value] : root.entries) {
      if (std::find(kSections.begin(), kSections.end(), key.text) == kSections.end()) {
        WarnUnread(key, kSections);
      }
    }
    CollectSecrets(root);
    default_ = Section(root, "defaultSettings");
    custom_ = Section(root, "customSettings");
    if (default_ != nullptr) {
      for (const auto& [key, value] : default_->entries) {
        if (const Method* method = FindMethod(key.text)) {
          WarnUnknownSettings(value, *method);
        } else {
          diagnostics_.Warning(key.place,
                               key.text +
                                   ": no such method, so its settings are not "
                                   "read",
                               NearestMethod(key.text));
        }
      }
    }
    const Node* rules = root.Find("rules");
    if (rules == nullptr || !rules->is_list()) {
      diagnostics_.Error(book_.place, "rules must be a list of rules");
    } else {
      for (const Node& rule : rules->items) ReadRule(rule);
    }
    if (!diagnostics_.has_errors()) WarnExposed();
    return std::move(book_);
  }

 private:
  const Node* Section(const Node& root, std::string_view name) {
    const Node* node = root.Find(name);
    if (node == nullptr || node->is_null()) return nullptr;
    if (node->is_map()) return node;
    diagnostics_.Error(node->place,
                       std::string(name) + ": must be an object, with names as members",
                       "the tool's documentation shows a list, which it never read");
    return nullptr;
  }

  void WarnUnread(const Node& key, std::span<const std::string_view> known) {
    diagnostics_.Warning(key.place, key.text + ": an unknown member, not read",
                         DidYouMean(NearestWord(key.text, known).value_or("")));
  }

  static std::string NearestMethod(std::string_view name) {
    std::vector<std::string_view> names;
    names.reserve(std::size(kMethods));
    for (const Method& method : kMethods) names.push_back(method.name);
    return DidYouMean(NearestWord(name, names).value_or(""));
  }

  void WarnUnknownSettings(const Node& node, const Method& method) {
    for (const auto& [key, value] : node.entries) {
      const std::string lower = Lower(key.text);
      std::vector<std::string_view> known;
      bool found = false;
      for (const std::string_view name : method.settings) {
        if (!name.empty()) known.push_back(name);
        found = found || (!name.empty() && Lower(name) == lower);
      }
      if (found) continue;
      diagnostics_.Warning(key.place,
                           key.text + ": no setting of " + std::string(method.name) + ", not read",
                           DidYouMean(NearestWord(key.text, known).value_or("")));
    }
  }

  void CollectSecrets(const Node& node) {
    for (const Node& item : node.items) CollectSecrets(item);
    for (const auto& [key, value] : node.entries) {
      const std::string lower = Lower(key.text);
      if (value.is_text() && !value.text.empty() &&
          std::find(kSecrets.begin(), kSecrets.end(), lower) != kSecrets.end()) {
        diagnostics_.Warning(value.place,
                             key.text + ": a secret in a configuration is known to all who read it",
                             "keep it in a key file, with a rule set of dcmveil's own language");
        book_.keys_in_file.push_back(std::make_shared<const Key>(value.text));
      }
      CollectSecrets(value);
    }
  }

  void ReadRule(const Node& node) {
    if (!node.is_map()) {
      diagnostics_.Error(node.place, "a rule must be an object with tag and method");
      return;
    }
    for (const auto& [key, value] : node.entries) {
      if (std::find(kRuleMembers.begin(), kRuleMembers.end(), key.text) == kRuleMembers.end()) {
        WarnUnread(key, kRuleMembers);
      }
    }
    RuleDraft draft;
    draft.place = node.place;
    draft.action_place = node.place;
    const Node* tag = node.Find("tag");
    if (tag == nullptr || tag->is_null()) {
      diagnostics_.Error(node.place, "the rule has no tag");
    } else if (const auto text = ReadText(*tag, "tag", diagnostics_)) {
      ReadTag(*text, tag->place, draft);
    }
    const Node* name = node.Find("method");
    if (name == nullptr || name->is_null()) {
      diagnostics_.Error(node.place, "the rule has no method");
      return;
    }
    const auto text = ReadText(*name, "method", diagnostics_);
    if (!text) return;
    const Method* method = FindMethod(*text);
    if (method == nullptr) {
      diagnostics_.Error(name->place, *text + ": no such method", NearestMethod(*text));
      return;
    }
    draft.action_place = name->place;
    draft.spec = engine::FindAction(method->action);
    if (const auto settings = Effective(node, *method)) Translate(*method, *settings, draft);
    EmptyWhatCannotHoldTheResult(*method, draft);
    draft.selector_text = Summarise(draft.selectors);
    if (draft.spec != nullptr) book_.rules.push_back(std::move(draft));
  }

  // The tool writes hashes and ciphertexts into VRs that cannot hold them: hexadecimal digits as a
  // date, 44 characters into 16. Its configurations load all the same; such elements are emptied.
  void EmptyWhatCannotHoldTheResult(const Method& method, RuleDraft& draft) {
    if (method.name != "cryptoHash" && method.name != "encrypt") return;
    const VrSet served_by_the_tool = kTextVrs - draft.spec->vrs;
    for (const SelectorDraft& selector : draft.selectors) {
      VrSet vrs = selector.selector.vrs;
      if (!selector.selector.by_vr()) {
        const engine::TagPattern& pattern = selector.selector.path.back();
        const Attribute* attribute =
            pattern.is_exact() ? FindAttribute(Tag(pattern.value)) : nullptr;
        if (attribute == nullptr) return;
        vrs = attribute->vrs;
      }
      if (vrs.empty() || !(vrs - served_by_the_tool).empty()) return;
      diagnostics_.Warning(selector.place, selector.text + ": no room for the result of " +
                                               std::string(method.name) +
                                               " in this VR; the element is emptied");
    }
    draft.spec = engine::FindAction("redact");
    draft.with.clear();
    draft.raw_key.reset();
  }

  // ---- Selectors

  void ReadTag(const std::string& text, const Place& place, RuleDraft& draft) {
    Selector selector;
    if (const std::optional<Vr> vr = VrFromString(text)) {
      selector.vrs = *vr;
      draft.selectors.push_back({std::move(selector), text, place});
      return;
    }
    auto parsed =
        text.find(':') == std::string::npos ? ParseKeywordOrTag(text) : ParsePrivateTag(text);
    if (const auto* error = std::get_if<SpellingError>(&parsed)) {
      diagnostics_.Error(place, error->message, error->hint);
      return;
    }
    auto& pattern = std::get<TagPattern>(parsed);
    WarnAboutTag(pattern, text, place, diagnostics_);
    selector.path.push_back(std::move(pattern));
    draft.selectors.push_back({std::move(selector), text, place});
  }

  static std::variant<TagPattern, SpellingError> ParseKeywordOrTag(const std::string& text) {
    constexpr std::string_view kRetired = "RETIRED";
    auto parsed = ParseTag(text);
    // fo-dicom marks retired keywords; PS3.6 does not.
    if (std::holds_alternative<SpellingError>(parsed) && text.ends_with(kRetired)) {
      if (const Attribute* attribute =
              FindKeyword(std::string_view(text).substr(0, text.size() - kRetired.size()))) {
        return TagPattern{.value = attribute->tag.number(), .mask = attribute->mask, .creator = {}};
      }
    }
    return parsed;
  }

  // (0029,1010:SIEMENS CSA HEADER): only the low byte counts, the block is the creator's.
  static std::variant<TagPattern, SpellingError> ParsePrivateTag(std::string_view text) {
    const SpellingError wrong{std::string(text) + ": not a private tag",
                              "it is written (0029,10:CREATOR) or (0029,0010:CREATOR)"};
    std::string_view inner = text;
    if (inner.starts_with('(') != inner.ends_with(')')) return wrong;
    if (inner.starts_with('(')) inner = inner.substr(1, inner.size() - 2);
    const std::size_t colon = inner.find(':');
    std::string digits(inner.substr(0, colon));
    std::erase_if(digits, [](char c) { return c == ' ' || c == ','; });
    if (digits.size() == 6) digits.insert(4, "xx");
    if (digits.size() != 8) return wrong;
    digits.replace(4, 2, "xx");
    auto parsed = ParsePrivate(inner.substr(colon + 1), digits);
    if (const auto* error = std::get_if<SpellingError>(&parsed)) {
      return SpellingError{std::string(text) + ": not a private tag", error->hint};
    }
    return parsed;
  }

  // ---- Settings

  // The rule's custom setting or the method's default, overlaid with the rule's own parameters; a
  // copy, so that nothing leaks into the next rule. Nothing if a setting is missing or malformed.
  std::optional<SettingMap> Effective(const Node& rule, const Method& method) {
    SettingMap settings;
    const int errors = diagnostics_.errors();
    const Node* name = rule.Find("setting");
    if (name != nullptr && !name->is_null()) {
      const auto text = ReadText(*name, "setting", diagnostics_);
      const Node* custom = text && custom_ != nullptr ? custom_->Find(*text) : nullptr;
      if (text && custom == nullptr) {
        diagnostics_.Error(name->place, *text + ": no such custom setting", NearestCustom(*text));
      }
      if (custom != nullptr) Overlay(*custom, settings);
    } else if (default_ != nullptr) {
      for (const auto& [key, value] : default_->entries) {
        if (FindMethod(key.text) == &method) Overlay(value, settings);
      }
    }
    if (const Node* params = rule.Find("params"); params != nullptr && !params->is_null()) {
      if (params->is_map()) WarnUnknownSettings(*params, method);
      Overlay(*params, settings);
    }
    if (diagnostics_.errors() > errors) return std::nullopt;
    return settings;
  }

  std::string NearestCustom(std::string_view name) const {
    std::vector<std::string_view> names;
    if (custom_ != nullptr) {
      for (const Node::Entry& entry : custom_->entries) names.push_back(entry.key.text);
    }
    return DidYouMean(NearestWord(name, names).value_or(""));
  }

  void Overlay(const Node& node, SettingMap& settings) {
    if (node.is_null()) return;
    if (!node.is_map()) {
      diagnostics_.Error(node.place, "settings must be an object");
      return;
    }
    SettingMap own;
    for (const auto& [key, value] : node.entries) {
      const std::string lower = Lower(key.text);
      if (lower == "restrictedzipcodetabulationareas") continue;
      if (own.contains(lower)) {
        diagnostics_.Error(key.place, key.text +
                                          ": given twice; names are the same in upper and "
                                          "lower case");
        continue;
      }
      if (value.is_null()) {
        settings.erase(lower);
        continue;
      }
      const auto text = ReadText(value, key.text, diagnostics_);
      if (text) own[lower] = {key.text, *text, value.place};
    }
    for (auto& [lower, setting] : own) settings[lower] = std::move(setting);
  }

  void Wrong(const Setting& setting, std::string_view what, std::string hint = {}) {
    diagnostics_.Error(setting.place, setting.name + ": " + std::string(what), std::move(hint));
  }

  static const Setting* Get(const SettingMap& settings, std::string_view lower_name) {
    const auto it = settings.find(std::string(lower_name));
    return it == settings.end() ? nullptr : &it->second;
  }

  bool Boolean(const SettingMap& settings, std::string_view lower_name) {
    const Setting* setting = Get(settings, lower_name);
    if (setting == nullptr) return false;
    const std::string text = Lower(setting->text);
    if (text != "true" && text != "false") Wrong(*setting, "must be true or false");
    return text == "true";
  }

  std::optional<std::int64_t> Whole(const Setting& setting) {
    std::int64_t number = 0;
    const char* const end = setting.text.data() + setting.text.size();
    const auto [stop, error] = std::from_chars(setting.text.data(), end, number);
    if (error != std::errc() || stop != end) return std::nullopt;
    return number;
  }

  // The index of the setting's name or number in `names`; the last one stands for "none of them".
  std::size_t Choice(const Setting& setting, std::span<const std::string_view> names) {
    const std::string text = Lower(setting.text);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (text == Lower(names[i]) || text == std::to_string(i)) return i;
    }
    std::string all;
    for (const std::string_view name : names) all += (all.empty() ? "" : ", ") + std::string(name);
    Wrong(setting, "must be one of " + all);
    return 0;
  }

  void UseKey(const Setting* setting, RuleDraft& draft) {
    if (setting == nullptr || setting->text.empty()) return;
    draft.raw_key = std::make_shared<const Key>(setting->text);
  }

  // ---- Methods

  void Translate(const Method& method, const SettingMap& settings, RuleDraft& draft) {
    const auto set = [&draft](std::string_view name, std::string text, const Place& place) {
      draft.with.insert_or_assign(std::string(name), ParamText{std::move(text), place});
    };
    const auto place_of = [&](std::string_view lower_name) {
      const Setting* setting = Get(settings, lower_name);
      return setting != nullptr ? setting->place : draft.action_place;
    };
    if (method.name == "redact") {
      for (const auto& [param, name] :
           {std::pair{"partial-ages", "enablepartialagesforredact"},
            std::pair{"partial-dates", "enablepartialdatesforredact"}}) {
        if (Boolean(settings, name)) set(param, "true", place_of(name));
      }
    } else if (method.name == "substitute") {
      const Setting* value = Get(settings, "replacewith");
      set("value", value != nullptr ? value->text : "Anonymous", place_of("replacewith"));
    } else if (method.name == "cryptoHash") {
      CryptoHash(settings, draft);
    } else if (method.name == "encrypt") {
      const Setting* key = Get(settings, "encryptkey");
      if (key != nullptr) {
        const std::size_t size = key->text.size();
        if (size != 16 && size != 24 && size != 32) {
          Wrong(*key, "must have 16, 24 or 32 bytes: 128, 192 or 256 bits");
          return;
        }
      }
      UseKey(key, draft);
    } else if (method.name == "dateShift") {
      DateShift(settings, draft);
    } else if (method.name == "perturb") {
      Perturb(settings, draft);
    }
  }

  void CryptoHash(const SettingMap& settings, RuleDraft& draft) {
    UseKey(Get(settings, "cryptohashkey"), draft);
    if (const Setting* type = Get(settings, "cryptohashtype")) {
      const std::string name = Lower(type->text);
      if (name == "sha256" || name == "sha384" || name == "sha512") {
        draft.with["function"] = {name, type->place};
      } else {
        Wrong(*type, "must be Sha256, Sha384 or Sha512");
      }
    }
    if (Boolean(settings, "matchinputstringlength")) {
      const Setting& setting = *Get(settings, "matchinputstringlength");
      diagnostics_.Warning(setting.place,
                           setting.name +
                               ": not kept, because it has at most 16.7 million "
                               "distinct results",
                           "values are hashed in full, to the room of their VR");
    }
  }

  void DateShift(const SettingMap& settings, RuleDraft& draft) {
    UseKey(Get(settings, "dateshiftkey"), draft);
    constexpr std::array<std::string_view, 3> kScopes{"StudyInstance", "SeriesInstance",
                                                      "SopInstance"};
    constexpr std::array<std::string_view, 3> kOurs{"study", "series", "instance"};
    const Setting* scope = Get(settings, "dateshiftscope");
    const std::size_t index = scope != nullptr ? Choice(*scope, kScopes) : 2;
    const Place scope_place = scope != nullptr ? scope->place : draft.action_place;
    draft.with["scope"] = {std::string(kOurs[index]), scope_place};

    std::int64_t days = 50;
    const Setting* range = Get(settings, "dateshiftrange");
    if (range != nullptr) {
      const std::optional<std::int64_t> number = Whole(*range);
      if (!number || *number < 0) {
        Wrong(*range, "must be a whole number that is not negative");
        return;
      }
      days = *number;
    }
    const Place range_place = range != nullptr ? range->place : draft.action_place;
    if (days == 0) {
      diagnostics_.Warning(range_place, "dateShiftRange: 0 moves nothing, so dates are kept");
      draft.spec = engine::FindAction("keep");
      draft.with.clear();
      draft.raw_key.reset();
      return;
    }
    draft.with["days"] = {std::to_string(days), range_place};
    if (!scope_warned_) {
      scope_warned_ = true;
      diagnostics_.Warning(scope_place,
                           "dateShiftScope: intervals between the studies of a patient are lost",
                           "a rule set of dcmveil's own language has scope: patient");
    }
  }

  void Perturb(const SettingMap& settings, RuleDraft& draft) {
    if (const Setting* span = Get(settings, "span")) {
      const std::optional<double> number = ParseNumber(span->text);
      if (!number || *number < 0) {
        Wrong(*span, "must be a number that is not negative");
      } else {
        draft.with["span"] = {span->text, span->place};
      }
    }
    if (const Setting* type = Get(settings, "rangetype")) {
      constexpr std::array<std::string_view, 2> kTypes{"Fixed", "Proportional"};
      draft.with["proportional"] = {Choice(*type, kTypes) == 1 ? "true" : "false", type->place};
    }
    if (const Setting* round = Get(settings, "roundto")) {
      const std::optional<std::int64_t> number = Whole(*round);
      if (!number || *number < 0 || *number > 28) {
        Wrong(*round, "must be a whole number from 0 to 28");
        return;
      }
      if (*number > kMaxDecimals) {
        diagnostics_.Warning(round->place, round->name + ": no number has more than 15 decimals");
      }
      draft.with["round"] = {std::to_string(std::min(*number, kMaxDecimals)), round->place};
    }
  }

  // ---- What it leaves exposed

  void WarnExposed() {
    std::string names;
    const auto add = [&names](std::string_view name) {
      names += (names.empty() ? "" : ", ") + std::string(name);
    };
    for (const std::string_view keyword : kWatched) {
      const Attribute* attribute = FindKeyword(keyword);
      if (attribute == nullptr) continue;
      const RuleDraft* rule = FirstFor(book_, *attribute);
      if (rule == nullptr || rule->spec->effect == Effect::kKeep) add(keyword);
    }
    Selector odd;
    odd.path.push_back({.value = 0, .mask = 0, .creator = {}, .odd_groups_only = true});
    std::vector<const Selector*> changing;
    const RuleDraft* dates = nullptr;
    bool private_seen = false;
    bool vr_rules = false;
    bool dates_first = false;
    for (const RuleDraft& rule : book_.rules) {
      for (const SelectorDraft& draft : rule.selectors) {
        const bool changes = rule.spec->effect != Effect::kKeep;
        if (changes) changing.push_back(&draft.selector);
        if (draft.selector.by_vr()) {
          vr_rules = vr_rules || changes;
          if (!private_seen && draft.selector.vrs.intersects({Vr::DA, Vr::DT}) &&
              dates == nullptr) {
            dates = &rule;
          }
        } else if (MayMeet(draft.selector.path.back(), odd.path.back())) {
          private_seen = true;
          dates_first = dates_first || dates != nullptr;
        }
      }
    }
    // With VR rules in the set, private elements that nothing else decides are removed.
    if (!vr_rules && !IsCovered(odd, changing)) add("private elements");
    if (!names.empty()) {
      diagnostics_.Warning(book_.place, "this configuration leaves as they are: " + names);
    }
    if (dates_first) {
      diagnostics_.Note(
          dates->place, "VR rules for dates stand before the rules for private elements",
          "Microsoft's tool shifts private dates and keeps them; here the later rules "
          "decide private elements");
    }
  }

  Diagnostics& diagnostics_;
  RuleBook book_;
  const Node* default_ = nullptr;
  const Node* custom_ = nullptr;
  bool scope_warned_ = false;
};

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

}  // namespace

bool LooksLikeJson(std::string_view text) {
  const std::string plain = WithoutComments(text);
  std::size_t i = plain.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  while (i < plain.size() && IsSpace(plain[i])) ++i;
  return i < plain.size() && plain[i] == '{';
}

std::string WithoutComments(std::string_view text) {
  std::string out(text);
  bool in_string = false;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (in_string) {
      if (out[i] == '\\')
        ++i;
      else if (out[i] == '"')
        in_string = false;
      continue;
    }
    if (out[i] == '"') {
      in_string = true;
    } else if (out[i] == '/' && i + 1 < out.size() && out[i + 1] == '/') {
      while (i < out.size() && out[i] != '\n') out[i++] = ' ';
    } else if (out[i] == '/' && i + 1 < out.size() && out[i + 1] == '*') {
      const std::size_t end = std::min(out.find("*/", i + 2), out.size() - 2);
      for (; i < end + 2; ++i) {
        if (out[i] != '\n') out[i] = ' ';
      }
      --i;
    }
  }
  return out;
}

bool MentionsMicrosoft(std::string_view text) {
  return text.find("\"rules\"") != std::string_view::npos &&
         text.find("\"method\"") != std::string_view::npos;
}

bool IsMicrosoft(const Node& root) {
  if (!root.is_map() || root.Find("dcmveil") != nullptr) return false;
  if (root.Find("defaultSettings") != nullptr || root.Find("customSettings") != nullptr)
    return true;
  const Node* rules = root.Find("rules");
  if (rules == nullptr || !rules->is_list()) return false;
  return std::any_of(rules->items.begin(), rules->items.end(), [](const Node& rule) {
    return rule.Find("method") != nullptr && rule.Find("action") == nullptr;
  });
}

RuleBook ImportMicrosoft(const Node& root, Diagnostics& diagnostics) {
  return Importer(diagnostics).Run(root);
}

}  // namespace dcmveil::rules
