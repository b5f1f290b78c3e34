// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdio>
#include <exception>

#include "cli/exit_codes.h"
#include "cli/verbs.h"
#include "dcmveil/engine.h"

namespace {

int Main(int argc, char** argv) {
  using namespace dcmveil::cli;  // NOLINT(google-build-using-namespace)
  CLI::App app(
      "dcmveil de-identifies DICOM by rules that a researcher can read.\n\n"
      "First export:  dcmveil keygen project.key\n"
      "               dcmveil check -r rules.yaml\n"
      "               dcmveil explain -r rules.yaml one-file.dcm\n"
      "               dcmveil run -r rules.yaml -i archive/ -o export/",
      "dcmveil");
  app.set_version_flag("--version", "dcmveil " + std::string(dcmveil::Version()));
  app.require_subcommand(1);
  app.footer(kExitCodesHelp);
  const std::array verbs = {AddRun(app),     AddCheck(app),  AddExplain(app), AddConformance(app),
                            AddActions(app), AddKeygen(app), AddDecrypt(app)};
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // --help and --version arrive here too, with exit code 0.
    return app.exit(error) == 0 ? kAllWell : kUsage;
  }
  for (const Verb& verb : verbs) {
    if (verb.app->parsed()) return verb.run();
  }
  return kUsage;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Main(argc, argv);
  } catch (const std::exception&) {
    // what() of a library's exception could quote a value.
    std::fprintf(stderr, "dcmveil: an unexpected error ended the program; please report it\n");
    return dcmveil::cli::kCouldNotGoOn;
  }
}
