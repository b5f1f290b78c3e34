// SPDX-License-Identifier: Apache-2.0
#include "pipeline/folder_source.h"

#include <algorithm>
#include <system_error>

namespace dcmveil::pipeline {
namespace fs = std::filesystem;
namespace {

/// The entry's own type, from what the folder's listing told already: no call for each file.
fs::file_type TypeOf(const fs::directory_entry& entry) {
  std::error_code error;
  if (entry.is_symlink(error)) return fs::file_type::symlink;
  if (entry.is_regular_file(error)) return fs::file_type::regular;
  if (entry.is_directory(error)) return fs::file_type::directory;
  return fs::file_type::unknown;
}

/// Whether a link ends at a regular file inside the tree.
bool LeadsToFileInside(const fs::path& link, const fs::path& root) {
  std::error_code error;
  const fs::path target = fs::canonical(link, error);
  if (error || !fs::is_regular_file(target, error) || error) return false;
  const fs::path base = fs::canonical(root, error);
  if (error) return false;
  const auto [end, ignored] = std::mismatch(base.begin(), base.end(), target.begin(), target.end());
  return end == base.end();
}

}  // namespace

FolderSource::FolderSource(fs::path root, std::optional<Splitter> splitter)
    : root_(std::move(root)), splitter_(splitter) {
  std::error_code error;
  if (!fs::is_directory(root_, error)) {
    only_ = Input{.file = root_, .name = root_.filename().string(), .problem = {}};
    if (!MayTake(only_->name, false)) only_.reset();
  } else if (!Enter(root_, "")) {
    only_ = Input{.file = root_, .name = ".", .problem = ErrorCode::kReadFailed};
  }
}

bool FolderSource::Enter(const fs::path& folder, const std::string& name) {
  std::error_code error;
  Level level{.folder = folder, .name = name, .entries = {}};
  fs::directory_iterator it(folder, error);
  if (error) return false;
  for (; it != fs::directory_iterator(); it.increment(error)) {
    if (error) return false;
    level.entries.push_back({it->path().filename().string(), TypeOf(*it)});
  }
  if (error) return false;
  std::sort(level.entries.begin(), level.entries.end(),
            [](const Entry& a, const Entry& b) { return a.name > b.name; });
  levels_.push_back(std::move(level));
  return true;
}

bool FolderSource::MayTake(const std::string& name, bool has_problem) const {
  if (!splitter_ || (splitter_->by_study() && !has_problem)) return true;
  return splitter_->TakesName(name);
}

std::optional<Input> FolderSource::Next() {
  if (only_) {
    std::optional<Input> only = std::move(only_);
    only_.reset();
    return only;
  }
  while (!levels_.empty()) {
    Level& level = levels_.back();
    if (level.entries.empty()) {
      levels_.pop_back();
      continue;
    }
    const Entry entry = std::move(level.entries.back());
    level.entries.pop_back();
    Input input{.file = level.folder / entry.name, .name = level.name + entry.name, .problem = {}};
    switch (entry.type) {
      case fs::file_type::directory:
        if (splitter_ && !splitter_->MayHold(input.name)) continue;
        if (Enter(input.file, input.name + "/")) continue;
        input.problem = ErrorCode::kReadFailed;
        return input;
      case fs::file_type::symlink:
        if (!LeadsToFileInside(input.file, root_)) input.problem = ErrorCode::kSymbolicLink;
        break;
      case fs::file_type::regular:
        break;
      default:
        // Opening a FIFO or device could block for ever.
        input.problem = ErrorCode::kNotDicom;
        break;
    }
    if (!MayTake(input.name, input.problem.has_value())) continue;
    return input;
  }
  return std::nullopt;
}

std::uint64_t FolderSource::Count(const std::atomic<bool>& stop) {
  return CountInputs(root_, stop, splitter_);
}

std::uint64_t CountInputs(const fs::path& root, const std::atomic<bool>& stop,
                          const std::optional<Splitter>& splitter) {
  FolderSource source(root, splitter);
  std::uint64_t count = 0;
  while (source.Next()) {
    if (stop) return 0;
    ++count;
  }
  return count;
}

}  // namespace dcmveil::pipeline
