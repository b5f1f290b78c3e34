// SPDX-License-Identifier: Apache-2.0
#include "verify/manifest.h"

#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <system_error>

namespace dcmveil::verify {
namespace fs = std::filesystem;

Manifest::~Manifest() {
  if (fd_ >= 0) ::close(fd_);
}

bool Manifest::Open(const fs::path& file) {
  fd_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd_ < 0) return false;
  std::string chunk(1U << 20U, '\0');
  std::uint64_t at = 0;
  std::uint64_t line = 0;
  starts_.push_back(0);
  for (;;) {
    const ssize_t got = ::pread(fd_, chunk.data(), chunk.size(), static_cast<off_t>(at));
    if (got < 0) return false;
    if (got == 0) break;
    for (ssize_t i = 0; i < got; ++i) {
      if (chunk[static_cast<std::size_t>(i)] != '\n') continue;
      line = at + static_cast<std::uint64_t>(i) + 1;
      starts_.push_back(line);
    }
    at += static_cast<std::uint64_t>(got);
  }
  // A last line without its end was cut.
  return line == at;
}

Manifest::Line Manifest::At(std::uint64_t index) const {
  std::string text(starts_[index + 1] - starts_[index], '\0');
  const ssize_t got = ::pread(fd_, text.data(), text.size(), static_cast<off_t>(starts_[index]));
  Line line;
  if (got != static_cast<ssize_t>(text.size())) return line;
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return line;
  const auto read = [&json](const char* name) -> std::optional<std::string> {
    const auto it = json.find(name);
    if (it == json.end() || !it->is_string()) return std::nullopt;
    return it->get<std::string>();
  };
  line.input = read("input").value_or("");
  line.output = read("output");
  line.outcome = read("outcome").value_or("");
  line.reason = read("reason").value_or("");
  line.of_earlier_rules = json.contains("decided_by");
  return line;
}

std::string Shown(const std::string& name) {
  const nlohmann::json json = name;
  const std::string quoted = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return nlohmann::json::parse(quoted).get<std::string>();
}

void Names::List() {
  std::error_code error;
  for (auto it = fs::recursive_directory_iterator(root_, error);
       !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    const std::string name = it->path().lexically_relative(root_).string();
    const std::string shown = Shown(name);
    if (shown != name) odd_.try_emplace(shown, name);
  }
}

fs::path Names::PathOf(const std::string& shown) const {
  const auto it = odd_.find(shown);
  return root_ / (it != odd_.end() ? it->second : shown);
}

}  // namespace dcmveil::verify
