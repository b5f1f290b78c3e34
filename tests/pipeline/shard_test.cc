// SPDX-License-Identifier: Apache-2.0
#include "pipeline/shard.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "pipeline/folder_source.h"
#include "tests/support/folder.h"

namespace dcmveil::pipeline {
namespace {

using testing::Folder;

TEST(ShardTest, Parse) {
  EXPECT_EQ(ParseShard("1/1"), (Shard{.index = 1, .count = 1}));
  EXPECT_EQ(ParseShard("3/16"), (Shard{.index = 3, .count = 16}));
  EXPECT_EQ(ParseShard("1000000/1000000"), (Shard{.index = 1000000, .count = 1000000}));
  for (const char* wrong : {"",
                            "/",
                            "1",
                            "1/",
                            "/4",
                            "0/4",
                            "5/4",
                            "-1/4",
                            "+1/4",
                            "01/4",
                            "1/04",
                            " 1/4",
                            "1 /4",
                            "1/ 4",
                            "1/4 ",
                            "1/4/4",
                            "1:4",
                            "1.0/4",
                            "0x1/4",
                            "a/b",
                            "0/0",
                            "1/1000001",
                            "1/4294967297",
                            "4294967297/4294967300",
                            "99999999999999999999/99999999999999999999"}) {
    EXPECT_FALSE(ParseShard(wrong)) << wrong;
  }
}

TEST(ShardTest, By) {
  Shard shard{.index = 1, .count = 2};
  for (const char* right : {"study", "path", "path:1", "path:12"}) {
    EXPECT_TRUE(SetShardBy(right, shard)) << right;
    EXPECT_EQ(ShardByText(shard), right);
  }
  EXPECT_EQ(shard.depth, 12U);
  for (const char* wrong :
       {"", "Study", "path:", "path:0", "path:-1", "path:x", "path:01", "folder", "study:1"}) {
    EXPECT_FALSE(SetShardBy(wrong, shard)) << wrong;
  }
}

TEST(ShardTest, FolderNames) {
  for (const char* name : {"shard-1-of-1", "shard-12-of-345"}) {
    const std::optional<Shard> shard = ShardOfFolderName(name);
    ASSERT_TRUE(shard) << name;
    EXPECT_EQ(FolderNameOf(*shard), name);
  }
  for (const char* wrong : {"shard-0-of-4", "shard-5-of-4", "shard-1-of-", "shard-1", "x-1-of-4",
                            "shard-1-of-4.old", "shard-01-of-4"}) {
    EXPECT_FALSE(ShardOfFolderName(wrong)) << wrong;
  }
}

using Environment = std::map<std::string, std::string>;

/// "3/16", or what is wrong.
std::string Auto(const Environment& environment) {
  std::string problem;
  const std::optional<Shard> shard = ShardFromEnvironment(
      [&environment](const char* name) -> std::optional<std::string> {
        const auto it = environment.find(name);
        if (it == environment.end()) return std::nullopt;
        return it->second;
      },
      problem);
  EXPECT_EQ(shard.has_value(), problem.empty());
  if (!shard) return problem;
  return std::to_string(shard->index) + "/" + std::to_string(shard->count);
}

Environment Slurm(int id, int count, int min, int max, int step = 1) {
  return {{"SLURM_ARRAY_TASK_ID", std::to_string(id)},
          {"SLURM_ARRAY_TASK_COUNT", std::to_string(count)},
          {"SLURM_ARRAY_TASK_MIN", std::to_string(min)},
          {"SLURM_ARRAY_TASK_MAX", std::to_string(max)},
          {"SLURM_ARRAY_TASK_STEP", std::to_string(step)}};
}

TEST(ShardTest, AutoOfSlurm) {
  EXPECT_EQ(Auto(Slurm(1, 4, 1, 4)), "1/4");
  EXPECT_EQ(Auto(Slurm(4, 4, 1, 4)), "4/4");
  EXPECT_EQ(Auto(Slurm(0, 4, 0, 3)), "1/4");
  EXPECT_EQ(Auto(Slurm(3, 4, 0, 3)), "4/4");
  EXPECT_EQ(Auto(Slurm(15, 4, 9, 15, 2)), "4/4");
  EXPECT_EQ(Auto(Slurm(9, 4, 9, 16, 2)), "1/4");
  // --array=1,2,7: whose task 7 would be number 7 of 3.
  for (const int id : {1, 2, 7}) {
    EXPECT_NE(Auto(Slurm(id, 3, 1, 7)).find("with gaps"), std::string::npos);
  }
  for (const char* gone :
       {"SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX"}) {
    Environment environment = Slurm(1, 4, 1, 4);
    environment.erase(gone);
    EXPECT_NE(Auto(environment).find(gone), std::string::npos) << Auto(environment);
  }
  Environment odd = Slurm(1, 4, 1, 4);
  odd["SLURM_ARRAY_TASK_ID"] = "4294967294";  // what Slurm calls none
  EXPECT_NE(Auto(odd).find("SLURM_ARRAY_TASK_ID"), std::string::npos);
  odd["SLURM_ARRAY_TASK_ID"] = "one";
  EXPECT_EQ(Auto(odd), "SLURM_ARRAY_TASK_ID is no number");
}

TEST(ShardTest, AutoOfOthers) {
  for (const auto& [index, count] :
       {std::pair("JOB_COMPLETION_INDEX", "JOB_COMPLETIONS"),
        std::pair("AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE")}) {
    EXPECT_EQ(Auto({{index, "0"}, {count, "8"}}), "1/8");
    EXPECT_EQ(Auto({{index, "7"}, {count, "8"}}), "8/8");
    EXPECT_NE(Auto({{index, "8"}, {count, "8"}}).find(index), std::string::npos);
    EXPECT_EQ(Auto({{index, "0"}}), std::string(index) + " is set, but " + count + " is not");
    EXPECT_NE(Auto({{index, ""}, {count, "8"}}).find(index), std::string::npos);
    // A count alone says nothing.
    EXPECT_NE(Auto({{count, "8"}}).find(index), std::string::npos);
  }
}

TEST(ShardTest, AutoOfNoneOrSeveral) {
  const std::string none = Auto({{"HOME", "/root"}});
  for (const char* name :
       {"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "JOB_COMPLETION_INDEX", "JOB_COMPLETIONS",
        "AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE"}) {
    EXPECT_NE(none.find(name), std::string::npos) << name;
  }
  Environment both = Slurm(2, 8, 1, 8);
  both["JOB_COMPLETION_INDEX"] = "1";
  both["JOB_COMPLETIONS"] = "8";
  EXPECT_EQ(Auto(both), "2/8") << "they agree";
  both["JOB_COMPLETIONS"] = "9";
  EXPECT_EQ(Auto(both), "SLURM_ARRAY_TASK_ID and JOB_COMPLETION_INDEX name different shards");
  both.erase("JOB_COMPLETIONS");
  EXPECT_NE(Auto(both).find("JOB_COMPLETIONS"), std::string::npos);
}

/// Everybody who ever split must get the same answer: these were computed by other means
/// (printf %s study:1.2.3 | sha256sum).
TEST(ShardTest, TheSplitIsForEver) {
  const auto study = [](const char* uid, std::uint32_t count) {
    for (std::uint32_t index = 1; index <= count; ++index) {
      if (Splitter({.index = index, .count = count}).TakesStudy(uid)) return index;
    }
    return 0U;
  };
  const auto path = [](const char* name, std::uint32_t count) {
    for (std::uint32_t index = 1; index <= count; ++index) {
      const Shard shard{.index = index, .count = count, .by = Shard::By::kPath};
      if (Splitter(shard).TakesName(name)) return index;
    }
    return 0U;
  };
  EXPECT_EQ(study("1.2.3", 1000), 395U);
  EXPECT_EQ(study("", 1000), 428U);
  EXPECT_EQ(path("a/b/c.dcm", 1000), 760U);
  EXPECT_EQ(path("c.dcm", 1000), 999U);
}

/// For any N each key is in exactly one shard, whatever was asked before, and none gets much more
/// than its share.
TEST(ShardTest, EachStudyIsInExactlyOneShard) {
  std::mt19937 chance(1);
  std::vector<std::string> uids;
  for (int i = 0; i < 4000; ++i) uids.push_back("1.2.826.0.1." + std::to_string(chance()));
  for (const std::uint32_t count : {1U, 2U, 3U, 4U, 7U, 16U, 61U}) {
    std::vector<Splitter> shards;
    for (std::uint32_t i = 1; i <= count; ++i)
      shards.emplace_back(Shard{.index = i, .count = count});
    std::shuffle(shards.begin(), shards.end(), chance);
    std::shuffle(uids.begin(), uids.end(), chance);
    std::vector<int> sizes(count);
    std::map<std::string, std::size_t> owners;
    for (const std::string& uid : uids) {
      for (std::size_t i = 0; i < shards.size(); ++i) {
        if (!shards[i].TakesStudy(uid)) continue;
        EXPECT_TRUE(owners.emplace(uid, i).second) << uid << " is in two shards of " << count;
        ++sizes[i];
      }
    }
    EXPECT_EQ(owners.size(), uids.size());
    const double mean = static_cast<double>(uids.size()) / count;
    for (const int size : sizes) EXPECT_NEAR(size, mean, 5 * std::sqrt(mean) + 1) << count;
  }
}

TEST(ShardTest, TheFilesOfAFolderStayTogether) {
  const Splitter one({.index = 1, .count = 2, .by = Shard::By::kPath});
  for (const char* folder : {"a", "a/b", "a/b/c", "x y", "\xFF"}) {
    const std::string base(folder);
    EXPECT_EQ(one.TakesName(base + "/1"), one.TakesName(base + "/2"));
  }
  EXPECT_EQ(one.TakesName("1"), one.TakesName("2"));
  for (std::uint32_t depth = 1; depth <= 3; ++depth) {
    const Splitter by({.index = 1, .count = 2, .by = Shard::By::kPath, .depth = depth});
    EXPECT_EQ(by.TakesName("p/s/r/1"),
              depth == 1 ? by.TakesName("p/x/y/z") : by.TakesName("p/s/r/2"));
    EXPECT_EQ(by.TakesName("p/1"), by.TakesName("p/2"));
  }
}

/// 300 files in a tree with folders at several depths, a link out of it and a socket's like.
std::set<std::string> MakeTree(const Folder& folder) {
  std::mt19937 chance(2);
  std::set<std::string> names;
  const auto part = [&chance](unsigned most) { return "d" + std::to_string(chance() % most); };
  for (int i = 0; i < 300; ++i) {
    std::string name;
    for (std::uint64_t depth = chance() % 5; depth > 0; --depth) name += part(4) + "/";
    name += "f" + std::to_string(i);
    folder.Write("in/" + name, "x");
    names.insert(name);
  }
  std::filesystem::create_symlink("/nowhere", folder / "in/link");
  names.insert("link");
  return names;
}

TEST(ShardTest, EachFileOfATreeIsInExactlyOneShardByPath) {
  const Folder folder;
  const std::set<std::string> all = MakeTree(folder);
  for (const std::uint32_t depth : {0U, 1U, 2U, 3U, 9U}) {
    for (const std::uint32_t count : {1U, 2U, 5U, 13U}) {
      std::set<std::string> seen;
      for (std::uint32_t index = 1; index <= count; ++index) {
        const Splitter splitter(
            {.index = index, .count = count, .by = Shard::By::kPath, .depth = depth});
        FolderSource source(folder / "in", splitter);
        std::uint64_t own = 0;
        while (const auto input = source.Next()) {
          ++own;
          EXPECT_TRUE(seen.insert(input->name).second) << input->name << " is in two shards";
          EXPECT_TRUE(splitter.TakesName(input->name));
        }
        EXPECT_EQ(CountInputs(folder / "in", std::atomic<bool>(false), splitter), own);
      }
      EXPECT_EQ(seen, all) << "depth " << depth << ", " << count << " shards";
    }
  }
}

/// By study every shard is given every file, to look into; what is no regular file goes by name.
TEST(ShardTest, ByStudyASourceGivesAllFiles) {
  const Folder folder;
  const std::set<std::string> all = MakeTree(folder);
  int links = 0;
  for (std::uint32_t index = 1; index <= 3; ++index) {
    FolderSource source(folder / "in", Splitter({.index = index, .count = 3}));
    std::set<std::string> seen;
    while (const auto input = source.Next()) seen.insert(input->name);
    links += static_cast<int>(seen.erase("link"));
    EXPECT_EQ(seen.size(), all.size() - 1);
  }
  EXPECT_EQ(links, 1);
}

}  // namespace
}  // namespace dcmveil::pipeline
