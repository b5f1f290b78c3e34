// SPDX-License-Identifier: Apache-2.0
#include "rules/import/orthanc.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include "engine/dictionary.h"
#include "rules/import/json_file.h"
#include "rules/profile_tables.h"

namespace dcmveil::rules {
namespace {

constexpr const char* kHint = "import orthanc reads the JSON of a request to /anonymize or /modify";

// They are about the job or the archive, and say nothing about elements.
constexpr std::array<std::string_view, 14> kOfTheJob{
    "Asynchronous", "Force",    "KeepLabels",     "KeepSource",  "LossyQuality",
    "Permissive",   "Priority", "Resources",      "Synchronous", "Transcode",
    "UserData",     "Level",    "PrivateCreator", "DicomVersion"};

/// What a key of Keep, Remove or Replace means.
struct Named {
  std::string selector;  ///< "tag: …", "path: …", "private: {…}"
  std::string what;
  const Attribute* attribute = nullptr;
  bool nested = false;
  bool one_item = false;  ///< the original meant one item only
};

class OrthancImporter {
 public:
  OrthancImporter(const Node& root, std::string name, OrthancRequest request)
      : root_(root), file_("orthanc", std::move(name)), request_(request) {}

  Imported Run() {
    Decide();
    CheckKeys();
    file_.head.emplace_back(
        "Items of sequences are decided by these same rules; new UIDs and pseudonyms come from the "
        "key, so that they are the same in each run.");
    if (const Node* const creator = root_.Find("PrivateCreator")) creator_ = creator->text;
    // Of two lists that name the same element the stricter one holds.
    Removes();
    Replaces();
    Keeps();
    if (anonymize_) {
      Anonymize();
    } else {
      Modify();
    }
    return file_.Finish();
  }

 private:
  void Decide() {
    const bool anonymize_only = Has("KeepPrivateTags") || Has("DicomVersion");
    const bool modify_only = Has("RemovePrivateTags") || Has("Level");
    if (request_ == OrthancRequest::kGuess) {
      anonymize_ = anonymize_only || !modify_only;
      if (anonymize_only == modify_only) {
        file_.Note(0, "request",
                   "taken for one to /anonymize, which is stricter; say --modify if "
                   "it goes to /modify");
      }
    } else {
      anonymize_ = request_ == OrthancRequest::kAnonymize;
    }
  }

  [[nodiscard]] bool Has(std::string_view key) const { return root_.Find(key) != nullptr; }
  [[nodiscard]] bool IsTrue(std::string_view key) const {
    const Node* const node = root_.Find(key);
    return node != nullptr && node->text == "true";
  }

  void CheckKeys() {
    constexpr std::array<std::string_view, 5> kLists{"Keep", "Remove", "Replace", "KeepPrivateTags",
                                                     "RemovePrivateTags"};
    for (const auto& [key, value] : root_.entries) {
      if (std::find(kLists.begin(), kLists.end(), key.text) != kLists.end()) continue;
      if (std::find(kOfTheJob.begin(), kOfTheJob.end(), key.text) != kOfTheJob.end()) continue;
      file_.Replaced(key.place.line, Plain(key.text, 40), "no key of a request; it is left out");
      file_.Lint("line " + std::to_string(key.place.line) + ": " + Plain(key.text, 40) +
                 " is no key of a request; it was left out");
    }
    if (const Node* const version = root_.Find("DicomVersion")) {
      file_.Note(version->place.line, "DicomVersion",
                 "the profile is that of " + std::string(ProfileEdition()));
    }
  }

  // ---- Keys of the lists -------------------------------------------------------------------

  // "PatientName", "0010,0010", "RequestAttributesSequence[*].StudyInstanceUID".
  [[nodiscard]] std::optional<Named> ReadPlace(std::string_view text) const {
    Named place;
    std::string path;
    while (true) {
      const std::size_t dot = text.find('.');
      std::string_view step = text.substr(0, dot);
      if (const std::size_t open = step.find('['); open != std::string_view::npos) {
        if (!step.ends_with(']') || dot == std::string_view::npos) return std::nullopt;
        if (step.substr(open) != "[*]") place.one_item = true;
        step = step.substr(0, open);
      }
      const std::optional<NamedTag> tag = ReadNamedTag(step);
      if (!tag) return std::nullopt;
      if (dot == std::string_view::npos) {
        place.attribute = tag->attribute;
        place.selector = tag->selector;
        if (tag->tag && tag->tag->is_private() && !creator_.empty() && !place.nested) {
          const std::string number = ToString(*tag->tag);
          place.selector = "private: {creator: " + Quoted(creator_) + ", tag: \"" +
                           number.substr(0, 6) + "xx" + number.substr(8) + "\"}";
        }
      }
      path += "/" + tag->path;
      if (dot == std::string_view::npos) break;
      place.nested = true;
      text.remove_prefix(dot + 1);
    }
    place.what = path.substr(1);
    if (place.nested) place.selector = "path: " + Quoted(path);
    return place;
  }

  // The place, if the key means one and no stricter list has it.
  std::optional<Named> Take(const Node& key, std::string_view list) {
    std::optional<Named> place = ReadPlace(key.text);
    const int line = key.place.line;
    if (!place) {
      file_.Replaced(line, Plain(key.text, 60), "names no element; it is left out");
      file_.Lint("line " + std::to_string(line) + ": " + Plain(key.text, 60) + " of " +
                 std::string(list) + " names no element; it was left out");
      return std::nullopt;
    }
    if (!taken_.insert(place->what).second) {
      const std::string text = "stands in two lists; the stricter one holds";
      file_.Note(line, place->what, text);
      file_.Lint("line " + std::to_string(line) + ": " + place->what + " " + text);
      return std::nullopt;
    }
    return place;
  }

  void Emit(int line, const Named& place, std::string_view list, const std::string& rest,
            const std::string& remark = {}) {
    std::vector<std::string> comments{"line " + std::to_string(line) + ": " + std::string(list)};
    if (!remark.empty()) comments.push_back(remark);
    if (place.one_item) {
      const std::string text = "meant for one item of a sequence, done in all of them";
      comments.push_back("differs: " + text);
      file_.Note(line, place.what, text);
    }
    file_.rules.push_back({line, std::move(comments), "- {" + place.selector + ", " + rest + "}",
                           "- {" + place.selector + ", action: remove}", place.what});
  }

  std::vector<const Node*> List(std::string_view key) {
    std::vector<const Node*> items;
    const Node* const list = root_.Find(key);
    if (list == nullptr) return items;
    for (const Node& item : list->items) items.push_back(&item);
    return items;
  }

  void Removes() {
    for (const Node* const item : List("Remove")) {
      const std::optional<Named> place = Take(*item, "Remove");
      if (place) Emit(item->place.line, *place, "Remove", "action: remove");
    }
  }

  void Replaces() {
    const Node* const map = root_.Find("Replace");
    if (map == nullptr) return;
    for (const auto& [key, value] : map->entries) {
      const std::optional<Named> place = Take(key, "Replace");
      if (!place) continue;
      const int line = key.place.line;
      if (!value.is_text()) {
        const std::string text =
            "items of a sequence cannot be written; remove stands in its place";
        file_.Replaced(line, place->what, text);
        Emit(line, *place, "Replace", "action: remove", "REPLACED: " + text);
        continue;
      }
      if (value.text.empty()) {
        Emit(line, *place, "Replace", "action: redact");
        continue;
      }
      const std::string with = ", with: {value: " + Quoted(value.text) + "}";
      Emit(line, *place, "Replace", "action: replace" + with);
      if (!place->nested && place->attribute != nullptr) {
        file_.rules.push_back(
            {line, {}, "- {" + place->selector + ", action: add" + with + "}", {}, place->what});
      }
    }
  }

  void Keeps() {
    for (const Node* const item : List("Keep")) {
      std::optional<Named> place = Take(*item, "Keep");
      if (!place) continue;
      const int line = item->place.line;
      if (place->one_item) {
        const std::string text = "one item of a sequence cannot be kept alone; it is left out";
        file_.Replaced(line, place->what, text);
        file_.Lint("line " + std::to_string(line) + ": " + place->what + ": " + text);
        continue;
      }
      // UIDs are kept wherever they refer to the same thing.
      const bool uid = place->attribute != nullptr && place->attribute->vrs == VrSet(Vr::UI);
      if (!place->nested && place->attribute != nullptr && !uid) {
        place->selector = "path: " + Quoted("/" + place->what);
      }
      Emit(line, *place, "Keep", "action: keep");
      if (uid && place->what == "SOPInstanceUID") {
        file_.Lint(
            "SOP Instance UIDs are kept, and UIDs that refer to them are new: keep "
            "ReferencedSOPInstanceUID too");
      }
    }
  }

  // ---- What holds without a list ------------------------------------------------------------

  void Other(std::string comment, const std::string& rule) {
    file_.rules.push_back({0, {std::move(comment)}, "- " + rule, {}, {}});
  }

  void Anonymize() {
    file_.profile = "basic";
    if (IsTrue("KeepPrivateTags")) {
      Other("KeepPrivateTags", "{group: odd, action: keep}");
      file_.Lint("private elements pass unchanged");
    }
  }

  void Modify() {
    const bool remove = IsTrue("RemovePrivateTags");
    Other(remove ? "RemovePrivateTags" : "private elements stay unless RemovePrivateTags is set",
          std::string("{group: odd, action: ") + (remove ? "remove}" : "keep}"));
    Other(
        "Orthanc gives new UIDs at and below the level of the request; here all UIDs are new, so "
        "that references hold, but those that DICOM registered",
        "{vr: UI, action: refresh-uid}");
    if (!remove) file_.Lint("private elements pass unchanged");
    std::size_t passing = 0;
    for (const ProfileRow& row : BasicRows()) {
      const bool uid = row.vrs == VrSet(Vr::UI);
      if (!row.odd_groups && !row.keyword.empty() && !uid &&
          !taken_.contains(std::string(row.keyword))) {
        ++passing;
      }
    }
    file_.Lint("a request to /modify protects nobody by itself: " + std::to_string(passing) +
               " attributes that the basic profile of " + std::string(ProfileEdition()) +
               " protects pass unchanged; dcmveil check lists them");
  }

  const Node& root_;
  RuleFile file_;
  OrthancRequest request_;
  bool anonymize_ = true;
  std::string creator_;
  std::set<std::string> taken_;
};

}  // namespace

Imported ImportOrthanc(const std::string& text, const std::string& name, OrthancRequest request) {
  const SourceFile source{name, {}, text};
  const Node root = ReadJsonObject(source, kHint);
  constexpr std::array<std::string_view, 7> kOwn{
      "Keep", "Remove", "Replace", "DicomVersion", "KeepPrivateTags", "RemovePrivateTags", "Force"};
  if (std::none_of(kOwn.begin(), kOwn.end(),
                   [&](std::string_view key) { return root.Find(key) != nullptr; })) {
    throw RuleError({{.severity = Diagnostic::Severity::kError,
                      .file = name,
                      .line = 0,
                      .column = 0,
                      .message = "none of Keep, Remove and Replace is in it",
                      .hint = kHint}});
  }
  // Orthanc refuses such a request, too.
  for (const std::string_view key : {"Keep", "Remove", "Replace"}) {
    const Node* const value = root.Find(key);
    if (value == nullptr || (key == "Replace" ? value->is_map() : value->is_list())) continue;
    throw RuleError(
        {{.severity = Diagnostic::Severity::kError,
          .file = name,
          .line = value->place.line,
          .column = value->place.column,
          .message = std::string(key) + " must be " + (key == "Replace" ? "an object" : "a list"),
          .hint = kHint}});
  }
  return OrthancImporter(root, name, request).Run();
}

}  // namespace dcmveil::rules
