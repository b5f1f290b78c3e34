// SPDX-License-Identifier: Apache-2.0
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "cli/exit_codes.h"
#include "cli/job_file.h"
#include "cli/verbs.h"
#include "dcmveil/engine.h"
#include "engine/dictionary.h"

namespace {

/// A core dump would hold keys and identifiers; nor may another process of the user look in.
void ForbidCoreDumps() {
  const rlimit none = {0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

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
  const std::array verbs = {AddRun(app),    AddCheck(app),   AddExplain(app),     AddVerify(app),
                            AddReport(app), AddProof(app),   AddConformance(app), AddActions(app),
                            AddKeygen(app), AddDecrypt(app), AddReidentify(app),  AddCrosswalk(app),
                            AddMerge(app),  AddImport(app)};
  try {
    std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
    std::optional<std::vector<std::string>> expanded = ExpandJobFiles(arguments);
    if (!expanded) return kUsage;
    // CLI11 takes them from the back.
    std::reverse(expanded->begin(), expanded->end());
    app.parse(std::move(*expanded));
  } catch (const CLI::ParseError& error) {
    std::vector<std::string> names;
    names.reserve(verbs.size());
    for (const Verb& verb : verbs) names.push_back(verb.app->get_name());
    const std::vector<std::string_view> words(names.begin(), names.end());
    if (argc > 1 && argv[1][0] != '-' &&
        std::find(words.begin(), words.end(), argv[1]) == words.end()) {
      const std::string nearest = dcmveil::NearestWord(argv[1], words).value_or("");
      std::fprintf(stderr, "dcmveil: %s: no such verb%s\nRun with --help for more information.\n",
                   argv[1], nearest.empty() ? "" : ("; did you mean " + nearest + "?").c_str());
      return kUsage;
    }
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
  ForbidCoreDumps();
  try {
    return Main(argc, argv);
  } catch (const std::exception&) {
    // what() of a library's exception could quote a value.
    std::fprintf(stderr, "dcmveil: an unexpected error ended the program; please report it\n");
    return dcmveil::cli::kCouldNotGoOn;
  }
}
