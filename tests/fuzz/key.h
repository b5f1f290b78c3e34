// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "dcmveil/rules.h"
#include "tests/support/folder.h"

namespace dcmveil::fuzz {

/// A key file of its own for the life of the process. Given to the loader it also keeps an input
/// from naming another key.
inline const std::filesystem::path& KeyFile() {
  static const testing::Folder folder;
  static const std::filesystem::path file =
      folder.Write("project.key", std::string(64, 'a') + "\n");
  return file;
}

}  // namespace dcmveil::fuzz
