// SPDX-License-Identifier: Apache-2.0
#include "tools/reference_doc.h"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "cli/exit_codes.h"
#include "dcmveil/connection.h"
#include "dcmveil/error.h"
#include "engine/action.h"
#include "rules/connection_words.h"
#include "rules/language.h"
#include "rules/profile_tables.h"
#include "tools/markdown.h"

namespace dcmveil::tools {
namespace {

using rules::Option;
using rules::ProfileCode;
using rules::ProfileRow;
using rules::Word;

constexpr ErrorCode kErrors[] = {
#define DCMVEIL_ERROR(name, code, text) ErrorCode::name,
#include "dcmveil/error_codes.def"
#undef DCMVEIL_ERROR
};

constexpr NoteCode kNotes[] = {
#define DCMVEIL_NOTE(name, code, text) NoteCode::name,
#include "dcmveil/note_codes.def"
#undef DCMVEIL_NOTE
};

void AppendWords(std::span<const Word> words, std::string& out) {
  out += "| key | |\n|---|---|\n";
  for (const Word& word : words) {
    out += "| " + Code(word.name) + " | " + Cell(word.summary) + " |\n";
  }
}

struct Section {
  std::string_view text;  ///< in front of the words
  std::span<const Word> words;
};

void AppendLanguage(std::string& out) {
  const Section sections[] = {
      {"\n## The file\n\n", rules::kTopLevelWords},
      {"\n## A rule\n\nExactly one of these selects:\n\n", rules::kSelectorWords},
      {"\nWith it:\n\n", rules::kRuleWords},
      {"\n## A condition\n\n`when:` has elements and what is asked of them; all must hold. Instead "
       "of an element's name:\n\n",
       rules::kCombinerWords},
      {"\nOf an element:\n\n", rules::kTestWords},
      {"\n## `key`\n\nOne of them:\n\n", rules::kKeyWords},
      {"\n## `reject`\n\nA list of\n\n", rules::kRejectWords},
      {"\n## `guard`\n\n`on`, `off`, or\n\n", rules::kGuardWords},
      {"\nAn exception has `tag` or `text`, and a reason:\n\n", rules::kExceptWords},
      {"\n## `escrow`\n\n", rules::kEscrowWords},
      {"\n## `settings`\n\n", rules::kSettingWords},
  };
  for (const Section& section : sections) {
    out += section.text;
    AppendWords(section.words, out);
  }
  out +=
      "\nand, by an action's name, its parameters for all rules that do not give their own: "
      "`date-shift: {days: 180}`.\n";
}

void AppendConnections(std::string& out) {
  out +=
      "\n## A file of connections\n\nHow services are used: [dicomweb.md](dicomweb.md). Below "
      "`connections:`, by names of your own:\n\n";
  AppendWords(rules::kConnectionWords, out);
  out += "\n`auth` has a `type`, and with it:\n\n| type | | keys |\n|---|---|---|\n";
  for (const rules::AuthType& type : rules::kAuthTypes) {
    out += "| " + Code(type.word.name) + " | " + Cell(type.word.summary) + " | ";
    for (std::size_t i = 0; i < type.keys.size() && !type.keys[i].empty(); ++i) {
      out += (i > 0 ? ", " : "") + Code(type.keys[i]);
    }
    out += " |\n";
  }
  out += "\n`password`, `token` and `secret` say where the secret is, never what it is:\n\n";
  AppendWords(rules::kSecretWords, out);
  out += "\n`tls`:\n\n";
  AppendWords(rules::kTlsWords, out);
  out += "\n`limits`:\n\n";
  AppendWords(rules::kLimitWords, out);
  const Connection usual;
  constexpr std::uint64_t kMegabyte = 1'000'000;
  out += "\nWithout limits: " + std::to_string(usual.connections) + " connections, pages of " +
         std::to_string(usual.page) + ", " + std::to_string(usual.attempts) +
         " attempts, given up after " + std::to_string(usual.give_up_after.count()) +
         " s, connected within " + std::to_string(usual.connect_timeout.count()) +
         " s, stalled after " + std::to_string(usual.stall_timeout.count()) + " s, " +
         std::to_string(usual.memory / kMegabyte) + " MB in memory, " +
         std::to_string(usual.ahead / kMegabyte) + " MB ahead.\n\n`store`:\n\n";
  AppendWords(rules::kStoreWords, out);
}

// A name as GitHub makes an anchor of it: actions have letters and '-' only.
void AppendActions(std::string& out) {
  out += "\n## Actions\n\n| action | | parameters |\n|---|---|---|\n";
  for (const engine::ActionSpec* const spec : engine::AllActions()) {
    const std::string name(spec->name);
    out += "| [" + name + "](actions.md#" + name + ") | " + Cell(spec->summary) + " | ";
    for (std::size_t i = 0; i < spec->params.size(); ++i) {
      out += (i > 0 ? ", " : "") + Code(spec->params[i].name);
    }
    out += " |\n";
  }
}

std::size_t CountOf(Option option, ProfileCode code) {
  const auto rows = rules::BasicRows();
  return static_cast<std::size_t>(
      std::count_if(rows.begin(), rows.end(), [option, code](const ProfileRow& row) {
        return rules::CodeFor(row.by_option, option) == code;
      }));
}

void AppendProfile(std::string& out) {
  out += "\n## `profile` and `options`\n\nEdition: " + std::string(rules::ProfileEdition()) +
         ". `basic`: the " + std::to_string(rules::BasicRows().size()) +
         " rows of table E.1-1; `basic+`: " + std::to_string(rules::PlusRows().size()) +
         " more, and what no row names. Of the table's rows an option keeps (K) and cleans (C) so "
         "many; code and section are those of the standard.\n\n"
         "| option | code | section | K | C |\n|---|---|---|--:|--:|\n";
  for (const rules::OptionInfo& info : rules::Options()) {
    out += "| " + Code(info.name) + " | " + std::string(info.method.code) + " | " +
           std::string(info.method.section) + " | " +
           std::to_string(CountOf(info.option, ProfileCode::kK)) + " | " +
           std::to_string(CountOf(info.option, ProfileCode::kC)) + " |\n";
  }
}

void AppendCodes(std::string& out) {
  out +=
      "\n## Reasons\n\nWhy an input was quarantined or failed: `reason` in the manifest. A "
      "rejected "
      "one has the `because` of its rule.\n\n| reason | |\n|---|---|\n";
  for (const ErrorCode code : kErrors) {
    out += "| " + Code(CodeOf(code)) + " | " + Cell(TextOf(code)) + " |\n";
  }
  out +=
      "\n## Notes\n\nWhat was remarkable about an instance that was written: `notes` in the "
      "manifest, with how often.\n\n| note | |\n|---|---|\n";
  for (const NoteCode code : kNotes) {
    out += "| " + Code(CodeOf(code)) + " | " + Cell(TextOf(code)) + " |\n";
  }
}

// From the text of --help: "Exit status: 0 all well; 1 not so; …".
void AppendExitStatuses(std::string& out) {
  out += "\n## Exit status\n\n| status | |\n|---|---|\n";
  std::string text = cli::kExitCodesHelp;
  std::replace(text.begin(), text.end(), '\n', ' ');
  text.erase(0, text.find(": ") + 2);
  if (text.ends_with('.')) text.pop_back();
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find("; ", begin), text.size());
    const std::size_t blank = text.find(' ', begin);
    out += "| " + text.substr(begin, blank - begin) + " | " +
           text.substr(blank + 1, end - blank - 1) + " |\n";
    begin = end + 2;
  }
}

}  // namespace

std::string ReferenceDoc() {
  std::string out =
      "<!-- SPDX-License-Identifier: Apache-2.0 -->\n"
      "<!-- Generated by tools/write_docs.cc from the code's own tables; a test compares. -->\n"
      "# Reference\n\n"
      "Every word of the rules language and every code of the manifest, to look up. How they are "
      "used: [rules.md](rules.md), [profile.md](profile.md), [actions.md](actions.md).\n";
  AppendLanguage(out);
  AppendActions(out);
  AppendProfile(out);
  AppendConnections(out);
  AppendCodes(out);
  AppendExitStatuses(out);
  return out;
}

}  // namespace dcmveil::tools
