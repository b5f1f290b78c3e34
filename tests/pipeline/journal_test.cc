// SPDX-License-Identifier: Apache-2.0
#include "pipeline/journal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace dcmveil::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSource = "/archive";

class JournalTest : public testing::Test {
 protected:
  JournalTest() {
    folder_ =
        fs::path(testing::TempDir()) /
        (std::string("journal-") + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~JournalTest() override { fs::remove_all(folder_); }
  JournalTest(const JournalTest&) = delete;
  JournalTest& operator=(const JournalTest&) = delete;

  static JournalEntry Written(const std::string& output) {
    JournalEntry entry;
    entry.output = output;
    entry.report.outcome = Outcome::kWritten;
    entry.report.notes = {{NoteCode::kServiceWarning, 2}};
    entry.bytes_in = 7;
    entry.bytes_out = 9;
    entry.input_stamp = {.size = 7, .modified = -5};
    entry.output_stamp = {.size = 9, .modified = 6};
    return entry;
  }

  void Open(Journal& journal, bool afresh = false) const {
    ASSERT_TRUE(journal.Load(folder_));
    ASSERT_TRUE(journal.Begin(owner_, afresh, false));
  }

  [[nodiscard]] std::string Text() const {
    std::ifstream file(folder_ / "journal", std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  fs::path folder_;
  JournalOwner owner_{.rules_hash = "r", .key_id = "k", .edition = "e"};
};

TEST_F(JournalTest, TellsWhoseRulesDecided) {
  {
    Journal journal;
    Open(journal);
    ASSERT_TRUE(journal.Add(kSource, "a", Written("A")));
    ASSERT_TRUE(journal.Add(kSource, "b", Written("B")));
  }
  owner_.rules_hash = "s";
  {
    Journal journal;
    Open(journal);
    const auto a = journal.Find(kSource, "a");
    ASSERT_TRUE(a && a->decided_by);
    EXPECT_EQ(a->decided_by->rules_hash, "r");
    ASSERT_TRUE(journal.Add(kSource, "b", Written("B")));
  }
  Journal journal;
  Open(journal);
  const auto a = journal.Find(kSource, "a");
  ASSERT_TRUE(a && a->decided_by);
  EXPECT_EQ(a->decided_by->rules_hash, "r");
  const auto b = journal.Find(kSource, "b");
  ASSERT_TRUE(b);
  EXPECT_FALSE(b->decided_by);
}

TEST_F(JournalTest, GivesBackWhatWasAdded) {
  {
    Journal journal;
    Open(journal);
    ASSERT_TRUE(journal.Add(kSource, "a", Written("A")));
    JournalEntry bad;
    bad.report = {.outcome = Outcome::kQuarantined,
                  .reason = "truncated",
                  .where = "(0008,0005)",
                  .notes = {}};
    ASSERT_TRUE(journal.Add(kSource, "b", bad));
  }
  Journal journal;
  Open(journal);
  EXPECT_TRUE(journal.is_unfinished());
  const auto a = journal.Find(kSource, "a");
  ASSERT_TRUE(a);
  EXPECT_EQ(a->output, "A");
  EXPECT_EQ(a->report.outcome, Outcome::kWritten);
  ASSERT_EQ(a->report.notes.size(), 1U);
  EXPECT_EQ(a->report.notes[0].code, NoteCode::kServiceWarning);
  EXPECT_EQ(a->report.notes[0].count, 2);
  EXPECT_EQ(a->bytes_in, 7U);
  EXPECT_EQ(a->bytes_out, 9U);
  EXPECT_EQ(a->input_stamp, (FileStamp{.size = 7, .modified = -5}));
  EXPECT_EQ(a->output_stamp, (FileStamp{.size = 9, .modified = 6}));
  EXPECT_TRUE(a->of_this_run);
  const auto b = journal.Find(kSource, "b");
  ASSERT_TRUE(b);
  EXPECT_EQ(b->report.reason, "truncated");
  EXPECT_EQ(b->report.where, "(0008,0005)");
  EXPECT_FALSE(journal.Find(kSource, "c"));
  EXPECT_FALSE(journal.Find("/other", "a")) << "the same name in another source";
}

TEST_F(JournalTest, TheLastEntryCountsAndRunsAreToldApart) {
  {
    Journal journal;
    Open(journal);
    ASSERT_TRUE(journal.Add(kSource, "a", Written("first")));
    ASSERT_TRUE(journal.Add(kSource, "b", Written("b")));
    ASSERT_TRUE(journal.End());
  }
  {
    Journal journal;
    Open(journal);
    EXPECT_FALSE(journal.is_unfinished());
    ASSERT_TRUE(journal.Add(kSource, "a", Written("second")));
  }
  Journal journal;
  Open(journal);
  EXPECT_TRUE(journal.is_unfinished());
  ASSERT_TRUE(journal.Find(kSource, "a"));
  EXPECT_EQ(journal.Find(kSource, "a")->output, "second");
  EXPECT_TRUE(journal.Find(kSource, "a")->of_this_run);
  ASSERT_TRUE(journal.Find(kSource, "b"));
  EXPECT_FALSE(journal.Find(kSource, "b")->of_this_run);
}

TEST_F(JournalTest, AfreshForgets) {
  {
    Journal journal;
    Open(journal);
    ASSERT_TRUE(journal.Add(kSource, "a", Written("A")));
  }
  {
    Journal journal;
    Open(journal, true);
    EXPECT_FALSE(journal.Find(kSource, "a"));
  }
  Journal journal;
  Open(journal);
  EXPECT_FALSE(journal.Find(kSource, "a")) << "and the next run does not remember either";
}

TEST_F(JournalTest, WhatWasNotWrittenWholeIsDropped) {
  {
    Journal journal;
    Open(journal);
    for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(journal.Add(kSource, name, Written(name)));
  }
  const std::string whole = Text();
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    std::ofstream(folder_ / "journal", std::ios::binary | std::ios::trunc) << whole.substr(0, size);
    const auto lines =
        std::count(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size), '\n');
    const bool cut = size > 0 && whole[size - 1] != '\n';
    Journal journal;
    Open(journal);
    EXPECT_EQ(journal.is_damaged(), cut) << size;
    EXPECT_EQ(journal.Find(kSource, "a").has_value(), lines > 1) << size;
    EXPECT_EQ(journal.Find(kSource, "c").has_value(), lines > 3) << size;
    ASSERT_TRUE(journal.Add(kSource, "d", Written("d")));
    Journal again;
    ASSERT_TRUE(again.Load(folder_));
    EXPECT_FALSE(again.is_damaged()) << size;
  }
}

TEST_F(JournalTest, HoldsNoNameOfAnInput) {
  Journal journal;
  Open(journal);
  ASSERT_TRUE(journal.Add(kSource, "Wirtmann^Wilma", Written("A")));
  EXPECT_EQ(Text().find("Wirtmann"), std::string::npos);
}

}  // namespace
}  // namespace dcmveil::pipeline
