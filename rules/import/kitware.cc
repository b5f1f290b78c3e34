// SPDX-License-Identifier: Apache-2.0
#include "rules/import/kitware.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "rules/import/json_file.h"
#include "rules/profile_tables.h"

namespace dcmveil::rules {
namespace {

constexpr const char* kHint =
    "import kitware reads a JSON dictionary: {\"(0x0010, 0x0010)\": \"empty\"}";

/// A word of the dictionary and what it becomes.
struct Word {
  std::string_view word;
  std::string_view action;
};
// For UIDs and sequences of references to instances.
constexpr std::string_view kOfReferences = "delete_or_empty_or_replace_UID";
// Of a choice that depends on the element's type the one that leaves a legal instance.
constexpr std::array<Word, 10> kWords{{{"keep", "keep"},
                                       {"delete", "remove"},
                                       {"empty", "redact"},
                                       {"replace", "dummy"},
                                       {"replace_UID", "refresh-uid"},
                                       {"empty_or_replace", "dummy"},
                                       {"delete_or_empty", "redact"},
                                       {"delete_or_replace", "dummy"},
                                       {"delete_or_empty_or_replace", "dummy"},
                                       {kOfReferences, "refresh-uid"}}};

/// "(0x0010, 0x0010)", or with a mask "(0x5000, 0x0000, 0xFF00, 0x0000)".
struct Tuple {
  NamedTag tag;
  bool wider = false;  ///< than the mask says, which may end within a digit
};

std::optional<Tuple> ReadTuple(std::string_view text) {
  std::vector<std::uint32_t> numbers;
  if (!text.starts_with('(') || !text.ends_with(')')) return std::nullopt;
  text = text.substr(1, text.size() - 2);
  while (true) {
    const std::size_t comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (!part.starts_with("0x") && !part.starts_with("0X")) return std::nullopt;
    part.remove_prefix(2);
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number, 16);
    if (error != std::errc() || end != part.data() + part.size() || number > 0xFFFF) {
      return std::nullopt;
    }
    numbers.push_back(number);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  if (numbers.size() != 2 && numbers.size() != 4) return std::nullopt;
  const std::uint32_t tag = (numbers[0] << 16U) | numbers[1];
  const std::uint32_t mask = numbers.size() == 2 ? 0xFFFFFFFFU : (numbers[2] << 16U) | numbers[3];
  std::string digits;
  bool wider = false;
  for (unsigned shift = 32; shift > 0;) {
    shift -= 4;
    const std::uint32_t bits = (mask >> shift) & 0xFU;
    // A mask of ours has whole digits only.
    if (bits != 0 && bits != 0xFU) wider = true;
    digits += bits != 0xFU ? 'x' : "0123456789ABCDEF"[(tag >> shift) & 0xFU];
  }
  std::optional<NamedTag> named = ReadNamedTag(digits);
  if (!named) return std::nullopt;
  return Tuple{std::move(*named), wider};
}

class KitwareImporter {
 public:
  KitwareImporter(const Node& root, std::string name)
      : root_(root), file_("kitware", std::move(name)) {}

  Imported Run() {
    file_.profile = "basic";
    file_.head.emplace_back(
        "Behind these rules stand those of the basic profile of " + std::string(ProfileEdition()) +
        ". They decide items of sequences too, which that tool leaves alone; new UIDs come from "
        "the key.");
    for (const auto& [key, value] : root_.entries) Rule(key, value);
    return file_.Finish();
  }

 private:
  void Rule(const Node& key, const Node& value) {
    const int line = key.place.line;
    // All keys have been read once.
    const Tuple tuple = *ReadTuple(key.text);
    const NamedTag* const tag = &tuple.tag;
    std::vector<std::string> comments;
    std::string action = value.is_map() ? Parametric(value) : Simple(value.text);
    if (action.empty()) {
      const std::string text = "no action that is known; remove stands in its place";
      comments.push_back("REPLACED: " + text);
      file_.Replaced(line, tag->path, text);
      action = "action: remove";
    }
    if (tuple.wider) {
      const bool keep = action == "action: keep";
      const std::string text = keep ? "the mask cannot be said; it is left to the profile"
                                    : "the mask cannot be said; a wider one stands in its place";
      file_.Replaced(line, tag->path, text);
      if (keep) return file_.Lint("line " + std::to_string(line) + ": " + tag->path + ": " + text);
      comments.push_back("REPLACED: " + text);
    }
    std::string selector = tag->selector;
    if (tag->attribute != nullptr && tag->attribute->vrs == VrSet(Vr::SQ) &&
        value.text == kOfReferences) {
      // The UIDs inside are for the profile.
      action = "action: keep";
    } else if (action == "action: keep" && tag->attribute != nullptr &&
               tag->attribute->vrs != VrSet(Vr::UI)) {
      // UIDs are kept wherever they refer to the same thing; in items the profile decides.
      selector = "path: " + Quoted("/" + tag->path);
    }
    const Node* const word = value.is_map() ? value.Find("action") : &value;
    comments.insert(comments.begin(), "line " + std::to_string(line) + ": " +
                                          (word == nullptr ? "" : Plain(word->text, 60)));
    if (tag->tag && tag->tag->is_private() && action == "action: keep") {
      file_.Lint("line " + std::to_string(line) + ": " + tag->path +
                 " is private: name its creator, for the number alone may mean something else");
    }
    file_.rules.push_back({line, std::move(comments), "- {" + selector + ", " + action + "}",
                           "- {" + tag->selector + ", action: remove}", tag->path});
  }

  static std::string Simple(const std::string& word) {
    const auto* const it = std::find_if(kWords.begin(), kWords.end(),
                                        [&](const Word& one) { return one.word == word; });
    return it == kWords.end() ? std::string() : "action: " + std::string(it->action);
  }

  static std::string Parametric(const Node& value) {
    const Node* const action = value.Find("action");
    if (action == nullptr) return {};
    const auto text = [&](std::string_view key) -> std::optional<std::string> {
      const Node* const node = value.Find(key);
      if (node == nullptr || !node->is_text()) return std::nullopt;
      return node->text;
    };
    if (action->text == "regexp") {
      const std::optional<std::string> find = text("find");
      const std::optional<std::string> replace = text("replace");
      if (!find || !replace) return {};
      return "action: edit, with: {find: " + Quoted(*find) + ", replace: " + Quoted(*replace) + "}";
    }
    if (action->text == "replace_with_value") {
      const std::optional<std::string> fixed = text("value");
      if (!fixed) return {};
      return fixed->empty() ? "action: redact"
                            : "action: replace, with: {value: " + Quoted(*fixed) + "}";
    }
    return Simple(action->text);
  }

  const Node& root_;
  RuleFile file_;
};

}  // namespace

Imported ImportKitware(const std::string& text, const std::string& name) {
  const SourceFile source{name, {}, text};
  const Node root = ReadJsonObject(source, kHint);
  std::vector<Diagnostic> errors;
  for (const auto& [key, value] : root.entries) {
    if (ReadTuple(key.text)) continue;
    errors.push_back({.severity = Diagnostic::Severity::kError,
                      .file = name,
                      .line = key.place.line,
                      .column = key.place.column,
                      .message = Plain(key.text) + ": no tag",
                      .hint = kHint});
  }
  if (root.entries.empty()) {
    errors.push_back({.severity = Diagnostic::Severity::kError,
                      .file = name,
                      .line = 0,
                      .column = 0,
                      .message = "no tag is in it",
                      .hint = kHint});
  }
  if (!errors.empty()) throw RuleError(std::move(errors));
  return KitwareImporter(root, name).Run();
}

}  // namespace dcmveil::rules
