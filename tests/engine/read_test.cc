// SPDX-License-Identifier: Apache-2.0
#include "engine/encoding/read.h"

#include <gtest/gtest.h>

#include <ostream>

#include "engine/data_set.h"
#include "tests/support/rules.h"

namespace dcmveil::engine {
namespace {

using testing::DataSet;
using testing::Elem;
using testing::Encode;
using testing::File;
using testing::FileParts;
using testing::Fragments;
using testing::kBig;
using testing::kDeflated;
using testing::kExplicit;
using testing::kImplicit;
using testing::kJpeg;
using testing::kSyntaxes;
using testing::Meta;
using testing::NativePixels;
using testing::Raw;
using testing::RawDeflate;
using testing::Send;
using testing::Sent;
using testing::Seq;
using testing::SmallCt;
using testing::Syntax;
using testing::Text;
using testing::With;
using testing::Without;

Result<ParsedInstance> Parse(std::string bytes) {
  return ReadInstance(ByteSource::FromMemory(std::move(bytes)));
}

/// Syntax and Patient ID, or the error.
std::string Read(std::string bytes) {
  Result<ParsedInstance> parsed = Parse(std::move(bytes));
  if (!parsed) return std::string(CodeOf(parsed.error().code));
  const DataElement* element = parsed->head.Find({0x0010, 0x0020});
  if (element == nullptr) return "no ID";
  return parsed->transfer_syntax_uid + " " + std::string(TrimPadding(element->value()));
}

struct ReadCase {
  const char* name;
  std::string bytes;
  std::string expected;
};

void PrintTo(const ReadCase& test, std::ostream* out) { *out << test.name; }

std::vector<ReadCase> ReadCases() {
  const FileParts no_preamble{.preamble = false};
  const FileParts no_meta{.meta = false};
  const FileParts nothing{.preamble = false, .meta = false};
  const std::string plain = Encode(SmallCt());
  const DataSet jpeg = With(SmallCt(), {Fragments({"", "JPEG"})});
  const FileParts dicomdir{.meta_sop_class = "1.2.840.10008.1.3.10"};
  FileParts longer{};
  longer.more_meta = {Raw({0x0002, 0x0102}, "OB", std::string(100000, 'm'))};
  FileParts text_in_front{};
  text_in_front.preamble_text = "II*\1 a TIFF file as well";
  return {
      {"implicit", File(SmallCt(), kImplicit), "1.2.840.10008.1.2 4711"},
      {"explicit", File(SmallCt(), kExplicit), "1.2.840.10008.1.2.1 4711"},
      {"big endian", File(SmallCt(), kBig), "1.2.840.10008.1.2.2 4711"},
      {"deflated", File(SmallCt(), kDeflated), "1.2.840.10008.1.2.1.99 4711"},
      {"text in the preamble", File(SmallCt(), kExplicit, text_in_front),
       "1.2.840.10008.1.2.1 4711"},
      {"no preamble, implicit", File(SmallCt(), kImplicit, no_preamble), "1.2.840.10008.1.2 4711"},
      {"no preamble, explicit", File(SmallCt(), kExplicit, no_preamble),
       "1.2.840.10008.1.2.1 4711"},
      {"no preamble, deflated", File(SmallCt(), kDeflated, no_preamble),
       "1.2.840.10008.1.2.1.99 4711"},
      {"no meta, implicit", File(SmallCt(), kImplicit, nothing), "1.2.840.10008.1.2 4711"},
      {"no meta, explicit", File(SmallCt(), kExplicit, nothing), "1.2.840.10008.1.2.1 4711"},
      {"no meta, big endian", File(SmallCt(), kBig, nothing), "1.2.840.10008.1.2.2 4711"},
      {"no meta, group lengths",
       File(SmallCt(), kImplicit, {.preamble = false, .meta = false, .group_lengths = true}),
       "1.2.840.10008.1.2 4711"},
      {"preamble but no meta", File(SmallCt(), kImplicit, no_meta), "1.2.840.10008.1.2 4711"},
      {"meta without transfer syntax", Meta("") + Encode(SmallCt(), {.explicit_vr = false}),
       "1.2.840.10008.1.2 4711"},
      {"meta of 100 kB", File(SmallCt(), kExplicit, longer), "1.2.840.10008.1.2.1 4711"},
      {"JPEG", File(jpeg, kJpeg), "1.2.840.10008.1.2.4.50 4711"},
      {"high-throughput JPEG 2000", Meta("1.2.840.10008.1.2.4.201") + Encode(jpeg),
       "1.2.840.10008.1.2.4.201 4711"},
      {"high-throughput JPEG 2000, any", Meta("1.2.840.10008.1.2.4.203") + Encode(jpeg),
       "1.2.840.10008.1.2.4.203 4711"},
      {"no registered syntax", Meta("1.2.840.10008.1.2.4.999") + Encode(jpeg),
       "unsupported-transfer-syntax"},
      {"a syntax of somebody's own", Meta("1.2.3.4.5.6") + plain, "unsupported-transfer-syntax"},
      {"JPEG of defined length",
       Meta(kJpeg.uid) + Encode(With(SmallCt(), {Raw({0x7FE0, 0x0010}, "OB", "JPEG")})),
       "malformed"},
      {"high-throughput JPEG 2000 of defined length",
       Meta("1.2.840.10008.1.2.4.201") +
           Encode(With(SmallCt(), {Raw({0x7FE0, 0x0010}, "OB", "JPEG")})),
       "malformed"},
      {"DICOMDIR", File(SmallCt(), kExplicit, dicomdir), "dicomdir"},
      {"nothing", "", "not-dicom"},
      {"one byte", "x", "not-dicom"},
      {"text", std::string(1000, 't'), "not-dicom"},
      {"zeros", std::string(1000, '\0'), "not-dicom"},
      {"preamble only", std::string(128, '\0') + "DICM", "not-dicom"},
      {"meta only", Meta(kExplicit.uid), "not-dicom"},
      {"HTML", "<html><body>404</body></html>", "not-dicom"},
      {"deflated, not deflate", Meta(kDeflated.uid) + "this is no deflated data at all",
       "malformed"},
      {"deflated, cut", Meta(kDeflated.uid) + RawDeflate(plain).substr(0, 50), "truncated"},
      {"deflated nothing", Meta(kDeflated.uid) + RawDeflate(""), "not-dicom"},
      {"the data set is cut", File(SmallCt()).substr(0, File(SmallCt()).size() - 1), "truncated"},
  };
}

class ReadTest : public ::testing::TestWithParam<ReadCase> {};

TEST_P(ReadTest, SyntaxAndContent) { EXPECT_EQ(Read(GetParam().bytes), GetParam().expected); }

INSTANTIATE_TEST_SUITE_P(Read, ReadTest, ::testing::ValuesIn(ReadCases()));

TEST(ReadInstanceTest, PixelsStayInTheSource) {
  for (const Syntax& syntax : kSyntaxes) {
    SCOPED_TRACE(syntax.name);
    const auto parsed =
        Parse(File(With(SmallCt(), {NativePixels(), Raw({0x7FE1, 0x1001}, "OB", "12")}), syntax));
    ASSERT_TRUE(parsed);
    ASSERT_TRUE(parsed->extents.pixels);
    EXPECT_EQ(parsed->head.Find({0x7FE0, 0x0010}), nullptr);
    ASSERT_TRUE(parsed->after);
    EXPECT_EQ(parsed->after->elements.size(), 1U);
    const std::string pixels =
        parsed->source->Read(parsed->extents.pixels->value, parsed->extents.pixels->size);
    EXPECT_EQ(pixels.size(), 32U);
    EXPECT_EQ(pixels[syntax.big_endian ? 1 : 0], '\1');
    EXPECT_EQ(parsed->deflated, syntax.deflated);
    EXPECT_EQ(parsed->encoding.big_endian, syntax.big_endian);
    EXPECT_EQ(parsed->encoding.explicit_vr, syntax.explicit_vr);
  }
}

TEST(ReadInstanceTest, NoFileThere) {
  const testing::Folder folder;
  for (const auto& path : {folder / "missing", folder.path()}) {
    const auto source = ByteSource::OpenFile(path);
    ASSERT_FALSE(source);
    EXPECT_EQ(source.error().code, ErrorCode::kReadFailed);
  }
  const Result<Deidentified> result = Engine(testing::Rules("")).ApplyToFile(folder / "missing");
  ASSERT_FALSE(result);
  EXPECT_EQ(CodeOf(result.error().code), "read-failed");
}

// What is cut off either fails, or what is left comes out as it was.
TEST(ReadInstanceTest, TruncatedAtEveryByte) {
  const RuleSet rules = testing::Rules("settings: {mark: false}");
  const DataSet small =
      With(SmallCt(),
           {Seq({0x0040, 0x0275}, {{Text({0x0040, 0x0009}, "SH", "STEP")}, {}}), NativePixels(),
            Raw({0x7FE1, 0x0010}, "LO", "ACME"), Raw({0x7FE1, 0x1001}, "OB", "12")});
  for (const Syntax& syntax : kSyntaxes) {
    for (const bool undefined : {false, true}) {
      SCOPED_TRACE(std::string(syntax.name) + (undefined ? " undefined" : " defined"));
      const std::string file = File(small, syntax, {.undefined_length = undefined});
      const Sent whole = Send(rules, file);
      ASSERT_TRUE(whole.ok) << whole.Failure();
      int passed = 0;
      for (std::size_t size = 0; size < file.size(); ++size) {
        const Sent part = Send(rules, file.substr(0, size));
        if (!part.ok) {
          EXPECT_NE(part.Failure(), "internal") << size;
          continue;
        }
        ++passed;
        for (const auto& [path, leaf] : part.out.elements) {
          ASSERT_TRUE(whole.out.Has(path)) << size << ": " << path;
          EXPECT_EQ(whole.out.elements.at(path), leaf) << size << ": " << path;
        }
      }
      // The ends of the elements behind SOP Instance UID; in a deflated stream there are none.
      if (syntax.deflated) {
        EXPECT_LE(passed, 1);
      } else {
        EXPECT_GT(passed, 5);
      }
    }
  }
}

// The reading and the scan must agree on where an element of an odd VR ends, or one of them would
// see elements that the other does not.
TEST(ReadInstanceTest, OddVrsDoNotHideWhatFollows) {
  const RuleSet rules = testing::Rules("rules:\n- {tag: PatientName, action: redact}\n");
  const std::string id = Encode({Text({0x0010, 0x0020}, "LO", "4711")});
  int written = 0;
  for (const std::string vr :
       {"ox", "xs", "lt", "up", "na", "px", "fs", "it", "di", "ps", "mf", "fl", "dr", "it", "me",
        "ml", "sh", "  ", "??", "XX", "Zz", "zZ", "1A", "A1", "--", "pi", "OX", "pn", "sq", "un"}) {
    for (const bool long_form : {false, true}) {
      SCOPED_TRACE(vr + (long_form ? " long" : " short"));
      const std::string value = "DOE^JANE";
      std::string bytes("\x10\0\x10\0", 4);
      bytes +=
          vr + (long_form ? std::string("\0\0\x08\0\0\0", 6) : std::string("\x08\0", 2)) + value;
      DataSet data_set = Without(SmallCt(), {{0x0010, 0x0010}, {0x0010, 0x0020}});
      Elem odd = testing::Verbatim(bytes + id);
      odd.tag = {0x0010, 0x0010};
      const Sent sent = Send(rules, File(With(data_set, {odd})));
      if (!sent.ok) continue;
      ++written;
      EXPECT_EQ(sent.bytes.find("JANE"), std::string::npos);
      EXPECT_EQ(sent.out.Value("(0020,000D)"), "1.2.3");
      if (sent.out.Has("(0010,0020)")) {
        EXPECT_EQ(sent.out.Value("(0010,0020)"), "4711");
      }
    }
  }
  EXPECT_GT(written, 0);
}

// Readers that go by the tags read such files; taking the length at its word would move elements of
// the data set into the meta information, where they vanish.
TEST(ReadInstanceTest, AWrongLengthOfTheMetaInformationMovesNothing) {
  const std::string file = File(SmallCt());
  constexpr std::size_t kGroupLength = 128 + 4 + 8;
  const auto right = static_cast<unsigned char>(file[kGroupLength]);
  const RuleSet rules = testing::Rules("rules: []\n");
  const Sent sent = Send(rules, file);
  ASSERT_TRUE(sent.ok);
  for (const int length : {0, 1, right - 20, right + 8, right + 60, 0xFF}) {
    SCOPED_TRACE(length);
    std::string other = file;
    other[kGroupLength] = static_cast<char>(length);
    const Sent same = Send(rules, other);
    ASSERT_TRUE(same.ok) << same.error.Message();
    EXPECT_EQ(same.bytes, sent.bytes);
  }
  std::string without = file;
  without.erase(128 + 4, 12);
  const Sent same = Send(rules, without);
  ASSERT_TRUE(same.ok) << same.error.Message();
  EXPECT_EQ(same.bytes, sent.bytes);
}

TEST(ReadInstanceTest, EveryByteBroken) {
  const RuleSet rules = testing::Rules("rules:\n- {vr: PN, action: redact}\n");
  const Engine engine(rules);
  for (const Syntax& syntax : {kImplicit, kExplicit, kBig}) {
    const std::string file = File(
        With(SmallCt(), {Seq({0x0040, 0x0275}, {{Text({0x0040, 0x0009}, "SH", "STEP")}})}), syntax);
    for (std::size_t at = 132; at < file.size(); ++at) {
      for (const char broken : {'\0', '\xFF', 'Q'}) {
        std::string other = file;
        other[at] = broken;
        const Result<Deidentified> result = engine.ApplyToBytes(other);
        if (!result) {
          EXPECT_NE(CodeOf(result.error().code), "internal") << at;
        }
      }
    }
  }
}

}  // namespace
}  // namespace dcmveil::engine
