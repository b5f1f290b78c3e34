// SPDX-License-Identifier: Apache-2.0
#include "rules/import/deid_recipe.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "rules/import/ctp_code.h"
#include "rules/import/rule_file.h"

namespace dcmveil::rules {
namespace {

constexpr std::array<std::string_view, 6> kActions{"ADD",  "BLANK",  "JITTER",
                                                   "KEEP", "REMOVE", "REPLACE"};
constexpr std::array<std::string_view, 7> kMethods{"contains", "notcontains", "equals", "notequals",
                                                   "missing",  "present",     "empty"};

template <typename Words>
bool IsIn(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string Cased(std::string_view text, char from, char to) {
  std::string out(text);
  for (char& c : out) {
    if (c >= from && c <= from + 25) c = static_cast<char>(c - from + to);
  }
  return out;
}
std::string Upper(std::string_view text) { return Cased(text, 'a', 'A'); }
std::string Lower(std::string_view text) { return Cased(text, 'A', 'a'); }

// The first word, cut off. Blanks in quotes are part of it: 0033,"MITRA OBJECT",1E.
std::string Word(std::string_view& text) {
  std::size_t end = 0;
  bool quoted = false;
  for (; end < text.size(); ++end) {
    if (text[end] == '"') quoted = !quoted;
    if (!quoted && (text[end] == ' ' || text[end] == '\t')) break;
  }
  std::string word(text.substr(0, end));
  text.remove_prefix(end);
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return word;
}

std::string WithoutComment(std::string_view text) {
  return Trimmed(text.substr(0, text.find('#')));
}

class RecipeReader {
 public:
  std::variant<DeidRecipe, std::vector<DeidError>> Read(std::string_view text) {
    while (!text.empty()) {
      ++line_;
      const std::size_t end = text.find('\n');
      const std::string line = Trimmed(text.substr(0, end));
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
      if (line.empty() || line.front() == '#') continue;
      Line(line);
      if (++lines_ <= kMostLines && errors_.size() < kMostErrors) continue;
      if (lines_ > kMostLines) Error("more lines than a recipe can have");
      break;
    }
    if (!sections_ && errors_.empty()) {
      line_ = 0;
      Error("no recipe of deid: no section begins with %");
    }
    if (!errors_.empty()) return std::move(errors_);
    return std::move(recipe_);
  }

 private:
  void Error(std::string message) { errors_.push_back({line_, std::move(message)}); }

  void Line(std::string_view line) {
    if (Upper(line.substr(0, 6)) == "FORMAT") return Format(line);
    if (line.front() == '%') return Section(line.substr(1));
    if (section_ == "header") return Header(line);
    if (section_ == "filter") return Filter(line);
    if (section_ == "fields" || section_ == "values") return Group(line);
    if (section_ == "labels") {
      recipe_.notes.push_back({line_, {}, std::string(line), {}, true});
    } else if (section_.empty()) {
      Error(sections_ ? "belongs to a section that is not known"
                      : "stands in front of all sections");
    }
  }

  void Format(std::string_view line) {
    if (Lower(Trimmed(line.substr(6))) != "dicom") return Error("the format is not dicom");
    recipe_.format = true;
  }

  void Section(std::string_view line) {
    sections_ = true;
    const std::string text = WithoutComment(line);
    std::string_view rest = text;
    section_ = Lower(Word(rest));
    name_ = rest;
    constexpr std::array<std::string_view, 5> kSections{"header", "labels", "filter", "fields",
                                                        "values"};
    if (!IsIn(kSections, section_)) {
      Error("%" + Plain(section_, 40) + " is no section");
      section_.clear();
    } else if (name_.empty() && section_ != "header" && section_ != "labels") {
      Error("%" + section_ + " has no name");
    }
    in_label_ = false;
  }

  std::optional<DeidAction> Action(std::string_view line) {
    DeidAction action;
    action.line = line_;
    const std::string_view whole = line;
    const std::string word = Word(line);
    action.action = Upper(word);
    action.capitals = action.action == word;
    action.field = Word(line);
    const std::string start = word + " " + action.field;
    action.spaced = whole == start || whole.starts_with(start + " ");
    if (action.field.starts_with('#')) action.field.clear();
    action.value = action.field.empty() ? "" : WithoutComment(line);
    return action;
  }

  void Unknown(std::string_view line) {
    recipe_.unknown.push_back({line_, {}, std::string(line), {}, true});
  }

  void Header(std::string_view line) {
    std::optional<DeidAction> action = Action(line);
    if (!IsIn(kActions, action->action)) return Unknown(line);
    if (action->field.empty()) return Error(action->action + " has no field");
    const bool needs =
        action->action == "ADD" || action->action == "REPLACE" || action->action == "JITTER";
    if (needs && action->value.empty()) return Error(action->action + " has no value");
    recipe_.header.push_back(std::move(*action));
  }

  void Group(std::string_view line) {
    std::optional<DeidAction> action = Action(line);
    const bool values = section_ == "values";
    if (action->action != "FIELD" && !(values && action->action == "SPLIT")) return Unknown(line);
    if (action->field.empty()) return Error(action->action + " has no field");
    (values ? recipe_.values : recipe_.fields)[name_].push_back(std::move(*action));
  }

  // ---- Filters -----------------------------------------------------------------------------

  void Filter(std::string_view line) {
    std::string_view rest = line;
    const std::string word = Lower(Word(rest));
    if (word == "label") {
      in_label_ = true;
      recipe_.labels.push_back({line_, name_, WithoutComment(rest), {}, 0});
      return;
    }
    if (!in_label_) return Error("stands in front of the first LABEL of its filter");
    DeidLabel& label = recipe_.labels.back();
    if (word == "coordinates" || word == "keepcoordinates" || word == "ctpcoordinates" ||
        word == "ctpkeepcoordinates") {
      ++label.coordinates;
      return;
    }
    DeidCriteria criteria;
    criteria.line = line_;
    const std::string text = WithoutComment(line);
    rest = text;
    if (rest.starts_with('+') || rest.starts_with("||")) {
      criteria.joined = true;
      criteria.either = rest.front() == '|';
      rest.remove_prefix(criteria.either ? 2 : 1);
    }
    bool either = false;
    while (true) {
      const std::size_t end = NextOperator(rest);
      std::optional<DeidCriterion> criterion = Criterion(rest.substr(0, end));
      if (!criterion) return;
      criterion->either = either;
      criteria.criteria.push_back(std::move(*criterion));
      if (end == std::string_view::npos) break;
      either = rest[end] == '|';
      rest.remove_prefix(end + (either ? 2 : 1));
    }
    label.lines.push_back(std::move(criteria));
  }

  // Of + and || those count that stand before a method; others are part of a regular expression.
  static std::size_t NextOperator(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      const std::size_t length = text[i] == '+' ? 1 : text.substr(i, 2) == "||" ? 2 : 0;
      if (length == 0) continue;
      std::string_view rest = text.substr(i + length);
      rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
      const std::size_t end = std::min(rest.find_first_of(" \t"), rest.size());
      if (end <= kLongestMethod && IsIn(kMethods, Lower(rest.substr(0, end)))) return i;
    }
    return std::string_view::npos;
  }

  std::optional<DeidCriterion> Criterion(std::string_view text) {
    const std::string trimmed = Trimmed(text);
    std::string_view rest = trimmed;
    DeidCriterion criterion;
    criterion.method = Lower(Word(rest));
    criterion.field = Word(rest);
    criterion.value = rest;
    const bool known = IsIn(kMethods, criterion.method);
    const bool alone = criterion.method == "missing" || criterion.method == "present" ||
                       criterion.method == "empty";
    if (known && (criterion.field.empty() || (!alone && criterion.value.empty()))) {
      Error(criterion.method + " has no " + (criterion.field.empty() ? "field" : "value"));
      return std::nullopt;
    }
    return criterion;
  }

  static constexpr std::size_t kLongestMethod = 11;
  /// Each is asked about each attribute. No recipe has a tenth of it.
  static constexpr int kMostLines = 5000;
  static constexpr std::size_t kMostErrors = 100;

  DeidRecipe recipe_;
  std::vector<DeidError> errors_;
  int line_ = 0;
  int lines_ = 0;  ///< that mean something
  bool sections_ = false;
  bool in_label_ = false;
  std::string section_;
  std::string name_;
};

}  // namespace

std::string DeidAction::Shown() const {
  return Plain(action + " " + field + (value.empty() ? "" : " " + value));
}

std::variant<DeidRecipe, std::vector<DeidError>> ReadDeidRecipe(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return RecipeReader().Read(text);
}

}  // namespace dcmveil::rules
