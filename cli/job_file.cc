// SPDX-License-Identifier: Apache-2.0
#include "cli/job_file.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <string_view>

namespace dcmveil::cli {

std::optional<std::vector<std::string>> ExpandJobFiles(const std::vector<std::string>& arguments) {
  constexpr std::string_view kFlag = "--job";
  std::vector<std::string> expanded;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    expanded.push_back(arguments[i]);
    std::string file;
    if (arguments[i] == kFlag && i + 1 < arguments.size()) {
      file = arguments[i + 1];
      expanded.push_back(arguments[++i]);
    } else if (arguments[i].starts_with(std::string(kFlag) + "=")) {
      file = arguments[i].substr(kFlag.size() + 1);
    } else {
      continue;
    }
    std::ifstream stream(file);
    if (!stream) {
      std::fprintf(stderr, "dcmveil: the job file %s cannot be read\n", file.c_str());
      return std::nullopt;
    }
    try {
      for (const CLI::ConfigItem& item : CLI::ConfigTOML().from_config(stream)) {
        for (const std::string& input : item.inputs) {
          expanded.push_back("--" + item.fullname() + "=" + input);
        }
      }
    } catch (const CLI::Error&) {
      std::fprintf(stderr, "dcmveil: the job file %s has a line that is not name=value\n",
                   file.c_str());
      return std::nullopt;
    }
  }
  return expanded;
}

}  // namespace dcmveil::cli
