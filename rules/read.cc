// SPDX-License-Identifier: Apache-2.0
#include "rules/read.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/condition.h"
#include "rules/escrow.h"
#include "rules/language.h"

namespace dcmveil::rules {
namespace {

using engine::ActionSpec;

constexpr std::size_t kSelectorsInSummary = 4;

class Reader {
 public:
  Reader(const Actions& actions, Diagnostics& diagnostics)
      : actions_(actions), diagnostics_(diagnostics) {}

  ReadFile Run(const Node& root) {
    out_.book.place = {root.place.file, 0, 0};
    if (!root.is_map()) {
      diagnostics_.Error(root.place, "not a rule file: it must be a mapping",
                         "it begins with dcmveil: 1");
      return std::move(out_);
    }
    CheckKeys(root, NamesOf(kTopLevelWords), "top-level", diagnostics_);
    Version(root);
    if (const Node* node = root.Find("name")) {
      out_.book.name = ReadText(*node, "name", diagnostics_).value_or("");
    }
    if (const Node* node = root.Find("profile")) Profile(*node);
    if (const Node* node = root.Find("options")) ReadOptions(*node);
    if (const Node* node = root.Find("key")) ReadKey(*node);
    if (const Node* node = root.Find("escrow")) {
      out_.book.escrow = ReadEscrow(*node, diagnostics_);
    }
    if (const Node* node = root.Find("settings")) Settings(*node);
    if (const Node* node = root.Find("rules")) {
      Rules(*node);
    } else if (!out_.extends && !out_.book.profile_request) {
      diagnostics_.Error(out_.book.place, "rules is missing", "rules: is a list of rules");
    }
    if (const Node* node = root.Find("reject")) Rejects(*node);
    if (const Node* node = root.Find("guard")) Guard(*node);
    if (const Node* node = root.Find("otherwise")) Otherwise(*node);
    return std::move(out_);
  }

 private:
  void Version(const Node& root) {
    const Node* node = root.Find("dcmveil");
    if (node == nullptr) {
      diagnostics_.Error(out_.book.place, "dcmveil: 1 is missing",
                         "a rule file states the version of its language");
      return;
    }
    const std::optional<std::string> text = ReadText(*node, "dcmveil", diagnostics_);
    if (text && *text != kLanguageVersion) {
      diagnostics_.Error(node->place, "dcmveil: " + *text + ": an unknown version of the language",
                         "this program knows version 1");
    }
  }

  void Profile(const Node& node) {
    const std::optional<std::string> text = ReadText(node, "profile", diagnostics_);
    if (!text || *text == "none") return;
    if (*text == "basic" || *text == "basic+") {
      out_.book.profile_request.emplace();
      out_.book.profile_request->plus = *text == "basic+";
      out_.book.profile_request->place = node.place;
      return;
    }
    out_.extends = *text;
    out_.extends_place = node.place;
  }

  void ReadOptions(const Node& node) {
    if (!node.is_list()) {
      diagnostics_.Error(node.place, "options: must be a list", "options: [clean-descriptors]");
      return;
    }
    ReadFile::Options options{{}, node.place};
    std::vector<std::string_view> names;
    for (const OptionInfo& info : Options()) names.push_back(info.name);
    for (const Node& item : node.items) {
      const std::optional<std::string> text = ReadText(item, "options", diagnostics_);
      if (!text) continue;
      const std::optional<Option> option = OptionFromName(*text);
      if (!option) {
        diagnostics_.Error(item.place, *text + ": no such option",
                           DidYouMean(NearestWord(*text, names).value_or("")));
        continue;
      }
      const bool twice =
          std::any_of(options.list.begin(), options.list.end(),
                      [option](const auto& earlier) { return earlier.first == *option; });
      if (twice) {
        diagnostics_.Error(item.place, *text + ": listed twice");
        continue;
      }
      options.list.emplace_back(*option, item.place);
    }
    out_.options = std::move(options);
  }

  void ReadKey(const Node& node) {
    if (!node.is_map()) {
      // Its text may well be the key: it must not be repeated.
      diagnostics_.Error(node.place, "key: must say where the key is, never the key itself",
                         "write {file: project.key} or {env: NAME}");
      return;
    }
    if (const Node* value = node.Find("value")) {
      diagnostics_.Error(value->place, "key: must say where the key is, never the key itself",
                         "write {file: project.key} or {env: NAME}");
      return;
    }
    const int errors = diagnostics_.errors();
    CheckKeys(node, NamesOf(kKeyWords), "key", diagnostics_);
    const Node* file = node.Find("file");
    const Node* variable = node.Find("env");
    if (diagnostics_.errors() > errors) return;
    if ((file == nullptr) == (variable == nullptr)) {
      diagnostics_.Error(node.place, "key: needs either file or env");
      return;
    }
    const std::optional<std::string> text = ReadText(
        file != nullptr ? *file : *variable, file != nullptr ? "file" : "env", diagnostics_);
    if (!text) return;
    if (text->empty()) {
      diagnostics_.Error(node.place, "key: needs either file or env");
      return;
    }
    KeySource source;
    if (file != nullptr) {
      source.file = node.place.file->folder / *text;
    } else {
      source.variable = *text;
    }
    source.place = (file != nullptr ? file : variable)->place;
    out_.book.key = std::move(source);
  }

  void Settings(const Node& node) {
    if (!node.is_map()) {
      diagnostics_.Error(node.place, "settings: must be a mapping of actions to parameters");
      return;
    }
    for (const auto& [key, value] : node.entries) {
      if (key.text == "mark") {
        out_.book.mark = ReadBoolean(value, "mark", diagnostics_);
        continue;
      }
      if (key.text == "strict-table") {
        out_.book.strict_table = ReadBoolean(value, "strict-table", diagnostics_);
        continue;
      }
      if (key.text == "device-dates") {
        const std::optional<std::string> text = ReadText(value, "device-dates", diagnostics_);
        if (text && *text != "keep" && *text != "modify") {
          diagnostics_.Error(value.place, "device-dates: must be keep or modify");
        }
        out_.book.keep_device_dates = text == "keep";
        continue;
      }
      const ActionSpec* spec = actions_.Find(key.text);
      if (spec == nullptr) {
        std::vector<std::string_view> names = NamesOf(kSettingWords);
        const std::vector<std::string_view> actions = actions_.names();
        names.insert(names.end(), actions.begin(), actions.end());
        diagnostics_.Error(key.place, key.text + ": no such setting or action",
                           DidYouMean(NearestWord(key.text, names).value_or("")));
        continue;
      }
      if (out_.book.settings.contains(spec)) {
        diagnostics_.Error(key.place,
                           key.text + ": " + std::string(spec->name) + " has its settings already");
        continue;
      }
      out_.book.settings.emplace(spec, ReadParams(*spec, value, diagnostics_));
    }
  }

  const ActionSpec* FindSpec(const Node& name) {
    const ActionSpec* spec = actions_.Find(name.text);
    if (spec == nullptr) {
      const std::vector<std::string_view> names = actions_.names();
      diagnostics_.Error(name.place, name.text + ": no such action",
                         DidYouMean(NearestWord(name.text, names).value_or("")));
    }
    return spec;
  }

  void Rules(const Node& node) {
    if (!node.is_list()) {
      diagnostics_.Error(node.place, "rules: must be a list",
                         "each rule begins with '- ' and has a selector and an action");
      return;
    }
    for (const Node& item : node.items) {
      if (!item.is_map()) {
        diagnostics_.Error(item.place, "a rule must be a mapping",
                           "- {tag: PatientName, action: redact}");
        continue;
      }
      Rule(item);
    }
  }

  void Rule(const Node& node) {
    RuleDraft draft;
    draft.place = node.place;
    CheckKeys(node, NamesOf(kSelectorWords, kRuleWords), "rule", diagnostics_);
    for (const std::string_view key : {"name", "note"}) {
      if (const Node* text = node.Find(key)) (void)ReadText(*text, key, diagnostics_);
    }
    std::string_view selector_key;
    int selectors = 0;
    for (const std::string_view key : NamesOf(kSelectorWords)) {
      const Node* value = node.Find(key);
      if (value == nullptr) continue;
      if (++selectors == 1) {
        selector_key = key;
        draft.selectors = ReadSelectors(key, *value, diagnostics_);
      }
    }
    if (selectors != 1) {
      diagnostics_.Error(
          node.place,
          selectors == 0 ? "the rule has no selector" : "the rule has more than one selector",
          "a rule has exactly one of tag, vr, private, path and group");
    }
    draft.selector_text = Summarise(draft.selectors);
    if (const Node* when = node.Find("when")) draft.when = ReadCondition(*when, diagnostics_);

    const Node* action = node.Find("action");
    if (action == nullptr) {
      diagnostics_.Error(node.place, "the rule has no action");
    } else if (ReadText(*action, "action", diagnostics_)) {
      draft.action_place = action->place;
      draft.spec = FindSpec(*action);
    }
    if (draft.spec == nullptr) return;
    if (const Node* with = node.Find("with")) {
      draft.with = ReadParams(*draft.spec, *with, diagnostics_);
    }
    if (draft.spec->effect == engine::Effect::kAdd && selectors == 1 && selector_key != "tag") {
      diagnostics_.Error(node.place, "add needs one standard attribute, no sequence",
                         "write tag: with a keyword");
      return;
    }
    out_.book.rules.push_back(std::move(draft));
  }

  void Rejects(const Node& node) {
    if (!node.is_list()) {
      diagnostics_.Error(node.place, "reject: must be a list",
                         "- {when: {Modality: SR}, because: no reports}");
      return;
    }
    out_.book.rejects.emplace();
    for (const Node& item : node.items) {
      if (!item.is_map()) {
        diagnostics_.Error(item.place, "a reject entry must be a mapping",
                           "{when: {Modality: SR}, because: no reports}");
        continue;
      }
      CheckKeys(item, NamesOf(kRejectWords), "reject", diagnostics_);
      RejectDraft reject;
      reject.place = item.place;
      const Node* because = item.Find("because");
      if (because == nullptr) {
        diagnostics_.Error(item.place, "reject: because is missing",
                           "the manifest says why an instance was not exported");
      } else {
        reject.because = ReadText(*because, "because", diagnostics_).value_or("");
      }
      const Node* when = item.Find("when");
      if (when == nullptr) {
        diagnostics_.Error(item.place, "reject: when is missing",
                           "without a condition nothing at all would be exported");
        continue;
      }
      if (auto condition = ReadCondition(*when, diagnostics_)) reject.when = std::move(*condition);
      out_.book.rejects->push_back(std::move(reject));
    }
  }

  void Guard(const Node& node) {
    constexpr std::string_view kHint =
        "guard: off, or guard: {except: [{tag: StudyDescription, because: …}]}, or text: instead "
        "of "
        "tag:";
    GuardDraft guard;
    guard.place = node.place;
    if (node.is_text() && (node.text == "off" || node.text == "on")) {
      guard.on = node.text == "on";
      out_.book.guard = std::move(guard);
      return;
    }
    if (!node.is_map()) {
      diagnostics_.Error(node.place, "guard: must be on, off or a mapping", std::string(kHint));
      return;
    }
    CheckKeys(node, NamesOf(kGuardWords), "guard", diagnostics_);
    const Node* except = node.Find("except");
    if (except == nullptr || !except->is_list()) {
      diagnostics_.Error(node.place, "guard: except must be a list", std::string(kHint));
      return;
    }
    for (const Node& item : except->items) {
      if (!item.is_map()) {
        diagnostics_.Error(item.place, "an exception must be a mapping", std::string(kHint));
        continue;
      }
      CheckKeys(item, NamesOf(kExceptWords), "except", diagnostics_);
      ReadGuardException(item, guard);
    }
    out_.book.guard = std::move(guard);
  }

  void ReadGuardException(const Node& item, GuardDraft& guard) {
    const Node* tag = item.Find("tag");
    const Node* text = item.Find("text");
    const Node* because = item.Find("because");
    std::string reason;
    if (because != nullptr) reason = ReadText(*because, "because", diagnostics_).value_or("");
    if (reason.empty()) {
      diagnostics_.Error(item.place, "except: because is missing",
                         "who reviews the rules must know why identifiers may stand there");
    }
    if ((tag == nullptr) == (text == nullptr)) {
      diagnostics_.Error(item.place, "except: needs tag: or text:, one of them",
                         "tag: an element that is not looked into; text: a word that is no "
                         "identifier wherever it stands");
      return;
    }
    const auto add = [&](const Place& place,
                         const std::string& written) -> engine::GuardException& {
      GuardExceptionDraft& draft = guard.exceptions.emplace_back();
      draft.place = place;
      draft.text = written;
      draft.exception.because = reason;
      return draft.exception;
    };
    if (tag != nullptr) {
      for (const SelectorDraft& selector : ReadSelectors("tag", *tag, diagnostics_)) {
        add(selector.place, selector.text).tag = selector.selector.path.back();
      }
      return;
    }
    const std::vector<Node> one{*text};
    for (const Node& entry : text->is_list() ? text->items : one) {
      const std::optional<std::string> value = ReadText(entry, "text", diagnostics_);
      if (!value) continue;
      if (value->find_first_not_of(" \t\r\n") == std::string::npos) {
        diagnostics_.Error(entry.place, "text: is empty");
        continue;
      }
      add(entry.place, *value).text = *value;
    }
  }

  void Otherwise(const Node& node) {
    const std::optional<std::string> text = ReadText(node, "otherwise", diagnostics_);
    if (!text) return;
    if (*text != "keep" && *text != "remove") {
      diagnostics_.Error(node.place, "otherwise: must be keep or remove");
      return;
    }
    out_.book.otherwise_keep = *text == "keep";
    out_.book.otherwise_place = node.place;
  }

  const Actions& actions_;
  Diagnostics& diagnostics_;
  ReadFile out_;
};

}  // namespace

ReadFile ReadRuleFile(const Node& root, const Actions& actions, Diagnostics& diagnostics) {
  return Reader(actions, diagnostics).Run(root);
}

std::string Summarise(const std::vector<SelectorDraft>& selectors) {
  std::string text;
  for (std::size_t i = 0; i < selectors.size() && i < kSelectorsInSummary; ++i) {
    if (!text.empty()) text += ", ";
    text += selectors[i].text;
  }
  if (selectors.size() > kSelectorsInSummary) {
    text += " and " + std::to_string(selectors.size() - kSelectorsInSummary) + " more";
  }
  return text;
}

}  // namespace dcmveil::rules
