// SPDX-License-Identifier: Apache-2.0
#include "pipeline/service_copies.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "dicomweb/service.h"
#include "dicomweb/wado.h"
#include "pipeline/dicomweb_problem.h"
#include "pipeline/files.h"

namespace dcmveil::pipeline {
namespace fs = std::filesystem;
namespace {

using dicomweb::Failure;
using dicomweb::ResourceId;
using Problem = std::optional<RunSummary::Problem>;

RunSummary::Problem CannotGoOn(std::string message) {
  return {.usage = false, .message = std::move(message)};
}

/// The instance that "studies/…/series/…/instances/…" names; nothing for any other text.
std::optional<ResourceId> InstanceNamed(const std::string& name) {
  constexpr std::array<std::string_view, 3> kWords = {"studies", "series", "instances"};
  std::array<std::string, 3> uids;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < kWords.size(); ++i) {
    if (name.compare(begin, kWords[i].size() + 1, std::string(kWords[i]) + "/") != 0) {
      return std::nullopt;
    }
    begin += kWords[i].size() + 1;
    const std::size_t end = i + 1 < kWords.size() ? name.find('/', begin) : name.size();
    if (end == std::string::npos) return std::nullopt;
    uids[i] = name.substr(begin, end - begin);
    if (!dicomweb::IsUid(uids[i])) return std::nullopt;
    begin = end + 1;
  }
  return ResourceId{.study = uids[0], .series = uids[1], .instance = uids[2]};
}

/// Gives the names that a manifest has, one after the other. Any number of threads.
class Names {
 public:
  Names(const fs::path& manifest, Named named)
      : stream_(manifest, std::ios::binary), key_(named == Named::kInputs ? "input" : "output") {}
  [[nodiscard]] bool opened() const { return stream_.is_open(); }

  [[nodiscard]] std::optional<ResourceId> Next() {
    const std::lock_guard lock(mutex_);
    for (std::string text; std::getline(stream_, text);) {
      const nlohmann::json line = nlohmann::json::parse(text, nullptr, false);
      const auto name = line.is_object() ? line.find(key_) : line.end();
      if (name == line.end() || !name->is_string()) continue;
      if (std::optional<ResourceId> id = InstanceNamed(name->get_ref<const std::string&>())) {
        return id;
      }
    }
    return std::nullopt;
  }

 private:
  std::mutex mutex_;
  std::ifstream stream_;
  const char* key_;
};

bool Write(const dicomweb::Spool& spool, const fs::path& file) {
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  if (error) return false;
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  std::vector<char> part(1U << 18U);
  bool well = true;
  for (std::uint64_t at = 0; well && at < spool.size();) {
    const std::int64_t n = spool.Read(at, part.data(), part.size());
    well = n > 0 && WriteAll(fd, {part.data(), static_cast<std::size_t>(n)});
    at += static_cast<std::uint64_t>(std::max<std::int64_t>(n, 0));
  }
  return ::close(fd) == 0 && well;
}

/// The problem, if the instance is there and could not be had.
Problem CopyOne(dicomweb::Service& service, const ResourceId& id, const fs::path& folder) {
  const auto spool = dicomweb::RetrieveInstance(service, id);
  if (!spool) {
    if (spool.failure().kind == Failure::Kind::kNotFound) return std::nullopt;
    return CannotGoOn(spool.failure().message);
  }
  if (!Write(**spool, folder / id.Path())) {
    return CannotGoOn("a copy of an instance cannot be written in " + folder.string());
  }
  return std::nullopt;
}

}  // namespace

Problem CopyFromService(const Connection& connection, const fs::path& manifest, Named named,
                        const fs::path& folder) {
  Names names(manifest, named);
  if (!names.opened()) return CannotGoOn("the manifest " + manifest.string() + " cannot be read");
  dicomweb::Service service(connection, folder);
  if (const std::optional<Failure> failure = service.Probe()) return ProblemOf(failure);
  std::mutex mutex;
  Problem problem;
  const auto copy = [&] {
    while (const std::optional<ResourceId> id = names.Next()) {
      Problem met = CopyOne(service, *id, folder);
      const std::lock_guard lock(mutex);
      if (met && !problem) problem = std::move(met);
      if (problem) return;
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < std::max(1, connection.connections); ++i) threads.emplace_back(copy);
  }
  return problem;
}

}  // namespace dcmveil::pipeline
