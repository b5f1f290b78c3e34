// SPDX-License-Identifier: Apache-2.0
#include "cli/services.h"

#include <cstdio>

#include "cli/terminal.h"
#include "dcmveil/rules.h"

namespace dcmveil::cli {

bool Services::Load(const std::string& file) {
  if (file.empty()) return true;
  try {
    known_ = LoadConnections(file);
  } catch (const RuleError& error) {
    Print(error.diagnostics());
    std::fprintf(stderr, "dcmveil: errors in %s; nothing was touched\n", file.c_str());
    return false;
  }
  return true;
}

std::optional<Connection> Services::Find(const std::string& text) {
  if (const auto it = known_.find(text); it != known_.end()) return it->second;
  if (!IsServiceUrl(text)) return std::nullopt;
  Connection connection;
  connection.url = text;
  connection.name = text.substr(text.find("://") + 3);
  connection.name = connection.name.substr(0, connection.name.find_first_of("/:?#"));
  if (text.find('@') != std::string::npos) {
    problem_ =
        "a URL with a user or password shows them to everybody on this machine; give them in a "
        "file of connections (--connections)";
  } else if (connection.name.empty() || text.find_first_of("?# ") != std::string::npos) {
    problem_ = "a base URL is https://host/path, without query, fragment or space";
  }
  return connection;
}

}  // namespace dcmveil::cli
