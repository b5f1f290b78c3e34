// SPDX-License-Identifier: Apache-2.0
//
// YAML as this project reads it: every scalar is text. yaml-cpp on its own accepts duplicate keys,
// reads 0010 as octal 8 and `no` as false; nothing of that can happen behind this header, which is
// why no other file includes yaml-cpp.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/diagnostics.h"

namespace dcmveil::rules {

/// A node of a YAML document, with aliases replaced by what they stand for.
struct Node {
  enum class Kind { kNull, kText, kList, kMap };
  struct Entry;

  Kind kind = Kind::kNull;
  Place place;
  std::string text;            ///< kText: as written, without quotes
  std::vector<Node> items;     ///< kList
  std::vector<Entry> entries;  ///< kMap: in the order of the file, keys are text and unique

  [[nodiscard]] bool is_null() const { return kind == Kind::kNull; }
  [[nodiscard]] bool is_text() const { return kind == Kind::kText; }
  [[nodiscard]] bool is_list() const { return kind == Kind::kList; }
  [[nodiscard]] bool is_map() const { return kind == Kind::kMap; }
  /// The value of a key; null if this is no mapping or has no such key.
  [[nodiscard]] const Node* Find(std::string_view key) const;
};

struct Node::Entry {
  Node key;
  Node value;
};

/// The one document of a file. Nothing, and at least one error, if it is not YAML: not UTF-8, a
/// syntax error, a duplicate or compound key, a second document, an explicit type such as !!binary.
[[nodiscard]] std::optional<Node> ParseYaml(const SourceFile& file, std::string_view text,
                                            Diagnostics& diagnostics);

/// Reports every key of the mapping that is not in `known`; `what` is "rule", "key" and so on.
void CheckKeys(const Node& map, std::span<const std::string_view> known, std::string_view what,
               Diagnostics& diagnostics);

/// The text of a scalar; an error and nothing for null, lists and mappings.
[[nodiscard]] std::optional<std::string> ReadText(const Node& node, std::string_view what,
                                                  Diagnostics& diagnostics);

/// Exactly `true` or `false`; anything else is an error.
[[nodiscard]] std::optional<bool> ReadBoolean(const Node& node, std::string_view what,
                                              Diagnostics& diagnostics);

/// The items of a list, or the node itself if it is not a list.
[[nodiscard]] std::span<const Node> OneOrMany(const Node& node);

/// Four digits of a tag, as {tag: 0010,0020} leaves them.
[[nodiscard]] bool IsHalfATag(std::string_view text);

/// True where YAML has cut a tag in two: [(0010,0020)] and [0010,0020] without quotes are two
/// scalars. `first` and `second` are neighbours in a list.
[[nodiscard]] bool IsTagCutInTwo(std::string_view first, std::string_view second);

/// The line of the first byte that is not UTF-8 text, NUL among them, or 0. yaml-cpp would put
/// U+FFFD there in silence.
[[nodiscard]] int FirstBadLine(std::string_view text);

/// A number in decimal notation, the whole text; nothing for infinities and NaN.
[[nodiscard]] std::optional<double> ParseNumber(std::string_view text);

}  // namespace dcmveil::rules
