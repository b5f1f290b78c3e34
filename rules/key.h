// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "engine/crypto.h"

namespace dcmveil::rules {

/// A key, or why there is none. No text in it comes from the key's own.
struct KeyReading {
  std::optional<Key> key;
  /// There is nothing where the key should be: no file, no variable. `check` may go on without.
  bool missing = false;
  std::string message;
  std::string hint;
};

/// A file of secrets, or why it is not read.
struct SecretReading {
  std::optional<std::string> text;  ///< to be erased with Cleanse
  bool missing = false;
  std::string message;  ///< "x.pem is open to other users"
  std::string hint;
};

/// The text of a small file. One that its group or others may read or write is refused, and so is
/// what is no regular file.
[[nodiscard]] SecretReading ReadSecretFile(const std::filesystem::path& file);

/// The key in a file as `dcmveil keygen` writes it. A file that its group or others may read or
/// write is refused.
[[nodiscard]] KeyReading ReadKeyFile(const std::filesystem::path& file);

/// The key in an environment variable, in the same text form or as bare digits.
[[nodiscard]] KeyReading ReadKeyVariable(const std::string& name);

}  // namespace dcmveil::rules
