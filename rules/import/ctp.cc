// SPDX-License-Identifier: Apache-2.0
#include "rules/import/ctp.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "engine/action.h"
#include "engine/dictionary.h"
#include "rules/import/ctp_rejects.h"
#include "rules/import/fitting.h"
#include "rules/profile_tables.h"
#include "rules/selector.h"

namespace dcmveil::rules {
namespace {

class CtpImporter {
 public:
  CtpImporter(CtpScript script, std::string name, const ImportOptions& options)
      : script_(std::move(script)), file_("ctp", std::move(name)), options_(options) {}

  Imported Run() {
    file_.head.emplace_back(
        "Items of sequences are always decided element by element by these same rules; CTP opens "
        "them only under @process.");
    ReadSwitches();
    file_.otherwise_keep = !unspecified_;
    Rules();
    Keeps();
    Unknown();
    if (private_groups_) {
      Other(private_line_,
            "line " + std::to_string(private_line_) +
                ": privategroups: private elements without a rule go",
            "{group: odd, action: remove}");
    }
    // Behind it, for the masks of overlays and curves mean odd groups, too.
    if (unspecified_) AlwaysKept();
    FindLint();
    return file_.Finish();
  }

 private:
  // ---- The script's parts ------------------------------------------------------------------

  void ReadSwitches() {
    for (const CtpEntry& entry : script_.removes) {
      if (!entry.enabled) continue;
      if (entry.target == "privategroups") {
        private_groups_ = true;
        private_line_ = entry.line;
      } else if (entry.target == "unspecifiedelements") {
        unspecified_ = true;
        unspecified_line_ = entry.line;
      } else if (entry.target == "overlays") {
        overlays_ = true;
        Other(entry.line, "line " + std::to_string(entry.line) + ": overlays",
              "{tag: \"60xx,xxxx\", action: remove}");
      } else if (entry.target == "curves") {
        curves_ = true;
        Other(entry.line, "line " + std::to_string(entry.line) + ": curves",
              "{tag: \"50xx,xxxx\", action: remove}");
      } else {
        script_.unknown.push_back(entry);
      }
    }
  }

  void Other(int line, std::string comment, const std::string& rule) {
    file_.rules.push_back({line, {std::move(comment)}, "- " + rule, {}, {}});
  }

  void Rules() {
    // As in a table of properties, the last entry of a key holds. Of two keys for one element any
    // may.
    std::map<std::string, std::size_t> last;
    std::set<std::string> undecided;
    std::vector<std::optional<CtpTarget>> targets;
    for (std::size_t i = 0; i < script_.rules.size(); ++i) {
      const CtpEntry& entry = script_.rules[i];
      // CTP cuts a target of XML in two behind four letters, so that no keyword is left.
      const bool keyword =
          FindKeyword(entry.target) != nullptr && script_.kind == CtpScript::Kind::kXml;
      targets.push_back(keyword ? std::nullopt : ReadCtpTarget(entry.target));
      if (!entry.enabled) {
        ++disabled_;
      } else if (targets.back()) {
        const auto [it, is_new] = last.try_emplace(targets.back()->path, i);
        if (is_new) continue;
        const CtpEntry& before = script_.rules[it->second];
        const bool same_key = before.key == entry.key;
        if (!same_key) undecided.insert(it->first);
        file_.Lint(AtLine(before.line,
                          it->first + " has another rule in line " + std::to_string(entry.line) +
                              (same_key ? "; that one is used" : "; CTP takes one or the other")));
        it->second = i;
      }
    }
    for (std::size_t i = 0; i < script_.rules.size(); ++i) {
      CtpEntry& entry = script_.rules[i];
      if (!entry.enabled) continue;
      if (!targets[i]) {
        NoElement(entry);
      } else if (last.at(targets[i]->path) == i) {
        if (undecided.contains(targets[i]->path)) {
          file_.Replaced(entry.line, targets[i]->path,
                         "two rules with different labels, of which CTP takes one or the other; "
                         "remove stands in their place");
          entry.code = "@remove()";
        }
        Rule(entry, *targets[i]);
      }
    }
  }

  void NoElement(const CtpEntry& entry) {
    const std::string what = Plain(entry.target, 40);
    const std::string why = FindKeyword(entry.target) == nullptr
                                ? "names no element"
                                : "is a keyword, which CTP does not read in XML";
    file_.Replaced(entry.line, what, why + "; the rule is left out");
    file_.Lint(
        AtLine(entry.line, what + " " + why + "; the rule was left out: " + Shown(entry.code)));
  }

  // The code as a comment may show it: a cipher's key is not told.
  static std::string Shown(const std::string& code) {
    if (code.find("crypt") != std::string::npos) return "(with a cipher; not shown)";
    return code.empty() ? std::string("(empty)") : Plain(code);
  }

  void NoRule(const CtpEntry& entry, const std::string& what, const std::string& why) {
    file_.Note(entry.line, what, why);
    file_.Lint("line " + std::to_string(entry.line) + ": " + what + ": " + why);
  }

  void Rule(const CtpEntry& entry, const CtpTarget& target) {
    if (target.tag) ruled_.insert(target.tag->number());
    const std::string what = target.path;
    if (target.tag && (target.tag->group == 0x0002 || target.tag->group == 0x0000)) {
      NoRule(entry, what, "the file meta information is made afresh; no rule is needed");
      return;
    }
    if (target.attribute != nullptr &&
        target.attribute->keyword == "DeidentificationMethodCodeSequence") {
      NoRule(entry, what,
             "profile: basic writes codes for what it does; these rules have none, and leave it");
      return;
    }
    const TranslatedRule translated = TranslateCtpRule(entry, target, script_, options_);
    std::vector<std::string> comments{"line " + std::to_string(entry.line) + ": " +
                                      Shown(entry.code)};
    for (const std::string& text : translated.replaced) {
      comments.push_back("REPLACED: " + text);
      file_.Replaced(entry.line, what, text);
    }
    for (const std::string& text : translated.differs) {
      comments.push_back("differs: " + text);
      file_.Note(entry.line, what, text);
    }
    if (translated.uses_hash) ++hashes_;
    if (!translated.unknown_function.empty()) {
      const std::optional<std::string> nearest = NearestCtpFunction(translated.unknown_function);
      file_.Lint("line " + std::to_string(entry.line) + ": @" +
                 Plain(translated.unknown_function, 40) +
                 " is no function; CTP writes its text into the element" +
                 (nearest ? "; was @" + *nearest + " meant?" : ""));
    }
    if (!translated.syntax_problem.empty()) {
      file_.Lint("line " + std::to_string(entry.line) + ": " + Plain(translated.syntax_problem));
    }
    const std::string because = "}, because: " + Quoted("as the script says for " + what) + "}";
    for (const std::string& condition : translated.rejects) {
      file_.rejects.push_back({entry.line, comments, "- {when: {" + condition + because,
                               "- {when: {" + Quoted(what) + ": {exists: true}" + because, what});
    }
    for (const RuleLine& line : translated.rules) Line(entry.line, target, line, comments);
    LintRule(entry, target, translated);
  }

  void Line(int number, const CtpTarget& target, const RuleLine& line,
            std::vector<std::string>& comments) {
    const std::string selector =
        line.root_only ? "path: " + Quoted("/" + target.path) : target.selector;
    std::string text = "- {" + selector;
    if (!line.when.empty()) {
      text += ", when: {";
      if (line.when.size() == 1) {
        text += line.when.front();
      } else {
        text += "all: [";
        for (const std::string& condition : line.when) {
          if (text.back() != '[') text += ", ";
          text += "{" + condition + "}";
        }
        text += "]";
      }
      text += "}";
    }
    text += ", action: " + line.action;
    if (!line.with.empty()) text += ", with: {" + line.with + "}";
    std::string fallback;
    if (line.action != "add") fallback = "- {" + target.selector + ", action: remove}";
    // The comments stand above the first line of a rule only.
    file_.rules.push_back(
        {number, std::exchange(comments, {}), text + "}", std::move(fallback), target.path});
  }

  void LintRule(const CtpEntry& entry, const CtpTarget& target, const TranslatedRule& translated) {
    const bool keeps = std::any_of(translated.rules.begin(), translated.rules.end(),
                                   [](const RuleLine& line) { return line.action == "keep"; });
    if (!keeps || target.attribute == nullptr) return;
    if (target.attribute->vrs == VrSet(Vr::SQ)) {
      if (!translated.opens_items) unopened_.push_back(std::to_string(entry.line));
      return;
    }
    for (const ProfileRow& row : BasicRows()) {
      if (!row.odd_groups && row.Matches(*target.tag) &&
          CodeFor(row.by_option, Option::kCleanDescriptors) == ProfileCode::kC) {
        descriptors_.emplace_back(target.attribute->keyword);
        return;
      }
    }
  }

  void Keeps() {
    for (const CtpEntry& entry : script_.keeps) {
      if (!entry.enabled) continue;
      const std::string group = "0000" + entry.target;
      const bool hex =
          !entry.target.empty() && entry.target.size() <= 4 &&
          entry.target.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
      if (hex) {
        const std::string digits = group.substr(group.size() - 4);
        kept_groups_.insert(static_cast<std::uint16_t>(std::stoul(digits, nullptr, 16)));
        Other(entry.line, "line " + std::to_string(entry.line) + ": keep group " + digits,
              "{tag: " + Quoted(digits + ",xxxx") + ", action: keep}");
      } else if (entry.target.starts_with("safe")) {
        SafePrivate(entry);
      } else {
        script_.unknown.push_back(entry);
      }
    }
  }

  void SafePrivate(const CtpEntry& entry) {
    const std::string text = "kept are those of PS3.15 table E.3.10-1; CTP has a list of its own";
    file_.Note(entry.line, "safe private elements", text);
    std::map<std::string, std::vector<std::string>> by_creator;
    for (const rules::SafePrivate& row : SafePrivateRows()) {
      char tag[16];
      std::snprintf(tag, sizeof tag, "(%04X,xx%02X)", static_cast<unsigned>(row.group),
                    static_cast<unsigned>(row.element));
      by_creator[std::string(row.creator)].push_back(tag);
    }
    std::vector<std::string> comments{
        "line " + std::to_string(entry.line) + ": keep safe private elements", "differs: " + text};
    for (const auto& [creator, tags] : by_creator) {
      std::string rule = "- {private: [";
      for (const std::string& tag : tags) {
        if (rule.back() != '[') rule += ", ";
        rule += "{creator: " + Quoted(creator) + ", tag: " + Quoted(tag) + "}";
      }
      file_.rules.push_back(
          {entry.line, std::exchange(comments, {}), rule + "], action: keep}", {}, {}});
    }
  }

  void Unknown() {
    for (const CtpEntry& entry : script_.unknown) {
      if (!entry.enabled) continue;
      const std::string what = Plain(entry.target, 40);
      file_.Replaced(entry.line, what, "is no part of the language; it is left out");
      file_.Lint("line " + std::to_string(entry.line) + ": " + what +
                 " is no part of the language; it was left out");
    }
  }

  // What unspecifiedelements spares.
  void AlwaysKept() {
    std::string tags = "\"0028,xxxx\", \"7FE0,xxxx\"";
    for (const std::string_view keyword : {"SOPClassUID", "SOPInstanceUID", "StudyInstanceUID"}) {
      if (!ruled_.contains(FindKeyword(keyword)->tag.number())) tags += ", " + std::string(keyword);
    }
    if (!overlays_) tags += ", \"60xx,xxxx\"";
    if (!curves_) tags += ", \"50xx,xxxx\"";
    Other(unspecified_line_,
          "line " + std::to_string(unspecified_line_) +
              ": unspecifiedelements: what has no rule goes, in items too, but for what CTP always "
              "keeps",
          "{tag: [" + tags + "], action: keep}");
  }

  // ---- Findings ----------------------------------------------------------------------------

  void FindLint() {
    if (!unspecified_) {
      file_.Lint("unspecifiedelements is off: every element without a rule passes unchanged");
    }
    if (!private_groups_ && !unspecified_) {
      file_.Lint("privategroups is off: private elements without a rule pass unchanged");
    }
    if (!overlays_) file_.Lint("overlays is off: bitmaps and texts of overlays pass unchanged");
    if (curves_ && !unspecified_) {
      file_.Lint("curves alone does nothing in CTP; here they are removed");
    }
    if (!unopened_.empty()) {
      file_.Lint(
          "sequences that are kept without @process pass with all their items in CTP: line " +
          List(unopened_));
    }
    if (!descriptors_.empty()) {
      file_.Lint(
          "free text that is kept as it was typed; the action clean takes out what identifies: " +
          List(descriptors_));
    }
    if (hashes_ > 0) {
      file_.Lint(
          std::to_string(hashes_) +
          (options_.compatible_hashes
               ? " rules hash without a key: whoever guesses a value can test the guess"
               : " rules hash without a key, so that guesses can be tested; here they are keyed"));
    }
    OddSwitches();
    if (disabled_ > 0)
      file_.Lint(std::to_string(disabled_) + " rules that are switched off were left out");
    std::vector<std::string> exposed;
    for (const ProfileRow& row : BasicRows()) {
      if (!row.odd_groups && !row.keyword.empty() && Passes(row)) exposed.emplace_back(row.keyword);
    }
    if (!exposed.empty()) {
      file_.Lint(std::to_string(exposed.size()) + " attributes that the basic profile of " +
                 std::string(ProfileEdition()) +
                 " protects have no rule and pass: " + List(exposed));
    }
  }

  void OddSwitches() {
    for (const auto* entries : {&script_.rules, &script_.keeps, &script_.removes}) {
      for (const CtpEntry& entry : *entries) {
        if (entry.odd_switch.empty()) continue;
        file_.Lint(AtLine(entry.line, Plain(entry.target, 40) + " is switched off by en=" +
                                          Quoted(Plain(entry.odd_switch, 20)) +
                                          "; CTP takes only T for on"));
      }
    }
  }

  // Whether an attribute of the profile leaves the script as it is for want of a rule.
  [[nodiscard]] bool Passes(const ProfileRow& row) const {
    const auto group = static_cast<std::uint16_t>(row.value >> 16U);
    if ((group & 0xFF00U) == 0x6000) return !overlays_;
    if ((group & 0xFF00U) == 0x5000) return !curves_;
    if (ruled_.contains(row.value)) return false;
    if (EngineDecides(Tag(group, static_cast<std::uint16_t>(row.value & 0xFFFFU)))) return false;
    if (!unspecified_) return true;
    return kept_groups_.contains(group) || group == 0x0028 || group == 0x7FE0 ||
           row.keyword == "SOPInstanceUID" || row.keyword == "StudyInstanceUID";
  }

  CtpScript script_;
  RuleFile file_;
  const ImportOptions& options_;

  bool private_groups_ = false;
  bool unspecified_ = false;
  bool overlays_ = false;
  bool curves_ = false;
  int private_line_ = 0;
  int unspecified_line_ = 0;
  std::set<std::uint32_t> ruled_;
  std::set<std::uint16_t> kept_groups_;
  std::vector<std::string> unopened_;
  std::vector<std::string> descriptors_;
  int hashes_ = 0;
  int disabled_ = 0;
};

}  // namespace

Imported ImportCtp(const std::string& text, const std::string& name, const ImportOptions& options) {
  switch (KindOfCtpScript(text)) {
    case CtpScriptKind::kFilter:
      return ImportCtpFilter(text, name);
    case CtpScriptKind::kPixels:
      return ImportCtpPixels(text, name);
    case CtpScriptKind::kRules:
      break;
  }
  std::variant<CtpScript, CtpScriptError> script = ReadCtpScript(text);
  if (const auto* error = std::get_if<CtpScriptError>(&script)) {
    throw Refusal(name, error->line, error->message,
                  "import ctp reads scripts of the DicomAnonymizer, XML or properties, of the "
                  "DicomFilter and of the DicomPixelAnonymizer");
  }
  return CtpImporter(std::move(std::get<CtpScript>(script)), name, options).Run();
}

}  // namespace dcmveil::rules
