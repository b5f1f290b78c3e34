// SPDX-License-Identifier: Apache-2.0
#include "rules/import/python_pattern.h"

#include <string_view>

#include "rules/import/clause.h"

namespace dcmveil::rules {
namespace {

// Python's classes know all of Unicode, RE2's only ASCII. Without brackets around them.
std::string_view UnicodeClass(char letter) {
  switch (letter) {
    case 'd':
    case 'D':
      return R"(\p{Nd})";
    case 'w':
    case 'W':
      return R"(\p{L}\p{N}_)";
    case 's':
    case 'S':
      return R"(\s\v\x1c-\x1f\x{85}\p{Z})";
    default:
      return {};
  }
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::optional<std::string> PatternOfPython(const std::string& pattern) {
  if (!MeansTheSameInRe2(pattern)) return std::nullopt;
  std::string out;
  bool in_class = false;
  std::size_t first = 0;  // of the class: a bracket there is itself
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size()) {
      const char escaped = pattern[++i];
      const std::string_view letters = UnicodeClass(escaped);
      const bool negative = escaped >= 'A' && escaped <= 'Z';
      // Where a word ends depends on what letters are, too.
      if (escaped == 'b' || escaped == 'B' || (in_class && negative)) return std::nullopt;
      if (letters.empty()) {
        out += {c, escaped};
      } else if (in_class) {
        out += letters;
      } else {
        out += (negative ? "[^" : "[") + std::string(letters) + "]";
      }
      continue;
    }
    if (in_class) {
      in_class = c != ']' || i == first;
    } else if (c == '[') {
      in_class = true;
      first = i + 1 + (pattern.substr(i + 1, 1) == "^" ? 1 : 0);
    } else if (c == '$') {
      // It also stands in front of the last line's end.
      out += "\\n?";
    }
    out += c;
  }
  return out;
}

std::optional<std::string> ReplacementOfPython(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    const std::string_view rest = std::string_view(text).substr(i + 1);
    if (rest.starts_with('\\')) {
      out += "\\\\";
      i += 1;
    } else if (rest.size() >= 4 && rest.starts_with("g<") && IsDigit(rest[2]) && rest[3] == '>') {
      out += {'\\', rest[2]};
      i += 4;
    } else if (!rest.empty() && rest[0] >= '1' && rest[0] <= '9' &&
               !(rest.size() > 1 && IsDigit(rest[1]))) {
      out += {'\\', rest[0]};
      i += 1;
    } else {
      return std::nullopt;
    }
  }
  return out;
}

}  // namespace dcmveil::rules
