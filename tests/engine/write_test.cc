// SPDX-License-Identifier: Apache-2.0
#include "engine/encoding/write.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "tests/support/rules.h"

namespace dcmveil::engine {
namespace {

namespace fs = std::filesystem;
using testing::DataSet;
using testing::File;
using testing::FileParts;
using testing::Folder;
using testing::Fragments;
using testing::kSyntaxes;
using testing::NativePixels;
using testing::Raw;
using testing::ReadFile;
using testing::Rules;
using testing::Send;
using testing::Sent;
using testing::SmallCt;
using testing::Syntax;
using testing::With;

TEST(WriteTest, MetaInformationIsOurOwn) {
  for (const Syntax& syntax : kSyntaxes) {
    FileParts parts{};
    parts.preamble_text = "SECRET";
    parts.more_meta = {testing::Text({0x0002, 0x0016}, "AE", "SECRET"),
                       testing::Text({0x0002, 0x0013}, "SH", "SECRET"),
                       Raw({0x0002, 0x0102}, "OB", "SECRET")};
    const Sent sent = Send(Rules(""), File(SmallCt(), syntax, parts));
    ASSERT_TRUE(sent.ok) << sent.error.Message();
    EXPECT_EQ(sent.bytes.find("SECRET"), std::string::npos);
    EXPECT_EQ(sent.out.transfer_syntax, syntax.uid);
    EXPECT_EQ(sent.out.meta.at("(0002,0001)"), std::string("\0\1", 2));
    EXPECT_EQ(sent.out.meta.at("(0002,0002)"), "1.2.840.10008.5.1.4.1.1.2");
    EXPECT_EQ(sent.out.meta.at("(0002,0003)"), "1.2.3.4.5");
    EXPECT_EQ(sent.out.meta.at("(0002,0013)"), "DCMVEIL_" + std::string(Version()));
    EXPECT_EQ(sent.out.meta.size(), 6U);
    EXPECT_LE(sent.out.meta.at("(0002,0012)").size(), 64U);
    EXPECT_LE(sent.out.meta.at("(0002,0013)").size(), 16U);
  }
}

TEST(WriteTest, WithoutMetaInformationThereIsSomeAfterwards) {
  for (const Syntax& syntax : {testing::kImplicit, testing::kExplicit, testing::kBig}) {
    const Sent sent = Send(Rules(""), File(SmallCt(), syntax, {.preamble = false, .meta = false}));
    ASSERT_TRUE(sent.ok);
    EXPECT_EQ(sent.out.transfer_syntax, syntax.uid);
  }
}

TEST(WriteTest, NewerSyntaxesKeepTheirName) {
  const std::string uid = "1.2.840.10008.1.2.4.201";
  const Sent sent =
      Send(Rules(""),
           testing::Meta(uid) + testing::Encode(With(SmallCt(), {Fragments({"", "HTJ2K!"})})));
  ASSERT_TRUE(sent.ok);
  EXPECT_EQ(sent.out.transfer_syntax, uid);
}

TEST(WriteTest, OddPixelsArePadded) {
  for (const Syntax& syntax : kSyntaxes) {
    for (const bool after : {false, true}) {
      DataSet data_set = With(SmallCt(), {Raw({0x7FE0, 0x0010}, "OB", "12345")});
      if (after) data_set.push_back(Raw({0x7FE1, 0x1001}, "OB", "ab"));
      const Sent sent = Send(Rules(""), File(data_set, syntax));
      ASSERT_TRUE(sent.ok) << sent.error.Message();
      EXPECT_EQ(sent.out.elements.at("(7FE0,0010)").value, std::string("12345\0", 6));
      EXPECT_EQ(sent.out.Has("(7FE1,1001)"), after);
    }
  }
}

TEST(WriteTest, PixelsKeepTheirVr) {
  struct Case {
    testing::Elem elem;
    const char* vr;
  };
  for (const Case& test : {Case{Raw({0x7FE0, 0x0010}, "OB", "1234"), "OB"},
                           Case{Raw({0x7FE0, 0x0010}, "OW", "1234"), "OW"},
                           Case{Raw({0x7FE0, 0x0010}, "UN", "1234"), "UN"},
                           Case{Raw({0x7FE0, 0x0010}, "US", "1234"), "OW"},
                           Case{Raw({0x7FE0, 0x0008}, "OF", "1234"), "OF"},
                           Case{Raw({0x7FE0, 0x0009}, "OD", "12345678"), "OD"}}) {
    const Sent sent = Send(Rules(""), File(With(SmallCt(), {test.elem})));
    ASSERT_TRUE(sent.ok) << sent.error.Message();
    const std::string path = ToString(test.elem.tag);
    EXPECT_EQ(sent.out.VrOf(path), test.vr);
    EXPECT_EQ(sent.out.elements.at(path).value, test.elem.value);
  }
}

TEST(WriteTest, LongTextAndManyItems) {
  std::vector<DataSet> items(500, {testing::Text({0x0040, 0x0009}, "SH", "STEP")});
  const Sent sent =
      Send(Rules(""), File(With(SmallCt(), {Raw({0x0010, 0x4000}, "LT", std::string(10240, 't')),
                                            Raw({0x0040, 0xA160}, "UT", std::string(200000, 'u')),
                                            testing::Seq({0x0040, 0x0275}, items)})));
  ASSERT_TRUE(sent.ok) << sent.error.Message();
  EXPECT_EQ(sent.out.Value("(0040,A160)").size(), 200000U);
  EXPECT_EQ(sent.out.Value("(0040,0275)"), "500 item(s)");
  EXPECT_EQ(sent.out.Value("(0040,0275)[499].(0040,0009)"), "STEP");
}

/// Samples that make_samples wrote, made once.
const Folder& Samples() {
  static const Folder folder;
  static const int status =
      std::system((std::string(DCMVEIL_BINARY_DIR) + "/make_samples " + (folder / "in").string() +
                   " --patients 1 --slices 1 > /dev/null")
                      .c_str());
  EXPECT_EQ(status, 0);
  return folder;
}

std::vector<fs::path> FilesIn(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  return files;
}

std::vector<fs::path> SampleFiles() { return FilesIn(Samples() / "in"); }

/// Real files that are no part of the project.
fs::path Corpus() {
  const char* shared = std::getenv("DCMVEIL_SHARED");
  return (shared != nullptr ? fs::path(shared) : fs::path(DCMVEIL_SOURCE_DIR) / "../shared") /
         "corpus";
}

// The pixel data of a file goes to the output in the kernel; everything of an input in memory goes
// through memory.
void ExpectTheSameBytesBothWays(const std::vector<fs::path>& files) {
  const Engine engine(
      Rules("settings: {date-shift: {days: 365}}\nrules:\n- {vr: [DA, DT], action: date-shift}\n"
            "- {vr: PN, action: redact}\n- {vr: UI, action: refresh-uid}\n"
            "- {group: odd, action: keep}\n"));
  const Folder out;
  std::size_t written = 0;
  for (const fs::path& file : files) {
    SCOPED_TRACE(file.string());
    const std::string input = ReadFile(file);
    const auto from_file = engine.ApplyToFile(file);
    const auto from_memory = engine.ApplyToBytes(input);
    ASSERT_EQ(from_file.ok(), from_memory.ok());
    EXPECT_EQ(ReadFile(file), input) << "the input was changed";
    if (!from_file) {
      EXPECT_EQ(from_file.error().Message(), from_memory.error().Message());
      continue;
    }
    ++written;
    const std::string bytes = *from_file->encoded.ToBytes();
    EXPECT_EQ(bytes, *from_memory->encoded.ToBytes());
    EXPECT_EQ(bytes.size(), from_file->encoded.size());
    EXPECT_NO_THROW(testing::Decode(bytes));
    for (const auto* encoded : {&from_file->encoded, &from_memory->encoded}) {
      const fs::path target = out / std::to_string(written);
      fs::remove(target);
      const int fd = ::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
      EXPECT_TRUE(encoded->WriteTo(fd).ok());
      ::close(fd);
      EXPECT_EQ(ReadFile(target), bytes);
      EXPECT_TRUE(encoded->SameAs(target));
    }
  }
  EXPECT_GT(written, files.size() / 3);
}

TEST(WriteTest, FilesAndMemoryGiveTheSameBytes) {
  ASSERT_GT(SampleFiles().size(), 40U);
  ExpectTheSameBytesBothWays(SampleFiles());
}

TEST(WriteTest, FilesAndMemoryGiveTheSameBytesOfRealFiles) {
  if (!fs::exists(Corpus())) GTEST_SKIP() << "no corpus at " << Corpus() << " (DCMVEIL_SHARED)";
  ExpectTheSameBytesBothWays(FilesIn(Corpus()));
}

/// About 1 MB of pixels, so that pipes fill up and buffers are used more than once.
std::string LargeFile() {
  std::string pixels;
  for (unsigned i = 0; i < 500000; ++i) pixels += testing::Le16({i % 65521});
  return File(
      With(SmallCt(), {Raw({0x7FE0, 0x0010}, "OW", pixels), Raw({0x7FE1, 0x1001}, "OB", "tail")}));
}

class LargeTest : public ::testing::Test {
 protected:
  LargeTest()
      : input_(folder_.Write("in.dcm", LargeFile())),
        from_file_(Engine(Rules("")).ApplyToFile(input_)),
        from_memory_(Engine(Rules("")).ApplyToBytes(LargeFile())) {}

  Folder folder_;
  fs::path input_;
  Result<Deidentified> from_file_;
  Result<Deidentified> from_memory_;
};

TEST_F(LargeTest, ToAPipe) {
  for (const auto* result : {&from_file_, &from_memory_}) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    std::string received;
    std::thread reader([&] {
      char buffer[4096];
      for (ssize_t n = 0; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
        received.append(buffer, static_cast<std::size_t>(n));
      }
    });
    EXPECT_TRUE((*result)->encoded.WriteTo(ends[1]).ok());
    ::close(ends[1]);
    reader.join();
    ::close(ends[0]);
    EXPECT_EQ(received, *(*result)->encoded.ToBytes());
  }
}

TEST_F(LargeTest, AtTheDescriptorsPosition) {
  for (const int flags : {0, O_APPEND}) {
    const fs::path file = folder_.Write("out", "before");
    const int fd = ::open(file.c_str(), O_WRONLY | flags);
    ::lseek(fd, 0, SEEK_END);
    EXPECT_TRUE(from_file_->encoded.WriteTo(fd).ok());
    EXPECT_EQ(::write(fd, "behind", 6), 6);
    ::close(fd);
    EXPECT_EQ(ReadFile(file), "before" + *from_file_->encoded.ToBytes() + "behind");
  }
}

TEST_F(LargeTest, SameAs) {
  const std::string bytes = *from_file_->encoded.ToBytes();
  const auto same = [&](const std::string& other) {
    const fs::path file = folder_.Write("other", other);
    const bool result = from_file_->encoded.SameAs(file);
    EXPECT_EQ(from_memory_->encoded.SameAs(file), result);
    return result;
  };
  EXPECT_TRUE(same(bytes));
  EXPECT_FALSE(same(bytes + "x"));
  EXPECT_FALSE(same(bytes.substr(0, bytes.size() - 1)));
  EXPECT_FALSE(same(""));
  for (const std::size_t at :
       {std::size_t{0}, std::size_t{140}, bytes.size() / 2, bytes.size() - 1}) {
    std::string other = bytes;
    other[at] = static_cast<char>(other[at] + 1);
    EXPECT_FALSE(same(other)) << at;
  }
  EXPECT_FALSE(from_file_->encoded.SameAs(folder_ / "missing"));
  EXPECT_FALSE(from_file_->encoded.SameAs(folder_.path()));
}

TEST(WriteTest, ToAFileThatIsNeverOverwritten) {
  const Folder folder;
  const EncodedInstance encoded({Segment{.bytes = "new", .source = nullptr}});
  ASSERT_TRUE(encoded.WriteToFile(folder / "a.dcm").ok());
  EXPECT_EQ(ReadFile(folder / "a.dcm"), "new");
  EXPECT_TRUE(encoded.WriteToFile(folder / "a.dcm").ok()) << "the same bytes";
  folder.Write("b.dcm", "old");
  fs::create_directory(folder / "c.dcm");
  for (const char* name : {"b.dcm", "c.dcm"}) {
    const Status taken = encoded.WriteToFile(folder / name);
    ASSERT_FALSE(taken.ok()) << name;
    EXPECT_EQ(taken.error().code, ErrorCode::kOutputExists) << name;
  }
  EXPECT_EQ(ReadFile(folder / "b.dcm"), "old");
  for (const char* name : {"none/a.dcm", "a.dcm/below"}) {
    const Status status = encoded.WriteToFile(folder / name);
    ASSERT_FALSE(status.ok()) << name;
    EXPECT_EQ(status.error().code, ErrorCode::kWriteFailed) << name;
  }
  const EncodedInstance unreadable(
      {Segment{.bytes = {}, .source = ByteSource::FromMemory("short"), .offset = 0, .size = 99}});
  EXPECT_FALSE(unreadable.WriteToFile(folder / "d.dcm").ok());
  const auto files = std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator());
  EXPECT_EQ(files, 3) << "nothing temporary is left";
}

TEST_F(LargeTest, WhereNothingCanBeWritten) {
  for (const auto* result : {&from_file_, &from_memory_}) {
    const int read_only = ::open(input_.c_str(), O_RDONLY);
    const Status status = (*result)->encoded.WriteTo(read_only);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kWriteFailed);
    ::close(read_only);
    const int full = ::open("/dev/full", O_WRONLY);
    const Status on_full = (*result)->encoded.WriteTo(full);
    ASSERT_FALSE(on_full);
    EXPECT_EQ(on_full.error().code, ErrorCode::kWriteFailed);
    ::close(full);
  }
}

TEST_F(LargeTest, AnInputThatShrinks) {
  fs::resize_file(input_, 1000);
  const Result<std::string> bytes = from_file_->encoded.ToBytes();
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().code, ErrorCode::kReadFailed);
  const int fd = ::open((folder_ / "out").c_str(), O_WRONLY | O_CREAT, 0600);
  const Status status = from_file_->encoded.WriteTo(fd);
  ::close(fd);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kReadFailed);
}

// The file is held open, so that removing its name does no harm.
TEST_F(LargeTest, AnInputThatIsRemoved) {
  fs::remove(input_);
  ASSERT_TRUE(from_file_->encoded.ToBytes().ok());
  EXPECT_EQ(*from_file_->encoded.ToBytes(), *from_memory_->encoded.ToBytes());
}

}  // namespace
}  // namespace dcmveil::engine
