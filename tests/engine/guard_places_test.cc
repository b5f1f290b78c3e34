// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/guard/guard.h"
#include "tests/support/rules.h"

namespace dcmveil::testing {
namespace {

using namespace std::string_literals;  // NOLINT(google-build-using-namespace)

constexpr Tag kDescription{0x0008, 0x1030};
constexpr const char* kStrip = R"y(
guard: on
rules:
  - {tag: "(0029,xxxx)", action: keep}
  - {vr: PN, action: redact}
  - {tag: [PatientID, AccessionNumber, PatientAddress, PatientTelephoneNumbers, InstitutionName,
           PatientBirthDate], action: remove}
  - {vr: UI, action: refresh-uid}
)y";
constexpr std::string_view kStudyUid = "1.2.276.0.7230010.3.1.2.4711";

/// Somebody of whom every kind of identifier is known. ISO_IR 100.
DataSet Person(const DataSet& more) {
  return With(SmallCt(), With({Text({0x0008, 0x0050}, "SH", "A20261177"),
                               Text({0x0008, 0x0080}, "LO", "Klinikum Sonnenh\xFCgel"),
                               Text({0x0008, 0x0090}, "PN", "Przybilla^Anton"),
                               Text({0x0010, 0x0010}, "PN", "M\xFCstermann^Liesel"),
                               Text({0x0010, 0x0020}, "LO", "KH-4711-0815"),
                               Text({0x0010, 0x0030}, "DA", "19620319"),
                               Text({0x0010, 0x1040}, "LO", "Lindenweg 17, 79098 Freiburg"),
                               Text({0x0010, 0x2154}, "SH", "+49 761 5550123"),
                               Text({0x0020, 0x000D}, "UI", kStudyUid)},
                              more));
}

/// What the guard says of the instance: "" if it found nothing.
std::string Guarded(const Sent& sent) {
  if (sent.ok) return "";
  EXPECT_EQ(sent.Failure(), "identifier-left");
  return sent.error.where;
}

std::string Guarded(const DataSet& more, const char* rules = kStrip) {
  return Guarded(Send(rules, Person(more)));
}

std::string Utf16(std::string_view latin1, bool big_endian) {
  std::string wide;
  for (const char c : latin1) {
    if (big_endian) wide.push_back('\0');
    wide.push_back(c);
    if (!big_endian) wide.push_back('\0');
  }
  return wide;
}

TEST(GuardPlaces, CleanInstancesPass) {
  EXPECT_EQ(Guarded(DataSet{}), "");
  EXPECT_EQ(Guarded({Text(kDescription, "LO", "MR Knie links, Kontrolle")}), "");
}

TEST(GuardPlaces, FindsEveryKindInEverySpelling) {
  struct Case {
    const char* text;
    const char* kind;
  };
  for (const auto& [text, kind] : std::vector<Case>{
           {"Knie M\xFCstermann", "person name"},
           {"M\xDCSTERMANN", "person name"},
           {"Knie Muestermann links", "person name"},
           {"knie mustermann", "person name"},
           {"Knie (LIESEL)", "person name"},
           {"liesel_muestermann", "person name"},
           {"MuestermannLiesel", "person name"},
           {"for Dr. Przybilla", "person name"},
           {"KH-4711-0815", "ID"},
           {"kh47110815", "ID"},
           {"order KH 4711 0815 x", "ID"},
           {"A20261177", "ID"},
           {"a2026-1177", "ID"},
           {"born 19620319", "birth date"},
           {"19.03.1962", "birth date"},
           {"03/19/1962", "birth date"},
           {"3/19/62", "birth date"},
           {"1962-03-19", "birth date"},
           {"19 March 1962", "birth date"},
           {"Mar 19, 1962", "birth date"},
           {"19-MAR-62", "birth date"},
           {"LINDENWEG 17", "address"},
           {"Lindenweg 17 79098 Freiburg", "address"},
           {"tel +49 761 5550123", "telephone or e-mail"},
           {"49-761-555-0123", "telephone or e-mail"},
           {"KLINIKUM SONNENH\xDCGEL", "institution"},
           {"Klinikum Sonnenhuegel", "institution"},
           {"study 1.2.276.0.7230010.3.1.2.4711", "UID"},
       }) {
    EXPECT_EQ(Guarded({Text(kDescription, "LO", text)}), "(0008,1030): "s + kind) << text;
  }
}

TEST(GuardPlaces, IsNotAlarmedByOtherWordsAndNumbers) {
  for (const char* text : {
           "Lieselotte",                     // a longer word
           "0815",                           // part of an ID
           "47110815",                       // the ID without its letters
           "20190319",                       // another date
           "1.2.276.0.7230010.3.1.2.47112",  // a longer UID
           "1.2.276.0.7230010.3.1.24.711",   // a UID with the same digits
           "Klinikum",                       // any hospital
           "Freiburg",                       // the town alone
           "doe jane",                       // somebody else
       }) {
    EXPECT_EQ(Guarded({Text(kDescription, "LO", text)}), "") << text;
  }
}

TEST(GuardPlaces, LooksEverywhereInEveryTransferSyntax) {
  const std::string name = "Liesel";
  struct Case {
    Elem elem;
    const char* where;
  };
  const Elem creator = Raw({0x0029, 0x0010}, "LO", "ACME");
  for (const auto& [elem, where] : std::vector<Case>{
           {Text({0x0020, 0x4000}, "LT", "a " + name), "(0020,4000): person name"},
           {Text({0x0029, 0x1001}, "LO", name), "(0029,1001): person name"},
           {Raw({0x0029, 0x1001}, "OB", "\x01\x02\0"s + name + "\0\x03\x04"s),
            "(0029,1001): person name"},
           {Raw({0x0029, 0x1001}, "UN", "\x01\x02 "s + name + " \x03\x04"s),
            "(0029,1001): person name"},
           {Raw({0x0042, 0x0011}, "OB", "%PDF-1.4 (" + name + ") Tj. "),
            "(0042,0011): person name"},
           {Seq({0x0040, 0x0275}, {{}, {Text({0x0040, 0x0007}, "LO", name)}}),
            "(0040,0275)[1].(0040,0007): person name"},
           {Seq({0x0040, 0x0275},
                {{Seq({0x0040, 0x0008}, {{Text({0x0008, 0x0104}, "LO", name)}})}}),
            "(0040,0275)[0].(0040,0008)[0].(0008,0104): person name"},
       }) {
    for (const Syntax& syntax : kSyntaxes) {
      DataSet more = {elem, NativePixels()};
      if (elem.tag.is_private()) more.push_back(creator);
      EXPECT_EQ(Guarded(Send(kStrip, Person(more), syntax)), where) << syntax.name;
    }
  }
}

TEST(GuardPlaces, ReadsUtf8Utf16AndTheInstancesOwnCharacters) {
  const Tag tag{0x0029, 0x1001};
  const Elem creator = Raw({0x0029, 0x0010}, "LO", "ACME");
  for (const std::string& bytes : {"M\xC3\xBCstermann"s, "M\xC3\x9CSTERMANN "s, "M\xFCstermann "s,
                                   Utf16("M\xFCstermann", false), Utf16("Liesel", false),
                                   Utf16("LIESEL", true), Utf16("KH-4711-0815", true)}) {
    EXPECT_EQ(Guarded({creator, Raw(tag, "OB", bytes + std::string(bytes.size() % 2, ' '))})
                  .substr(0, 12),
              "(0029,1001):")
        << bytes.size();
  }
  // Cyrillic in ISO_IR 144 as the instance has it, and in UTF-8 and UTF-16 inside private bytes.
  const std::string ivanova = "\xB8\xD2\xD0\xDD\xDE\xD2\xD0";
  for (const std::string& bytes :
       {ivanova, "\xD0\x98\xD0\xB2\xD0\xB0\xD0\xBD\xD0\xBE\xD0\xB2\xD0\xB0"s,
        "\x18\x04\x32\x04\x30\x04\x3D\x04\x3E\x04\x32\x04\x30\x04"s,
        "\xB8\xB2\xB0\xBD\xBE\xB2\xB0"s}) {
    EXPECT_EQ(Guarded({Text({0x0008, 0x0005}, "CS", "ISO_IR 144"),
                       Text({0x0008, 0x0080}, "LO", "X"), Text({0x0010, 0x0010}, "PN", ivanova),
                       creator, Raw(tag, "OB", bytes + std::string(bytes.size() % 2, ' '))}),
              "(0029,1001): person name");
  }
  // Japanese by ISO 2022 escapes: no blanks stand around a name.
  const std::string yamada = "\x1B$B;3ED\x1B(B";
  EXPECT_EQ(
      Guarded({Text({0x0008, 0x0005}, "CS", "\\ISO 2022 IR 87"), Text({0x0008, 0x0080}, "LO", "X"),
               Text({0x0010, 0x0010}, "PN", "Yamada^Tarou=" + yamada + "^\x1B$BB@O:\x1B(B"),
               Text(kDescription, "LO", "x " + yamada)}),
      "(0008,1030): person name");
}

TEST(GuardPlaces, ReadsTheTextOfCompressedFrames) {
  const auto jpeg = [](const std::string& comment, const std::string& frame) {
    const auto length = static_cast<char>(comment.size() + 2);
    return "\xFF\xD8\xFF\xFE\0"s + length + comment + "\xFF\xDA\0\x02"s + frame + "\xFF\xD9"s;
  };
  const auto guarded = [](const std::string& frame) {
    return Guarded(Send(kStrip, Person({Fragments({"", frame})}), kJpeg));
  };
  EXPECT_EQ(guarded(jpeg("of Liesel!", "frame.")), "(7FE0,0010): person name");
  EXPECT_EQ(guarded(jpeg("of someone", "frame.")), "");
  // Pixels are not text.
  EXPECT_EQ(guarded(jpeg("of someone", "Liesel")), "");
  const std::string j2k =
      "\xFF\x4F\xFF\x51\0\x04xx\xFF\x64\0\x0A\0\x01Liesel\xFF\x90\0\x04xx\xFF\xD9"s;
  EXPECT_EQ(guarded(j2k), "(7FE0,0010): person name");
  // A comment far behind a long profile.
  const std::string profile = "\xFF\xE2\x3A\x9A"s + std::string(0x3A98, 'p');
  EXPECT_EQ(guarded("\xFF\xD8"s + profile + jpeg("x Liesel x", "").substr(2)),
            "(7FE0,0010): person name");
}

std::string Segment(const std::string& marker, const std::string& text) {
  const auto length = static_cast<char>(text.size() + 2);
  return marker + "\0"s + length + text;
}

TEST(GuardPlaces, ReadsTextAnywhereInAFrame) {
  const std::string com = Segment("\xFF\xFE"s, "of Liesel!");
  const std::string start = "\xFF\xD8"s + Segment("\xFF\xC0"s, "abcd");
  const std::string scan = Segment("\xFF\xDA"s, "scan") + "en\xFF\0tro\xFF\xD0py"s;
  const std::string end = "\xFF\xD9"s;
  // A tile-part of 25 bytes: 12 of SOT, its header, 2 of SOD, image data.
  const std::string comment = Segment("\xFF\x64"s, "\0\x01Liesel"s);
  const auto tile = [](const std::string& header, std::size_t more) {
    const std::string rest = header + "\xFF\x93"s + std::string(more, '\x07');
    return "\xFF\x90\0\x0A\0\0\0\0\0"s + static_cast<char>(12 + rest.size()) + "\0\x01"s + rest;
  };
  const std::string codestream = "\xFF\x4F\xFF\x51\0\x04xx"s;
  const auto box = [](const std::string& type, const std::string& content) {
    return "\0\0\0"s + static_cast<char>(8 + content.size()) + type + content;
  };
  const std::string file = box("jP  ", "\r\n\x87\n");
  const std::vector<std::pair<const char*, std::vector<std::string>>> frames = {
      {"between scans", {start + scan + com + scan + end}},
      {"behind the last scan", {start + scan + com + end}},
      {"behind the image", {start + scan + end + "of Liesel "}},
      {"in a second image", {start + scan + end + start + com + scan + end}},
      {"in the next fragment", {start + scan.substr(0, 9), scan.substr(9) + com + end}},
      {"over two fragments", {start + com.substr(0, 9), com.substr(9) + scan + end}},
      {"in the second frame", {start + scan + end, start + com + scan + end}},
      {"in a tile-part", {codestream + tile("", 5) + tile(comment, 5) + end}},
      {"behind a codestream", {codestream + tile("", 5) + end + "of Liesel "}},
      {"in a box",
       {file + box("xml ", "<x>Liesel</x>") + box("jp2c", codestream + tile("", 5) + end)}},
      {"in a box at the end",
       {file + box("jp2c", codestream + tile("", 5) + end) +
        box("uuid", "0123456789abcdef Liesel")}},
      {"in a codestream in a box", {file + box("jp2c", codestream + comment + tile("", 5) + end)}},
      {"in the offset table", {}},
  };
  for (const auto& [where, fragments] : frames) {
    std::vector<std::string> all = {fragments.empty() ? "of Liesel!" : ""};
    for (std::string fragment : fragments) {
      if (fragment.size() % 2 != 0) fragment.push_back('\0');
      all.push_back(std::move(fragment));
    }
    EXPECT_EQ(Guarded(Send(kStrip, Person({Fragments(all)}), kJpeg)), "(7FE0,0010): person name")
        << where;
  }
  // What is image data says nothing.
  for (const std::string& frame : {start + scan + "Liesel" + end, codestream + tile("", 3) + end}) {
    std::string padded = frame;
    if (padded.size() % 2 != 0) padded.push_back('\0');
    EXPECT_EQ(Guarded(Send(kStrip, Person({Fragments({"", padded})}), kJpeg)), "");
  }
}

TEST(GuardPlaces, ReadsWhatIsNoImageAmongFrames) {
  const std::string name = " Liesel ";
  const std::string jpeg = "\xFF\xD8"s + Segment("\xFF\xC0"s, "abcd");
  const std::string scan = Segment("\xFF\xDA"s, "scan") + "en\xFF\0tro\xFF\xD0py\xFF\xD9"s;
  const std::string siz = "\xFF\x4F\xFF\x51\0\x04xx"s;
  const std::string tile = "\xFF\x90\0\x0A\0\0\0\0\0\x12\0\x01\xFF\x93"s + "data" + "\xFF\xD9"s;
  const std::string open_tile = "\xFF\x90\0\x0A\0\0\0\0\0\0\0\x01\xFF\x93"s + "data" + "\xFF\xD9"s;
  const std::string box = "\0\0\0\x0CjP  \r\n\x87\n"s;
  const auto boxed = [](const std::string& type, const std::string& content) {
    return "\0\0\0"s + static_cast<char>(8 + content.size()) + type + content;
  };
  // SmallCt has 4 x 4 cells: two segments of a run of 16 each.
  const auto rle = [](const std::string& unused, const std::string& between) {
    const auto second = static_cast<unsigned>(66 + between.size());
    return Le32({2, 64, second}) + (unused + std::string(52, '\0')).substr(0, 52) + "\xF1"s + "x" +
           between + "\x0F" + "Liesel 123456789";
  };
  struct Case {
    const char* where;
    std::vector<std::string> fragments;
    bool found = true;
  };
  for (const auto& [where, fragments, found] : std::vector<Case>{
           {"comment behind a fill byte",
            {"\xFF"s + "\xFF\xD8"s + Segment("\xFF\xFE"s, name) + scan}},
           {"comment behind zeros", {"\0\0\xFF\xD8"s + Segment("\xFF\xFE"s, name) + scan}},
           {"a fragment in front", {name, jpeg + scan}},
           {"in front of JPEG", {name + jpeg + scan}},
           {"in front of the second", {jpeg + scan, name + jpeg + scan}},
           {"a comment in the second",
            {jpeg + scan, "\0\0\xFF\xD8"s + Segment("\xFF\xFE"s, name) + scan}},
           {"an extension of JPEG", {jpeg + Segment("\xFF\xF0"s, name) + scan}},
           {"a reserved marker", {jpeg + Segment("\xFF\xC8"s, name) + scan}},
           {"between segments", {jpeg + name + scan}},
           {"a table", {jpeg + Segment("\xFF\xC4"s, name) + scan}, false},
           {"an extension of JPEG 2000", {siz + Segment("\xFF\x76"s, name) + tile}},
           {"a coding style", {siz + Segment("\xFF\x52"s, name) + tile}, false},
           {"in front of JPEG 2000", {name + siz + tile}},
           {"behind zeros", {"\0\0"s + siz + Segment("\xFF\x64"s, "\0\x01"s + name) + tile}},
           {"behind an open tile", {siz + open_tile + name}},
           {"in a second codestream",
            {siz + tile, "\0\0"s + siz + Segment("\xFF\x64"s, "\0\x01"s + name) + tile}},
           {"in a strange box", {box + boxed("jxlc", name) + boxed("jp2c", siz + tile)}},
           {"in no codestream", {box + boxed("jp2c", name)}},
           {"RLE", {rle("", "")}, false},
           {"unused offsets of RLE", {rle(name, "")}},
           {"between segments of RLE", {rle("", name)}},
           {"behind RLE", {rle("", "") + name}},
           {"behind RLE, a fragment", {rle("", ""), name}},
           {"nothing known", {"\x01\x02" + name}},
       }) {
    std::vector<std::string> all = {""};
    for (std::string fragment : fragments) {
      if (fragment.size() % 2 != 0) fragment.push_back('\0');
      all.push_back(std::move(fragment));
    }
    const DataSet image = {Raw({0x0028, 0x0010}, "US", Le16({4})),
                           Raw({0x0028, 0x0011}, "US", Le16({4})), Fragments(all)};
    EXPECT_EQ(Guarded(Send(kStrip, Person(image), kJpeg)), found ? "(7FE0,0010): person name" : "")
        << where;
    const std::string in_item =
        Guarded(Send(kStrip, Person({Seq({0x0088, 0x0200}, {image})}), kJpeg));
    EXPECT_EQ(in_item.substr(0, 26), found ? "(0088,0200)[0].(7FE0,0010)" : "") << where;
  }
}

TEST(GuardPlaces, OnlyPixelDataOfItsGroupIsNoText) {
  const DataSet icon = {Raw({0x0028, 0x0010}, "US", Le16({4})),
                        Raw({0x0028, 0x0011}, "US", Le16({4}))};
  for (const Elem& elem :
       {Raw({0x7FE0, 0x0001}, "OV", "Liesel  "), Raw({0x7FE0, 0x0002}, "OV", "Liesel  "),
        Raw({0x7FE0, 0x0020}, "OW", "Liesel"), Text({0x7FE0, 0x0030}, "LO", "Liesel")}) {
    for (const Syntax& syntax : kSyntaxes) {
      const Elem plain = syntax.big_endian ? Text(elem.tag, "LO", "Liesel") : elem;
      EXPECT_NE(Guarded(Send(kStrip, Person({NativePixels(), plain}), syntax)), "") << syntax.name;
      EXPECT_NE(
          Guarded(Send(kStrip, Person({Seq({0x0088, 0x0200}, {With(icon, {plain})})}), syntax)), "")
          << syntax.name;
    }
  }
}

TEST(GuardPlaces, ReadsWhatIsBehindNativeFrames) {
  const Tag rows{0x0028, 0x0010};
  const auto image = [](const char* frames) {
    return DataSet{Raw({0x0028, 0x0002}, "US", Le16({1})), Text({0x0028, 0x0008}, "IS", frames),
                   Raw({0x0028, 0x0010}, "US", Le16({2})), Raw({0x0028, 0x0011}, "US", Le16({4})),
                   Raw({0x0028, 0x0100}, "US", Le16({8}))};
  };
  const auto pixels = [](std::string_view bytes) {
    return Raw({0x7FE0, 0x0010}, "OB", std::string(8, 'n') + std::string(bytes));
  };
  struct Case {
    const char* name;
    DataSet data_set;
    bool found;
  };
  for (const auto& [name, data_set, found] : std::vector<Case>{
           {"behind the frame", With(image("1"), {pixels("Liesel")}), true},
           {"in the second frame", With(image("2"), {pixels(" Liesel ")}), false},
           {"behind the second frame", With(image(" 2 "), {pixels("12345678LIESEL")}), true},
           {"over the end of the frame",
            With(image("1"), {Raw({0x7FE0, 0x0010}, "OB", " Liesel  M\xFC")}), false},
           {"no rows, short", With(Without(image("1"), {rows}), {pixels(" Liesel ")}), true},
           {"no rows, long",
            With(Without(image("1"), {rows}), {pixels(std::string(70000, ' ') + "Liesel")}), false},
           {"short text in noise", With(image("1"), {pixels("47110815 Hugo")}), false},
       }) {
    for (const Syntax& syntax : kSyntaxes) {
      EXPECT_EQ(Guarded(Send(kStrip, With(Without(Person({}), {rows}), data_set), syntax)),
                found ? "(7FE0,0010): person name" : "")
          << name << syntax.name;
      EXPECT_EQ(Guarded(Send(kStrip, Person({Seq({0x0088, 0x0200}, {data_set})}), syntax)),
                found ? "(0088,0200)[0].(7FE0,0010): person name" : "")
          << name << syntax.name;
    }
  }
}

TEST(GuardPlaces, MoreIdentifiersThanItSearchesAreNoPass) {
  const auto look = [](int count) {
    auto identifiers = std::make_shared<engine::clean::Identifiers>();
    for (int i = 0; i < count; ++i) {
      identifiers->Add(engine::clean::IdentifierKind::kUid, "1.2.3.4." + std::to_string(1000 + i));
    }
    engine::guard::Knowledge knowledge;
    knowledge.identifiers = identifiers;
    return engine::guard::Look(knowledge, {}, {});
  };
  EXPECT_TRUE(look(100000));
  const Status status = look(300000);
  ASSERT_FALSE(status);
  EXPECT_EQ(CodeOf(status.error().code), "too-many-identifiers");
}

TEST(GuardPlaces, FindsOneOfThousandsOfUids) {
  std::string uids;
  for (int i = 1000; i < 21000; ++i) uids += "1.2.3.4." + std::to_string(i) + '\\';
  uids += "1.2.3.4.1";
  if (uids.size() % 2 != 0) uids += '\0';
  const Elem list = Raw({0x0020, 0x0200}, "UI", uids);
  EXPECT_EQ(Guarded(Send(kStrip, Person({list}), kImplicit)), "");
  EXPECT_EQ(
      Guarded(Send(kStrip, Person({list, Text(kDescription, "LO", "1.2.3.4.19876")}), kImplicit)),
      "(0008,1030): UID");
}

TEST(GuardPlaces, BytesThatAreNotAsDeclaredAreFoundAsTheyStand) {
  // Latin-1 and UTF-8 where nothing but ASCII is declared.
  for (const std::string& name : {"M\xFCstermann"s, "M\xC3\xBCstermann"s}) {
    EXPECT_EQ(Guarded({Text({0x0008, 0x0005}, "CS", ""), Text({0x0008, 0x0080}, "LO", "X"),
                       Text({0x0010, 0x0010}, "PN", name), Text(kDescription, "LO", "of " + name)}),
              "(0008,1030): person name");
  }
}

TEST(GuardPlaces, TheMakersNameHidesInstitutionsOnly) {
  const auto named = [](const char* institution, const char* maker) {
    return Guarded({Text({0x0008, 0x0070}, "LO", maker), Text({0x0008, 0x0080}, "LO", institution),
                    Text(kDescription, "LO", "by Vendotron")});
  };
  EXPECT_EQ(named("Vendotron", "Vendotron Medical"), "");
  EXPECT_EQ(named("Vendotron", "Another"), "(0008,1030): institution");
  EXPECT_EQ(named("Another", "Liesel"), "(0008,0070): person name");
}

TEST(GuardPlaces, NamesTheElementAndNeverTheValue) {
  const Sent sent = Send(kStrip, Person({Text(kDescription, "LO", "Liesel KH-4711-0815")}));
  ASSERT_FALSE(sent.ok);
  const std::string message = sent.error.Message();
  EXPECT_NE(message.find("(0008,1030)"), std::string::npos);
  EXPECT_EQ(message.find("iesel"), std::string::npos);
  EXPECT_EQ(message.find("4711"), std::string::npos);
}

TEST(GuardPlaces, WhatARuleKeepsIsNoLeak) {
  const std::string keeps = R"(
guard: on
rules:
  - {tag: [ReferringPhysicianName, PatientBirthDate, StudyInstanceUID], action: keep}
)" + std::string(kStrip).substr(std::string(kStrip).find("rules:") + 7);
  for (const char* text : {"for Przybilla", "born 19.03.1962", "1.2.276.0.7230010.3.1.2.4711"}) {
    EXPECT_EQ(Guarded({Text(kDescription, "LO", text)}, keeps.c_str()), "") << text;
    EXPECT_NE(Guarded({Text(kDescription, "LO", text)}), "") << text;
  }
  // The patient is removed all the same.
  EXPECT_EQ(Guarded({Text(kDescription, "LO", "Liesel")}, keeps.c_str()),
            "(0008,1030): person name");
}

TEST(GuardPlaces, WhatStandsWhereNobodyLooksIsNotMeantToStay) {
  // The private element is kept, and so is the physician's name, but as a text of another kind.
  const DataSet creator = {Raw({0x0029, 0x0010}, "LO", "ACME")};
  EXPECT_NE(Guarded(With(creator, {Text({0x0029, 0x1001}, "PN", "M\xFCstermann^Liesel"),
                                   Text(kDescription, "LO", "Liesel")})),
            "");
  EXPECT_EQ(Guarded(With(creator, {Text({0x0029, 0x1001}, "PN", "Ottokarius^Else"),
                                   Text(kDescription, "LO", "for Ottokarius")})),
            "");
  const std::string keeps =
      "guard: on\nrules:\n  - {tag: NameOfPhysiciansReadingStudy, action: keep}\n" +
      std::string(kStrip).substr(std::string(kStrip).find("rules:") + 7);
  const auto named = [&](const char* vr) {
    return Guarded(
        {Text({0x0008, 0x1060}, vr, "M\xFCstermann^Liesel"), Text(kDescription, "LO", "Liesel")},
        keeps.c_str());
  };
  EXPECT_EQ(named("PN"), "");
  EXPECT_NE(named("LO"), "");
}

TEST(GuardPlaces, AUidThatARuleReplacedMayStandNowhere) {
  const std::string keeps = "guard: on\nrules:\n  - {tag: StudyInstanceUID, action: keep}\n" +
                            std::string(kStrip).substr(std::string(kStrip).find("rules:") + 7);
  EXPECT_EQ(Guarded({Text(kDescription, "LO", kStudyUid)}, keeps.c_str()), "");
  EXPECT_NE(Guarded({Text({0x0020, 0x0052}, "UI", kStudyUid)}, keeps.c_str()), "");
}

TEST(GuardPlaces, SecondElementsWithOneTagAreKnown) {
  for (const Syntax& syntax : kSyntaxes) {
    DataSet more = Person({Text(kDescription, "LO", "Knie Ottokarius")});
    EXPECT_EQ(Guarded(Send(kStrip, more, syntax)), "") << syntax.name;
    DataSet item = {Text({0x0010, 0x0010}, "PN", "Else^S"),
                    Text({0x0010, 0x0010}, "PN", "Ottokarius^Else")};
    EXPECT_EQ(Guarded(Send(kStrip, With(more, {Seq({0x0008, 0x1111}, {item})}), syntax)),
              "(0008,1030): person name")
        << syntax.name;
    more.insert(std::find_if(more.begin(), more.end(),
                             [](const Elem& elem) { return elem.tag == Tag(0x0010, 0x0020); }),
                Text({0x0010, 0x0010}, "PN", "Ottokarius^Else"));
    EXPECT_EQ(Guarded(Send(kStrip, more, syntax)), "(0008,1030): person name") << syntax.name;
  }
}

TEST(GuardPlaces, WhatNobodySpokeAboutIsFoundOnlyIfARuleTookItElsewhere) {
  // No rule takes the accession number: `otherwise: keep` leaves it and its copy.
  const char* const names_only = "guard: on\nrules:\n  - {tag: PatientName, action: remove}\n";
  EXPECT_EQ(Guarded({Text(kDescription, "LO", "A20261177")}, names_only), "");
  EXPECT_EQ(Guarded({Text(kDescription, "LO", "Liesel")}, names_only), "(0008,1030): person name");
  // The same name left in another attribute is the patient's.
  EXPECT_EQ(Guarded({Text({0x0008, 0x1070}, "PN", "M\xFCstermann^Liesel")}, names_only),
            "(0008,1070): person name");
}

TEST(GuardPlaces, WhatRulesWriteIsNoLeak) {
  const char* const rules = R"(
guard: on
rules:
  - {tag: PatientName, action: replace, with: {value: "Liesel^Test"}}
  - {tag: [PatientID, AccessionNumber], action: remove}
)";
  EXPECT_EQ(Guarded(DataSet{}, rules), "");
}

TEST(GuardPlaces, DatesOfOtherThingsMayFallOnTheBirthday) {
  EXPECT_EQ(Guarded({Text({0x0008, 0x0020}, "DA", "19620319")}), "");
  EXPECT_EQ(Guarded({Text(kDescription, "LO", "19620319")}), "(0008,1030): birth date");
}

TEST(GuardPlaces, ShortAndCommonWordsDoNotCount) {
  const auto named = [](const char* name, const char* text) {
    return Guarded({Text({0x0010, 0x0010}, "PN", name), Text(kDescription, "LO", text)});
  };
  EXPECT_EQ(named("Hand^Max", "CT Hand links"), "");
  EXPECT_EQ(named("Hand^Max", "CT Hand, Max"), "(0008,1030): person name");
  EXPECT_EQ(named("Li^A", "CT Li"), "");
  EXPECT_EQ(named("Test^Patient", "Test patient"), "");
  EXPECT_EQ(named("Phantom", "CT phantom"), "");
}

TEST(GuardPlaces, CanBeSwitchedOffAndHasExceptions) {
  const std::string rules = std::string(kStrip).substr(std::string(kStrip).find("rules:"));
  const DataSet leak = {Text(kDescription, "LO", "Liesel")};
  EXPECT_EQ(Guarded(leak, ("guard: off\n" + rules).c_str()), "");
  const std::string excepted =
      "guard: {except: [{tag: StudyDescription, because: chosen from a list}]}\n" + rules;
  EXPECT_EQ(Guarded(leak, excepted.c_str()), "");
  EXPECT_EQ(Guarded({Text({0x0008, 0x103E}, "LO", "Liesel")}, excepted.c_str()),
            "(0008,103E): person name");
}

TEST(GuardPlaces, HasExceptionsForTexts) {
  const std::string rules = std::string(kStrip).substr(std::string(kStrip).find("rules:"));
  const std::string excepted =
      "guard: {except: [{text: [liesel, \"KH 4711-0815\"], because: a protocol is called so}]}\n" +
      rules;
  EXPECT_EQ(Guarded({Text(kDescription, "LO", "Liesel kh-4711-0815")}, excepted.c_str()), "");
  EXPECT_EQ(Guarded({Text(kDescription, "LO", "Liesel M\xFCstermann")}, excepted.c_str()),
            "(0008,1030): person name");
}

TEST(GuardPlaces, IsOnUnlessTheRulesSayOtherwise) {
  const Folder folder;
  const RuleSet rules = LoadRulesFromText(
      "dcmveil: 1\nprofile: none\notherwise: keep\nrules:\n  - {vr: PN, action: redact}\n",
      "rules.yaml", folder.path());
  EXPECT_EQ(Guarded(Send(rules, File(Person({Text(kDescription, "LO", "Liesel")})))),
            "(0008,1030): person name");
}

TEST(GuardPlaces, ExceptionsNeedAReason) {
  for (const char* guard :
       {"guard: {except: [{tag: StudyDescription}]}\n", "guard: maybe\n",
        "guard: {except: StudyDescription}\n", "guard: {}\n", "guard: {except: [{because: x}]}\n",
        "guard: {except: [{text: \" \", because: x}]}\n",
        "guard: {except: [{tag: StudyDate, text: x, because: x}]}\n"}) {
    EXPECT_THROW(Rules(guard), RuleError) << guard;
  }
}

}  // namespace
}  // namespace dcmveil::testing
