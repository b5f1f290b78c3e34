// SPDX-License-Identifier: Apache-2.0
#include "report/report.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "report/html.h"

namespace dcmveil::report {
namespace {

TEST(Escape, LeavesNoWayOutOfTheText) {
  EXPECT_EQ("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;",
            Escaped("<script>alert('1')</script>"));
  EXPECT_EQ("a&quot; onclick=&quot;b &amp;amp;", Escaped("a\" onclick=\"b &amp;"));
}

TEST(Escape, ShowsWhatCannotBeSeen) {
  EXPECT_EQ(
      "a\xE2\x90\x80"
      "b\xE2\x90\x9B",
      Escaped(std::string_view("a\0b\x1B", 4)));
  EXPECT_EQ("Anna[U+202E]nhoJ[U+200B]", Escaped("Anna\xE2\x80\xAEnhoJ\xE2\x80\x8B"));
  EXPECT_EQ("one\xE2\x86\xB5\ntwo\xE2\x86\xB5\nthree", Escaped("one\r\ntwo\nthree"));
  EXPECT_EQ("M\xC3\xBCller \xE5\xB1\xB1\xE7\x94\xB0 \xF0\x9F\x98\x80",
            Escaped("M\xC3\xBCller \xE5\xB1\xB1\xE7\x94\xB0 \xF0\x9F\x98\x80"));
}

TEST(Escape, MarksBytesThatAreNoUtf8) {
  EXPECT_EQ(
      "\xEF\xBF\xBD"
      "a",
      Escaped("\xFF"
              "a"));
  EXPECT_EQ("\xEF\xBF\xBD\xEF\xBF\xBD", Escaped("\xC0\xBC"));                  // an overlong '<'
  EXPECT_EQ("\xEF\xBF\xBD&lt;", Escaped("\xE2<"));                             // cut off
  EXPECT_EQ("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD", Escaped("\xED\xA0\x80"));  // a surrogate
}

TEST(Numbers, ReadWell) {
  EXPECT_EQ("0", WithCommas(0));
  EXPECT_EQ("999", WithCommas(999));
  EXPECT_EQ("1,000", WithCommas(1000));
  EXPECT_EQ("12,345,678", WithCommas(12345678));
  EXPECT_EQ("999 B", Size(999));
  EXPECT_EQ("1.0 kB", Size(1000));
  EXPECT_EQ("1.5 GB", Size(1500000000));
  EXPECT_EQ("59.9 s", Time(59.9));
  EXPECT_EQ("2 min 5 s", Time(125));
  EXPECT_EQ("3 h 1 min", Time(10865));
  EXPECT_EQ("2001-09-09 01:46 UTC", Moment(1000000000));
}

Content Hostile() {
  Content content;
  Survey& survey = content.survey;
  survey.run.rules = "export";
  survey.run.rules_hash = "abc123";
  survey.run.seconds = 2;
  survey.outcomes = {3, 1, 1, 2, 0};
  survey.kinds = {{"CT", "1.2.840.10008.5.1.4.1.1.2", "CT Image Storage", {3, 1, 1, 1, 0}}};
  survey.kindless = 1;
  survey.reasons = {{Outcome::kRejected, "no documents", "rules.yaml:9", 1},
                    {Outcome::kQuarantined, "identifier-left", "(0008,1030)", 1},
                    {Outcome::kQuarantined, "truncated", "", 1}};
  survey.rules = {{"otherwise", "", "keep", 90, 4}, {"rules.yaml:3", "LO", "clean", 12, 4}};
  survey.texts = {{"StudyDescription", Vr::LO, 1, "</td><script>top()</script>", 4, 4},
                  {"(0029,xx10 \"DOE^JANE\")", Vr::LO, 0, "Doe^John", 1, 1}};
  survey.pace.seconds = 0.25;
  survey.pace.stretches = {{2, 100}, {0, 0}, {5, 500}};
  return content;
}

TEST(Page, ValuesCannotBecomeMarkup) {
  const std::string html = ToHtml(Hostile());
  EXPECT_EQ(std::string::npos, html.find("<script>top"));
  EXPECT_NE(std::string::npos, html.find("&lt;/td&gt;&lt;script&gt;top()&lt;/script&gt;"));
  EXPECT_NE(std::string::npos, html.find("Sensitive until reviewed"));
  EXPECT_NE(std::string::npos, html.find("default-src 'none'"));
}

TEST(Page, LoadsNothingFromElsewhere) {
  const std::string html = ToHtml(Hostile());
  for (const char* sign : {"http://", "https://", "src=", "url(", "@import", "<link", "<iframe"}) {
    EXPECT_EQ(std::string::npos, html.find(sign)) << sign;
  }
}

TEST(Page, NonceIsNewEachTime) {
  const auto nonce = [](const std::string& html) {
    const std::size_t at = html.find("'nonce-");
    return html.substr(at, 31);
  };
  EXPECT_NE(nonce(ToHtml(Hostile())), nonce(ToHtml(Hostile())));
}

TEST(Page, HasSectionsOnlyForWhatThereIs) {
  Content content = Hostile();
  EXPECT_NE(std::string::npos, ToHtml(content).find("The guard searched every output"));
  EXPECT_EQ(std::string::npos, ToHtml(content).find("A second look"));
  EXPECT_EQ(std::string::npos, ToHtml(content).find("What would change"));
  content.survey.reasons.clear();
  content.verify =
      R"json({"result": "found", "inputs": 4, "outputs": 4, "counts": {"leak": 2}, )json"
      R"json("findings": [{"check": "leak", "file": "a/b.dcm", "where": "(0008,1030)"}]})json";
  content.survey.run.dry_run = true;
  const std::string html = ToHtml(content);
  EXPECT_EQ(std::string::npos, html.find("The guard searched every output"));
  EXPECT_NE(std::string::npos, html.find("something was found"));
  EXPECT_NE(std::string::npos, html.find("a/b.dcm"));
  EXPECT_NE(std::string::npos, html.find("What would change"));
}

TEST(Json, HoldsNoValueAndNoCreator) {
  Content content = Hostile();
  content.survey.run.input = "/archive/Doe";
  content.survey.changes = {{"PatientName", Vr::PN, 0, "Doe^Jane", "X", false, 1, 1}};
  content.survey.run.dry_run = true;
  content.verify = R"({"result": "found", "counts": {"leak": 1}, "findings": [{"file": "Doe"}]})";
  const std::string text = ToJson(content);
  for (const char* value : {"Doe", "DOE", "<script"}) {
    EXPECT_EQ(std::string::npos, text.find(value)) << value;
  }
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(7, json["inputs"]);
  EXPECT_EQ(2, json["outcomes"]["quarantined"]);
  EXPECT_EQ(12, json["actions"]["clean"]);
  EXPECT_EQ(1, json["verify"]["counts"]["leak"]);
  EXPECT_EQ("(0029,xx10 …)", json["text_left"][0]["element"]);
}

TEST(Write, PageIsForItsOwnerOnly) {
  namespace fs = std::filesystem;
  const fs::path folder =
      fs::temp_directory_path() / ("dcmveil-report-" + std::to_string(getpid()));
  fs::create_directory(folder);
  ASSERT_TRUE(Write(Hostile(), folder));
  struct stat info = {};
  ASSERT_EQ(0, ::stat((folder / "report.html").c_str(), &info));
  EXPECT_EQ(0600U, info.st_mode & 0777U);
  EXPECT_EQ(2, std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
  fs::remove_all(folder);
  EXPECT_FALSE(Write(Hostile(), folder));
}

}  // namespace
}  // namespace dcmveil::report
