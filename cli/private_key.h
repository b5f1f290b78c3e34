// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "engine/cms.h"

namespace dcmveil::cli {

/// --key and --cert of the verbs that open what was encrypted to a certificate.
struct PrivateKeyFlags {
  std::string key;
  std::string certificate;
};

/// Adds the flags; --key is required.
void AddPrivateKeyFlags(CLI::App& app, PrivateKeyFlags& flags);

struct Unlocked {
  cms::PrivateKey key;
  std::optional<cms::Certificate> certificate;

  [[nodiscard]] const cms::Certificate* certificate_or_null() const {
    return certificate ? &*certificate : nullptr;
  }
};

/// Reads both. Nothing, and a message, if one cannot be used. The key's passphrase, if it has one,
/// is taken from the environment variable DCMVEIL_PASSPHRASE.
[[nodiscard]] std::optional<Unlocked> Unlock(const PrivateKeyFlags& flags);

}  // namespace dcmveil::cli
