// SPDX-License-Identifier: Apache-2.0
//
// connections.yaml: named DICOM services. The language is in docs/dicomweb.md.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <deque>
#include <iterator>
#include <optional>
#include <string_view>
#include <vector>

#include "dcmveil/connection.h"
#include "dcmveil/rules.h"
#include "engine/text_file.h"
#include "rules/connection_words.h"
#include "rules/diagnostics.h"
#include "rules/yaml.h"

namespace dcmveil {
namespace rules {
namespace {

namespace fs = std::filesystem;

class ConnectionReader {
 public:
  ConnectionReader(const SourceFile& file, Diagnostics& diagnostics)
      : file_(file), diagnostics_(diagnostics) {}

  std::map<std::string, Connection> Read(const Node& root) {
    std::map<std::string, Connection> connections;
    if (!IsMap(root, "the file")) return connections;
    CheckKeys(root, std::array<std::string_view, 1>{"connections"}, "file", diagnostics_);
    const Node* list = root.Find("connections");
    if (list == nullptr) {
      diagnostics_.Error(root.place, "there is no entry `connections`");
      return connections;
    }
    if (!IsMap(*list, "connections")) return connections;
    for (const Node::Entry& entry : list->entries) {
      if (!IsName(entry.key.text)) {
        diagnostics_.Error(entry.key.place, entry.key.text +
                                                ": a connection's name has letters, "
                                                "digits, '_' and '-' only");
        continue;
      }
      connections[entry.key.text] = ReadOne(entry.key, entry.value);
    }
    return connections;
  }

 private:
  static bool IsName(const std::string& text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
             c == '_' || c == '-';
    });
  }

  bool IsMap(const Node& node, const std::string& what) {
    if (node.is_map()) return true;
    diagnostics_.Error(node.place, what + ": must be a mapping");
    return false;
  }

  Connection ReadOne(const Node& name, const Node& node) {
    Connection connection;
    connection.name = name.text;
    if (!IsMap(node, name.text)) return connection;
    CheckKeys(node, NamesOf(kConnectionWords), "connection", diagnostics_);
    if (node.Find("url") == nullptr) diagnostics_.Error(name.place, name.text + ": has no url");
    Text(node, "url", connection.url, [&](const Node& value) { CheckUrl(value); });
    Text(node, "api-version", connection.api_version,
         [&](const Node& value) { CheckSegment(value, "an API version"); });
    Text(node, "partition", connection.partition,
         [&](const Node& value) { CheckSegment(value, "a partition's name"); });
    if (const Node* auth = node.Find("auth")) ReadAuth(*auth, connection.auth);
    if (const Node* tls = node.Find("tls")) ReadTls(*tls, connection);
    if (const Node* limits = node.Find("limits")) ReadLimits(*limits, connection);
    if (const Node* retrieve = node.Find("retrieve")) ReadRetrieve(*retrieve, connection);
    if (const Node* store = node.Find("store")) ReadStore(*store, connection);
    if (connection.auth.kind != Auth::Kind::kNone && connection.url.starts_with("http://")) {
      diagnostics_.Warning(node.Find("url")->place,
                           "credentials and patients' data go over http:// for everybody to read",
                           "https://");
    }
    return connection;
  }

  void CheckUrl(const Node& value) {
    if (!IsServiceUrl(value.text)) {
      diagnostics_.Error(value.place, "url: must begin with https:// or http://");
    } else if (value.text.find('@') != std::string::npos) {
      diagnostics_.Error(value.place, "url: holds a user or password", "give them under `auth`");
    } else if (value.text.find_first_of("?# ") != std::string::npos) {
      diagnostics_.Error(value.place, "url: a base URL has no query, fragment or space");
    }
  }

  void CheckSegment(const Node& value, const std::string& what) {
    constexpr std::size_t kLongest = 64;
    const bool good = !value.text.empty() && value.text.size() <= kLongest &&
                      std::all_of(value.text.begin(), value.text.end(), [](char c) {
                        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                               (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
                      });
    if (!good) {
      diagnostics_.Error(value.place, what + " has 1 to 64 letters, digits, '.', '_' and '-' only");
    }
  }

  template <typename Check>
  void Text(const Node& map, const char* key, std::string& target, Check check) {
    const Node* value = map.Find(key);
    if (value == nullptr) return;
    const std::optional<std::string> text = ReadText(*value, key, diagnostics_);
    if (!text) return;
    target = *text;
    check(*value);
  }
  void Text(const Node& map, const char* key, std::string& target) {
    Text(map, key, target, [](const Node&) {});
  }
  void Path(const Node& map, const char* key, fs::path& target) {
    std::string text;
    Text(map, key, text);
    if (text.empty()) return;
    target = file_.folder / text;
    std::error_code error;
    if (!fs::exists(target, error)) {
      diagnostics_.Error(map.Find(key)->place, std::string(key) + ": there is no such file");
    }
  }
  template <typename Number>
  void Whole(const Node& map, const char* key, Number least, Number most, Number& target) {
    std::string text;
    Text(map, key, text);
    if (text.empty()) return;
    Number number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < least ||
        number > most) {
      diagnostics_.Error(map.Find(key)->place, std::string(key) + ": must be a whole number from " +
                                                   std::to_string(least) + " to " +
                                                   std::to_string(most));
      return;
    }
    target = number;
  }
  void Seconds(const Node& map, const char* key, std::chrono::seconds& target) {
    constexpr std::int64_t kDay = 86'400;
    std::int64_t seconds = target.count();
    Whole<std::int64_t>(map, key, 1, kDay, seconds);
    target = std::chrono::seconds(seconds);
  }

  /// {file: …}, {env: …} or {command: …}
  void ReadSecretRef(const Node& map, const char* key, SecretRef& target) {
    const Node* value = map.Find(key);
    if (value == nullptr) {
      diagnostics_.Error(map.place, std::string("auth: needs `") + key + "`",
                         std::string(key) + ": {file: …}, {env: …} or {command: …}");
      return;
    }
    if (!value->is_map() || value->entries.size() != 1) {
      // Its text is not repeated: it may be the secret.
      diagnostics_.Error(value->place,
                         std::string(key) + ": says where the secret is, never what it is",
                         "{file: …}, {env: …} or {command: …}");
      return;
    }
    CheckKeys(*value, NamesOf(kSecretWords), "secret", diagnostics_);
    std::string text;
    Text(*value, "file", text);
    if (!text.empty()) target = {SecretRef::From::kFile, (file_.folder / text).string()};
    text.clear();
    Text(*value, "env", text);
    if (!text.empty()) target = {SecretRef::From::kEnvironment, text};
    text.clear();
    Text(*value, "command", text);
    if (!text.empty()) target = {SecretRef::From::kCommand, text};
  }

  void ReadAuth(const Node& node, Auth& auth) {
    if (!IsMap(node, "auth")) return;
    std::string type;
    Text(node, "type", type);
    const auto* const known =
        std::find_if(std::begin(kAuthTypes), std::end(kAuthTypes),
                     [&type](const AuthType& one) { return one.word.name == type; });
    if (known == std::end(kAuthTypes)) {
      std::string list;
      for (const AuthType& one : kAuthTypes) {
        list += (list.empty() ? "" : ", ") + std::string(one.word.name);
      }
      diagnostics_.Error(node.place, "auth: needs a `type`, one of " + list);
      return;
    }
    std::vector<std::string_view> keys{"type"};
    std::copy_if(known->keys.begin(), known->keys.end(), std::back_inserter(keys),
                 [](std::string_view key) { return !key.empty(); });
    CheckKeys(node, keys, "auth", diagnostics_);
    if (type == "basic") {
      auth.kind = Auth::Kind::kBasic;
      Text(node, "user", auth.user);
      ReadSecretRef(node, "password", auth.secret);
    } else if (type == "bearer") {
      auth.kind = Auth::Kind::kBearer;
      ReadSecretRef(node, "token", auth.secret);
    } else if (type == "client-credentials") {
      auth.kind = Auth::Kind::kClientCredentials;
      Text(node, "token-endpoint", auth.token_endpoint,
           [&](const Node& value) { CheckUrl(value); });
      Text(node, "client-id", auth.client_id);
      Text(node, "scope", auth.scope);
      Text(node, "resource", auth.resource);
      ReadSecretRef(node, "secret", auth.secret);
      for (const char* key : {"token-endpoint", "client-id"}) {
        if (node.Find(key) == nullptr) {
          diagnostics_.Error(node.place, std::string("auth: needs `") + key + "`");
        }
      }
    } else if (type == "managed-identity") {
      auth.kind = Auth::Kind::kManagedIdentity;
      Text(node, "endpoint", auth.token_endpoint, [&](const Node& value) { CheckUrl(value); });
      Text(node, "client-id", auth.client_id);
      Text(node, "resource", auth.resource);
    }
  }

  void ReadTls(const Node& node, Connection& connection) {
    if (!IsMap(node, "tls")) return;
    CheckKeys(node, NamesOf(kTlsWords), "tls", diagnostics_);
    Path(node, "ca", connection.ca_file);
    Path(node, "certificate", connection.client_cert);
    Path(node, "key", connection.client_key);
  }

  void ReadLimits(const Node& node, Connection& connection) {
    if (!IsMap(node, "limits")) return;
    CheckKeys(node, NamesOf(kLimitWords), "limits", diagnostics_);
    Whole(node, "connections", 1, 256, connection.connections);
    Whole(node, "page", 1, 10'000, connection.page);
    Whole(node, "attempts", 1, 100, connection.attempts);
    Seconds(node, "give-up-after", connection.give_up_after);
    Seconds(node, "connect-timeout", connection.connect_timeout);
    Seconds(node, "stall-timeout", connection.stall_timeout);
    constexpr std::size_t kMegabyte = 1'000'000;
    std::size_t megabytes = connection.memory / kMegabyte;
    Whole<std::size_t>(node, "memory", 1, 1'000'000, megabytes);
    connection.memory = megabytes * kMegabyte;
    megabytes = connection.ahead / kMegabyte;
    Whole<std::size_t>(node, "ahead", 1, 1'000'000, megabytes);
    connection.ahead = megabytes * kMegabyte;
  }

  void ReadRetrieve(const Node& node, Connection& connection) {
    const std::optional<std::string> text = ReadText(node, "retrieve", diagnostics_);
    if (!text) return;
    if (const std::optional<Retrieve> retrieve = ParseRetrieve(*text)) {
      connection.retrieve = *retrieve;
    } else {
      diagnostics_.Error(node.place, "retrieve: must be instance, series or study");
    }
  }

  void ReadStore(const Node& node, Connection& connection) {
    if (!IsMap(node, "store")) return;
    CheckKeys(node, NamesOf(kStoreWords), "store", diagnostics_);
    Whole(node, "batch", 1, 1000, connection.stow_batch);
    if (const Node* upsert = node.Find("upsert")) {
      connection.upsert = ReadBoolean(*upsert, "upsert", diagnostics_).value_or(false);
    }
    if (const Node* expire = node.Find("expire-after")) ReadExpiry(*expire, connection);
    if (const Node* metadata = node.Find("metadata")) {
      if (!IsMap(*metadata, "metadata")) return;
      for (const Node::Entry& entry : metadata->entries) {
        const std::optional<std::string> value =
            ReadText(entry.value, entry.key.text, diagnostics_);
        const bool good = IsName(entry.key.text) && entry.key.text.starts_with("msdicom-");
        if (!good || (value && value->find_first_of("\r\n") != std::string::npos)) {
          diagnostics_.Error(entry.key.place,
                             "metadata: a header's name begins with msdicom-, and its value is "
                             "one line");
          continue;
        }
        if (value) connection.store_headers.emplace_back(entry.key.text, *value);
      }
    }
  }

  /// A number of days, of the whole study, from the last store on.
  void ReadExpiry(const Node& node, Connection& connection) {
    const std::optional<std::string> text = ReadText(node, "expire-after", diagnostics_);
    if (!text) return;
    std::string_view number = *text;
    if (number.ends_with("d")) number.remove_suffix(1);
    constexpr int kMostDays = 36'500;
    int days = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), days);
    if (!text->ends_with("d") || error != std::errc() || end != number.data() + number.size() ||
        days < 1 || days > kMostDays) {
      diagnostics_.Error(node.place, "expire-after: must be a number of days", "30d");
      return;
    }
    constexpr std::int64_t kDayMs = 86'400'000;
    connection.store_headers.emplace_back("msdicom-expiry-time-milliseconds",
                                          std::to_string(days * kDayMs));
    connection.store_headers.emplace_back("msdicom-expiry-option", "RelativeToNow");
    connection.store_headers.emplace_back("msdicom-expiry-level", "Study");
  }

  const SourceFile& file_;
  Diagnostics& diagnostics_;
};

}  // namespace
}  // namespace rules

std::map<std::string, Connection> LoadConnections(const std::filesystem::path& file) {
  const std::optional<std::string> text =
      engine::ReadTextFile(file, engine::kLongestRuleFile, engine::FileKind::kRegularOrPipe);
  if (text) return LoadConnectionsFromText(*text, file.string(), file.parent_path());
  throw RuleError({{.file = file.string(), .message = "the file cannot be read", .hint = {}}});
}

std::map<std::string, Connection> LoadConnectionsFromText(const std::string& text,
                                                          const std::string& name,
                                                          const std::filesystem::path& folder) {
  std::deque<rules::SourceFile> files;
  files.push_back({name, folder, {}});
  rules::Diagnostics diagnostics;
  std::map<std::string, Connection> connections;
  if (const std::optional<rules::Node> root = rules::ParseYaml(files.front(), text, diagnostics)) {
    connections = rules::ConnectionReader(files.front(), diagnostics).Read(*root);
  }
  diagnostics.ThrowIfErrors(files);
  return connections;
}

std::optional<Retrieve> ParseRetrieve(const std::string& text) {
  if (text == "instance") return Retrieve::kInstance;
  if (text == "series") return Retrieve::kSeries;
  if (text == "study") return Retrieve::kStudy;
  return std::nullopt;
}

bool IsServiceUrl(const std::string& text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

}  // namespace dcmveil
