// SPDX-License-Identifier: Apache-2.0
#include "cli/private_key.h"

#include <cstdio>
#include <cstdlib>
#include <utility>
#include <variant>

#include "rules/key.h"

namespace dcmveil::cli {
namespace {

constexpr const char* kPassphraseVariable = "DCMVEIL_PASSPHRASE";

std::string TextOf(cms::KeyProblem problem) {
  switch (problem) {
    case cms::KeyProblem::kNeedsPassphrase:
      return std::string("is encrypted; set ") + kPassphraseVariable + " to its passphrase";
    case cms::KeyProblem::kWrongPassphrase:
      return std::string("does not open with the passphrase in ") + kPassphraseVariable;
    case cms::KeyProblem::kNoKey:
      break;
  }
  return "holds no private key in PEM form";
}

}  // namespace

void AddPrivateKeyFlags(CLI::App& app, PrivateKeyFlags& flags) {
  app.add_option("--key", flags.key,
                 "Private key in PEM form, which nobody else may read; its passphrase, if it has "
                 "one, is in the variable DCMVEIL_PASSPHRASE")
      ->required()
      ->type_name("FILE");
  app.add_option("--cert", flags.certificate, "Certificate of that key [every recipient is tried]")
      ->type_name("FILE");
}

std::optional<Unlocked> Unlock(const PrivateKeyFlags& flags) {
  rules::SecretReading secret = rules::ReadSecretFile(flags.key);
  if (!secret.text) {
    std::fprintf(stderr, "dcmveil: private key %s%s%s\n", secret.message.c_str(),
                 secret.hint.empty() ? "" : "; ", secret.hint.c_str());
    return std::nullopt;
  }
  const char* const variable = std::getenv(kPassphraseVariable);
  std::optional<std::string> passphrase;
  if (variable != nullptr && *variable != '\0') passphrase = variable;
  std::variant<cms::PrivateKey, cms::KeyProblem> key =
      cms::PrivateKey::FromPem(*secret.text, passphrase);
  Cleanse(*secret.text);
  if (passphrase) Cleanse(*passphrase);
  if (const auto* problem = std::get_if<cms::KeyProblem>(&key)) {
    std::fprintf(stderr, "dcmveil: private key %s %s\n", flags.key.c_str(),
                 TextOf(*problem).c_str());
    return std::nullopt;
  }
  Unlocked unlocked{std::get<cms::PrivateKey>(std::move(key)), std::nullopt};
  if (flags.certificate.empty()) return unlocked;
  cms::CertificateReading reading = cms::ReadCertificateFile(flags.certificate);
  if (!reading.certificate) {
    std::fprintf(stderr, "dcmveil: certificate %s %s\n", flags.certificate.c_str(),
                 reading.problem.c_str());
    return std::nullopt;
  }
  if (!unlocked.key.BelongsTo(*reading.certificate)) {
    std::fprintf(stderr, "dcmveil: the private key %s is not that of the certificate %s\n",
                 flags.key.c_str(), flags.certificate.c_str());
    return std::nullopt;
  }
  unlocked.certificate = std::move(reading.certificate);
  return unlocked;
}

}  // namespace dcmveil::cli
