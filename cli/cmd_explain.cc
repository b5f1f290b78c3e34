// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/exit_codes.h"
#include "cli/footer.h"
#include "cli/load.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "engine/deidentify.h"

namespace dcmveil::cli {
namespace {

struct Flags {
  std::string rules;
  std::string key;
  std::string file;
  bool json = false;
  bool changes = false;
};

struct Row {
  std::size_t depth = 0;
  std::string path;
  std::string keyword;
  std::string vr;
  std::string action;
  std::string origin;
  std::string before;
  std::string after;
  bool removed = false;
};

class Collector : public engine::Observer {
 public:
  void OnElement(const Event& event) override {
    // A sequence is told of when its items are done; people read it in front of them.
    const auto before_items = std::find_if(rows.rbegin(), rows.rend(), [&event](const Row& row) {
      return row.depth <= event.path.size();
    });
    rows.insert(before_items.base(), {.depth = event.path.size(),
                                      .path = engine::ToString(event.path),
                                      .keyword = std::string(event.keyword),
                                      .vr = std::string(ToString(event.vr)),
                                      .action = std::string(event.action),
                                      .origin = std::string(event.origin),
                                      .before = event.before,
                                      .after = event.after,
                                      .removed = event.removed});
  }
  std::vector<Row> rows;
};

/// Control characters would let a value draw on the terminal.
std::string Printable(const std::string& text, std::size_t longest) {
  std::string shown;
  std::size_t characters = 0;
  unsigned char last = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0U) != 0x80U && ++characters > longest) return shown + "…";
    // U+0080 to U+009F are control characters too.
    const bool c1 = last == 0xC2 && byte >= 0x80 && byte < 0xA0;
    if (c1) shown.pop_back();
    shown.push_back(c1 || byte < 0x20 || byte == 0x7F ? '.' : c);
    last = byte;
  }
  return shown;
}

std::string Padded(std::string text, std::size_t width) {
  std::size_t characters = 0;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) ++characters;
  }
  if (characters < width) text.append(width - characters, ' ');
  return text;
}

void PrintTable(const std::vector<Row>& rows, bool changes_only) {
  const Style style(STDOUT_FILENO);
  std::printf("%s\n", style
                          .Bold(Padded("element", 46) + Padded("VR", 4) + Padded("action", 13) +
                                Padded("decided by", 26) + "before -> after")
                          .c_str());
  for (const Row& row : rows) {
    const bool same = !row.removed && row.before == row.after;
    if (changes_only && same) continue;
    // Among changes only, the sequences that lead to an element may be missing: show the whole way.
    const std::size_t step = changes_only ? 0 : row.path.rfind('(');
    const std::string indent(changes_only ? 0 : 2 * (row.depth - 1), ' ');
    const std::string name = indent + row.path.substr(step) + " " + row.keyword;
    std::string line = Padded(Printable(name, 45), 46) + Padded(row.vr, 4) +
                       Padded(row.action, 13) + Padded(Printable(row.origin, 25), 26);
    const std::string before = Printable(row.before, 40);
    if (same) {
      std::printf("%s\n", style.Dim(line + before).c_str());
    } else if (row.removed) {
      std::printf("%s\n", style.Red(line + before + " -> removed").c_str());
    } else {
      const std::string after = row.after.empty() ? "(empty)" : Printable(row.after, 40);
      std::printf("%s\n", style.Green(line + before + " -> " + after).c_str());
    }
  }
}

void PrintJson(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const nlohmann::ordered_json line = {
        {"path", row.path},
        {"keyword", row.keyword},
        {"vr", row.vr},
        {"action", row.action},
        {"decided_by", row.origin},
        {"before", row.before},
        {"after", row.removed ? nlohmann::ordered_json() : nlohmann::ordered_json(row.after)},
        {"removed", row.removed}};
    std::printf(
        "%s\n",
        line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace).c_str());
  }
}

int Explain(const Flags& flags) {
  const std::optional<RuleSet> rules =
      Load(flags.rules, {.key_file = flags.key, .allow_missing_key = true}, false);
  if (!rules) return kUsage;
  Result<std::shared_ptr<engine::ByteSource>> source = engine::ByteSource::OpenFile(flags.file);
  if (!source) {
    std::fprintf(stderr, "dcmveil: %s cannot be read\n", flags.file.c_str());
    return kUsage;
  }
  Collector collector;
  Result<engine::ParsedInstance> parsed = engine::ReadInstance(*source);
  Result<engine::Rewrite> rewrite = parsed ? engine::Deidentify(*parsed, *rules->plan(), &collector)
                                           : Result<engine::Rewrite>(parsed.error());
  if (flags.json) {
    PrintJson(collector.rows);
  } else if (!collector.rows.empty()) {
    PrintTable(collector.rows, flags.changes);
  }
  if (!rewrite) {
    std::fprintf(stderr, "dcmveil: would be quarantined: %s\n", rewrite.error().Message().c_str());
    return kSomeLeft;
  }
  if (rewrite->rejected != nullptr && flags.json) {
    const nlohmann::ordered_json line = {{"rejected", rewrite->rejected->because},
                                         {"decided_by", rewrite->rejected->origin}};
    std::printf("%s\n", line.dump().c_str());
  } else if (rewrite->rejected != nullptr) {
    std::printf("would be rejected by %s: %s\n", rewrite->rejected->origin.c_str(),
                rewrite->rejected->because.c_str());
  }
  return kAllWell;
}

}  // namespace

Verb AddExplain(CLI::App& command) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* app = command.add_subcommand(
      "explain",
      "Show what happens to each element of one file, and which rule decides (prints values)");
  app->add_option("-r,--rules", flags->rules, "Rule file")->required()->type_name("RULES");
  app->add_option("--key", flags->key, "Key file to use instead of the rule file's")
      ->type_name("FILE");
  app->add_option("FILE", flags->file, "DICOM file")->required();
  app->add_flag("--changes", flags->changes, "Only elements that change");
  app->add_flag("--json", flags->json, "One JSON object a line");
  SetFooter(*app,
            {"dcmveil explain -r rules.yaml one-file.dcm",
             "dcmveil explain -r rules.yaml one-file.dcm --changes --json"},
            kExitCodesHelp);
  return {app, [flags] { return Explain(*flags); }};
}

}  // namespace dcmveil::cli
