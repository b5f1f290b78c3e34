// SPDX-License-Identifier: Apache-2.0
#include "engine/charset.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dcmveil/tag.h"

namespace dcmveil {
namespace {

struct Vector {
  std::string_view terms;
  Vr vr;
  std::string_view bytes;
  std::string_view text;
};

// Splices of literals end a hexadecimal escape before a letter that would continue it.
const std::vector<Vector>& Vectors() {
  static const std::vector<Vector> vectors = {
      // PS3.5 annex H: Japanese.
      {"\\ISO 2022 IR 87", Vr::PN,
       "Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
       "Yamada^Tarou=山田^太郎=やまだ^たろう"},
      {"ISO 2022 IR 13\\ISO 2022 IR 87", Vr::PN,
       "\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J"
       "=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J",
       "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう"},
      // Annex I: Korean.
      {"\\ISO 2022 IR 149", Vr::PN,
       "Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^"
       "\x1b$)C\xb1\xe6\xb5\xbf",
       "Hong^Gildong=洪^吉洞=홍^길동"},
      {"\\ISO 2022 IR 149", Vr::LT, "One\r\n\x1b$)C\xb1\xe6 \xb5\xbf\r\n\x1b$)C\xc8\xab two",
       "One\r\n길 동\r\n홍 two"},
      // Annex J: Chinese in UTF-8, GB18030 and GBK.
      {"ISO_IR 192", Vr::PN,
       "Wang^XiaoDong=\xe7\x8e\x8b^\xe5\xb0\x8f\xe4\xb8\x9c=", "Wang^XiaoDong=王^小东="},
      {"GB18030", Vr::PN, "Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=", "Wang^XiaoDong=王^小东="},
      {"GBK", Vr::PN, "Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=", "Wang^XiaoDong=王^小东="},
      // Annex K: Chinese in GB 2312.
      {"\\ISO 2022 IR 58", Vr::PN,
       "Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab=", "Zhang^XiaoDong=张^小东="},
      {"\\ISO 2022 IR 58", Vr::LT,
       "\x1b$)A\xb5\xda\xd2\xbb\xd0\xd0\xce\xc4\xd7\xd6\xa1\xa3\r\n"
       "\x1b$)A\xb5\xda\xb6\xfe\xd0\xd0\xce\xc4\xd7\xd6\xa1\xa3\r\n",
       "第一行文字。\r\n第二行文字。\r\n"},
      // Single-byte sets.
      {"ISO_IR 100", Vr::PN, "M\xfcller^J\xf6rg", "Müller^Jörg"},
      {"ISO_IR 101", Vr::PN, "Wa\xb3\xeasa", "Wałęsa"},
      {"ISO_IR 144", Vr::PN, "\xb7\xd2\xd5\xe0\xd5\xd2", "Зверев"},
      {"ISO_IR 144", Vr::PN,
       "\xbb\xee\xda"
       "ce\xdc\xd1yp\xd3",
       "Люкceмбypг"},
      {"ISO_IR 126", Vr::PN, "\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2", "Διονυσιος"},
      {"ISO_IR 127", Vr::PN, "\xe2\xc8\xc7\xe6\xea^\xe4\xe6\xd2\xc7\xd1", "قباني^لنزار"},
      {"ISO_IR 138", Vr::PN, "\xf9\xf8\xe5\xef^\xe3\xe1\xe5\xf8\xe4", "שרון^דבורה"},
      {"ISO_IR 148", Vr::PN,
       "\xc7"
       "avu\xfeo\xf0lu",
       "Çavuşoğlu"},
      {"ISO_IR 166", Vr::PN, "\xe4\xb7\xc2", "ไทย"},
      {"ISO_IR 203", Vr::LO, "\xa4 100", "€ 100"},
      {"ISO_IR 13", Vr::PN, "\xd4\xcf\xc0\xde^\xc0\xdb\xb3", "ﾔﾏﾀﾞ^ﾀﾛｳ"},
      // Code extensions among single-byte sets, several values, return to value 1's set.
      {"ISO 2022 IR 100\\ISO 2022 IR 144", Vr::LO, "\xe9\x1b-L\xb7\x1b-A\\x\xe9", "éЗ\\xé"},
      {"\\ISO 2022 IR 126", Vr::LO, "Dionysios is \x1b-F\xc4\xe9\xef\xed\\\x1b-F\xc4",
       "Dionysios is Διον\\Δ"},
      {"ISO 2022 IR 6\\ISO 2022 IR 100\\ISO 2022 IR 144", Vr::UC, "\x1b-A\xfc\x1b-L\xb7", "üЗ"},
      {"\\ISO 2022 IR 13", Vr::SH, "\x1b)I\xd4", "ﾔ"},
      {"\\ISO 2022 IR 166", Vr::SH, "\x1b-T\xe4", "ไ"},
      // A backslash is a character in LT, but there too control characters end a set.
      {"\\ISO 2022 IR 87", Vr::LT, "\x1b$B;3\x1b(B\\\x1b$BED\x1b(B\ta", "山\\田\ta"},
      // JIS X 0212 and JIS X 0208 together.
      {"\\ISO 2022 IR 87\\ISO 2022 IR 159", Vr::LO, "\x1b$B;3\x1b$(D0!\x1b$BED\x1b(B", "山丂田"},
      {"ISO 2022 IR 13\\ISO 2022 IR 87", Vr::LO, "a\\b~c\xb1", "a\\b~cｱ"},
  };
  return vectors;
}

TEST(CharsetTest, VectorsBothWays) {
  for (const Vector& v : Vectors()) {
    const Charset charset = Charset::FromTerms(v.terms);
    EXPECT_TRUE(charset.known()) << v.terms;
    const auto decoded = charset.Decode(v.bytes, v.vr);
    EXPECT_EQ(decoded.text, v.text) << v.terms;
    EXPECT_TRUE(decoded.exact) << v.terms << " " << v.text;
    const auto encoded = charset.Encode(v.text, v.vr);
    ASSERT_TRUE(encoded.has_value()) << v.terms << " " << v.text;
    EXPECT_EQ(*encoded, v.bytes) << v.terms << " " << v.text;
  }
}

TEST(CharsetTest, CopiesWorkAlone) {
  Charset charset = Charset::FromTerms("ISO_IR 144");
  EXPECT_EQ(charset.Decode("\xb7", Vr::LO).text, "З");
  const Charset copy = charset;
  EXPECT_EQ(copy.Decode("\xb7", Vr::LO).text, "З");
  charset = Charset::FromTerms("ISO_IR 126");
  EXPECT_EQ(charset.Decode("\xc4", Vr::LO).text, "Δ");
  EXPECT_EQ(copy.Decode("\xb7", Vr::LO).text, "З");
  const Charset moved = std::move(charset);
  EXPECT_EQ(moved.Decode("\xc4", Vr::LO).text, "Δ");
}

TEST(CharsetTermsTest, DirtySpellings) {
  for (const std::string_view terms :
       {"ISO_IR 100", "ISO-IR 100", "ISO IR 100", "ISO_IR100", "iso_ir 100", " ISO_IR 100 ",
        "ISO_IR_100", "ISO 2022 IR 100", "ISO_2022_IR_100", "ISO2022IR100", "ISO 2022 100"}) {
    const Charset charset = Charset::FromTerms(terms);
    EXPECT_TRUE(charset.known()) << terms;
    EXPECT_EQ(charset.Decode("\xfc", Vr::LO).text, "ü") << terms;
    EXPECT_TRUE(charset.Decode("\xfc", Vr::LO).exact) << terms;
  }
  for (const std::string_view terms : {"ISO_IR 192", "iso ir 192", "\\ISO_IR 192", "UTF-8",
                                       "ISO_IR 192\\ISO 2022 IR 87", "ISO_IR 6\\ISO_IR 192"}) {
    EXPECT_TRUE(Charset::FromTerms(terms).known()) << terms;
    EXPECT_TRUE(Charset::FromTerms(terms).is_utf8()) << terms;
  }
  EXPECT_EQ(Charset::FromTerms("gb 18030").Decode("\xcd\xf5", Vr::LO).text, "王");
  EXPECT_EQ(Charset::FromTerms("ISO 2022 GBK").Decode("\xcd\xf5", Vr::LO).text, "王");
  for (const std::string_view terms :
       {"\\ISO 2022 IR 149", "ISO 2022 IR 149", "ISO_IR 149", "ISO_IR 6\\ISO_IR 149"}) {
    EXPECT_EQ(Charset::FromTerms(terms).Encode("홍", Vr::LO), "\x1b$)C\xc8\xab") << terms;
  }
  for (const std::string_view terms :
       std::initializer_list<std::string_view>{"", " ", "\\", "ISO_IR 6", "ISO 2022 IR 6",
                                               "iso 2022 ir 6 ", std::string_view("\0", 1)}) {
    EXPECT_TRUE(Charset::FromTerms(terms).known());
    EXPECT_TRUE(Charset::FromTerms(terms).is_default());
  }
}

TEST(CharsetTermsTest, Unknown) {
  for (const std::string_view terms :
       {"ISO_IR 99", "ISO_IR", "100", "X", "ISO_IR 14", "ISO 2022 IR 100\\FOO", "IR", "ISO",
        "ISO_IR 100\\ISO_IR 192", "ISO 2022 IR 100\\GB18030", "ISO_IR 192\\FOO", "ISO_IR/100"}) {
    EXPECT_FALSE(Charset::FromTerms(terms).known()) << terms;
  }
  // The other terms work on.
  const Charset charset = Charset::FromTerms("ISO 2022 IR 100\\FOO");
  EXPECT_EQ(charset.Decode("\xfc", Vr::LO).text, "ü");
  EXPECT_FALSE(Charset::FromTerms("FOO").Decode("\xfc", Vr::LO).exact);
}

TEST(CharsetTermsTest, Predicates) {
  EXPECT_TRUE(Charset().is_default());
  EXPECT_FALSE(Charset::FromTerms("ISO_IR 100").is_default());
  EXPECT_FALSE(Charset::FromTerms("ISO_IR 13").is_default());
  EXPECT_FALSE(Charset::FromTerms("\\ISO 2022 IR 87").is_default());
  for (const std::string_view terms : {"", "ISO_IR 100", "ISO_IR 192", "ISO_IR 13"}) {
    EXPECT_TRUE(Charset::FromTerms(terms).ascii_bytes_stand_alone()) << terms;
  }
  for (const std::string_view terms : {"GBK", "GB18030", "\\ISO 2022 IR 87"}) {
    EXPECT_FALSE(Charset::FromTerms(terms).ascii_bytes_stand_alone()) << terms;
  }
}

TEST(CharsetTest, PlainAscii) {
  for (std::size_t size = 0; size < 40; ++size) {
    std::string text(size, 'a');
    EXPECT_TRUE(Charset::IsPlainAscii(text));
    for (std::size_t i = 0; i < size; ++i) {
      for (int c = 0; c < 256; ++c) {
        text[i] = static_cast<char>(static_cast<unsigned char>(c));
        ASSERT_EQ(Charset::IsPlainAscii(text), c < 0x80 && c != 0x1b) << size << " " << i;
      }
      text[i] = 'a';
    }
  }
}

TEST(CharsetTest, EverySingleByteSetRoundTrips) {
  const std::vector<std::pair<std::string, int>> sets = {
      {"100", 96}, {"101", 96}, {"109", 89}, {"110", 96}, {"144", 96}, {"127", 51},
      {"126", 93}, {"138", 60}, {"148", 96}, {"203", 96}, {"166", 87}, {"13", 63}};
  for (const auto& [number, defined] : sets) {
    for (const std::string& terms :
         {"ISO_IR " + number, "ISO 2022 IR " + number, "\\ISO 2022 IR " + number}) {
      const Charset charset = Charset::FromTerms(terms);
      const bool escaped = terms[0] == '\\';
      int count = 0;
      std::string all_bytes;
      std::string all_text;
      for (int c = 0; c < 256; ++c) {
        if (c == 0x1b) continue;
        std::string byte(1, static_cast<char>(static_cast<unsigned char>(c)));
        if (escaped && c >= 0x80) {
          // The escape sequence that the set itself asks for.
          const auto sample = charset.Encode(number == "13"    ? "ｱ"
                                             : number == "166" ? "ก"
                                             : number == "127" ? "م"
                                             : number == "144" ? "Ж"
                                             : number == "126" ? "Ω"
                                             : number == "138" ? "א"
                                             : number == "203" ? "€"
                                                               : "ß",
                                             Vr::LO);
          ASSERT_TRUE(sample.has_value()) << terms;
          byte.insert(0, sample->substr(0, 3));
        }
        const auto decoded = charset.Decode(byte, Vr::LO);
        EXPECT_EQ(decoded.text.empty(), false);
        if (!decoded.exact) {
          // As Latin-1.
          EXPECT_EQ(decoded.text,
                    Charset::FromTerms("").Decode(byte.substr(byte.size() - 1), Vr::LO).text);
          continue;
        }
        EXPECT_EQ(charset.Encode(decoded.text, Vr::LO), byte) << terms << " " << c;
        if (c >= 0x80) ++count;
        if (!escaped) {
          all_bytes += byte;
          all_text += decoded.text;
        }
      }
      EXPECT_EQ(count, defined) << terms;
      EXPECT_EQ(charset.Decode(all_bytes, Vr::LT).text, all_text);
      EXPECT_EQ(charset.Encode(all_text, Vr::LT), all_bytes);
    }
  }
}

// Every pair of every two-byte set: what is defined must come back as it was.
TEST(CharsetTest, EveryPairOfTheTwoByteSetsRoundTrips) {
  struct Case {
    std::string_view terms;
    std::string_view before;
    std::string_view after;
    unsigned high;
    int least;
  };
  for (const Case& c : {Case{"\\ISO 2022 IR 87", "\x1b$B", "\x1b(B", 0, 6879},
                        Case{"ISO 2022 IR 13\\ISO 2022 IR 87", "\x1b$B", "\x1b(J", 0, 6879},
                        Case{"\\ISO 2022 IR 159", "\x1b$(D", "\x1b(B", 0, 6067},
                        Case{"\\ISO 2022 IR 149", "\x1b$)C", "", 0x80, 8224},
                        Case{"\\ISO 2022 IR 58", "\x1b$)A", "", 0x80, 7445}}) {
    const Charset charset = Charset::FromTerms(c.terms);
    int count = 0;
    std::string bytes(c.before);
    std::string text;
    for (unsigned row = 0x21; row <= 0x7E; ++row) {
      for (unsigned cell = 0x21; cell <= 0x7E; ++cell) {
        const std::string pair{static_cast<char>(static_cast<unsigned char>(row | c.high)),
                               static_cast<char>(static_cast<unsigned char>(cell | c.high))};
        const std::string one = std::string(c.before).append(pair).append(c.after);
        const auto decoded = charset.Decode(one, Vr::PN);
        if (!decoded.exact) continue;
        ++count;
        ASSERT_EQ(charset.Encode(decoded.text, Vr::PN), one) << decoded.text;
        bytes += pair;
        text += decoded.text;
      }
    }
    EXPECT_GE(count, c.least) << c.terms;
    EXPECT_LE(count, c.least + 10) << c.terms;
    bytes += c.after;
    EXPECT_EQ(charset.Decode(bytes, Vr::LO).text, text);
    EXPECT_EQ(charset.DecodeValues(bytes, Vr::LO).values.size(), 1U);
    EXPECT_EQ(charset.Encode(text, Vr::LO), bytes);
  }
}

TEST(CharsetTest, Gb18030AndGbkRoundTrip) {
  for (const std::string_view terms : {"GB18030", "GBK"}) {
    const Charset charset = Charset::FromTerms(terms);
    int count = 0;
    for (unsigned lead = 0x81; lead <= 0xFE; ++lead) {
      for (unsigned trail = 0x40; trail <= 0xFE; ++trail) {
        const std::string pair{static_cast<char>(static_cast<unsigned char>(lead)),
                               static_cast<char>(static_cast<unsigned char>(trail))};
        const auto decoded = charset.Decode(pair, Vr::LO);
        if (!decoded.exact) continue;
        ++count;
        ASSERT_EQ(charset.Encode(decoded.text, Vr::LO), pair) << decoded.text;
        EXPECT_EQ(charset.DecodeValues(pair, Vr::LO).values.size(), 1U);
      }
    }
    EXPECT_GE(count, 21000) << terms;
  }
  const Charset charset = Charset::FromTerms("GB18030");
  EXPECT_EQ(charset.Decode("\x90\x30\x81\x30", Vr::LO).text, "\U00010000");
  EXPECT_EQ(charset.Encode("\U0001F600ü\u0080", Vr::LO),
            "\x94\x39\xFC\x36\xA8\xB9\x81\x30\x81\x30");
  EXPECT_FALSE(Charset::FromTerms("GBK").Encode("\U0001F600", Vr::LO).has_value());
}

TEST(CharsetTest, BackslashAsSecondByteIsNoDelimiter) {
  // U+4E57 is 81 5C in GBK and GB18030.
  for (const std::string_view terms : {"GB18030", "GBK"}) {
    const Charset charset = Charset::FromTerms(terms);
    const auto split = charset.DecodeValues("\x81\\\\a\\\x81\\", Vr::LO);
    EXPECT_TRUE(split.exact);
    EXPECT_EQ(split.values, (std::vector<std::string>{"乗", "a", "乗"})) << terms;
    EXPECT_EQ(charset.Encode("乗\\a\\乗", Vr::LO), "\x81\\\\a\\\x81\\");
  }
  // 21 5C of JIS X 0208 is the plus sign of full width; 5C 21 begins with the byte.
  const Charset japanese = Charset::FromTerms("\\ISO 2022 IR 87");
  const auto split = japanese.DecodeValues("\x1b$B!\\\\!\x1b(B\\\x1b$B!\\\x1b(B", Vr::LO);
  EXPECT_TRUE(split.exact);
  EXPECT_EQ(split.values, (std::vector<std::string>{"＋棔", "＋"}));
  // The bytes of '^' and '=' as well.
  const auto name = japanese.Decode("\x1b$B!^!=\x1b(B^x", Vr::PN);
  EXPECT_TRUE(name.exact);
  EXPECT_EQ(name.text, "±―^x");
}

TEST(CharsetTest, Values) {
  const Charset charset = Charset::FromTerms("ISO_IR 100");
  using Values = std::vector<std::string>;
  EXPECT_EQ(charset.DecodeValues("", Vr::LO).values, Values{});
  EXPECT_EQ(charset.DecodeValues("a", Vr::LO).values, Values{"a"});
  EXPECT_EQ(charset.DecodeValues("\\", Vr::LO).values, (Values{"", ""}));
  EXPECT_EQ(charset.DecodeValues("\xfc\\b\\", Vr::PN).values, (Values{"ü", "b", ""}));
  EXPECT_EQ(charset.DecodeValues("\xfc\\b", Vr::LT).values, Values{"ü\\b"});
  EXPECT_EQ(charset.DecodeValues("ORIGINAL\\PRIMARY", Vr::CS).values,
            (Values{"ORIGINAL", "PRIMARY"}));
}

TEST(CharsetTest, IllegalBytesAreLatin1) {
  const auto inexact = [](std::string_view terms, std::string_view bytes, std::string_view text) {
    const auto decoded = Charset::FromTerms(terms).Decode(bytes, Vr::LO);
    EXPECT_FALSE(decoded.exact) << terms << " " << text;
    EXPECT_EQ(decoded.text, text) << terms;
  };
  inexact("", "M\xfcller", "Müller");
  inexact("ISO_IR 192", "M\xfcller", "Müller");
  inexact("ISO_IR 192", "\xc3", "Ã");
  inexact("ISO_IR 192", "\xc0\x80", "À\u0080");
  inexact("ISO_IR 192", "\xed\xa0\x80", "í\u00a0\u0080");
  inexact("ISO_IR 192", "\xf4\x90\x80\x80z", "ô\u0090\u0080\u0080z");
  inexact("ISO_IR 192", "\xe4\xb8zü", "ä¸zü");
  inexact("ISO_IR 100", "a\x80", "a\u0080");
  inexact("ISO_IR 127", "\xa1", "¡");
  inexact("ISO_IR 13", "\xe0", "à");
  inexact("GB18030", "\x81", "\u0081");
  inexact("GB18030", "\xff\\a", "ÿ\\a");
  inexact("GB18030", "\x81\x30\x81",
          "\u0081"
          "0\u0081");
  inexact("GBK", "\x80\\a", "\u0080\\a");
  inexact("GBK", "\x81 x", "\u0081 x");
  inexact("\\ISO 2022 IR 149", "\x1b$)C\xc8", "È");
  inexact("\\ISO 2022 IR 149", "\x1b$)C\xc8z\xc8\xab", "Èz홍");
  // No return from JIS X 0208 before a control character or the end; half a pair; no such pair.
  inexact("\\ISO 2022 IR 87", "\x1b$B;3\r\nED", "山\r\nED");
  inexact("\\ISO 2022 IR 87", "\x1b$B;3", "山");
  inexact("\\ISO 2022 IR 87", "\x1b$B;3 ", "山 ");
  inexact("\\ISO 2022 IR 87", "\x1b$B;3E\x1b(B", "山E");
  inexact("\\ISO 2022 IR 87", "\x1b$B~~\x1b(B", "~~");
  // Escape sequences: unknown, cut off, of a set that is not declared, without code extensions.
  inexact("\\ISO 2022 IR 87", "\x1b$Xab", "\x1b$Xab");
  inexact("\\ISO 2022 IR 87", "a\x1b", "a\x1b");
  inexact("\\ISO 2022 IR 87", "\x1b$)C\xc8\xab", "홍");
  inexact("ISO_IR 100", "\x1b$B;3\x1b(B", "山");
  inexact("ISO_IR 192", "\x1b(Ba", "\x1b(Ba");
  inexact("GBK", "\x1b(Ba", "\x1b(Ba");
  // The set was not designated again after the delimiter, or never.
  inexact("\\ISO 2022 IR 149", "\x1b$)C\xc8\xab\\\xc8\xab", "홍\\홍");
  inexact("ISO 2022 IR 149", "\xc8\xab", "홍");
  inexact("\\ISO 2022 IR 100", "\xfc", "ü");
}

TEST(CharsetTest, VrsWithoutCharacterSets) {
  const Charset charset = Charset::FromTerms("ISO_IR 192");
  EXPECT_TRUE(charset.Decode("ABC", Vr::CS).exact);
  const auto decoded = charset.Decode("Müller", Vr::CS);
  EXPECT_EQ(decoded.text, "Müller");
  EXPECT_FALSE(decoded.exact);
  EXPECT_EQ(charset.Encode("ABC", Vr::CS), "ABC");
  EXPECT_FALSE(charset.Encode("ü", Vr::CS).has_value());
  EXPECT_FALSE(charset.Encode("http://ü", Vr::UR).has_value());
  EXPECT_EQ(charset.Encode("ü", Vr::UT), "ü");
}

TEST(CharsetTest, NoRepresentation) {
  for (const auto& [terms, text] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"", "ü"},
           {"ISO_IR 100", "Ж"},
           {"ISO_IR 100", "a\u0085"},
           {"ISO_IR 144", "ü"},
           {"\\ISO 2022 IR 87", "ﾔ"},
           {"\\ISO 2022 IR 87", "\u00a5"},
           {"ISO 2022 IR 13\\ISO 2022 IR 87", "\u00a5"},
           {"\\ISO 2022 IR 149", "\u20a9"},
           {"\\ISO 2022 IR 58", "ü\U0001F600"},
           {"ISO_IR 100", "tag \U000E0041"},
           {"ISO_IR 100", "\xc3"},
           {"ISO_IR 192", "\xfc"},
           {"ISO_IR 192", "ü\x1b(B"},
           {"ISO_IR 192", "a\x1b(B"},
           {"", "a\x1b"},
           {"\\ISO 2022 IR 87", "\x1b$B;3\x1b(B"},
           {"GB18030", "\xff"},
           {"GB18030", "\x1b"}}) {
    EXPECT_FALSE(Charset::FromTerms(terms).Encode(text, Vr::LO).has_value()) << terms << text;
  }
}

TEST(CharsetTest, YenAndOverline) {
  const Charset charset = Charset::FromTerms("ISO_IR 13");
  EXPECT_EQ(charset.Encode("¥100‾ｱ", Vr::LT), "\\100~\xb1");
  EXPECT_FALSE(charset.Encode("¥100", Vr::LO).has_value());
  EXPECT_EQ(charset.Decode("\\100~\xb1", Vr::LT).text, "\\100~ｱ");
}

// Random bytes, biased towards escape sequences and delimiters.
TEST(CharsetTest, RandomInputKeepsItsProperties) {
  const std::vector<std::string_view> terms = {
      "",
      "ISO_IR 100",
      "ISO_IR 192",
      "GB18030",
      "GBK",
      "ISO_IR 13",
      "\\ISO 2022 IR 87",
      "ISO 2022 IR 13\\ISO 2022 IR 87\\ISO 2022 IR 159",
      "\\ISO 2022 IR 149",
      "\\ISO 2022 IR 58",
      "ISO 2022 IR 100\\ISO 2022 IR 144\\ISO 2022 IR 87",
      "\\ISO 2022 IR 149\\ISO 2022 IR 87\\ISO 2022 IR 13\\ISO 2022 IR 166"};
  const std::vector<std::string_view> pieces = {
      "\x1b$B", "\x1b(B",   "\x1b(J",   "\x1b$(D", "\x1b$)C", "\x1b$)A", "\x1b-A", "\x1b-L",
      "\x1b)I", "\x1b-T",   "\x1b",     "\\",      "^",       "=",       "\r\n",   " ",
      ";3",     "\xc8\xab", "\xb0\xa1", "ü",       "a",       "\xb7",    "\x81\\", "~"};
  std::mt19937 random(20240607);
  int exact_count = 0;
  const Charset utf8 = Charset::FromTerms("ISO_IR 192");
  for (const std::string_view value : terms) {
    const Charset charset = Charset::FromTerms(value);
    for (int round = 0; round < 3000; ++round) {
      std::string bytes;
      const std::size_t count = random() % 8;
      for (std::size_t i = 0; i < count; ++i) {
        if (random() % 6 == 0) {
          bytes.push_back(static_cast<char>(static_cast<unsigned char>(random() & 0xFFU)));
        } else {
          bytes += pieces[random() % pieces.size()];
        }
      }
      for (const Vr vr : {Vr::PN, Vr::LO, Vr::LT}) {
        const auto decoded = charset.Decode(bytes, vr);
        std::string without_escapes = decoded.text;
        std::erase(without_escapes, '\x1b');
        ASSERT_TRUE(utf8.Decode(without_escapes, vr).exact);
        std::string joined;
        const auto split = charset.DecodeValues(bytes, vr);
        for (std::size_t i = 0; i < split.values.size(); ++i) {
          if (i > 0) joined += '\\';
          joined += split.values[i];
        }
        ASSERT_EQ(joined, decoded.text);
        ASSERT_EQ(split.exact, decoded.exact);
        if (!decoded.exact) continue;
        ++exact_count;
        const auto encoded = charset.Encode(decoded.text, vr);
        ASSERT_TRUE(encoded.has_value()) << value << " " << decoded.text;
        const auto again = charset.Decode(*encoded, vr);
        ASSERT_TRUE(again.exact);
        ASSERT_EQ(again.text, decoded.text);
        // What Encode wrote is in canonical form.
        ASSERT_EQ(charset.Encode(again.text, vr), *encoded);
        if (bytes.find('\x1b') == std::string::npos) {
          ASSERT_EQ(*encoded, bytes);
        }
      }
    }
  }
  EXPECT_GT(exact_count, 5000);
}

}  // namespace
}  // namespace dcmveil
