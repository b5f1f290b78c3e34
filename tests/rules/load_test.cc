// SPDX-License-Identifier: Apache-2.0
//
// What a case file cannot show: files, keys, hashes, names.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "dcmveil/rules.h"
#include "engine/plan.h"

namespace dcmveil {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kKeyText =
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";
const std::string kHead = "dcmveil: 1\notherwise: keep\n";
const std::string kPatient =
    "rules:\n  - {tag: [PatientName, PatientID, PatientBirthDate], action: redact}\n";

class LoadTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "dcmveil-load-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path Write(const std::string& name, std::string_view text, mode_t mode = 0600) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << text;
    ::chmod((folder_ / name).c_str(), mode);
    return folder_ / name;
  }

  static std::string ErrorOf(const fs::path& file, const LoadOptions& options = {}) {
    try {
      (void)LoadRules(file, options);
    } catch (const RuleError& error) {
      EXPECT_FALSE(error.diagnostics().empty());
      return error.what();
    }
    return "no error";
  }

  fs::path folder_;
};

TEST_F(LoadTest, MissingFileHasNoLine) {
  const std::string file = (folder_ / "none.yaml").string();
  EXPECT_EQ(ErrorOf(file), file + ": error: there is no such rule file");
  EXPECT_EQ(ErrorOf(folder_), folder_.string() + ": error: the rule file cannot be read");
}

TEST_F(LoadTest, HashIsOfTextsNotOfPlaces) {
  const std::string rules = kHead + "profile: base.yaml\n" + kPatient +
                            "  - {tag: StudyID, action: pseudonym, with: {table: map.csv}}\n";
  const std::string base = "dcmveil: 1\nrules: []\n";
  for (const char* where : {"a/", "b/c/", "d/"}) {
    Write(std::string(where) + "rules.yaml", rules);
    Write(std::string(where) + "base.yaml", base);
    Write(std::string(where) + "map.csv", "1,A\n");
  }
  const std::string hash = LoadRules(folder_ / "a/rules.yaml").hash();
  EXPECT_EQ(hash.size(), 64U);
  EXPECT_EQ(LoadRules(folder_ / "b/c/rules.yaml").hash(), hash);
  fs::rename(folder_ / "d/rules.yaml", folder_ / "d/other.yaml");
  EXPECT_EQ(LoadRules(folder_ / "d/other.yaml").hash(), hash);
  Write("d/map.csv", "1,B\n");
  EXPECT_NE(LoadRules(folder_ / "d/other.yaml").hash(), hash);
  Write("b/c/base.yaml", base + "\n");
  EXPECT_NE(LoadRules(folder_ / "b/c/rules.yaml").hash(), hash);
}

TEST_F(LoadTest, NameAndMethod) {
  const RuleSet unnamed = LoadRulesFromText(kHead + kPatient, "some/export.yaml");
  EXPECT_EQ(unnamed.name(), "export");
  EXPECT_EQ(unnamed.key_id(), "");
  EXPECT_TRUE(unnamed.warnings().empty());
  const RuleSet named = LoadRulesFromText(kHead + "name: cardiac\n" + kPatient, "export.yaml");
  EXPECT_EQ(named.name(), "cardiac");
  const std::string& method = named.plan()->parts().method_text;
  EXPECT_LE(method.size(), 64U);
  EXPECT_TRUE(method.starts_with("dcmveil ")) << method;
  EXPECT_TRUE(method.ends_with(", rules " + named.hash().substr(0, 16))) << method;
  EXPECT_TRUE(named.plan()->parts().mark);
  EXPECT_FALSE(LoadRulesFromText(kHead + "settings: {mark: false}\n" + kPatient, "r.yaml")
                   .plan()
                   ->parts()
                   .mark);
}

TEST_F(LoadTest, OriginsHaveNoFolders) {
  const fs::path file = Write("Doe^Jane/rules.yaml", kHead + kPatient);
  const RuleSet rules = LoadRules(file);
  EXPECT_EQ(rules.plan()->parts().rules.at(0).origin, "rules.yaml:4");
  EXPECT_EQ(rules.plan()->parts().otherwise_origin, "rules.yaml:2");
}

TEST_F(LoadTest, OpenKeyFilesAreRefused) {
  const std::string rules =
      kHead + "key: {file: my.key}\n" + kPatient + "  - {tag: StudyID, action: crypto-hash}\n";
  const fs::path file = Write("rules.yaml", rules);
  Write("my.key", kKeyText, 0600);
  EXPECT_EQ(LoadRules(file).key_id().size(), 16U);
  for (const mode_t mode : {0640U, 0604U, 0620U, 0602U}) {
    Write("my.key", kKeyText, mode);
    const std::string message = ErrorOf(file);
    EXPECT_NE(message.find("is open to other users; chmod 600"), std::string::npos) << message;
    EXPECT_EQ(message.find("00112233"), std::string::npos) << message;
  }
  // `check` does not look away either.
  LoadOptions options;
  options.allow_missing_key = true;
  EXPECT_NE(ErrorOf(file, options).find("is open to other users"), std::string::npos);
  fs::remove(folder_ / "my.key");
  fs::create_directory(folder_ / "my.key");
  EXPECT_NE(ErrorOf(file).find("is not a regular file"), std::string::npos);
}

TEST_F(LoadTest, KeysFromElsewhere) {
  const std::string keyed = kPatient + "  - {tag: StudyID, action: crypto-hash}\n";
  const fs::path key = Write("other.key", kKeyText);
  LoadOptions options;
  options.key_file = key;
  const RuleSet by_option =
      LoadRulesFromText(kHead + "key: {file: none.key}\n" + keyed, "r.yaml", folder_, options);
  ASSERT_EQ(::setenv("DCMVEIL_TEST_KEY", std::string(kKeyText).c_str(), 1), 0);
  const std::string text = kHead + "key: {env: DCMVEIL_TEST_KEY}\n" + keyed;
  EXPECT_EQ(LoadRulesFromText(text, "r.yaml").key_id(), by_option.key_id());
  ASSERT_EQ(::setenv("DCMVEIL_TEST_KEY", "secret words", 1), 0);
  try {
    (void)LoadRulesFromText(text, "r.yaml");
    FAIL();
  } catch (const RuleError& error) {
    EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos) << error.what();
  }
  ::unsetenv("DCMVEIL_TEST_KEY");
}

TEST_F(LoadTest, NoKeyMaterialInMessages) {
  for (const std::string line :
       {"key: deadbeef\n", "key: {value: deadbeef}\n", "key: [deadbeef]\n"}) {
    try {
      (void)LoadRulesFromText(kHead + line + kPatient, "r.yaml");
      FAIL() << line;
    } catch (const RuleError& error) {
      EXPECT_EQ(std::string(error.what()).find("deadbeef"), std::string::npos) << error.what();
    }
  }
}

TEST_F(LoadTest, OnlyUtf8) {
  for (const std::string bad :
       {"\xFF", "\xC0\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE2\x82"}) {
    try {
      (void)LoadRulesFromText(kHead + "name: " + bad, "r.yaml");
      FAIL();
    } catch (const RuleError& error) {
      EXPECT_STREQ(error.what(), "r.yaml:3: error: not UTF-8 text");
    }
  }
  EXPECT_EQ(LoadRulesFromText(kHead + "name: Zürich 放射線\n" + kPatient, "r.yaml").name(),
            "Zürich 放射線");
}

TEST_F(LoadTest, AliasesDoNotExplode) {
  std::string text = kHead + "name: x\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 0; j < 9; ++j) text += ", " + before;
    text += "]\n";
  }
  try {
    (void)LoadRulesFromText(text, "r.yaml");
    FAIL();
  } catch (const RuleError& error) {
    EXPECT_NE(std::string(error.what()).find("too large with all its aliases"), std::string::npos);
  }
}

TEST_F(LoadTest, DeepNestingIsAnErrorOnly) {
  EXPECT_THROW((void)LoadRulesFromText(kHead + "rules: " + std::string(100000, '['), "r.yaml"),
               RuleError);
}

}  // namespace
}  // namespace dcmveil
