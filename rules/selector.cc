// SPDX-License-Identifier: Apache-2.0
#include "rules/selector.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace dcmveil::rules {
namespace {

using engine::Selector;
using engine::TagPattern;

constexpr std::uint32_t kPrivateMask = 0xFFFF00FF;
constexpr std::string_view kTagHint = "a tag has eight hexadecimal digits: (0010,0020)";

// What a text is when it is written in digits. Blanks may stand around the two halves, not in them.
struct Digits {
  std::uint32_t value = 0;
  std::uint32_t mask = 0;
};

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// All of the text: hexadecimal digits and 'x' for any.
std::optional<Digits> ParseDigits(std::string_view text, std::size_t count) {
  if (text.size() != count) return std::nullopt;
  Digits digits;
  for (const char c : text) {
    digits.value <<= 4U;
    digits.mask <<= 4U;
    if (c == 'x' || c == 'X') continue;
    const int value = HexValue(c);
    if (value < 0) return std::nullopt;
    digits.value |= static_cast<std::uint32_t>(value);
    digits.mask |= 0xFU;
  }
  return digits;
}

std::optional<Digits> ParseTagDigits(std::string_view text) {
  text = Trim(text);
  if (text.starts_with("0x") || text.starts_with("0X")) {
    if (text.size() == 10) return ParseDigits(text.substr(2), 8);
    // "0x100020" is a number that lost its zeros, not a mask with one open digit.
    if (text.find_first_of("xX,", 2) == std::string_view::npos) return std::nullopt;
  }
  const bool open = text.starts_with('(');
  const bool close = text.ends_with(')');
  if (open != close) return std::nullopt;
  if (open) text = Trim(text.substr(1, text.size() - 2));
  if (text.size() < 8) return std::nullopt;
  std::string_view rest = Trim(text.substr(4));
  if (rest.starts_with(',')) rest = Trim(rest.substr(1));
  const std::optional<Digits> group = ParseDigits(text.substr(0, 4), 4);
  const std::optional<Digits> element = ParseDigits(rest, 4);
  if (!group || !element) return std::nullopt;
  return Digits{group->value << 16U | element->value, group->mask << 16U | element->mask};
}

bool LooksLikeDigits(std::string_view text) {
  return text.find_first_of("(),") != std::string_view::npos ||
         (!text.empty() && text.front() >= '0' && text.front() <= '9') ||
         std::all_of(text.begin(), text.end(),
                     [](char c) { return HexValue(c) >= 0 || c == 'x' || c == 'X'; });
}

TagPattern PatternOf(const Digits& digits) {
  return TagPattern{.value = digits.value, .mask = digits.mask, .creator = {}};
}

bool CanBeOdd(const Digits& digits) {
  return (digits.mask & 0x10000U) == 0 || (digits.value & 0x10000U) != 0;
}

std::optional<SpellingError> CheckCreator(std::string_view creator) {
  if (creator.empty()) return SpellingError{"a private creator must have a name", {}};
  if (creator.size() > 64 || creator.find('\\') != std::string_view::npos) {
    return SpellingError{std::string(creator) + ": not a private creator",
                         "it is a text of at most 64 characters without '\\'"};
  }
  return std::nullopt;
}

void AppendHexDigits(std::string& text, const TagPattern& pattern, unsigned from, unsigned count) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (unsigned i = 0; i < count; ++i) {
    const unsigned shift = from - 4 * i;
    const bool fixed = (pattern.mask >> shift & 0xFU) == 0xFU;
    text += fixed ? kDigits[pattern.value >> shift & 0xFU] : 'x';
  }
}

// Slashes in braces belong to a creator's name.
std::vector<std::string_view> SplitPath(std::string_view text) {
  std::vector<std::string_view> parts;
  std::size_t start = 0;
  bool in_braces = false;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || (text[i] == '/' && !in_braces)) {
      parts.push_back(Trim(text.substr(start, i - start)));
      start = i + 1;
    } else if (text[i] == '{') {
      in_braces = true;
    } else if (text[i] == '}') {
      in_braces = false;
    }
  }
  return parts;
}

void Report(const Place& place, const SpellingError& error, Diagnostics& diagnostics) {
  diagnostics.Error(place, error.message, error.hint);
}

Selector OneStep(TagPattern pattern) {
  Selector selector;
  selector.path.push_back(std::move(pattern));
  return selector;
}

void ReadTag(const Node& node, const std::string& text, std::vector<SelectorDraft>& out,
             Diagnostics& diagnostics) {
  auto parsed = ParseTag(text);
  if (const auto* error = std::get_if<SpellingError>(&parsed)) {
    Report(node.place, *error, diagnostics);
    return;
  }
  auto& pattern = std::get<TagPattern>(parsed);
  WarnAboutTag(pattern, text, node.place, diagnostics);
  out.push_back({OneStep(std::move(pattern)), text, node.place});
}

void ReadVr(const Node& node, const std::string& text, std::vector<SelectorDraft>& out,
            Diagnostics& diagnostics) {
  const std::optional<Vr> vr = VrFromString(text);
  if (!vr) {
    std::string upper = text;
    for (char& c : upper) {
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    const bool known = VrFromString(upper).has_value();
    diagnostics.Error(node.place, text + ": no such VR",
                      known ? DidYouMean(upper) : "a VR is two capitals: PN");
    return;
  }
  Selector selector;
  selector.vrs = *vr;
  out.push_back({std::move(selector), text, node.place});
}

void ReadGroup(const Node& node, const std::string& text, std::vector<SelectorDraft>& out,
               Diagnostics& diagnostics) {
  if (text != "odd" && text != "even") {
    diagnostics.Error(node.place, "group: must be odd or even",
                      "for one group write a mask: tag: \"(0010,xxxx)\"");
    return;
  }
  TagPattern pattern{.value = 0, .mask = 0, .creator = {}};
  (text == "odd" ? pattern.odd_groups_only : pattern.even_groups_only) = true;
  out.push_back({OneStep(std::move(pattern)), text, node.place});
}

void ReadPath(const Node& node, const std::string& text, std::vector<SelectorDraft>& out,
              Diagnostics& diagnostics) {
  auto parsed = ParsePath(text);
  if (const auto* error = std::get_if<SpellingError>(&parsed)) {
    Report(node.place, *error, diagnostics);
    return;
  }
  auto& path = std::get<ParsedPath>(parsed);
  Selector selector;
  selector.path = std::move(path.steps);
  selector.anchored = path.anchored;
  out.push_back({std::move(selector), text, node.place});
}

void ReadPrivate(const Node& node, std::vector<SelectorDraft>& out, Diagnostics& diagnostics) {
  constexpr std::array<std::string_view, 2> kKeys{"creator", "tag"};
  std::optional<std::string> creator;
  std::optional<std::string> tag;
  if (node.is_map()) {
    const int errors = diagnostics.errors();
    CheckKeys(node, kKeys, "private", diagnostics);
    if (const Node* value = node.Find("creator")) {
      creator = ReadText(*value, "creator", diagnostics);
    } else {
      diagnostics.Error(
          node.place, "private: has no creator",
          "write {creator: SIEMENS CSA HEADER}; for all private elements, group: odd");
    }
    if (const Node* value = node.Find("tag")) tag = ReadText(*value, "tag", diagnostics);
    if (diagnostics.errors() > errors) return;
  } else {
    creator = ReadText(node, "private", diagnostics);
  }
  if (!creator) return;
  auto parsed = ParsePrivate(*creator, tag);
  if (const auto* error = std::get_if<SpellingError>(&parsed)) {
    Report(node.place, *error, diagnostics);
    return;
  }
  auto& pattern = std::get<TagPattern>(parsed);
  std::string text = Spell(pattern);
  out.push_back({OneStep(std::move(pattern)), std::move(text), node.place});
}

}  // namespace

std::variant<TagPattern, SpellingError> ParseTag(std::string_view text) {
  if (const Attribute* attribute = FindKeyword(text)) {
    return TagPattern{.value = attribute->tag.number(), .mask = attribute->mask, .creator = {}};
  }
  if (const std::optional<Digits> digits = ParseTagDigits(text)) return PatternOf(*digits);
  const std::string quoted(text);
  if (text.empty()) return SpellingError{"an empty text selects nothing", std::string(kTagHint)};
  if ((text.starts_with('(') && text.find(')') == std::string_view::npos) ||
      (IsHalfATag(text) && text.find_first_of("xX") == std::string_view::npos)) {
    return SpellingError{quoted + ": half a tag, cut at its comma",
                         "quote the tag: \"(0010,0020)\""};
  }
  if (LooksLikeDigits(text)) return SpellingError{quoted + ": not a tag", std::string(kTagHint)};
  if (VrFromString(text)) {
    return SpellingError{quoted + ": a VR, not a keyword", "write vr: " + quoted};
  }
  if (text.find('/') != std::string_view::npos) {
    return SpellingError{quoted + ": a path, not a keyword", "write path: " + quoted};
  }
  return SpellingError{quoted + ": no such keyword", DidYouMean(NearestKeyword(text).value_or(""))};
}

std::variant<TagPattern, SpellingError> ParseElement(std::string_view text) {
  const std::size_t open = text.find('{');
  if (open == std::string_view::npos) return ParseTag(text);
  const SpellingError wrong{std::string(text) + ": not a private element",
                            "write group, creator and low byte: 0029{SIEMENS CSA HEADER}10"};
  const std::size_t close = text.rfind('}');
  if (close == std::string_view::npos || close < open) return wrong;
  const std::optional<Digits> group = ParseDigits(Trim(text.substr(0, open)), 4);
  const std::optional<Digits> element = ParseDigits(Trim(text.substr(close + 1)), 2);
  const std::string_view creator = Trim(text.substr(open + 1, close - open - 1));
  if (!group || !element || !CanBeOdd({group->value << 16U, group->mask << 16U})) return wrong;
  if (const auto error = CheckCreator(creator)) return *error;
  return TagPattern{.value = group->value << 16U | element->value,
                    .mask = group->mask << 16U | element->mask,
                    .creator = std::string(creator)};
}

std::variant<ParsedPath, SpellingError> ParsePath(std::string_view text) {
  ParsedPath path;
  const std::string_view whole = Trim(text);
  std::string_view rest = whole;
  if (rest.starts_with('/')) {
    path.anchored = true;
    rest.remove_prefix(1);
  }
  const std::vector<std::string_view> parts = SplitPath(rest);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool last = i + 1 == parts.size();
    if (parts[i].empty()) {
      return SpellingError{std::string(whole) + ": a step of the path is empty",
                           "write Sequence/Element, or /Sequence/Element from the root"};
    }
    if (parts[i] == "*") {
      if (last) {
        return SpellingError{std::string(whole) + ": '*' stands for a sequence on the way",
                             "for any element write the mask xxxxxxxx"};
      }
      path.steps.push_back({.value = 0, .mask = 0, .creator = {}});
      continue;
    }
    auto parsed = ParseElement(parts[i]);
    if (auto* error = std::get_if<SpellingError>(&parsed)) return std::move(*error);
    auto& pattern = std::get<TagPattern>(parsed);
    const Attribute* attribute = AttributeOf(pattern);
    if (!last && attribute != nullptr && !attribute->vrs.contains(Vr::SQ)) {
      return SpellingError{std::string(parts[i]) + ": not a sequence, so nothing is below it",
                           std::string(attribute->keyword) + " has VR " + ToString(attribute->vrs)};
    }
    path.steps.push_back(std::move(pattern));
  }
  return path;
}

std::variant<TagPattern, SpellingError> ParsePrivate(std::string_view creator,
                                                     std::optional<std::string_view> tag) {
  creator = Trim(creator);
  if (const auto error = CheckCreator(creator)) return *error;
  if (!tag) return TagPattern{.value = 0, .mask = 0, .creator = std::string(creator)};
  const std::string written(*tag);
  const std::optional<Digits> digits = ParseTagDigits(*tag);
  if (!digits) {
    return SpellingError{written + ": not a private tag",
                         "write group and low byte, with xx for the block: (0029,xx10)"};
  }
  if (!CanBeOdd(*digits)) {
    return SpellingError{written + ": not private", "private elements have odd groups"};
  }
  const std::uint32_t block_mask = digits->mask >> 8U & 0xFFU;
  const std::uint32_t block = digits->value >> 8U & 0xFFU;
  if (block_mask != 0 && (block_mask != 0xFF || block < 0x10)) {
    return SpellingError{written + ": the block must be xx or 10 to FF",
                         "the creator's block differs from file to file: (0029,xx10)"};
  }
  return TagPattern{.value = digits->value & kPrivateMask,
                    .mask = digits->mask & kPrivateMask,
                    .creator = std::string(creator)};
}

std::vector<SelectorDraft> ReadSelectors(std::string_view key, const Node& value,
                                         Diagnostics& diagnostics) {
  std::vector<SelectorDraft> selectors;
  const std::span<const Node> nodes = OneOrMany(value);
  if (nodes.empty()) {
    diagnostics.Error(value.place, std::string(key) + ": an empty list selects nothing");
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = nodes[i];
    if (key == "private") {
      ReadPrivate(node, selectors, diagnostics);
      continue;
    }
    if (node.is_text() && i + 1 < nodes.size() && nodes[i + 1].is_text() &&
        IsTagCutInTwo(node.text, nodes[i + 1].text)) {
      diagnostics.Error(node.place, node.text + ": half a tag, cut at its comma",
                        "quote the tag: \"" + node.text + "," + nodes[i + 1].text + "\"");
      ++i;
      continue;
    }
    const std::optional<std::string> text = ReadText(node, key, diagnostics);
    if (!text) continue;
    if (key == "tag") ReadTag(node, *text, selectors, diagnostics);
    if (key == "vr") ReadVr(node, *text, selectors, diagnostics);
    if (key == "group") ReadGroup(node, *text, selectors, diagnostics);
    if (key == "path") ReadPath(node, *text, selectors, diagnostics);
  }
  return selectors;
}

void WarnAboutTag(const TagPattern& pattern, const std::string& text, const Place& place,
                  Diagnostics& diagnostics) {
  if (!pattern.is_exact()) return;
  const Tag tag(pattern.value);
  if (tag.is_private() && !tag.is_private_creator() && !tag.is_group_length()) {
    diagnostics.Warning(place, text + ": private elements are matched by creator",
                        "another creator may use the same number; use private:");
  }
  if (tag.group == 0x0002) {
    diagnostics.Warning(place, text + ": the file meta information is always written anew",
                        "no rule reaches it");
  } else if (tag.is_group_length()) {
    diagnostics.Warning(place, text + ": group lengths are always left out",
                        "no rule reaches them");
  }
}

const Attribute* AttributeOf(const TagPattern& pattern) {
  return pattern.is_exact() ? FindAttribute(Tag(pattern.value)) : nullptr;
}

std::string Spell(const TagPattern& pattern) {
  if (const Attribute* attribute = AttributeOf(pattern);
      attribute != nullptr && attribute->mask == 0xFFFFFFFF) {
    return std::string(attribute->keyword);
  }
  if (pattern.odd_groups_only && pattern.mask == 0) return "odd groups";
  if (pattern.even_groups_only && pattern.mask == 0) return "even groups";
  std::string text;
  if (!pattern.creator.empty()) {
    if (pattern.mask == 0) return "{" + pattern.creator + "}";
    AppendHexDigits(text, pattern, 28, 4);
    text += "{" + pattern.creator + "}";
    AppendHexDigits(text, pattern, 4, 2);
    return text;
  }
  text += '(';
  AppendHexDigits(text, pattern, 28, 4);
  text += ',';
  AppendHexDigits(text, pattern, 12, 4);
  text += ')';
  return text;
}

std::string Spell(const Selector& selector) {
  if (selector.by_vr()) return "VR " + ToString(selector.vrs);
  std::string text;
  for (const TagPattern& step : selector.path) {
    if (!text.empty() || selector.anchored) text += '/';
    text +=
        step.mask == 0 && step.creator.empty() && !step.odd_groups_only && !step.even_groups_only
            ? "*"
            : Spell(step);
  }
  return text;
}

}  // namespace dcmveil::rules
