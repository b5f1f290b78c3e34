// SPDX-License-Identifier: Apache-2.0
//
// source -> process and write under a temporary name -> rename and journal. The first and the last
// step run in the order of the inputs, so that which of two inputs gets a name, and the manifest,
// do not depend on the number of threads.
#include "dcmveil/run.h"

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_pipeline.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <exception>
#include <fstream>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

#include "engine/apply.h"
#include "engine/dcmtk/dicomdir.h"
#include "engine/encoding/write.h"
#include "engine/plan.h"
#include "pipeline/crosswalk.h"
#include "pipeline/description.h"
#include "pipeline/dicomweb_problem.h"
#include "pipeline/dicomweb_sink.h"
#include "pipeline/dicomweb_source.h"
#include "pipeline/files.h"
#include "pipeline/folder_sink.h"
#include "pipeline/folder_source.h"
#include "pipeline/handoff.h"
#include "pipeline/journal.h"
#include "pipeline/layout.h"
#include "pipeline/manifest.h"
#include "pipeline/paths.h"
#include "pipeline/rule_sets.h"
#include "pipeline/shard.h"
#include "pipeline/state_folder.h"
#include "pipeline/study_uid.h"
#include "pipeline/surveyor.h"

namespace dcmveil {
namespace fs = std::filesystem;
namespace {

using pipeline::FileStamp;
using Clock = std::chrono::steady_clock;

/// One instance on its way.
struct Job {
  pipeline::Input input;
  InstanceReport report;
  std::string output;
  std::unique_ptr<pipeline::Sink::Staged> staged;
  std::unique_ptr<pipeline::CrosswalkEntry> crosswalk;  ///< null if none is asked for
  std::unique_ptr<pipeline::Findings> findings;         ///< null if the run does not survey
  std::optional<pipeline::Tally> tally;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  FileStamp input_stamp;
  FileStamp output_stamp;
  /// If an earlier run did it by other rules.
  std::optional<pipeline::JournalOwner> decided_by;
  bool recalled = false;   ///< an earlier run did it, which still holds
  bool resumed = false;    ///< done or in flight when an earlier run was interrupted
  bool of_others = false;  ///< belongs to another shard
};

void SetError(InstanceReport& report, const Error& error) {
  report.outcome = OutcomeOf(error.code);
  report.reason = CodeOf(error.code);
  report.where = error.where;
}

class Runner {
 public:
  Runner(const Engine& engine, const RunOptions& options, pipeline::Layout layout)
      : engine_(engine), options_(options), layout_(std::move(layout)), started_(Clock::now()) {
    if (options.shard) splitter_.emplace(*options.shard);
  }
  RunSummary Go();
  std::optional<RunSummary::Problem> Prepare();

 private:
  using Problem = std::optional<RunSummary::Problem>;
  [[nodiscard]] Problem CheckPaths(const fs::path& state);
  [[nodiscard]] Problem MakeState();
  [[nodiscard]] Problem OpenSource();
  [[nodiscard]] Problem OpenSink();
  [[nodiscard]] Problem OpenJournal();
  [[nodiscard]] bool StillHolds(const pipeline::JournalEntry& entry, const FileStamp& stamp) const;
  bool Recall(Job& job);
  enum class Owner { kThis, kOther, kUnsure };
  [[nodiscard]] Owner LookForOwner(Job& job) const;
  [[nodiscard]] bool IsOfOthers(const Result<Deidentified>& result, const std::string& name) const;
  [[nodiscard]] Status CopyToQuarantine(const pipeline::Input& input) const;
  [[nodiscard]] Problem OpenCrosswalk();
  [[nodiscard]] bool Stopping() const {
    return broken_ || thrown_ || (options_.stop != nullptr && *options_.stop);
  }
  std::unique_ptr<Job> Take();
  void Process(Job& job);
  void Work(Job& job);
  void Finish(Job& job);
  void Commit(Job& job);
  void Break(std::string message);
  void Report();
  template <typename Function, typename... Arguments>
  void Call(const Function& callback, const Arguments&... arguments);
  [[nodiscard]] Problem WriteDescription() const;
  void TellRuleSets();
  [[nodiscard]] Problem OpenSurvey();
  void AddToSurvey(Job& job);
  void CloseSurvey();

  const Engine& engine_;
  const RunOptions& options_;
  const pipeline::Layout layout_;
  std::optional<pipeline::Splitter> splitter_;  ///< nothing: all inputs are of this run
  pipeline::FolderLock lock_;                   ///< of the state folder
  std::unique_ptr<pipeline::Source> source_;
  std::unique_ptr<pipeline::Sink> sink_;
  fs::path folder_;         ///< the output's
  std::string fixed_name_;  ///< set when the output is one file
  pipeline::Manifest manifest_;
  pipeline::Journal journal_;
  std::string way_;       ///< for the journal
  bool resumes_ = false;  ///< an earlier run was interrupted
  bool afresh_ = false;   ///< what earlier runs did does not count
  std::unique_ptr<pipeline::Crosswalk> crosswalk_;
  std::unique_ptr<pipeline::Surveyor> surveyor_;  ///< null if the run does not survey
  std::chrono::system_clock::time_point began_ = std::chrono::system_clock::now();
  RunSummary summary_;
  std::vector<RuleSetOutputs> of_earlier_rules_;
  std::vector<std::string> listed_;  ///< for the DICOMDIR
  fs::path state_;
  std::string token_;  ///< tells temporary files of shards apart; their state folders differ
  Clock::time_point started_;
  Clock::time_point reported_;
  std::mutex problem_mutex_;
  std::atomic<bool> broken_{false};
  std::atomic<bool> thrown_{false};  ///< by a callback
  std::exception_ptr exception_;     ///< if so
  std::atomic<std::uint64_t> total_{0};
  std::uint64_t of_others_ = 0;  ///< inputs that were found to belong to other shards
};

RunSummary::Problem Usage(std::string message) {
  return {.usage = true, .message = std::move(message)};
}

RunSummary::Problem CannotGoOn(std::string message) {
  return {.usage = false, .message = std::move(message)};
}

/// Of the profile; empty: none.
std::string EditionOf(const RuleSet& rules) {
  const std::optional<engine::ProfileParts>& profile = rules.plan()->parts().profile;
  return profile ? profile->edition : std::string();
}

/// Where inputs come from, and where and under which names outputs go: what was done on another way
/// does not count on this one.
std::string WayOf(const RunOptions& options) {
  const auto place_of = [](const Connection& service) {
    return service.url + '\n' + service.partition;
  };
  std::error_code error;
  fs::path origin;
  if (!options.input_service) {
    origin = fs::canonical(options.input, error);
    if (!fs::is_directory(origin, error)) origin = origin.parent_path();
  }
  return (options.input_service ? place_of(*options.input_service) : origin.string()) + '\n' +
         (options.output_service ? place_of(*options.output_service) : options.layout);
}

/// Beside the output folder, or, for a service, where the command was given.
fs::path DefaultState(const RunOptions& options) {
  fs::path state = options.output.lexically_normal();
  if (!state.has_filename()) state = state.parent_path();
  if (options.output_service) state = options.output_service->name;
  state += ".dcmveil";
  return state;
}

std::optional<RunSummary::Problem> Runner::CheckPaths(const fs::path& state) {
  std::error_code error;
  fs::path input;
  if (!options_.input_service) {
    input = fs::canonical(options_.input, error);
    if (error) return Usage("the input " + options_.input.string() + " does not exist");
  }
  const bool is_file = !options_.input_service && !fs::is_directory(input);
  const bool state_in_input = !input.empty() && !is_file && pipeline::IsWithin(state, input);
  constexpr auto kStateInInput = "the state folder lies inside the input";
  if (options_.output_service) {
    if (options_.input_service &&
        pipeline::IsSameService(*options_.input_service, *options_.output_service)) {
      return Usage("the output is the input: what is written would be read again");
    }
    if (state_in_input) return Usage(kStateInInput);
    return std::nullopt;
  }
  const std::optional<fs::path> whole = pipeline::WholePath(options_.output);
  if (!whole) return Usage("the output \"" + options_.output.string() + "\" is no usable path");
  const fs::path& output = *whole;
  if (!input.empty() && !is_file) {
    if (pipeline::IsWithin(output, input)) return Usage("the output lies inside the input");
    if (pipeline::IsWithin(input, output)) return Usage("the input lies inside the output");
  }
  if (state_in_input) return Usage(kStateInInput);
  if (pipeline::IsWithin(state, output)) {
    return Usage("the state folder lies inside the output; it maps outputs to inputs");
  }
  if (!options_.quarantine.empty()) {
    const fs::path& copies = options_.quarantine;
    if (!pipeline::WholePath(copies) || pipeline::IsWithin(copies, output) ||
        (!is_file && pipeline::IsWithin(copies, input))) {
      return Usage(
          "the folder for copies of quarantined inputs lies inside the input or the output");
    }
  }
  folder_ = options_.output;
  if (is_file && options_.output.extension() == ".dcm" && !fs::is_directory(options_.output)) {
    if (output == input) return Usage("the output is the input");
    folder_ = fs::absolute(options_.output).parent_path();
    fixed_name_ = options_.output.filename().string();
  } else if (fs::exists(options_.output) && !fs::is_directory(options_.output)) {
    return Usage("the output " + options_.output.string() + " is not a folder");
  }
  return std::nullopt;
}

std::optional<RunSummary::Problem> Runner::MakeState() {
  const fs::path whole = options_.shard ? state_.parent_path() : state_;
  if (std::optional<std::string> why = pipeline::WhyNotIn(whole, options_.shard)) {
    return Usage(std::move(*why));
  }
  for (const fs::path& folder : {whole, state_}) {
    if (pipeline::IsOpenToOthers(folder)) {
      return Usage("the state folder " + folder.string() +
                   " is open to others; it maps outputs to inputs and must have mode 0700");
    }
    if (!pipeline::MakePrivateFolder(folder)) {
      return CannotGoOn("the state folder " + folder.string() + " cannot be made");
    }
  }
  // A shard of another split may have come at the same moment.
  if (std::optional<std::string> why = pipeline::WhyNotIn(whole, options_.shard)) {
    std::error_code ignored;
    fs::remove(state_, ignored);
    return Usage(std::move(*why));
  }
  // Two runs with one state would delete each other's temporary files.
  switch (lock_.Take(state_)) {
    case pipeline::FolderLock::Taken::kYes:
      return std::nullopt;
    case pipeline::FolderLock::Taken::kBusy:
      return CannotGoOn("another run uses the state folder " + state_.string());
    case pipeline::FolderLock::Taken::kUnreadable:
      break;
  }
  return CannotGoOn("the state folder " + state_.string() + " cannot be read");
}

std::optional<RunSummary::Problem> Runner::OpenSource() {
  if (!options_.input_service) {
    source_ = std::make_unique<pipeline::FolderSource>(options_.input, splitter_);
    return std::nullopt;
  }
  auto source =
      std::make_unique<pipeline::DicomWebSource>(*options_.input_service, options_.selection,
                                                 options_.dry_run ? fs::path() : state_, splitter_);
  if (Problem problem = source->Check()) return problem;
  source_ = std::move(source);
  return std::nullopt;
}

std::optional<RunSummary::Problem> Runner::OpenSink() {
  if (options_.dry_run || !options_.output_service) return std::nullopt;
  auto sink = std::make_unique<pipeline::DicomWebSink>(*options_.output_service, state_);
  if (Problem problem = sink->Check()) return problem;
  sink_ = std::move(sink);
  return std::nullopt;
}

std::optional<RunSummary::Problem> Runner::OpenCrosswalk() {
  if (options_.crosswalk.empty()) return std::nullopt;
  fs::path file = pipeline::WholePath(options_.crosswalk).value_or(options_.crosswalk);
  if (!options_.output_service && pipeline::IsWithin(file, options_.output)) {
    return Usage("the crosswalk lies inside the output; it maps new identifiers to old ones");
  }
  if (!options_.input_service && pipeline::IsWithin(file, options_.input)) {
    return Usage("the crosswalk lies inside the input");
  }
  std::string problem;
  if (options_.shard) file += "." + pipeline::FolderNameOf(*options_.shard);
  crosswalk_ = pipeline::Crosswalk::To(file, options_.crosswalk_to, options_.dry_run, problem);
  if (!problem.empty()) return Usage(std::move(problem));
  return std::nullopt;
}

std::optional<RunSummary::Problem> Runner::Prepare() {
  state_ = options_.state.empty() ? DefaultState(options_) : options_.state;
  if (options_.shard) {
    if (options_.dicomdir)
      return Usage("a DICOMDIR lists all instances, and a shard has only some");
    if (options_.input_service && options_.shard->by == Shard::By::kPath) {
      return Usage("a DICOM service has no folders; its inputs are split by study");
    }
    state_ /= pipeline::FolderNameOf(*options_.shard);
  }
  const std::optional<fs::path> state = pipeline::WholePath(state_);
  if (!state) return Usage("the state folder " + state_.string() + " is no usable path");
  token_ = std::to_string(std::hash<std::string>{}(state->string()));
  if (Problem problem = CheckPaths(*state)) return problem;
  if (Problem problem = OpenCrosswalk()) return problem;
  if (Problem problem = OpenSource()) return problem;
  if (Problem problem = OpenSink()) return problem;
  if (!options_.dry_run) {
    if (Problem problem = MakeState()) return problem;
    if (Problem problem = OpenJournal()) return problem;
    if (!options_.quarantine.empty() && !pipeline::MakePrivateFolder(options_.quarantine)) {
      return CannotGoOn("the folder " + options_.quarantine.string() +
                        " cannot be made, or is open to others; it must have mode 0700");
    }
    if (!options_.output_service) {
      auto sink = std::make_unique<pipeline::FolderSink>(folder_, token_, options_.durable);
      if (!sink->Open()) {
        return CannotGoOn("the output " + folder_.string() + " cannot be written to");
      }
      sink_ = std::move(sink);
    }
    if (!manifest_.Open(state_, engine_.rules().hash())) {
      return CannotGoOn("the manifest in " + state_.string() + " cannot be written");
    }
    summary_.manifest = manifest_.file();
    if (Problem problem = WriteDescription()) return problem;
  }
  if (Problem problem = OpenSurvey()) return problem;
  if (auto* source = dynamic_cast<pipeline::DicomWebSource*>(source_.get())) source->Start();
  if (auto* sink = dynamic_cast<pipeline::DicomWebSink*>(sink_.get())) sink->Start();
  return std::nullopt;
}

std::optional<RunSummary::Problem> Runner::OpenJournal() {
  if (!journal_.Load(state_)) {
    return CannotGoOn("the journal in " + state_.string() + " cannot be read");
  }
  const RuleSet& rules = engine_.rules();
  const pipeline::JournalOwner owner{
      .rules_hash = rules.hash(), .key_id = rules.key_id(), .edition = EditionOf(rules)};
  if (const pipeline::JournalOwner* earlier = journal_.owner()) {
    const bool other_key = earlier->key_id != owner.key_id;
    const bool other_rules =
        earlier->rules_hash != owner.rules_hash || earlier->edition != owner.edition;
    afresh_ = options_.accept_changes && (other_key || other_rules);
    if (!afresh_ && (other_key || (other_rules && !options_.retry_quarantined))) {
      return Usage("an earlier run with the state folder " + state_.string() + " had " +
                   (other_key ? "another key" : "other rules") +
                   "; its outputs and new ones would not fit together. Give another output, or "
                   "--accept-changes");
    }
  }
  resumes_ = journal_.is_unfinished() && !afresh_;
  summary_.journal_damaged = journal_.is_damaged();
  if (!journal_.Begin(owner, afresh_, options_.durable)) {
    return CannotGoOn("the journal in " + state_.string() + " cannot be written");
  }
  way_ = WayOf(options_);
  // What the change feed names has changed, even if it is known.
  if (!options_.selection.changefeed && options_.crosswalk.empty()) {
    source_->SkipIf([this](const std::string& name) {
      const std::optional<pipeline::JournalEntry> entry = journal_.Find(way_, name);
      return entry && StillHolds(*entry, {});
    });
  }
  return std::nullopt;
}

std::optional<RunSummary::Problem> Runner::WriteDescription() const {
  const fs::path part = state_ / "run.json.part";
  std::ofstream file(part, std::ios::trunc);
  file << pipeline::DescribeRun(engine_.rules(), options_, summary_.rule_sets);
  file.close();
  std::error_code error;
  if (file) fs::rename(part, state_ / "run.json", error);
  if (file && !error) return std::nullopt;
  return CannotGoOn("the state folder cannot be written");
}

/// Only if there is more to tell than what the description says already.
void Runner::TellRuleSets() {
  const RuleSet& rules = engine_.rules();
  summary_.rule_sets = pipeline::WithOwn(
      {.rules_hash = rules.hash(),
       .edition = EditionOf(rules),
       .outputs = summary_.counts.of(Outcome::kWritten) + summary_.counts.of(Outcome::kUnchanged)},
      of_earlier_rules_);
  if (summary_.rule_sets.empty()) return;
  Problem problem = WriteDescription();
  if (problem && !summary_.problem) summary_.problem = std::move(problem);
}

std::optional<RunSummary::Problem> Runner::OpenSurvey() {
  if (!options_.survey) return std::nullopt;
  const fs::path& folder = options_.dry_run ? options_.dry_run_survey : state_;
  surveyor_ = std::make_unique<pipeline::Surveyor>();
  if (surveyor_->Open(folder, !options_.dry_run && !afresh_)) return std::nullopt;
  return CannotGoOn("the review file in " + folder.string() + " cannot be written");
}

void Runner::AddToSurvey(Job& job) {
  if (job.recalled) {
    const bool surveyed =
        job.tally && surveyor_->Add(&*job.tally, job.report, job.bytes_in, job.bytes_out);
    if (!surveyed) surveyor_->Add(nullptr, job.report, job.bytes_in, job.bytes_out);
    return;
  }
  Result<pipeline::Tally> tally = surveyor_->Number(*job.findings, job.report.outcome);
  if (!tally) return Break("the review file cannot be written");
  surveyor_->Add(&*tally, job.report, job.bytes_in, job.bytes_out);
  job.tally = std::move(*tally);
  if (options_.durable && !surveyor_->Sync()) return Break("the review file cannot be written");
  surveyor_->Tick(std::chrono::duration<double>(Clock::now() - started_).count(), job.bytes_in);
}

void Runner::CloseSurvey() {
  Survey::Run run;
  run.version = Version();
  run.rules = engine_.rules().name();
  run.rules_hash = engine_.rules().hash();
  run.key_id = engine_.rules().key_id();
  run.dry_run = options_.dry_run;
  run.stopped = summary_.stopped;
  run.input = options_.input_service ? options_.input_service->url : options_.input.string();
  run.output = options_.output_service ? options_.output_service->url : options_.output.string();
  run.began = std::chrono::system_clock::to_time_t(began_);
  run.seconds = summary_.seconds;
  run.rule_sets = summary_.rule_sets;
  pipeline::Describe(engine_.rules().plan()->parts(), run);
  if (!surveyor_->Close(run, *engine_.rules().plan()) && !summary_.problem) {
    summary_.problem = CannotGoOn("the survey cannot be written");
  }
}

std::unique_ptr<Job> Runner::Take() {
  if (Stopping()) return nullptr;
  std::optional<pipeline::Input> input = source_->Next();
  if (!input) {
    if (std::optional<std::string> problem = source_->Problem()) Break(std::move(*problem));
    return nullptr;
  }
  auto job = std::make_unique<Job>();
  job->input = std::move(*input);
  if (surveyor_) job->findings = std::make_unique<pipeline::Findings>(options_.dry_run);
  return job;
}

void Runner::Work(Job& job) {
  // One exception would stop the whole pipeline and lose every instance in it: here ends what
  // concerns one instance.
  try {
    Process(job);
  } catch (const std::bad_alloc&) {
    SetError(job.report, {.code = ErrorCode::kOutOfMemory, .where = {}});
  } catch (const std::exception&) {
    // what() may quote a value.
    SetError(job.report, {.code = ErrorCode::kInternal, .where = {}});
  }
}

/// Whether the input can be left at what an earlier run made of it.
bool Runner::StillHolds(const pipeline::JournalEntry& entry, const FileStamp& stamp) const {
  if (entry.input_stamp != stamp) return false;
  switch (entry.report.outcome) {
    case Outcome::kWritten:
    case Outcome::kUnchanged:
      return sink_->Holds(entry.output, entry.output_stamp);
    case Outcome::kRejected:
      return true;
    case Outcome::kQuarantined:
      // Somebody may have taken away what stood in the way.
      return !options_.retry_quarantined && entry.report.reason != CodeOf(ErrorCode::kOutputExists);
    case Outcome::kFailed:
      return false;
  }
  return false;
}

/// Whether the input needs no processing, because an earlier run did it.
bool Runner::Recall(Job& job) {
  if (options_.dry_run) return false;
  std::optional<pipeline::JournalEntry> entry = journal_.Find(way_, job.input.name);
  job.resumed = resumes_ && (!entry || entry->of_this_run);
  // The crosswalk needs what stands in the inputs only.
  if (options_.selection.changefeed || crosswalk_ || !entry || !StillHolds(*entry, job.input_stamp))
    return false;
  job.recalled = true;
  job.report = std::move(entry->report);
  job.output = std::move(entry->output);
  job.bytes_in = entry->bytes_in;
  job.bytes_out = entry->bytes_out;
  job.tally = std::move(entry->tally);
  job.decided_by = std::move(entry->decided_by);
  if (!entry->of_this_run && job.report.outcome == Outcome::kWritten) {
    job.report.outcome = Outcome::kUnchanged;
  }
  if (!job.output.empty()) job.staged = sink_->Recall(job.output);
  return true;
}

/// By study only the file's own header tells; a service told it before. Takes the file's stamp.
Runner::Owner Runner::LookForOwner(Job& job) const {
  if (options_.input_service) return Owner::kThis;
  if (!splitter_ || !splitter_->by_study()) {
    job.input_stamp = pipeline::StampOf(job.input.file).value_or(FileStamp{});
    return Owner::kThis;
  }
  const Result<pipeline::BriefLook> look = pipeline::LookInto(job.input.file);
  // A file that this shard cannot read may be its own. Who merges the shards has one line of it.
  if (!look) return Owner::kThis;
  job.input_stamp = look->stamp;
  if (!look->study_uid) return Owner::kUnsure;
  return splitter_->TakesStudy(*look->study_uid) ? Owner::kThis : Owner::kOther;
}

bool Runner::IsOfOthers(const Result<Deidentified>& result, const std::string& name) const {
  if (!result && OutcomeOf(result.error().code) == Outcome::kFailed) return false;
  const bool has_study = result && !result->rejected;
  return !(has_study ? splitter_->TakesStudy(result->originals.study_instance_uid)
                     : splitter_->TakesName(name));
}

void Runner::Process(Job& job) {
  if (job.input.problem) {
    SetError(job.report, {.code = *job.input.problem, .where = {}});
    return;
  }
  const Owner owner = LookForOwner(job);
  job.of_others = owner == Owner::kOther;
  if (job.of_others || Recall(job)) return;
  if (job.input.skipped) {
    // The output that the source was told of has gone since.
    SetError(job.report, {.code = ErrorCode::kReadFailed, .where = {}});
    return;
  }
  const engine::Plan& plan = *engine_.rules().plan();
  Result<Deidentified> result =
      job.input.bytes ? engine::ApplyToBytes(std::move(*job.input.bytes), plan, job.findings.get())
                      : engine::ApplyToFile(job.input.file, plan, job.findings.get());
  job.of_others = owner == Owner::kUnsure && IsOfOthers(result, job.input.name);
  if (job.of_others) return;
  if (!result) {
    SetError(job.report, result.error());
    return;
  }
  job.bytes_in = result->input_size;
  job.report.notes = std::move(result->notes);
  if (result->rejected) {
    job.report.outcome = Outcome::kRejected;
    job.report.reason = result->because;
    job.report.where = result->rule;
    return;
  }
  if (options_.output_service) {
    job.output = pipeline::DicomWebSink::NameFor(*result);
  } else {
    job.output = fixed_name_.empty() ? layout_.NameFor(*result, job.input.name) : fixed_name_;
  }
  if (crosswalk_) job.crosswalk = std::make_unique<pipeline::CrosswalkEntry>(*result);
  job.bytes_out = result->encoded.size();
  job.report.outcome = Outcome::kWritten;
  if (options_.dry_run) return;
  Result<std::unique_ptr<pipeline::Sink::Staged>> staged =
      sink_->Stage(job.output, std::make_unique<Deidentified>(std::move(*result)));
  if (!staged) {
    SetError(job.report, staged.error());
    if (std::optional<std::string> problem = sink_->Problem()) Break(std::move(*problem));
    return;
  }
  job.staged = std::move(*staged);
}

void Runner::Commit(Job& job) {
  const Result<pipeline::Sink::Stored> stored = sink_->End(*job.staged);
  // What an earlier run wrote has its outcome already.
  if (job.recalled) return;
  if (!stored) {
    SetError(job.report, stored.error());
    if (std::optional<std::string> problem = sink_->Problem()) Break(std::move(*problem));
    return;
  }
  job.report.outcome = stored->outcome;
  job.output_stamp = stored->stamp;
  if (job.resumed && stored->outcome == Outcome::kUnchanged) {
    job.report.outcome = Outcome::kWritten;
  }
  if (stored->warned) job.report.notes.push_back({NoteCode::kServiceWarning, 1});
}

void Runner::Break(std::string message) {
  const std::lock_guard lock(problem_mutex_);
  if (!summary_.problem) summary_.problem = CannotGoOn(std::move(message));
  broken_ = true;
}

/// kOutputExists if other bytes have the name, which stay.
Status Runner::CopyToQuarantine(const pipeline::Input& input) const {
  const fs::path copy = options_.quarantine / input.name;
  std::error_code error;
  if (fs::symlink_status(copy, error).type() == fs::file_type::not_found) {
    // Under its name it is whole, or a later run would take the rest for another file.
    const fs::path part = options_.quarantine / (".dcmveil-" + token_);
    fs::remove(part, error);
    fs::create_directories(copy.parent_path(), error);
    if (error || !fs::copy_file(input.file, part, error)) return ErrorCode::kWriteFailed;
    const int renamed = engine::RenameNoReplace(part, copy);
    if (renamed == 0) return Done{};
    fs::remove(part, error);
    if (renamed != EEXIST) return ErrorCode::kWriteFailed;
  }
  if (pipeline::HaveSameBytes(input.file, copy)) return Done{};
  return ErrorCode::kOutputExists;
}

void Runner::Finish(Job& job) {
  if (job.of_others) {
    ++of_others_;
    return;
  }
  if (job.staged) Commit(job);
  const Outcome outcome = job.report.outcome;
  source_->Finished(outcome);
  const bool has_output = outcome == Outcome::kWritten || outcome == Outcome::kUnchanged;
  if (has_output && job.decided_by) {
    pipeline::AddOutputs(of_earlier_rules_, {.rules_hash = job.decided_by->rules_hash,
                                             .edition = job.decided_by->edition,
                                             .outputs = 1});
  }
  if (has_output && options_.dicomdir) listed_.push_back(job.output);
  if (has_output && job.crosswalk && !crosswalk_->Add(*job.crosswalk)) {
    Break("the crosswalk cannot be written");
  }
  ++summary_.counts.outcomes[static_cast<std::size_t>(outcome)];
  summary_.counts.bytes_in += job.bytes_in;
  if (outcome == Outcome::kWritten) summary_.counts.bytes_out += job.bytes_out;
  if (!has_output) ++summary_.reasons[job.report.reason];
  for (const NoteCount& note : job.report.notes) {
    summary_.notes[std::string(CodeOf(note.code))] += static_cast<std::uint64_t>(note.count);
  }
  if (surveyor_) AddToSurvey(job);
  if (!options_.dry_run && !manifest_.Add(job.input.name, has_output ? job.output : std::string(),
                                          job.report, job.decided_by)) {
    Break("the manifest cannot be written");
  }
  if (outcome == Outcome::kQuarantined && !job.input.problem && !options_.dry_run &&
      !options_.quarantine.empty()) {
    const Status copied = CopyToQuarantine(job.input);
    if (!copied && copied.error().code == ErrorCode::kOutputExists) {
      ++summary_.not_copied;
    } else if (!copied) {
      Break("the folder " + options_.quarantine.string() + " cannot be written");
    }
  }
  if (job.recalled) {
    ++summary_.recalled;
  } else if (!options_.dry_run && !journal_.Add(way_, job.input.name,
                                                {.output = has_output ? job.output : std::string(),
                                                 .report = job.report,
                                                 .bytes_in = job.bytes_in,
                                                 .bytes_out = job.bytes_out,
                                                 .input_stamp = job.input_stamp,
                                                 .output_stamp = job.output_stamp,
                                                 .tally = std::move(job.tally)})) {
    Break("the journal cannot be written");
  }
  Call(options_.on_outcome, job.input.name, has_output ? job.output : std::string(), job.report);
  const Clock::time_point now = Clock::now();
  if (now - reported_ > std::chrono::milliseconds(100)) {
    reported_ = now;
    Report();
  }
}

/// oneTBB would drop every instance in flight for one exception.
template <typename Function, typename... Arguments>
void Runner::Call(const Function& callback, const Arguments&... arguments) {
  if (!callback || thrown_) return;
  try {
    callback(arguments...);
  } catch (...) {
    exception_ = std::current_exception();
    thrown_ = true;
  }
}

void Runner::Report() {
  const std::uint64_t own = summary_.counts.finished();
  const std::uint64_t all = own + of_others_;
  summary_.counts.total = total_;
  if (of_others_ > 0 && total_ > 0) {
    const double share = static_cast<double>(own) / static_cast<double>(all);
    const auto left = static_cast<double>(std::max<std::uint64_t>(total_, all) - all);
    summary_.counts.total = own + static_cast<std::uint64_t>(share * left);
  }
  Call(options_.on_progress, summary_.counts);
}

RunSummary Runner::Go() {
  summary_.problem = Prepare();
  if (summary_.problem) return std::move(summary_);
  std::atomic<bool> counted{false};
  std::jthread counter([&] { total_ = source_->Count(counted); });

  const int jobs = options_.jobs > 0
                       ? options_.jobs
                       : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  // Waiting for a service takes a thread at each end, and no processor.
  const int waiting = (options_.input_service ? 1 : 0) + (options_.output_service ? 1 : 0);
  const int in_flight = std::max(
      jobs * 4, options_.output_service
                    ? 2 * options_.output_service->connections * options_.output_service->stow_batch
                    : 0);
  [[maybe_unused]] const pipeline::FreshThreads fresh;
  // Without it oneTBB warns on standard error when more threads are asked for than processors.
  const tbb::global_control threads(tbb::global_control::max_allowed_parallelism,
                                    static_cast<std::size_t>(jobs + waiting));
  tbb::task_arena arena(jobs + waiting);
  {
    const pipeline::Holding source(&source_);
    const pipeline::Holding summary(&summary_);
    const pipeline::Holding sink(&sink_);
  }
  arena.execute([&] {
    // Plain pointers, because oneTBB keeps anything larger in memory of its own; the last filter
    // owns what the first one made, and every job that was taken gets there.
    tbb::parallel_pipeline(
        static_cast<std::size_t>(in_flight),
        tbb::make_filter<void, Job*>(tbb::filter_mode::serial_in_order, [&](tbb::flow_control&
                                                                                control) {
          const pipeline::Holding source(&source_);
          Job* job = Take().release();
          if (job == nullptr) control.stop();
          const pipeline::Holding made(job);
          return job;
        }) & tbb::make_filter<Job*, Job*>(tbb::filter_mode::parallel, [&](Job* job) {
          const pipeline::Holding holding(job);
          Work(*job);
          return job;
        }) & tbb::make_filter<Job*, Job*>(tbb::filter_mode::serial_in_order, [&](Job* job) {
          const pipeline::Holding sink(&sink_);
          const pipeline::Holding holding(job);
          if (job->staged) sink_->Begin(*job->staged);
          return job;
        }) & tbb::make_filter<Job*, Job*>(tbb::filter_mode::parallel, [&](Job* job) {
          const pipeline::Holding holding(job);
          if (job->staged) sink_->Settle(*job->staged);
          return job;
        }) & tbb::make_filter<Job*, void>(tbb::filter_mode::serial_in_order, [&](Job* job) {
          const pipeline::Holding summary(&summary_);
          const std::unique_ptr<Job> owned(job);
          const pipeline::Holding holding(job);
          Finish(*owned);
        }));
  });
  const pipeline::Holding source_again(&source_);
  const pipeline::Holding summary_again(&summary_);
  const pipeline::Holding sink_again(&sink_);
  counted = true;
  counter.join();
  // A short run may be faster than the count.
  if (!Stopping()) total_ = summary_.counts.finished() + of_others_;
  if (sink_) sink_->Close();
  if (!listed_.empty() && !options_.dry_run) {
    const Result<std::size_t> left_out = engine::WriteDicomdir(folder_, listed_);
    if (left_out) {
      summary_.without_record = *left_out;
    } else if (!summary_.problem) {
      summary_.problem = CannotGoOn("the DICOMDIR cannot be written");
    }
  }
  summary_.stopped = thrown_ || (options_.stop != nullptr && *options_.stop);
  if (crosswalk_ && !summary_.stopped && !summary_.problem && !crosswalk_->Finish()) {
    summary_.problem = CannotGoOn("the crosswalk cannot be written");
  }
  summary_.seconds = std::chrono::duration<double>(Clock::now() - started_).count();
  TellRuleSets();
  if (surveyor_) CloseSurvey();
  if (!options_.dry_run && !summary_.stopped && !summary_.problem && !journal_.End()) {
    summary_.problem = CannotGoOn("the journal cannot be written");
  }
  Report();
  if (exception_) std::rethrow_exception(exception_);
  return std::move(summary_);
}

}  // namespace

RunSummary Run(const Engine& engine, const RunOptions& options) {
  std::string problem;
  std::optional<pipeline::Layout> layout = pipeline::Layout::Parse(options.layout, problem);
  if (!layout) {
    RunSummary summary;
    summary.problem = {.usage = true, .message = problem};
    return summary;
  }
  return Runner(engine, options, std::move(*layout)).Go();
}

}  // namespace dcmveil
