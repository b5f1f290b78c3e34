// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <iostream>
#include <memory>

#include "cli/exit_codes.h"
#include "cli/footer.h"
#include "cli/verbs.h"
#include "engine/actions/encrypt.h"
#include "rules/key.h"

namespace dcmveil::cli {
namespace {

struct Flags {
  std::string key;
  std::string seed_key;
  std::vector<std::string> values;
};

int Decrypt(const Flags& flags) {
  if (flags.key.empty() == flags.seed_key.empty()) {
    std::fprintf(stderr, "dcmveil: give either --key or --microsoft-key-file\n");
    return kUsage;
  }
  std::function<std::optional<std::string>(const std::string&)> open;
  const auto own_key = std::make_shared<rules::KeyReading>();
  std::string seed_text;
  if (!flags.key.empty()) {
    *own_key = rules::ReadKeyFile(flags.key);
    if (!own_key->key) {
      std::fprintf(stderr, "dcmveil: %s; %s\n", own_key->message.c_str(), own_key->hint.c_str());
      return kUsage;
    }
    open = [own_key](const std::string& value) {
      return engine::DecryptText(*own_key->key, value);
    };
  } else {
    rules::SecretReading secret = rules::ReadSecretFile(flags.seed_key);
    if (!secret.text) {
      std::fprintf(stderr, "dcmveil: key file %s%s%s\n", secret.message.c_str(),
                   secret.hint.empty() ? "" : "; ", secret.hint.c_str());
      return kUsage;
    }
    seed_text = secret.text->substr(0, secret.text->find('\n'));
    Cleanse(*secret.text);
    // Values that dcmveil wrote under a Microsoft configuration have its own form and that key.
    open = [&seed_text](const std::string& value) {
      return value.starts_with("dv1.") ? engine::DecryptText(Key(seed_text), value)
                                       : engine::DecryptSeedText(seed_text, value);
    };
  }
  std::size_t failed = 0;
  const auto one = [&](const std::string& value) {
    const std::optional<std::string> plain = open(value);
    if (!plain) ++failed;
    std::printf("%s\n", plain ? plain->c_str() : "");
  };
  if (!flags.values.empty()) {
    for (const std::string& value : flags.values) one(value);
  } else {
    for (std::string line; std::getline(std::cin, line);) one(line);
  }
  Cleanse(seed_text);
  if (failed == 0) return kAllWell;
  std::fprintf(stderr,
               "dcmveil: %zu value(s) could not be decrypted: not encrypted, or by another key\n",
               failed);
  return kCouldNotGoOn;
}

}  // namespace

Verb AddDecrypt(CLI::App& command) {
  const auto flags = std::make_shared<Flags>();
  CLI::App* app = command.add_subcommand(
      "decrypt", "Print the original of values that the action `encrypt` wrote");
  app->add_option("--key", flags->key, "Key file that the rules used")->type_name("FILE");
  app->add_option("--microsoft-key-file", flags->seed_key,
                  "File whose first line is the encryptKey of Microsoft's tool (AES-CBC form)")
      ->type_name("FILE");
  app->add_option("VALUE", flags->values, "Encrypted values; none: lines of standard input");
  SetFooter(*app, {"dcmveil decrypt --key project.key < values.txt"}, kExitCodesHelp);
  return {app, [flags] { return Decrypt(*flags); }};
}

}  // namespace dcmveil::cli
