// SPDX-License-Identifier: Apache-2.0
//
// source -> process and write under a temporary name -> rename and journal. The first and the last
// step run in the order of the inputs, so that which of two inputs gets a name, and the manifest,
// do not depend on the number of threads.
#include "dcmveil/run.h"

#include <fcntl.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_pipeline.h>
#include <oneapi/tbb/task_arena.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <system_error>
#include <thread>

#include "engine/dcmtk/dicomdir.h"
#include "pipeline/dicomweb_sink.h"
#include "pipeline/dicomweb_source.h"
#include "pipeline/folder_sink.h"
#include "pipeline/folder_source.h"
#include "pipeline/handoff.h"
#include "pipeline/layout.h"
#include "pipeline/manifest.h"
#include "pipeline/surveyor.h"

namespace dcmveil {
namespace fs = std::filesystem;
namespace {

using Clock = std::chrono::steady_clock;

/// One instance on its way.
struct Job {
  pipeline::Input input;
  InstanceReport report;
  std::string output;
  std::unique_ptr<pipeline::Sink::Staged> staged;
  std::unique_ptr<pipeline::Findings> findings;  ///< null if the run does not survey
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
};

Outcome OutcomeOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kReadFailed:
    case ErrorCode::kWriteFailed:
    case ErrorCode::kNotFound:
    case ErrorCode::kRefused:
    case ErrorCode::kOutOfMemory:
      return Outcome::kFailed;
    default:
      return Outcome::kQuarantined;
  }
}

void SetError(InstanceReport& report, const Error& error) {
  report.outcome = OutcomeOf(error.code);
  report.reason = CodeOf(error.code);
  report.where = error.where;
}

/// Whether `inner` is `outer` or lies below it.
bool IsWithin(const fs::path& inner, const fs::path& outer) {
  const auto [end, ignored] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
  return end == outer.end() || (std::next(end) == outer.end() && end->empty());
}

class Runner {
 public:
  Runner(const Engine& engine, const RunOptions& options, pipeline::Layout layout)
      : engine_(engine), options_(options), layout_(std::move(layout)), started_(Clock::now()) {}

  ~Runner() {
    if (lock_ >= 0) ::close(lock_);
  }
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;
  RunSummary Go();
  std::optional<RunSummary::Problem> Prepare();

 private:
  using Problem = std::optional<RunSummary::Problem>;
  [[nodiscard]] Problem CheckPaths(const fs::path& state);
  [[nodiscard]] Problem MakeState();
  [[nodiscard]] Problem OpenSource();
  [[nodiscard]] Problem OpenSink();
  [[nodiscard]] bool Stopping() const {
    return broken_ || (options_.stop != nullptr && *options_.stop);
  }
  std::unique_ptr<Job> Take();
  void Process(Job& job);
  void Work(Job& job);
  void Finish(Job& job);
  void Begin(Job& job);
  void Commit(Job& job);
  void Break(std::string message);
  void Report();
  std::optional<RunSummary::Problem> WriteDescription() const;
  [[nodiscard]] Problem OpenSurvey();
  void AddToSurvey(const Job& job);
  void CloseSurvey();

  const Engine& engine_;
  const RunOptions& options_;
  const pipeline::Layout layout_;
  std::unique_ptr<pipeline::Source> source_;
  std::unique_ptr<pipeline::Sink> sink_;
  fs::path folder_;         ///< the output's
  std::string fixed_name_;  ///< set when the output is one file
  pipeline::Manifest manifest_;
  std::unique_ptr<pipeline::Surveyor> surveyor_;  ///< null if the run does not survey
  std::chrono::system_clock::time_point began_ = std::chrono::system_clock::now();
  RunSummary summary_;
  std::vector<std::string> listed_;  ///< for the DICOMDIR
  fs::path state_;
  Clock::time_point started_;
  Clock::time_point reported_;
  int lock_ = -1;  ///< descriptor of the state folder, which is locked
  std::mutex problem_mutex_;
  std::atomic<bool> broken_{false};
  std::atomic<std::uint64_t> total_{0};
};

RunSummary::Problem Usage(std::string message) {
  return {.usage = true, .message = std::move(message)};
}

RunSummary::Problem CannotGoOn(std::string message) {
  return {.usage = false, .message = std::move(message)};
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
  if (!input.empty() && !is_file && IsWithin(state, input)) {
    return Usage("the state folder lies inside the input");
  }
  if (options_.output_service) return std::nullopt;
  const fs::path output = fs::weakly_canonical(options_.output, error);
  if (error) return Usage("the output " + options_.output.string() + " is no usable path");
  if (!input.empty() && !is_file) {
    if (IsWithin(output, input)) return Usage("the output lies inside the input");
    if (IsWithin(input, output)) return Usage("the input lies inside the output");
  }
  if (IsWithin(state, output)) {
    return Usage("the state folder lies inside the output; it maps outputs to inputs");
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
  std::error_code error;
  struct stat info = {};
  if (::stat(state_.c_str(), &info) == 0) {
    if ((info.st_mode & 077U) != 0) {
      return Usage("the state folder " + state_.string() +
                   " is open to others; it maps outputs to inputs and must have mode 0700");
    }
  } else {
    fs::create_directories(state_.parent_path().empty() ? fs::path(".") : state_.parent_path(),
                           error);
    if (error || ::mkdir(state_.c_str(), 0700) != 0) {
      return CannotGoOn("the state folder " + state_.string() + " cannot be made");
    }
  }
  // Two runs with one state would delete each other's temporary files.
  lock_ = ::open(state_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock_ < 0) return CannotGoOn("the state folder " + state_.string() + " cannot be read");
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    return CannotGoOn("another run uses the state folder " + state_.string());
  }
  return std::nullopt;
}

std::optional<RunSummary::Problem> Runner::OpenSource() {
  if (!options_.input_service) {
    source_ = std::make_unique<pipeline::FolderSource>(options_.input);
    return std::nullopt;
  }
  auto source = std::make_unique<pipeline::DicomWebSource>(
      *options_.input_service, options_.selection, options_.dry_run ? fs::path() : state_);
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

std::optional<RunSummary::Problem> Runner::Prepare() {
  std::error_code error;
  state_ = options_.state.empty() ? DefaultState(options_) : options_.state;
  const fs::path state = fs::weakly_canonical(state_, error);
  if (error) return Usage("the state folder " + state_.string() + " is no usable path");
  if (Problem problem = CheckPaths(state)) return problem;
  if (Problem problem = OpenSource()) return problem;
  if (Problem problem = OpenSink()) return problem;
  if (!options_.dry_run) {
    if (Problem problem = MakeState()) return problem;
    if (!options_.output_service) {
      // Distinguishes shards that share the output; their state folders differ.
      const std::string token = std::to_string(std::hash<std::string>{}(state.string()));
      auto sink = std::make_unique<pipeline::FolderSink>(folder_, token);
      if (!sink->Open()) {
        return CannotGoOn("the output " + folder_.string() + " cannot be written to");
      }
      sink_ = std::move(sink);
    }
    if (!manifest_.Open(state_)) {
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

std::optional<RunSummary::Problem> Runner::WriteDescription() const {
  nlohmann::ordered_json description;
  description["tool"] = "dcmveil";
  description["version"] = Version();
  description["rules"] = engine_.rules().name();
  description["rules_hash"] = engine_.rules().hash();
  description["key_id"] = engine_.rules().key_id();
  std::ofstream file(state_ / "run.json", std::ios::trunc);
  file << description.dump(2) << "\n";
  file.close();
  if (file) return std::nullopt;
  return RunSummary::Problem{.message = "the state folder cannot be written"};
}

std::optional<RunSummary::Problem> Runner::OpenSurvey() {
  if (!options_.survey) return std::nullopt;
  const fs::path& folder = options_.dry_run ? options_.dry_run_survey : state_;
  surveyor_ = std::make_unique<pipeline::Surveyor>();
  if (surveyor_->Open(folder, false)) return std::nullopt;
  return CannotGoOn("the review file in " + folder.string() + " cannot be written");
}

void Runner::AddToSurvey(const Job& job) {
  const Result<pipeline::Tally> tally = surveyor_->Number(*job.findings, job.report.outcome);
  if (!tally) return Break("the review file cannot be written");
  surveyor_->Add(&*tally, job.report, job.bytes_in, job.bytes_out);
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

void Runner::Process(Job& job) {
  if (job.input.problem) {
    SetError(job.report, {.code = *job.input.problem, .where = {}});
    return;
  }
  Result<Deidentified> result =
      job.input.bytes ? engine_.ApplyToBytes(std::move(*job.input.bytes), job.findings.get())
                      : engine_.ApplyToFile(job.input.file, job.findings.get());
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
  job.bytes_out = result->encoded.size();
  job.report.outcome = Outcome::kWritten;
  if (options_.dry_run) return;
  Result<std::unique_ptr<pipeline::Sink::Staged>> staged =
      sink_->Stage(job.output, std::make_unique<Deidentified>(std::move(*result)));
  if (!staged) {
    SetError(job.report, staged.error());
    return;
  }
  job.staged = std::move(*staged);
}

void Runner::Begin(Job& job) {
  if (job.staged) sink_->Begin(*job.staged);
}

void Runner::Commit(Job& job) {
  const Result<pipeline::Sink::Stored> stored = sink_->End(*job.staged);
  if (!stored) {
    SetError(job.report, stored.error());
    if (std::optional<std::string> problem = sink_->Problem()) Break(std::move(*problem));
    return;
  }
  job.report.outcome = stored->outcome;
  if (stored->warned) job.report.notes.push_back({NoteCode::kServiceWarning, 1});
}

void Runner::Break(std::string message) {
  const std::lock_guard lock(problem_mutex_);
  if (!summary_.problem) summary_.problem = CannotGoOn(std::move(message));
  broken_ = true;
}

void Runner::Finish(Job& job) {
  if (job.staged) Commit(job);
  const Outcome outcome = job.report.outcome;
  source_->Finished(outcome);
  const bool has_output = outcome == Outcome::kWritten || outcome == Outcome::kUnchanged;
  if (has_output && options_.dicomdir) listed_.push_back(job.output);
  ++summary_.counts.outcomes[static_cast<std::size_t>(outcome)];
  summary_.counts.bytes_in += job.bytes_in;
  if (outcome == Outcome::kWritten) summary_.counts.bytes_out += job.bytes_out;
  if (!has_output) ++summary_.reasons[job.report.reason];
  for (const NoteCount& note : job.report.notes) {
    summary_.notes[std::string(CodeOf(note.code))] += static_cast<std::uint64_t>(note.count);
  }
  if (surveyor_) AddToSurvey(job);
  if (!options_.dry_run &&
      !manifest_.Add(job.input.name, has_output ? job.output : std::string(), job.report)) {
    Break("the manifest cannot be written");
  }
  const Clock::time_point now = Clock::now();
  if (now - reported_ > std::chrono::milliseconds(100)) {
    reported_ = now;
    Report();
  }
}

void Runner::Report() {
  summary_.counts.total = total_;
  if (options_.on_progress) options_.on_progress(summary_.counts);
}

RunSummary Runner::Go() {
  summary_.problem = Prepare();
  if (summary_.problem) return std::move(summary_);
  std::atomic<bool> counted{false};
  std::thread counter([&] { total_ = source_->Count(counted); });

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
          Begin(*job);
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
  if (sink_) sink_->Close();
  if (!listed_.empty() && !options_.dry_run) {
    const Result<std::size_t> left_out = engine::WriteDicomdir(folder_, listed_);
    if (left_out) {
      summary_.without_record = *left_out;
    } else if (!summary_.problem) {
      summary_.problem = CannotGoOn("the DICOMDIR cannot be written");
    }
  }
  summary_.stopped = options_.stop != nullptr && *options_.stop;
  summary_.seconds = std::chrono::duration<double>(Clock::now() - started_).count();
  if (surveyor_) CloseSurvey();
  Report();
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
