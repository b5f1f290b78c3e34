// SPDX-License-Identifier: Apache-2.0
#include "engine/escrow.h"

#include <gtest/gtest.h>

#include "tests/support/certificates.h"
#include "tests/support/rules.h"

namespace dcmveil::engine {
namespace {

using testing::DataSet;
using testing::Decode;
using testing::Decoded;
using testing::EverythingInOne;
using testing::File;
using testing::FileParts;
using testing::kBig;
using testing::kExplicit;
using testing::kImplicit;
using testing::kSyntaxes;
using testing::Le16;
using testing::NativePixels;
using testing::People;
using testing::Person;
using testing::Raw;
using testing::Send;
using testing::Sent;
using testing::Seq;
using testing::SmallCt;
using testing::Syntax;
using testing::Text;
using testing::With;

const std::string kClear =
    "rules:\n"
    "- {tag: SOPInstanceUID, action: refresh-uid}\n"
    "- {tag: SOPClassUID, action: keep}\n"
    "- {vr: UI, action: refresh-uid}\n"
    "- {vr: [PN, LO, SH], action: redact}\n"
    "- {group: odd, action: remove}\n"
    "- {vr: [SQ, US, FD, DA], action: remove}\n";

std::string EscrowTo(const std::string& who, const std::string& more = "") {
  const auto folder = People::Get().folder.path().string();
  std::string list;
  for (const char c : who) {
    list += (list.empty() ? "" : ", ") + folder + (c == 'o' ? "/office.pem" : "/steward.pem");
  }
  return "escrow: {recipients: [" + list + "]" + more + "}\n";
}

Result<EncodedInstance> Restore(const std::string& bytes, const Person& person, bool with_cert) {
  Result<ParsedInstance> parsed = ReadInstance(ByteSource::FromMemory(bytes));
  if (!parsed) return parsed.error();
  const Status status = Reidentify(*parsed, person.key, with_cert ? &person.certificate : nullptr);
  if (!status) return status.error();
  Result<EncodedParts> parts =
      EncodeParts(*parsed, PixelOutput::kCarry, {}, "1.2.840.10008.5.1.4.1.1.2", "1.2.3.4.5");
  if (!parts) return parts.error();
  return Join(std::move(*parts), parsed->deflated);
}

Decoded Restored(const std::string& bytes, const Person& person) {
  const Result<EncodedInstance> encoded = Restore(bytes, person, true);
  if (!encoded) throw std::runtime_error(encoded.error().Message());
  const Result<std::string> whole = encoded->ToBytes();
  if (!whole) throw std::runtime_error("ToBytes");
  return Decode(*whole);
}

/// Paths of elements that only one has, or that differ. A sequence in UN comes back as it was, and
/// is written as one where it is kept: it is left out.
std::vector<std::string> Different(const Decoded& a, const Decoded& b) {
  std::vector<std::string> paths;
  for (const Decoded* one : {&a, &b}) {
    const Decoded& other = one == &a ? b : a;
    for (const auto& [path, leaf] : one->elements) {
      if (path.starts_with("(0029,1030)")) continue;
      if (!other.Has(path) || other.Value(path) != one->Value(path)) paths.push_back(path);
    }
  }
  return paths;
}

ErrorCode Failure(const std::string& bytes, const Person& person) {
  const Result<EncodedInstance> encoded = Restore(bytes, person, false);
  return encoded ? ErrorCode::kInternal : encoded.error().code;
}

TEST(EscrowTest, DefaultAttributesComeBack) {
  const Sent sent = Send(kClear + EscrowTo("o"), SmallCt());
  ASSERT_TRUE(sent.ok) << sent.error.Message();
  EXPECT_EQ(sent.out.Value("(0400,0500)"), "1 item(s)");
  EXPECT_EQ(sent.out.Value("(0400,0500)[0].(0400,0510)"), "1.2.840.10008.1.2.1");
  EXPECT_EQ(sent.out.VrOf("(0400,0500)[0].(0400,0520)"), "OB");
  for (const char* original : {"JANE", "4711"}) {
    EXPECT_EQ(sent.bytes.find(original), std::string::npos) << original;
  }
  const Decoded back = Restored(sent.bytes, People::Get().office);
  EXPECT_EQ(back.Value("(0010,0010)"), "DOE^JANE");
  EXPECT_EQ(back.Value("(0010,0020)"), "4711");
  EXPECT_EQ(back.Value("(0008,0018)"), "1.2.3.4.5");
  EXPECT_EQ(back.Value("(0020,000D)"), "1.2.3");
  EXPECT_EQ(back.Value("(0020,000E)"), "1.2.3.4");
  EXPECT_EQ(back.Value("(0012,0062)"), "NO");
  for (const char* gone : {"(0012,0063)", "(0012,0064)", "(0400,0500)"}) {
    EXPECT_FALSE(back.Has(gone)) << gone;
  }
}

// Every VR, nested sequences, private blocks, in every encoding; what was removed and what was
// changed alike.
TEST(EscrowTest, AllReplacedGivesBackEverything) {
  for (const Syntax& syntax : kSyntaxes) {
    SCOPED_TRACE(syntax.name);
    const DataSet data_set = EverythingInOne();
    const std::string input = File(data_set, syntax);
    const Sent plain = Send(kClear + "settings: {mark: false}\n", data_set, syntax);
    const Sent sent = Send(kClear + EscrowTo("os", ", all-replaced: true"), data_set, syntax);
    ASSERT_TRUE(sent.ok && plain.ok) << sent.error.Message();
    const Sent kept = Send("settings: {mark: false}\n", data_set, syntax);
    ASSERT_TRUE(kept.ok);
    ASSERT_NE(plain.out.Values(), kept.out.Values());
    for (const Person* person : {&People::Get().office, &People::Get().steward}) {
      Decoded back = Restored(sent.bytes, *person);
      EXPECT_EQ(back.Value("(0012,0062)"), "NO");
      back.elements.erase("(0012,0062)");
      EXPECT_EQ(Different(back, kept.out), std::vector<std::string>());
    }
  }
}

// The content is explicit VR little endian, which has no compressed pixels.
TEST(EscrowTest, ACompressedIconIsLeftOut) {
  const DataSet data_set =
      With(SmallCt(), {Seq({0x0088, 0x0200}, {{Text({0x0028, 0x0010}, "US", Le16({4})),
                                               testing::Fragments({"", "JPEG"})}})});
  const Sent sent = Send("rules:\n- {tag: [IconImageSequence, PatientName], action: remove}\n" +
                             EscrowTo("o", ", all-replaced: true"),
                         With(data_set, {testing::Fragments({"", "JPEG"})}), testing::kJpeg);
  ASSERT_TRUE(sent.ok) << sent.error.Message();
  const Decoded back = Restored(sent.bytes, People::Get().office);
  EXPECT_EQ(back.Value("(0010,0010)"), "DOE^JANE");
  EXPECT_FALSE(back.Has("(0088,0200)"));
}

TEST(EscrowTest, TextsOfAllCharacterSets) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"ISO_IR 100", "M\xFCller^J\xF6rg"},
      {"ISO_IR 192", "\xE5\xB1\xB1\xE7\x94\xB0^\xE5\xA4\xAA\xE9\x83\x8E"},
      {"\\ISO 2022 IR 87", "Yamada^Tarou=\x1B$B;3ED\x1B(B^\x1B$BB@O:\x1B(B"},
      {"GB18030", "Wang^XiaoDong=\xCD\xF5^\xD0\xA1\xB6\xAB"},
      {"ISO_IR 144", "\xBB\xEE\xDA\x63\x65\xDC\xD1\x79\x70\xD3"},
  };
  for (const auto& [charset, name] : cases) {
    SCOPED_TRACE(charset);
    const DataSet data_set = With(
        SmallCt(), {Text({0x0008, 0x0005}, "CS", charset), Text({0x0010, 0x0010}, "PN", name)});
    // The rules take the character set away: the texts bring it along.
    const Sent sent = Send(
        "rules:\n- {tag: [SpecificCharacterSet, PatientName], action: remove}\n" + EscrowTo("s"),
        data_set);
    ASSERT_TRUE(sent.ok);
    EXPECT_FALSE(sent.out.Has("(0008,0005)"));
    const Decoded back = Restored(sent.bytes, People::Get().steward);
    EXPECT_EQ(back.Value("(0010,0010)"), name);
    EXPECT_EQ(back.Value("(0008,0005)"), charset);
  }
}

TEST(EscrowTest, WrongKeyNoEscrowAndDamage) {
  const Sent sent = Send(kClear + EscrowTo("o"), SmallCt());
  ASSERT_TRUE(sent.ok);
  const People& people = People::Get();
  EXPECT_EQ(Failure(sent.bytes, people.stranger), ErrorCode::kWrongKey);
  EXPECT_EQ(Failure(sent.bytes, people.steward), ErrorCode::kWrongKey);
  const Sent without = Send(kClear, SmallCt());
  EXPECT_EQ(Failure(without.bytes, people.office), ErrorCode::kNoEscrow);
  // A damaged block never gives half of the originals.
  std::string damaged = sent.bytes;
  const std::size_t at = damaged.find(std::string("\x00\x04\x20\x05", 4));
  ASSERT_NE(at, std::string::npos);
  damaged[at + 500] = static_cast<char>(damaged[at + 500] ^ 1);
  EXPECT_NE(Failure(damaged, people.office), ErrorCode::kInternal);
}

TEST(EscrowTest, SameBytesAgainAndOthersForAnotherInstance) {
  const std::string rules = kClear + EscrowTo("os");
  const Sent one = Send(rules, SmallCt());
  EXPECT_EQ(one.bytes, Send(rules, SmallCt()).bytes);
  const Sent other = Send(rules, With(SmallCt(), {Text({0x0008, 0x0018}, "UI", "1.2.3.4.6")}));
  EXPECT_NE(one.out.Value("(0400,0500)[0].(0400,0520)"),
            other.out.Value("(0400,0500)[0].(0400,0520)"));
}

TEST(EscrowTest, TakesThePlaceOfAnEarlierOne) {
  const DataSet earlier =
      With(SmallCt(), {Seq({0x0400, 0x0500}, {{Text({0x0400, 0x0510}, "UI", "1.2.840.10008.1.2.1"),
                                               Raw({0x0400, 0x0520}, "OB", "earlier!")},
                                              {}})});
  const Sent sent = Send(kClear + EscrowTo("o"), earlier);
  ASSERT_TRUE(sent.ok);
  EXPECT_EQ(sent.out.Value("(0400,0500)"), "1 item(s)");
  EXPECT_EQ(sent.bytes.find("earlier!"), std::string::npos);
  EXPECT_EQ(Restored(sent.bytes, People::Get().office).Value("(0010,0020)"), "4711");
}

TEST(EscrowTest, NothingToPutAsideAndItemsOfOthers) {
  const Sent none = Send(kClear + EscrowTo("o", ", attributes: [PatientComments]"), SmallCt());
  ASSERT_TRUE(none.ok);
  EXPECT_FALSE(none.out.Has("(0400,0500)"));
  // Of two items one opens; the other one stays for whom it is for.
  const Sent office = Send(kClear + EscrowTo("o", ", attributes: [PatientID]"), SmallCt());
  const Sent steward = Send(kClear + EscrowTo("s", ", attributes: [PatientName]"), SmallCt());
  DataSet both = SmallCt();
  both = With(both, {Text({0x0010, 0x0020}, "LO", "P"), Text({0x0010, 0x0010}, "PN", "N"),
                     Seq({0x0400, 0x0500},
                         {{Text({0x0400, 0x0510}, "UI", "1.2.840.10008.1.2.1"),
                           Raw({0x0400, 0x0520}, "OB",
                               office.out.elements.at("(0400,0500)[0].(0400,0520)").value)},
                          {Text({0x0400, 0x0510}, "UI", "1.2.840.10008.1.2.1"),
                           Raw({0x0400, 0x0520}, "OB",
                               steward.out.elements.at("(0400,0500)[0].(0400,0520)").value)}})});
  const Decoded back = Restored(File(both, kImplicit), People::Get().office);
  EXPECT_EQ(back.Value("(0010,0020)"), "4711");
  EXPECT_EQ(back.Value("(0010,0010)"), "N");
  EXPECT_EQ(back.Value("(0400,0500)"), "1 item(s)");
}

TEST(EscrowTest, OriginalIdsAreGivenToTheCaller) {
  const testing::Folder folder;
  const Result<Deidentified> result =
      Engine(testing::Rules(kClear))
          .ApplyToBytes(File(With(SmallCt(), {Text({0x0010, 0x0021}, "LO", "Ward 3")}), kExplicit));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->originals.patient_id, "4711");
  EXPECT_EQ(result->originals.issuer_of_patient_id, "Ward 3");
  EXPECT_EQ(result->originals.study_instance_uid, "1.2.3");
  EXPECT_EQ(result->originals.series_instance_uid, "1.2.3.4");
  EXPECT_EQ(result->originals.sop_instance_uid, "1.2.3.4.5");
}

TEST(EscrowTest, RulesAreCheckedWithTheirPlaces) {
  const People& people = People::Get();
  const auto folder = people.folder.path().string();
  const auto message = [](const std::string& text) -> std::string {
    try {
      (void)testing::Rules(text);
    } catch (const RuleError& error) {
      return error.what();
    }
    return "no error";
  };
  const auto curve = testing::MakePerson(people.folder.path(), "curve3",
                                         "ec -pkeyopt ec_paramgen_curve:prime256v1");
  EXPECT_EQ(message("escrow: {recipients: [nobody.pem]}\n"),
            "rules.yaml:6:23: error: nobody.pem does not exist; a recipient is the PEM file of an "
            "X.509 certificate");
  EXPECT_NE(message("escrow: {recipients: [" + curve.certificate_file.string() + "]}\n")
                .find("has no RSA key"),
            std::string::npos);
  EXPECT_NE(message("escrow: {recipients: [" + people.office.key_file.string() + "]}\n")
                .find("holds a private key"),
            std::string::npos);
  EXPECT_NE(
      message("escrow: {recipients: [" + folder + "/office.pem, " + folder + "/office.pem]}\n")
          .find("listed twice"),
      std::string::npos);
  EXPECT_NE(message("escrow: office.pem\n").find("must be a mapping"), std::string::npos);
  EXPECT_NE(message("escrow: {attributes: [PatientID]}\n").find("needs recipients"),
            std::string::npos);
  for (const char* wrong :
       {"PatientNmae", "'(0010,xxxx)'", "'(0009,1001)'", "PixelData", "PatientIdentityRemoved",
        "EncryptedAttributesSequence", "TransferSyntaxUID", "PatientID, PatientID"}) {
    EXPECT_NE(
        message(EscrowTo("o", ", attributes: [" + std::string(wrong) + "]")).find("rules.yaml:6:"),
        std::string::npos)
        << wrong;
  }
  EXPECT_NE(message(EscrowTo("o", ", atributes: [PatientID]")).find("did you mean attributes?"),
            std::string::npos);
  EXPECT_EQ(message(EscrowTo("o")), "no error");
  // The certificate belongs to what the hash of the rules stands for.
  EXPECT_NE(testing::Rules(EscrowTo("o")).hash(), testing::Rules(EscrowTo("s")).hash());
  EXPECT_FALSE(testing::Rules(EscrowTo("o")).key_id().empty());
}

}  // namespace
}  // namespace dcmveil::engine
