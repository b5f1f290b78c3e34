// SPDX-License-Identifier: Apache-2.0
#include "rules/import/ctp_code.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace dcmveil::rules {
namespace {

constexpr int kDeepest = 16;
constexpr std::string_view kBlanks = " \t\r\n";

// The first of `ends` at the level of `at`, or npos. What is quoted or escaped is no end, nor is
// what stands in square brackets; each `open` needs an end more.
std::size_t FindEnd(std::string_view text, std::size_t at, std::string_view ends, char open) {
  int level = 1;
  int brackets = 0;
  bool quoted = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\\') {
      ++at;
    } else if (quoted || c == '"') {
      quoted = quoted != (c == '"');
    } else if (c == '[' || c == ']') {
      brackets += c == '[' ? 1 : -1;
    } else if (c == open) {
      ++level;
    } else if (brackets == 0 && ends.find(c) != std::string_view::npos && --level == 0) {
      return at;
    }
  }
  return std::string_view::npos;
}

class CodeParser {
 public:
  CodeParser(std::string_view text, int depth) : text_(text), depth_(depth) {}

  std::variant<CtpCode, CtpCodeProblem> Run() {
    if (depth_ > kDeepest) return CtpCodeProblem{"branches are nested too deep"};
    while (!problem_ && at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '@') {
        Flush();
        Call();
      } else if (c != '\\') {
        literal_ += c;
      } else if (at_ < text_.size()) {
        literal_ += text_[at_++];
      }
    }
    if (problem_) return *problem_;
    Flush();
    return std::move(code_);
  }

 private:
  void Flush() {
    if (literal_.empty()) return;
    code_.parts.push_back(
        {.is_call = false, .text = std::move(literal_), .args = {}, .branches = {}});
    literal_.clear();
  }

  void Call() {
    const std::size_t open = text_.find('(', at_);
    if (open == std::string_view::npos) {
      problem_ = {"an @ that begins no call, at which CTP stops", true};
      return;
    }
    CtpPart call{.is_call = true, .text = {}, .args = {}, .branches = {}};
    for (const char c : text_.substr(at_, open - at_)) {
      if (kBlanks.find(c) == std::string_view::npos) call.text += c;
    }
    at_ = open + 1;
    for (bool more = true; more;) {
      const std::size_t end = FindEnd(text_, at_, ",)", '(');
      if (end == std::string_view::npos) {
        problem_ = {"@" + call.text + ": a parenthesis or quote without its end"};
        return;
      }
      more = text_[end] == ',';
      std::string arg = Trimmed(text_.substr(at_, end - at_));
      if (more || !call.args.empty() || !arg.empty()) call.args.push_back(std::move(arg));
      at_ = end + 1;
    }
    if (call.text == "if" || call.text == "select") Branches(call, 2);
    if (call.text == "append") Branches(call, 1);
    code_.parts.push_back(std::move(call));
  }

  void Branches(CtpPart& call, std::size_t wanted) {
    while (!problem_ && call.branches.size() < wanted) {
      const std::size_t open = text_.find('{', at_);
      if (open == std::string_view::npos) {
        at_ = text_.size();
        return;
      }
      const std::size_t end = FindEnd(text_, open + 1, "}", '{');
      if (end == std::string_view::npos) {
        problem_ = {"@" + call.text + ": a { without its }"};
        return;
      }
      auto branch = CodeParser(text_.substr(open + 1, end - open - 1), depth_ + 1).Run();
      if (auto* problem = std::get_if<CtpCodeProblem>(&branch)) {
        problem_ = std::move(*problem);
        return;
      }
      call.branches.push_back(std::get<CtpCode>(std::move(branch)));
      at_ = end + 1;
    }
  }

  std::string_view text_;
  int depth_;
  std::size_t at_ = 0;
  std::string literal_;
  CtpCode code_;
  std::optional<CtpCodeProblem> problem_;
};

}  // namespace

std::string Trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(kBlanks) - first + 1));
}

std::variant<CtpCode, CtpCodeProblem> ParseCtpCode(std::string_view text) {
  return CodeParser(text, 0).Run();
}

std::string_view Unquoted(std::string_view arg) {
  const bool quoted = arg.size() > 1 && arg.front() == '"' && arg.back() == '"';
  return quoted ? arg.substr(1, arg.size() - 2) : arg;
}

bool Quarantines(const CtpCode& code) {
  return std::any_of(code.parts.begin(), code.parts.end(), [](const CtpPart& part) {
    return part.is_call && (part.text == "quarantine" || part.text == "skip" ||
                            std::any_of(part.branches.begin(), part.branches.end(), &Quarantines));
  });
}

}  // namespace dcmveil::rules
