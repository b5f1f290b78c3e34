// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <memory>
#include <string>

#include "cli/exit_codes.h"
#include "cli/footer.h"
#include "cli/load.h"
#include "cli/verbs.h"
#include "rules/statement.h"

namespace dcmveil::cli {
namespace {

struct Flags {
  std::string rules;
};

int Conformance(const Flags& flags) {
  const std::optional<RuleSet> rules =
      Load(flags.rules, {.key_file = {}, .allow_missing_key = true}, false);
  if (!rules) return kUsage;
  const std::string text = rules::ConformanceStatement(*rules);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return kAllWell;
}

}  // namespace

Verb AddConformance(CLI::App& command) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* app = command.add_subcommand(
      "conformance", "Write the Conformance Statement of PS3.15 E.1.3 in Markdown");
  app->add_option("-r,--rules", flags->rules, "Rule file")->required()->type_name("RULES");
  SetFooter(*app, {"dcmveil conformance -r rules.yaml > conformance.md"}, kExitCodesHelp);
  return {app, [flags] { return Conformance(*flags); }};
}

}  // namespace dcmveil::cli
