// SPDX-License-Identifier: Apache-2.0
//
// run(): the run has a thread of its own, and the calling thread waits for it. All Python code runs
// in the calling thread: handlers of signals, which Python runs in no other than the main thread,
// and callbacks, whose exceptions then end where they belong.
#include "dcmveil/run.h"

#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bindings/python/native.h"

namespace py = pybind11;

namespace dcmveil::python {
namespace {

/// How long a signal waits for its handler.
constexpr std::chrono::milliseconds kLook{50};
/// So many outcomes may be untold; the run waits for a slower callback.
constexpr std::size_t kUntold = 100;

/// What RunOptions::on_outcome tells.
struct InputOutcome {
  std::string input;
  std::string output;  ///< empty: there is none
  InstanceReport report;
};

/// What the run's threads have to tell the calling thread.
class Mailbox {
 public:
  struct Mail {
    std::vector<InputOutcome> outcomes;
    std::optional<RunCounts> counts;  ///< the newest
    bool ended = false;               ///< nothing comes after this
  };

  void Put(const RunCounts& counts) {
    const std::lock_guard lock(mutex_);
    mail_.counts = counts;
    filled_.notify_one();
  }
  void Put(InputOutcome outcome) {
    std::unique_lock lock(mutex_);
    emptied_.wait(lock, [this] { return closed_ || mail_.outcomes.size() < kUntold; });
    if (closed_) return;
    mail_.outcomes.push_back(std::move(outcome));
    filled_.notify_one();
  }
  /// Tells the end when it goes out of scope.
  class Ender {
   public:
    explicit Ender(Mailbox& mailbox) : mailbox_(mailbox) {}
    ~Ender() {
      const std::lock_guard lock(mailbox_.mutex_);
      mailbox_.mail_.ended = true;
      mailbox_.filled_.notify_one();
    }
    Ender(const Ender&) = delete;
    Ender& operator=(const Ender&) = delete;

   private:
    Mailbox& mailbox_;
  };
  /// Nothing is told any more, and nobody waits for it.
  void Close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    emptied_.notify_all();
  }
  /// What came since the last time; waits for it, but not longer than kLook.
  Mail Take() {
    std::unique_lock lock(mutex_);
    filled_.wait_for(lock, kLook,
                     [this] { return mail_.ended || mail_.counts || !mail_.outcomes.empty(); });
    emptied_.notify_all();
    return std::exchange(mail_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable filled_;
  std::condition_variable emptied_;
  bool closed_ = false;
  Mail mail_;
};

py::object Counts(const RunCounts& counts) {
  return Type("Counts")(counts.of(Outcome::kWritten), counts.of(Outcome::kUnchanged),
                        counts.of(Outcome::kRejected), counts.of(Outcome::kQuarantined),
                        counts.of(Outcome::kFailed), counts.bytes_in, counts.bytes_out,
                        counts.total);
}

py::object Told(const InputOutcome& one) {
  return Type("InputOutcome")(Text(one.input), TextOrNone(one.output),
                              Text(ToString(one.report.outcome)), TextOrNone(one.report.reason),
                              TextOrNone(one.report.where), Notes(one.report.notes));
}

py::dict Numbers(const std::map<std::string, std::uint64_t>& numbers) {
  py::dict dict;
  for (const auto& [name, number] : numbers) dict[Text(name)] = number;
  return dict;
}

py::tuple RuleSets(const std::vector<RuleSetOutputs>& rule_sets) {
  py::tuple tuple(rule_sets.size());
  for (std::size_t i = 0; i < rule_sets.size(); ++i) {
    const RuleSetOutputs& row = rule_sets[i];
    tuple[i] = Type("RuleSetOutputs")(Text(row.rules_hash), TextOrNone(row.edition), row.outputs);
  }
  return tuple;
}

py::object Summary(const RunSummary& summary) {
  py::object manifest = py::none();
  if (!summary.manifest.empty()) manifest = py::cast(summary.manifest);
  return Type("Summary")(Counts(summary.counts), Numbers(summary.reasons), Numbers(summary.notes),
                         summary.seconds, summary.recalled, RuleSets(summary.rule_sets),
                         summary.journal_damaged, summary.without_record, summary.not_copied,
                         manifest);
}

/// Blocks until the run has ended, and its journal is closed, also if an exception ends it.
py::object RunFolders(const Engine& engine, RunOptions options, const py::object& progress,
                      const py::object& outcome) {
  Mailbox mailbox;
  std::atomic<bool> stop = false;
  options.stop = &stop;
  if (!progress.is_none()) {
    options.on_progress = [&mailbox](const RunCounts& counts) { mailbox.Put(counts); };
  }
  if (!outcome.is_none()) {
    options.on_outcome = [&mailbox](const std::string& input, const std::string& output,
                                    const InstanceReport& report) {
      mailbox.Put({.input = input, .output = output, .report = report});
    };
  }
  std::future<RunSummary> ending = std::async(std::launch::async, [&] {
    const Mailbox::Ender ender(mailbox);
    return Run(engine, options);
  });

  std::exception_ptr failure;  // the first; while the run comes to its end there are no others
  bool ended = false;
  while (!ended) {
    Mailbox::Mail mail;
    {
      const py::gil_scoped_release unlocked;
      mail = mailbox.Take();
    }
    ended = mail.ended;
    if (failure) continue;
    try {
      if (PyErr_CheckSignals() != 0) throw py::error_already_set();
      for (const InputOutcome& one : mail.outcomes) outcome(Told(one));
      if (mail.counts) progress(Counts(*mail.counts));
    } catch (...) {
      failure = std::current_exception();
      stop = true;
      mailbox.Close();
    }
  }
  const RunSummary summary = ending.get();
  if (failure) std::rethrow_exception(failure);
  py::object result = Summary(summary);
  if (summary.problem) {
    Raise("RunError", Text(summary.problem->message), summary.problem->usage, result);
  }
  return result;
}

}  // namespace

void DefineRun(py::module_& module) {
  py::class_<Shard>(module, "Shard")
      .def(
          py::init([](std::uint32_t index, std::uint32_t count, bool by_path, std::uint32_t depth) {
            return Shard{.index = index,
                         .count = count,
                         .by = by_path ? Shard::By::kPath : Shard::By::kStudy,
                         .depth = depth};
          }),
          py::arg("index"), py::arg("count"), py::arg("by_path"), py::arg("depth"));
  py::class_<RunOptions>(module, "RunOptions")
      .def(py::init<>())
      .def_readwrite("input", &RunOptions::input)
      .def_readwrite("output", &RunOptions::output)
      .def_readwrite("state", &RunOptions::state)
      .def_readwrite("shard", &RunOptions::shard)
      .def_readwrite("jobs", &RunOptions::jobs)
      .def_readwrite("layout", &RunOptions::layout)
      .def_readwrite("dicomdir", &RunOptions::dicomdir)
      .def_readwrite("durable", &RunOptions::durable)
      .def_readwrite("accept_changes", &RunOptions::accept_changes)
      .def_readwrite("retry_quarantined", &RunOptions::retry_quarantined)
      .def_readwrite("quarantine", &RunOptions::quarantine)
      .def_readwrite("crosswalk", &RunOptions::crosswalk)
      .def_readwrite("crosswalk_to", &RunOptions::crosswalk_to)
      .def_readwrite("dry_run", &RunOptions::dry_run)
      .def_readwrite("survey", &RunOptions::survey);
  module.attr("DICOMDIR_LAYOUT") = Text(kDicomdirLayout);
  module.def("run", &RunFolders, py::arg("engine"), py::arg("options"), py::arg("progress"),
             py::arg("outcome"));
}

}  // namespace dcmveil::python
