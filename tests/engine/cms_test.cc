// SPDX-License-Identifier: Apache-2.0
#include "engine/cms.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <set>

#include "tests/support/certificates.h"

namespace dcmveil::cms {
namespace {

using testing::MakePerson;
using testing::People;
using testing::Person;
using testing::ReadFile;

Key TestKey(char fill = 'k') { return Key(std::string(32, fill)); }

std::string Seal(const std::string& content, const std::string& context = "1.2.3",
                 char fill = 'k') {
  const People& people = People::Get();
  const auto sealed = SealDerived({people.office.certificate, people.steward.certificate},
                                  TestKey(fill), context, content);
  if (!sealed) throw std::runtime_error("SealDerived");
  return *sealed;
}

TEST(CmsTest, EachRecipientOpensAndNobodyElse) {
  const People& people = People::Get();
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 127U, 300U, 70000U}) {
    const std::string content(size, 'x');
    const std::string sealed = Seal(content);
    for (const Person* person : {&people.office, &people.steward}) {
      EXPECT_EQ(Open(sealed, person->key, &person->certificate), content);
      EXPECT_EQ(Open(sealed, person->key, nullptr), content);
      EXPECT_EQ(Open(sealed + '\0', person->key, nullptr), content) << "padded to even length";
    }
    EXPECT_EQ(Open(sealed, people.stranger.key, &people.stranger.certificate), std::nullopt);
    EXPECT_NE(Open(sealed, people.stranger.key, nullptr).value_or("noise"), content + "!");
  }
}

TEST(CmsTest, SameInputSameBytesAndNothingInCommonOtherwise) {
  const std::string content = "Doe^Jane 4711";
  const std::string sealed = Seal(content);
  EXPECT_EQ(sealed, Seal(content));
  std::set<std::string> tails;
  for (const std::string& other :
       {sealed, Seal(content, "1.2.4"), Seal(content, "1.2.3", 'l'), Seal("Doe^Jane 4712")}) {
    EXPECT_EQ(other.find("Jane"), std::string::npos);
    tails.insert(other.substr(other.size() - 16));
  }
  EXPECT_EQ(tails.size(), 4U);
  const People& people = People::Get();
  const auto one = SealDerived({people.office.certificate}, TestKey(), "1.2.3", content);
  ASSERT_TRUE(one);
  EXPECT_NE(one->substr(one->size() - 16), sealed.substr(sealed.size() - 16));
}

TEST(CmsTest, OrderOfRecipientsChangesNoLength) {
  const People& people = People::Get();
  const auto a = SealDerived({people.office.certificate, people.steward.certificate}, TestKey(),
                             "c", "content");
  const auto b = SealDerived({people.steward.certificate, people.office.certificate}, TestKey(),
                             "c", "content");
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->size(), b->size());
}

TEST(CmsTest, OnlyRsaRecipientsInDerivedEnvelopes) {
  const People& people = People::Get();
  const Person curve =
      MakePerson(people.folder.path(), "curve", "ec -pkeyopt ec_paramgen_curve:prime256v1");
  EXPECT_FALSE(curve.certificate.is_rsa());
  EXPECT_EQ(SealDerived({curve.certificate}, TestKey(), "", "x"), std::nullopt);
  EXPECT_EQ(SealDerived({}, TestKey(), "", "x"), std::nullopt);
  EXPECT_TRUE(people.office.certificate.is_rsa());
  EXPECT_EQ(people.office.certificate.bits(), 2048);
}

TEST(CmsTest, DamagedEnvelopesOpenForNobody) {
  const People& people = People::Get();
  const std::string sealed = Seal("some content that is longer than one block");
  for (std::size_t size = 0; size < sealed.size(); size += 7) {
    EXPECT_EQ(Open(sealed.substr(0, size), people.office.key, nullptr), std::nullopt) << size;
  }
  EXPECT_EQ(Open("not DER at all", people.office.key, nullptr), std::nullopt);
}

TEST(CmsTest, ReadsWhatOthersEncrypted) {
  const People& people = People::Get();
  const auto file = people.folder.Write("plain.txt", "by another program");
  for (const char* cipher : {"-des3", "-aes128", "-aes192", "-aes256"}) {
    const auto out = people.folder / "other.der";
    const std::string command = std::string("openssl cms -encrypt -binary -outform DER ") + cipher +
                                " -in " + file.string() + " -out " + out.string() + " " +
                                people.steward.certificate_file.string();
    ASSERT_EQ(std::system(command.c_str()), 0);
    EXPECT_EQ(Open(ReadFile(out), people.steward.key, nullptr), "by another program") << cipher;
  }
}

TEST(CmsTest, WriterStreamsForEveryKindOfKey) {
  const People& people = People::Get();
  const Person curve =
      MakePerson(people.folder.path(), "curve2", "ec -pkeyopt ec_paramgen_curve:prime256v1");
  const auto file = people.folder / "streamed.der";
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
  std::string all;
  {
    const auto writer = Writer::To(fd, {people.office.certificate, curve.certificate});
    ASSERT_NE(writer, nullptr);
    for (int i = 0; i < 100; ++i) {
      const std::string piece(static_cast<std::size_t>(i) * 100, static_cast<char>('a' + i % 26));
      all += piece;
      ASSERT_TRUE(writer->Write(piece));
    }
    ASSERT_TRUE(writer->Finish());
  }
  ::close(fd);
  EXPECT_EQ(Open(ReadFile(file), people.office.key, nullptr), all);
  EXPECT_EQ(Open(ReadFile(file), curve.key, &curve.certificate), all);
  EXPECT_EQ(Open(ReadFile(file), people.stranger.key, &people.stranger.certificate), std::nullopt);
}

TEST(CmsTest, WriterSaysWhenTheDiskIsFull) {
  const int fd = ::open("/dev/full", O_WRONLY);
  ASSERT_GE(fd, 0);
  const auto writer = Writer::To(fd, {People::Get().office.certificate});
  ASSERT_NE(writer, nullptr);
  bool good = true;
  for (int i = 0; i < 100 && good; ++i) good = writer->Write(std::string(100000, 'x'));
  EXPECT_FALSE(good && writer->Finish());
  ::close(fd);
}

TEST(CmsTest, PrivateKeysAndPassphrases) {
  const People& people = People::Get();
  const auto locked = people.folder / "locked.key";
  const std::string command = "openssl pkcs8 -topk8 -passout pass:sesame -in " +
                              people.office.key_file.string() + " -out " + locked.string();
  ASSERT_EQ(std::system(command.c_str()), 0);
  const std::string pem = ReadFile(locked);
  const auto problem = [&](const std::optional<std::string>& passphrase) {
    const auto key = PrivateKey::FromPem(pem, passphrase);
    const KeyProblem* what = std::get_if<KeyProblem>(&key);
    return what == nullptr ? std::optional<KeyProblem>() : *what;
  };
  EXPECT_EQ(problem(std::nullopt), KeyProblem::kNeedsPassphrase);
  EXPECT_EQ(problem("open"), KeyProblem::kWrongPassphrase);
  EXPECT_EQ(problem(std::string(5000, 'x')), KeyProblem::kWrongPassphrase);
  EXPECT_EQ(problem("sesame"), std::nullopt);
  const auto none = PrivateKey::FromPem(ReadFile(people.office.certificate_file), std::nullopt);
  EXPECT_EQ(std::get<KeyProblem>(none), KeyProblem::kNoKey);
  EXPECT_TRUE(people.office.key.BelongsTo(people.office.certificate));
  EXPECT_FALSE(people.office.key.BelongsTo(people.steward.certificate));
}

TEST(CmsTest, CertificateFiles) {
  const People& people = People::Get();
  const auto problem = [&](const std::filesystem::path& file) {
    return ReadCertificateFile(file).problem;
  };
  EXPECT_EQ(problem(people.folder / "nowhere.pem"), "does not exist");
  EXPECT_EQ(problem(people.folder.path()), "cannot be read");
  EXPECT_EQ(problem(people.folder.Write("text.pem", "hello")),
            "holds no X.509 certificate in PEM form");
  EXPECT_EQ(problem(people.folder.Write("both.pem", ReadFile(people.office.certificate_file) +
                                                        ReadFile(people.office.key_file))),
            "holds a private key; give the certificate alone");
  EXPECT_THROW((void)MakePerson(people.folder.path(), "weak", "rsa:1024"), std::runtime_error);
}

}  // namespace
}  // namespace dcmveil::cms
