// SPDX-License-Identifier: Apache-2.0
#include "dcmveil/survey.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "pipeline/findings.h"
#include "pipeline/review.h"
#include "pipeline/surveyor.h"
#include "pipeline/tally.h"

namespace dcmveil::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCt = "1.2.840.10008.5.1.4.1.1.2";

class SurveyTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("dcmveil-survey-" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    fs::create_directory(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  /// Findings of an instance with these values of Study Description, each kept.
  static Findings Kept(const std::vector<std::string>& values, bool with_changes = false) {
    Findings findings(with_changes);
    findings.OnInstance(kCt, "CT");
    for (const std::string& value : values) {
      Tell(findings, {{.tag = Tag(0x0008, 0x1030)}}, Vr::LO, value, value);
    }
    return findings;
  }
  static void Tell(Findings& findings, const engine::Path& path, Vr vr, const std::string& before,
                   const std::string& after, bool survives = true, const std::string& bytes = {}) {
    findings.OnElement({.path = path,
                        .keyword = {},
                        .vr = vr,
                        .action = "keep",
                        .origin = "rules.yaml:3",
                        .before = before,
                        .after = after,
                        .removed = false,
                        .survives = survives,
                        .bytes = bytes});
  }
  static Tally Numbered(Review& review, const Findings& findings) {
    const Result<Tally> tally = review.Number(findings, true);
    EXPECT_TRUE(tally.ok());
    return tally.ok() ? *tally : Tally();
  }
  std::string File() const {
    std::ifstream stream(folder_ / "review.ndjson");
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  fs::path folder_;
};

TEST(TallyTest, ComesBackFromJson) {
  const Tally tally{.kind = 3, .rules = {{0, 12}, {7, 1}}, .texts = {{5, 2}}, .unlisted = {{1, 9}}};
  EXPECT_EQ("[3,[0,12,7,1],[5,2],[1,9]]", ToJson(tally).dump());
  EXPECT_EQ(tally, TallyFromJson(ToJson(tally)));
  EXPECT_EQ(Tally(), TallyFromJson(ToJson(Tally())));
}

TEST(TallyTest, RefusesWhatIsNone) {
  for (const char* text :
       {"{}", "[]", "[1,[],[]]", "[1,[1],[],[]]", "[-1,[],[],[]]", "[1,[1,-2],[],[]]",
        R"(["x",[],[],[]])", "[1,[4294967296,1],[],[]]", "[1,[1,1.5],[],[]]"}) {
    EXPECT_FALSE(TallyFromJson(nlohmann::json::parse(text))) << text;
  }
}

TEST_F(SurveyTest, ElementsAreNamedByTheirWay) {
  EXPECT_EQ("RequestAttributesSequence/ScheduledProcedureStepDescription",
            NameOf({{.tag = Tag(0x0040, 0x0275), .item = 2}, {.tag = Tag(0x0040, 0x0007)}}));
  EXPECT_EQ("(0029,xx10 \"SIEMENS CSA HEADER\")",
            NameOf({{.tag = Tag(0x0029, 0x1110), .creator = "SIEMENS CSA HEADER"}}));
  EXPECT_EQ("(0029,1110)", NameOf({{.tag = Tag(0x0029, 0x1110)}}));
}

TEST_F(SurveyTest, TextIsFoundInBytes) {
  EXPECT_EQ(std::vector<std::string>{"Doe^Jane"}, TextIn(std::string_view("Doe^Jane\0\0", 10)));
  EXPECT_EQ(std::vector<std::string>{"M\xC3\xBCller"}, TextIn("M\xC3\xBCller"));
  EXPECT_EQ(std::vector<std::string>{"M\xC3\xBCller"}, TextIn("M\xFCller"));
  EXPECT_EQ((std::vector<std::string>{"Patient Jane Doe", "12345678"}),
            TextIn(std::string_view("\1\2Patient Jane Doe\0\xFF"
                                    "abc\0"
                                    "12345678\3",
                                    33)));
  EXPECT_TRUE(TextIn("").empty());
  EXPECT_TRUE(TextIn(std::string_view("\0\1\2\3", 4)).empty());
}

TEST_F(SurveyTest, ListsFreeTextThatSurvives) {
  Findings findings = Kept({"chest", "chest", "head"});
  Tell(findings, {{.tag = Tag(0x0008, 0x1030)}}, Vr::LO, "", "made anew", false);
  Tell(findings, {{.tag = Tag(0x0008, 0x0060)}}, Vr::CS, "", "CT");
  Tell(findings, {{.tag = Tag(0x0029, 0x1010)}}, Vr::UN, "", "12 bytes", true, "Doe^Jane");
  ASSERT_EQ(3U, findings.texts().size());
  EXPECT_EQ("chest", findings.texts()[0].text);
  EXPECT_EQ(2U, findings.texts()[0].times);
  EXPECT_EQ("head", findings.texts()[1].text);
  EXPECT_EQ("Doe^Jane", findings.texts()[2].text);
  ASSERT_EQ(1U, findings.rules().size());
  EXPECT_EQ(6U, findings.rules()[0].elements);
}

TEST_F(SurveyTest, ListsChangesWhenAsked) {
  Findings findings = Kept({"same"}, true);
  Tell(findings, {{.tag = Tag(0x0010, 0x0010)}}, Vr::PN, "Doe^Jane", "X", false);
  ASSERT_EQ(2U, findings.texts().size());
  EXPECT_EQ("Doe^Jane", findings.texts()[1].before);
  EXPECT_EQ("X", findings.texts()[1].text);
}

TEST_F(SurveyTest, SameValueHasSameNumber) {
  Review review;
  ASSERT_TRUE(review.Open(folder_, false));
  const Tally first = Numbered(review, Kept({"chest", "head", "head"}));
  EXPECT_EQ((Tally::Counts{{0, 1}, {1, 2}}), first.texts);
  const Tally second = Numbered(review, Kept({"neck", "chest"}));
  EXPECT_EQ((Tally::Counts{{0, 1}, {2, 1}}), second.texts);
  EXPECT_EQ(first.kind, second.kind);
  struct stat info = {};
  ASSERT_EQ(0, ::stat((folder_ / "review.ndjson").c_str(), &info));
  EXPECT_EQ(0600U, info.st_mode & 0777U);
}

TEST_F(SurveyTest, NumbersOutliveTheRun) {
  Tally before;
  {
    Review review;
    ASSERT_TRUE(review.Open(folder_, false));
    before = Numbered(review, Kept({"chest", "<b>\"\n\\ \xE5\xB1\xB1"}));
  }
  const std::string whole = File();
  std::ofstream(folder_ / "review.ndjson", std::ios::app) << R"({"text":2,"element":0,"ru)";
  Review review;
  ASSERT_TRUE(review.Open(folder_, true));
  EXPECT_EQ(whole, File()) << "a line that was cut off is dropped";
  EXPECT_EQ(before, Numbered(review, Kept({"chest", "<b>\"\n\\ \xE5\xB1\xB1"})));
  EXPECT_EQ(whole, File()) << "nothing was new";
  Review fresh;
  ASSERT_TRUE(fresh.Open(folder_, false));
  EXPECT_EQ("", File());
}

TEST_F(SurveyTest, DamageIsNoticed) {
  for (const char* line : {"no json", R"({"text":0,"element":0,"rule":0,"value":"x"})",
                           R"({"rule":1,"origin":"a","action":"b"})", "[]", "{}"}) {
    std::ofstream(folder_ / "review.ndjson") << line << "\n";
    Review review;
    const Status status = review.Open(folder_, true);
    ASSERT_FALSE(status) << line;
    EXPECT_EQ(ErrorCode::kMalformed, status.error().code);
  }
}

TEST_F(SurveyTest, TooManyValuesAreCounted) {
  Review review({.texts_of_element = 2});
  ASSERT_TRUE(review.Open(folder_, false));
  const Tally tally = Numbered(review, Kept({"a", "b", "c", "d", "d", "a"}));
  EXPECT_EQ((Tally::Counts{{0, 2}, {1, 1}}), tally.texts);
  EXPECT_EQ((Tally::Counts{{0, 3}}), tally.unlisted);
  Findings other(false);
  Tell(other, {{.tag = Tag(0x0008, 0x103E)}}, Vr::LO, "", "elsewhere");
  EXPECT_EQ(1U, Numbered(review, other).texts.size()) << "each element has room of its own";
}

TEST_F(SurveyTest, MemoryHasALimit) {
  Review review({.bytes = 10, .elements = 1, .text_size = 4});
  ASSERT_TRUE(review.Open(folder_, false));
  EXPECT_EQ(1U, Numbered(review, Kept({"abc"})).texts.size());
  EXPECT_EQ(1U, Numbered(review, Kept({"abcdefgh"})).unlisted.size());
  Findings other(false);
  Tell(other, {{.tag = Tag(0x0008, 0x103E)}}, Vr::LO, "", "x");
  Numbered(review, other);
  EXPECT_EQ("(further elements)", review.elements().back().name);
}

TEST_F(SurveyTest, OddKindsAreOther) {
  Review review;
  ASSERT_TRUE(review.Open(folder_, false));
  Findings findings(false);
  findings.OnInstance("1.2.3.4", "DOE JANE");
  (void)Numbered(review, findings);
  EXPECT_EQ("other", review.kinds()[0].modality);
  EXPECT_EQ("other", review.kinds()[0].sop_class_uid);
}

TEST_F(SurveyTest, OnlyOutputsCount) {
  Review review;
  ASSERT_TRUE(review.Open(folder_, false));
  const Result<Tally> tally = review.Number(Kept({"chest"}), false);
  ASSERT_TRUE(tally);
  EXPECT_TRUE(tally->kind && tally->rules.empty() && tally->texts.empty());
  EXPECT_EQ(std::string::npos, File().find("chest"));
}

engine::Plan SomePlan() {
  engine::PlanParts parts;
  parts.otherwise_origin = "default";
  parts.method_text = "dcmveil";
  parts.name = "x";
  return engine::Plan(std::move(parts));
}

Survey Surveyed(const fs::path& folder, const std::vector<Findings>& inputs,
                std::vector<Tally>* journal = nullptr) {
  Surveyor surveyor;
  EXPECT_TRUE(surveyor.Open(folder, false));
  InstanceReport report;
  report.outcome = Outcome::kWritten;
  for (const Findings& findings : inputs) {
    const Result<Tally> tally = surveyor.Number(findings, report.outcome);
    EXPECT_TRUE(tally && surveyor.Add(&*tally, report, 10, 5));
    if (journal != nullptr) journal->push_back(*tally);
  }
  EXPECT_TRUE(surveyor.Close({}, SomePlan()));
  const Result<Survey> survey = LoadSurvey(folder);
  EXPECT_TRUE(survey.ok());
  return survey.ok() ? *survey : Survey();
}

TEST_F(SurveyTest, SumsComeBackFromTheFolder) {
  const Survey survey = Surveyed(folder_, {Kept({"chest", "head"}), Kept({"chest", "chest"})});
  ASSERT_EQ(2U, survey.texts.size());
  EXPECT_EQ("StudyDescription", survey.texts[0].element);
  EXPECT_EQ("chest", survey.texts[0].text);
  EXPECT_EQ(3U, survey.texts[0].times);
  EXPECT_EQ(2U, survey.texts[0].instances);
  EXPECT_EQ("rules.yaml:3", survey.rules[survey.texts[0].rule].origin);
  EXPECT_EQ(4U, survey.rules[0].elements);
  EXPECT_EQ("CT Image Storage", survey.kinds[0].sop_class);
  EXPECT_EQ(20U, survey.bytes_in);
  std::ifstream stream(folder_ / "survey.json");
  const std::string sums(std::istreambuf_iterator<char>(stream), {});
  EXPECT_EQ(std::string::npos, sums.find("chest")) << "values stand in the review file alone";
}

TEST_F(SurveyTest, ARunThatGoesOnHasTheSameSums) {
  std::vector<Tally> journal;
  const Survey whole = Surveyed(folder_, {Kept({"chest", "head"}), Kept({"neck"})}, &journal);
  InstanceReport report;
  report.outcome = Outcome::kWritten;
  Surveyor again;
  ASSERT_TRUE(again.Open(folder_, true));
  EXPECT_FALSE(LoadSurvey(folder_)) << "old sums must not meet new numbers";
  ASSERT_TRUE(again.Add(&journal[0], report, 10, 5));
  const Result<Tally> redone = again.Number(Kept({"neck"}), report.outcome);
  ASSERT_TRUE(redone && again.Add(&*redone, report, 10, 5));
  EXPECT_EQ(journal[1], *redone);
  const Tally foreign{.kind = {}, .rules = {}, .texts = {{99, 1}}, .unlisted = {}};
  EXPECT_FALSE(again.Add(&foreign, report, 1, 1));
  ASSERT_TRUE(again.Close({}, SomePlan()));
  const Result<Survey> survey = LoadSurvey(folder_);
  ASSERT_TRUE(survey);
  EXPECT_EQ(whole.outcomes, survey->outcomes);
  ASSERT_EQ(whole.texts.size(), survey->texts.size());
  for (std::size_t i = 0; i < whole.texts.size(); ++i) {
    EXPECT_EQ(whole.texts[i].text, survey->texts[i].text);
    EXPECT_EQ(whole.texts[i].times, survey->texts[i].times);
  }
}

TEST_F(SurveyTest, PartsAddUp) {
  fs::create_directory(folder_ / "b");
  fs::create_directory(folder_ / "all");
  Survey sum = Surveyed(folder_, {Kept({"chest"})});
  const Survey part = Surveyed(folder_ / "b", {Kept({"neck", "chest"}), Kept({"head"})});
  const Survey all =
      Surveyed(folder_ / "all", {Kept({"neck", "chest"}), Kept({"head"}), Kept({"chest"})});
  Merge(sum, part);
  EXPECT_EQ(all.outcomes, sum.outcomes);
  EXPECT_EQ(all.kinds[0].outcomes, sum.kinds[0].outcomes);
  EXPECT_EQ(all.rules[0].elements, sum.rules[0].elements);
  ASSERT_EQ(all.texts.size(), sum.texts.size());
  for (std::size_t i = 0; i < all.texts.size(); ++i) {
    EXPECT_EQ(all.texts[i].text, sum.texts[i].text);
    EXPECT_EQ(all.texts[i].times, sum.texts[i].times);
    EXPECT_EQ(all.texts[i].instances, sum.texts[i].instances);
  }
}

TEST_F(SurveyTest, PaceStaysSmall) {
  Pacer pacer;
  for (int second = 0; second < 5000; ++second) pacer.Add(second, 7);
  EXPECT_LE(pacer.pace().stretches.size(), 120U);
  std::uint64_t inputs = 0;
  std::uint64_t bytes = 0;
  for (const auto& [count, size] : pacer.pace().stretches) {
    inputs += count;
    bytes += size;
  }
  EXPECT_EQ(5000U, inputs);
  EXPECT_EQ(35000U, bytes);
}

}  // namespace
}  // namespace dcmveil::pipeline
