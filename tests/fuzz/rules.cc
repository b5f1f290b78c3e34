// SPDX-License-Identifier: Apache-2.0
//
// A rule file in YAML, Microsoft's JSON configuration, or a file of connections. What loads is also
// applied to a small instance.
#include <string>
#include <utility>

#include "dcmveil/connection.h"
#include "dcmveil/engine.h"
#include "tests/fuzz/key.h"
#include "tests/fuzz/target.h"
#include "tests/support/dicom_bytes.h"

namespace dcmveil::fuzz {
namespace {

/// Names no file: relative paths in an input lead nowhere.
constexpr const char* kNowhere = "/nonexistent";

void CheckDiagnostics(const std::vector<Diagnostic>& diagnostics) {
  for (const Diagnostic& diagnostic : diagnostics) {
    Hold(!diagnostic.message.empty(), "a diagnostic says what is wrong");
    Hold(diagnostic.line >= 0 && diagnostic.column >= 0, "a diagnostic has a place");
    Hold(!ToString(diagnostic).empty(), "a diagnostic can be printed");
  }
}

void TryRules(const std::string& text) {
  static const std::string instance = testing::File(testing::SmallCt());
  try {
    RuleSet rules = LoadRulesFromText(text, "rules.yaml", kNowhere, {.key_file = KeyFile()});
    CheckDiagnostics(rules.warnings());
    Hold(rules.hash().size() == 64, "a rule set has a hash");
    const Result<Deidentified> result = Engine(std::move(rules)).ApplyToBytes(instance);
    if (result && !result->rejected) {
      Hold(result->encoded.ToBytes().ok(), "what was de-identified can be read out");
    }
  } catch (const RuleError& error) {
    Hold(!error.diagnostics().empty(), "a rule file that is refused has errors");
    CheckDiagnostics(error.diagnostics());
  }
}

void TryConnections(const std::string& text) {
  try {
    for (const auto& [name, connection] :
         LoadConnectionsFromText(text, "connections.yaml", kNowhere)) {
      Hold(!name.empty() && IsServiceUrl(connection.url), "a connection has a name and an address");
      Hold(connection.connections > 0 && connection.attempts > 0, "limits are positive");
      for (const auto& [header, value] : connection.store_headers) {
        Hold(value.find_first_of("\r\n") == std::string::npos, "a header is one line");
      }
    }
  } catch (const RuleError& error) {
    Hold(!error.diagnostics().empty(), "a file of connections that is refused has errors");
    CheckDiagnostics(error.diagnostics());
  }
}

}  // namespace
}  // namespace dcmveil::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(dcmveil::fuzz::TextOf(data, size));
  // What names an absolute path would read files of the machine.
  if (text.find('/') == std::string::npos) dcmveil::fuzz::TryRules(text);
  if (text.find("connections") != std::string::npos) dcmveil::fuzz::TryConnections(text);
  return 0;
}
