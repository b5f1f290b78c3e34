// SPDX-License-Identifier: Apache-2.0
//
// The words of a file of connections, for its reader and for what documents it.
#pragma once

#include <array>
#include <string_view>

#include "rules/language.h"

namespace dcmveil::rules {

inline constexpr Word kConnectionWords[] = {
    {"url", "https://host/path, without version and partition; required"},
    {"api-version", "v1 or v2: Azure's; left out for others"},
    {"partition", "data partition"},
    {"auth", "who asks"},
    {"tls", "certificates"},
    {"limits", "how much at once, and for how long"},
    {"retrieve", "what one request asks for: instance, series or study"},
    {"store", "how instances are sent"},
};

/// A way to say who asks, and the keys that belong to it beside `type`.
struct AuthType {
  Word word;
  std::array<std::string_view, 5> keys;  ///< empty after the last
};
inline constexpr AuthType kAuthTypes[] = {
    {{"none", "nobody; the default"}, {}},
    {{"basic", "a user with a password"}, {"user", "password"}},
    {{"bearer", "a token that somebody else has got"}, {"token"}},
    {{"client-credentials", "OAuth2; scope (version 2) or resource (version 1)"},
     {"token-endpoint", "client-id", "secret", "scope", "resource"}},
    {{"managed-identity", "a machine in Azure; all keys have usual values"},
     {"endpoint", "client-id", "resource"}},
};

inline constexpr Word kSecretWords[] = {
    {"file", "the file that holds it"},
    {"env", "the environment variable that holds it"},
    {"command", "a command that prints it"},
};

inline constexpr Word kTlsWords[] = {
    {"ca", "authorities, if not the system's (PEM)"},
    {"certificate", "the client's (PEM)"},
    {"key", "the client's private key, if it is not in the certificate's file (PEM)"},
};

inline constexpr Word kLimitWords[] = {
    {"connections", "requests at the same time"},
    {"page", "rows that a search asks for at once"},
    {"attempts", "of one request"},
    {"give-up-after", "seconds for one request, waiting included"},
    {"connect-timeout", "seconds to connect"},
    {"stall-timeout", "seconds below 1 kB/s, and one more for each MB that was sent"},
    {"memory", "MB of instances before they go to disk"},
    {"ahead", "MB of instances that may be retrieved before their turn"},
};

inline constexpr Word kStoreWords[] = {
    {"batch", "instances in one request"},
    {"upsert", "true: what differs is replaced (Azure)"},
    {"expire-after", "days after which the study goes: 30d (Azure)"},
    {"metadata", "headers msdicom-…: value (Azure)"},
};

}  // namespace dcmveil::rules
