// SPDX-License-Identifier: Apache-2.0
#include "rules/import/deid_field.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdio>
#include <utility>

#include "rules/import/clause.h"
#include "rules/import/ctp_rule.h"
#include "rules/import/json_file.h"
#include "rules/import/rule_file.h"

namespace dcmveil::rules {
namespace {

constexpr std::size_t kTagDigits = 8;

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string Digits(Tag tag) {
  char digits[12];
  std::snprintf(digits, sizeof digits, "%04x%04x", static_cast<unsigned>(tag.group),
                static_cast<unsigned>(tag.element));
  return digits;
}

// 0033,"MITRA OBJECT UTF8 ATTRIBUTES 1.0",1E, in parentheses or without.
std::optional<DeidTarget> Private(std::string_view text) {
  if (text.starts_with('(') && text.ends_with(')')) text = text.substr(1, text.size() - 2);
  const std::size_t open = text.find(",\"");
  const std::size_t close = text.rfind("\",");
  if (open != 4 || close == std::string_view::npos || close < open + 2) return std::nullopt;
  const std::optional<CtpTarget> read = ReadCtpTarget(
      std::string(text.substr(0, 4)) + "[" + std::string(text.substr(open + 2, close - open - 2)) +
      "]" + std::string(text.substr(close + 2)));
  if (!read) return std::nullopt;
  DeidTarget target;
  std::uint16_t group = 0;
  std::uint16_t low = 0;
  std::from_chars(text.data(), text.data() + 4, group, 16);
  std::from_chars(text.data() + close + 2, text.data() + text.size(), low, 16);
  target.tag = Tag(group, low);
  target.creator = read->creator;
  target.selector = read->selector;
  target.what = read->path;
  return target;
}

// "RequestAttributesSequence__CodeValue", from the root.
std::optional<DeidTarget> Nested(std::string_view text) {
  DeidTarget target;
  std::string path;
  target.name = Lower(text);
  while (true) {
    const std::size_t end = text.find("__");
    const Attribute* const step = FindKeyword(text.substr(0, end));
    if (step == nullptr) return std::nullopt;
    path += "/" + std::string(step->keyword);
    target.attribute = step;
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 2);
  }
  target.tag = target.attribute->tag;
  target.selector = "path: " + Quoted(path);
  target.what = path.substr(1);
  return target;
}

std::optional<DeidTarget> One(const std::string& text) {
  if (text.find('"') != std::string::npos) return Private(text);
  if (text.find("__") != std::string::npos) return Nested(text);
  const std::optional<NamedTag> named = ReadNamedTag(text);
  if (!named || !named->tag) return std::nullopt;
  DeidTarget target;
  if (named->attribute != nullptr) target = TargetOf(*named->attribute);
  target.tag = named->tag;
  target.selector = named->selector;
  target.what = named->path;
  return target;
}

DeidFieldResult Problem(std::string text) {
  DeidFieldResult result;
  result.problem = std::move(text);
  return result;
}

DeidFieldResult Read(DeidField field) {
  DeidFieldResult result;
  result.field = std::move(field);
  return result;
}

constexpr std::string_view kUnknownName = " ";

DeidFieldResult MayBeAny(std::string problem) {
  DeidFieldResult result = Problem(std::move(problem));
  result.may_be_any = true;
  return result;
}

DeidFieldResult Names(DeidField::Kind kind, const std::string& pattern) {
  if (!MeansTheSameInRe2(pattern)) return MayBeAny("RE2 does not know this regular expression");
  DeidField field;
  field.kind = kind;
  field.pattern = std::make_shared<const re2::RE2>(pattern);
  return Read(std::move(field));
}

// Whether all that an expression finds has a letter that is no digit of a tag. The end of the
// expression, or of a part of it in parentheses, is where `text` then begins.
bool NeedsLetter(std::string_view& text) {
  bool all = true;
  bool one = false;
  while (!text.empty() && text.front() != ')') {
    const char c = text.front();
    text.remove_prefix(1);
    bool needs = c > 'f' && c <= 'z';
    if (c == '|') {
      all = all && one;
      one = false;
      continue;
    }
    if (c == '(') {
      if (text.starts_with('?')) return false;
      needs = NeedsLetter(text);
      text.remove_prefix(std::min<std::size_t>(1, text.size()));
    } else if (c == '[') {
      // The first bracket of a class is one of its characters.
      text.remove_prefix(std::min(text.find(']', text.starts_with('^') ? 2 : 1), text.size()));
      text.remove_prefix(std::min<std::size_t>(1, text.size()));
    } else if (c == '\\') {
      text.remove_prefix(std::min<std::size_t>(1, text.size()));
    }
    const bool optional = text.starts_with('?') || text.starts_with('*') || text.starts_with('{');
    one = one || (needs && !optional);
  }
  return all && one;
}

bool IsHexDigits(std::string_view text) {
  return !text.empty() && text.size() <= kTagDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The tags with these digits at the beginning, at the end or anywhere.
void AddMasks(std::string_view expander, std::string_view digits, std::vector<std::string>& masks) {
  const std::size_t last = kTagDigits - digits.size();
  const std::size_t first = expander == "endswith" ? last : 0;
  for (std::size_t at = first; at <= (expander == "startswith" ? 0 : last); ++at) {
    std::string mask(kTagDigits, 'x');
    for (std::size_t i = 0; i < digits.size(); ++i) {
      const char c = digits[i];
      mask[at + i] = c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    masks.push_back(std::move(mask));
  }
}

// contains, startswith, endswith. deid looks for the expression in the keyword with those of all
// sequences around it, in the tag, and in the name: "Patient's Name".
DeidFieldResult Found(const std::string& expander, const std::string& small) {
  // Apostrophes, hyphens, blanks and what may mean them.
  static const re2::RE2 kOfNames(R"([^a-z0-9|^$.*+?()\[\]{},-]|\[\^|\(\?|-[^\]]*$)");
  const std::string pattern = expander == "contains"     ? small
                              : expander == "startswith" ? "^(" + small + ")"
                                                         : "(" + small + ")$";
  DeidFieldResult result = Names(DeidField::Kind::kNames, pattern);
  if (!result.field) return result;
  if (re2::RE2::PartialMatch(small, kOfNames)) {
    return MayBeAny("what this finds in the names of elements cannot be told");
  }
  const bool plain =
      small.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789|") == std::string::npos;
  for (std::string_view rest = small; plain;) {
    const std::size_t end = rest.find('|');
    const std::string_view word = rest.substr(0, end);
    if (word.empty()) result.field->unknown = true;
    if (IsHexDigits(word)) AddMasks(expander, word, result.field->masks);
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  std::string_view text = small;
  if (!plain) result.field->unknown = !NeedsLetter(text) || !text.empty();
  return result;
}

// Older versions of deid take a field for an expression that is all of a name.
std::optional<DeidFieldResult> OldExpression(const std::string& text) {
  const std::string pattern = "(?i)^" + text + "$";
  if (text.find_first_of(".*+?[(|\\^$") == std::string::npos || text.starts_with('(')) {
    return std::nullopt;
  }
  DeidFieldResult result = Names(DeidField::Kind::kNames, pattern);
  if (!result.field) return result;
  std::string small = Lower(text);
  std::string_view rest = small;
  result.field->unknown = !NeedsLetter(rest) || !rest.empty();
  return result;
}

// The tags that a target stands for: of a repeating group's attribute there are many.
template <typename Test>
bool AnyTag(const DeidTarget& target, const Test& test) {
  if (!target.tag) return false;
  if (!target.repeats()) return test(*target.tag);
  const std::uint32_t open = ~target.attribute->mask;
  for (std::uint32_t bits = open;; bits = (bits - 1) & open) {
    const std::uint32_t number = target.tag->number() | bits;
    if (test(Tag(static_cast<std::uint16_t>(number >> 16U),
                 static_cast<std::uint16_t>(number & 0xFFFFU)))) {
      return true;
    }
    if (bits == 0) return false;
  }
}

// What deid may find an element of a private creator by: any block of its group.
bool FindsPrivate(const DeidTarget& target, const re2::RE2& pattern) {
  char group[8];
  char low[4];
  std::snprintf(group, sizeof group, "%04x", static_cast<unsigned>(target.tag->group));
  std::snprintf(low, sizeof low, "%02x", static_cast<unsigned>(target.tag->element & 0xFFU));
  const std::string name = std::string(group) + ",\"" + Lower(target.creator) + "\"," + low;
  if (re2::RE2::PartialMatch(name, pattern)) return true;
  for (unsigned block = 0x10; block <= 0xFF; ++block) {
    const auto element = static_cast<std::uint16_t>((block << 8U) | (target.tag->element & 0xFFU));
    if (re2::RE2::PartialMatch(Digits(Tag(target.tag->group, element)), pattern)) return true;
  }
  return false;
}

DeidFieldResult Select(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string property = Lower(text.substr(0, colon));
  const std::string_view value =
      colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  DeidField field;
  if (property == "vr") {
    field.kind = DeidField::Kind::kVr;
    std::string capitals(value.substr(0, 2));
    for (char& c : capitals) {
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    const std::optional<Vr> vr = VrFromString(capitals);
    if (!vr) return Problem("names no VR");
    field.vr = *vr;
    return Read(std::move(field));
  }
  field.kind = DeidField::Kind::kGroup;
  const auto [end, error] =
      std::from_chars(value.data(), value.data() + value.size(), field.group, 16);
  if (property != "group" || value.empty() || error != std::errc() ||
      end != value.data() + value.size()) {
    return Problem("selects by no property that is known");
  }
  return Read(std::move(field));
}

DeidFieldResult FieldList(const std::string& name, const DeidRecipe& recipe) {
  const auto list = recipe.fields.find(name);
  if (list == recipe.fields.end()) return Problem("no %fields has this name");
  DeidField field;
  field.kind = DeidField::Kind::kFields;
  DeidFieldResult list_result;
  for (const DeidAction& action : list->second) {
    // Lists know no lists, so this ends.
    const bool listed = action.field.starts_with("fields:") || action.field.starts_with("values:");
    DeidFieldResult result =
        listed ? Problem("a list in a list") : ReadDeidField(action.field, recipe);
    if (result.may_be_any) return result;
    if (result.field) {
      // Of what a list finds only the tags are taken.
      DeidTarget& one = result.field->one;
      if (one.nested()) one = TargetOf(*one.attribute);
      field.fields.push_back(std::move(*result.field));
    } else {
      list_result.skipped.emplace_back(action.line, action.Shown() + ": " + result.problem);
    }
  }
  list_result.field = std::move(field);
  return list_result;
}

}  // namespace

bool DeidField::open() const {
  return all() || unknown || std::any_of(fields.begin(), fields.end(), [](const DeidField& field) {
           return field.open();
         });
}

bool DeidField::spans() const {
  return (kind == Kind::kNames && pattern->pattern().find('.') != std::string::npos) ||
         std::any_of(fields.begin(), fields.end(),
                     [](const DeidField& field) { return field.spans(); });
}

bool DeidField::MayFind(const DeidTarget& target) const {
  if (target.name == kUnknownName && unknown) return true;
  if (target.name != kUnknownName && re2::RE2::PartialMatch(target.name, *pattern)) return true;
  if (!target.creator.empty()) return FindsPrivate(target, *pattern);
  if (std::any_of(masks.begin(), masks.end(),
                  [&](const std::string& mask) { return MaskMeans(mask, target); })) {
    return true;
  }
  if (!unknown) return false;
  // Some retired attributes have thousands of tags.
  if (target.repeats() && std::popcount(~target.attribute->mask) > 8) return true;
  return AnyTag(target, [&](Tag tag) { return re2::RE2::PartialMatch(Digits(tag), *pattern); });
}

// In all versions of deid and of what it reads DICOM with.
bool DeidField::Finds(const DeidTarget& target) const {
  const auto finds = [&](const std::string& text) {
    return re2::RE2::PartialMatch(text, *pattern);
  };
  if (target.name == kUnknownName) return finds("");
  // In a sequence its name stands in front.
  if (finds(target.name) && (target.top || target.nested() || finds("a__" + target.name))) {
    return true;
  }
  if (!target.tag || !target.creator.empty()) return false;
  // Some write its letters as capitals, which no expression has.
  return !AnyTag(target, [&](Tag tag) {
    const std::string digits = Digits(tag);
    return digits.find_first_of("abcdef") != std::string::npos || !finds(digits);
  });
}

bool DeidField::Matches(const DeidTarget& target) const {
  switch (kind) {
    case Kind::kAll:
      return true;
    case Kind::kNames:
      return MayFind(target);
    case Kind::kExcept:
      return !Finds(target);
    case Kind::kOne:
      if (one.creator != target.creator || one.tag != target.tag) return false;
      // An element that is named without its place is meant in every place.
      return !one.nested() || one.name == target.name;
    case Kind::kGroup:
      return AnyTag(target, [&](Tag tag) { return tag.group == group; });
    case Kind::kVr:
      return target.vrs().intersects(vr);
    case Kind::kFields:
      return std::any_of(fields.begin(), fields.end(),
                         [&](const DeidField& field) { return field.Matches(target); });
    case Kind::kValues:
      break;
  }
  return true;
}

DeidTarget TargetOf(const Attribute& attribute) {
  DeidTarget target;
  target.attribute = &attribute;
  target.tag = attribute.tag;
  target.name = Lower(attribute.keyword);
  target.selector = "tag: " + std::string(attribute.keyword);
  target.what = attribute.keyword;
  return target;
}

bool MaskMeans(std::string_view mask, const DeidTarget& target) {
  if (!target.tag) return false;
  for (std::size_t i = 0; i < kTagDigits; ++i) {
    const auto shift = static_cast<unsigned>(4 * (kTagDigits - 1 - i));
    const char c = mask[i];
    if (c == 'x') continue;
    const auto digit = static_cast<std::uint32_t>(c >= 'A' ? c - 'A' + 10 : c - '0');
    const std::uint32_t fixed = target.repeats() ? target.attribute->mask : 0xFFFFFFFFU;
    if ((((target.tag->number() >> shift) ^ digit) & (fixed >> shift) & 0xFU) != 0) return false;
  }
  return true;
}

DeidTarget TopOf(const Attribute& attribute) {
  DeidTarget target = TargetOf(attribute);
  target.top = true;
  target.selector = "path: " + Quoted("/" + std::string(attribute.keyword));
  return target;
}

DeidTarget UnknownElement() {
  DeidTarget target;
  target.name = kUnknownName;
  return target;
}

DeidFieldResult ReadDeidField(const std::string& text, const DeidRecipe& recipe) {
  if (Lower(text) == "all") return Read({});
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || text.find('"') < colon) {
    std::optional<DeidTarget> one = One(text);
    if (!one) {
      if (std::optional<DeidFieldResult> old = OldExpression(text)) return std::move(*old);
      const std::optional<std::string_view> nearest = NearestKeyword(text);
      return Problem("names no element" +
                     (nearest ? "; was " + std::string(*nearest) + " meant?" : std::string()));
    }
    DeidField field;
    field.kind = DeidField::Kind::kOne;
    field.one = std::move(*one);
    return Read(std::move(field));
  }
  const std::string expander = Lower(std::string_view(text).substr(0, colon));
  const std::string value = text.substr(colon + 1);
  // The names are compared in small letters, and so is the expression.
  const std::string small = Lower(value);
  if (expander == "contains" || expander == "startswith" || expander == "endswith") {
    return Found(expander, small);
  }
  if (expander == "except" || expander == "allexcept") {
    return Names(DeidField::Kind::kExcept, small);
  }
  if (expander == "select") return Select(value);
  if (expander == "fields") return FieldList(value, recipe);
  if (expander == "values") {
    DeidField field;
    field.kind = DeidField::Kind::kValues;
    if (!recipe.values.contains(value)) return Problem("no %values has this name");
    return Read(std::move(field));
  }
  return Problem("no expander that is known");
}

}  // namespace dcmveil::rules
