// SPDX-License-Identifier: Apache-2.0
//
// A file's bytes, read, de-identified by several rule sets, and encoded: what comes out is an
// instance that the same rule set takes again.
#include <array>
#include <string>
#include <utility>

#include "dcmveil/engine.h"
#include "tests/fuzz/key.h"
#include "tests/fuzz/target.h"

namespace dcmveil::fuzz {
namespace {

constexpr const char* kProfile = R"(
dcmveil: 1
name: profile
profile: basic+
options: [clean-descriptors, clean-structured-content, clean-graphics, retain-safe-private,
          retain-longitudinal-modified-dates, retain-patient-characteristics]
otherwise: keep
)";

/// Every action, on whatever it takes.
constexpr const char* kActions = R"(
dcmveil: 1
name: actions
profile: none
rules:
  - {tag: PatientID, action: pseudonym, with: {prefix: FUZZ-}}
  - {tag: PatientBirthDate, action: generalize}
  - {tag: PatientAge, action: generalize, with: {step: 5, top: 85}}
  - {vr: [UT, UC], action: encrypt}
  - {tag: StudyID, action: hash}
  - {tag: StationName, action: edit, with: {find: "[a-z]+", replace: x}}
  - {tag: PatientWeight, action: perturb, with: {span: 0.05, proportional: true}}
  - {tag: [StudyDescription, SeriesDescription], action: clean}
  - {tag: PatientComments, action: replace, with: {value: none}}
  - {tag: ClinicalTrialProtocolID, action: add, with: {value: FUZZ}}
  - {vr: PN, action: redact}
  - {vr: [LO, SH], action: crypto-hash}
  - {vr: [DA, DT], action: date-shift}
  - {vr: UI, action: refresh-uid}
  - {vr: [LT, ST], action: clean, with: {vocabulary: none}}
  - {private: {creator: ACME 1.2}, action: keep}
  - {group: odd, action: remove}
otherwise: keep
)";

constexpr const char* kKeepAll = R"(
dcmveil: 1
name: keep-all
profile: none
rules: []
otherwise: keep
)";

Engine Load(const char* text) {
  return Engine(LoadRulesFromText(text, "rules.yaml", ".", {.key_file = KeyFile()}));
}

/// The output, or nothing where the instance was not written.
std::string Apply(const Engine& engine, std::string bytes) {
  const std::size_t size = bytes.size();
  const Result<Deidentified> result = engine.ApplyToBytes(std::move(bytes));
  if (!result || result->rejected) return {};
  Hold(result->input_size == size, "the size of the input is told");
  Result<std::string> output = result->encoded.ToBytes();
  Hold(output.ok(), "what was de-identified can be read out");
  Hold(output->size() == result->encoded.size(), "the size of the output is told");
  Hold(output->compare(0, 132, std::string(128, '\0') + "DICM") == 0, "the preamble is empty");
  return std::move(*output);
}

}  // namespace
}  // namespace dcmveil::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using dcmveil::fuzz::Apply;
  using dcmveil::fuzz::Load;
  static const std::array<dcmveil::Engine, 3> engines = {
      Load(dcmveil::fuzz::kProfile), Load(dcmveil::fuzz::kActions), Load(dcmveil::fuzz::kKeepAll)};
  const std::string_view bytes = dcmveil::fuzz::TextOf(data, size);
  // One of them for each input: three times as many inputs.
  std::uint32_t sum = 0;
  for (const char c : bytes) sum = sum * 31U + static_cast<unsigned char>(c);
  const dcmveil::Engine& engine = engines[sum % engines.size()];
  std::string once = Apply(engine, std::string(bytes));
  if (once.empty()) return 0;
  const std::string twice = Apply(engine, std::move(once));
  dcmveil::fuzz::Hold(!twice.empty(), "an output can be de-identified again");
  return 0;
}
