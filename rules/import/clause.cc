// SPDX-License-Identifier: Apache-2.0
#include "rules/import/clause.h"

#include <re2/re2.h>

#include <utility>

#include "rules/import/rule_file.h"

namespace dcmveil::rules {

Clause Clause::Test(std::string entry) {
  Clause clause;
  clause.kind_ = Kind::kTest;
  clause.entry_ = std::move(entry);
  return clause;
}

Clause Clause::Constant(bool value) {
  Clause clause;
  clause.kind_ = value ? Kind::kTrue : Kind::kFalse;
  return clause;
}

Clause Clause::Not(Clause child) {
  if (child.kind_ == Kind::kTrue) return Constant(false);
  if (child.kind_ == Kind::kFalse) return Constant(true);
  if (child.kind_ == Kind::kNot) return std::move(child.children_.front());
  Clause clause;
  clause.kind_ = Kind::kNot;
  clause.children_.push_back(std::move(child));
  return clause;
}

Clause Clause::Combine(Kind kind, std::vector<Clause> children) {
  // True decides a list of which any must hold, false one of which all must.
  const Kind decides = kind == Kind::kAll ? Kind::kFalse : Kind::kTrue;
  const Kind neutral = kind == Kind::kAll ? Kind::kTrue : Kind::kFalse;
  Clause clause;
  clause.kind_ = kind;
  for (Clause& child : children) {
    if (child.kind_ == decides) return Constant(decides == Kind::kTrue);
    if (child.kind_ == neutral) continue;
    if (child.kind_ == kind) {
      for (Clause& grandchild : child.children_) clause.children_.push_back(std::move(grandchild));
    } else {
      clause.children_.push_back(std::move(child));
    }
  }
  if (clause.children_.empty()) return Constant(neutral == Kind::kTrue);
  if (clause.children_.size() == 1) {
    Clause only = std::move(clause.children_.front());
    return only;
  }
  return clause;
}

Clause Clause::All(std::vector<Clause> children) {
  return Combine(Kind::kAll, std::move(children));
}
Clause Clause::Any(std::vector<Clause> children) {
  return Combine(Kind::kAny, std::move(children));
}

std::optional<bool> Clause::constant() const {
  if (kind_ == Kind::kTrue) return true;
  if (kind_ == Kind::kFalse) return false;
  return std::nullopt;
}

std::string Clause::Entry() const {
  switch (kind_) {
    case Kind::kTrue:
      return "any: [{SOPClassUID: {exists: true}}, {SOPClassUID: {absent: true}}]";
    case Kind::kFalse:
      return "all: [{SOPClassUID: {exists: true}}, {SOPClassUID: {absent: true}}]";
    case Kind::kTest:
      return entry_;
    case Kind::kNot:
      return "not: {" + children_.front().Entry() + "}";
    case Kind::kAll:
    case Kind::kAny:
      break;
  }
  std::string text = kind_ == Kind::kAll ? "all: [" : "any: [";
  for (const Clause& child : children_) {
    if (text.back() != '[') text += ", ";
    text += "{" + child.Entry() + "}";
  }
  return text + "]";
}

bool MeansTheSameInRe2(const std::string& pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  if (!re2::RE2(pattern, options).ok()) return false;
  // Java's classes in classes and their intersections, Python's {,n}, and Java's (?U) and \v.
  static const re2::RE2 kReadOtherwise(R"(&&|\{,|\[[^\]]*\[|\(\?[a-zA-Z]*U|\\v)");
  return !re2::RE2::PartialMatch(pattern, kReadOtherwise);
}

Clause Joined(const std::string& path, const std::string& pattern) {
  return Clause::Test(Quoted(path) + ": {joined: " + Quoted(pattern) + "}");
}

Clause Matches(const std::string& path, const std::string& pattern) {
  return Clause::Test(Quoted(path) + ": {matches: " + Quoted(pattern) + "}");
}

Clause Exists(const std::string& path) { return Clause::Test(Quoted(path) + ": {exists: true}"); }

}  // namespace dcmveil::rules
