// SPDX-License-Identifier: Apache-2.0
#include "pipeline/folder_source.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "tests/support/folder.h"
#include "tests/support/not_root.h"

namespace dcmveil::pipeline {
namespace {

namespace fs = std::filesystem;
using testing::Folder;

/// "name" or "name: code" of each input.
std::vector<std::string> Walk(const fs::path& root) {
  std::vector<std::string> names;
  FolderSource source(root);
  while (const auto input = source.Next()) {
    names.push_back(input->name +
                    (input->problem ? ": " + std::string(CodeOf(*input->problem)) : ""));
  }
  EXPECT_FALSE(source.Next());
  return names;
}

using Names = std::vector<std::string>;

TEST(FolderSourceTest, OrderOfNames) {
  const Folder folder;
  for (const char* name :
       {"b/2", "b/10", "a", "B", "c.dcm", "b/sub/x", "b-1", "b.1", "\xC3\xBC", "b/sub.x", "\xFF"}) {
    folder.Write(name, "x");
  }
  fs::create_directories(folder / "empty/empty");
  EXPECT_EQ(Walk(folder.path()), (Names{"B", "a", "b/10", "b/2", "b/sub/x", "b/sub.x", "b-1", "b.1",
                                        "c.dcm", "\xC3\xBC", "\xFF"}));
  EXPECT_EQ(CountInputs(folder.path(), std::atomic<bool>(false)), 11U);
  EXPECT_EQ(CountInputs(folder.path(), std::atomic<bool>(true)), 0U);
}

TEST(FolderSourceTest, FilesCanBeOpenedByWhatItTells) {
  const Folder folder;
  folder.Write("a/b/c", "hello");
  FolderSource source(folder.path());
  const auto input = source.Next();
  ASSERT_TRUE(input);
  EXPECT_EQ(testing::ReadFile(input->file), "hello");
}

TEST(FolderSourceTest, OneFile) {
  const Folder folder;
  folder.Write("one.dcm", "x");
  EXPECT_EQ(Walk(folder / "one.dcm"), Names{"one.dcm"});
}

TEST(FolderSourceTest, AnEmptyFolder) { EXPECT_EQ(Walk(Folder().path()), Names{}); }

TEST(FolderSourceTest, SymbolicLinks) {
  const Folder outside;
  outside.Write("secret", "x");
  const Folder folder;
  folder.Write("in/file", "x");
  fs::create_symlink("in/file", folder / "a-inside");
  fs::create_symlink(outside / "secret", folder / "b-outside");
  fs::create_directory_symlink("in", folder / "c-folder");
  fs::create_symlink("nowhere", folder / "d-broken");
  fs::create_symlink("e-loop", folder / "e-loop");
  fs::create_directory_symlink("..", folder / "in/up");
  fs::create_symlink("a-inside", folder / "f-chain");
  EXPECT_EQ(Walk(folder.path()),
            (Names{"a-inside", "b-outside: symbolic-link", "c-folder: symbolic-link",
                   "d-broken: symbolic-link", "e-loop: symbolic-link", "f-chain", "in/file",
                   "in/up: symbolic-link"}));
  // The root itself may be a link.
  const Folder other;
  fs::create_directory_symlink(folder.path(), other / "link");
  EXPECT_EQ(Walk(other / "link").size(), 8U);
}

// A folder beside the input whose name begins with the input's name is not inside it.
TEST(FolderSourceTest, ANeighbourIsOutside) {
  const Folder folder;
  folder.Write("input/file", "x");
  folder.Write("input2/secret", "x");
  fs::create_symlink("../input2/secret", folder / "input/link");
  EXPECT_EQ(Walk(folder / "input"), (Names{"file", "link: symbolic-link"}));
}

TEST(FolderSourceTest, SpecialFilesAreNotOpened) {
  const Folder folder;
  folder.Write("file", "x");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, (folder / "socket").c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  fs::create_symlink("pipe", folder / "to-pipe");
  EXPECT_EQ(Walk(folder.path()),
            (Names{"file", "pipe: not-dicom", "socket: not-dicom", "to-pipe: symbolic-link"}));
  ::close(listener);
}

TEST(FolderSourceTest, AFolderThatCannotBeListed) {
  const Folder folder;
  folder.Write("a/file", "x");
  folder.Write("b/file", "x");
  for (const fs::path& open : {folder.path(), folder / "b"}) ::chmod(open.c_str(), 0755);
  ::chmod((folder / "a").c_str(), 0);
  {
    const testing::NotRoot not_root;
    EXPECT_EQ(Walk(folder.path()), (Names{"a: read-failed", "b/file"}));
  }
  ::chmod((folder / "a").c_str(), 0700);
}

}  // namespace
}  // namespace dcmveil::pipeline
