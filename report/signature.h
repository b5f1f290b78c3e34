// SPDX-License-Identifier: Apache-2.0
//
// Ed25519 (RFC 8032) with keys in PEM files.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace dcmveil::report {

struct Signature {
  std::string value;       ///< 64 bytes
  std::string public_key;  ///< PEM
};

/// Signs with the private key of the file, which nobody but its owner may read. On failure nothing,
/// and `problem` says why.
[[nodiscard]] std::optional<Signature> Sign(const std::filesystem::path& key_file,
                                            std::string_view bytes, std::string& problem);

/// False also if the key is no public key of Ed25519.
[[nodiscard]] bool IsSignedBy(std::string_view public_key_pem, std::string_view bytes,
                              std::string_view signature);
[[nodiscard]] bool HoldsPublicKey(std::string_view pem);
/// Whether two PEM texts hold the same public key.
[[nodiscard]] bool IsSameKey(std::string_view one_pem, std::string_view other_pem);

/// RFC 4648 section 4.
[[nodiscard]] std::string ToBase64(std::string_view bytes);
[[nodiscard]] std::optional<std::string> FromBase64(std::string_view text);

}  // namespace dcmveil::report
