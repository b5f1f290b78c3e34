// SPDX-License-Identifier: Apache-2.0
//
// Twice over the manifest: first every input tells its identifiers, then every output is searched
// for them and held against its input.
#include "verify/verify.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>
#include <thread>
#include <tuple>

#include "dcmveil/error.h"
#include "verify/consistency.h"
#include "verify/dcmtk/dictionary.h"
#include "verify/facts.h"
#include "verify/identifiers.h"
#include "verify/manifest.h"
#include "verify/pixels.h"
#include "verify/policy.h"
#include "verify/reader.h"
#include "verify/search.h"

namespace dcmveil::verify {
namespace fs = std::filesystem;
namespace {

constexpr Tag kMetaSopInstance{0x0002, 0x0003};
constexpr Tag kSopInstance{0x0008, 0x0018};
constexpr Tag kPatientIdentityRemoved{0x0012, 0x0062};
constexpr Tag kDeidentificationMethod{0x0012, 0x0063};
constexpr const char* kMethodCodes = "(0012,0064)";
/// No identifier is longer.
constexpr std::size_t kLongestIdentifier = 4096;

/// Whether the run knew no more of the input than its name: a link out of the tree, what is no
/// DICOM, what could not be read or had.
bool WasNeverRead(const Manifest::Line& line) {
  constexpr std::array<ErrorCode, 4> kNeverRead = {ErrorCode::kSymbolicLink, ErrorCode::kNotDicom,
                                                   ErrorCode::kReadFailed, ErrorCode::kNotFound};
  const std::optional<ErrorCode> reason = FindErrorCode(line.reason);
  return !line.output && reason &&
         std::find(kNeverRead.begin(), kNeverRead.end(), *reason) != kNeverRead.end();
}

struct Identifier {
  Kind kind;
  Tag tag;
  std::string value;  ///< UTF-8
};

std::uint64_t SameValueKey(Tag tag, std::string_view utf8) {
  TextHash hash;
  hash.Add(std::to_string(tag.number()));
  hash.Add("\n");
  for (const Word& word : WordsOf(utf8)) hash.Add(word.text);
  return hash.value();
}

/// ImageType, Manufacturer, ManufacturerModelName, FrameType, SoftwareVersions and
/// SegmentationAlgorithmName.
bool IsWrittenByDevices(Tag tag) {
  constexpr auto kTags = std::to_array<std::uint32_t>(
      {0x00080008, 0x00080070, 0x00081090, 0x00089007, 0x00181020, 0x00620009});
  return std::find(kTags.begin(), kTags.end(), tag.number()) != kTags.end();
}

/// The values of an element as UTF-8.
std::vector<std::string> ValuesOf(const Seen& seen, TextDecoder& decoder) {
  std::string text = decoder.ToUtf8(seen.charset, seen.vr, Trimmed(seen.value));
  if (text.empty()) text = Trimmed(seen.value);
  std::vector<std::string> values;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\\', at), text.size());
    const std::string_view value = Trimmed(std::string_view(text).substr(at, end - at));
    if (!value.empty()) values.emplace_back(value);
    at = end + 1;
  }
  return values;
}

class Collector : public Visitor {
 public:
  explicit Collector(TextDecoder& decoder) : decoder_(decoder) {}
  void OnBytes(const Seen& seen) override {
    facts.Add(seen);
    if (seen.path.empty() || seen.value.empty()) return;
    const bool is_short = seen.value.size() <= kLongestIdentifier;
    if (is_short && IsWrittenByDevices(seen.tag()))
      of_device.insert(SameValueKey(seen.tag(), seen.value));
    const std::optional<Kind> kind = KindOf(seen.tag(), seen.vr);
    if (!kind) return;
    for (std::string& value : ValuesOf(seen, decoder_)) {
      if (value.size() > kLongestIdentifier) continue;
      if (*kind == Kind::kUid && IsRegistered(value)) continue;
      identifiers.push_back({.kind = *kind, .tag = seen.tag(), .value = std::move(value)});
    }
  }
  void OnSequence(const std::vector<Step>& path, int items) override {
    facts.AddSequence(path, items);
  }
  Facts facts;
  std::vector<Identifier> identifiers;
  std::unordered_set<std::uint64_t> of_device;

 private:
  TextDecoder& decoder_;
};

/// What an output shows of the identifiers.
class Inspector : public Visitor {
 public:
  Inspector(Searcher& searcher, TextDecoder& decoder, const Policy& policy, const Collector* input)
      : searcher_(searcher), decoder_(decoder), policy_(policy), input_(input) {
    if (input == nullptr) return;
    for (const Identifier& identifier : input->identifiers) {
      if (policy.MayRetain(identifier.tag)) continue;
      same_.insert(SameValueKey(identifier.tag, identifier.value));
    }
  }
  void OnBytes(const Seen& seen) override {
    facts.Add(seen);
    if (seen.part == "file meta information" && seen.tag() == kMetaSopInstance) {
      meta_sop = std::string(Trimmed(seen.value));
    }
    Kinds kinds = searcher_.InElement(seen);
    for (const Kind kind : kinds.list()) {
      if (IsExcused(seen, kind)) {
        ++excused;
        kinds.Remove(kind);
      }
    }
    for (const Kind kind : kinds.list()) {
      findings.push_back(
          {.check = "leak", .file = {}, .where = Place(seen), .kind = std::string(ToString(kind))});
    }
    if (kinds.empty()) LookForSame(seen);
  }
  void OnSequence(const std::vector<Step>& path, int items) override {
    facts.AddSequence(path, items);
  }

  Facts facts;
  std::string meta_sop;
  std::vector<Finding> findings;
  std::uint64_t excused = 0;

 private:
  static std::string Place(const Seen& seen) {
    return seen.part == "data set" || seen.path.empty()
               ? seen.Where()
               : seen.Where() + ", " + std::string(seen.part);
  }

  [[nodiscard]] bool IsExcused(const Seen& seen, Kind kind) const {
    if (seen.path.empty()) return false;
    const Tag tag = seen.tag();
    const std::optional<Kind> own = KindOf(tag, seen.vr);
    const auto is_name = [](Kind k) { return k == Kind::kPatientName || k == Kind::kPersonName; };
    const bool same_kind = own && (*own == kind || (is_name(*own) && is_name(kind)));
    if (same_kind && policy_.MayRetain(tag)) return true;
    if (IsOfDevice(seen, kind)) return true;
    if (kind != Kind::kBirthDate) return false;
    const std::string vr = DictionaryVr(tag);
    if (!IsDate(vr)) return false;
    if (policy_.MayRetain(tag)) return true;
    // A date that stood there before is that date's own affair (see Consistency): an infant was
    // examined on the day of birth, and a date that moved may come to stand on a birthday.
    const Facts::Value* was = input_ != nullptr ? input_->facts.Find(ToString(seen.path)) : nullptr;
    return was != nullptr && !was->text.empty() && own != Kind::kBirthDate;
  }

  /// What devices write of themselves and of the image, from lists of words: a patient Perfusion is
  /// no reason to doubt ImageType, nor a hospital TOSHIBA to doubt Manufacturer. Only what stood
  /// there before.
  [[nodiscard]] bool IsOfDevice(const Seen& seen, Kind kind) const {
    if (kind != Kind::kPatientName && kind != Kind::kPersonName && kind != Kind::kInstitution) {
      return false;
    }
    return IsWrittenByDevices(seen.tag()) && input_ != nullptr &&
           input_->of_device.contains(SameValueKey(seen.tag(), seen.value));
  }

  /// Values that are too short to be searched, where they stood before.
  void LookForSame(const Seen& seen) {
    if (seen.path.empty() || seen.value.empty()) return;
    const std::optional<Kind> kind = KindOf(seen.tag(), seen.vr);
    if (!kind || policy_.MayRetain(seen.tag())) return;
    for (const std::string& value : ValuesOf(seen, decoder_)) {
      if (value.size() > kLongestIdentifier) continue;
      const std::vector<Word> words = WordsOf(value);
      const bool says_nothing = std::all_of(words.begin(), words.end(), [](const Word& word) {
        return IsCommon(word.text) || word.text.find_first_not_of('0') == std::string::npos;
      });
      if (says_nothing || !same_.contains(SameValueKey(seen.tag(), value))) continue;
      findings.push_back({.check = "unchanged",
                          .file = {},
                          .where = Place(seen),
                          .kind = std::string(ToString(*kind))});
      return;
    }
  }

  Searcher& searcher_;
  TextDecoder& decoder_;
  const Policy& policy_;
  const Collector* input_;
  std::unordered_set<std::uint64_t> same_;
};

class Verifier {
 public:
  explicit Verifier(const Options& options) : options_(options) {}
  Report Go();

 private:
  [[nodiscard]] bool Prepare();
  [[nodiscard]] bool ReadDescription();
  /// Calls `work` for every line of the manifest, from several threads.
  template <typename Work>
  void ForEachLine(const Work& work);
  void Collect(std::uint64_t index, TextDecoder& decoder);
  void Inspect(std::uint64_t index, TextDecoder& decoder);
  void CheckMarkers(const Facts& facts, std::vector<Finding>& findings) const;
  void CheckPixels(const Layout& input, const Layout& output, const Facts& before,
                   std::vector<Finding>& findings) const;
  void CheckFolder(TextDecoder& decoder);
  void TellMissing();
  /// Adds findings about the output.
  void Found(const std::string& file, std::vector<Finding> findings);
  [[nodiscard]] std::string SafeName(const std::string& name, Searcher& searcher,
                                     Kinds& kinds) const;
  bool Fail(std::string message) {
    const std::lock_guard lock(mutex_);
    if (!report_.problem) report_.problem = std::move(message);
    return false;
  }

  const Options& options_;
  Report report_;
  Policy policy_;
  Manifest manifest_;
  fs::path input_;
  fs::path output_;
  bool one_input_ = false;  ///< a file, not a folder
  bool one_output_ = false;
  bool is_shard_ = false;  ///< others write to the output as well
  std::optional<Names> inputs_;
  std::optional<Names> outputs_;
  std::unordered_map<std::uint64_t, Table> patients_;
  std::unordered_map<std::uint64_t, std::unordered_set<std::uint64_t>> seen_;  ///< first pass only
  Table everybody_;
  std::unordered_set<std::uint64_t> listed_;  ///< names of the outputs
  std::optional<Consistency> consistency_;
  std::mutex mutex_;
  std::uint64_t done_ = 0;
  std::uint64_t to_do_ = 0;
  std::atomic<std::uint64_t> unreadable_inputs_{0};
  std::vector<std::uint64_t> missing_;  ///< lines of inputs that could not be opened
  std::uint64_t outputs_of_earlier_rules_ = 0;
};

std::optional<std::string> ReadText(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

bool Verifier::ReadDescription() {
  const std::optional<std::string> text = ReadText(options_.state / "run.json");
  const nlohmann::json json = nlohmann::json::parse(text.value_or(""), nullptr, false);
  const auto read = [&json](const char* name) -> std::string {
    if (!json.is_object()) return {};
    const auto it = json.find(name);
    return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  const fs::path folder = read("folder");
  const auto choose = [&](const fs::path& given, const char* name) {
    if (!given.empty()) return given;
    const std::string recorded = read(name);
    if (recorded.empty()) return fs::path();
    return (folder / recorded).lexically_normal();
  };
  input_ = choose(options_.input, "input");
  output_ = choose(options_.output, "output");
  const auto is_service = [&](const fs::path& given, const char* name) {
    return given.empty() && json.is_object() && json.value(name, false);
  };
  if (is_service(options_.input, "input_is_service")) {
    return Fail("what was read is a DICOM service: name it with --input");
  }
  if (is_service(options_.output, "output_is_service")) {
    return Fail("what was written to is a DICOM service: name it with --output");
  }
  if (input_.empty() || output_.empty()) {
    return Fail("run.json in " + options_.state.string() +
                " does not say what was read and written; give --input and --output");
  }
  std::optional<std::string> expectations = options_.expectations;
  if (!expectations && json.is_object() && json.contains("expectations")) {
    expectations = json["expectations"].dump();
  }
  if (expectations) policy_ = Policy::FromJson(*expectations).value_or(Policy());
  is_shard_ = json.is_object() && json.contains("shard");
  if (json.is_object()) policy_.dicomdir = json.value("dicomdir", false);
  if (!policy_.known) {
    report_.not_checked.emplace_back(
        "what the rules retain is not known: everything that identifies counts as a leak, and all "
        "dates of a patient must have moved alike (give --rules)");
  }
  return true;
}

bool Verifier::Prepare() {
  if (!ReadDescription()) return false;
  std::error_code error;
  if (!fs::exists(input_, error)) return Fail("the input " + input_.string() + " does not exist");
  if (!fs::exists(output_, error))
    return Fail("the output " + output_.string() + " does not exist");
  one_input_ = !fs::is_directory(input_, error);
  one_output_ = !fs::is_directory(output_, error);
  if (one_output_) output_ = fs::absolute(output_).parent_path();
  inputs_.emplace(input_);
  outputs_.emplace(output_);
  if (!manifest_.Open(options_.state / "manifest.ndjson")) {
    return Fail("the manifest in " + options_.state.string() +
                " cannot be read, or the run is not finished");
  }
  bool odd_input = false;
  bool odd_output = false;
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  for (std::uint64_t i = 0; i < manifest_.size(); ++i) {
    const Manifest::Line line = manifest_.At(i);
    if (line.input.empty() || line.outcome.empty())
      return Fail("the manifest has a line that is none");
    odd_input = odd_input || line.input.find(kReplacement) != std::string::npos;
    if (!line.output) continue;
    if (line.of_earlier_rules) ++outputs_of_earlier_rules_;
    odd_output = odd_output || line.output->find(kReplacement) != std::string::npos;
    if (!listed_.insert(HashOf(*line.output)).second) {
      Found(*line.output, {{.check = "not-in-manifest",
                            .file = {},
                            .where = {},
                            .kind = "the manifest names it twice"}});
    }
  }
  if (odd_input && !one_input_) inputs_->List();
  if (odd_output) outputs_->List();
  to_do_ = manifest_.size() + listed_.size();
  consistency_.emplace(policy_);
  return true;
}

template <typename Work>
void Verifier::ForEachLine(const Work& work) {
  std::atomic<std::uint64_t> next{0};
  const auto loop = [&] {
    try {
      TextDecoder decoder;
      for (;;) {
        const std::uint64_t index = next.fetch_add(1);
        if (index >= manifest_.size()) return;
        work(index, decoder);
      }
    } catch (const std::exception&) {
      // what() may quote a value.
      Fail("verify met an unexpected error, such as too little memory");
    }
  };
  const unsigned processors = std::max(1U, std::thread::hardware_concurrency());
  const unsigned jobs = options_.jobs > 0 ? static_cast<unsigned>(options_.jobs) : processors;
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < jobs; ++i) threads.emplace_back(loop);
  loop();
  for (std::thread& thread : threads) thread.join();
}

void Verifier::Collect(std::uint64_t index, TextDecoder& decoder) {
  const Manifest::Line line = manifest_.At(index);
  if (WasNeverRead(line)) {
    const std::lock_guard lock(mutex_);
    ++report_.not_looked_at[line.reason];
    if (options_.on_progress) options_.on_progress(++done_, to_do_);
    return;
  }
  Collector collector(decoder);
  const Layout layout = ReadFile(one_input_ ? input_ : inputs_->PathOf(line.input), collector);
  // Of inputs that were not written the rest hardly matters, and many are no DICOM.
  if (layout.opened && !layout.readable && line.output) ++unreadable_inputs_;
  const std::uint64_t patient = collector.facts.PatientKey();
  const std::lock_guard lock(mutex_);
  if (!layout.opened) missing_.push_back(index);
  ++report_.inputs;
  if (options_.on_progress) options_.on_progress(++done_, to_do_);
  Table& own = patients_[patient];
  std::unordered_set<std::uint64_t>& seen = seen_[patient];
  for (const Identifier& identifier : collector.identifiers) {
    const bool stays = policy_.Retains(identifier.tag);
    TextHash once;
    once.Add(identifier.value);
    once.Add(ToString(identifier.kind));
    once.Add(stays ? "stays" : "");
    if (!seen.insert(once.value()).second) continue;
    if (identifier.kind == Kind::kUid) {
      if (stays) {
        everybody_.Keep(identifier.kind, identifier.value);
      } else {
        everybody_.Add(identifier.kind, identifier.value, true);
      }
    } else if (stays) {
      own.Keep(identifier.kind, identifier.value);
      everybody_.Keep(identifier.kind, identifier.value);
    } else {
      own.Add(identifier.kind, identifier.value, false);
      everybody_.Add(identifier.kind, identifier.value, true);
    }
  }
}

void Verifier::CheckMarkers(const Facts& facts, std::vector<Finding>& findings) const {
  if (!policy_.mark) return;
  const auto wrong = [&findings](std::string where, std::string kind) {
    findings.push_back(
        {.check = "marker", .file = {}, .where = std::move(where), .kind = std::move(kind)});
  };
  if (facts.Top(kPatientIdentityRemoved) != "YES") {
    wrong(dcmveil::ToString(kPatientIdentityRemoved), "is not YES");
  }
  if (facts.Top(kDeidentificationMethod).empty()) {
    wrong(dcmveil::ToString(kDeidentificationMethod), "is empty");
  }
  if (policy_.method_codes && facts.ItemsOf(kMethodCodes) < 1) {
    wrong(kMethodCodes, "has no item");
  }
}

void Verifier::CheckPixels(const Layout& input, const Layout& output, const Facts& before,
                           std::vector<Finding>& findings) const {
  const auto wrong = [&](std::string kind) {
    const Tag tag = output.pixels ? output.pixels->tag : input.pixels->tag;
    findings.push_back(
        {.check = "pixels", .file = {}, .where = dcmveil::ToString(tag), .kind = std::move(kind)});
  };
  if (!input.pixels && !output.pixels) return;
  if (!input.pixels) return wrong("the input has none");
  if (!output.pixels || (output.pixels->size == 0 && input.pixels->size > 0)) {
    if (!policy_.pixels_may_go) wrong("are gone");
    return;
  }
  if (!input.transfer_syntax.empty() && input.transfer_syntax != output.transfer_syntax) {
    return wrong("the transfer syntax is another");
  }
  switch (ComparePixels(input, output, before)) {
    case PixelAnswer::kSame:
      return;
    case PixelAnswer::kMasked:
      if (!policy_.mask_overlays) wrong("differ in bits that the image does not use");
      return;
    case PixelAnswer::kDifferent:
      return wrong("differ from the input's");
    case PixelAnswer::kUnreadable:
      return wrong("could not be read");
  }
}

/// The name with the parts that tell something blacked out.
std::string Verifier::SafeName(const std::string& name, Searcher& searcher, Kinds& kinds) const {
  std::string safe;
  for (std::size_t at = 0; at <= name.size();) {
    const std::size_t end = std::min(name.find('/', at), name.size());
    const std::string_view part = std::string_view(name).substr(at, end - at);
    const Kinds found = searcher.InName(part);
    for (const Kind kind : found.list()) kinds.Add(kind);
    if (at > 0) safe += '/';
    safe += found.empty() ? part : std::string_view("***");
    at = end + 1;
  }
  return safe;
}

void Verifier::Found(const std::string& file, std::vector<Finding> findings) {
  const std::lock_guard lock(mutex_);
  for (Finding& finding : findings) {
    finding.file = file;
    ++report_.counts[finding.check];
    if (report_.findings.size() < kMostFindings) report_.findings.push_back(std::move(finding));
  }
}

void Verifier::Inspect(std::uint64_t index, TextDecoder& decoder) {
  const Manifest::Line line = manifest_.At(index);
  if (!line.output) return;
  Collector before(decoder);
  const Layout input = ReadFile(one_input_ ? input_ : inputs_->PathOf(line.input), before);
  const auto own = patients_.find(before.facts.PatientKey());
  Searcher searcher(own != patients_.end() ? &own->second : nullptr, &everybody_, decoder);
  Inspector after(searcher, decoder, policy_, input.opened ? &before : nullptr);
  const fs::path path = outputs_->PathOf(*line.output);
  const Layout output = ReadFile(path, after);

  Kinds in_name;
  const std::string name = SafeName(*line.output, searcher, in_name);
  std::vector<Finding>& findings = after.findings;
  for (const Kind kind : in_name.list()) {
    findings.push_back(
        {.check = "leak-in-name", .file = {}, .where = {}, .kind = std::string(ToString(kind))});
  }
  std::error_code error;
  if (!output.opened) {
    const bool there = fs::exists(path, error);
    findings.push_back({.check = there ? "unreadable" : "missing",
                        .file = {},
                        .where = {},
                        .kind = there ? "cannot be read" : "is not there"});
    Found(name, std::move(findings));
    return;
  }
  if (!output.readable || output.filler) {
    findings.push_back(
        {.check = "unreadable",
         .file = {},
         .where = {},
         .kind = output.readable ? "has bytes behind the data set" : "is no whole data set"});
  }
  for (const std::string& bytes : BytesBesideFrames(output, after.facts)) {
    for (const Kind kind : searcher.InBytes(bytes).list()) {
      findings.push_back({.check = "leak",
                          .file = {},
                          .where = dcmveil::ToString(output.pixels->tag) + ", beside the frames",
                          .kind = std::string(ToString(kind))});
    }
  }
  CheckMarkers(after.facts, findings);
  if (after.meta_sop != after.facts.Top(kSopInstance)) {
    findings.push_back({.check = "reference",
                        .file = {},
                        .where = dcmveil::ToString(kMetaSopInstance),
                        .kind = "is not SOP Instance UID"});
  }
  if (input.opened) CheckPixels(input, output, before.facts, findings);
  Found(name, std::move(findings));
  const std::lock_guard lock(mutex_);
  if (!input.opened) missing_.push_back(index);
  if (input.opened) consistency_->Add(index, before.facts, after.facts);
  ++report_.outputs;
  report_.excused += after.excused;
  report_.bytes += fs::file_size(path, error);
  if (options_.on_progress) options_.on_progress(++done_, to_do_);
}

void Verifier::CheckFolder(TextDecoder& decoder) {
  if (one_output_) {
    report_.not_checked.emplace_back(
        "the output is one file: what else is in its folder is not looked at");
    return;
  }
  if (is_shard_) {
    report_.not_checked.emplace_back(
        "this is one shard: whether all files of the output are in a manifest, and whether its "
        "instances agree with those of other shards, shows after dcmveil merge");
    return;
  }
  Searcher searcher(nullptr, &everybody_, decoder);
  std::error_code error;
  std::set<std::string> folders_used;
  for (auto it = fs::recursive_directory_iterator(output_, error);
       !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    const std::string name = Shown(it->path().lexically_relative(output_).string());
    const bool is_folder = it->is_directory(error) && !it->is_symlink(error);
    std::vector<Finding> findings;
    Kinds kinds;
    const std::string safe = SafeName(name, searcher, kinds);
    if (is_folder) {
      // A folder that holds an output was searched with its name.
      if (fs::is_empty(it->path(), error)) {
        findings.push_back(
            {.check = "not-in-manifest", .file = {}, .where = {}, .kind = "an empty folder"});
      }
    } else if (policy_.dicomdir && name == "DICOMDIR") {
      Inspector inspector(searcher, decoder, policy_, nullptr);
      if (!ReadFile(it->path(), inspector).readable) {
        findings.push_back(
            {.check = "unreadable", .file = {}, .where = {}, .kind = "is no whole data set"});
      }
      findings.insert(findings.end(), inspector.findings.begin(), inspector.findings.end());
    } else if (!listed_.contains(HashOf(name))) {
      for (const Kind kind : kinds.list()) {
        findings.push_back({.check = "leak-in-name",
                            .file = {},
                            .where = {},
                            .kind = std::string(ToString(kind))});
      }
      findings.push_back({.check = "not-in-manifest",
                          .file = {},
                          .where = {},
                          .kind = "a file that no input became"});
    }
    Found(safe, std::move(findings));
  }
  if (error) Fail("the output " + output_.string() + " cannot be listed");
}

void Verifier::TellMissing() {
  // One that has an output was looked for twice.
  std::sort(missing_.begin(), missing_.end());
  missing_.erase(std::unique(missing_.begin(), missing_.end()), missing_.end());
  if (missing_.empty()) return;
  Fail(std::to_string(missing_.size()) +
       " input(s) of the manifest are not there or cannot be read");
  missing_.resize(std::min(missing_.size(), kMostMissing));
  for (const std::uint64_t index : missing_) {
    report_.missing_inputs.push_back(manifest_.At(index).input);
  }
}

Report Verifier::Go() {
  const auto started = std::chrono::steady_clock::now();
  if (Prepare()) {
    ForEachLine([this](std::uint64_t i, TextDecoder& decoder) { Collect(i, decoder); });
    seen_.clear();
    ForEachLine([this](std::uint64_t i, TextDecoder& decoder) { Inspect(i, decoder); });
    TextDecoder decoder;
    CheckFolder(decoder);
    for (auto& [index, finding] : consistency_->Finish()) {
      Searcher searcher(nullptr, &everybody_, decoder);
      Kinds ignored;
      Found(SafeName(manifest_.At(index).output.value_or(""), searcher, ignored),
            {std::move(finding)});
    }
    if (unreadable_inputs_ > 0) {
      report_.not_checked.push_back("the end of " + std::to_string(unreadable_inputs_) +
                                    " input(s), which do not read as DICOM to their last byte");
    }
    if (outputs_of_earlier_rules_ > 0) {
      report_.not_checked.push_back(
          std::to_string(outputs_of_earlier_rules_) +
          " output(s) against the rules that made them: earlier rules did, and what stays on "
          "purpose is known of the last ones only");
    }
    TellMissing();
  }
  std::sort(report_.findings.begin(), report_.findings.end(),
            [](const Finding& a, const Finding& b) {
              return std::tie(a.file, a.check, a.where, a.kind) <
                     std::tie(b.file, b.check, b.where, b.kind);
            });
  report_.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  return std::move(report_);
}

}  // namespace

Report Verify(const Options& options) { return Verifier(options).Go(); }

std::string ToJson(const Report& report) {
  nlohmann::ordered_json json;
  json["message_type"] = "verify";
  json["result"] = report.problem ? "could-not-go-on" : report.counts.empty() ? "clean" : "found";
  json["inputs"] = report.inputs;
  json["inputs_not_looked_at"] = report.not_looked_at;
  json["missing_inputs"] = report.missing_inputs;
  json["outputs"] = report.outputs;
  json["bytes"] = report.bytes;
  json["counts"] = report.counts;
  json["excused"] = report.excused;
  json["not_checked"] = report.not_checked;
  json["problem"] =
      report.problem ? nlohmann::ordered_json(*report.problem) : nlohmann::ordered_json();
  json["seconds"] = report.seconds;
  json["findings"] = nlohmann::ordered_json::array();
  for (const Finding& finding : report.findings) {
    nlohmann::ordered_json one;
    one["check"] = finding.check;
    one["file"] = finding.file;
    one["where"] = finding.where;
    one["kind"] = finding.kind;
    json["findings"].push_back(std::move(one));
  }
  return json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace dcmveil::verify
