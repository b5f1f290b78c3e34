// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cli/exit_codes.h"
#include "cli/footer.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "engine/text_file.h"
#include "rules/import/ctp.h"
#include "rules/import/deid.h"
#include "rules/import/kitware.h"
#include "rules/import/orthanc.h"

namespace dcmveil::cli {
namespace {

struct Flags {
  std::string file;
  bool compatible_hashes = false;
  bool modify = false;
  bool anonymize = false;
};

constexpr const char* kExitCodes =
    "Exit status: 0 every rule was translated; 1 could not go on; 2 the command or the file is\n"
    "wrong; 3 finished, but something was replaced by a stricter rule, as said on standard error\n"
    "and in the output; 130 interrupted.";

using Importer = std::function<rules::Imported(const std::string& text, const Flags& flags)>;

rules::Imported FromCtp(const std::string& text, const Flags& flags) {
  return rules::ImportCtp(text, flags.file, {.compatible_hashes = flags.compatible_hashes});
}

rules::Imported FromDeid(const std::string& text, const Flags& flags) {
  return rules::ImportDeid(text, flags.file);
}

rules::Imported FromKitware(const std::string& text, const Flags& flags) {
  return rules::ImportKitware(text, flags.file);
}

rules::Imported FromOrthanc(const std::string& text, const Flags& flags) {
  using Request = rules::OrthancRequest;
  return rules::ImportOrthanc(text, flags.file,
                              flags.modify      ? Request::kModify
                              : flags.anonymize ? Request::kAnonymize
                                                : Request::kGuess);
}

int Import(const Flags& flags, const Importer& importer) {
  const std::optional<std::string> text =
      engine::ReadTextFile(flags.file, engine::kLongestRuleFile, engine::FileKind::kRegularOrPipe);
  if (!text) {
    std::fprintf(stderr, "dcmveil: %s: cannot be read\n", flags.file.c_str());
    return kUsage;
  }
  try {
    const rules::Imported imported = importer(*text, flags);
    if (std::fwrite(imported.yaml.data(), 1, imported.yaml.size(), stdout) !=
            imported.yaml.size() ||
        std::fflush(stdout) != 0) {
      std::fprintf(stderr, "dcmveil: the rules cannot be written\n");
      return kCouldNotGoOn;
    }
    Print(imported.remarks);
    const auto replaced = std::count_if(
        imported.remarks.begin(), imported.remarks.end(),
        [](const Diagnostic& d) { return d.severity == Diagnostic::Severity::kWarning; });
    if (replaced > 0) {
      std::fprintf(stderr, "dcmveil: %td part%s of the file could not be translated\n", replaced,
                   replaced == 1 ? "" : "s");
    }
    if (flags.compatible_hashes) {
      std::fprintf(stderr,
                   "dcmveil: warning: compatible hashes have no key: whoever guesses a value can "
                   "test the guess\n");
    }
    if (imported.needs_key) {
      std::fprintf(stderr, "dcmveil: the rules need a key: dcmveil keygen project.key\n");
    }
    return imported.complete ? kAllWell : kSomeLeft;
  } catch (const RuleError& error) {
    Print(error.diagnostics());
    return kUsage;
  }
}

}  // namespace

Verb AddImport(CLI::App& command) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* app = command.add_subcommand(
      "import", "Translate another tool's rules into a rule file, on standard output");
  app->require_subcommand(1);
  CLI::App* ctp = app->add_subcommand("ctp",
                                      "A script of CTP: of its DicomAnonymizer, XML or "
                                      "properties, its DicomFilter, or its "
                                      "DicomPixelAnonymizer");
  ctp->add_flag("--compatible-hashes", flags->compatible_hashes,
                "Write the MD5 values that CTP would write, so that pseudonyms given out before "
                "stay valid. They have no key and can be reversed by guessing");
  CLI::App* deid = app->add_subcommand("deid", "A recipe of pydicom/deid");
  CLI::App* orthanc =
      app->add_subcommand("orthanc", "The JSON of a request to Orthanc's /anonymize or /modify");
  CLI::Option* modify = orthanc->add_flag("--modify", flags->modify, "The request goes to /modify");
  orthanc->add_flag("--anonymize", flags->anonymize, "The request goes to /anonymize")
      ->excludes(modify);
  CLI::App* kitware =
      app->add_subcommand("kitware", "A JSON dictionary of Kitware's dicom-anonymizer");
  for (CLI::App* tool : {ctp, deid, orthanc, kitware}) {
    tool->add_option("FILE", flags->file, "The other tool's file")->required();
    tool->footer(kExitCodes);
  }
  SetFooter(*app,
            {"dcmveil import ctp dicom-anonymizer.script > rules.yaml",
             "dcmveil import deid deid.recipe > rules.yaml",
             "dcmveil import orthanc request.json > rules.yaml",
             "dcmveil import kitware dictionary.json > rules.yaml"},
            kExitCodes);
  return {app, [flags, ctp, deid, orthanc] {
            return Import(*flags, ctp->parsed()       ? FromCtp
                                  : deid->parsed()    ? FromDeid
                                  : orthanc->parsed() ? FromOrthanc
                                                      : FromKitware);
          }};
}

}  // namespace dcmveil::cli
