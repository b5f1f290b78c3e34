// SPDX-License-Identifier: Apache-2.0
#include "rules/import/json_file.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <nlohmann/json.hpp>
#include <utility>
#include <variant>

#include "rules/import/ctp_rule.h"
#include "rules/selector.h"

namespace dcmveil::rules {

namespace {

constexpr std::size_t kEscape = 6;  // \uD83D

// The character of an escape, or 0 if there is none here.
std::uint32_t Escaped(std::string_view text, std::size_t at) {
  std::uint32_t unit = 0;
  if (text.substr(at, 2) != "\\u" || text.size() < at + kEscape) return 0;
  const char* const end = text.data() + at + kEscape;
  return std::from_chars(text.data() + at + 2, end, unit, 16).ptr == end ? unit : 0;
}

// Characters that JSON writes as two escapes, of which YAML knows none. The JSON is known to be
// good, so that no half stands alone.
std::string WithoutSurrogates(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::uint32_t high = Escaped(text, i);
    if (high < 0xD800 || high > 0xDBFF) {
      out += text[i];
      // What a backslash stands before is no escape of its own.
      if (text[i] == '\\' && i + 1 < text.size()) out += text[++i];
      continue;
    }
    const std::uint32_t low = Escaped(text, i + kEscape);
    const std::uint32_t point = 0x10000 + ((high & 0x3FFU) << 10U) + (low & 0x3FFU);
    for (const unsigned shift : {18U, 12U, 6U, 0U}) {
      const std::uint32_t bits = (point >> shift) & (shift == 18U ? 0x07U : 0x3FU);
      out += static_cast<char>((shift == 18U ? 0xF0U : 0x80U) | bits);
    }
    i += 2 * kEscape - 1;
  }
  return out;
}

// The line of the first byte that is no JSON; 0 if all of it is.
int LineOfNoJson(const std::string& text) {
  try {
    [[maybe_unused]] const auto json =
        nlohmann::json::parse(text, [](int, auto, auto&) { return false; });
    return 0;
  } catch (const nlohmann::json::parse_error& error) {
    const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(
                                        std::max(error.byte, std::size_t{1}) - 1, text.size()));
    return 1 + static_cast<int>(std::count(text.begin(), end, '\n'));
  }
}

}  // namespace

Node ReadJsonObject(const SourceFile& source, const std::string& hint) {
  Diagnostics diagnostics;
  std::optional<Node> root;
  if (const int line = LineOfNoJson(source.text); line > 0) {
    diagnostics.Error({&source, line, 1}, "no JSON", hint);
  } else {
    // JSON is YAML; this reader knows the lines, and refuses a key that stands there twice.
    root = ParseYaml(source, WithoutSurrogates(source.text), diagnostics);
  }
  if (root && !root->is_map()) diagnostics.Error(root->place, "no JSON object", hint);
  if (diagnostics.has_errors() || !root) {
    // What a deque of sources would order is one source here.
    const std::deque<SourceFile> none;
    throw RuleError(diagnostics.Sorted(none));
  }
  return std::move(*root);
}

std::optional<NamedTag> ReadNamedTag(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '(' || c == ')' || c == ' ' || c == ',' || c == '-') continue;
    if (c == '0' && i + 1 < text.size() && (text[i + 1] == 'x' || text[i + 1] == 'X') &&
        (i == 0 || text[i - 1] == '(' || text[i - 1] == ' ' || text[i - 1] == ',')) {
      ++i;
      continue;
    }
    plain += c;
  }
  NamedTag out;
  if (const std::optional<CtpTarget> target = ReadCtpTarget(plain);
      target && target->creator.empty()) {
    out.selector = target->selector;
    out.path = target->path;
    out.attribute = target->attribute;
    out.tag = target->tag;
    return out;
  }
  const auto parsed = ParseTag(plain);
  if (!std::holds_alternative<engine::TagPattern>(parsed)) return std::nullopt;
  out.path = plain;
  out.selector = "tag: " + Quoted(plain);
  return out;
}

}  // namespace dcmveil::rules
