// SPDX-License-Identifier: Apache-2.0
#include "rules/import/ctp_filter.h"

#include <re2/re2.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "rules/import/ctp_code.h"
#include "rules/import/ctp_target.h"
#include "rules/import/rule_file.h"
#include "rules/yaml.h"

namespace dcmveil::rules {
namespace {

constexpr int kDeepest = 32;
/// More than any script has; a rule file with more could not be read by a person.
constexpr std::size_t kMostTerms = 5000;

class FilterParser {
 public:
  FilterParser(std::string_view text, int line) : text_(text), line_(line) {}

  std::variant<CtpFilter, CtpFilterError> Run() {
    std::optional<CtpFilter> filter = Sum(0);
    if (filter) {
      SkipBlanks();
      if (at_ == text_.size()) return std::move(*filter);
      filter = Fail(text_[at_] == ')' ? "a ) without its (" : "an operator is missing here");
    }
    return error_;
  }

 private:
  std::optional<CtpFilter> Fail(std::string message) {
    error_ = {line_, std::move(message)};
    return std::nullopt;
  }

  std::optional<CtpFilter> Sum(int depth) { return List(depth, '+', CtpFilter::Kind::kAny); }

  // a + b + c, or a * b * c of what binds stronger.
  std::optional<CtpFilter> List(int depth, char op, CtpFilter::Kind kind) {
    CtpFilter list;
    list.kind = kind;
    while (true) {
      std::optional<CtpFilter> child =
          op == '+' ? List(depth, '*', CtpFilter::Kind::kAll) : Factor(depth);
      if (!child) return std::nullopt;
      if (list.children.empty()) list.line = child->line;
      list.children.push_back(std::move(*child));
      SkipBlanks();
      if (at_ == text_.size() || text_[at_] != op) break;
      ++at_;
    }
    if (list.children.size() > 1) return list;
    CtpFilter only = std::move(list.children.front());
    return only;
  }

  std::optional<CtpFilter> Factor(int depth) {
    if (depth > kDeepest) return Fail("parentheses are nested too deep");
    SkipBlanks();
    if (at_ == text_.size()) return Fail("the expression ends where a term is missing");
    const char c = text_[at_];
    if (c == '!') {
      ++at_;
      SkipBlanks();
      if (at_ < text_.size() && text_[at_] == '!') {
        return Fail("two ! in a row, which CTP does not evaluate as such");
      }
      CtpFilter negation;
      negation.kind = CtpFilter::Kind::kNot;
      std::optional<CtpFilter> child = Factor(depth + 1);
      if (!child) return std::nullopt;
      negation.line = child->line;
      negation.children.push_back(std::move(*child));
      return negation;
    }
    if (c == '(') {
      const int opened = line_;
      ++at_;
      std::optional<CtpFilter> inner = Sum(depth + 1);
      if (!inner) return std::nullopt;
      SkipBlanks();
      if (at_ == text_.size()) {
        line_ = opened;
        return Fail("a ( without its )");
      }
      if (text_[at_] != ')') return Fail("an operator is missing here");
      ++at_;
      return inner;
    }
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && c != '[') return Fail("a term is missing here");
    return Term();
  }

  std::optional<CtpFilter> Term() {
    if (++terms_ > kMostTerms) return Fail("more terms than a filter can have");
    CtpFilter term;
    term.line = line_;
    term.identifier = Trimmed(Field('.'));
    if (term.identifier == "true" || term.identifier == "false") {
      term.value = term.identifier == "true";
      return term;
    }
    term.kind = CtpFilter::Kind::kTerm;
    term.method = Trimmed(Field('('));
    const std::size_t before = at_;
    term.argument = Trimmed(Field(')'));
    if (at_ == before || text_[at_ - 1] != ')') {
      line_ = term.line;
      return Fail("a term without its (\"…\")");
    }
    return term;
  }

  // Up to the sign, which is no part of it; signs in quotes do not count.
  std::string_view Field(char sign) {
    const std::size_t begin = at_;
    bool quoted = false;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') quoted = !quoted;
      if (c == '\n') ++line_;
      if (!quoted && c == sign) return text_.substr(begin, at_ - 1 - begin);
    }
    return text_.substr(begin);
  }

  void SkipBlanks() {
    bool comment = false;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '\n') {
        ++line_;
        comment = false;
      } else if (comment || c == ' ' || (c >= '\t' && c <= '\r')) {
        continue;
      } else if (text_.substr(at_, 2) == "//") {
        comment = true;
      } else {
        return;
      }
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int line_;
  std::size_t terms_ = 0;
  CtpFilterError error_;
};

constexpr VrSet kNumbers{Vr::DS, Vr::IS, Vr::US, Vr::UL, Vr::SS,
                         Vr::SL, Vr::FL, Vr::FD, Vr::UV, Vr::SV};

class TermTranslator {
 public:
  TermTranslator(const CtpFilter& term, Bound bound, std::vector<CtpFilterRemark>& remarks)
      : term_(term), bound_(bound), remarks_(remarks) {}

  Clause Run() {
    const std::string& argument = term_.argument;
    if (argument.size() < 2 || argument.front() != '"' || argument.back() != '"') {
      return Unknown("the text is not in quotes");
    }
    std::string text = argument.substr(1, argument.size() - 2);
    const std::optional<std::string> path = ReadCtpPath(term_.identifier);
    if (!path) return Unknown("names no element");
    const std::size_t colon = term_.identifier.rfind("::");
    const std::optional<CtpTarget> element = ReadCtpElement(
        colon == std::string::npos ? std::string_view(term_.identifier)
                                   : std::string_view(term_.identifier).substr(colon + 2));
    const VrSet vrs = element->attribute == nullptr ? VrSet() : element->attribute->vrs;
    if (element->tag && element->tag->group == 0x0002) {
      return Unknown("conditions cannot ask about the file meta information");
    }
    if (vrs == VrSet(Vr::SQ)) return Unknown("a sequence has no text");
    if (colon != std::string::npos) {
      // CTP looks into the first item of each sequence, conditions into all of them.
      if (bound_ == Bound::kNotMore)
        return Unknown("conditions cannot ask about first items alone");
      remarks_.push_back(
          {term_.line, false, term_.Shown(), "all items are looked at, not the first"});
    }
    path_ = *path;
    if (term_.method == "isLessThan" || term_.method == "isGreaterThan") {
      return Number(text, (vrs - kNumbers).empty() && !vrs.empty());
    }
    // Blanks around values are cut here; the case of code strings does not count.
    std::string flags;
    if (bound_ == Bound::kNotLess) {
      const std::string trimmed = Trimmed(text);
      if (trimmed.empty() && !text.empty()) return Clause::Constant(true);
      if (term_.method != "matches") text = trimmed;
      if (vrs.contains(Vr::CS)) flags = "(?i)";
    }
    return Text(text, flags);
  }

 private:
  Clause Text(const std::string& text, std::string flags) {
    std::string_view method = term_.method;
    if (method == "matches") {
      if (!MeansTheSameInRe2(text)) return Unknown("RE2 does not know this regular expression");
      return Joined(path_, flags + "^(?:" + text + ")$");
    }
    constexpr std::string_view kIgnoreCase = "IgnoreCase";
    if (method.ends_with(kIgnoreCase)) {
      method.remove_suffix(kIgnoreCase.size());
      flags = "(?i)";
    }
    const std::string quoted = re2::RE2::QuoteMeta(text);
    if (method == "equals") return Joined(path_, flags + "^" + quoted + "$");
    if (method != "contains" && method != "startsWith" && method != "endsWith") {
      return Unknown("CTP has no such method, and takes it for false");
    }
    if (text.empty()) return Clause::Constant(true);
    if (method == "startsWith") return Joined(path_, flags + "^" + quoted);
    if (method == "endsWith") return Joined(path_, flags + quoted + "$");
    return Joined(path_, flags + quoted);
  }

  // CTP compares the digits and dots of the two texts, whatever stands between.
  Clause Number(const std::string& text, bool number_vr) {
    std::string digits;
    std::copy_if(text.begin(), text.end(), std::back_inserter(digits),
                 [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
    const std::optional<double> number = ParseNumber(digits);
    if (!number) return Unknown("compares with no number");
    if (!number_vr) return Unknown("the element is no number");
    const bool less = term_.method == "isLessThan";
    const Clause range = Clause::Test(Quoted(path_) + ": {" + (less ? "max: " : "min: ") + digits +
                                      ", not: {" + (less ? "min: " : "max: ") + digits + "}}");
    const Clause simple = Joined(path_, "^[0-9]+(?:\\.[0-9]+)?$");
    if (bound_ == Bound::kNotMore) return Clause::All({range, simple});
    return Clause::Any({range, Clause::All({Joined(path_, "[0-9]"), Clause::Not(simple)})});
  }

  Clause Unknown(const std::string& why) {
    remarks_.push_back({term_.line, true, term_.Shown(), why});
    return Clause::Constant(bound_ == Bound::kNotLess);
  }

  const CtpFilter& term_;
  Bound bound_;
  std::vector<CtpFilterRemark>& remarks_;
  std::string path_;
};

}  // namespace

std::string CtpFilter::Shown() const {
  switch (kind) {
    case Kind::kConstant:
      return value ? "true." : "false.";
    case Kind::kTerm:
      return Plain(identifier + "." + method + "(" + argument + ")", 80);
    case Kind::kNot:
      return "!" + children.front().Shown();
    case Kind::kAll:
    case Kind::kAny:
      break;
  }
  return "(" + children.front().Shown() + (kind == Kind::kAll ? " * …)" : " + …)");
}

std::variant<CtpFilter, CtpFilterError> ParseCtpFilter(std::string_view text, int line) {
  return FilterParser(text, line).Run();
}

Clause TranslateCtpFilter(const CtpFilter& filter, Bound bound,
                          std::vector<CtpFilterRemark>& remarks) {
  switch (filter.kind) {
    case CtpFilter::Kind::kConstant:
      return Clause::Constant(filter.value);
    case CtpFilter::Kind::kTerm:
      return TermTranslator(filter, bound, remarks).Run();
    case CtpFilter::Kind::kNot:
      return Clause::Not(TranslateCtpFilter(filter.children.front(), Opposite(bound), remarks));
    case CtpFilter::Kind::kAll:
    case CtpFilter::Kind::kAny:
      break;
  }
  std::vector<Clause> children;
  for (const CtpFilter& child : filter.children) {
    children.push_back(TranslateCtpFilter(child, bound, remarks));
  }
  return filter.kind == CtpFilter::Kind::kAll ? Clause::All(std::move(children))
                                              : Clause::Any(std::move(children));
}

}  // namespace dcmveil::rules
