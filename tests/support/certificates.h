// SPDX-License-Identifier: Apache-2.0
//
// Certificates and private keys, made by the openssl command once a test program.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <variant>

#include "engine/cms.h"
#include "tests/support/folder.h"

namespace dcmveil::testing {

/// One person: NAME.pem and NAME.key in a folder.
struct Person {
  std::filesystem::path certificate_file;
  std::filesystem::path key_file;
  cms::Certificate certificate;
  cms::PrivateKey key;
};

inline Person MakePerson(const std::filesystem::path& folder, const std::string& name,
                         const std::string& algorithm = "rsa:2048") {
  const std::filesystem::path certificate = folder / (name + ".pem");
  const std::filesystem::path key = folder / (name + ".key");
  const std::string command = "openssl req -x509 -newkey " + algorithm +
                              " -nodes -days 3 -subj '/CN=" + name + "' -keyout " + key.string() +
                              " -out " + certificate.string() + " 2>/dev/null";
  if (std::system(command.c_str()) != 0) throw std::runtime_error("openssl req");
  auto read = cms::PrivateKey::FromPem(ReadFile(key), std::nullopt);
  cms::CertificateReading reading = cms::ReadCertificateFile(certificate);
  if (!reading.certificate) throw std::runtime_error(reading.problem);
  return {certificate, key, *reading.certificate, std::get<cms::PrivateKey>(std::move(read))};
}

/// Two recipients and a stranger, and the folder that they are in.
struct People {
  Folder folder;
  Person office = MakePerson(folder.path(), "office");
  Person steward = MakePerson(folder.path(), "steward");
  Person stranger = MakePerson(folder.path(), "stranger");

  static const People& Get() {
    static const People people;
    return people;
  }
};

}  // namespace dcmveil::testing
