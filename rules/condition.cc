// SPDX-License-Identifier: Apache-2.0
#include "rules/condition.h"

#include <re2/re2.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/dictionary.h"
#include "rules/language.h"
#include "rules/selector.h"

namespace dcmveil::rules {
namespace {

using engine::Condition;
using engine::TagPattern;
using Kind = engine::Condition::Kind;

// The element that a test is about.
struct Subject {
  std::vector<TagPattern> path;
  std::string name;
  const Attribute* attribute = nullptr;
};

bool IsUid(std::string_view text) {
  return !text.empty() && text.size() <= 64 && text.front() >= '0' && text.front() <= '9' &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

Condition Combine(Kind kind, std::vector<Condition> children) {
  if (kind != Kind::kNot && children.size() == 1) return std::move(children.front());
  Condition condition;
  condition.kind = kind;
  condition.children = std::move(children);
  return condition;
}

class Reader {
 public:
  explicit Reader(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  Condition When(const Node& node) {
    std::vector<Condition> children;
    if (!node.is_map() || node.entries.empty()) {
      diagnostics_.Error(node.place, "a condition must be a mapping of elements to tests",
                         "{Modality: [US, XA]}");
      return {};
    }
    for (const auto& [key, value] : node.entries) children.push_back(Entry(key, value));
    return Combine(Kind::kAll, std::move(children));
  }

 private:
  Condition Entry(const Node& key, const Node& value) {
    if (key.text == "all" || key.text == "any") {
      if (!value.is_list() || value.items.empty()) {
        diagnostics_.Error(value.place, key.text + ": must be a list of conditions",
                           key.text + ": [{Modality: US}, {Manufacturer: ACME}]");
        return {};
      }
      std::vector<Condition> children;
      for (const Node& item : value.items) children.push_back(When(item));
      return Combine(key.text == "all" ? Kind::kAll : Kind::kAny, std::move(children));
    }
    if (key.text == "not") return Combine(Kind::kNot, {When(value)});

    auto parsed = ParsePath(key.text);
    if (const auto* error = std::get_if<SpellingError>(&parsed)) {
      diagnostics_.Error(key.place, error->message, error->hint);
      return {};
    }
    Subject subject;
    subject.path = std::move(std::get<ParsedPath>(parsed).steps);
    subject.name = key.text;
    subject.attribute = AttributeOf(subject.path.back());
    return Test(subject, value);
  }

  Condition Test(const Subject& subject, const Node& node) {
    if (node.is_null()) {
      diagnostics_.Error(node.place, subject.name + ": has no test",
                         "write a value, a list of values or {exists: true}");
      return {};
    }
    if (!node.is_map()) return Equals(subject, node);
    if (node.entries.empty()) {
      diagnostics_.Error(node.place, subject.name + ": has no test", "write {exists: true}");
      return {};
    }
    CheckKeys(node, NamesOf(kTestWords), "test", diagnostics_);
    std::vector<Condition> children;
    for (const auto& [key, value] : node.entries) {
      if (key.text == "equals" || key.text == "one-of") {
        children.push_back(Equals(subject, value));
      } else if (key.text == "matches") {
        children.push_back(Matches(subject, Kind::kMatches, key.text, value));
      } else if (key.text == "joined") {
        children.push_back(Matches(subject, Kind::kJoined, key.text, value));
      } else if (key.text == "exists" || key.text == "absent") {
        const bool wanted = ReadBoolean(value, key.text, diagnostics_).value_or(true);
        children.push_back(
            About(subject, (key.text == "exists") == wanted ? Kind::kExists : Kind::kAbsent));
      } else if (key.text == "not") {
        children.push_back(Combine(Kind::kNot, {Test(subject, value)}));
      }
    }
    if (node.Find("min") != nullptr || node.Find("max") != nullptr) {
      children.push_back(Range(subject, node));
    }
    return Combine(Kind::kAll, std::move(children));
  }

  Condition About(const Subject& subject, Kind kind) {
    Condition condition;
    condition.kind = kind;
    condition.path = subject.path;
    return condition;
  }

  // For tests that look at values.
  Condition AboutValues(const Subject& subject, Kind kind, const Place& place) {
    if (subject.attribute != nullptr && subject.attribute->vrs == VrSet(Vr::SQ)) {
      diagnostics_.Error(place, subject.name + ": a sequence has no value to compare",
                         "test {exists: true}, or an element in it: " + subject.name + "/…");
    }
    return About(subject, kind);
  }

  Condition Equals(const Subject& subject, const Node& node) {
    Condition condition = AboutValues(subject, Kind::kEquals, node.place);
    const std::span<const Node> values = OneOrMany(node);
    if (values.empty()) {
      diagnostics_.Error(node.place, subject.name + ": an empty list equals nothing");
    }
    for (const Node& value : values) {
      std::optional<std::string> text = ReadText(value, subject.name, diagnostics_);
      if (!text) continue;
      if (subject.attribute != nullptr && subject.attribute->vrs == VrSet(Vr::UI) &&
          !text->empty() && !IsUid(*text)) {
        const std::optional<std::string_view> uid = UidFromName(*text);
        if (!uid) {
          diagnostics_.Error(value.place, *text + ": neither a UID nor the name of a standard one",
                             "SOP classes are named as in PS3.6: CTImageStorage");
          continue;
        }
        text = std::string(*uid);
      }
      condition.texts.push_back(std::move(*text));
    }
    return condition;
  }

  Condition Matches(const Subject& subject, Kind kind, const std::string& test, const Node& node) {
    Condition condition = AboutValues(subject, kind, node.place);
    const std::optional<std::string> text = ReadText(node, test, diagnostics_);
    if (!text) return condition;
    re2::RE2::Options options;
    options.set_log_errors(false);
    auto pattern = std::make_shared<const re2::RE2>(*text, options);
    if (!pattern->ok()) {
      diagnostics_.Error(node.place, test + ": not a regular expression: " + pattern->error());
    }
    condition.pattern = std::move(pattern);
    return condition;
  }

  Condition Range(const Subject& subject, const Node& node) {
    Condition condition = AboutValues(subject, Kind::kRange, node.place);
    for (const auto& [key, bound] : {std::pair{"min", &condition.low}, {"max", &condition.high}}) {
      const Node* value = node.Find(key);
      if (value == nullptr) continue;
      const std::optional<std::string> text = ReadText(*value, key, diagnostics_);
      if (!text) continue;
      if (const std::optional<double> number = ParseNumber(*text)) {
        *bound = *number;
      } else {
        diagnostics_.Error(value->place, std::string(key) + ": must be a number");
      }
    }
    if (condition.low > condition.high) {
      diagnostics_.Error(node.place, subject.name + ": min is greater than max");
    }
    return condition;
  }

  Diagnostics& diagnostics_;
};

}  // namespace

std::optional<Condition> ReadCondition(const Node& when, Diagnostics& diagnostics) {
  const int errors = diagnostics.errors();
  Condition condition = Reader(diagnostics).When(when);
  if (diagnostics.errors() > errors) return std::nullopt;
  return condition;
}

}  // namespace dcmveil::rules
