// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <set>

#include "cli/exit_codes.h"
#include "cli/footer.h"
#include "cli/load.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "engine/deidentify.h"
#include "engine/plan.h"
#include "pipeline/folder_source.h"
#include "rules/statement.h"

namespace dcmveil::cli {
namespace {

struct Flags {
  std::string rules;
  std::string key;
  std::string sample;
  bool all_rows = false;
};

std::string Row(const rules::RowStatement& statement) {
  std::string text = "  " + rules::NameOf(*statement.row);
  text.resize(std::max<std::size_t>(text.size(), 44), ' ');
  text += " " + std::string(statement.row->code.text);
  text.resize(std::max<std::size_t>(text.size(), 52), ' ');
  return text + " " + statement.what;
}

/// What the rules do with the attributes that PS3.15 protects: what may pass comes first.
void PrintRows(const RuleSet& rules, bool all) {
  const std::vector<rules::RowStatement> rows = rules::StateRows(rules);
  using Kind = rules::RowStatement::Kind;
  const auto print = [&](const char* title, const auto& wanted) {
    std::string text;
    std::size_t count = 0;
    for (const rules::RowStatement& row : rows) {
      if (!wanted(row)) continue;
      ++count;
      text += Row(row) + "\n";
    }
    if (count > 0) std::printf("%s (%zu):\n%s", title, count, text.c_str());
    return count;
  };
  std::printf(
      "The %zu attributes of PS3.15 table E.1-1 (attribute, Basic Profile, what decides):\n",
      rows.size());
  std::size_t told = print("may pass unchanged", [](const auto& row) { return row.may_pass; });
  told += print("decided by rules of the file",
                [](const auto& row) { return !row.may_pass && row.kind != Kind::kProfile; });
  if (all) {
    print("as the profile says", [](const auto& row) { return row.kind == Kind::kProfile; });
  } else if (told < rows.size()) {
    std::printf("as the profile says: %zu (--rows lists them)\n", rows.size() - told);
  }
}

/// Counts the attributes that no rule names, and never looks at their values.
class Coverage : public engine::Observer {
 public:
  explicit Coverage(std::string otherwise) : otherwise_(std::move(otherwise)) {}
  void OnElement(const Event& event) override {
    ++elements_;
    if (event.origin != otherwise_) return;
    std::string name = ToString(event.path.back().tag);
    if (!event.path.back().creator.empty()) {
      name = "private " + name;
    } else {
      name += " " + std::string(event.keyword);
    }
    in_this_file_.insert(name + " " + std::string(ToString(event.vr)) + ": " +
                         std::string(event.action));
  }
  void EndFile() {
    for (const std::string& name : in_this_file_) ++files_with_[name];
    in_this_file_.clear();
    ++files_;
  }
  void Print() const {
    std::printf(
        "%zu files, %zu elements; what no rule names (attribute: what `otherwise` does, "
        "number of files):\n",
        files_, elements_);
    for (const auto& [name, count] : files_with_) {
      std::printf("  %-60s %zu\n", name.c_str(), count);
    }
    if (files_with_.empty()) std::printf("  nothing\n");
  }

 private:
  std::string otherwise_;
  std::set<std::string> in_this_file_;
  std::map<std::string, std::size_t> files_with_;
  std::size_t files_ = 0;
  std::size_t elements_ = 0;
};

int Sample(const RuleSet& rules, const std::string& folder) {
  Coverage coverage(rules.plan()->parts().otherwise_origin);
  pipeline::FolderSource source(folder);
  std::size_t unreadable = 0;
  while (const std::optional<pipeline::Input> input = source.Next()) {
    Result<std::shared_ptr<engine::ByteSource>> bytes =
        input->problem ? Result<std::shared_ptr<engine::ByteSource>>(*input->problem)
                       : engine::ByteSource::OpenFile(input->file);
    Result<engine::ParsedInstance> parsed =
        bytes ? engine::ReadInstance(*bytes) : Result<engine::ParsedInstance>(bytes.error());
    const bool done = parsed && engine::Deidentify(*parsed, *rules.plan(), &coverage).ok();
    if (!done) ++unreadable;
    coverage.EndFile();
  }
  coverage.Print();
  if (unreadable > 0) std::printf("%zu of the files would be quarantined\n", unreadable);
  return kAllWell;
}

int Check(const Flags& flags) {
  const std::optional<RuleSet> rules =
      Load(flags.rules, {.key_file = flags.key, .allow_missing_key = true}, true);
  if (!rules) return kUsage;
  const engine::PlanParts& parts = rules->plan()->parts();
  const auto count = [&](Diagnostic::Severity severity) {
    return std::count_if(rules->warnings().begin(), rules->warnings().end(),
                         [severity](const Diagnostic& d) { return d.severity == severity; });
  };
  std::printf(
      "%s: %zu rules, %zu reject, otherwise %s; no errors, %td warning(s); hash %.16s%s%s\n",
      rules->name().c_str(), parts.rules.size() + parts.adds.size(), parts.rejects.size(),
      parts.otherwise_keep ? "keep" : "remove", count(Diagnostic::Severity::kWarning),
      rules->hash().c_str(), rules->key_id().empty() ? "" : ", key ", rules->key_id().c_str());
  PrintRows(*rules, flags.all_rows);
  return flags.sample.empty() ? kAllWell : Sample(*rules, flags.sample);
}

}  // namespace

Verb AddCheck(CLI::App& command) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* app = command.add_subcommand("check", "Check a rule file; writes nothing");
  app->add_option("-r,--rules", flags->rules, "Rule file")->required()->type_name("RULES");
  app->add_option("--key", flags->key, "Key file to use instead of the rule file's")
      ->type_name("FILE");
  app->add_option("--sample", flags->sample,
                  "Also list the attributes in this folder's files that no rule names")
      ->check(CLI::ExistingPath)
      ->type_name("FOLDER");
  app->add_flag("--rows", flags->all_rows,
                "List every attribute of PS3.15 table E.1-1, also those that the profile decides");
  SetFooter(*app,
            {"dcmveil check -r rules.yaml", "dcmveil check -r rules.yaml --sample archive/ --rows"},
            kExitCodesHelp);
  return {app, [flags] { return Check(*flags); }};
}

}  // namespace dcmveil::cli
