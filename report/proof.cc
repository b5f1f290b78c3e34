// SPDX-License-Identifier: Apache-2.0
#include "report/proof.h"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <system_error>
#include <thread>
#include <utility>

#include "report/merkle.h"
#include "report/signature.h"

namespace dcmveil::report {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::json;  // keys sorted: one text for one content
constexpr const char* kFormat = "dcmveil-proof-2";
constexpr std::string_view kAnyFormat = "dcmveil-proof-";
constexpr const char* kDicomdir = "DICOMDIR";
constexpr const char* kHashes = "hashes.ndjson";

std::optional<std::string> ReadText(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

std::string Text(const Json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

bool Flag(const Json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_boolean() && it->get<bool>();
}

Json Member(const Json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() ? *it : Json();
}

/// A file name of the manifest with all its bytes: those that are no UTF-8 stand in hex beside it.
/// Empty: none.
std::string NameIn(const Json& line, const std::string& key) {
  const std::string hex = Text(line, (key + "_bytes").c_str());
  return hex.empty() ? Text(line, key.c_str()) : BytesOfHex(hex).value_or("");
}

/// The files behind names of the manifest. A root that is no folder is the one file.
std::vector<fs::path> PathsOf(const fs::path& root, const std::vector<std::string>& names) {
  std::error_code error;
  const bool is_folder = fs::is_directory(root, error);
  std::vector<fs::path> paths;
  paths.reserve(names.size());
  for (const std::string& name : names) paths.push_back(is_folder ? root / name : root);
  return paths;
}

/// The hashes of the files in their order; nothing if one cannot be read.
std::optional<std::vector<Hash>> HashAll(const std::vector<fs::path>& files, int jobs) {
  std::vector<Hash> hashes(files.size());
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  const auto work = [&] {
    for (std::size_t i = next++; i < files.size() && !failed; i = next++) {
      const std::optional<Hash> hash = Sha256OfFile(files[i]);
      if (!hash) {
        failed = true;
        return;
      }
      hashes[i] = *hash;
    }
  };
  const unsigned processors = std::max(1U, std::thread::hardware_concurrency());
  const unsigned wanted = jobs > 0 ? static_cast<unsigned>(jobs) : processors;
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < wanted; ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  if (failed) return std::nullopt;
  return hashes;
}

/// Names relative to the output, and the hashes of what the files hold. A file that has another
/// name is not the one that it was, so that the name is in the leaf; as a hash, so that no name
/// can run into the content. Sorted by names.
std::string RootOf(const std::vector<std::pair<std::string, Hash>>& files) {
  MerkleTree tree;
  for (const auto& [name, content] : files) tree.Add(Sha256Of(name), content);
  return Hex(tree.Root());
}

/// What the manifest says, as far as it goes into the proof.
struct Account {
  std::map<std::string, std::uint64_t> outcomes;
  std::map<std::string, std::map<std::string, std::uint64_t>> reasons;  ///< by outcome
  /// Outputs that earlier rules made, by hash and edition.
  std::map<std::pair<std::string, std::string>, std::uint64_t> of_earlier_rules;
  std::uint64_t all_inputs = 0;
  std::vector<std::string> inputs;  ///< of outputs: another one may be no file that can be read
  std::vector<std::string> outputs;
  /// Of the files of `inputs` and `outputs`, in that order; nothing if they are not known.
  std::optional<std::vector<Hash>> input_hashes = {};
  std::optional<std::vector<Hash>> output_hashes = {};
};

/// The hashes that shards took when their own proofs were made, as `merge` joined them: one machine
/// would take days to read again what many have read. Only if they are of this very manifest.
void LoadHashes(const fs::path& state, Account& account) {
  std::error_code error;
  const auto hashed = fs::last_write_time(state / kHashes, error);
  if (error || hashed < fs::last_write_time(state / "manifest.ndjson", error) || error) return;
  std::ifstream stream(state / kHashes);
  std::vector<Hash> inputs;
  std::vector<Hash> outputs;
  bool has_inputs = true;
  std::size_t at = 0;
  for (std::string line; std::getline(stream, line); ++at) {
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object() || at >= account.outputs.size()) return;
    const std::optional<Hash> output = FromHex(Text(json, "output_sha256"));
    const std::optional<Hash> input = FromHex(Text(json, "input_sha256"));
    if (FromHex(Text(json, "name_sha256")) != Sha256Of(account.outputs[at]) || !output) return;
    outputs.push_back(*output);
    has_inputs = has_inputs && input;
    inputs.push_back(input.value_or(Hash{}));
  }
  if (at != account.outputs.size()) return;
  account.output_hashes = std::move(outputs);
  if (has_inputs) account.input_hashes = std::move(inputs);
}

/// False if it cannot be written.
bool StoreHashes(const fs::path& state, const Account& account) {
  std::ofstream stream(state / kHashes, std::ios::trunc);
  for (std::size_t i = 0; i < account.outputs.size(); ++i) {
    nlohmann::ordered_json line;
    line["name_sha256"] = Hex(Sha256Of(account.outputs[i]));
    if (account.input_hashes) line["input_sha256"] = Hex((*account.input_hashes)[i]);
    line["output_sha256"] = Hex((*account.output_hashes)[i]);
    stream << line.dump() << "\n";
  }
  stream.close();
  return !stream.fail();
}

bool ReadManifest(const fs::path& file, Account& account) {
  std::ifstream stream(file);
  if (!stream) return false;
  for (std::string line; std::getline(stream, line);) {
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object()) return false;
    const std::string outcome = Text(json, "outcome");
    const std::string input = NameIn(json, "input");
    if (outcome.empty() || input.empty()) return false;
    ++account.all_inputs;
    ++account.outcomes[outcome];
    if (const std::string reason = Text(json, "reason"); !reason.empty()) {
      ++account.reasons[outcome][reason];
    }
    if (std::string output = NameIn(json, "output"); !output.empty()) {
      if (const Json by = Member(json, "decided_by"); by.is_object()) {
        ++account.of_earlier_rules[{Text(by, "rules_hash"), Text(by, "edition")}];
      }
      account.inputs.push_back(input);
      account.outputs.push_back(std::move(output));
    }
  }
  return true;
}

/// The result of `verify`, if there is one that looked at this very run.
Json VerifyResult(const fs::path& state) {
  std::error_code error;
  const auto verified = fs::last_write_time(state / "verify.json", error);
  if (error) return {};
  const auto run = fs::last_write_time(state / "manifest.ndjson", error);
  if (error || verified < run) return {};
  const Json json = Json::parse(ReadText(state / "verify.json").value_or(""), nullptr, false);
  if (!json.is_object()) return {};
  Json result;
  for (const char* name :
       {"result", "counts", "inputs", "inputs_not_looked_at", "outputs", "not_checked"}) {
    result[name] = Member(json, name);
  }
  return result;
}

/// What each rule set made, that of the run first. The proof names one alone if one made all.
Json RuleSets(const Json& run, const Account& account) {
  std::uint64_t own = account.outputs.size();
  for (const auto& [rules, outputs] : account.of_earlier_rules) own -= outputs;
  Json rows = {{{"rules_hash", Member(run, "rules_hash")},
                {"edition", Member(run, "edition")},
                {"outputs", own}}};
  for (const auto& [rules, outputs] : account.of_earlier_rules) {
    rows.push_back({{"rules_hash", rules.first},
                    {"edition", rules.second.empty() ? Json() : Json(rules.second)},
                    {"outputs", outputs}});
  }
  return rows;
}

void NoteEarlierRules(const Json& proof, ProofCheck& check) {
  const Json rows = Member(proof, "rule_sets");
  if (!rows.is_array()) return;
  for (const Json& row : rows) {
    if (!row.is_object() || Text(row, "rules_hash").empty() || row == rows.front()) continue;
    check.notes.push_back(Member(row, "outputs").dump() + " outputs were made by earlier rules (" +
                          Text(row, "rules_hash") + ")");
  }
}

fs::path Resolve(const Json& run, const char* name) {
  return (fs::path(Text(run, "folder")) / Text(run, name)).lexically_normal();
}

std::optional<std::string> AddInputs(const Json& run, Account& account, int jobs, Json& proof) {
  proof["inputs"]["count"] = account.all_inputs;
  proof["inputs"]["hashed"] = account.inputs.size();
  proof["inputs"]["root"] = nullptr;
  if (Flag(run, "input_is_service")) return std::nullopt;
  if (!account.input_hashes) {
    account.input_hashes = HashAll(PathsOf(Resolve(run, "input"), account.inputs), jobs);
  }
  if (!account.input_hashes) return "an input of the manifest is not there or cannot be read";
  // Names of inputs may be of people: neither they nor their order go in.
  std::vector<Hash> hashes = *account.input_hashes;
  std::sort(hashes.begin(), hashes.end());
  MerkleTree tree;
  for (const Hash& hash : hashes) tree.Add(hash);
  proof["inputs"]["root"] = Hex(tree.Root());
  return std::nullopt;
}

std::optional<std::string> AddOutputs(const Json& run, Account& account, int jobs, Json& proof) {
  proof["outputs"]["root"] = nullptr;
  proof["outputs"]["count"] = account.outputs.size();
  if (Flag(run, "output_is_service")) return std::nullopt;
  std::error_code error;
  fs::path root = Resolve(run, "output");
  if (!fs::is_directory(root, error)) root = root.parent_path();
  if (!account.output_hashes) {
    account.output_hashes = HashAll(PathsOf(root, account.outputs), jobs);
  }
  if (!account.output_hashes) return "an output of the manifest is not there or cannot be read";
  std::vector<std::pair<std::string, Hash>> files;
  for (std::size_t i = 0; i < account.outputs.size(); ++i) {
    files.emplace_back(account.outputs[i], (*account.output_hashes)[i]);
  }
  if (Flag(run, "dicomdir") && fs::exists(root / kDicomdir, error)) {
    const std::optional<Hash> hash = Sha256OfFile(root / kDicomdir);
    if (!hash) return "the DICOMDIR cannot be read";
    files.emplace_back(kDicomdir, *hash);
  }
  std::sort(files.begin(), files.end());
  proof["outputs"]["count"] = files.size();
  proof["outputs"]["root"] = RootOf(files);
  return std::nullopt;
}

/// The names of all files below, sorted.
std::optional<std::vector<std::string>> ListFiles(const fs::path& root) {
  std::vector<std::string> files;
  std::error_code error;
  auto it = fs::recursive_directory_iterator(root, error);
  for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    if (it->is_directory(error) && !it->is_symlink(error)) continue;
    files.push_back(it->path().lexically_relative(root).string());
  }
  if (error) return std::nullopt;
  std::sort(files.begin(), files.end());
  return files;
}

/// Of whichever format.
bool IsProof(const fs::path& file) {
  std::error_code error;
  if (!fs::is_regular_file(file, error)) return false;
  const Json json = Json::parse(ReadText(file).value_or(""), nullptr, false);
  const Json content = json.is_object() ? Member(json, "proof") : Json();
  return content.is_object() && Text(content, "format").starts_with(kAnyFormat);
}

void CheckSignature(const Json& json, const fs::path& public_key, ProofCheck& check) {
  const Json signature = Member(json, "signature");
  const bool is_signed = signature.is_object();
  if (!is_signed) {
    if (public_key.empty()) {
      check.notes.emplace_back("it is not signed: anybody may have written it");
    } else {
      check.wrong.emplace_back("it is not signed");
    }
    return;
  }
  const std::string pem = Text(signature, "public_key");
  const std::optional<std::string> value = FromBase64(Text(signature, "value"));
  const std::optional<std::string> bytes = FromBase64(Text(signature, "signed"));
  if (Text(signature, "algorithm") != "Ed25519" || !value || !bytes ||
      !IsSignedBy(pem, *bytes, *value)) {
    check.wrong.emplace_back("the signature does not hold");
    return;
  }
  if (Json::parse(*bytes, nullptr, false) != Member(json, "proof")) {
    check.wrong.emplace_back("what is signed is not what it says");
    return;
  }
  if (public_key.empty()) {
    check.right.emplace_back("the signature holds for the key that it names itself");
    check.notes.emplace_back("whose key that is cannot be told without --public-key");
    return;
  }
  const std::optional<std::string> expected = ReadText(public_key);
  if (!expected || !IsSameKey(*expected, pem)) {
    check.wrong.emplace_back("it is signed with another key");
    return;
  }
  check.right.emplace_back("the signature is of the given key");
}

void CheckOutputs(const Json& outputs, const fs::path& folder, int jobs, ProofCheck& check) {
  const std::string root = outputs.is_object() ? Text(outputs, "root") : std::string();
  if (root.empty()) {
    check.wrong.emplace_back("it says nothing of files in a folder");
    return;
  }
  const auto names = ListFiles(folder);
  std::optional<std::vector<Hash>> hashes;
  if (names) hashes = HashAll(PathsOf(folder, *names), jobs);
  if (!hashes) {
    check.problem = "the output " + folder.string() + " cannot be read";
    return;
  }
  std::vector<std::pair<std::string, Hash>> files;
  files.reserve(names->size());
  for (std::size_t i = 0; i < names->size(); ++i) files.emplace_back((*names)[i], (*hashes)[i]);
  const Json count = Member(outputs, "count");
  if (count != files.size()) {
    check.wrong.push_back("the output has " + std::to_string(files.size()) + " files and not " +
                          count.dump());
  } else if (RootOf(files) != root) {
    check.wrong.emplace_back("a file of the output is another, or has another name");
  } else {
    check.right.push_back("the output has these " + std::to_string(files.size()) +
                          " files under these names, byte for byte, and no other");
  }
}

}  // namespace

std::optional<std::string> WhyNoProofOver(const fs::path& file) {
  std::error_code error;
  const bool is_free = fs::symlink_status(file, error).type() == fs::file_type::not_found;
  if (is_free || IsProof(file)) return std::nullopt;
  return file.string() + " exists, is no proof, and is not overwritten";
}

std::optional<std::string> WhyNoPlaceForProof(const fs::path& file) {
  if (std::optional<std::string> why = WhyNoProofOver(file)) return why;
  std::error_code error;
  const fs::path folder = fs::absolute(file, error).parent_path();
  if (fs::is_directory(folder, error)) return std::nullopt;
  return "there is no folder " + folder.string();
}

std::optional<std::string> WhyNoPublicKey(const fs::path& file) {
  const std::optional<std::string> pem = ReadText(file);
  if (!pem) return "the public key " + file.string() + " cannot be read";
  if (HoldsPublicKey(*pem)) return std::nullopt;
  if (pem->find("PRIVATE KEY-----") != std::string::npos) {
    return file.string() + " is a private key; the public one is made by openssl pkey -pubout";
  }
  return file.string() + " holds no public key in PEM form";
}

std::optional<std::string> WriteProofFile(const fs::path& state, const fs::path& file,
                                          const fs::path& sign_key, int jobs) {
  const Json run = Json::parse(ReadText(state / "run.json").value_or(""), nullptr, false);
  Account account;
  if (!run.is_object() || !ReadManifest(state / "manifest.ndjson", account)) {
    return "the state folder " + state.string() + " has no run.json and manifest that can be read";
  }
  // A shard's proof is made from its files, also the second time.
  const bool is_shard = run.contains("shard");
  if (!is_shard) LoadHashes(state, account);
  Json proof;
  proof["format"] = kFormat;
  for (const char* name :
       {"tool", "version", "rules_hash", "key_id", "profile", "edition", "options"}) {
    proof[name] = Member(run, name);
  }
  if (!account.of_earlier_rules.empty()) proof["rule_sets"] = RuleSets(run, account);
  proof["outcomes"] = account.outcomes;
  proof["reasons"] = account.reasons;
  if (std::optional<std::string> problem = AddInputs(run, account, jobs, proof)) return problem;
  if (std::optional<std::string> problem = AddOutputs(run, account, jobs, proof)) return problem;
  proof["verify"] = VerifyResult(state);
  if (is_shard && account.output_hashes && !StoreHashes(state, account)) {
    return "the hashes cannot be written to the state folder " + state.string();
  }

  nlohmann::ordered_json whole;
  whole["proof"] = proof;
  whole["signature"] = nullptr;
  if (!sign_key.empty()) {
    const std::string bytes = proof.dump(-1, ' ', false, Json::error_handler_t::replace);
    std::string problem;
    const std::optional<Signature> signature = Sign(sign_key, bytes, problem);
    if (!signature) return problem;
    nlohmann::ordered_json signed_part;
    signed_part["algorithm"] = "Ed25519";
    signed_part["public_key"] = signature->public_key;
    signed_part["signed"] = ToBase64(bytes);
    signed_part["value"] = ToBase64(signature->value);
    whole["signature"] = signed_part;
  }
  // Hashing takes long enough for somebody else to have put something there.
  if (std::optional<std::string> why = WhyNoProofOver(file)) return why;
  std::ofstream stream(file, std::ios::trunc);
  stream << whole.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
  stream.close();
  if (stream.fail()) return "the proof " + file.string() + " cannot be written";
  return std::nullopt;
}

std::optional<std::string> WriteProof(const fs::path& state, const fs::path& folder,
                                      const fs::path& sign_key) {
  return WriteProofFile(state, folder / "proof.json", sign_key);
}

ProofCheck CheckProof(const fs::path& proof, const fs::path& output, const fs::path& public_key,
                      int jobs) {
  ProofCheck check;
  const Json json = Json::parse(ReadText(proof).value_or(""), nullptr, false);
  const Json content = json.is_object() ? Member(json, "proof") : Json();
  if (!content.is_object() || Text(content, "format") != kFormat) {
    check.problem = proof.string() + " is no proof that can be read (" + kFormat + ")";
    return check;
  }
  CheckSignature(json, public_key, check);
  NoteEarlierRules(content, check);
  if (output.empty()) {
    check.notes.emplace_back("the files were not looked at; give --output");
  } else {
    CheckOutputs(Member(content, "outputs"), output, jobs, check);
  }
  const Json verify = Member(content, "verify");
  if (!verify.is_object()) {
    check.notes.emplace_back("nobody looked at the output again (dcmveil verify)");
  } else if (Text(verify, "result") == "clean") {
    check.right.emplace_back("a second look at the output (dcmveil verify) had found nothing");
  } else {
    check.wrong.emplace_back("the second look at the output (dcmveil verify) was not clean");
  }
  return check;
}

}  // namespace dcmveil::report
