// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>

#include "dcmveil/connection.h"

namespace dcmveil::cli {

/// What SOURCE and SINK may name besides folders.
class Services {
 public:
  /// Reads a file of connections; an empty name: there is none. False, and a message on standard
  /// error, if it has errors.
  [[nodiscard]] bool Load(const std::string& file);
  /// The service that the text names, by its base URL or by its name in the file; nothing if it
  /// names none. A text that cannot be what it seems to be sets problem().
  [[nodiscard]] std::optional<Connection> Find(const std::string& text);
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  std::map<std::string, Connection> known_;
  std::string problem_;
};

}  // namespace dcmveil::cli
