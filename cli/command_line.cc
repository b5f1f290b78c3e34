// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include "cli/exit_codes.h"
#include "cli/footer.h"
#include "cli/version.h"

namespace dcmveil::cli {

CommandLine MakeCommandLine() {
  CommandLine line;
  line.app = std::make_unique<CLI::App>(
      "dcmveil de-identifies DICOM by rules that a researcher can read", "dcmveil");
  CLI::App& app = *line.app;
  CLI::Option* version = app.set_version_flag(
      "--version", [&app] { return app.count("--json") > 0 ? VersionJson() : VersionLine(); },
      "Print the version and exit");
  CLI::Option* json = app.add_flag("--json");
  json->description("With --version: as JSON, with the compiler and the libraries it was built on")
      ->needs(version);
  app.require_subcommand(1);
  SetFooter(app,
            {"dcmveil keygen project.key", "dcmveil check -r rules.yaml",
             "dcmveil explain -r rules.yaml one-file.dcm",
             "dcmveil run -r rules.yaml -i archive/ -o export/"},
            kExitCodesHelp);
  line.verbs = {AddRun(app),    AddCheck(app),   AddExplain(app),     AddVerify(app),
                AddReport(app), AddProof(app),   AddConformance(app), AddActions(app),
                AddKeygen(app), AddDecrypt(app), AddReidentify(app),  AddCrosswalk(app),
                AddMerge(app),  AddImport(app)};
  return line;
}

}  // namespace dcmveil::cli
