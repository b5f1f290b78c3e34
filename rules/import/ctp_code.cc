// SPDX-License-Identifier: Apache-2.0
#include "rules/import/ctp_code.h"

#include <optional>
#include <utility>

namespace dcmveil::rules {
namespace {

constexpr int kDeepest = 16;

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

class CodeParser {
 public:
  explicit CodeParser(std::string_view text) : text_(text) {}

  std::variant<CtpCode, std::string> Run() {
    std::optional<CtpCode> code = Code(0);
    if (!code) return problem_;
    return std::move(*code);
  }

 private:
  std::optional<CtpCode> Fail(std::string problem) {
    problem_ = std::move(problem);
    return std::nullopt;
  }

  // Up to the end, or to the } that ends a branch. Other braces are text.
  std::optional<CtpCode> Code(int depth) {
    if (depth > kDeepest) return Fail("branches are nested too deep");
    CtpCode code;
    std::string literal;
    // A branch often stands on lines of its own.
    SkipBlanks();
    const auto flush = [&] {
      if (!literal.empty())
        code.parts.push_back({.is_call = false, .text = literal, .args = {}, .branches = {}});
      literal.clear();
    };
    int braces = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '}' && depth > 0 && braces == 0) break;
      if (c == '\\' && at_ + 1 < text_.size()) {
        literal += text_[at_ + 1];
        at_ += 2;
      } else if (const std::size_t open = c == '@' ? FindOpen() : std::string_view::npos;
                 open != std::string_view::npos) {
        flush();
        CtpPart call{.is_call = true,
                     .text = std::string(text_.substr(at_ + 1, open - at_ - 1)),
                     .args = {},
                     .branches = {}};
        at_ = open + 1;
        if (!Arguments(call) || !Branches(call, depth)) return std::nullopt;
        code.parts.push_back(std::move(call));
      } else {
        if (c == '{') ++braces;
        if (c == '}') --braces;
        literal += c;
        ++at_;
      }
    }
    literal.resize(literal.find_last_not_of(" \t\r\n") + 1);
    flush();
    return code;
  }

  // The parenthesis of the call that begins here, or npos.
  [[nodiscard]] std::size_t FindOpen() const {
    std::size_t i = at_ + 1;
    while (i < text_.size() && IsLetter(text_[i])) ++i;
    return i > at_ + 1 && i < text_.size() && text_[i] == '(' ? i : std::string_view::npos;
  }

  bool Arguments(CtpPart& call) {
    std::string arg;
    bool quoted = false;
    bool was_quoted = false;
    int depth = 0;
    const auto flush = [&] {
      call.args.push_back(was_quoted ? arg : Trimmed(arg));
      arg.clear();
      was_quoted = false;
    };
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (quoted) {
        if (c == '\\' && at_ + 1 < text_.size()) {
          if (text_[at_ + 1] != '"') arg += c;
          arg += text_[++at_];
        } else if (c == '"') {
          quoted = false;
        } else {
          arg += c;
        }
      } else if (c == '"') {
        if (Trimmed(arg).empty()) arg.clear();
        quoted = was_quoted = true;
      } else if (c == '\\' && at_ + 1 < text_.size()) {
        arg += text_[++at_];
      } else if (c == ')' && depth == 0) {
        ++at_;
        if (!call.args.empty() || was_quoted || !Trimmed(arg).empty()) flush();
        return true;
      } else if (c == ',' && depth == 0) {
        flush();
      } else if (!(was_quoted && (c == ' ' || c == '\t'))) {
        // (0010,0010) and [0010,0010] are elements; their comma is no separator.
        if (c == '(' || c == '[') ++depth;
        if ((c == ')' || c == ']') && depth > 0) --depth;
        arg += c;
      }
    }
    problem_ = "@" + call.text + ": a parenthesis or quote without its end";
    return false;
  }

  bool Branches(CtpPart& call, int depth) {
    if (call.text != "if" && call.text != "select" && call.text != "append") return true;
    const std::size_t wanted = call.text == "append" ? 1 : 2;
    while (call.branches.size() < wanted) {
      const std::size_t before = at_;
      SkipBlanks();
      if (at_ == text_.size() || text_[at_] != '{') {
        at_ = before;
        return true;
      }
      ++at_;
      std::optional<CtpCode> branch = Code(depth + 1);
      if (!branch) return false;
      if (at_ == text_.size()) {
        problem_ = "@" + call.text + ": a { without its }";
        return false;
      }
      ++at_;
      call.branches.push_back(std::move(*branch));
    }
    return true;
  }

  void SkipBlanks() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r' || text_[at_] == '\n')) {
      ++at_;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string problem_;
};

}  // namespace

std::string Trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(kBlanks) - first + 1));
}

std::variant<CtpCode, std::string> ParseCtpCode(std::string_view text) {
  return CodeParser(text).Run();
}

}  // namespace dcmveil::rules
