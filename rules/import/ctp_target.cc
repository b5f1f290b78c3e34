// SPDX-License-Identifier: Apache-2.0
#include "rules/import/ctp_target.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "rules/import/rule_file.h"

namespace dcmveil::rules {
namespace {

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

std::string Capitals(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

std::optional<CtpTarget> PrivateTarget(std::string_view text) {
  const std::size_t open = text.find('[');
  const std::size_t close = text.rfind(']');
  if (open != 4 || close == std::string_view::npos || close < open + 2) return std::nullopt;
  const std::string group = Capitals(text.substr(0, 4));
  const std::string_view creator = text.substr(5, close - 5);
  const std::string low = Capitals(text.substr(close + 1));
  if (!IsHex(group) || low.size() != 2 || !IsHex(low)) return std::nullopt;
  CtpTarget target;
  target.creator = creator;
  target.path = group + "{" + std::string(creator) + "}" + low;
  target.selector =
      "private: {creator: " + Quoted(creator) + ", tag: \"(" + group + ",xx" + low + ")\"}";
  return target;
}

}  // namespace

std::optional<CtpTarget> ReadCtpTarget(std::string_view text) {
  if (text.find('[') != std::string_view::npos) return PrivateTarget(text);
  CtpTarget target;
  if (text.size() == 8 && IsHex(text)) {
    std::uint32_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number, 16);
    target.tag = Tag(static_cast<std::uint16_t>(number >> 16U),
                     static_cast<std::uint16_t>(number & 0xFFFFU));
    target.attribute = FindAttribute(*target.tag);
    // A repeating group's keyword would mean all of its groups.
    if (target.attribute != nullptr && target.attribute->mask != 0xFFFFFFFFU) {
      target.path = "(" + Capitals(text.substr(0, 4)) + "," + Capitals(text.substr(4)) + ")";
      target.selector = "tag: " + Quoted(target.path);
      return target;
    }
  } else {
    target.attribute = FindKeyword(text);
    if (target.attribute == nullptr) return std::nullopt;
    target.tag = target.attribute->tag;
  }
  if (target.attribute != nullptr) {
    target.path = std::string(target.attribute->keyword);
    target.selector = "tag: " + target.path;
  } else {
    target.path = "(" + Capitals(text.substr(0, 4)) + "," + Capitals(text.substr(4)) + ")";
    target.selector = "tag: " + Quoted(target.path);
  }
  return target;
}

std::optional<CtpTarget> ReadCtpElement(std::string_view text) {
  std::string plain;
  const bool round = text.starts_with('(') && text.ends_with(')');
  const bool square = text.starts_with('[') && text.ends_with(']');
  if (text.size() > 1 && (round || square)) text = text.substr(1, text.size() - 2);
  if (text.size() == 9 && text[4] == ',') {
    plain = std::string(text.substr(0, 4)) + std::string(text.substr(5));
    text = plain;
  }
  return ReadCtpTarget(text);
}

std::optional<std::string> ReadCtpPath(std::string_view text) {
  std::string path;
  while (true) {
    const std::size_t end = text.find("::");
    const std::optional<CtpTarget> step = ReadCtpElement(text.substr(0, end));
    if (!step) return std::nullopt;
    path += (path.empty() ? "" : "/") + step->path;
    if (end == std::string_view::npos) return path;
    text.remove_prefix(end + 2);
  }
}

}  // namespace dcmveil::rules
