// SPDX-License-Identifier: Apache-2.0
#include "pipeline/folder_sink.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <thread>
#include <vector>

#include "engine/encoding/write.h"
#include "tests/support/folder.h"
#include "tests/support/not_root.h"

namespace dcmveil::pipeline {
namespace {

namespace fs = std::filesystem;
using testing::Folder;
using testing::ReadFile;

EncodedInstance Bytes(const std::string& bytes) {
  return EncodedInstance({engine::Segment{.bytes = bytes, .source = nullptr}});
}

/// Names of all regular files below a folder.
std::set<std::string> Files(const fs::path& root) {
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (entry.is_regular_file()) names.insert(entry.path().lexically_relative(root).string());
  }
  return names;
}

TEST(FolderSinkTest, WritesWhole) {
  const Folder folder;
  FolderSink sink(folder / "new/out", "t");
  ASSERT_TRUE(sink.Open().ok());
  const auto temporary = sink.WriteTemporary(Bytes("hello"));
  ASSERT_TRUE(temporary);
  EXPECT_EQ(ReadFile(temporary->file), "hello");
  const auto commit = sink.Rename(temporary->file, "a/b/c.dcm");
  ASSERT_TRUE(commit);
  EXPECT_EQ(*commit, FolderSink::Commit::kDone);
  EXPECT_EQ(ReadFile(sink.PathOf("a/b/c.dcm")), "hello");
  EXPECT_FALSE(fs::exists(temporary->file));
  EXPECT_FALSE(sink.WasThereBefore("a/b/c.dcm"));
  sink.Close();
  EXPECT_EQ(Files(folder.path()), std::set<std::string>{"new/out/a/b/c.dcm"});
  EXPECT_FALSE(fs::exists(folder / "new/out/.dcmveil-t"));
}

TEST(FolderSinkTest, NeverReplaces) {
  const Folder folder;
  folder.Write("taken", "old");
  fs::create_directory(folder / "folder");
  fs::create_symlink("nowhere", folder / "link");
  FolderSink sink(folder.path(), "t");
  ASSERT_TRUE(sink.Open().ok());
  for (const char* name : {"taken", "folder", "link"}) {
    const auto temporary = sink.WriteTemporary(Bytes("new"));
    ASSERT_TRUE(temporary);
    const auto commit = sink.Rename(temporary->file, name);
    ASSERT_TRUE(commit) << name;
    EXPECT_EQ(*commit, FolderSink::Commit::kTaken) << name;
    EXPECT_TRUE(fs::exists(temporary->file)) << "it stays where it is";
  }
  EXPECT_EQ(ReadFile(folder / "taken"), "old");
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  sink.Close();
  EXPECT_EQ(Files(folder.path()), std::set<std::string>{"taken"});
}

TEST(FolderSinkTest, WhatIsNotSafeOnDiskIsNotLeft) {
  const Folder folder;
  FolderSink sink(folder.path(), "t", true);
  ASSERT_TRUE(sink.Open().ok());
  const auto temporary = sink.WriteTemporary(Bytes("new"));
  ASSERT_TRUE(temporary);
  // A folder that nobody may list cannot be synced either, but files can be moved into it.
  fs::create_directory(folder / "blind");
  for (const char* open : {".", ".dcmveil-t", "blind"}) ::chmod((folder / open).c_str(), 0777);
  ::chmod((folder / "blind").c_str(), 0333);
  {
    const testing::NotRoot not_root;
    const auto commit = sink.Rename(temporary->file, "blind/file");
    ASSERT_FALSE(commit);
    EXPECT_EQ(commit.error().code, ErrorCode::kWriteFailed);
  }
  ::chmod((folder / "blind").c_str(), 0777);
  EXPECT_EQ(Files(folder / "blind"), std::set<std::string>());
  sink.Close();
}

TEST(FolderSinkTest, WhatAnEarlierRunLeft) {
  const Folder folder;
  folder.Write("old", "old");
  folder.Write(".dcmveil-t/0", "half");
  folder.Write(".dcmveil-other/0", "of a run that may still go on");
  FolderSink sink(folder.path(), "t");
  ASSERT_TRUE(sink.Open().ok());
  EXPECT_FALSE(fs::exists(folder / ".dcmveil-t/0"));
  EXPECT_TRUE(fs::exists(folder / ".dcmveil-other/0"));
  EXPECT_FALSE(sink.WasThereBefore("missing"));
  sink.Close();
}

TEST(FolderSinkTest, TellsItsOwnFilesFromOlderOnes) {
  const Folder folder;
  folder.Write("old", "old");
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  FolderSink sink(folder.path(), "t");
  ASSERT_TRUE(sink.Open().ok());
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_TRUE(sink.WasThereBefore("old"));
  const fs::perms before = fs::status(folder / "old").permissions();
  sink.Claim("old");
  EXPECT_FALSE(sink.WasThereBefore("old"));
  EXPECT_EQ(ReadFile(folder / "old"), "old");
  EXPECT_EQ(fs::status(folder / "old").permissions(), before);
  sink.Close();
}

std::unique_ptr<Sink::Staged> Stage(FolderSink& sink, const std::string& name,
                                    const std::string& bytes) {
  auto instance = std::make_unique<Deidentified>();
  instance->encoded = Bytes(bytes);
  Result<std::unique_ptr<Sink::Staged>> staged = sink.Stage(name, std::move(instance));
  EXPECT_TRUE(staged);
  return std::move(*staged);
}

/// Which of several inputs gets a name follows from the order of Begin, whoever is settled first.
TEST(FolderSinkTest, TheFirstThatWasBegunGetsTheName) {
  const Folder folder;
  FolderSink sink(folder.path(), "t");
  ASSERT_TRUE(sink.Open().ok());
  std::vector<std::unique_ptr<Sink::Staged>> staged;
  for (const char* bytes : {"first", "second", "third"}) staged.push_back(Stage(sink, "a", bytes));
  staged.push_back(Stage(sink, "b", "other"));
  for (const auto& one : staged) sink.Begin(*one);
  for (auto one = staged.rbegin(); one != staged.rend(); ++one) sink.Settle(**one);
  EXPECT_EQ(ReadFile(folder / "a"), "first");
  EXPECT_EQ(ReadFile(folder / "b"), "other");
  EXPECT_TRUE(sink.End(*staged[0]).ok());
  // The second has not ended yet, so a fourth waits although the first is through.
  staged.push_back(Stage(sink, "a", "fourth"));
  sink.Begin(*staged[4]);
  fs::remove(folder / "a");
  sink.Settle(*staged[4]);
  EXPECT_FALSE(fs::exists(folder / "a"));
  EXPECT_TRUE(sink.End(*staged[1]).ok()) << "the name is free again";
  EXPECT_EQ(ReadFile(folder / "a"), "second");
  for (const std::size_t late : {2U, 4U}) {
    const Result<Sink::Stored> stored = sink.End(*staged[late]);
    ASSERT_FALSE(stored);
    EXPECT_EQ(stored.error().code, ErrorCode::kSameOutput);
  }
  EXPECT_TRUE(sink.End(*staged[3]).ok());
  sink.Close();
  EXPECT_EQ(Files(folder.path()), (std::set<std::string>{"a", "b"}));
}

TEST(FolderSinkTest, WhatIsRecalledTakesItsTurnToo) {
  const Folder folder;
  folder.Write("a", "old");
  folder.Write("b", "old");
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  FolderSink sink(folder.path(), "t");
  ASSERT_TRUE(sink.Open().ok());
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  // Of "a" the recalled one comes first, of "b" the other one.
  const std::unique_ptr<Sink::Staged> recalled_a = sink.Recall("a");
  const std::unique_ptr<Sink::Staged> staged_a = Stage(sink, "a", "old");
  const std::unique_ptr<Sink::Staged> staged_b = Stage(sink, "b", "old");
  const std::unique_ptr<Sink::Staged> recalled_b = sink.Recall("b");
  const std::vector<Sink::Staged*> order{recalled_a.get(), staged_a.get(), staged_b.get(),
                                         recalled_b.get()};
  for (Sink::Staged* one : order) sink.Begin(*one);
  for (auto one = order.rbegin(); one != order.rend(); ++one) sink.Settle(**one);
  const Result<Sink::Stored> a = (static_cast<void>(sink.End(*recalled_a)), sink.End(*staged_a));
  ASSERT_FALSE(a);
  EXPECT_EQ(a.error().code, ErrorCode::kSameOutput);
  const Result<Sink::Stored> b = sink.End(*staged_b);
  ASSERT_TRUE(b);
  EXPECT_EQ(b->outcome, Outcome::kUnchanged);
  EXPECT_TRUE(sink.End(*recalled_b).ok());
  sink.Close();
}

TEST(FolderSinkTest, WhereNothingCanBeWritten) {
  const Folder folder;
  folder.Write("file", "x");
  EXPECT_FALSE(FolderSink(folder / "file", "t").Open().ok());
  EXPECT_FALSE(FolderSink("/proc/none", "t").Open().ok());
  FolderSink sink(folder.path(), "t");
  ASSERT_TRUE(sink.Open().ok());
  const auto temporary = sink.WriteTemporary(Bytes("new"));
  ASSERT_TRUE(temporary);
  const auto below_a_file = sink.Rename(temporary->file, "file/below");
  ASSERT_FALSE(below_a_file);
  EXPECT_EQ(below_a_file.error().code, ErrorCode::kWriteFailed);
  const auto too_long = sink.Rename(temporary->file, std::string(300, 'x'));
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().code, ErrorCode::kWriteFailed);
  sink.Close();
  EXPECT_FALSE(sink.WriteTemporary(Bytes("x")).ok()) << "the folder is gone";
}

TEST(FolderSinkTest, ManyThreads) {
  const Folder folder;
  FolderSink sink(folder.path(), "t");
  ASSERT_TRUE(sink.Open().ok());
  std::atomic<int> done{0};
  std::atomic<int> taken{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        const auto temporary = sink.WriteTemporary(Bytes(std::to_string(t)));
        const auto commit = sink.Rename(temporary->file, "d/" + std::to_string(i));
        ++(*commit == FolderSink::Commit::kDone ? done : taken);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(done, 25);
  EXPECT_EQ(taken, 175);
  sink.Close();
  EXPECT_EQ(Files(folder.path()).size(), 25U);
}

}  // namespace
}  // namespace dcmveil::pipeline
