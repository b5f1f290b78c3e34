// SPDX-License-Identifier: Apache-2.0
//
// The C interface, over the C++ one and nothing else.
#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstring>
#include <exception>
#include <forward_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dcmveil/connection.h"
#include "dcmveil/dcmveil.h"
#include "dcmveil/engine.h"
#include "dcmveil/error.h"
#include "dcmveil/rules.h"
#include "dcmveil/run.h"

using dcmveil::Diagnostic;
using dcmveil::ErrorCode;
using dcmveil::Outcome;

struct dcmveil_rules {
  std::optional<dcmveil::RuleSet> rules;  ///< nothing if there are errors
  std::vector<Diagnostic> diagnostics;
  std::string messages;
};

struct dcmveil_engine {
  dcmveil::Engine engine;
};

/// Text of a handle that changes. What was given out stays where it is as long as the handle.
class Changing {
 public:
  void Set(std::string text) { text_ = kept_.emplace_front(std::move(text)).c_str(); }
  /// Needs no memory.
  void SetLiteral(std::string_view literal) noexcept { text_ = literal.data(); }
  void Clear() noexcept { text_ = ""; }
  [[nodiscard]] const char* text() const { return text_; }

 private:
  std::forward_list<std::string> kept_;
  const char* text_ = "";
};

struct dcmveil_result {
  Outcome outcome = Outcome::kFailed;
  Changing reason;
  Changing where;
  Changing message;
  dcmveil::Deidentified instance;
  bool has_output = false;
  std::optional<std::string> bytes;  ///< once they have been asked for
};

struct dcmveil_run {
  explicit dcmveil_run(const dcmveil::Engine& made) : engine(made) { options.stop = &stop; }

  dcmveil::Engine engine;
  dcmveil::RunOptions options;
  std::map<std::string, dcmveil::Connection> connections;
  std::atomic<bool> stop{false};
  Changing message;
  Changing manifest;
  dcmveil_progress counts = {};
  bool used = false;
};

namespace {

/// Runs what may throw; `otherwise` if it does. Nothing of ours throws but for lack of memory.
template <typename T, typename Function>
T NoThrow(T otherwise, Function&& function) noexcept {
  try {
    return function();
  } catch (const std::exception&) {
    return otherwise;
  }
}

std::string Text(const char* text) { return text == nullptr ? std::string() : std::string(text); }

// ---- Rules

template <typename Load>
dcmveil_rules* LoadBy(Load&& load) noexcept {
  return NoThrow<dcmveil_rules*>(nullptr, [&] {
    auto made = std::make_unique<dcmveil_rules>();
    try {
      made->rules.emplace(load());
      made->diagnostics = made->rules->warnings();
    } catch (const dcmveil::RuleError& error) {
      made->diagnostics = error.diagnostics();
    }
    for (const Diagnostic& diagnostic : made->diagnostics) {
      made->messages += ToString(diagnostic) + '\n';
    }
    return made.release();
  });
}

const Diagnostic* Find(const dcmveil_rules* rules, size_t i) {
  return rules == nullptr || i >= rules->diagnostics.size() ? nullptr : &rules->diagnostics[i];
}

const char* NameOf(Diagnostic::Severity severity) {
  switch (severity) {
    case Diagnostic::Severity::kWarning:
      return "warning";
    case Diagnostic::Severity::kNote:
      return "note";
    case Diagnostic::Severity::kError:
      break;
  }
  return "error";
}

// ---- One instance

void SetError(dcmveil_result& result, const dcmveil::Error& error) {
  result.outcome = OutcomeOf(error.code);
  result.reason.SetLiteral(CodeOf(error.code));
  result.where.Set(error.where);
  result.message.Set(error.Message());
}

void Take(dcmveil_result& result, dcmveil::Result<dcmveil::Deidentified> applied) {
  if (!applied) return SetError(result, applied.error());
  result.instance = std::move(*applied);
  if (!result.instance.rejected) {
    result.has_output = true;
    result.outcome = Outcome::kWritten;
    return;
  }
  result.outcome = Outcome::kRejected;
  const std::string& because = result.instance.because;
  const std::string& rule = result.instance.rule;
  result.reason.Set(because);
  result.where.Set(rule);
  result.message.Set("rejected: " + because + " (" + rule + ")");
}

template <typename Apply>
dcmveil_result* ApplyBy(const dcmveil_engine* engine, Apply&& apply) noexcept {
  if (engine == nullptr) return nullptr;
  return NoThrow<dcmveil_result*>(nullptr, [&] {
    auto result = std::make_unique<dcmveil_result>();
    Take(*result, apply(engine->engine));
    return result.release();
  });
}

/// Does something with the output. False if it fails, or there is none.
template <typename Function>
bool WithOutput(dcmveil_result* result, Function&& function) noexcept {
  if (result == nullptr || !result->has_output) return false;
  try {
    const dcmveil::Status status = function();
    result->outcome = Outcome::kWritten;
    for (Changing* text : {&result->reason, &result->where, &result->message}) text->Clear();
    if (!status) SetError(*result, status.error());
    return status.ok();
  } catch (const std::exception&) {
    result->outcome = Outcome::kFailed;
    result->reason.SetLiteral(CodeOf(ErrorCode::kOutOfMemory));
    result->where.Clear();
    result->message.SetLiteral(TextOf(ErrorCode::kOutOfMemory));
    return false;
  }
}

// ---- A whole run

std::optional<bool> Flag(std::string_view value) {
  if (value == "1") return true;
  if (value == "0") return false;
  return std::nullopt;
}

bool SetPlace(dcmveil_run& run, const std::string& value, std::filesystem::path& path,
              std::optional<dcmveil::Connection>& service) {
  const auto it = run.connections.find(value);
  if (it != run.connections.end()) {
    service = it->second;
  } else if (dcmveil::IsServiceUrl(value)) {
    run.message.Set("a service is named by a file of connections, which comes first");
    return false;
  } else {
    path = value;
  }
  return true;
}

bool SetConnections(dcmveil_run& run, const std::string& file) {
  try {
    run.connections = dcmveil::LoadConnections(file);
    return true;
  } catch (const dcmveil::RuleError& error) {
    run.message.Set(error.what());
    return false;
  }
}

bool SetJobs(dcmveil_run& run, const std::string& value) {
  const char* const end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, run.options.jobs);
  if (error == std::errc() && stop == end && run.options.jobs >= 0) return true;
  run.message.Set("jobs: must be a number");
  return false;
}

bool Set(dcmveil_run& run, const std::string& option, const std::string& value) {
  dcmveil::RunOptions& options = run.options;
  run.message.Clear();
  if (option == "input") return SetPlace(run, value, options.input, options.input_service);
  if (option == "output") return SetPlace(run, value, options.output, options.output_service);
  if (option == "connections") return SetConnections(run, value);
  if (option == "jobs") return SetJobs(run, value);
  if (option == "layout") {
    options.layout = value;
    return true;
  }
  const std::pair<std::string_view, std::filesystem::path*> paths[] = {
      {"state", &options.state}, {"copy-quarantined", &options.quarantine}};
  for (const auto& [name, path] : paths) {
    if (option != name) continue;
    *path = value;
    return true;
  }
  const std::pair<std::string_view, bool*> flags[] = {
      {"dry-run", &options.dry_run},
      {"durable", &options.durable},
      {"dicomdir", &options.dicomdir},
      {"accept-changes", &options.accept_changes},
      {"retry-quarantined", &options.retry_quarantined}};
  for (const auto& [name, flag] : flags) {
    if (option != name) continue;
    const std::optional<bool> yes = Flag(value);
    if (!yes) run.message.Set(option + ": must be 1 or 0");
    *flag = yes.value_or(*flag);
    return yes.has_value();
  }
  run.message.Set("no such option: " + option);
  return false;
}

dcmveil_progress ProgressOf(const dcmveil::RunCounts& counts) {
  return {.size = sizeof(dcmveil_progress),
          .written = counts.of(Outcome::kWritten),
          .unchanged = counts.of(Outcome::kUnchanged),
          .rejected = counts.of(Outcome::kRejected),
          .quarantined = counts.of(Outcome::kQuarantined),
          .failed = counts.of(Outcome::kFailed),
          .total = counts.total,
          .bytes_in = counts.bytes_in,
          .bytes_out = counts.bytes_out};
}

int Go(dcmveil_run& run) {
  if (std::exchange(run.used, true)) {
    run.message.Set("the handle has run already");
    return DCMVEIL_RUN_USAGE;
  }
  dcmveil::RunOptions& options = run.options;
  if ((options.input.empty() && !options.input_service) ||
      (options.output.empty() && !options.output_service)) {
    run.message.Set("input and output must be set");
    return DCMVEIL_RUN_USAGE;
  }
  if (options.dicomdir) options.layout = dcmveil::kDicomdirLayout;
  const dcmveil::RunSummary summary = dcmveil::Run(run.engine, options);
  run.counts = ProgressOf(summary.counts);
  run.manifest.Set(summary.manifest.string());
  if (summary.problem) {
    run.message.Set(summary.problem->message);
    return summary.problem->usage ? DCMVEIL_RUN_USAGE : DCMVEIL_RUN_COULD_NOT_GO_ON;
  }
  if (summary.stopped) return DCMVEIL_RUN_STOPPED;
  const bool left = run.counts.quarantined + run.counts.failed > 0;
  return left ? DCMVEIL_RUN_SOME_LEFT : DCMVEIL_RUN_DONE;
}

}  // namespace

extern "C" {

// Views of the tables are of literals, and so end with a NUL.
const char* dcmveil_version(void) { return dcmveil::Version().data(); }

dcmveil_rules* dcmveil_rules_load_file(const char* path, const char* key_file) {
  return LoadBy([&] { return dcmveil::LoadRules(Text(path), {.key_file = Text(key_file)}); });
}

dcmveil_rules* dcmveil_rules_load_text(const char* text, const char* name, const char* folder,
                                       const char* key_file) {
  return LoadBy([&] {
    return dcmveil::LoadRulesFromText(Text(text), Text(name), folder == nullptr ? "." : folder,
                                      {.key_file = Text(key_file)});
  });
}

void dcmveil_rules_free(dcmveil_rules* rules) { delete rules; }

int dcmveil_rules_ok(const dcmveil_rules* rules) {
  return rules != nullptr && rules->rules.has_value() ? 1 : 0;
}

const char* dcmveil_rules_messages(const dcmveil_rules* rules) {
  return rules == nullptr ? "out of memory\n" : rules->messages.c_str();
}

size_t dcmveil_rules_diagnostic_count(const dcmveil_rules* rules) {
  return rules == nullptr ? 0 : rules->diagnostics.size();
}

const char* dcmveil_rules_diagnostic_severity(const dcmveil_rules* rules, size_t i) {
  const Diagnostic* diagnostic = Find(rules, i);
  return diagnostic == nullptr ? "" : NameOf(diagnostic->severity);
}

const char* dcmveil_rules_diagnostic_file(const dcmveil_rules* rules, size_t i) {
  const Diagnostic* diagnostic = Find(rules, i);
  return diagnostic == nullptr ? "" : diagnostic->file.c_str();
}

int dcmveil_rules_diagnostic_line(const dcmveil_rules* rules, size_t i) {
  const Diagnostic* diagnostic = Find(rules, i);
  return diagnostic == nullptr ? 0 : diagnostic->line;
}

int dcmveil_rules_diagnostic_column(const dcmveil_rules* rules, size_t i) {
  const Diagnostic* diagnostic = Find(rules, i);
  return diagnostic == nullptr ? 0 : diagnostic->column;
}

const char* dcmveil_rules_diagnostic_message(const dcmveil_rules* rules, size_t i) {
  const Diagnostic* diagnostic = Find(rules, i);
  return diagnostic == nullptr ? "" : diagnostic->message.c_str();
}

const char* dcmveil_rules_diagnostic_hint(const dcmveil_rules* rules, size_t i) {
  const Diagnostic* diagnostic = Find(rules, i);
  return diagnostic == nullptr ? "" : diagnostic->hint.c_str();
}

const char* dcmveil_rules_name(const dcmveil_rules* rules) {
  return dcmveil_rules_ok(rules) != 0 ? rules->rules->name().c_str() : "";
}

const char* dcmveil_rules_hash(const dcmveil_rules* rules) {
  return dcmveil_rules_ok(rules) != 0 ? rules->rules->hash().c_str() : "";
}

const char* dcmveil_rules_key_id(const dcmveil_rules* rules) {
  return dcmveil_rules_ok(rules) != 0 ? rules->rules->key_id().c_str() : "";
}

dcmveil_engine* dcmveil_engine_new(const dcmveil_rules* rules) {
  if (dcmveil_rules_ok(rules) == 0) return nullptr;
  return NoThrow<dcmveil_engine*>(
      nullptr, [&] { return new dcmveil_engine{dcmveil::Engine(*rules->rules)}; });
}

void dcmveil_engine_free(dcmveil_engine* engine) { delete engine; }

dcmveil_result* dcmveil_apply_bytes(const dcmveil_engine* engine, const void* bytes, size_t size) {
  return ApplyBy(engine, [&](const dcmveil::Engine& with) {
    std::string copy(static_cast<const char*>(bytes), bytes == nullptr ? 0 : size);
    return with.ApplyToBytes(std::move(copy));
  });
}

dcmveil_result* dcmveil_apply_file(const dcmveil_engine* engine, const char* input) {
  return ApplyBy(engine,
                 [&](const dcmveil::Engine& with) { return with.ApplyToFile(Text(input)); });
}

dcmveil_result* dcmveil_apply_file_to_file(const dcmveil_engine* engine, const char* input,
                                           const char* output) {
  dcmveil_result* result = dcmveil_apply_file(engine, input);
  if (result != nullptr) dcmveil_result_write(result, output);
  return result;
}

void dcmveil_result_free(dcmveil_result* result) { delete result; }

int dcmveil_result_outcome(const dcmveil_result* result) {
  return result == nullptr ? DCMVEIL_FAILED : static_cast<int>(result->outcome);
}

const char* dcmveil_result_reason(const dcmveil_result* result) {
  return result == nullptr ? CodeOf(ErrorCode::kOutOfMemory).data() : result->reason.text();
}

const char* dcmveil_result_where(const dcmveil_result* result) {
  return result == nullptr ? "" : result->where.text();
}

const char* dcmveil_result_message(const dcmveil_result* result) {
  return result == nullptr ? TextOf(ErrorCode::kOutOfMemory).data() : result->message.text();
}

size_t dcmveil_result_note_count(const dcmveil_result* result) {
  return result == nullptr ? 0 : result->instance.notes.size();
}

const char* dcmveil_result_note_code(const dcmveil_result* result, size_t i) {
  return i < dcmveil_result_note_count(result) ? CodeOf(result->instance.notes[i].code).data() : "";
}

int dcmveil_result_note_times(const dcmveil_result* result, size_t i) {
  return i < dcmveil_result_note_count(result) ? result->instance.notes[i].count : 0;
}

const char* dcmveil_result_patient_id(const dcmveil_result* result) {
  return result == nullptr ? "" : result->instance.patient_id.c_str();
}

const char* dcmveil_result_study_instance_uid(const dcmveil_result* result) {
  return result == nullptr ? "" : result->instance.study_instance_uid.c_str();
}

const char* dcmveil_result_series_instance_uid(const dcmveil_result* result) {
  return result == nullptr ? "" : result->instance.series_instance_uid.c_str();
}

const char* dcmveil_result_sop_instance_uid(const dcmveil_result* result) {
  return result == nullptr ? "" : result->instance.sop_instance_uid.c_str();
}

const char* dcmveil_result_sop_class_uid(const dcmveil_result* result) {
  return result == nullptr ? "" : result->instance.sop_class_uid.c_str();
}

const void* dcmveil_result_bytes(dcmveil_result* result, size_t* size) {
  if (size != nullptr) *size = 0;
  const bool made = WithOutput(result, [&]() -> dcmveil::Status {
    if (result->bytes) return dcmveil::Done{};
    dcmveil::Result<std::string> bytes = result->instance.encoded.ToBytes();
    if (!bytes) return bytes.error();
    result->bytes = std::move(*bytes);
    return dcmveil::Done{};
  });
  if (!made) return nullptr;
  if (size != nullptr) *size = result->bytes->size();
  return result->bytes->data();
}

int dcmveil_result_write(dcmveil_result* result, const char* output) {
  const bool written =
      WithOutput(result, [&] { return result->instance.encoded.WriteToFile(Text(output)); });
  return written ? 1 : 0;
}

dcmveil_run* dcmveil_run_new(const dcmveil_engine* engine) {
  if (engine == nullptr) return nullptr;
  return NoThrow<dcmveil_run*>(nullptr, [&] { return new dcmveil_run(engine->engine); });
}

void dcmveil_run_free(dcmveil_run* run) { delete run; }

int dcmveil_run_set(dcmveil_run* run, const char* option, const char* value) {
  if (run == nullptr) return 0;
  return NoThrow(0, [&] { return Set(*run, Text(option), Text(value)) ? 1 : 0; });
}

void dcmveil_run_on_progress(dcmveil_run* run, dcmveil_progress_function function, void* user) {
  if (run == nullptr) return;
  if (function == nullptr) {
    run->options.on_progress = nullptr;
    return;
  }
  run->options.on_progress = [function, user](const dcmveil::RunCounts& counts) {
    const dcmveil_progress progress = ProgressOf(counts);
    function(&progress, user);
  };
}

void dcmveil_run_on_outcome(dcmveil_run* run, dcmveil_outcome_function function, void* user) {
  if (run == nullptr) return;
  if (function == nullptr) {
    run->options.on_outcome = nullptr;
    return;
  }
  run->options.on_outcome = [function, user](const std::string& input, const std::string& output,
                                             const dcmveil::InstanceReport& report) {
    function(input.c_str(), output.c_str(), static_cast<int>(report.outcome), report.reason.c_str(),
             report.where.c_str(), user);
  };
}

int dcmveil_run_go(dcmveil_run* run) {
  if (run == nullptr) return DCMVEIL_RUN_COULD_NOT_GO_ON;
  return NoThrow<int>(DCMVEIL_RUN_COULD_NOT_GO_ON, [&] { return Go(*run); });
}

void dcmveil_run_stop(dcmveil_run* run) {
  if (run != nullptr) run->stop = true;
}

const char* dcmveil_run_message(const dcmveil_run* run) {
  return run == nullptr ? "out of memory" : run->message.text();
}

const char* dcmveil_run_manifest(const dcmveil_run* run) {
  return run == nullptr ? "" : run->manifest.text();
}

void dcmveil_run_counts(const dcmveil_run* run, dcmveil_progress* counts) {
  if (run == nullptr || counts == nullptr) return;
  const size_t known = std::min(counts->size, sizeof(dcmveil_progress));
  std::memcpy(counts, &run->counts, known);
  counts->size = known;
}

}  // extern "C"
