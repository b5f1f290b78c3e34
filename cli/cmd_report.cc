// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <system_error>

#include "cli/exit_codes.h"
#include "cli/footer.h"
#include "cli/report_files.h"
#include "cli/verbs.h"
#include "dcmveil/survey.h"
#include "pipeline/description.h"
#include "pipeline/paths.h"
#include "report/report.h"

namespace dcmveil::cli {
namespace fs = std::filesystem;
namespace {

struct Flags {
  std::vector<std::string> states;
  std::string folder;
};

bool Wrong(const std::string& message) {
  std::fprintf(stderr, "dcmveil: %s\n", message.c_str());
  return false;
}

std::optional<std::string> ReadAll(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

int Report(const Flags& flags) {
  for (const std::string& state : flags.states) {
    if (!MayHoldReport(flags.folder, pipeline::PlacesOf(state))) return kUsage;
  }
  bool made = false;
  if (!MakeReportFolder(flags.folder, made)) {
    Wrong("the folder " + flags.folder + " cannot be made");
    return kCouldNotGoOn;
  }
  const std::vector<fs::path> states(flags.states.begin(), flags.states.end());
  if (WriteReport(states, flags.folder)) return kAllWell;
  std::error_code ignored;
  if (made) fs::remove(flags.folder, ignored);
  return kCouldNotGoOn;
}

}  // namespace

bool MayHoldReport(const fs::path& folder, const std::vector<fs::path>& places) {
  for (const fs::path& place : places) {
    if (!place.empty() && pipeline::IsWithin(folder, place)) {
      return Wrong("the report's folder lies inside " + place.string() + "; it holds values");
    }
  }
  return true;
}

bool MakeReportFolder(const fs::path& folder, bool& made) {
  made = false;
  std::error_code error;
  if (fs::is_directory(folder, error)) return true;
  const fs::path normal = folder.lexically_normal();
  const fs::path plain = normal.has_filename() ? normal : normal.parent_path();
  if (plain.has_parent_path()) fs::create_directories(plain.parent_path(), error);
  if (::mkdir(plain.c_str(), 0700) != 0) return false;
  made = true;
  return true;
}

bool WriteReport(const std::vector<fs::path>& states, const fs::path& folder) {
  std::optional<report::Content> content;
  for (const fs::path& state : states) {
    Result<Survey> survey = LoadSurvey(state);
    if (!survey && survey.error().code == ErrorCode::kNotFound) {
      return Wrong("no run with --report has ended in " + state.string());
    }
    if (!survey) return Wrong("the survey or the review file in " + state.string() + " is damaged");
    if (!content) {
      content = report::Content{.survey = std::move(*survey), .verify = std::nullopt};
      // Of one part only; what several verifies say does not add up to one of the whole.
      if (states.size() == 1) content->verify = ReadAll(state / "verify.json");
    } else if (survey->run.rules_hash != content->survey.run.rules_hash ||
               survey->run.key_id != content->survey.run.key_id) {
      return Wrong("these state folders are not of one run: their rules or keys differ");
    } else {
      Merge(content->survey, *survey);
    }
  }
  if (!report::Write(*content, folder)) {
    return Wrong("the report cannot be written to " + folder.string());
  }
  return true;
}

Verb AddReport(CLI::App& command) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* app = command.add_subcommand(
      "report", "Write report.json and report.html again, of a run that had --report");
  app->add_option("--state", flags->states,
                  "State folder of the run; several are added up, as parts of one run")
      ->required()
      ->type_name("DIR");
  app->add_option("--report", flags->folder,
                  "Folder for the report; the page holds values from data sets")
      ->required()
      ->type_name("DIR");
  SetFooter(*app, {"dcmveil report --state export.dcmveil --report report/"}, kExitCodesHelp);
  return {app, [flags] { return Report(*flags); }};
}

}  // namespace dcmveil::cli
