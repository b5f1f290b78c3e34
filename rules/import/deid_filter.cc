// SPDX-License-Identifier: Apache-2.0
#include "rules/import/deid_filter.h"

#include <re2/re2.h>

#include <optional>
#include <utility>

#include "engine/dictionary.h"
#include "rules/import/json_file.h"
#include "rules/import/python_pattern.h"
#include "rules/import/rule_file.h"

namespace dcmveil::rules {
namespace {

// Of an empty element of these VRs deid has no value, as of a missing one.
constexpr VrSet kNoEmptyText{Vr::AT, Vr::DS, Vr::FD, Vr::FL, Vr::IS, Vr::SL,
                             Vr::SS, Vr::SV, Vr::UL, Vr::US, Vr::UV, Vr::OB,
                             Vr::OD, Vr::OF, Vr::OL, Vr::OV, Vr::OW, Vr::UN};

class CriterionTranslator {
 public:
  CriterionTranslator(const DeidCriterion& criterion, int line,
                      std::vector<DeidFilterRemark>& remarks)
      : criterion_(criterion), line_(line), remarks_(remarks) {}

  Clause Run() {
    const std::string& method = criterion_.method;
    const std::optional<NamedTag> named = ReadNamedTag(criterion_.field);
    if (!named || !named->tag) return Unknown("names no element");
    if (named->tag->group == 0x0002) {
      return Unknown("conditions cannot ask about the file meta information");
    }
    path_ = named->path;
    const VrSet vrs = named->attribute == nullptr ? VrSet() : named->attribute->vrs;
    const bool sequence = vrs == VrSet(Vr::SQ);
    const Clause blank = Clause::Not(Joined(path_, "\\S"));
    const bool numbers = !vrs.empty() && (vrs - kNoEmptyText).empty();
    if (method == "missing") return numbers ? blank : Clause::Not(Exists(path_));
    if (method == "present") return numbers ? Clause::Not(blank) : Exists(path_);
    if (sequence) return Unknown("a sequence has no text");
    if (method == "empty") return Clause::All({Exists(path_), blank});
    const bool negative = method.starts_with("not");
    if (method == "contains" || method == "notcontains") return Contains(negative);
    if (method == "equals" || method == "notequals") return Equals(negative);
    return Unknown("no criterion that is known");
  }

 private:
  // deid makes the expression small before it is used, and looks into the text of the list where an
  // element has several values.
  Clause Contains(bool negative) {
    std::string pattern = "(?i)";
    bool escaped = false;
    for (const char c : criterion_.value) {
      const bool capital = c >= 'A' && c <= 'Z';
      if (capital && escaped) return Unknown("deid reads this regular expression in small letters");
      escaped = c == '\\' && !escaped;
      pattern += capital ? static_cast<char>(c - 'A' + 'a') : c;
    }
    const std::optional<std::string> read = PatternOfPython(pattern);
    if (!read) return Unknown("RE2 does not know this regular expression");
    // Joined, what is missing is an empty text.
    Clause contains = Joined(path_, *read);
    if (re2::RE2::PartialMatch("", *read)) contains = Clause::All({Exists(path_), contains});
    if (!negative) return contains;
    if (pattern.find_first_of("^$") == std::string::npos) return Clause::Not(contains);
    return Clause::Any({Clause::Not(contains), Joined(path_, "\\\\")});
  }

  Clause Equals(bool negative) {
    const std::string& value = criterion_.value;
    const std::string whole = "(?i)^" + re2::RE2::QuoteMeta(value) + "$";
    if (negative) return Clause::Not(Joined(path_, whole));
    // Its documentation has | for one of several, its code compares the text.
    std::vector<Clause> any{Matches(path_, whole)};
    for (std::size_t begin = 0, end = 0; value.find('|') != std::string::npos; begin = end + 1) {
      end = value.find('|', begin);
      any.push_back(
          Matches(path_, "(?i)^" + re2::RE2::QuoteMeta(value.substr(begin, end - begin)) + "$"));
      if (end == std::string::npos) break;
    }
    return Clause::Any(std::move(any));
  }

  Clause Unknown(const std::string& why) {
    remarks_.push_back({line_,
                        Plain(criterion_.method + " " + criterion_.field +
                                  (criterion_.value.empty() ? "" : " " + criterion_.value),
                              80),
                        why});
    return Clause::Constant(true);
  }

  const DeidCriterion& criterion_;
  int line_;
  std::vector<DeidFilterRemark>& remarks_;
  std::string path_;
};

Clause Joint(Clause left, Clause right, bool either) {
  std::vector<Clause> both{std::move(left), std::move(right)};
  return either ? Clause::Any(std::move(both)) : Clause::All(std::move(both));
}

}  // namespace

Clause TranslateDeidLabel(const DeidLabel& label, std::vector<DeidFilterRemark>& remarks) {
  // From left to right and from the top, + and || alike: neither binds stronger.
  std::optional<Clause> all;
  for (const DeidCriteria& line : label.lines) {
    std::optional<Clause> one;
    for (const DeidCriterion& criterion : line.criteria) {
      Clause clause = CriterionTranslator(criterion, line.line, remarks).Run();
      one = one ? Joint(std::move(*one), std::move(clause), criterion.either) : std::move(clause);
    }
    if (!one) continue;
    all = all ? Joint(std::move(*all), std::move(*one), line.either) : std::move(*one);
  }
  if (all) return std::move(*all);
  // Coordinates alone are meant for every image.
  return Clause::Constant(true);
}

}  // namespace dcmveil::rules
