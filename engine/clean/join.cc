// SPDX-License-Identifier: Apache-2.0
#include "engine/clean/join.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

namespace dcmveil::engine::clean {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t'; }
bool IsOpening(char c) { return c == '(' || c == '[' || c == '{'; }
bool IsClosing(char c) { return c == ')' || c == ']' || c == '}'; }

/// Without brackets, and without signs that belonged to what was cut.
std::string Separator(std::string_view gap) {
  std::string out;
  for (const char c : gap) {
    if (IsOpening(c) || IsClosing(c) ||
        std::string_view("#@'\"^*~<>").find(c) != std::string_view::npos) {
      continue;
    }
    if (IsBlank(c) && !out.empty() && IsBlank(out.back())) continue;
    out += c;
  }
  return out;
}

/// Which of two separators says more; a sign without blanks around it only ties two words.
int Weight(std::string_view gap) {
  const auto has = [gap](std::string_view signs) {
    return gap.find_first_of(signs) != std::string_view::npos;
  };
  if (has("\r\n\f")) return 6;
  if (has(".;!?") && (gap.size() > 1 || gap.front() != '.')) return 5;
  if (has(",")) return 4;
  if (has("-/:|=+&") && has(" ")) return 3;
  if (has(" ")) return 2;
  return gap.empty() ? 0 : 1;
}

/// Brackets in all gaps around cut words that are not closed among themselves: those that close
/// belong to what stands before, those that open to what follows.
std::pair<std::string, std::string> OpenBrackets(const std::vector<std::string_view>& gaps) {
  std::string closing;
  std::string opening;
  for (const std::string_view gap : gaps) {
    for (const char c : gap) {
      if (IsOpening(c)) {
        opening += c;
      } else if (IsClosing(c)) {
        if (opening.empty()) {
          closing += c;
        } else {
          opening.pop_back();
        }
      }
    }
  }
  return {closing, opening};
}

void TrimEnd(std::string& text, std::string_view signs) {
  while (!text.empty() && signs.find(text.back()) != std::string_view::npos) text.pop_back();
}

/// The separator between two kept words with cut ones between them.
std::string Between(const std::vector<std::string_view>& gaps) {
  const std::string first = Separator(gaps.front());
  const std::string last = Separator(gaps.back());
  const auto [closing, opening] = OpenBrackets(gaps);
  std::string middle = Weight(last) > Weight(first) ? last : first;
  if (middle.empty()) middle = Weight(first) >= Weight(last) ? first : last;
  const auto begin = std::find_if_not(middle.begin(), middle.end(), IsBlank);
  if (begin != middle.end() && (*begin == ',' || *begin == ';' || *begin == '.')) {
    middle.erase(middle.begin(), begin);
  }
  if (middle.empty() && closing.empty() && opening.empty()) middle = " ";
  std::string out = closing;
  out += middle;
  if (!opening.empty() && !out.empty() && !IsBlank(out.back())) out += ' ';
  out += opening;
  return out;
}

}  // namespace

std::string JoinKept(const Text& text, const std::vector<bool>& cut) {
  std::string out;
  std::vector<std::string_view> gaps;
  bool any = false;
  bool any_cut = false;
  for (std::size_t i = 0; i <= cut.size(); ++i) {
    gaps.push_back(text.Gap(i));
    // A point behind an initial or an abbreviation that went ends no sentence; a plus before a
    // number that went adds nothing.
    const bool abbreviated =
        i > 0 && cut[i - 1] && text.words[i - 1].end - text.words[i - 1].begin <= 3;
    if (abbreviated && gaps.back().starts_with('.')) gaps.back().remove_prefix(1);
    if (i < cut.size() && cut[i] && gaps.back().ends_with('+')) gaps.back().remove_suffix(1);
    if (i < cut.size() && cut[i]) {
      any_cut = true;
      continue;
    }
    const bool at_end = i == cut.size();
    if (!any_cut) {
      out += gaps.front();
    } else if (at_end) {
      if (any) {
        const std::string first = Separator(gaps.front());
        TrimEnd(out, " \t\r\n,;:-_/=|&+");
        out += OpenBrackets(gaps).first;
        // The sentence before had ended.
        if (first.starts_with('.')) out += '.';
      }
    } else if (any) {
      out += Between(gaps);
    } else {
      // At the start, only what opens or signs the first kept word.
      out += OpenBrackets(gaps).second;
      if (gaps.back().ends_with('+')) out += '+';
    }
    if (!at_end) {
      out += text.Original(i);
      any = true;
    }
    gaps.clear();
    any_cut = false;
  }
  return any ? out : std::string();
}

}  // namespace dcmveil::engine::clean
