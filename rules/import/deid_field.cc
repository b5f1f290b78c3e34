// SPDX-License-Identifier: Apache-2.0
#include "rules/import/deid_field.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <utility>

#include "rules/import/clause.h"
#include "rules/import/ctp_rule.h"
#include "rules/import/json_file.h"
#include "rules/import/rule_file.h"

namespace dcmveil::rules {
namespace {

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

DeidFieldResult Names(DeidField::Kind kind, const std::string& pattern) {
  if (!MeansTheSameInRe2(pattern)) {
    DeidFieldResult result = Problem("RE2 does not know this regular expression");
    result.may_be_any = true;
    return result;
  }
  DeidField field;
  field.kind = kind;
  field.pattern = std::make_shared<const re2::RE2>(pattern);
  return Read(std::move(field));
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
      field.fields.push_back(std::move(*result.field));
    } else {
      list_result.skipped.emplace_back(action.line, action.Shown() + ": " + result.problem);
    }
  }
  list_result.field = std::move(field);
  return list_result;
}

}  // namespace

bool DeidField::Matches(const DeidTarget& target) const {
  switch (kind) {
    case Kind::kAll:
      return true;
    case Kind::kNames:
    case Kind::kExcept: {
      const bool found = (!target.name.empty() && re2::RE2::PartialMatch(target.name, *pattern)) ||
                         (target.tag && target.creator.empty() &&
                          re2::RE2::PartialMatch(Digits(*target.tag), *pattern));
      return found == (kind == Kind::kNames);
    }
    case Kind::kOne:
      if (one.creator != target.creator || one.tag != target.tag) return false;
      // An element that is named without its place is meant in every place.
      return one.name.find("__") == std::string::npos || one.name == target.name;
    case Kind::kGroup:
      return target.tag && target.tag->group == group;
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

DeidFieldResult ReadDeidField(const std::string& text, const DeidRecipe& recipe) {
  if (Lower(text) == "all") return Read({});
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || text.find('"') < colon) {
    std::optional<DeidTarget> one = One(text);
    if (!one) {
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
  if (expander == "contains") return Names(DeidField::Kind::kNames, small);
  if (expander == "startswith") return Names(DeidField::Kind::kNames, "^(" + small + ")");
  if (expander == "endswith") return Names(DeidField::Kind::kNames, "(" + small + ")$");
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
