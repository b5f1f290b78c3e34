// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "cli/exit_codes.h"
#include "cli/footer.h"
#include "cli/options.h"
#include "cli/verbs.h"
#include "pipeline/description.h"
#include "pipeline/paths.h"
#include "report/proof.h"

namespace dcmveil::cli {
namespace {

struct Flags {
  std::string state;
  std::string file = "proof.json";
  std::string sign_key;
  std::string proof;
  std::string output;
  std::string public_key;
  int jobs = 0;
};

constexpr const char* kExitCodes =
    "Exit status: 0 the proof was written, or holds; 1 could not go on; 2 the command is wrong;\n"
    "4 something is not as the proof says.";

int Wrong(const std::string& message) {
  std::fprintf(stderr, "dcmveil: %s\n", message.c_str());
  return kUsage;
}

int Make(const Flags& flags) {
  for (const std::filesystem::path& place : pipeline::PlacesOf(flags.state)) {
    if (pipeline::IsWithin(flags.file, place)) {
      return Wrong("the proof " + flags.file + " lies inside " + place.string());
    }
  }
  if (const auto why = report::WhyNoPlaceForProof(flags.file)) return Wrong(*why);
  const std::optional<std::string> problem =
      report::WriteProofFile(flags.state, flags.file, flags.sign_key, flags.jobs);
  if (!problem) return kAllWell;
  std::fprintf(stderr, "dcmveil: %s\n", problem->c_str());
  return kCouldNotGoOn;
}

int Check(const Flags& flags) {
  if (!flags.public_key.empty()) {
    if (const auto why = report::WhyNoPublicKey(flags.public_key)) return Wrong(*why);
  }
  const report::ProofCheck check =
      report::CheckProof(flags.proof, flags.output, flags.public_key, flags.jobs);
  for (const std::string& text : check.right) std::printf("holds: %s\n", text.c_str());
  for (const std::string& text : check.notes) std::printf("note: %s\n", text.c_str());
  for (const std::string& text : check.wrong) std::printf("WRONG: %s\n", text.c_str());
  if (check.problem) {
    std::fprintf(stderr, "dcmveil: %s\n", check.problem->c_str());
    return kCouldNotGoOn;
  }
  return check.wrong.empty() ? kAllWell : kLeakFound;
}

}  // namespace

Verb AddProof(CLI::App& command) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* app = command.add_subcommand(
      "proof", "Write or check what a recipient may know of a run: hashes and counts, no values");
  app->require_subcommand(1);
  CLI::App* make = app->add_subcommand("make", "Write the proof of a finished run");
  make->add_option("--state", flags->state, "State folder of the run")
      ->required()
      ->type_name("DIR");
  make->add_option("-o,--out", flags->file,
                   "File to write [proof.json]; nothing but an earlier proof is overwritten")
      ->type_name("FILE");
  make->add_option("--sign-key", flags->sign_key,
                   "Private key of Ed25519 (PEM), as openssl genpkey -algorithm ed25519 makes it")
      ->type_name("FILE");
  CLI::App* check = app->add_subcommand("check", "Check a proof, without network or inputs");
  check->add_option("proof", flags->proof, "The proof")->required()->type_name("FILE");
  check->add_option("--output", flags->output, "The files that came with it")->type_name("DIR");
  check->add_option("--public-key", flags->public_key, "Key of who should have signed it (PEM)")
      ->type_name("FILE");
  for (CLI::App* verb : {make, check}) {
    AddJobs(*verb, flags->jobs);
    verb->footer(kExitCodes);
  }
  SetFooter(*app,
            {"dcmveil proof make --state export.dcmveil --sign-key private.pem",
             "dcmveil proof check proof.json --output export/ --public-key public.pem"},
            kExitCodes);
  return {app, [flags, make] { return make->parsed() ? Make(*flags) : Check(*flags); }};
}

}  // namespace dcmveil::cli
