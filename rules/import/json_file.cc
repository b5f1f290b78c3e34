// SPDX-License-Identifier: Apache-2.0
#include "rules/import/json_file.h"

#include <deque>
#include <nlohmann/json.hpp>
#include <utility>
#include <variant>

#include "rules/import/ctp_rule.h"
#include "rules/selector.h"

namespace dcmveil::rules {

Node ReadJsonObject(const SourceFile& source, const std::string& hint) {
  Diagnostics diagnostics;
  std::optional<Node> root;
  if (nlohmann::json::accept(source.text)) {
    // JSON is YAML; this reader knows the lines, and refuses a key that stands there twice.
    root = ParseYaml(source, source.text, diagnostics);
  } else {
    diagnostics.Error({&source, 0, 0}, "no JSON", hint);
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
