// SPDX-License-Identifier: Apache-2.0
//
// What a run left in folders.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/folder.h"

namespace dcmveil::testing {

/// Names and bytes of all regular files; none if there is no such folder.
inline std::map<std::string, std::string> Contents(const std::filesystem::path& root) {
  std::map<std::string, std::string> files;
  if (!std::filesystem::exists(root)) return files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.is_regular_file()) {
      files[entry.path().lexically_relative(root).string()] = ReadFile(entry.path());
    }
  }
  return files;
}

/// Of a manifest, journal or the like: one object a line.
inline std::vector<nlohmann::json> Lines(const std::filesystem::path& file) {
  std::vector<nlohmann::json> lines;
  std::istringstream text(ReadFile(file));
  for (std::string line; std::getline(text, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

}  // namespace dcmveil::testing
