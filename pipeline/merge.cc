// SPDX-License-Identifier: Apache-2.0
#include "pipeline/merge.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <queue>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "dcmveil/survey.h"
#include "pipeline/file_name.h"
#include "pipeline/files.h"
#include "pipeline/journal.h"
#include "pipeline/manifest.h"
#include "pipeline/rule_sets.h"
#include "pipeline/shard.h"
#include "pipeline/state_folder.h"
#include "pipeline/surveyor.h"

namespace dcmveil::pipeline {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;
using Problem = std::optional<RunSummary::Problem>;

constexpr const char* kManifest = "manifest.ndjson";
constexpr const char* kQuarantine = "quarantine.ndjson";
constexpr const char* kHashes = "hashes.ndjson";
constexpr const char* kPart = ".part";

Problem Usage(std::string message) {
  return RunSummary::Problem{.usage = true, .message = std::move(message)};
}
Problem CannotGoOn(std::string message) {
  return RunSummary::Problem{.usage = false, .message = std::move(message)};
}

/// The lines of a file that is not kept open: there may be more shards than descriptors.
class Lines {
 public:
  explicit Lines(fs::path file) : file_(std::move(file)) {}

  /// Nothing at the end. A last line without its end is left out.
  std::optional<std::string> Next() {
    std::string line;
    for (;;) {
      const std::size_t end = buffer_.find('\n', at_);
      if (end != std::string::npos) {
        line.append(buffer_, at_, end - at_);
        at_ = end + 1;
        return line;
      }
      line.append(buffer_, at_);
      if (!Fill()) return std::nullopt;
    }
  }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  bool Fill() {
    buffer_.resize(std::size_t{16} << 10U);
    at_ = 0;
    const int fd = ::open(file_.c_str(), O_RDONLY | O_CLOEXEC);
    ssize_t n = -1;
    if (fd >= 0) {
      do {
        n = ::pread(fd, buffer_.data(), buffer_.size(), static_cast<off_t>(offset_));
      } while (n < 0 && errno == EINTR);
      ::close(fd);
    }
    failed_ = n < 0;
    buffer_.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    offset_ += buffer_.size();
    return n > 0;
  }

  fs::path file_;
  std::uint64_t offset_ = 0;
  std::string buffer_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

/// Appends to a file beside the one that it will replace.
class Output {
 public:
  Output() = default;
  ~Output() {
    if (fd_ >= 0) ::close(fd_);
    if (!part_.empty()) ::unlink(part_.c_str());
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  [[nodiscard]] bool Open(const fs::path& file) {
    file_ = file;
    part_ = file;
    part_ += kPart;
    fd_ = ::open(part_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    return fd_ >= 0;
  }
  [[nodiscard]] bool Add(std::string_view line) {
    text_ += line;
    text_ += '\n';
    constexpr std::size_t kEnough = std::size_t{256} << 10U;
    return text_.size() < kEnough || Flush();
  }
  [[nodiscard]] bool Keep() {
    if (!Flush() || ::fsync(fd_) != 0) return false;
    std::error_code error;
    fs::rename(part_, file_, error);
    if (!error) part_.clear();
    return !error;
  }

 private:
  bool Flush() {
    const Status written = WriteAll(fd_, text_);
    text_.clear();
    return static_cast<bool>(written);
  }

  int fd_ = -1;
  fs::path file_;
  fs::path part_;
  std::string text_;
};

/// A file name of the manifest with all its bytes.
std::string NameIn(const Json& line, const char* key) {
  const auto bytes = line.find(std::string(key) + "_bytes");
  if (bytes == line.end()) {
    return line.at(key).is_string() ? line.at(key).get<std::string>() : std::string();
  }
  const std::string hex = bytes->get<std::string>();
  const auto digit = [](char c) { return c >= 'a' ? c - 'a' + 10 : c - '0'; };
  std::string name;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    name.push_back(static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1])));
  }
  return name;
}

/// One line of a manifest.
struct Record {
  std::string text;
  std::string input;
  std::string output;     ///< empty: none
  InstanceReport report;  ///< outcome, reason and place
  std::string hashes;     ///< its line for the proof; empty: none
  /// The rules that decided it, if they are not those of the run.
  std::optional<RuleSetOutputs> decided_by = {};
};

/// Nothing if it is no such line.
std::optional<Record> Parse(std::string text) try {
  const Json line = Json::parse(text);
  Record record;
  record.input = NameIn(line, "input");
  record.output = NameIn(line, "output");
  const std::optional<Outcome> outcome = FindOutcome(line.at("outcome").get<std::string>());
  if (!outcome || record.input.empty()) return std::nullopt;
  record.report.outcome = *outcome;
  if (line.at("reason").is_string()) record.report.reason = line.at("reason").get<std::string>();
  record.report.where = line.value("where", "");
  if (const auto by = line.find("decided_by"); by != line.end()) {
    const Json& edition = by->at("edition");
    record.decided_by = {.rules_hash = by->at("rules_hash").get<std::string>(),
                         .edition = edition.is_null() ? std::string() : edition.get<std::string>(),
                         .outputs = 1};
  }
  record.text = std::move(text);
  return record;
} catch (const Json::exception&) {
  return std::nullopt;
}

/// In the order in which a folder source gives its inputs: each folder's names in the order of
/// their bytes. So '/' comes before all else.
bool ComesBefore(const std::string& a, const std::string& b) {
  const auto rank = [](char c) { return c == '/' ? 0 : static_cast<unsigned char>(c) + 1; };
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [&rank](char x, char y) { return rank(x) < rank(y); });
}

/// What of an input's several lines is true: who wrote it knows more than who could not read it.
int WorthOf(const Record& record) {
  if (!record.output.empty()) return 3;
  if (record.report.outcome == Outcome::kRejected) return 2;
  return record.report.outcome == Outcome::kQuarantined ? 1 : 0;
}

/// A shard's state.
struct Part {
  fs::path folder;
  Shard shard = {};
  Json run = {};
  bool finished = false;
  bool has_hashes = false;
};

class Merger {
 public:
  explicit Merger(const MergeOptions& options) : options_(options) {}
  MergeSummary Go();

 private:
  [[nodiscard]] Problem Find();
  [[nodiscard]] Problem Read(const fs::path& folder);
  [[nodiscard]] Problem CheckParts();
  [[nodiscard]] Problem CheckSame(const Part& part) const;
  [[nodiscard]] Problem CheckWhole();
  [[nodiscard]] Problem FindDoubledOutputs();
  [[nodiscard]] Problem JoinManifests();
  [[nodiscard]] Problem JoinSurveys();
  [[nodiscard]] Problem WriteDescription() const;
  [[nodiscard]] Problem Keep();

  /// The next line of a part with what belongs to it; false at the end.
  struct Cursor {
    std::size_t part;
    Lines manifest;
    std::optional<Lines> hashes = {};
    Record record = {};
  };
  [[nodiscard]] bool Advance(Cursor& cursor);
  [[nodiscard]] bool Add(Record record);
  [[nodiscard]] bool IsService() const {
    return parts_.front().run.value("input_is_service", false);
  }

  const MergeOptions& options_;
  MergeSummary summary_;
  FolderLock lock_;
  std::vector<Part> parts_;             ///< in the order of their numbers
  std::vector<std::uint64_t> doubled_;  ///< hashes of outputs that may be doubled, sorted
  /// Doubled outputs: whether some shard says that it wrote it, and whether an input has it
  /// already.
  struct Claim {
    int times = 0;
    bool written = false;
    bool given = false;
  };
  std::unordered_map<std::string, Claim> claims_;
  std::vector<RuleSetOutputs> of_earlier_rules_;
  std::map<std::pair<Outcome, std::string>, std::uint64_t> dropped_;  ///< lines, by reason
  Problem damage_;
  Output manifest_;
  Output quarantine_;
  Output hashes_;
};

Problem Merger::Read(const fs::path& folder) {
  Part part;
  part.folder = folder;
  std::ifstream stream(folder / "run.json");
  part.run = Json::parse(stream, nullptr, false);
  const bool is_shard = part.run.is_object() && part.run.contains("shard") &&
                        part.run["shard"].is_object() && part.run.contains("rules_hash");
  if (!is_shard) {
    // It began, and ended before it could say more.
    if (part.run.is_discarded() && options_.shards.empty()) return std::nullopt;
    return Usage(folder.string() + " is not the state folder of a shard");
  }
  part.shard.index = part.run["shard"].value("index", 0U);
  part.shard.count = part.run["shard"].value("count", 0U);
  if (!SetShardBy(part.run["shard"].value("by", ""), part.shard) || part.shard.index < 1 ||
      part.shard.index > part.shard.count) {
    return Usage("run.json in " + folder.string() + " is damaged");
  }
  FolderLock lock;
  if (lock.Take(folder) == FolderLock::Taken::kBusy) {
    return Usage("shard " + std::to_string(part.shard.index) + " is running");
  }
  part.finished = IsFinished(folder);
  // Hashes that were taken before the last run say nothing of its outputs.
  std::error_code error;
  const auto hashed = fs::last_write_time(folder / kHashes, error);
  part.has_hashes = !error && hashed >= fs::last_write_time(folder / kManifest, error) && !error;
  parts_.push_back(std::move(part));
  return std::nullopt;
}

Problem Merger::Find() {
  std::vector<fs::path> folders = options_.shards;
  if (folders.empty()) {
    const std::optional<std::vector<Shard>> shards = ShardsIn(options_.state);
    if (!shards)
      return CannotGoOn("the state folder " + options_.state.string() + " cannot be read");
    for (const Shard& shard : *shards) folders.push_back(options_.state / FolderNameOf(shard));
  }
  for (const fs::path& folder : folders) {
    if (Problem problem = Read(folder)) return problem;
  }
  if (parts_.empty()) return Usage("there are no shards in " + options_.state.string());
  std::sort(parts_.begin(), parts_.end(),
            [](const Part& a, const Part& b) { return a.shard.index < b.shard.index; });
  return std::nullopt;
}

Problem Merger::CheckSame(const Part& part) const {
  const Part& first = parts_.front();
  const auto differ = [&](const std::string& what) {
    return Usage("shards " + std::to_string(first.shard.index) + " and " +
                 std::to_string(part.shard.index) + " are not of one run: " + what);
  };
  if (part.shard.count != first.shard.count) {
    return differ("one is of " + std::to_string(first.shard.count) + " and one of " +
                  std::to_string(part.shard.count));
  }
  if (ShardByText(part.shard) != ShardByText(first.shard)) {
    return differ("one is split by " + ShardByText(first.shard) + " and one by " +
                  ShardByText(part.shard));
  }
  constexpr std::array<std::pair<const char*, const char*>, 5> kSame = {
      {{"rules_hash", "their rules differ"},
       {"key_id", "their keys differ"},
       {"edition", "the editions of their profiles differ"},
       {"layout", "their layouts differ"},
       {"input_is_service", "one reads a service, one a folder"}}};
  for (const auto& [name, what] : kSame) {
    if (part.run.value(name, Json()) != first.run.value(name, Json())) return differ(what);
  }
  for (const char* name : {"input", "output"}) {
    const auto place = [name](const Json& run) {
      return (fs::path(run.value("folder", "")) / run.value(name, "")).lexically_normal();
    };
    if (place(part.run) != place(first.run))
      return differ("their " + std::string(name) + "s differ");
  }
  return std::nullopt;
}

Problem Merger::CheckParts() {
  for (std::size_t i = 1; i < parts_.size(); ++i) {
    if (Problem problem = CheckSame(parts_[i])) return problem;
    if (parts_[i].shard.index == parts_[i - 1].shard.index) {
      return Usage("shard " + std::to_string(parts_[i].shard.index) + " is there twice: " +
                   parts_[i - 1].folder.string() + " and " + parts_[i].folder.string());
    }
  }
  return CheckWhole();
}

/// "1, 4, 7"; the first ten of many.
std::string ListOf(const std::vector<std::uint32_t>& numbers) {
  constexpr std::size_t kMost = 10;
  std::string list;
  for (std::size_t i = 0; i < std::min(kMost, numbers.size()); ++i) {
    list += (i > 0 ? ", " : "") + std::to_string(numbers[i]);
  }
  if (numbers.size() > kMost) list += " and " + std::to_string(numbers.size() - kMost) + " more";
  return list;
}

Problem Merger::CheckWhole() {
  std::vector<std::uint32_t> missing;
  std::vector<std::uint32_t> unfinished;
  const std::uint32_t count = parts_.front().shard.count;
  auto part = parts_.begin();
  for (std::uint32_t index = 1; index <= count; ++index) {
    if (part == parts_.end() || part->shard.index != index) {
      missing.push_back(index);
    } else if (!(part++)->finished) {
      unfinished.push_back(index);
    }
  }
  summary_.shards = static_cast<std::uint32_t>(parts_.size());
  summary_.missing = static_cast<std::uint32_t>(missing.size() + unfinished.size());
  if (options_.incomplete || summary_.missing == 0) return std::nullopt;
  std::string what;
  if (!missing.empty()) what += "missing: " + ListOf(missing);
  if (!unfinished.empty()) {
    what += (what.empty() ? "" : "; ") + ("not at their end: " + ListOf(unfinished));
  }
  return Usage("of " + std::to_string(count) + " shards " + what +
               ". Run them again, or join what there is with --incomplete");
}

bool Merger::Advance(Cursor& cursor) {
  const Part& part = parts_[cursor.part];
  const auto damaged = [&](const char* file) {
    damage_ = CannotGoOn(std::string(file) + " in " + part.folder.string() +
                         " is damaged or cannot be read");
    return false;
  };
  std::optional<std::string> text = cursor.manifest.Next();
  if (!text) return cursor.manifest.failed() ? damaged(kManifest) : false;
  std::optional<Record> record = Parse(std::move(*text));
  if (!record) return damaged(kManifest);
  if (!record->output.empty() && cursor.hashes) {
    std::optional<std::string> hashes = cursor.hashes->Next();
    if (!hashes) return damaged(kHashes);
    record->hashes = std::move(*hashes);
  }
  cursor.record = std::move(*record);
  return true;
}

/// A shard that found an output with the bytes that it would have written takes it for its own,
/// from an earlier run; another shard may have written it a moment before.
Problem Merger::FindDoubledOutputs() {
  const auto for_each = [this](const auto& work) {
    for (std::size_t i = 0; i < parts_.size() && !damage_; ++i) {
      Cursor cursor{.part = i, .manifest = Lines(parts_[i].folder / kManifest)};
      while (Advance(cursor)) {
        if (!cursor.record.output.empty()) {
          work(std::hash<std::string>()(cursor.record.output), cursor.record);
        }
      }
    }
  };
  std::vector<std::uint64_t> seen;
  for_each([&seen](std::uint64_t hash, const Record&) { seen.push_back(hash); });
  std::sort(seen.begin(), seen.end());
  for (std::size_t i = 1; i < seen.size(); ++i) {
    const bool again = seen[i] == seen[i - 1];
    if (again && (doubled_.empty() || doubled_.back() != seen[i])) doubled_.push_back(seen[i]);
  }
  if (doubled_.empty()) return damage_;
  for_each([this](std::uint64_t hash, const Record& record) {
    if (!std::binary_search(doubled_.begin(), doubled_.end(), hash)) return;
    Claim& claim = claims_[record.output];
    ++claim.times;
    claim.written = claim.written || record.report.outcome == Outcome::kWritten;
  });
  return damage_;
}

bool Merger::Add(Record record) {
  Json line;
  const auto claim = record.output.empty() ? claims_.end() : claims_.find(record.output);
  if (claim != claims_.end() && claim->second.times > 1) {
    line = Json::parse(record.text);
    if (claim->second.given) {
      ++summary_.doubled_outputs;
      line["output"] = nullptr;
      line.erase("output_bytes");
      line.erase("notes");
      line.erase("decided_by");
      record.decided_by.reset();
      record.output.clear();
      record.hashes.clear();
      record.report = {};
      record.report.outcome = Outcome::kQuarantined;
      record.report.reason = CodeOf(ErrorCode::kSameOutput);
      line["reason"] = record.report.reason;
    } else if (claim->second.written) {
      record.report.outcome = Outcome::kWritten;
    }
    claim->second.given = true;
    line["outcome"] = ToString(record.report.outcome);
    record.text = line.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  ++summary_.counts.outcomes[static_cast<std::size_t>(record.report.outcome)];
  if (record.output.empty()) {
    ++summary_.reasons[record.report.reason];
  } else if (record.decided_by) {
    AddOutputs(of_earlier_rules_, *record.decided_by);
  }
  if (record.report.outcome == Outcome::kQuarantined) {
    const std::string rules_hash = record.decided_by ? record.decided_by->rules_hash
                                                     : parts_.front().run.value("rules_hash", "");
    if (!quarantine_.Add(QuarantineLine(record.input, record.report, rules_hash))) return false;
  }
  if (!record.hashes.empty() && !hashes_.Add(record.hashes)) return false;
  return manifest_.Add(record.text);
}

Problem Merger::JoinManifests() {
  summary_.has_hashes =
      std::all_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.has_hashes; });
  const Problem unwritable =
      CannotGoOn("the state folder " + options_.state.string() + " cannot be written");
  if (!manifest_.Open(options_.state / kManifest) ||
      !quarantine_.Open(options_.state / kQuarantine) ||
      (summary_.has_hashes && !hashes_.Open(options_.state / kHashes))) {
    return unwritable;
  }
  // A service's order is its own; the shards then come one after the other.
  const bool by_name = !IsService();
  const auto later = [by_name](const std::unique_ptr<Cursor>& a, const std::unique_ptr<Cursor>& b) {
    if (by_name && a->record.input != b->record.input) {
      return ComesBefore(b->record.input, a->record.input);
    }
    return b->part < a->part;
  };
  std::vector<std::unique_ptr<Cursor>> cursors;
  const auto push = [&](std::unique_ptr<Cursor> cursor) {
    if (!Advance(*cursor)) return;
    cursors.push_back(std::move(cursor));
    std::push_heap(cursors.begin(), cursors.end(), later);
  };
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    auto cursor = std::make_unique<Cursor>(
        Cursor{.part = i, .manifest = Lines(parts_[i].folder / kManifest)});
    if (summary_.has_hashes) cursor->hashes.emplace(parts_[i].folder / kHashes);
    push(std::move(cursor));
  }
  std::optional<Record> held;
  while (!cursors.empty() && !damage_) {
    std::pop_heap(cursors.begin(), cursors.end(), later);
    std::unique_ptr<Cursor> cursor = std::move(cursors.back());
    cursors.pop_back();
    Record record = std::move(cursor->record);
    if (held && held->input == record.input) {
      if (WorthOf(*held) == 3 && WorthOf(record) == 3) {
        return Usage("shard " + std::to_string(parts_[cursor->part].shard.index) +
                     " has an output for an input that another shard has one for: they are not "
                     "parts of one run");
      }
      ++summary_.repeated;
      if (WorthOf(record) > WorthOf(*held)) std::swap(record, *held);
      ++dropped_[{record.report.outcome, record.report.reason}];
    } else {
      if (held && !Add(std::move(*held))) return unwritable;
      held = std::move(record);
    }
    push(std::move(cursor));
  }
  if (damage_) return damage_;
  if (held && !Add(std::move(*held))) return unwritable;
  const Json& run = parts_.front().run;
  const Json edition = run.value("edition", Json());
  summary_.rule_sets = WithOwn(
      {.rules_hash = run.value("rules_hash", ""),
       .edition = edition.is_string() ? edition.get<std::string>() : std::string(),
       .outputs = summary_.counts.of(Outcome::kWritten) + summary_.counts.of(Outcome::kUnchanged)},
      of_earlier_rules_);
  return std::nullopt;
}

Problem Merger::JoinSurveys() {
  std::error_code error;
  for (const Part& part : parts_) {
    if (!fs::exists(part.folder / kSurveyFile, error)) return std::nullopt;
  }
  std::optional<Survey> whole;
  for (const Part& part : parts_) {
    Result<Survey> survey = LoadSurvey(part.folder);
    if (!survey) {
      return CannotGoOn("the survey or the review file in " + part.folder.string() + " is damaged");
    }
    if (whole) {
      Merge(*whole, *survey);
    } else {
      whole = std::move(*survey);
    }
  }
  whole->run.stopped = whole->run.stopped || summary_.missing > 0;
  // What several shards could not read is one input, and what two had is quarantined now. By kind
  // nothing is known of them.
  whole->outcomes = summary_.counts.outcomes;
  whole->run.rule_sets = summary_.rule_sets;
  whole->kindless -= std::min(whole->kindless, summary_.repeated);
  for (Survey::Reason& row : whole->reasons) {
    const auto dropped = dropped_.find({row.outcome, row.reason});
    if (dropped == dropped_.end()) continue;
    const std::uint64_t inputs = std::min(dropped->second, row.inputs);
    row.inputs -= inputs;
    dropped->second -= inputs;
  }
  if (summary_.doubled_outputs > 0) {
    whole->reasons.push_back({.outcome = Outcome::kQuarantined,
                              .reason = std::string(CodeOf(ErrorCode::kSameOutput)),
                              .where = {},
                              .inputs = summary_.doubled_outputs});
  }
  std::erase_if(whole->reasons, [](const Survey::Reason& row) { return row.inputs == 0; });
  if (!Surveyor::Save(*whole, options_.state)) {
    return CannotGoOn("the survey cannot be written to " + options_.state.string());
  }
  summary_.has_survey = true;
  return std::nullopt;
}

Problem Merger::WriteDescription() const {
  Json run = parts_.front().run;
  run.erase("shard");
  run.erase("rule_sets");
  if (!summary_.rule_sets.empty()) run["rule_sets"] = ToJson(summary_.rule_sets);
  run["shards"] = {{"count", parts_.front().shard.count},
                   {"joined", summary_.shards},
                   {"missing", summary_.missing},
                   {"by", ShardByText(parts_.front().shard)}};
  Output file;
  const std::string text = run.dump(2, ' ', false, Json::error_handler_t::replace);
  if (file.Open(options_.state / "run.json") && file.Add(text) && file.Keep()) return std::nullopt;
  return CannotGoOn("the state folder " + options_.state.string() + " cannot be written");
}

Problem Merger::Keep() {
  // A rerun of a shard may have begun in the meantime.
  for (const Part& part : parts_) {
    if (part.finished && !IsFinished(part.folder)) {
      return CannotGoOn("shard " + std::to_string(part.shard.index) + " was run again meanwhile");
    }
  }
  std::error_code error;
  // What was said of an earlier state is not true of this one.
  for (const char* name : {kManifest, kHashes, "verify.json"}) {
    fs::remove(options_.state / name, error);
    if (error) break;
  }
  const bool kept = !error && quarantine_.Keep() && (!summary_.has_hashes || hashes_.Keep());
  if (kept) {
    if (Problem problem = JoinSurveys()) return problem;
    if (Problem problem = WriteDescription()) return problem;
  }
  // Last: without a manifest a state is none.
  if (!kept || !manifest_.Keep()) {
    return CannotGoOn("the state folder " + options_.state.string() + " cannot be written");
  }
  if (summary_.has_hashes) {
    // They are of this manifest, and must not look older.
    fs::last_write_time(options_.state / kHashes, fs::file_time_type::clock::now(), error);
  }
  summary_.manifest = options_.state / kManifest;
  return std::nullopt;
}

MergeSummary Merger::Go() {
  const auto work = [this]() -> Problem {
    if (Problem problem = Find()) return problem;
    if (Problem problem = CheckParts()) return problem;
    std::error_code error;
    if (fs::exists(options_.state / "journal", error)) {
      return Usage("the state folder " + options_.state.string() +
                   " is that of a run of its own; give another with --state");
    }
    if (!MakePrivateFolder(options_.state)) {
      return Usage("the state folder " + options_.state.string() +
                   " cannot be made, or is open to others; it must have mode 0700");
    }
    if (lock_.Take(options_.state) != FolderLock::Taken::kYes) {
      return CannotGoOn("another merge uses the state folder " + options_.state.string());
    }
    if (Problem problem = FindDoubledOutputs()) return problem;
    if (Problem problem = JoinManifests()) return problem;
    return Keep();
  };
  summary_.problem = work();
  return std::move(summary_);
}

}  // namespace

MergeSummary MergeShards(const MergeOptions& options) { return Merger(options).Go(); }

}  // namespace dcmveil::pipeline
