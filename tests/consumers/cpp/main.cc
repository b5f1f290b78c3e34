// SPDX-License-Identifier: Apache-2.0
//
// Usage: consumer SAMPLES WORK: what docs/library.md shows, tried on the samples. WORK holds
// project.key and gets what is written.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "dcmveil/action.h"
#include "dcmveil/engine.h"
#include "dcmveil/rules.h"
#include "dcmveil/run.h"

namespace {

namespace fs = std::filesystem;

const std::string kRules = R"(
dcmveil: 1
name: consumer
key: {file: project.key}
rules:
  - {tag: PatientID, action: pseudonym}
  - {vr: UI, action: refresh-uid}
  - {vr: PN, action: redact}
  - {vr: [DA, DT], action: date-shift}
reject:
  - {when: {SOPClassUID: EncapsulatedPDFStorage}, because: no documents}
otherwise: remove
)";

/// Outputs hold what an image needs.
const std::string kMore =
    "  - {tag: [SOPClassUID, Modality, \"(0028,xxxx)\", PixelData], action: keep}\n";

std::string WithMore(std::string rules, const std::string& more) {
  return rules.insert(rules.find("reject:"), more);
}

std::string ReadFile(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

fs::path FirstCt(const fs::path& samples) {
  std::set<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(samples)) {
    const std::string folder = entry.path().parent_path().filename().string();
    if (entry.is_regular_file() && folder.rfind("CT_", 0) == 0) files.insert(entry.path());
  }
  CHECK(!files.empty());
  return *files.begin();
}

void LoadFromFileAndText(const fs::path& work) {
  const fs::path file = work / "rules.yaml";
  std::ofstream(file) << kRules;
  const dcmveil::RuleSet from_file = dcmveil::LoadRules(file);
  const dcmveil::RuleSet from_text = dcmveil::LoadRulesFromText(kRules, "rules.yaml", work);
  CHECK(from_file.name() == "consumer");
  CHECK(from_file.hash() == from_text.hash());
  CHECK(!from_file.key_id().empty());
}

void TellEveryError(const fs::path& work) {
  const std::string wrong =
      "dcmveil: 1\nrules:\n  - {tag: PatientNmae, action: redact}\n"
      "  - {tag: PatientID, action: redcat}\n";
  int errors = 0;
  try {
    const dcmveil::RuleSet rules = dcmveil::LoadRulesFromText(wrong, "wrong.yaml", work);
    CHECK(false);
  } catch (const dcmveil::RuleError& error) {
    for (const dcmveil::Diagnostic& diagnostic : error.diagnostics()) {
      std::cerr << ToString(diagnostic) << '\n';
      ++errors;
    }
  }
  CHECK(errors == 2);
  // A caller that knows only the standard's types can catch it as well.
  bool caught = false;
  try {
    (void)dcmveil::LoadRulesFromText(wrong, "wrong.yaml", work);
  } catch (const std::runtime_error&) {
    caught = true;
  }
  CHECK(caught);
}

void OneFile(const dcmveil::Engine& engine, const fs::path& input, const fs::path& output) {
  const dcmveil::Result<dcmveil::Deidentified> result = engine.ApplyToFile(input);
  if (!result) {
    std::cerr << result.error().Message() << '\n';  // "truncated: the file ends before …"
    return;
  }
  if (result->rejected) {
    std::cerr << result->because << '\n';
    return;
  }
  const dcmveil::Status written = result->encoded.WriteToFile(output);
  if (!written) std::cerr << written.error().Message() << '\n';
}

void FileAndMemory(const dcmveil::Engine& engine, const fs::path& ct, const fs::path& work) {
  OneFile(engine, ct, work / "one.dcm");
  const std::string written = ReadFile(work / "one.dcm");
  CHECK(!written.empty());

  const std::string bytes = ReadFile(ct);
  const auto result = engine.ApplyToBytes(bytes);
  CHECK(result.ok());
  CHECK(result->encoded.ToBytes().value() == written);
  CHECK(result->sop_instance_uid.rfind("2.25.", 0) == 0);
  CHECK(result->patient_id != result->originals.patient_id);

  const auto other = engine.ApplyToBytes("no DICOM at all");
  CHECK(!other.ok());
  CHECK(other.error().code == dcmveil::ErrorCode::kNotDicom);
  CHECK(OutcomeOf(other.error().code) == dcmveil::Outcome::kQuarantined);
}

dcmveil::CustomAction AccessionCode() {
  dcmveil::CustomAction action;
  action.name = "accession-code";
  action.summary = "Replaces the number by a code that begins with the modality.";
  action.vrs = {dcmveil::Vr::SH};
  action.parameters = {{"digits", "how many digits the code has", "8"}};
  action.asks = {dcmveil::Tag(0x0008, 0x0060)};
  action.needs_key = true;
  action.check = [](const auto& parameters) {
    const std::string& digits = parameters.at("digits");
    const bool legal = digits.size() == 1 && digits >= "4" && digits <= "9";
    return legal ? std::string() : std::string("digits: 4 to 9");
  };
  action.apply = [](const dcmveil::ElementView& element, const auto& parameters) {
    const std::vector<std::string> values = element.values();
    if (values.empty()) return dcmveil::ElementChange::Keep();
    const std::vector<std::string> modality = element.values_of({0x0008, 0x0060});
    if (modality.empty()) return dcmveil::ElementChange::Empty();
    const std::size_t digits = std::stoul(parameters.at("digits"));
    const std::string code = element.KeyedHash(values.front()).substr(0, digits);
    return dcmveil::ElementChange::SetValues({modality.front() + "-" + code});
  };
  return action;
}

std::string ApplyWith(dcmveil::CustomAction action, const std::string& rule, const fs::path& ct,
                      const fs::path& work) {
  dcmveil::LoadOptions options;
  options.actions = {std::move(action)};
  const dcmveil::RuleSet rules =
      dcmveil::LoadRulesFromText(WithMore(kRules, kMore + rule), "rules.yaml", work, options);
  const dcmveil::Engine engine(rules);
  const auto result = engine.ApplyToFile(ct);
  return result ? result->encoded.ToBytes().value() : result.error().Message();
}

void ActionOfOnesOwn(const fs::path& ct, const fs::path& work) {
  const std::string rule =
      "  - {tag: AccessionNumber, action: accession-code, with: {digits: 6}}\n";
  const std::string bytes = ApplyWith(AccessionCode(), rule, ct, work);
  CHECK(bytes.find("CT-") != std::string::npos);
  CHECK(bytes == ApplyWith(AccessionCode(), rule, ct, work));

  // The rules are checked as for any other action.
  for (const std::string wrong :
       {"  - {tag: PatientName, action: accession-code}\n",
        "  - {tag: AccessionNumber, action: accession-cod}\n",
        "  - {tag: AccessionNumber, action: accession-code, with: {digits: 12}}\n",
        "  - {tag: AccessionNumber, action: accession-code, with: {digit: 6}}\n"}) {
    std::string message;
    try {
      (void)ApplyWith(AccessionCode(), wrong, ct, work);
    } catch (const dcmveil::RuleError& error) {
      message = error.what();
    }
    CHECK(message.find("rules.yaml:") != std::string::npos);
    CHECK(message.find("accession-code") != std::string::npos);
  }

  // What it throws goes no further than the instance.
  dcmveil::CustomAction throwing = AccessionCode();
  throwing.apply = [](const auto&, const auto&) -> dcmveil::ElementChange {
    throw std::runtime_error("a value");
  };
  CHECK(ApplyWith(throwing, rule, ct, work).rfind("action-failed", 0) == 0);
}

void WholeRun(const dcmveil::Engine& engine, const fs::path& samples, const fs::path& work) {
  std::atomic<bool> stop{false};
  dcmveil::RunOptions options;
  options.input = samples;
  options.output = work / "run";
  options.jobs = 2;
  options.stop = &stop;
  options.on_progress = [](const dcmveil::RunCounts& counts) {
    std::cerr << counts.finished() << " of " << counts.total << '\n';
  };
  std::size_t told = 0;
  options.on_outcome = [&](const std::string& input, const std::string& output,
                           const dcmveil::InstanceReport& report) {
    ++told;
    const bool has_output = report.outcome == dcmveil::Outcome::kWritten;
    CHECK(fs::exists(samples / input));
    CHECK(has_output == !output.empty());
    if (has_output) CHECK(fs::exists(options.output / output));
    if (report.outcome == dcmveil::Outcome::kQuarantined)
      std::cerr << input << ": " << report.reason << '\n';
  };
  const dcmveil::RunSummary summary = dcmveil::Run(engine, options);
  CHECK(!summary.problem);
  CHECK(!summary.stopped);
  CHECK(told == summary.counts.finished());
  CHECK(summary.counts.of(dcmveil::Outcome::kWritten) > 10);
  CHECK(fs::exists(summary.manifest));
}

void StoppedAndThrown(const dcmveil::Engine& engine, const fs::path& samples,
                      const fs::path& work) {
  std::atomic<bool> stop{false};
  dcmveil::RunOptions options;
  options.input = samples;
  options.output = work / "stopped";
  options.jobs = 1;
  options.stop = &stop;
  options.on_outcome = [&](const auto&, const auto&, const auto&) { stop = true; };
  const dcmveil::RunSummary summary = dcmveil::Run(engine, options);
  CHECK(summary.stopped);
  const std::uint64_t done = summary.counts.finished();
  CHECK(done >= 1);

  // What a callback throws comes out of Run; the next run goes on.
  stop = false;
  options.on_outcome = [](const auto&, const auto&, const auto&) {
    throw std::logic_error("mine");
  };
  bool thrown = false;
  try {
    (void)dcmveil::Run(engine, options);
  } catch (const std::logic_error&) {
    thrown = true;
  }
  CHECK(thrown);
  options.on_outcome = nullptr;
  const dcmveil::RunSummary last = dcmveil::Run(engine, options);
  CHECK(!last.problem && !last.stopped);
  CHECK(last.recalled >= done);
}

void ManyThreads(const dcmveil::Engine& engine, const fs::path& ct) {
  const std::string expected = engine.ApplyToFile(ct).value().encoded.ToBytes().value();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 10; ++n) {
        CHECK(engine.ApplyToFile(ct).value().encoded.ToBytes().value() == expected);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

int main(int argc, char** argv) {
  CHECK(argc == 3);
  const fs::path samples = argv[1];
  const fs::path work = argv[2];
  CHECK(dcmveil::Version() == "0.1.0");
  LoadFromFileAndText(work);
  TellEveryError(work);
  const dcmveil::Engine engine(
      dcmveil::LoadRulesFromText(WithMore(kRules, kMore), "rules.yaml", work));
  const fs::path ct = FirstCt(samples);
  FileAndMemory(engine, ct, work);
  ActionOfOnesOwn(ct, work);
  ManyThreads(engine, ct);
  WholeRun(engine, samples, work);
  StoppedAndThrown(engine, samples, work);
  std::cout << "all well\n";
}
