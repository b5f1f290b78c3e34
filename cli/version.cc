// SPDX-License-Identifier: Apache-2.0
#include "cli/version.h"

#include <nlohmann/json.hpp>

#include "dcmveil/engine.h"

namespace dcmveil::cli {

std::string VersionLine() { return "dcmveil " + std::string(Version()); }

std::string VersionJson() {
  nlohmann::ordered_json line;
  line["name"] = "dcmveil";
  line["version"] = Version();
  line["compiler"] = {{"name", DCMVEIL_COMPILER}, {"version", DCMVEIL_COMPILER_VERSION}};
  line["libraries"] = nlohmann::ordered_json::array();
#define DCMVEIL_LIBRARY(library, number) \
  line["libraries"].push_back({{"name", library}, {"version", number}});
#include "cli/libraries.def"
#undef DCMVEIL_LIBRARY
  return line.dump();
}

}  // namespace dcmveil::cli
