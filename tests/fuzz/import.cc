// SPDX-License-Identifier: Apache-2.0
//
// A script of another tool. The first byte chooses which: c CTP, h CTP with compatible hashes, d
// deid, k Kitware, o Orthanc.
#include <algorithm>
#include <string>
#include <vector>

#include "dcmveil/rules.h"
#include "rules/import/ctp.h"
#include "rules/import/deid.h"
#include "rules/import/kitware.h"
#include "rules/import/orthanc.h"
#include "tests/fuzz/target.h"

namespace dcmveil::fuzz {
namespace {

rules::Imported Import(char tool, const std::string& text) {
  constexpr const char* kName = "script";
  if (tool == 'd') return rules::ImportDeid(text, kName);
  if (tool == 'k') return rules::ImportKitware(text, kName);
  if (tool == 'o') return rules::ImportOrthanc(text, kName);
  return rules::ImportCtp(text, kName, {.compatible_hashes = tool == 'h'});
}

void CheckDiagnostics(const std::vector<Diagnostic>& diagnostics) {
  for (const Diagnostic& diagnostic : diagnostics) {
    const std::string text = ToString(diagnostic);
    Hold(!diagnostic.message.empty(), "a remark says something");
    Hold(text.find_first_of("\r\n") == std::string::npos, "a remark is one line");
  }
}

void Try(const std::string& input) {
  rules::Imported imported;
  try {
    imported = Import(input.front(), input.substr(1));
  } catch (const RuleError& error) {
    Hold(!error.diagnostics().empty(), "a script that is refused has errors");
    return CheckDiagnostics(error.diagnostics());
  }
  CheckDiagnostics(imported.remarks);
  Hold(imported.complete == std::none_of(imported.remarks.begin(), imported.remarks.end(),
                                         [](const Diagnostic& remark) {
                                           return remark.severity == Diagnostic::Severity::kWarning;
                                         }),
       "what is replaced is warned of");
  try {
    (void)LoadRulesFromText(imported.yaml, "rules.yaml", "/nonexistent",
                            {.key_file = {}, .allow_missing_key = true});
  } catch (const RuleError&) {
    Hold(false, "what was written loads");
  }
}

}  // namespace
}  // namespace dcmveil::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 0) dcmveil::fuzz::Try(std::string(dcmveil::fuzz::TextOf(data, size)));
  return 0;
}
