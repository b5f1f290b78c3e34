// SPDX-License-Identifier: Apache-2.0
#include "engine/encoding/scan.h"

#include <gtest/gtest.h>

#include <memory>
#include <ostream>

#include "tests/support/dicom_bytes.h"
#include "tests/support/rules.h"

namespace dcmveil::engine {
namespace {

using testing::DataSet;
using testing::Elem;
using testing::Encode;
using testing::EncodingOf;
using testing::Form;
using testing::Fragments;
using testing::kBig;
using testing::kExplicit;
using testing::kImplicit;
using testing::Le16;
using testing::NativePixels;
using testing::Raw;
using testing::Seq;
using testing::SmallCt;
using testing::Syntax;
using testing::Text;
using testing::Verbatim;
using testing::With;

constexpr Tag kSequence{0x0040, 0x0275};

Result<Extents> Scan(const std::string& bytes, Encoding encoding, std::uint64_t begin = 0) {
  // The copy is exactly as long as the data, so that a sanitizer sees every byte too far.
  const std::shared_ptr<ByteSource> source = ByteSource::FromMemory(std::string(bytes));
  return ScanDataSet(*source, begin, encoding);
}

Form FormOf(const Syntax& syntax, bool undefined_length = false) {
  return {.explicit_vr = syntax.explicit_vr,
          .big_endian = syntax.big_endian,
          .undefined_length = undefined_length};
}

DataSet Nested(int depth) {
  DataSet inside = {Text({0x0040, 0x0009}, "SH", "X")};
  for (int i = 0; i < depth; ++i) inside = {Seq(kSequence, {inside})};
  return inside;
}

struct Encoded {
  Syntax syntax;
  bool undefined_length;
};

void PrintTo(const Encoded& test, std::ostream* out) {
  *out << test.syntax.name << (test.undefined_length ? "Undefined" : "Defined");
}

class ScanTest : public ::testing::TestWithParam<Encoded> {
 protected:
  [[nodiscard]] std::string Bytes(const DataSet& data_set) const {
    return Encode(data_set, FormOf(GetParam().syntax, GetParam().undefined_length));
  }
  [[nodiscard]] Encoding encoding() const { return EncodingOf(GetParam().syntax); }
  [[nodiscard]] std::size_t PixelHeader() const { return GetParam().syntax.explicit_vr ? 12 : 8; }
};

INSTANTIATE_TEST_SUITE_P(Scan, ScanTest,
                         ::testing::Values(Encoded{kImplicit, false}, Encoded{kImplicit, true},
                                           Encoded{kExplicit, false}, Encoded{kExplicit, true},
                                           Encoded{kBig, false}, Encoded{kBig, true}),
                         ::testing::PrintToStringParamName());

DataSet WithSequence() {
  return With(SmallCt(),
              {Seq(kSequence,
                   {{Text({0x0040, 0x0009}, "SH", "STEP")}, {Seq({0x0040, 0x0008}, {{}})}, {}})});
}

TEST_P(ScanTest, WithoutPixels) {
  const std::string bytes = Bytes(WithSequence());
  const auto extents = Scan(bytes, encoding());
  ASSERT_TRUE(extents) << extents.error().Message();
  EXPECT_EQ(extents->begin, 0U);
  EXPECT_EQ(extents->head_end, bytes.size());
  EXPECT_FALSE(extents->pixels);
  EXPECT_EQ(extents->after_begin, extents->after_end);
  EXPECT_FALSE(extents->trailing_bytes);
}

// Bytes that somebody hung on to a document go; the same behind an image that has not come to its
// pixel data would hide a loss.
TEST_P(ScanTest, TextBehindADataSetWithoutPixels) {
  const std::string bytes = Bytes(WithSequence());
  const std::string document = Bytes(Without(WithSequence(), {{0x0028, 0x0010}}));
  for (const std::string_view text : {"Doe Jane, born 1958-03-12, ward 4711", "doe^jane"}) {
    const auto extents = Scan(document + std::string(text), encoding());
    ASSERT_TRUE(extents) << extents.error().Message();
    EXPECT_TRUE(extents->trailing_bytes);
    EXPECT_EQ(extents->head_end, document.size());
    EXPECT_FALSE(Scan(bytes + std::string(text), encoding()));
  }
}

TEST_P(ScanTest, BeginsWhereItIsTold) {
  const std::string bytes = "0123456789" + Bytes(WithSequence());
  const auto extents = Scan(bytes, encoding(), 10);
  ASSERT_TRUE(extents);
  EXPECT_EQ(extents->begin, 10U);
  EXPECT_EQ(extents->head_end, bytes.size());
}

TEST_P(ScanTest, NativePixelsAndWhatFollows) {
  const std::string head = Bytes(WithSequence());
  const std::string pixels = Bytes({NativePixels()});
  const std::string after =
      Bytes({Raw({0x7FE1, 0x0010}, "LO", "ACME"), Raw({0x7FE1, 0x1001}, "OB", "12345678"),
             Seq({0xFFFA, 0xFFFA}, {{Raw({0x0400, 0x0005}, "US", "\1\1")}})});
  for (const bool with_after : {false, true}) {
    const auto extents = Scan(head + pixels + (with_after ? after : ""), encoding());
    ASSERT_TRUE(extents) << extents.error().Message();
    EXPECT_EQ(extents->head_end, head.size());
    ASSERT_TRUE(extents->pixels);
    EXPECT_EQ(extents->pixels->tag, Tag(0x7FE0, 0x0010));
    EXPECT_EQ(extents->pixels->element, head.size());
    EXPECT_EQ(extents->pixels->value, head.size() + PixelHeader());
    EXPECT_EQ(extents->pixels->size, 32U);
    EXPECT_FALSE(extents->pixels->encapsulated);
    EXPECT_EQ(std::string(extents->pixels->vr, 2), "OW");
    EXPECT_EQ(extents->after_begin, head.size() + pixels.size());
    EXPECT_EQ(extents->after_end, head.size() + pixels.size() + (with_after ? after.size() : 0));
    EXPECT_FALSE(extents->trailing_bytes);
  }
}

TEST_P(ScanTest, FloatPixels) {
  for (const Tag tag : {Tag{0x7FE0, 0x0008}, Tag{0x7FE0, 0x0009}}) {
    const std::string head = Bytes(SmallCt());
    const std::string bytes = head + Bytes({Raw(tag, tag.element == 8 ? "OF" : "OD", "12345678")});
    const auto extents = Scan(bytes, encoding());
    ASSERT_TRUE(extents);
    ASSERT_TRUE(extents->pixels);
    EXPECT_EQ(extents->pixels->tag, tag);
    EXPECT_EQ(extents->pixels->size, 8U);
    EXPECT_EQ(extents->head_end, head.size());
  }
}

TEST_P(ScanTest, PixelsInAnItemAreNotThePixels) {
  const DataSet icon = {Raw({0x0028, 0x0010}, "US", Le16({2})), NativePixels()};
  const std::string head = Bytes(With(SmallCt(), {Seq({0x0088, 0x0200}, {icon})}));
  const auto extents = Scan(head + Bytes({NativePixels()}), encoding());
  ASSERT_TRUE(extents);
  EXPECT_EQ(extents->head_end, head.size());
  EXPECT_EQ(extents->pixels->size, 32U);
}

TEST_P(ScanTest, TrailingBytesBehindPixels) {
  const std::string whole = Bytes(With(SmallCt(), {NativePixels()}));
  for (const std::string& rest :
       {std::string(1, '\0'), std::string(7, 'x'), std::string(512, '\0'), std::string(512, '\xFF'),
        std::string(512, ' '), std::string("some text that a transfer left behind the image"),
        std::string("\xFE\xFF\x0D\xE0\0\0\0\0", 8)}) {
    const auto extents = Scan(whole + rest, encoding());
    ASSERT_TRUE(extents) << extents.error().Message();
    EXPECT_TRUE(extents->trailing_bytes) << rest.size();
    EXPECT_EQ(extents->after_end, whole.size());
  }
}

// Elements in the wrong place are not noise that may be dropped.
TEST_P(ScanTest, ADataSetBehindPixels) {
  const auto extents =
      Scan(Bytes(With(SmallCt(), {NativePixels()})) + Bytes(SmallCt()), encoding());
  ASSERT_FALSE(extents);
  EXPECT_EQ(extents.error().code, ErrorCode::kMalformed);
  EXPECT_EQ(extents.error().where, "(7FE0,0010)");
}

void ExpectFiller(const std::string& whole, char filler, Encoding encoding) {
  for (const std::size_t size : {1U, 4U, 7U, 8U, 16U, 512U, 4096U, 32768U}) {
    const auto extents = Scan(whole + std::string(size, filler), encoding);
    ASSERT_TRUE(extents) << size << ": " << extents.error().Message();
    EXPECT_TRUE(extents->trailing_bytes) << size;
    EXPECT_EQ(extents->head_end, whole.size()) << size;
  }
}

TEST_P(ScanTest, ZerosBehindADataSetWithoutPixels) {
  ExpectFiller(Bytes(SmallCt()), '\0', encoding());
}

TEST_P(ScanTest, BlanksBehindADataSetWithoutPixels) {
  ExpectFiller(Bytes(SmallCt()), ' ', encoding());
}

TEST_P(ScanTest, OnesBehindADataSetWithoutPixels) {
  ExpectFiller(Bytes(SmallCt()), '\xFF', encoding());
}

TEST_P(ScanTest, OtherBytesBehindADataSetAreAnError) {
  const std::string whole = Bytes(SmallCt());
  for (const std::string& rest :
       {std::string("x"), std::string("\0\0x", 3), std::string(100, '\0') + "x",
        std::string("\0\0\0\0\0\0\0\0\x10\0\x10\0PN\4\0JANE", 20)}) {
    EXPECT_FALSE(Scan(whole + rest, encoding()).ok()) << rest.size();
  }
}

TEST_P(ScanTest, DepthOfNesting) {
  for (const int depth : {1, 12, kMaxDepth - 1, kMaxDepth}) {
    EXPECT_TRUE(Scan(Bytes(Nested(depth)), encoding()).ok()) << depth;
  }
  for (const int depth : {kMaxDepth + 1, kMaxDepth + 2, 3 * kMaxDepth, 2000}) {
    const auto extents = Scan(Bytes(Nested(depth)), encoding());
    ASSERT_FALSE(extents) << depth;
    EXPECT_EQ(extents.error().code, ErrorCode::kTooDeep) << depth;
    EXPECT_EQ(extents.error().where, "(0040,0275)");
  }
  // Behind the pixel data as well.
  EXPECT_TRUE(
      Scan(Bytes({NativePixels(), Seq({0xFFFA, 0xFFFA}, {Nested(kMaxDepth - 1)})}), encoding())
          .ok());
  const auto after =
      Scan(Bytes({NativePixels(), Seq({0xFFFA, 0xFFFA}, {Nested(kMaxDepth)})}), encoding());
  ASSERT_FALSE(after);
  EXPECT_EQ(after.error().code, ErrorCode::kTooDeep);
}

TEST_P(ScanTest, ItemLists) {
  const Form form = FormOf(GetParam().syntax, GetParam().undefined_length);
  const std::vector<DataSet> items = {SmallCt(), {}, Nested(3)};
  const std::string bytes = EncodeItems(items, form);
  EXPECT_TRUE(IsItemList(bytes, encoding(), 1));
  EXPECT_TRUE(IsItemList("", encoding(), 1));
  EXPECT_TRUE(IsItemList(bytes, encoding(), kMaxDepth - 3));
  EXPECT_FALSE(IsItemList(bytes, encoding(), kMaxDepth - 2));
  EXPECT_FALSE(IsItemList(bytes, encoding(), kMaxDepth + 1));
  EXPECT_FALSE(IsItemList(bytes + "x", encoding(), 1));
  EXPECT_FALSE(IsItemList(bytes + std::string(8, '\0'), encoding(), 1));
  EXPECT_FALSE(IsItemList("x" + bytes, encoding(), 1));
  EXPECT_FALSE(IsItemList(Bytes(SmallCt()), encoding(), 1));
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    const std::string part(bytes.data(), size);
    if (!IsItemList(part, encoding(), 1)) continue;
    // Only at the end of an item.
    const std::size_t first = EncodeItems({items[0]}, form).size();
    const std::size_t second = EncodeItems({items[0], items[1]}, form).size();
    EXPECT_TRUE(size == first || size == second) << size;
  }
}

/// The ends of top-level elements, where a shorter file is a whole data set, too.
std::vector<std::size_t> ElementEnds(const DataSet& data_set, const Form& form) {
  std::vector<std::size_t> ends = {0};
  for (const Elem& elem : data_set) ends.push_back(ends.back() + Encode({elem}, form).size());
  return ends;
}

TEST_P(ScanTest, TruncatedAtEveryByte) {
  const Form form = FormOf(GetParam().syntax, GetParam().undefined_length);
  const DataSet head = With(WithSequence(), {Raw({0x0029, 0x0010}, "LO", "ACME"),
                                             Raw({0x0029, 0x1001}, "UN", "bytes of any kind")});
  std::vector<DataSet> all = {head, With(head, {NativePixels()}),
                              With(head, {NativePixels(), Raw({0x7FE1, 0x1001}, "OB", "1234")})};
  if (!GetParam().syntax.big_endian) {
    all.push_back(With(head, {Fragments({"", std::string(10, 'j'), "jpeg"})}));
  }
  for (const DataSet& data_set : all) {
    const std::string bytes = Encode(data_set, form);
    const std::vector<std::size_t> ends = ElementEnds(data_set, form);
    const std::size_t pixels = ends[head.size()];
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto extents = Scan(bytes.substr(0, size), EncodingOf(GetParam().syntax));
      const bool at_end = std::find(ends.begin(), ends.end(), size) != ends.end();
      if (at_end) {
        ASSERT_TRUE(extents) << size;
        EXPECT_FALSE(extents->trailing_bytes) << size;
      } else if (extents.ok()) {
        // What is cut off behind the pixel data is told as trailing bytes. In front of it only a
        // rest that looks like filler is: the first byte of group 0020, for one, is a blank.
        EXPECT_TRUE(extents->trailing_bytes) << size;
        if (!extents->pixels) {
          EXPECT_LE(size, pixels);
          EXPECT_LT(size - extents->head_end, 4U);
        }
      } else {
        EXPECT_EQ(extents.error().code, ErrorCode::kTruncated) << size;
      }
      if (extents.ok()) {
        EXPECT_LE(extents->head_end, size);
        EXPECT_LE(extents->after_end, size);
        EXPECT_LE(extents->after_begin, extents->after_end);
        if (extents->pixels) {
          EXPECT_LE(extents->pixels->value + extents->pixels->size, size);
        }
      }
    }
  }
}

TEST_P(ScanTest, EveryByteBroken) {
  const Form form = FormOf(GetParam().syntax, GetParam().undefined_length);
  const std::string bytes = Encode(With(WithSequence(), {NativePixels()}), form);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const char broken : {'\0', '\x01', '\x7F', '\xFF', 'S', 'Q'}) {
      std::string other = bytes;
      other[at] = broken;
      const auto extents = Scan(other, EncodingOf(GetParam().syntax));
      if (!extents) continue;
      EXPECT_LE(extents->head_end, other.size());
      EXPECT_LE(extents->after_end, other.size());
      if (extents->pixels) {
        EXPECT_LE(extents->pixels->value + extents->pixels->size, other.size());
      }
    }
  }
}

// ---- Single encodings --------------------------------------------------------------------------

TEST(ScanTest2, EncapsulatedPixels) {
  const std::string head = Encode(SmallCt());
  const std::string pixels = Encode({Fragments({Le16({0, 0}), "JPEGJPEG", "", "JP"})});
  const std::string after = Encode({Raw({0xFFFC, 0xFFFC}, "OB", std::string(6, '\0'))});
  const auto extents = Scan(head + pixels + after, {});
  ASSERT_TRUE(extents);
  EXPECT_TRUE(extents->pixels->encapsulated);
  EXPECT_EQ(std::string(extents->pixels->vr, 2), "OB");
  EXPECT_EQ(extents->pixels->value, head.size() + 12);
  EXPECT_EQ(extents->pixels->size, pixels.size() - 12) << "the delimiter is part of it";
  EXPECT_EQ(extents->after_end, head.size() + pixels.size() + after.size());
  EXPECT_FALSE(extents->trailing_bytes);
}

TEST(ScanTest2, BrokenFragments) {
  const std::string head =
      Encode(SmallCt()) + std::string("\xE0\x7F\x10\0OB\0\0\xFF\xFF\xFF\xFF", 12);
  const auto code = [&head](const std::string& rest) {
    const auto extents = Scan(head + rest, {});
    return extents ? std::string("ok") : std::string(CodeOf(extents.error().code));
  };
  const std::string item("\xFE\xFF\0\xE0", 4);
  const std::string end("\xFE\xFF\xDD\xE0\0\0\0\0", 8);
  EXPECT_EQ(code(end), "ok");
  EXPECT_EQ(code(""), "truncated");
  EXPECT_EQ(code(item), "truncated");
  EXPECT_EQ(code(item + std::string("\4\0\0\0abcd", 8)), "truncated");
  EXPECT_EQ(code(item + std::string("\5\0\0\0abcd", 8) + end + end), "malformed");
  EXPECT_EQ(code(item + "\xFF\xFF\xFF\xFF" + end), "malformed");
  EXPECT_EQ(code(item + std::string("\xF0\xFF\xFF\x7F", 4) + end), "truncated");
  EXPECT_EQ(code(std::string("\x10\0\x10\0\0\0\0\0", 8) + end), "malformed");
  // DCMTK reads the fragments of UN as items with data elements.
  const std::string unknown =
      Encode(SmallCt()) + std::string("\xE0\x7F\x10\0UN\0\0\xFF\xFF\xFF\xFF", 12);
  const auto extents = Scan(unknown + item + std::string("\4\0\0\0abcd", 8) + end, {});
  ASSERT_FALSE(extents);
  EXPECT_EQ(extents.error().code, ErrorCode::kMalformed);
}

TEST(ScanTest2, FloatPixelsAreNeverEncapsulated) {
  Elem fragments = Fragments({"", "abcd"}, "OF");
  fragments.tag = {0x7FE0, 0x0008};
  const auto extents = Scan(Encode({fragments}), {});
  ASSERT_FALSE(extents);
  EXPECT_EQ(extents.error().code, ErrorCode::kMalformed);
  EXPECT_EQ(extents.error().where, "(7FE0,0008)");
}

// PS3.5 section 6.2.2: UN of undefined length is implicit VR little endian inside.
TEST(ScanTest2, UnknownOfUndefinedLength) {
  const Form implicit{.explicit_vr = false, .undefined_length = true};
  const std::string items = EncodeItems({SmallCt(), Nested(2)}, implicit);
  for (const Syntax& syntax : {kExplicit, kBig}) {
    const bool big = syntax.big_endian;
    const std::string header = big ? std::string("\0\x29\x10\x01UN\0\0\xFF\xFF\xFF\xFF", 12)
                                   : std::string("\x29\0\x01\x10UN\0\0\xFF\xFF\xFF\xFF", 12);
    const std::string end("\xFE\xFF\xDD\xE0\0\0\0\0", 8);
    const std::string bytes = header + items + end;
    const auto extents = Scan(bytes, EncodingOf(syntax));
    ASSERT_TRUE(extents) << extents.error().Message();
    EXPECT_EQ(extents->head_end, bytes.size());
  }
}

TEST(ScanTest2, UndefinedLengthWhereNoneMayBe) {
  const std::string bytes("\x10\0\x10\0UT\0\0\xFF\xFF\xFF\xFF", 12);
  const auto extents = Scan(bytes, {});
  ASSERT_FALSE(extents);
  EXPECT_EQ(extents.error().code, ErrorCode::kMalformed);
}

struct BadCase {
  const char* name;
  std::string bytes;
  ErrorCode code;
};

TEST(ScanTest2, BrokenSequences) {
  const std::string sq("\x40\0\x75\x02SQ\0\0", 8);
  const std::string undefined("\xFF\xFF\xFF\xFF", 4);
  const std::string item("\xFE\xFF\0\xE0", 4);
  const std::string zero("\0\0\0\0", 4);
  const std::vector<BadCase> cases = {
      {"no item", sq + std::string("\x08\0\0\0", 4) + "notitems", ErrorCode::kMalformed},
      {"item longer than its sequence",
       sq + std::string("\x08\0\0\0", 4) + item + std::string("\x09\0\0\0", 4) + "123456789",
       ErrorCode::kTruncated},
      {"undefined item in a defined sequence, never ended",
       sq + std::string("\x08\0\0\0", 4) + item + undefined + Encode(SmallCt()),
       ErrorCode::kTruncated},
      {"never ended", sq + undefined + item + zero, ErrorCode::kTruncated},
      {"item end without an item", sq + undefined + std::string("\xFE\xFF\x0D\xE0", 4) + zero,
       ErrorCode::kMalformed},
      {"sequence end at the top", std::string("\xFE\xFF\xDD\xE0", 4) + zero + "more",
       ErrorCode::kMalformed},
      {"element longer than the file", std::string("\x10\0\x10\0PN\xFF\xFF", 8) + "DOE",
       ErrorCode::kTruncated},
      {"element of almost 4 GB", std::string("\x10\0\x10\0UT\0\0\xFE\xFF\xFF\xFF", 12) + "DOE",
       ErrorCode::kTruncated},
  };
  for (const BadCase& test : cases) {
    const auto extents = Scan(test.bytes, {});
    ASSERT_FALSE(extents) << test.name;
    EXPECT_EQ(CodeOf(extents.error().code), CodeOf(test.code)) << test.name;
  }
}

// DCMTK's dictionary of private elements may know a sequence here, and would recurse.
TEST(ScanTest2, DeepPrivateSequenceInImplicitVr) {
  for (const bool undefined : {false, true}) {
    const Form form{.explicit_vr = false, .undefined_length = undefined};
    DataSet inside = {};
    for (int i = 0; i < 60; ++i) inside = {Seq({0x0029, 0x1010}, {inside})};
    const auto extents = Scan(Encode(inside, form), {.explicit_vr = false});
    ASSERT_FALSE(extents);
    EXPECT_EQ(extents.error().code, ErrorCode::kTooDeep);
  }
}

TEST(ScanTest2, AnEmptySource) {
  const auto extents = Scan("", {});
  ASSERT_TRUE(extents);
  EXPECT_EQ(extents->head_end, 0U);
}

// The pixel data is not read; of a large file only the beginning is.
TEST(ScanTest2, AFileIsScannedLikeMemory) {
  const testing::Folder folder;
  const std::string head = Encode(WithSequence());
  const std::string bytes = head +
                            Encode({Raw({0x7FE0, 0x0010}, "OW", std::string(300000, 'p')),
                                    Raw({0x7FE1, 0x1001}, "OB", "1234")}) +
                            "rest";
  const auto file = ByteSource::OpenFile(folder.Write("file", bytes));
  ASSERT_TRUE(file);
  const auto extents = ScanDataSet(**file, 0, {});
  ASSERT_TRUE(extents);
  EXPECT_EQ(extents->head_end, head.size());
  EXPECT_EQ(extents->pixels->size, 300000U);
  EXPECT_EQ(extents->after_end, bytes.size() - 4);
  EXPECT_TRUE(extents->trailing_bytes);
  EXPECT_EQ((*file)->Head(head.size()), head);
}

}  // namespace
}  // namespace dcmveil::engine
