// SPDX-License-Identifier: Apache-2.0
#include "rules/import/kitware.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/dictionary.h"
#include "rules/import/clause.h"
#include "rules/import/fitting.h"
#include "rules/import/json_file.h"
#include "rules/import/python_pattern.h"
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
  std::uint32_t number = 0;
  std::uint32_t mask = 0xFFFFFFFFU;
  bool masked = false;  ///< four numbers
  NamedTag tag;
  bool wider = false;  ///< than the mask says, which may end within a digit

  [[nodiscard]] bool IsSameKey(const Tuple& other) const {
    return number == other.number && mask == other.mask && masked == other.masked;
  }
  /// Whether one element can be of both.
  [[nodiscard]] bool Overlaps(const Tuple& other) const {
    const std::uint32_t both = mask & other.mask;
    return (number & both) == (other.number & both);
  }
  [[nodiscard]] bool Covers(const Tuple& other) const {
    return (mask & other.mask) == mask && (number & mask) == (other.number & mask);
  }
};

std::optional<std::uint32_t> ReadNumber(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  if (!text.starts_with("0x") && !text.starts_with("0X")) return std::nullopt;
  text.remove_prefix(2);
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && number <= 0xFFFF ? std::optional(number) : std::nullopt;
}

std::optional<Tuple> MakeTuple(std::uint32_t number, std::uint32_t mask, bool masked) {
  std::string digits;
  Tuple tuple{number, mask, masked, {}, false};
  for (unsigned shift = 32; shift > 0;) {
    shift -= 4;
    const std::uint32_t bits = (mask >> shift) & 0xFU;
    // A mask of ours has whole digits only.
    if (bits != 0 && bits != 0xFU) tuple.wider = true;
    digits += bits != 0xFU ? 'x' : "0123456789ABCDEF"[(number >> shift) & 0xFU];
  }
  std::optional<NamedTag> named = ReadNamedTag(digits);
  if (!named) return std::nullopt;
  tuple.tag = std::move(*named);
  return tuple;
}

std::optional<Tuple> ReadTuple(std::string_view text) {
  std::vector<std::uint32_t> numbers;
  if (!text.starts_with('(') || !text.ends_with(')')) return std::nullopt;
  text = text.substr(1, text.size() - 2);
  while (true) {
    const std::size_t comma = text.find(',');
    const std::optional<std::uint32_t> number = ReadNumber(text.substr(0, comma));
    if (!number) return std::nullopt;
    numbers.push_back(*number);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  if (numbers.size() != 2 && numbers.size() != 4) return std::nullopt;
  const bool masked = numbers.size() == 4;
  return MakeTuple((numbers[0] << 16U) | numbers[1],
                   masked ? (numbers[2] << 16U) | numbers[3] : 0xFFFFFFFFU, masked);
}

// The masks of that tool's own table; all of them delete. Its other keys are single elements.
constexpr std::array<std::pair<std::uint32_t, std::uint32_t>, 3> kOwnMasks{
    {{0x50000000U, 0xFF000000U}, {0x60003000U, 0xFF00FFFFU}, {0x60004000U, 0xFF00FFFFU}}};

/// How much an action leaves of a value, the most first. Which of two is carried out later makes no
/// difference: what the stricter one has taken is gone.
enum class Leaves { kAll, kEdited, kPseudonym, kNothing, kEmpty, kGone };

Leaves LeavesOf(std::string_view action) {
  if (action == "action: keep") return Leaves::kAll;
  if (action.starts_with("action: edit")) return Leaves::kEdited;
  if (action == "action: refresh-uid") return Leaves::kPseudonym;
  if (action == "action: redact") return Leaves::kEmpty;
  return action == "action: remove" ? Leaves::kGone : Leaves::kNothing;
}

/// An entry of the dictionary.
struct Item {
  int line = 0;
  std::string word;  ///< as written
  Tuple tuple;
  std::string action;  ///< of ours: "action: keep"
  std::vector<std::string> comments;

  [[nodiscard]] Leaves leaves() const { return LeavesOf(action); }
};

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
    for (const auto& [key, value] : root_.entries) Read(key, value);
    for (Item& item : single_) Single(item);
    Masks();
    return file_.Finish();
  }

 private:
  // The last entry of a key holds, where the first one stood.
  void Read(const Node& key, const Node& value) {
    const Node* const word = value.is_map() ? value.Find("action") : &value;
    // All keys have been read once.
    Item item{key.place.line, word == nullptr ? "" : word->text, *ReadTuple(key.text), {}, {}};
    item.action = value.is_map() ? Parametric(item, value) : Simple(value.text);
    if (item.action.empty()) Remove(item, "no action that is known; remove stands in its place");
    std::vector<Item>& items = item.tuple.masked ? masks_ : single_;
    const auto same = std::find_if(items.begin(), items.end(), [&](const Item& other) {
      return other.tuple.IsSameKey(item.tuple);
    });
    if (same == items.end()) {
      items.push_back(std::move(item));
      return;
    }
    file_.Lint(AtLine(same->line, item.tuple.tag.path + " is named again in line " +
                                      std::to_string(item.line) + ", and that one holds"));
    *same = std::move(item);
  }

  void Remove(Item& item, const std::string& why) {
    item.comments.push_back("REPLACED: " + why);
    file_.Replaced(item.line, item.tuple.tag.path, why);
    item.action = "action: remove";
  }

  // ---- Single elements ----------------------------------------------------------------------

  // That tool carries out every entry that matches, its own masks among them.
  void Single(Item& item) {
    const NamedTag& tag = item.tuple.tag;
    if (tag.attribute != nullptr && tag.attribute->vrs == VrSet(Vr::SQ) &&
        item.word == kOfReferences) {
      // What stands in the items is emptied there, the references as well.
      item.action = "action: redact";
    }
    for (const Item& mask : masks_) {
      if (mask.tuple.Overlaps(item.tuple)) Join(item, mask);
    }
    for (const auto& [number, mask] : kOwnMasks) {
      const Item own{0, {}, *MakeTuple(number, mask, true), "action: remove", {}};
      if (!IsOverridden(own.tuple) && own.tuple.Overlaps(item.tuple)) Join(item, own);
    }
    item.comments.insert(item.comments.begin(), AtLine(item.line, Plain(item.word, 60)));
    std::string selector = tag.selector;
    if (item.leaves() == Leaves::kAll) {
      if (tag.attribute != nullptr && tag.attribute->vrs != VrSet(Vr::UI)) {
        // UIDs are kept wherever they refer to the same thing; in items the profile decides.
        selector = "path: " + Quoted("/" + tag.path);
      }
      if (tag.tag && tag.tag->is_private()) {
        file_.Lint(AtLine(item.line, tag.path + " is private: name its creator, for the number "
                                                "alone may mean something else"));
      }
    }
    const std::string gone = "- {" + tag.selector + ", action: remove}";
    if (item.leaves() == Leaves::kEdited && MayHaveSeveral(tag)) {
      // Several values are edited there as one text, with quotes and commas.
      const std::string text = "several values are removed, not edited";
      file_.Note(item.line, tag.path, text);
      item.comments.push_back("differs: " + text);
      file_.rules.push_back({item.line, std::move(item.comments),
                             "- {" + tag.selector + ", when: {" +
                                 Joined(tag.path, R"(\\)").Entry() + "}, action: remove}",
                             gone, tag.path});
      item.comments.clear();
    }
    file_.rules.push_back({item.line, std::move(item.comments),
                           "- {" + selector + ", " + item.action + "}", gone, tag.path});
  }

  void Join(Item& item, const Item& mask) {
    if (mask.leaves() == Leaves::kAll) return;
    if (mask.leaves() > item.leaves() ||
        (mask.leaves() == item.leaves() && mask.line > item.line)) {
      item.action = mask.action;
    }
    const std::string which =
        mask.line == 0 ? "that tool's own table" : AtLine(mask.line, mask.word);
    item.comments.push_back(mask.tuple.tag.path + " of " + which + " is carried out here, too");
  }

  static bool MayHaveSeveral(const NamedTag& tag) {
    constexpr VrSet kOneText{Vr::LT, Vr::ST, Vr::UR, Vr::UT};
    return tag.attribute == nullptr || !(tag.attribute->vrs - kOneText).empty();
  }

  // ---- Masks --------------------------------------------------------------------------------

  [[nodiscard]] bool IsOverridden(const Tuple& own) const {
    return std::any_of(masks_.begin(), masks_.end(),
                       [&](const Item& mask) { return mask.tuple.IsSameKey(own); });
  }

  static bool IsOwn(const Tuple& tuple) {
    return std::any_of(kOwnMasks.begin(), kOwnMasks.end(), [&](const auto& own) {
      return own.first == tuple.number && own.second == tuple.mask;
    });
  }

  // Of two that meet the stricter one stands in front.
  void Masks() {
    std::stable_sort(masks_.begin(), masks_.end(), [](const Item& a, const Item& b) {
      return a.leaves() != b.leaves() ? a.leaves() > b.leaves() : a.line > b.line;
    });
    for (Item& mask : masks_) Mask(mask);
  }

  void Mask(Item& mask) {
    const std::string& path = mask.tuple.tag.path;
    if (mask.leaves() == Leaves::kAll && (!IsOwn(mask.tuple) || mask.tuple.wider)) {
      // `keep` does nothing; only where it stands for an entry of the table is that one gone.
      const std::string text =
          "a mask with keep takes back no other rule in that tool; it is left to them and to the "
          "profile";
      file_.Note(mask.line, path, text);
      return file_.Lint(AtLine(mask.line, path + ": " + text));
    }
    if (mask.tuple.wider) {
      const std::string text = "the mask cannot be said; a wider one stands in its place";
      file_.Replaced(mask.line, path, text);
      mask.comments.push_back("REPLACED: " + text);
    }
    mask.comments.insert(mask.comments.begin(), AtLine(mask.line, Plain(mask.word, 60)));
    const std::string selector = mask.tuple.tag.selector;
    const std::vector<std::string> gone = OwnDeletions(mask);
    if (!gone.empty()) {
      file_.rules.push_back({mask.line,
                             {"of " + path + " (line " + std::to_string(mask.line) +
                              ") that tool's own table deletes these"},
                             "- {tag: [" + List(gone) + "], action: remove}",
                             {},
                             path});
    }
    file_.rules.push_back({mask.line, std::move(mask.comments),
                           "- {" + selector + ", " + mask.action + "}",
                           "- {" + selector + ", action: remove}", path});
  }

  // Its own table comes first: what it deletes no mask brings back.
  std::vector<std::string> OwnDeletions(const Item& mask) {
    std::vector<std::string> tags;
    if (mask.leaves() == Leaves::kGone || mask.leaves() == Leaves::kAll) return tags;
    for (const ProfileRow& row : BasicRows()) {
      if (row.odd_groups || row.code.strongest() != ProfileCode::kX) continue;
      const std::optional<Tuple> tuple = MakeTuple(row.value, row.mask, true);
      if (!tuple || !tuple->Overlaps(mask.tuple) || IsDecided(*tuple)) continue;
      const Tag tag(static_cast<std::uint16_t>(row.value >> 16U),
                    static_cast<std::uint16_t>(row.value & 0xFFFFU));
      if (EngineDecides(tag)) continue;
      tags.push_back(row.keyword.empty() ? Quoted(tuple->tag.path) : std::string(row.keyword));
    }
    return tags;
  }

  // By a rule in front of it.
  bool IsDecided(const Tuple& row) {
    const auto covers = [&](const Item& item) { return item.tuple.Covers(row); };
    return std::any_of(single_.begin(), single_.end(), covers) ||
           std::any_of(
               masks_.begin(), masks_.end(),
               [&](const Item& mask) { return mask.leaves() == Leaves::kGone && covers(mask); }) ||
           !deleted_.insert({row.number, row.mask}).second;
  }

  // ---- Actions ------------------------------------------------------------------------------

  static std::string Simple(const std::string& word) {
    const auto* const it = std::find_if(kWords.begin(), kWords.end(),
                                        [&](const Word& one) { return one.word == word; });
    return it == kWords.end() ? std::string() : "action: " + std::string(it->action);
  }

  std::string Parametric(Item& item, const Node& value) {
    const auto text = [&](std::string_view key) -> std::optional<std::string> {
      const Node* const node = value.Find(key);
      if (node == nullptr || !node->is_text()) return std::nullopt;
      return node->text;
    };
    if (item.word == "regexp") {
      const std::optional<std::string> find = text("find");
      const std::optional<std::string> replace = text("replace");
      if (!find || !replace) return {};
      return Regexp(item, *find, *replace);
    }
    if (item.word == "replace_with_value") {
      const std::optional<std::string> fixed = text("value");
      if (!fixed) return {};
      return fixed->empty() ? "action: redact"
                            : "action: replace, with: {value: " + Quoted(*fixed) + "}";
    }
    // That tool stops at parameters of `keep`.
    return item.word == "keep" ? std::string() : Simple(item.word);
  }

  std::string Regexp(Item& item, const std::string& find, const std::string& replace) {
    const std::optional<std::string> pattern = PatternOfPython(find);
    const std::optional<std::string> text = ReplacementOfPython(replace);
    if (item.tuple.masked) {
      Remove(item, "its own rules come in front of what a mask edits; remove stands in its place");
    } else if (!pattern) {
      Remove(item,
             "RE2 does not know this regular expression, or reads it otherwise; remove stands in "
             "its place");
    } else if (!text) {
      Remove(item, "an escape in what is put there cannot be said; remove stands in its place");
    } else {
      return "action: edit, with: {find: " + Quoted(*pattern) + ", replace: " + Quoted(*text) + "}";
    }
    return item.action;
  }

  const Node& root_;
  RuleFile file_;
  std::vector<Item> single_;
  std::vector<Item> masks_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> deleted_;  ///< rows of the table
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
