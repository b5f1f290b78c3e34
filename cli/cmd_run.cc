// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "cli/exit_codes.h"
#include "cli/footer.h"
#include "cli/load.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/report_files.h"
#include "cli/services.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "dcmveil/run.h"
#include "pipeline/rule_sets.h"
#include "pipeline/shard.h"
#include "report/proof.h"
#include "report/signature.h"

namespace dcmveil::cli {
namespace {

struct Flags {
  std::string rules;
  std::string input;
  std::string output;
  std::string state;
  /// An empty one, from a variable that is not set, must not mean all inputs.
  std::optional<std::string> shard;
  std::optional<std::string> shard_by;
  std::string report;
  std::string sign_key;
  std::string layout;
  bool dicomdir = false;
  std::string job;  ///< expanded before the command line is parsed
  std::string key;
  std::string connections;
  std::vector<std::string> query;
  std::string uids;
  std::string since;
  std::string retrieve;
  bool changefeed = false;
  int stow_batch = 0;
  bool upsert = false;
  int jobs = 0;
  bool durable = false;
  bool accept_changes = false;
  bool retry_quarantined = false;
  std::string quarantine;
  std::string crosswalk;
  std::vector<std::string> crosswalk_to;
  bool dry_run = false;
  bool json = false;
  bool quiet = false;
};

std::atomic<bool> interrupted{false};  // what a signal handler can reach

void OnSignal(int /*signal*/) { interrupted = true; }

/// What to do about the commonest reasons; anything else is explained in the manifest's words.
std::string TextOfReason(const std::string& reason) {
  const std::optional<ErrorCode> code = FindErrorCode(reason);
  return code ? std::string(TextOf(*code)) : std::string();
}

std::string TextOfNote(const std::string& note) {
  const std::optional<NoteCode> code = FindNoteCode(note);
  return code ? std::string(TextOf(*code)) : std::string();
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
  if (summary.recalled > 0) {
    std::printf("  %8s  of these an earlier run had done\n", WithCommas(summary.recalled).c_str());
  }
  PrintEarlierRules(summary.rule_sets);
  if (summary.journal_damaged) {
    std::printf("  the journal had an end that was not whole; what it told was done again\n");
  }
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
  if (summary.without_record > 0) {
    std::printf("  %8s  not in the DICOMDIR, which has no record for their SOP class\n",
                WithCommas(summary.without_record).c_str());
  }
  if (summary.not_copied > 0) {
    std::printf(
        "  %8s  not copied to the folder for quarantined inputs, where another file has "
        "the name\n",
        WithCommas(summary.not_copied).c_str());
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
  line["recalled"] = summary.recalled;
  if (!summary.rule_sets.empty()) line["rule_sets"] = pipeline::ToJson(summary.rule_sets);
  line["not_copied"] = summary.not_copied;
  line["manifest"] = summary.manifest.string();
  line["exit_code"] = exit_code;
  // Paths are bytes; what is no UTF-8 is shown with replacement characters.
  std::printf("%s\n",
              line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace).c_str());
}

/// The words of a file or, for "-", of standard input; a '#' begins a remark.
std::optional<std::vector<std::string>> ReadList(const std::string& file) {
  std::ifstream stream;
  if (file != "-") stream.open(file);
  std::istream& input = file == "-" ? std::cin : stream;
  if (!input) return std::nullopt;
  std::vector<std::string> list;
  for (std::string line; std::getline(input, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    for (std::string word; words >> word;) list.push_back(word);
  }
  return list;
}

/// The services that -i and -o name, and what to read. False, and a message, if that is no sense.
bool SetServices(const Flags& flags, RunOptions& options) {
  const auto wrong = [](const std::string& message) {
    std::fprintf(stderr, "dcmveil: %s\n", message.c_str());
    return false;
  };
  Services services;
  if (!services.Load(flags.connections)) return false;
  options.input_service = services.Find(flags.input);
  options.output_service = services.Find(flags.output);
  if (!services.problem().empty()) return wrong(services.problem());
  if (options.output_service) {
    if (flags.stow_batch > 0) options.output_service->stow_batch = flags.stow_batch;
    if (flags.upsert) options.output_service->upsert = true;
    if (!flags.layout.empty()) return wrong("--layout is for folders; a service names by UIDs");
  } else if (flags.stow_batch > 0 || flags.upsert) {
    return wrong("--stow-batch and --upsert are for an output that is a service");
  }
  const bool selects = !flags.query.empty() || !flags.uids.empty() || flags.changefeed;
  if (selects && !options.input_service) {
    return wrong("--query, --uids and --changefeed are for an input that is a service");
  }
  if (!flags.retrieve.empty()) {
    if (!options.input_service) return wrong("--retrieve is for an input that is a service");
    options.input_service->retrieve = *ParseRetrieve(flags.retrieve);
  }
  if (!flags.since.empty() && !flags.changefeed) return wrong("--since belongs to --changefeed");
  for (const std::string& text : flags.query) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return wrong("--query takes KEYWORD=VALUE, as in StudyDate=20240101-20241231");
    }
    options.selection.query.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  if (!flags.uids.empty()) {
    options.selection.uids = ReadList(flags.uids);
    if (!options.selection.uids) return wrong("the list " + flags.uids + " cannot be read");
  }
  options.selection.changefeed = flags.changefeed;
  options.selection.since = flags.since;
  return true;
}

/// The shard that --shard names. False, and a message, if it names none.
bool SetShard(const Flags& flags, RunOptions& options) {
  const auto wrong = [](const std::string& message) {
    std::fprintf(stderr, "dcmveil: %s\n", message.c_str());
    return false;
  };
  if (!flags.shard) return true;
  if (*flags.shard == "auto") {
    std::string problem;
    options.shard = pipeline::ShardFromEnvironment(
        [](const char* name) -> std::optional<std::string> {
          const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread yet
          if (value == nullptr) return std::nullopt;
          return std::string(value);
        },
        problem);
    if (!options.shard) return wrong("--shard auto cannot tell the shard: " + problem);
  } else {
    options.shard = pipeline::ParseShard(*flags.shard);
    if (!options.shard) {
      return wrong("--shard takes I/N with I from 1 to N, as in 3/16, or auto");
    }
  }
  if (flags.shard_by && !pipeline::SetShardBy(*flags.shard_by, *options.shard)) {
    return wrong("--shard-by takes study, path, or path:DEPTH as in path:2");
  }
  return true;
}

/// Parts of one run would overwrite each other's report.
std::string ReportFolder(const Flags& flags, const RunOptions& options) {
  if (flags.report.empty() || !options.shard) return flags.report;
  return (std::filesystem::path(flags.report) / pipeline::FolderNameOf(*options.shard)).string();
}

/// The page holds values, and must not lie where the outputs are passed on.
bool PrepareReport(const std::string& folder_name, RunOptions& options, bool& made) {
  if (!MayHoldReport(folder_name, {options.input, options.output})) return false;
  const auto why = report::WhyNoProofOver(std::filesystem::path(folder_name) / "proof.json");
  if (why && !options.dry_run) {
    std::fprintf(stderr, "dcmveil: %s\n", why->c_str());
    return false;
  }
  if (!MakeReportFolder(folder_name, made)) {
    std::fprintf(stderr, "dcmveil: the folder %s cannot be made\n", folder_name.c_str());
    return false;
  }
  options.survey = true;
  options.dry_run_survey = folder_name;
  return true;
}

int RunVerb(const Flags& flags) {
  const std::optional<RuleSet> rules =
      Load(flags.rules, {.key_file = flags.key, .allow_missing_key = false}, !flags.quiet);
  if (!rules) return kUsage;
  RunOptions options;
  if (!SetServices(flags, options) || !SetShard(flags, options)) return kUsage;
  const std::string report_folder = ReportFolder(flags, options);
  if (!options.input_service) options.input = flags.input;
  if (!options.output_service) options.output = flags.output;
  options.state = flags.state;
  options.jobs = flags.jobs;
  options.durable = flags.durable;
  options.accept_changes = flags.accept_changes;
  options.retry_quarantined = flags.retry_quarantined;
  if (!flags.quarantine.empty() && options.input_service) {
    std::fprintf(stderr, "dcmveil: --copy-quarantined is for inputs that are folders\n");
    return kUsage;
  }
  options.quarantine = flags.quarantine;
  options.dry_run = flags.dry_run;
  options.crosswalk = flags.crosswalk;
  options.crosswalk_to.assign(flags.crosswalk_to.begin(), flags.crosswalk_to.end());
  if (!flags.layout.empty()) options.layout = flags.layout;
  if (flags.dicomdir) {
    if (!flags.layout.empty() || options.output_service) {
      std::fprintf(stderr, "dcmveil: --dicomdir is for folders and names the files itself; %s\n",
                   options.output_service ? "a service has no DICOMDIR" : "leave out --layout");
      return kUsage;
    }
    options.dicomdir = true;
    options.layout = kDicomdirLayout;
  }
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
  if (std::string problem;
      !flags.sign_key.empty() && !report::Sign(flags.sign_key, std::string_view(), problem)) {
    std::fprintf(stderr, "dcmveil: %s\n", problem.c_str());
    return kUsage;
  }
  bool made_report = false;
  if (!report_folder.empty() && !PrepareReport(report_folder, options, made_report)) return kUsage;
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
    if (summary.problem->usage) {
      std::error_code ignored;
      if (made_report) std::filesystem::remove(report_folder, ignored);
      return exit_code;
    }
  }
  // A run that could not begin has nothing to report, and has said why.
  const bool reports = options.survey && (!summary.problem || summary.counts.finished() > 0);
  const std::filesystem::path surveyed =
      flags.dry_run ? std::filesystem::path(report_folder) : summary.manifest.parent_path();
  if (reports && !WriteReport({surveyed}, report_folder)) {
    exit_code = kCouldNotGoOn;
  }
  if (reports && !flags.dry_run && !summary.problem && !summary.stopped) {
    if (const auto problem = report::WriteProof(surveyed, report_folder, flags.sign_key)) {
      std::fprintf(stderr, "dcmveil: %s\n", problem->c_str());
      exit_code = kCouldNotGoOn;
    }
  }
  if (flags.json) {
    PrintJson(summary, exit_code);
  } else if (!flags.quiet && (!summary.problem || summary.counts.finished() > 0)) {
    PrintText(summary, flags.dry_run);
    if (summary.stopped) std::printf("interrupted; the same command goes on where it stopped\n");
  }
  return exit_code;
}

}  // namespace

Verb AddRun(CLI::App& command) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* app =
      command.add_subcommand("run", "De-identify a folder, a file or a DICOM service by rules");
  app->add_option("-r,--rules", flags->rules, "Rule file (YAML, or Microsoft's JSON)")
      ->required()
      ->type_name("RULES");
  app->add_option("-i,--input", flags->input,
                  "Folder or file to read, never changed; or a DICOM service: its base URL, or its "
                  "name in --connections")
      ->required()
      ->type_name("SOURCE");
  app->add_option("-o,--output", flags->output,
                  "Folder or DICOM service to write to; nothing in it is overwritten")
      ->required()
      ->type_name("SINK");
  AddJobs(*app, flags->jobs);
  app->add_option("--state", flags->state,
                  "Folder for the manifest, which maps inputs to outputs [SINK.dcmveil]")
      ->type_name("DIR");
  auto* shard =
      app->add_option("--shard", flags->shard,
                      "Only part I of N, with I from 1 to N; auto: as Slurm, Kubernetes or AWS "
                      "Batch number their tasks. State and report go to a folder shard-I-of-N in "
                      "their own; dcmveil merge joins them")
          ->type_name("I/N|auto");
  app->add_option("--shard-by", flags->shard_by,
                  "What keeps inputs together: study (each shard looks into every file), path (the "
                  "folder), or path:DEPTH (its first folders; others are not listed) [study]")
      ->needs(shard)
      ->type_name("WHAT");
  app->add_option("--report", flags->report,
                  "Folder for report.json, report.html and proof.json; the page lists the text "
                  "that the rules "
                  "left, and in a dry run every change")
      ->type_name("DIR");
  app->add_option("--sign-key", flags->sign_key,
                  "Private key (PEM, Ed25519) that signs the proof.json beside the report")
      ->needs("--report")
      ->type_name("FILE");
  app->add_option("--layout", flags->layout,
                  "Output names from new values "
                  "[{PatientID}/{StudyInstanceUID}/{SeriesInstanceUID}/{SOPInstanceUID}.dcm], or "
                  "'mirror' for the input's names, which may identify")
      ->type_name("TEXT");
  app->add_flag("--dicomdir", flags->dicomdir,
                "Name outputs as a file-set does, and write its DICOMDIR at the end");
  app->add_option(
         "--job", flags->job,
         "File with options of this command, as lines of name=value or name=[\"a\", \"b\"]")
      ->type_name("FILE");
  app->add_option("--key", flags->key, "Key file to use instead of the rule file's")
      ->type_name("FILE");
  app->add_option("--connections", flags->connections, "File of named DICOM services")
      ->type_name("FILE");
  app->add_option("--query", flags->query,
                  "Only what matches, as in Modality=CT; of a service, can be repeated")
      ->allow_extra_args(false)
      ->type_name("KEYWORD=VALUE");
  app->add_option("--uids", flags->uids,
                  "Only these: a file ('-': standard input) of study or series UIDs, or of "
                  "study/series or study/series/instance")
      ->type_name("FILE");
  app->add_flag("--changefeed", flags->changefeed,
                "What the service's change feed tells, from where the last run with this state "
                "ended");
  app->add_option("--since", flags->since,
                  "Where the first run of --changefeed begins: a date or a sequence number")
      ->type_name("WHEN");
  app->add_option("--retrieve", flags->retrieve,
                  "What one request to a service asks for: instance, series or study [instance]")
      ->check(CLI::IsMember({"instance", "series", "study"}))
      ->type_name("WHAT");
  app->add_option("--stow-batch", flags->stow_batch, "Instances in one request to a service [1]")
      ->check(CLI::Range(1, 1000))
      ->type_name("N");
  app->add_flag("--upsert", flags->upsert,
                "Replace what differs in the service (PUT, which not every service has)");
  app->add_flag("--durable", flags->durable,
                "Flush each output and the journal to the disk: what is reported survives a power "
                "cut, not only a killed process");
  app->add_flag("--accept-changes", flags->accept_changes,
                "Go on in an output whose earlier run had other rules or another key");
  app->add_flag(
      "--retry-quarantined", flags->retry_quarantined,
      "Process again what an earlier run quarantined, by rules that may have changed; what "
      "was written stays as it is");
  app->add_option("--copy-quarantined", flags->quarantine,
                  "Folder for copies of quarantined inputs, as they are; none are made without it")
      ->type_name("DIR");
  auto* crosswalk =
      app->add_option("--crosswalk", flags->crosswalk,
                      "Write old and new IDs and UIDs to this file, encrypted (openssl cms)")
          ->type_name("FILE");
  auto* crosswalk_to =
      app->add_option("--crosswalk-to", flags->crosswalk_to,
                      "Certificates (PEM) of those who may open the crosswalk; can be repeated")
          ->type_name("CERT...");
  crosswalk->needs(crosswalk_to);
  crosswalk_to->needs(crosswalk);
  app->add_flag("--dry-run", flags->dry_run, "Do everything but write");
  app->add_flag("--json", flags->json, "Progress and summary as JSON lines on standard output");
  app->add_flag("-q,--quiet", flags->quiet, "Print errors only");
  SetFooter(*app,
            {"dcmveil run -r rules.yaml -i archive/ -o export/",
             "dcmveil run -r rules.yaml -i archive/ -o export/ --report report/ --dry-run",
             "dcmveil run -r rules.yaml -i https://archive.example/dicom-web -o export/ --query "
             "Modality=CT",
             "dcmveil run -r rules.yaml -i archive/ -o export/ --shard 1/16"},
            kExitCodesHelp);
  return {app, [flags] { return RunVerb(*flags); }};
}

}  // namespace dcmveil::cli
