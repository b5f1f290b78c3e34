// SPDX-License-Identifier: Apache-2.0
//
// Runs tests/rules/import/TOOL.yaml, and ctp-filter.yaml and ctp-pixels.yaml of CTP's. A file is a
// list of cases:
//   case         what it shows
//   script       the text of the other tool's file
//   compatible   true: --compatible-hashes
//   request      anonymize or modify: --anonymize, --modify
//   refused      the exact diagnostics of a script that cannot be read, or
//   rules        the exact lines of the output that are neither comments nor the head, and
//   comments     texts that must stand in its comments
//   remarks      the exact remarks (none if left out)
//   unreached    what `check` must say of the one rule that is never reached (none if left out)
// Every output must load.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "dcmveil/rules.h"
#include "rules/import/ctp.h"
#include "rules/import/deid.h"
#include "rules/import/kitware.h"
#include "rules/import/orthanc.h"
#include "rules/yaml.h"

namespace dcmveil::rules {
namespace {

namespace fs = std::filesystem;

struct Case {
  std::string tool;
  Node node;
  [[nodiscard]] std::string name() const { return node.Find("case")->text; }
};

void PrintTo(const Case& test, std::ostream* out) { *out << test.tool << ": " << test.name(); }

std::deque<SourceFile>& Sources() {
  static std::deque<SourceFile> sources;
  return sources;
}

std::vector<Case> AllCases() {
  std::vector<Case> cases;
  for (const std::string tool : {"ctp", "ctp-filter", "ctp-pixels", "deid", "kitware", "orthanc"}) {
    const fs::path file = fs::path(DCMVEIL_SOURCE_DIR) / "tests/rules/import" / (tool + ".yaml");
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    const SourceFile& source = Sources().emplace_back(SourceFile{file.string(), {}, text.str()});
    Diagnostics diagnostics;
    const std::optional<Node> root = ParseYaml(source, source.text, diagnostics);
    if (root && root->is_list()) {
      for (const Node& item : root->items) {
        constexpr std::string_view kKeys[] = {"case",     "script",  "compatible",
                                              "request",  "refused", "rules",
                                              "comments", "remarks", "unreached"};
        CheckKeys(item, kKeys, "case", diagnostics);
        if (item.Find("case") != nullptr && item.Find("script") != nullptr) {
          cases.push_back({tool, item});
        }
      }
    }
    if (diagnostics.has_errors() || cases.empty()) {
      for (const Diagnostic& diagnostic : diagnostics.Sorted(Sources())) {
        std::cerr << ToString(diagnostic) << '\n';
      }
      abort();
    }
  }
  return cases;
}

std::vector<std::string> Texts(const Node* node) {
  std::vector<std::string> texts;
  if (node == nullptr) return texts;
  for (const Node& item : OneOrMany(*node)) texts.push_back(item.text);
  return texts;
}

std::vector<std::string> Printed(const std::vector<Diagnostic>& diagnostics) {
  std::vector<std::string> texts;
  for (const Diagnostic& diagnostic : diagnostics) texts.push_back(ToString(diagnostic));
  return texts;
}

// The output's lines without its comments and head, and the comments as one text each.
struct Output {
  std::vector<std::string> lines;
  std::vector<std::string> comments;
};

Output Read(const std::string& yaml) {
  Output out;
  std::istringstream stream(yaml);
  for (std::string line; std::getline(stream, line);) {
    const std::size_t first = line.find_first_not_of(' ');
    if (first == std::string::npos) continue;
    line.erase(0, first);
    if (line.starts_with("#  ") && !out.comments.empty()) {
      out.comments.back() += line.substr(line.find_first_not_of("# ") - 1);
    } else if (line.starts_with('#')) {
      out.comments.push_back(line.size() > 2 ? line.substr(2) : "");
    } else if (!line.starts_with("dcmveil:") && !line.starts_with("name:") &&
               line != "profile: none" && !line.starts_with("rules:")) {
      out.lines.push_back(line);
    }
  }
  return out;
}

Imported Import(const Case& test, const std::string& script) {
  if (test.tool.starts_with("ctp")) {
    return ImportCtp(script, "script.xml",
                     {.compatible_hashes = test.node.Find("compatible") != nullptr});
  }
  if (test.tool == "deid") return ImportDeid(script, "script.xml");
  if (test.tool == "kitware") return ImportKitware(script, "script.xml");
  const Node* const request = test.node.Find("request");
  return ImportOrthanc(script, "script.xml",
                       request == nullptr             ? OrthancRequest::kGuess
                       : request->text == "anonymize" ? OrthancRequest::kAnonymize
                                                      : OrthancRequest::kModify);
}

class ImportCase : public testing::TestWithParam<Case> {};

TEST_P(ImportCase, MeansWhatItSays) {
  const Node& node = GetParam().node;
  const std::string script = node.Find("script")->text;
  Imported imported;
  try {
    imported = Import(GetParam(), script);
  } catch (const RuleError& error) {
    EXPECT_EQ(Texts(node.Find("refused")), Printed(error.diagnostics()));
    return;
  }
  ASSERT_EQ(nullptr, node.Find("refused")) << imported.yaml;
  const Output output = Read(imported.yaml);
  EXPECT_EQ(Texts(node.Find("rules")), output.lines) << imported.yaml;
  for (const std::string& text : Texts(node.Find("comments"))) {
    EXPECT_TRUE(std::any_of(
        output.comments.begin(), output.comments.end(),
        [&](const std::string& comment) { return comment.find(text) != std::string::npos; }))
        << text << "\n"
        << imported.yaml;
  }
  EXPECT_EQ(Texts(node.Find("remarks")), Printed(imported.remarks));
  EXPECT_EQ(imported.complete,
            std::none_of(imported.remarks.begin(), imported.remarks.end(), [](const auto& remark) {
              return remark.severity == Diagnostic::Severity::kWarning;
            }));
  const RuleSet rules = LoadRulesFromText(imported.yaml, "rules.yaml", "/nonexistent",
                                          {.key_file = {}, .allow_missing_key = true});
  std::vector<std::string> unreached;
  for (const std::string& warning : Printed(rules.warnings())) {
    if (warning.find("never reached") != std::string::npos) unreached.push_back(warning);
  }
  const Node* const allowed = node.Find("unreached");
  EXPECT_EQ(allowed == nullptr ? 0U : 1U, unreached.size()) << imported.yaml;
  for (const std::string& text : Texts(allowed)) {
    EXPECT_NE(std::string::npos, unreached.at(0).find(text)) << unreached.at(0);
  }
}

std::string NameOf(const testing::TestParamInfo<Case>& test) {
  std::string name = test.param.tool + "_" + test.param.name();
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Files, ImportCase, testing::ValuesIn(AllCases()), NameOf);

using Importer = std::function<Imported(const std::string&)>;

// Whatever the bytes, the importer refuses them with a place or writes rules that load.
// `tries` signs are tried in each place.
std::size_t CountLoaded(const std::string& script, std::size_t tries, const Importer& importer) {
  constexpr std::string_view kSigns("\0\"<})@,\\\n\xFF%!|(+", 15);
  std::size_t loaded = 0;
  for (std::size_t at = 0; at < script.size(); ++at) {
    for (std::size_t i = 0; i < tries; ++i) {
      std::string damaged = script;
      damaged[at] = kSigns[(at * tries + i) % kSigns.size()];
      try {
        const Imported imported = importer(damaged);
        EXPECT_NO_THROW((void)LoadRulesFromText(imported.yaml, "rules.yaml", "/nonexistent",
                                                {.key_file = {}, .allow_missing_key = true}))
            << damaged;
        ++loaded;
      } catch (const RuleError& error) {
        EXPECT_FALSE(error.diagnostics().empty());
      }
    }
  }
  return loaded;
}

Imported FromCtp(const std::string& text) { return ImportCtp(text, "script.xml"); }
Imported FromDeid(const std::string& text) { return ImportDeid(text, "script.xml"); }

TEST(ImportCtp, SurvivesDamage) {
  const std::string script =
      "<script><p t=\"P\">x</p><e en=\"T\" t=\"00100010\">@if(this,contains,\"a\\\"b\"){@hash(this,"
      "8)}{@param(@P)}</e><k en=\"T\" t=\"0018\"/><r en=\"T\" t=\"privategroups\"/></script>";
  EXPECT_GT(CountLoaded(script, 10, FromCtp), script.size());
}

TEST(ImportCtp, SurvivesDamagedFiltersAndPixelScripts) {
  const std::string filter =
      "// x\n!(Modality.equals(\"CT\") + [0009[ACME]02].matches(\"a|b\")) * Rows.isLessThan(\"9\")";
  EXPECT_GT(CountLoaded(filter, 2, FromCtp), filter.size() / 2);
  const std::string pixels = "a { " + filter + " } (0,0,1,2)\n{ true. } b";
  EXPECT_GT(CountLoaded(pixels, 2, FromCtp), pixels.size() / 2);
}

TEST(ImportDeid, SurvivesDamage) {
  const std::string recipe =
      "FORMAT dicom\n%fields a\nFIELD contains:xyzq\n%header\nREMOVE fields:a\nKEEP StudyID\nADD "
      "PatientSex O\nJITTER StudyDate 3\n%filter b\nLABEL c\ncontains Rows 3 || empty Rows\n"
      "coordinates 1,2,3,4\n";
  EXPECT_GT(CountLoaded(recipe, 2, FromDeid), recipe.size() / 2);
}

// What no tool would write is refused or translated in time, and nothing overflows.
TEST(Import, SurvivesSizeAndDepth) {
  constexpr std::size_t kLong = std::size_t{10} << 20U;
  const std::string long_text(kLong, 'x');
  const std::string deep(kLong / 8, '(');
  const std::vector<std::string> texts{"",
                                       "\n",
                                       std::string(100, '\0'),
                                       long_text,
                                       "Modality.equals(\"" + long_text + "\")",
                                       deep + "Modality.equals(\"CT\")",
                                       std::string(kLong, '!') + "true.",
                                       "Modality.equals(\"CT\")" + std::string(kLong, '\n'),
                                       "{ " + deep + "Modality.equals(\"CT\") }",
                                       "%header\nREMOVE " + long_text,
                                       "%header\nREMOVE contains:" + deep,
                                       "%filter x\nLABEL y\ncontains Modality " + long_text,
                                       "%" + long_text};
  for (const std::string& text : texts) {
    for (const Importer& importer : {Importer(FromCtp), Importer(FromDeid)}) {
      try {
        EXPECT_LT(importer(text).yaml.size(), 3 * kLong);
      } catch (const RuleError& error) {
        for (const std::string& line : Printed(error.diagnostics())) EXPECT_LT(line.size(), 1000U);
      }
    }
  }
  std::string many = "Modality.equals(\"CT\")";
  for (int i = 0; i < 100000; ++i) many += " + Modality.equals(\"CT\")";
  EXPECT_THROW((void)FromCtp(many), RuleError);
  std::string lines = "%header\n";
  for (int i = 0; i < 4999; ++i) lines += "REMOVE contains:^patientb.*[x-z]$\n";
  EXPECT_NO_THROW((void)FromDeid(lines));
  for (int i = 0; i < 300000; ++i) lines += "REMOVE PatientID\n";
  EXPECT_THROW((void)FromDeid(lines), RuleError);
  std::string wrong = "%header\n";
  for (int i = 0; i < 300000; ++i) wrong += "REMOVE\n";
  EXPECT_THROW((void)FromDeid(wrong), RuleError);
}

}  // namespace
}  // namespace dcmveil::rules
