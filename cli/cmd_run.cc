// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <csignal>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/exit_codes.h"
#include "cli/load.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "dcmveil/run.h"

namespace dcmveil::cli {
namespace {

struct Flags {
  std::string rules;
  std::string input;
  std::string output;
  std::string state;
  std::string layout;
  std::string key;
  int jobs = 0;
  bool dry_run = false;
  bool json = false;
  bool quiet = false;
};

std::atomic<bool> interrupted{false};  // what a signal handler can reach

void OnSignal(int /*signal*/) { interrupted = true; }

/// What to do about the commonest reasons; anything else is explained in the manifest's words.
std::string TextOfReason(const std::string& reason) {
  for (int i = 0; i <= static_cast<int>(ErrorCode::kOutOfMemory); ++i) {
    const auto code = static_cast<ErrorCode>(i);
    if (CodeOf(code) == reason) return std::string(TextOf(code));
  }
  return {};
}

std::string TextOfNote(const std::string& note) {
  for (int i = 0; i <= static_cast<int>(NoteCode::kUnknownCharset); ++i) {
    const auto code = static_cast<NoteCode>(i);
    if (CodeOf(code) == note) return std::string(TextOf(code));
  }
  return {};
}

void PrintText(const RunSummary& summary, bool dry_run) {
  const Style style(STDOUT_FILENO);
  const RunCounts& counts = summary.counts;
  std::string line;
  const auto add = [&line](std::uint64_t count, const char* word) {
    if (count == 0) return;
    if (!line.empty()) line += ", ";
    line += WithCommas(count) + " " + word;
  };
  add(counts.of(Outcome::kWritten), dry_run ? "would be written" : "written");
  add(counts.of(Outcome::kUnchanged), "unchanged");
  add(counts.of(Outcome::kRejected), "rejected by a rule");
  add(counts.of(Outcome::kQuarantined), "quarantined");
  add(counts.of(Outcome::kFailed), "failed");
  if (line.empty()) line = "no inputs found";
  std::printf("%s (%s in, %s out, %s)\n", style.Bold(line).c_str(),
              Bytes(static_cast<double>(counts.bytes_in)).c_str(),
              Bytes(static_cast<double>(counts.bytes_out)).c_str(),
              Duration(summary.seconds).c_str());
  for (const auto& [reason, count] : summary.reasons) {
    const std::string text = TextOfReason(reason);
    std::printf("  %8s  %s%s\n", WithCommas(count).c_str(), style.Yellow(reason).c_str(),
                text.empty() ? "" : (": " + text).c_str());
  }
  for (const auto& [note, count] : summary.notes) {
    const std::string text = TextOfNote(note);
    std::printf("  %8s  %s\n", WithCommas(count).c_str(),
                style.Dim("note: " + note + (text.empty() ? "" : ": " + text)).c_str());
  }
  if (!summary.manifest.empty()) {
    std::printf("one line for each input: %s\n", summary.manifest.c_str());
  }
}

void PrintJson(const RunSummary& summary, int exit_code) {
  nlohmann::ordered_json line;
  line["message_type"] = "summary";
  for (int i = 0; i < 5; ++i) {
    const auto outcome = static_cast<Outcome>(i);
    line[std::string(ToString(outcome))] = summary.counts.of(outcome);
  }
  line["bytes_in"] = summary.counts.bytes_in;
  line["bytes_out"] = summary.counts.bytes_out;
  line["seconds"] = summary.seconds;
  line["reasons"] = summary.reasons;
  line["notes"] = summary.notes;
  line["manifest"] = summary.manifest.string();
  line["exit_code"] = exit_code;
  // Paths are bytes; what is no UTF-8 is shown with replacement characters.
  std::printf("%s\n",
              line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace).c_str());
}

int RunVerb(const Flags& flags) {
  const std::optional<RuleSet> rules =
      Load(flags.rules, {.key_file = flags.key, .allow_missing_key = false}, !flags.quiet);
  if (!rules) return kUsage;
  RunOptions options;
  options.input = flags.input;
  options.output = flags.output;
  options.state = flags.state;
  options.jobs = flags.jobs;
  options.dry_run = flags.dry_run;
  if (!flags.layout.empty()) options.layout = flags.layout;
  if (flags.layout == "mirror" && !flags.quiet) {
    std::fprintf(stderr,
                 "dcmveil: warning: --layout mirror puts the input's own names into the output; "
                 "they may identify patients\n");
  }
  options.stop = &interrupted;
  std::signal(SIGINT, OnSignal);
  std::signal(SIGTERM, OnSignal);

  Progress progress(flags.json    ? Progress::Form::kJson
                    : flags.quiet ? Progress::Form::kQuiet
                                  : Progress::Form::kText);
  options.on_progress = [&progress](const RunCounts& counts) { progress.Show(counts); };
  const Engine engine(*rules);
  const RunSummary summary = Run(engine, options);
  progress.Finish();

  int exit_code = kAllWell;
  if (summary.counts.of(Outcome::kQuarantined) + summary.counts.of(Outcome::kFailed) > 0) {
    exit_code = kSomeLeft;
  }
  if (summary.stopped) exit_code = kInterrupted;
  if (summary.problem) {
    exit_code = summary.problem->usage ? kUsage : kCouldNotGoOn;
    std::fprintf(stderr, "dcmveil: %s\n", summary.problem->message.c_str());
    if (summary.problem->usage) return exit_code;
  }
  if (flags.json) {
    PrintJson(summary, exit_code);
  } else if (!flags.quiet) {
    PrintText(summary, flags.dry_run);
    if (summary.stopped) std::printf("interrupted; the same command goes on where it stopped\n");
  }
  return exit_code;
}

}  // namespace

Verb AddRun(CLI::App& command) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* app = command.add_subcommand("run", "De-identify a folder or a file by rules");
  app->add_option("-r,--rules", flags->rules, "Rule file (YAML, or Microsoft's JSON)")
      ->required()
      ->type_name("RULES");
  app->add_option("-i,--input", flags->input, "Folder or file to read; never changed")
      ->required()
      ->type_name("SOURCE");
  app->add_option("-o,--output", flags->output, "Folder to write to; nothing in it is overwritten")
      ->required()
      ->type_name("SINK");
  app->add_option("-j,--jobs", flags->jobs, "Worker threads [number of processors]")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  app->add_option("--state", flags->state,
                  "Folder for the manifest, which maps inputs to outputs [SINK.dcmveil]")
      ->type_name("DIR");
  app->add_option("--layout", flags->layout,
                  "Output names from new values "
                  "[{PatientID}/{StudyInstanceUID}/{SeriesInstanceUID}/{SOPInstanceUID}.dcm], or "
                  "'mirror' for the input's names, which may identify")
      ->type_name("TEXT");
  app->add_option("--key", flags->key, "Key file to use instead of the rule file's")
      ->type_name("FILE");
  app->add_flag("--dry-run", flags->dry_run, "Do everything but write");
  app->add_flag("--json", flags->json, "Progress and summary as JSON lines on standard output");
  app->add_flag("-q,--quiet", flags->quiet, "Print errors only");
  app->footer(kExitCodesHelp);
  return {app, [flags] { return RunVerb(*flags); }};
}

}  // namespace dcmveil::cli
