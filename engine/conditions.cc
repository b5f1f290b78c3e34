// SPDX-License-Identifier: Apache-2.0
#include "engine/conditions.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "engine/encoding/elements.h"
#include "engine/private_blocks.h"
#include "engine/reading.h"
#include "engine/value.h"

namespace dcmveil::engine {
namespace {

char UpperCase(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

/// The values as text, numbers in their shortest decimal form.
std::vector<std::string> ValuesOf(const DataElement& element, const Charset& charset) {
  const Vr vr = ReadAs(element).vr;
  const std::string_view bytes = element.value();
  if (kNumberVrs.contains(vr)) return NumbersIn(bytes, vr);
  std::vector<std::string> values;
  // What stands behind a NUL is no part of a text; it goes even from elements that are kept. But a
  // dirty spelling must not slip past a `reject`: blanks and control characters around a value and
  // the case of code strings, which have capitals only, do not count.
  const std::size_t first_byte = std::min(bytes.find_first_not_of('\0'), bytes.size());
  const std::string_view text = bytes.substr(first_byte, bytes.find('\0', first_byte) - first_byte);
  // A private element of unknown VR may be text; bulk data that is not asked about as text simply
  // does not match.
  for (std::string& value :
       charset.DecodeValues(TrimPadding(text), vr == Vr::UN ? Vr::LO : vr).values) {
    const auto is_blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
    while (!value.empty() && is_blank(value.back())) value.pop_back();
    value.erase(value.begin(), std::find_if_not(value.begin(), value.end(), is_blank));
    if (vr == Vr::CS) {
      std::transform(value.begin(), value.end(), value.begin(),
                     [](char c) { return UpperCase(c); });
    }
    values.push_back(std::move(value));
  }
  return values;
}

class Asker {
 public:
  Asker(const ParsedInstance& parsed, const Instance& instance)
      : parsed_(parsed), instance_(instance) {}

  bool Holds(const Condition& condition) {
    switch (condition.kind) {
      case Condition::Kind::kAll:
        return std::all_of(condition.children.begin(), condition.children.end(),
                           [this](const Condition& child) { return Holds(child); });
      case Condition::Kind::kAny:
        return std::any_of(condition.children.begin(), condition.children.end(),
                           [this](const Condition& child) { return Holds(child); });
      case Condition::Kind::kNot:
        return !Holds(condition.children.front());
      case Condition::Kind::kExists:
        return Exists(condition.path);
      case Condition::Kind::kAbsent:
        return !Exists(condition.path);
      case Condition::Kind::kSopClass:
        return std::binary_search(condition.texts.begin(), condition.texts.end(),
                                  instance_.sop_class_uid);
      case Condition::Kind::kJoined:
        return AnyJoinedMatches(condition);
      case Condition::Kind::kEquals:
      case Condition::Kind::kMatches:
      case Condition::Kind::kRange:
        break;
    }
    const std::vector<Value>& values = ValuesAt(condition.path);
    return std::any_of(values.begin(), values.end(),
                       [&](const Value& value) { return ValueHolds(condition, value); });
  }

 private:
  struct Value {
    std::string text;
    bool code_string = false;
  };
  struct ComesFirst {
    bool operator()(const std::vector<TagPattern>& a, const std::vector<TagPattern>& b) const {
      return std::lexicographical_compare(
          a.begin(), a.end(), b.begin(), b.end(), [](const TagPattern& x, const TagPattern& y) {
            return std::tie(x.value, x.mask, x.odd_groups_only, x.even_groups_only, x.creator) <
                   std::tie(y.value, y.mask, y.odd_groups_only, y.even_groups_only, y.creator);
          });
    }
  };

  /// Many rules ask about the same few elements.
  const std::vector<Value>& ValuesAt(const std::vector<TagPattern>& path) {
    // Nearly all ask about one attribute of the top level.
    const bool by_tag = path.size() == 1 && path.front().is_exact();
    std::optional<std::vector<Value>>& values =
        by_tag ? of_tag_[path.front().value] : of_path_[path];
    if (values) return *values;
    values.emplace();
    for (const DataElement* element : Find(path)) {
      const bool code_string = ReadAs(*element).vr == Vr::CS;
      for (std::string& value : ValuesOf(*element, instance_.charset)) {
        values->push_back({std::move(value), code_string});
      }
    }
    return *values;
  }

  /// The values of each element with backslashes between them. An absent element is an empty text.
  const std::vector<std::string>& JoinedAt(const std::vector<TagPattern>& path) {
    const auto [it, is_new] = joined_.try_emplace(path);
    if (!is_new) return it->second;
    for (const DataElement* element : Find(path)) {
      std::string& joined = it->second.emplace_back();
      bool first = true;
      for (const std::string& value : ValuesOf(*element, instance_.charset)) {
        if (!std::exchange(first, false)) joined += '\\';
        joined += value;
      }
    }
    if (it->second.empty()) it->second.emplace_back();
    return it->second;
  }

  bool AnyJoinedMatches(const Condition& condition) {
    const std::vector<std::string>& texts = JoinedAt(condition.path);
    return std::any_of(texts.begin(), texts.end(), [&](const std::string& text) {
      return re2::RE2::PartialMatch(text, *condition.pattern);
    });
  }

  static bool ValueHolds(const Condition& condition, const Value& asked) {
    const auto& [value, code_string] = asked;
    if (condition.kind == Condition::Kind::kEquals) {
      return std::any_of(
          condition.texts.begin(), condition.texts.end(),
          [&value = value, code_string = code_string](const std::string& text) {
            return text == value ||
                   (code_string && std::equal(text.begin(), text.end(), value.begin(), value.end(),
                                              [](char a, char b) { return UpperCase(a) == b; }));
          });
    }
    if (condition.kind == Condition::Kind::kMatches) {
      return re2::RE2::PartialMatch(value, *condition.pattern);
    }
    double number = 0;
    const char* begin = value.data() + (!value.empty() && value.front() == '+' ? 1 : 0);
    const char* end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(begin, end, number);
    return error == std::errc() && stop == end && number >= condition.low &&
           number <= condition.high;
  }

  bool Exists(const std::vector<TagPattern>& path) {
    // Pixel data is in no data set; see ParsedInstance.
    const auto& pixels = parsed_.extents.pixels;
    if (path.size() == 1 && pixels && path.front().Matches(pixels->tag, {})) return true;
    return !Find(path).empty();
  }

  std::vector<const DataElement*> Find(const std::vector<TagPattern>& path) {
    std::vector<const DataElement*> found;
    if (path.size() == 1 && path.front().is_exact()) {
      const DataElement* element = parsed_.head.Find(Tag(path.front().value));
      if (element != nullptr) found.push_back(element);
    } else {
      Collect(parsed_.head, path, 0, found);
    }
    if (parsed_.after) Collect(*parsed_.after, path, 0, found);
    return found;
  }

  /// The walk reads these as sequences, and so must the questions that decide about it.
  const Sequence* SequenceIn(const DataElement& element) {
    if (element.sequence() != nullptr) return element.sequence();
    if (!ReadAs(element).is_sequence && !BeginsWithItem(element)) return nullptr;
    std::optional<DataElement> made = MakeSequence(element.tag(), element.value(), 1);
    if (!made) return nullptr;
    opened_.push_back(std::move(*made));
    return opened_.back().sequence();
  }

  void Collect(const Item& item, const std::vector<TagPattern>& path, std::size_t step,
               std::vector<const DataElement*>& found) {
    const TagPattern& pattern = path[step];
    PrivateBlocks blocks;
    for (const DataElement& element : item.elements) {
      const Tag tag = element.tag();
      if (tag.is_private_creator()) blocks.Reserve(tag, element);
      if (!pattern.Matches(tag, blocks.CreatorOf(tag))) continue;
      if (step + 1 == path.size()) {
        found.push_back(&element);
      } else if (const Sequence* sequence = SequenceIn(element)) {
        for (const Item& inner : *sequence) Collect(inner, path, step + 1, found);
      }
    }
  }

  const ParsedInstance& parsed_;
  const Instance& instance_;
  std::map<std::uint32_t, std::optional<std::vector<Value>>> of_tag_;
  std::map<std::vector<TagPattern>, std::optional<std::vector<Value>>, ComesFirst> of_path_;
  std::map<std::vector<TagPattern>, std::vector<std::string>, ComesFirst> joined_;
  std::deque<DataElement> opened_;  ///< what found elements may live in
};

}  // namespace

ConditionAnswers AnswerConditions(const Plan& plan, const ParsedInstance& parsed,
                                  const Instance& instance) {
  Asker asker(parsed, instance);
  std::vector<bool> answers;
  answers.reserve(plan.conditions().size());
  for (const Condition* condition : plan.conditions()) answers.push_back(asker.Holds(*condition));
  return ConditionAnswers(std::move(answers));
}

}  // namespace dcmveil::engine
