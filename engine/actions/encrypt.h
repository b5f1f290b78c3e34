// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/crypto.h"

namespace dcmveil::engine {

/// The UTF-8 value in a token that the action `encrypt` wrote ("dv1.…"). `key` is the rule set's
/// own, not a derived one. Nothing if it is no token or another key's.
[[nodiscard]] std::optional<std::string> DecryptText(const Key& key, std::string_view token);

/// As DecryptText, for the bytes that stand in OB and UN ("DV1", a NUL, and the rest).
[[nodiscard]] std::optional<std::string> DecryptBytes(const Key& key, std::string_view bytes);

/// The text in a value that Microsoft's anonymization tool encrypted: Base64 of a 16-byte IV and an
/// AES-CBC ciphertext. `key_text` is its encryptKey, 16, 24 or 32 bytes of UTF-8. Empty text gives
/// empty text. Nothing for other keys and damaged text, as far as that can be seen: the form is not
/// authenticated.
[[nodiscard]] std::optional<std::string> DecryptSeedText(std::string_view key_text,
                                                         std::string_view base64);

}  // namespace dcmveil::engine
