// SPDX-License-Identifier: Apache-2.0
#include "pipeline/shard.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "engine/crypto.h"

namespace dcmveil::pipeline {
namespace {

/// More array tasks than any scheduler gives, and file names of shards stay short.
constexpr std::uint32_t kMostShards = 1'000'000;

/// Digits alone: "+1", " 1", "01" and "1 " have other meanings elsewhere.
std::optional<std::uint32_t> ParseNumber(std::string_view text) {
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return number;
}

struct Scheduler {
  const char* name;
  const char* index;
  const char* count;
};
constexpr std::array<Scheduler, 3> kSchedulers = {
    {{"Slurm", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT"},
     {"Kubernetes", "JOB_COMPLETION_INDEX", "JOB_COMPLETIONS"},
     {"AWS Batch", "AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE"}}};
constexpr const char* kSlurmMin = "SLURM_ARRAY_TASK_MIN";
constexpr const char* kSlurmMax = "SLURM_ARRAY_TASK_MAX";
constexpr const char* kSlurmStep = "SLURM_ARRAY_TASK_STEP";

/// Reads the variables of one scheduler; keeps the first thing that is wrong.
class Reader {
 public:
  Reader(const Variable& variable, std::string& problem) : variable_(variable), problem_(problem) {}

  [[nodiscard]] bool Has(const char* name) const { return variable_(name).has_value(); }
  std::uint32_t Number(const char* name, const char* asked_by) {
    const std::optional<std::string> text = variable_(name);
    if (!text) {
      Fail(std::string(asked_by) + " is set, but " + name + " is not");
      return 0;
    }
    const std::optional<std::uint32_t> number = ParseNumber(*text);
    if (!number) Fail(std::string(name) + " is no number");
    return number.value_or(0);
  }
  void Fail(std::string problem) {
    if (problem_.empty()) problem_ = std::move(problem);
  }
  [[nodiscard]] bool failed() const { return !problem_.empty(); }

 private:
  const Variable& variable_;
  std::string& problem_;
};

/// Arrays of Slurm may begin anywhere and go in steps, but not lack tasks in between.
std::uint32_t SlurmPlace(Reader& read, const Scheduler& slurm, std::uint32_t id,
                         std::uint32_t count) {
  const std::uint32_t first = read.Number(kSlurmMin, slurm.index);
  const std::uint32_t step =
      read.Has(kSlurmStep) ? std::max(1U, read.Number(kSlurmStep, slurm.index)) : 1;
  const std::uint32_t last = read.Number(kSlurmMax, slurm.index);
  const bool even = last >= first && std::uint64_t{(last - first) / step} + 1 == count &&
                    id >= first && (id - first) % step == 0;
  if (!even) {
    read.Fail(
        "SLURM_ARRAY_TASK_ID, _MIN, _MAX, _STEP and _COUNT are of an array with gaps, whose tasks "
        "are no numbers from 1 to N");
    return 0;
  }
  return (id - first) / step;
}

std::optional<Shard> ShardOf(const Scheduler& scheduler, Reader& read) {
  const std::uint32_t id = read.Number(scheduler.index, scheduler.index);
  const std::uint32_t count = read.Number(scheduler.count, scheduler.index);
  std::uint32_t place = id;
  if (&scheduler == kSchedulers.data() && !read.failed()) {
    place = SlurmPlace(read, scheduler, id, count);
  }
  if (!read.failed() && (count > kMostShards || place >= count)) {
    read.Fail(std::string(scheduler.index) + " and " + scheduler.count +
              " do not fit together: there is no such task");
  }
  if (read.failed()) return std::nullopt;
  return Shard{.index = place + 1, .count = count};
}

std::string NamesOfAll() {
  std::string names;
  for (const Scheduler& scheduler : kSchedulers) {
    if (!names.empty()) names += "; ";
    names += std::string(scheduler.index) + " and " + scheduler.count + " (" + scheduler.name + ")";
  }
  return names;
}

}  // namespace

std::optional<Shard> ParseShard(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::optional<std::uint32_t> index = ParseNumber(text.substr(0, slash));
  const std::optional<std::uint32_t> count = ParseNumber(text.substr(slash + 1));
  if (!index || !count || *index < 1 || *index > *count || *count > kMostShards) {
    return std::nullopt;
  }
  return Shard{.index = *index, .count = *count};
}

bool SetShardBy(std::string_view text, Shard& shard) {
  constexpr std::string_view kDepth = "path:";
  shard.depth = 0;
  shard.by = text == "study" ? Shard::By::kStudy : Shard::By::kPath;
  if (text == "study" || text == "path") return true;
  if (!text.starts_with(kDepth)) return false;
  shard.depth = ParseNumber(text.substr(kDepth.size())).value_or(0);
  return shard.depth > 0;
}

std::string ShardByText(const Shard& shard) {
  if (shard.by == Shard::By::kStudy) return "study";
  return shard.depth > 0 ? "path:" + std::to_string(shard.depth) : "path";
}

std::optional<Shard> ShardFromEnvironment(const Variable& variable, std::string& problem) {
  std::optional<Shard> shard;
  std::string from;
  for (const Scheduler& scheduler : kSchedulers) {
    Reader read(variable, problem);
    if (!read.Has(scheduler.index)) continue;
    const std::optional<Shard> told = ShardOf(scheduler, read);
    if (!told) return std::nullopt;
    if (shard && *shard != *told) {
      problem = from + " and " + scheduler.index + " name different shards";
      return std::nullopt;
    }
    shard = told;
    from = scheduler.index;
  }
  if (!shard) problem = "none of these is set: " + NamesOfAll();
  return shard;
}

std::string FolderNameOf(const Shard& shard) {
  return "shard-" + std::to_string(shard.index) + "-of-" + std::to_string(shard.count);
}

std::optional<Shard> ShardOfFolderName(std::string_view name) {
  constexpr std::string_view kBegin = "shard-";
  constexpr std::string_view kMiddle = "-of-";
  const std::size_t middle = name.find(kMiddle);
  if (!name.starts_with(kBegin) || middle == std::string_view::npos) return std::nullopt;
  return ParseShard(std::string(name.substr(kBegin.size(), middle - kBegin.size())) + "/" +
                    std::string(name.substr(middle + kMiddle.size())));
}

bool Splitter::Takes(std::string_view kind, std::string_view key) const {
  std::string text(kind);
  text += key;
  const Digest digest = Sha256(text);
  std::uint64_t number = 0;
  for (const char byte : digest.view().substr(0, 8)) {
    number = (number << 8U) | static_cast<unsigned char>(byte);
  }
  return number % shard_.count + 1 == shard_.index;
}

bool Splitter::TakesStudy(std::string_view uid) const { return Takes("study:", uid); }

std::string_view Splitter::KeyOfFolder(std::string_view folder) const {
  std::size_t end = 0;
  for (std::uint32_t part = 0; part < shard_.depth; ++part) {
    end = folder.find('/', part == 0 ? 0 : end + 1);
    if (end == std::string_view::npos) return folder;
  }
  return shard_.depth == 0 ? folder : folder.substr(0, end);
}

bool Splitter::TakesName(std::string_view name) const {
  const std::size_t slash = name.rfind('/');
  return Takes("path:", KeyOfFolder(slash == std::string_view::npos ? "" : name.substr(0, slash)));
}

bool Splitter::MayHold(std::string_view folder) const {
  if (by_study() || shard_.depth == 0) return true;
  const auto parts = static_cast<std::uint64_t>(std::count(folder.begin(), folder.end(), '/')) + 1;
  return parts < shard_.depth || Takes("path:", KeyOfFolder(folder));
}

}  // namespace dcmveil::pipeline
