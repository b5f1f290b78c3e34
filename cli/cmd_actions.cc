// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <memory>

#include "cli/exit_codes.h"
#include "cli/footer.h"
#include "cli/verbs.h"
#include "engine/action.h"

namespace dcmveil::cli {
namespace {

int PrintActions() {
  for (const engine::ActionSpec* spec : engine::AllActions()) {
    std::printf("%.*s: %.*s\n", static_cast<int>(spec->name.size()), spec->name.data(),
                static_cast<int>(spec->summary.size()), spec->summary.data());
    for (const engine::ParamSpec& param : spec->params) {
      std::string extra;
      if (param.default_value) extra = " [" + std::string(*param.default_value) + "]";
      std::printf("    %.*s: %.*s%s\n", static_cast<int>(param.name.size()), param.name.data(),
                  static_cast<int>(param.summary.size()), param.summary.data(), extra.c_str());
    }
  }
  return kAllWell;
}

}  // namespace

Verb AddActions(CLI::App& command) {
  CLI::App* app = command.add_subcommand("actions", "List the actions that rules can name");
  SetFooter(*app, {"dcmveil actions"}, kExitCodesHelp);
  return {app, [] { return PrintActions(); }};
}

}  // namespace dcmveil::cli
