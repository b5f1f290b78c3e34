// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "cli/exit_codes.h"
#include "cli/footer.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "pipeline/merge.h"

namespace dcmveil::cli {
namespace {

struct Flags {
  std::string state;
  std::vector<std::string> shards;
  bool incomplete = false;
  bool quiet = false;
};

void PrintText(const pipeline::MergeSummary& summary) {
  const Style style(STDOUT_FILENO);
  std::string line;
  for (std::size_t i = 0; i < summary.counts.outcomes.size(); ++i) {
    const std::uint64_t count = summary.counts.outcomes[i];
    if (count == 0) continue;
    if (!line.empty()) line += ", ";
    line += WithCommas(count) + " " + std::string(ToString(static_cast<Outcome>(i)));
  }
  if (line.empty()) line = "no inputs found";
  std::printf("%s (%s shards)\n", style.Bold(line).c_str(), WithCommas(summary.shards).c_str());
  if (summary.missing > 0) {
    std::printf("  %8s  shards missing or not at their end: this is not the whole run\n",
                WithCommas(summary.missing).c_str());
  }
  PrintEarlierRules(summary.rule_sets);
  for (const auto& [reason, count] : summary.reasons) {
    std::printf("  %8s  %s\n", WithCommas(count).c_str(), style.Yellow(reason).c_str());
  }
  if (summary.doubled_outputs > 0) {
    std::printf("  %8s  of these had the output of another shard's input\n",
                WithCommas(summary.doubled_outputs).c_str());
  }
  if (summary.repeated > 0) {
    std::printf("  %8s  lines of inputs that another shard tells of as well were left out\n",
                WithCommas(summary.repeated).c_str());
  }
  std::printf("one line for each input: %s\n", summary.manifest.c_str());
  if (!summary.has_survey) std::printf("no report: not all shards were run with --report\n");
}

int MergeVerb(const Flags& flags) {
  pipeline::MergeOptions options;
  options.state = flags.state;
  options.shards.assign(flags.shards.begin(), flags.shards.end());
  options.incomplete = flags.incomplete;
  const pipeline::MergeSummary summary = pipeline::MergeShards(options);
  if (summary.problem) {
    std::fprintf(stderr, "dcmveil: %s\n", summary.problem->message.c_str());
    return summary.problem->usage ? kUsage : kCouldNotGoOn;
  }
  if (!flags.quiet) PrintText(summary);
  const RunCounts& counts = summary.counts;
  const bool some_left =
      counts.of(Outcome::kQuarantined) + counts.of(Outcome::kFailed) + summary.missing > 0;
  return some_left ? kSomeLeft : kAllWell;
}

constexpr const char* kExitCodes =
    "Exit status, that of a run over all inputs: 0 every input was written, unchanged or "
    "rejected;\n"
    "1 could not go on; 2 these are not all the shards of one run, nothing was touched; 3 joined,\n"
    "some inputs were quarantined or failed, or shards are missing.";

}  // namespace

Verb AddMerge(CLI::App& command) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* app = command.add_subcommand(
      "merge", "Join what the shards of a run left, for report, verify and proof");
  app->add_option("--state", flags->state,
                  "State folder of the whole run, as in SINK.dcmveil; it has those of the shards")
      ->required()
      ->type_name("DIR");
  app->add_option("shards", flags->shards, "State folders of the shards, if they are elsewhere")
      ->type_name("DIR");
  app->add_flag("--incomplete", flags->incomplete,
                "Join what there is, although shards are missing or not at their end");
  app->add_flag("-q,--quiet", flags->quiet, "Print errors only");
  SetFooter(*app, {"dcmveil merge --state export.dcmveil"}, kExitCodes);
  return {app, [flags] { return MergeVerb(*flags); }};
}

}  // namespace dcmveil::cli
