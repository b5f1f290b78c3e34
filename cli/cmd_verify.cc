// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "cli/exit_codes.h"
#include "cli/footer.h"
#include "cli/load.h"
#include "cli/options.h"
#include "cli/services.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "pipeline/description.h"
#include "pipeline/service_copies.h"
#include "verify/verify.h"

namespace dcmveil::cli {
namespace {

struct Flags {
  std::string state;
  std::string input;
  std::string output;
  std::string rules;
  std::string connections;
  int jobs = 0;
  bool json = false;
  bool quiet = false;
};

constexpr const char* kExitCodes =
    "Exit status: 0 nothing was found; 1 could not go on; 2 the command or the rules are wrong;\n"
    "4 something was found: a leak, or an output that is not as it should be.";

void PrintText(const verify::Report& report) {
  const Style style(STDOUT_FILENO);
  constexpr std::size_t kMostLines = 100;
  std::size_t lines = 0;
  for (const verify::Finding& finding : report.findings) {
    if (++lines > kMostLines) {
      std::printf("and more; --json has them all\n");
      break;
    }
    std::printf("%s %s%s%s: %s\n", style.Yellow(finding.check).c_str(), finding.file.c_str(),
                finding.where.empty() ? "" : " ", finding.where.c_str(), finding.kind.c_str());
  }
  std::string summary;
  for (const auto& [check, count] : report.counts) {
    if (!summary.empty()) summary += ", ";
    summary += WithCommas(count) + " " + check;
  }
  if (summary.empty()) summary = report.problem ? "not finished" : "nothing found";
  std::printf("%s (%s inputs, %s outputs, %s, %s)\n", style.Bold(summary).c_str(),
              WithCommas(report.inputs).c_str(), WithCommas(report.outputs).c_str(),
              Bytes(static_cast<double>(report.bytes)).c_str(), Duration(report.seconds).c_str());
  if (!report.not_looked_at.empty()) {
    std::uint64_t all = 0;
    std::string reasons;
    for (const auto& [reason, count] : report.not_looked_at) {
      all += count;
      reasons += (reasons.empty() ? "" : ", ") + reason + " " + WithCommas(count);
    }
    std::printf("  inputs not looked at: %s (%s); the run had not read them\n",
                WithCommas(all).c_str(), reasons.c_str());
  }
  for (const std::string& input : report.missing_inputs) {
    std::printf("  not there or cannot be read: %s\n", input.c_str());
  }
  for (const std::string& text : report.not_checked) {
    std::printf("  not checked: %s\n", text.c_str());
  }
}

/// Beside the manifest, for reports and the proof.
bool Store(const std::filesystem::path& state, const std::string& json) {
  std::ofstream file(state / "verify.json", std::ios::trunc);
  file << json << "\n";
  file.close();
  return !file.fail();
}

/// What stands in a service is looked at in copies, which hold what the service holds: they are in
/// the state folder, and gone when this is.
class Copies {
 public:
  explicit Copies(const std::filesystem::path& state) : folder_(state / "verify-copies") {}
  ~Copies() { Remove(); }
  Copies(const Copies&) = delete;
  Copies& operator=(const Copies&) = delete;

  /// Fills `folder` with what the manifest names. False, and a message, if it cannot.
  [[nodiscard]] bool Make(const Connection& service, pipeline::Named named,
                          const std::filesystem::path& manifest, std::filesystem::path& folder) {
    folder = folder_ / (named == pipeline::Named::kInputs ? "inputs" : "outputs");
    std::error_code error;
    if (!made_) Remove();
    made_ = true;
    std::filesystem::create_directories(folder, error);
    if (error) {
      std::fprintf(stderr, "dcmveil: the folder %s cannot be made\n", folder.c_str());
      return false;
    }
    std::filesystem::permissions(folder_, std::filesystem::perms::owner_all, error);
    const auto problem = pipeline::CopyFromService(service, manifest, named, folder);
    if (problem) std::fprintf(stderr, "dcmveil: %s\n", problem->message.c_str());
    return !problem;
  }

 private:
  void Remove() const {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::filesystem::path folder_;
  bool made_ = false;
};

/// A folder as it was named, or copies out of the service that was. False, and a message on
/// standard error, if there are none.
bool SetPlace(Services& services, const std::string& text, pipeline::Named named,
              const std::filesystem::path& state, Copies& copies, std::filesystem::path& place) {
  const std::optional<Connection> service = services.Find(text);
  if (!services.problem().empty()) {
    std::fprintf(stderr, "dcmveil: %s\n", services.problem().c_str());
    return false;
  }
  place = text;
  return !service || copies.Make(*service, named, state / "manifest.ndjson", place);
}

int VerifyVerb(const Flags& flags) {
  verify::Options options;
  options.state = flags.state;
  if (flags.state.empty()) {
    if (IsServiceUrl(flags.output)) {
      std::fprintf(stderr, "dcmveil: verify needs --state where the output is a service\n");
      return kUsage;
    }
    if (flags.input.empty() || flags.output.empty()) {
      std::fprintf(stderr, "dcmveil: verify needs --state, or --input and --output\n");
      return kUsage;
    }
    std::filesystem::path state = std::filesystem::path(flags.output).lexically_normal();
    if (!state.has_filename()) state = state.parent_path();
    state += ".dcmveil";
    options.state = state;
  }
  options.jobs = flags.jobs;
  if (!flags.rules.empty()) {
    const std::optional<RuleSet> rules =
        Load(flags.rules, {.key_file = {}, .allow_missing_key = true}, false);
    if (!rules) return kUsage;
    options.expectations = pipeline::Expectations(*rules);
  }
  Services services;
  if (!services.Load(flags.connections)) return kUsage;
  Copies copies(options.state);
  if (!SetPlace(services, flags.input, pipeline::Named::kInputs, options.state, copies,
                options.input) ||
      !SetPlace(services, flags.output, pipeline::Named::kOutputs, options.state, copies,
                options.output)) {
    return services.problem().empty() ? kCouldNotGoOn : kUsage;
  }
  verify::Report report = verify::Verify(options);
  if (services.Find(flags.output)) {
    report.not_checked.emplace_back("whether the service has instances that no manifest names");
  }
  const std::string json = verify::ToJson(report);
  int exit_code = report.problem ? kCouldNotGoOn : kAllWell;
  if (!report.counts.empty()) exit_code = kLeakFound;
  if (flags.json) {
    std::printf("%s\n", json.c_str());
  } else if (!flags.quiet) {
    PrintText(report);
  }
  if (report.problem) std::fprintf(stderr, "dcmveil: %s\n", report.problem->c_str());
  const bool looked = report.inputs > 0 || !report.not_looked_at.empty();
  if (looked && !Store(options.state, json)) {
    std::fprintf(stderr, "dcmveil: verify.json cannot be written in the state folder\n");
    if (exit_code == kAllWell) exit_code = kCouldNotGoOn;
  }
  return exit_code;
}

}  // namespace

Verb AddVerify(CLI::App& command) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* app = command.add_subcommand(
      "verify", "Look again at a finished output, by other code: leaks, markers, references");
  app->add_option("--state", flags->state,
                  "State folder of the run, with its manifest [SINK.dcmveil]")
      ->type_name("DIR");
  app->add_option("-i,--input", flags->input,
                  "What was read, if it is elsewhere now, or was a DICOM service")
      ->type_name("SOURCE");
  app->add_option("-o,--output", flags->output,
                  "What was written, if it is elsewhere now, or a DICOM service")
      ->type_name("OUT");
  app->add_option("-r,--rules", flags->rules,
                  "Rule file that says what stays on purpose, instead of what the run wrote down")
      ->type_name("RULES");
  app->add_option("--connections", flags->connections, "File of named DICOM services")
      ->type_name("FILE");
  AddJobs(*app, flags->jobs);
  app->add_flag("--json", flags->json, "One JSON object on standard output");
  app->add_flag("-q,--quiet", flags->quiet, "Print errors only");
  SetFooter(*app,
            {"dcmveil verify --state export.dcmveil",
             "dcmveil verify -i archive/ -o export/ -r rules.yaml"},
            kExitCodes);
  return {app, [flags] { return VerifyVerb(*flags); }};
}

}  // namespace dcmveil::cli
