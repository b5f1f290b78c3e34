// SPDX-License-Identifier: Apache-2.0
#include "rules/yaml.h"

#include <yaml-cpp/anchor.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/emitterstyle.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <sstream>
#include <utility>

#include "engine/dictionary.h"

namespace dcmveil::rules {
namespace {

// Far more than any rule file has; an alias that stands for many aliases ends here. A long text
// counts for several nodes.
constexpr std::size_t kMaxNodes = 1'000'000;
constexpr std::size_t kTextOfOneNode = 32;

Place PlaceOf(const SourceFile& file, const YAML::Mark& mark) {
  if (mark.is_null()) return {&file, 0, 0};
  return {&file, mark.line + 1, mark.column + 1};
}

std::size_t Count(const Node& node) {
  std::size_t count = 1 + node.text.size() / kTextOfOneNode;
  for (const Node& item : node.items) count += Count(item);
  for (const Node::Entry& entry : node.entries) count += Count(entry.key) + Count(entry.value);
  return count;
}

// Builds the tree from the parser's events: unlike YAML::Node, they tell keys apart, keep plain
// scalars as text and do not unfold aliases by themselves.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const SourceFile& file, Diagnostics& diagnostics)
      : file_(file), diagnostics_(diagnostics) {}

  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Put(New(Node::Kind::kNull, mark, {}), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto it = anchors_.find(anchor);
    if (it == anchors_.end()) {
      diagnostics_.Error(PlaceOf(file_, mark), "an alias cannot stand inside what it stands for");
      Put(New(Node::Kind::kNull, mark, {}), YAML::NullAnchor);
      return;
    }
    if (!Add(Count(it->second))) {
      throw YAML::ParserException(mark, "too large with all its aliases unfolded");
    }
    Put(it->second, YAML::NullAnchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node = New(Node::Kind::kText, mark, tag);
    if (!Add(value.size() / kTextOfOneNode)) throw TooLarge(mark);
    node.text = value;
    Put(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open_.push_back({New(Node::Kind::kList, mark, tag), anchor, {}, false});
  }
  void OnSequenceEnd() override { Close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open_.push_back({New(Node::Kind::kMap, mark, tag), anchor, {}, false});
  }
  void OnMapEnd() override { Close(); }

  [[nodiscard]] Place last() const { return last_; }

  Node root;

 private:
  struct Open {
    Node node;
    YAML::anchor_t anchor;
    Node key;
    bool has_key;
    std::map<std::string, int> lines = {};  ///< of the keys of a mapping
  };

  static YAML::ParserException TooLarge(const YAML::Mark& mark) {
    return {mark, "too large for a rule file"};
  }

  /// False beyond the limit.
  bool Add(std::size_t nodes) {
    if (nodes > kMaxNodes - nodes_) return false;
    nodes_ += nodes;
    return true;
  }

  Node New(Node::Kind kind, const YAML::Mark& mark, const std::string& tag) {
    if (!Add(1)) throw TooLarge(mark);
    Node node;
    node.kind = kind;
    node.place = PlaceOf(file_, mark);
    last_ = node.place;
    if (!tag.empty() && tag != "?" && tag != "!" && tag != "tag:yaml.org,2002:str" &&
        tag != "tag:yaml.org,2002:map" && tag != "tag:yaml.org,2002:seq") {
      diagnostics_.Error(node.place, "a rule file has no explicit types (a word after '!')",
                         "quote a text that starts with '!'");
    }
    return node;
  }

  void Close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    Put(std::move(done.node), done.anchor);
  }

  void Put(Node node, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) {
      // The copy counts too: anchors can stand in anchors.
      if (!Add(Count(node))) throw TooLarge({});
      anchors_[anchor] = node;
    }
    if (open_.empty()) {
      root = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.is_list()) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.has_key) {
      parent.key = std::move(node);
      parent.has_key = true;
    } else {
      parent.has_key = false;
      AddEntry(parent, std::move(parent.key), std::move(node));
    }
  }

  void AddEntry(Open& map, Node key, Node value) {
    if (!key.is_text()) {
      diagnostics_.Error(key.place, "a key must be a text");
      return;
    }
    const auto [first, is_new] = map.lines.try_emplace(key.text, key.place.line);
    if (!is_new) {
      diagnostics_.Error(
          key.place, key.text + ": given twice; first in line " + std::to_string(first->second));
      return;
    }
    map.node.entries.push_back({std::move(key), std::move(value)});
  }

  const SourceFile& file_;
  Diagnostics& diagnostics_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Node> anchors_;
  std::size_t nodes_ = 0;
  Place last_{&file_, 0, 0};
};

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

bool IsHexOrMask(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == 'x' ||
         c == 'X';
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

bool IsHalfATag(std::string_view text) {
  return text.size() == 4 && std::all_of(text.begin(), text.end(), IsHexOrMask);
}

const Node* Node::Find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key.text == key) return &entry.value;
  }
  return nullptr;
}

int FirstBadLine(std::string_view text) {
  int line = 1;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    std::size_t length = 0;
    if (lead < 0x80U)
      length = 1;
    else if (lead >= 0xC2U && lead < 0xE0U)
      length = 2;
    else if (lead >= 0xE0U && lead < 0xF0U)
      length = 3;
    else if (lead >= 0xF0U && lead < 0xF5U)
      length = 4;
    if (length == 0 || text.size() - i < length || lead == 0) return line;
    for (std::size_t j = 1; j < length; ++j) {
      if (!IsContinuation(text[i + j])) return line;
    }
    if (length > 2) {
      const auto second = static_cast<unsigned char>(text[i + 1]);
      const bool overlong = (lead == 0xE0U && second < 0xA0U) || (lead == 0xF0U && second < 0x90U);
      const bool no_character =
          (lead == 0xEDU && second >= 0xA0U) || (lead == 0xF4U && second >= 0x90U);
      if (overlong || no_character) return line;
    }
    if (lead == '\n') ++line;
    i += length;
  }
  return 0;
}

std::optional<Node> ParseYaml(const SourceFile& file, std::string_view text,
                              Diagnostics& diagnostics) {
  if (const int line = FirstBadLine(text); line > 0) {
    diagnostics.Error({&file, line, 0}, "not UTF-8 text");
    return std::nullopt;
  }
  const int errors_before = diagnostics.errors();
  TreeBuilder builder(file, diagnostics);
  try {
    // yaml-cpp takes a quote that nobody closes for closed if the file ends with a line break: all
    // rules behind it would be part of a text. A comment behind everything makes it say so.
    std::istringstream stream{std::string(text) + "\n#"};
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) {
      diagnostics.Error({&file, 0, 0}, "the file is empty");
      return std::nullopt;
    }
    TreeBuilder rest(file, diagnostics);
    if (parser.HandleNextDocument(rest)) {
      diagnostics.Error(rest.root.place,
                        "a rule file is one YAML document, and here a second starts");
    }
  } catch (const YAML::DeepRecursion&) {
    diagnostics.Error(builder.last(), "not YAML: nested too deeply for a rule file");
  } catch (const YAML::Exception& exception) {
    if (exception.msg == YAML::ErrorMsg::EOF_IN_SCALAR) {
      diagnostics.Error(builder.last(), "not YAML: a quote behind this place is never closed");
      return std::nullopt;
    }
    // What is missed at the end is missed by what was opened last.
    const auto lines = std::count(text.begin(), text.end(), '\n') + (text.ends_with('\n') ? 0 : 1);
    const bool at_end = exception.mark.line >= lines;
    diagnostics.Error(at_end ? builder.last() : PlaceOf(file, exception.mark),
                      "not YAML: " + exception.msg);
  }
  if (diagnostics.errors() > errors_before) return std::nullopt;
  return std::move(builder.root);
}

void CheckKeys(const Node& map, std::span<const std::string_view> known, std::string_view what,
               Diagnostics& diagnostics) {
  for (const auto& [key, value] : map.entries) {
    if (std::find(known.begin(), known.end(), key.text) != known.end()) continue;
    // {tag: (0010,0020), …} is read as tag: "(0010" and a key "0020)".
    if (value.is_null() && (key.text.ends_with(')') || IsHalfATag(key.text))) {
      diagnostics.Error(key.place, key.text + ": half a tag, cut at its comma",
                        "quote the tag: \"(0010,0020)\"");
      continue;
    }
    diagnostics.Error(key.place, key.text + ": no such " + std::string(what) + " entry",
                      DidYouMean(NearestWord(key.text, known).value_or("")));
  }
}

std::optional<std::string> ReadText(const Node& node, std::string_view what,
                                    Diagnostics& diagnostics) {
  if (node.is_text()) return node.text;
  if (node.is_null()) {
    diagnostics.Error(node.place, std::string(what) + ": has no value",
                      "write \"\" for an empty text and quote the word null");
  } else {
    diagnostics.Error(node.place, std::string(what) + ": must be one text, not a " +
                                      (node.is_list() ? "list" : "mapping"));
  }
  return std::nullopt;
}

std::optional<bool> ReadBoolean(const Node& node, std::string_view what, Diagnostics& diagnostics) {
  const std::optional<std::string> text = ReadText(node, what, diagnostics);
  if (!text) return std::nullopt;
  if (*text == "true") return true;
  if (*text == "false") return false;
  diagnostics.Error(node.place, std::string(what) + ": must be true or false",
                    "yes, no, on and off mean different things to different YAML readers");
  return std::nullopt;
}

std::span<const Node> OneOrMany(const Node& node) {
  return node.is_list() ? std::span<const Node>(node.items) : std::span<const Node>(&node, 1);
}

bool IsTagCutInTwo(std::string_view first, std::string_view second) {
  first = Trim(first);
  second = Trim(second);
  if (first.starts_with('(') && first.find(')') == std::string_view::npos &&
      second.ends_with(')')) {
    return true;
  }
  return IsHalfATag(first) && IsHalfATag(second);
}

std::optional<double> ParseNumber(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) {
    return std::nullopt;
  }
  return number;
}

}  // namespace dcmveil::rules
