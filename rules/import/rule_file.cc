// SPDX-License-Identifier: Apache-2.0
#include "rules/import/rule_file.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "engine/action.h"
#include "rules/yaml.h"

namespace dcmveil::rules {
namespace {

constexpr std::size_t kWidth = 100;
constexpr std::size_t kLongestMessage = 320;

// The words broken into lines of comment.
std::vector<std::string> Wrapped(const std::string& text, const std::string& indent) {
  std::vector<std::string> lines;
  std::string line = indent + "#";
  const std::size_t head = line.size();
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    if (line.size() > head && line.size() + 1 + end - at > kWidth) {
      lines.push_back(line);
      line = indent + "#  ";
    }
    line += " " + text.substr(at, end - at);
    at = end + 1;
  }
  lines.push_back(line);
  return lines;
}

}  // namespace

std::string Quoted(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      out += "\\x";
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 0xFU];
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string Plain(std::string_view text, std::size_t longest) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const char plain = byte < 0x20 || byte == 0x7F ? ' ' : c;
    if (plain == ' ' && out.ends_with(' ')) continue;
    out += plain;
  }
  if (out.size() > longest) {
    // Not in the middle of a character of UTF-8.
    std::size_t end = longest;
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0U) == 0x80U) --end;
    out.resize(end);
    out += " …";
  }
  return out;
}

RuleError Refusal(const std::string& name, int line, const std::string& message,
                  const std::string& hint) {
  return RuleError({{.severity = Diagnostic::Severity::kError,
                     .file = name,
                     .line = line,
                     .column = line > 0 ? 1 : 0,
                     .message = Plain(message, kLongestMessage),
                     .hint = hint}});
}

void RequireText(const std::string& name, std::string_view text, const std::string& hint) {
  if (const int line = FirstBadLine(text); line > 0) {
    throw Refusal(name, line, "not UTF-8 text", hint);
  }
}

std::string List(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string AtLine(int line, std::string_view text) {
  return "line " + std::to_string(line) + ": " + std::string(text);
}

void RuleFile::Remark(Diagnostic::Severity severity, int line, const std::string& message) {
  remarks_.push_back({.severity = severity,
                      .file = name_,
                      .line = line,
                      .column = line > 0 ? 1 : 0,
                      .message = Plain(message, kLongestMessage),
                      .hint = {}});
}

void RuleFile::Replaced(int line, const std::string& what, const std::string& message) {
  complete_ = false;
  Remark(Diagnostic::Severity::kWarning, line, what + ": " + message);
}

void RuleFile::Note(int line, const std::string& what, const std::string& message) {
  Remark(Diagnostic::Severity::kNote, line, what + ": " + message);
}

Imported RuleFile::Finish() {
  MakeItLoad();
  std::stable_sort(remarks_.begin(), remarks_.end(),
                   [](const Diagnostic& a, const Diagnostic& b) { return a.line < b.line; });
  Imported out;
  out.needs_key = NeedsKey();
  out.yaml = Render(out.needs_key, nullptr);
  out.remarks = std::move(remarks_);
  out.complete = complete_;
  return out;
}

bool RuleFile::NeedsKey() const {
  if (profile != "none") return true;
  return std::any_of(rules.begin(), rules.end(), [](const Entry& entry) {
    const std::size_t at = entry.text.find("action: ");
    if (at == std::string::npos) return false;
    const std::string_view rest = std::string_view(entry.text).substr(at + 8);
    const engine::ActionSpec* const spec =
        engine::FindAction(rest.substr(0, rest.find_first_of(",}")));
    return spec != nullptr && (spec->needs_key || spec->name == "pseudonym");
  });
}

std::string RuleFile::Render(bool with_key, std::map<int, Entry*>* places) {
  std::string out;
  int line = 1;
  const auto put = [&](const std::string& text) {
    out += text + "\n";
    ++line;
  };
  const auto comment = [&](const std::string& text, const std::string& indent) {
    for (const std::string& part : Wrapped(text, indent)) put(part);
  };
  const std::string file = std::filesystem::path(name_).filename().string();
  comment("Made by dcmveil import " + tool_ + " from " + Plain(file) + ".", "");
  comment(
      "Read docs/migration.md, then look at what it does: dcmveil check and explain, and run "
      "--dry-run --report.",
      "");
  if (with_key) {
    comment("The rules need a key; make it once and keep a copy: dcmveil keygen project.key", "");
  }
  for (const std::string& text : head) comment(text, "");
  if (!lint_.empty()) {
    put("#");
    comment("Findings about the original:", "");
    for (const std::string& text : lint_) comment("* " + text, "");
  }
  put("dcmveil: 1");
  put("name: " + Quoted(Plain(std::filesystem::path(name_).stem().string(), 60)));
  put("profile: " + profile);
  if (with_key) put("key: {file: project.key}");
  const auto list = [&](std::string_view key, std::vector<Entry>& entries) {
    // A list of comments alone would be none.
    const bool empty = std::none_of(entries.begin(), entries.end(),
                                    [](const Entry& entry) { return entry.text.starts_with('-'); });
    put(std::string(key) + (empty ? ": []" : ":"));
    for (Entry& entry : entries) {
      for (const std::string& text : entry.comments) comment(text, "  ");
      if (places != nullptr) (*places)[line] = &entry;
      put("  " + entry.text);
    }
  };
  list("rules", rules);
  if (!rejects.empty()) list("reject", rejects);
  put(otherwise_keep ? "otherwise: keep" : "otherwise: remove");
  return out;
}

// The loader is the judge of every line: what it refuses is replaced, and then left out.
void RuleFile::MakeItLoad() {
  while (true) {
    std::map<int, Entry*> places;
    const std::string yaml = Render(false, &places);
    try {
      (void)LoadRulesFromText(yaml, name_, ".", {.key_file = {}, .allow_missing_key = true});
      return;
    } catch (const RuleError& error) {
      std::set<Entry*> done;
      for (const Diagnostic& diagnostic : error.diagnostics()) {
        if (diagnostic.severity != Diagnostic::Severity::kError) continue;
        const auto it = places.find(diagnostic.line);
        if (it == places.end()) throw;
        if (done.insert(it->second).second) FallBack(*it->second, diagnostic.message);
      }
    }
  }
}

void RuleFile::FallBack(Entry& entry, const std::string& message) {
  const std::string text =
      "cannot be said in dcmveil's language (" + message + "); " +
      (entry.fallback.empty() ? "it is left out" : "what is strictest stands in its place");
  entry.comments.push_back("REPLACED: " + Plain(text, kLongestMessage));
  Replaced(entry.line, entry.what.empty() ? "rule" : entry.what, text);
  // A comment alone stays where nothing is left.
  entry.text = entry.fallback.empty() ? "# (left out)" : entry.fallback;
  entry.fallback.clear();
}

}  // namespace dcmveil::rules
