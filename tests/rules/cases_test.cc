// SPDX-License-Identifier: Apache-2.0
//
// Runs tests/rules/cases/*.yaml. A file is a list of cases:
//   case      what it shows
//   rules     the text of rules.yaml
//   files     further files of the folder: name to text
//   key       true: the folder has a key in project.key, which the text may name
//   allow-missing-key   as in LoadOptions
//   errors    the exact diagnostics of a rule file that must not load, or
//   warnings  those of one that must (none if left out; `any` does not look), and
//   decide    element or path to the line of the rule that decides it, `otherwise` or `removed`
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "dcmveil/rules.h"
#include "engine/dictionary.h"
#include "engine/plan.h"
#include "rules/selector.h"
#include "rules/yaml.h"

namespace dcmveil::rules {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kKeyText =
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";

struct Case {
  std::string file;
  Node node;
  [[nodiscard]] std::string name() const { return node.Find("case")->text; }
};

void PrintTo(const Case& test, std::ostream* out) { *out << test.file << ": " << test.name(); }

std::deque<SourceFile>& Sources() {
  static std::deque<SourceFile> sources;
  return sources;
}

std::vector<Case> AllCases() {
  std::vector<fs::path> files;
  for (const auto& entry :
       fs::directory_iterator(fs::path(DCMVEIL_SOURCE_DIR) / "tests/rules/cases")) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<Case> cases;
  for (const fs::path& file : files) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    const SourceFile& source =
        Sources().emplace_back(SourceFile{file.filename().string(), {}, text.str()});
    Diagnostics diagnostics;
    const std::optional<Node> root = ParseYaml(source, source.text, diagnostics);
    for (const Diagnostic& diagnostic : diagnostics.Sorted(Sources())) {
      std::cerr << ToString(diagnostic) << '\n';
    }
    if (!root || !root->is_list()) abort();
    for (const Node& item : root->items) {
      constexpr std::string_view kKeys[] = {
          "case", "rules", "files", "key", "allow-missing-key", "errors", "warnings", "decide"};
      CheckKeys(item, kKeys, "case", diagnostics);
      if (diagnostics.has_errors() || item.Find("case") == nullptr) {
        std::cerr << ToString(diagnostics.Sorted(Sources()).front()) << '\n';
        abort();
      }
      cases.push_back({file.stem().string(), item});
    }
  }
  return cases;
}

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "dcmveil-rules-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  void Write(const std::string& name, std::string_view text) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << text;
    ::chmod((path_ / name).c_str(), 0600);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::vector<std::string> Texts(const Node* node) {
  std::vector<std::string> texts;
  if (node == nullptr) return texts;
  for (const Node& item : OneOrMany(*node)) texts.push_back(item.text);
  return texts;
}

// The temporary folder has another name in every run.
std::vector<std::string> Printed(const std::vector<Diagnostic>& diagnostics, const Folder& folder) {
  std::vector<std::string> texts;
  const std::string prefix = folder.path().string() + "/";
  for (const Diagnostic& diagnostic : diagnostics) {
    std::string text = ToString(diagnostic);
    for (std::size_t at = 0; (at = text.find(prefix)) != std::string::npos;) {
      text.erase(at, prefix.size());
    }
    texts.push_back(std::move(text));
  }
  return texts;
}

std::string WhoDecides(const engine::Plan& plan, const std::string& spelling) {
  auto parsed = ParsePath(spelling);
  if (const auto* error = std::get_if<SpellingError>(&parsed)) return error->message;
  engine::Path path;
  const auto& steps = std::get<ParsedPath>(parsed).steps;
  for (const engine::TagPattern& step : steps) {
    std::uint32_t number = step.value;
    if (!step.creator.empty()) number |= 0x1000;
    path.push_back({Tag(number), step.creator, &step == &steps.back() ? -1 : 0});
  }
  const Attribute* attribute = FindAttribute(path.back().tag);
  const VrSet vrs = attribute != nullptr ? attribute->vrs : VrSet(Vr::UN);
  const engine::ConditionAnswers answers(std::vector<bool>(plan.conditions().size(), true));
  const engine::Plan::Decision decision = plan.Decide(path, vrs, answers);
  if (decision.rule != nullptr) {
    return decision.rule->origin.substr(decision.rule->origin.find(':') + 1);
  }
  return decision.private_by_vr_only ? "removed" : "otherwise";
}

class RuleCases : public testing::TestWithParam<Case> {};

TEST_P(RuleCases, LoadsAsStated) {
  const Node& node = GetParam().node;
  const Folder folder;
  folder.Write("rules.yaml", node.Find("rules")->text);
  if (node.Find("key") != nullptr) folder.Write("project.key", kKeyText);
  if (const Node* files = node.Find("files")) {
    for (const auto& [name, text] : files->entries) folder.Write(name.text, text.text);
  }
  LoadOptions options;
  options.allow_missing_key = node.Find("allow-missing-key") != nullptr;
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
  std::shared_ptr<const engine::Plan> plan;
  try {
    const RuleSet rules = LoadRules(folder.path() / "rules.yaml", options);
    warnings = Printed(rules.warnings(), folder);
    plan = rules.plan();
  } catch (const RuleError& error) {
    errors = Printed(error.diagnostics(), folder);
  }
  EXPECT_EQ(errors, Texts(node.Find("errors")));
  const Node* expected = node.Find("warnings");
  if (plan == nullptr) return;
  if (expected == nullptr || expected->text != "any") {
    EXPECT_EQ(warnings, Texts(expected));
  }
  if (const Node* decide = node.Find("decide")) {
    for (const auto& [element, who] : decide->entries) {
      EXPECT_EQ(WhoDecides(*plan, element.text), who.text) << element.text;
    }
  }
}

std::string NameOf(const testing::TestParamInfo<Case>& test) {
  std::string name = test.param.file + "_" + test.param.name();
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name + "_" + std::to_string(test.index);
}

INSTANTIATE_TEST_SUITE_P(All, RuleCases, testing::ValuesIn(AllCases()), NameOf);

}  // namespace
}  // namespace dcmveil::rules
