// SPDX-License-Identifier: Apache-2.0
#include "engine/crypto.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace dcmveil {
namespace {

std::string FromHex(std::string_view hex) {
  const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<char>(value(hex[i]) * 16 + value(hex[i + 1])));
  }
  return out;
}

TEST(Sha256Test, Fips180Vectors) {
  EXPECT_EQ(Sha256("").hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256({}).hex(), Sha256("").hex());
  EXPECT_EQ(Sha256("abc").hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq").hex(),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha256Test, StreamInPiecesAndAgain) {
  Sha256Stream stream;
  const std::string thousand(1000, 'a');
  for (int i = 0; i < 1000; ++i) stream.Update(thousand);
  EXPECT_EQ(stream.Finish().hex(),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  stream.Update("a");
  stream.Update({});
  stream.Update("bc");
  EXPECT_EQ(stream.Finish(), Sha256("abc"));
  EXPECT_EQ(stream.Finish(), Sha256(""));
}

TEST(HmacTest, Rfc4231) {
  struct Case {
    std::string key;
    std::string data;
    std::string_view sha256;
    std::string_view sha384;
    std::string_view sha512;
  };
  const std::vector<Case> cases = {
      {std::string(20, '\x0b'), "Hi There",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
       "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
       "faea9ea9076ede7f4af152e8b2fa9cb6",
       "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
       "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"},
      {"Jefe", "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
       "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
       "8e2240ca5e69e2c78b3239ecfab21649",
       "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
       "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
      {std::string(20, '\xaa'), std::string(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
       "88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b"
       "2a5ab39dc13814b94e3ab6e101a34f27",
       "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
       "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb"},
      {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
       "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
       "0c2ef6ab4030fe8296248df163f44952",
       "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
       "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Hmac(c.key).Sign(c.data).hex(), c.sha256);
    EXPECT_EQ(Hmac(c.key, HashKind::kSha384).Sign(c.data).hex(), c.sha384);
    EXPECT_EQ(Hmac(c.key, HashKind::kSha512).Sign(c.data).hex(), c.sha512);
  }
}

TEST(HmacTest, EmptyKeyAndMessage) {
  EXPECT_EQ(Hmac(std::string_view()).Sign({}).hex(),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(HmacTest, PartsAreJoinedOrLengthPrefixed) {
  const Hmac hmac(Key("secret"));
  EXPECT_EQ(hmac.Sign("ab", "c"), hmac.Sign("abc"));
  EXPECT_EQ(hmac.Sign("a", "b", "c", "d"), hmac.Sign("abcd"));
  EXPECT_FALSE(hmac.SignParts({"ab", "c"}) == hmac.SignParts({"a", "bc"}));
  EXPECT_FALSE(hmac.SignParts({"a"}) == hmac.SignParts({"a", ""}));
  EXPECT_EQ(hmac.SignParts({"ab", ""}),
            hmac.Sign(std::string("\0\0\0\0\0\0\0\2ab\0\0\0\0\0\0\0\0", 18)));
}

TEST(HmacTest, OneObjectServesManyThreads) {
  const Hmac hmac(Key("secret"));
  const Digest expected = hmac.Sign("message");
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&hmac, &expected, &count = wrong[t]] {
      for (int i = 0; i < 2000; ++i) count += hmac.Sign("mess", "age") == expected ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

TEST(KeyTest, IdAndDerive) {
  const std::string bytes = FromHex(std::string(64, '4'));
  const Key key(bytes);
  EXPECT_EQ(key.id(), Sha256(std::string("dcmveil key id\0", 15) + bytes).hex().substr(0, 16));
  EXPECT_EQ(key.id().size(), 16U);
  const Key derived = key.Derive("uid");
  EXPECT_EQ(derived.size(), 32U);
  EXPECT_EQ(HexLower(derived.bytes()), Hmac(bytes).Sign("dcmveil.v1.uid").hex());
  EXPECT_NE(derived.bytes(), key.Derive("date").bytes());
}

TEST(KeyTest, MovesAndDoesNotCopy) {
  static_assert(!std::is_copy_constructible_v<Key> && !std::is_copy_assignable_v<Key>);
  static_assert(std::is_nothrow_move_constructible_v<Key>);
  Key a("first");
  Key b("second");
  b = std::move(a);
  EXPECT_EQ(b.bytes(), "first");
  const Key c(std::move(b));
  EXPECT_EQ(c.bytes(), "first");
  EXPECT_EQ(Key("").size(), 0U);
}

TEST(KeyTest, GeneratedKeysDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 16; ++i) {
    const auto key = GenerateKey();
    ASSERT_TRUE(key.has_value());
    EXPECT_EQ(key->size(), 32U);
    seen.insert(std::string(key->bytes()));
  }
  EXPECT_EQ(seen.size(), 16U);
  std::array<std::uint8_t, 16> a{};
  std::array<std::uint8_t, 16> b{};
  ASSERT_TRUE(RandomBytes(a) && RandomBytes(b));
  EXPECT_NE(a, b);
}

TEST(KeyFileTest, RoundTrip) {
  const auto key = GenerateKey();
  ASSERT_TRUE(key.has_value());
  const auto text = FormatKeyFile(*key);
  ASSERT_TRUE(text.has_value());
  EXPECT_TRUE(text->starts_with("# dcmveil key v1, keep secret\n"));
  const auto parsed = ParseKeyText(*text);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->bytes(), key->bytes());
  EXPECT_FALSE(FormatKeyFile(Key("short")).has_value());
}

TEST(KeyFileTest, ToleratesLayoutButNoOtherText) {
  const std::string digits = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";
  for (const std::string& text :
       {digits, digits + "\n", "\n# x\r\n\t " + digits + " \r\n\n#", "#\n\n" + digits}) {
    const auto key = ParseKeyText(text);
    ASSERT_TRUE(key.has_value()) << text;
    EXPECT_EQ(HexLower(key->bytes()),
              "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  }
  for (const std::string& text :
       {std::string(), std::string("\n"), std::string("# only a comment\n"),
        std::string("correct horse battery staple"), digits.substr(1), digits + "0",
        digits + "\n" + digits, "0x" + digits.substr(2), digits.substr(0, 63) + "g",
        digits.substr(0, 32) + "\n" + digits.substr(32), digits + " # note",
        digits.substr(0, 63) + std::string(1, '\0')}) {
    EXPECT_FALSE(ParseKeyText(text).has_value()) << text;
  }
}

TEST(CleanseTest, Empties) {
  std::string secret = "secret";
  Cleanse(secret);
  EXPECT_TRUE(secret.empty());
  Cleanse(secret);
}

// McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13, 14 and 16.
TEST(GcmTest, PublishedVectors) {
  const std::string zero_key(32, '\0');
  const std::string zero_nonce(12, '\0');
  EXPECT_EQ(HexLower(Seal(zero_key, zero_nonce, {}, {}).value()),
            "530f8afbc74536b9a963b4f1c4cb738b");
  EXPECT_EQ(HexLower(Seal(zero_key, zero_nonce, std::string(16, '\0'), {}).value()),
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
  const std::string key =
      FromHex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
  const std::string nonce = FromHex("cafebabefacedbaddecaf888");
  const std::string plaintext = FromHex(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
      "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
  const std::string aad = FromHex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const auto sealed = Seal(key, nonce, plaintext, aad);
  ASSERT_TRUE(sealed.has_value());
  EXPECT_EQ(HexLower(*sealed),
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
            "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
            "76fc6ece0f4e1768cddf8853bb2d551b");
  EXPECT_EQ(Open(key, nonce, *sealed, aad), plaintext);
}

TEST(GcmTest, AnyChangeIsNoticed) {
  const std::string key(32, 'k');
  const std::string nonce(12, 'n');
  const std::string sealed = Seal(key, nonce, "Doe^John", "table").value();
  EXPECT_EQ(Open(key, nonce, sealed, "table"), "Doe^John");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(Open(key, nonce, changed, "table").has_value()) << i;
  }
  EXPECT_FALSE(Open(key, nonce, sealed, "tabl").has_value());
  EXPECT_FALSE(Open(key, std::string(12, 'm'), sealed, "table").has_value());
  EXPECT_FALSE(Open(std::string(32, 'l'), nonce, sealed, "table").has_value());
  EXPECT_FALSE(Open(key, nonce, sealed.substr(0, 15), "table").has_value());
  EXPECT_FALSE(Open(key, nonce, {}, {}).has_value());
  EXPECT_EQ(Open(key, nonce, Seal(key, nonce, {}, {}).value(), {}), "");
  EXPECT_FALSE(Seal(std::string(16, 'k'), nonce, "x", {}).has_value());
  EXPECT_FALSE(Seal(key, std::string(16, 'n'), "x", {}).has_value());
}

// NIST SP 800-38A F.2, first block; a block of padding follows it.
TEST(CbcTest, PublishedVectors) {
  const std::string iv = FromHex("000102030405060708090a0b0c0d0e0f");
  const std::string plaintext = FromHex("6bc1bee22e409f96e93d7e117393172a");
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"2b7e151628aed2a6abf7158809cf4f3c", "7649abac8119b246cee98e9b12e9197d"},
      {"8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b", "4f021db243bc633d7178183a9fa071e8"},
      {"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
       "f58c4c04d6e5f1ba779eabfb5f7bfbd6"}};
  for (const auto& [key, block] : cases) {
    const auto out = CbcEncrypt(FromHex(key), iv, plaintext);
    ASSERT_TRUE(out.has_value());
    ASSERT_EQ(out->size(), 48U);
    EXPECT_EQ(out->substr(0, 16), iv);
    EXPECT_EQ(HexLower(out->substr(16, 16)), block);
    EXPECT_EQ(CbcDecrypt(FromHex(key), *out), plaintext);
  }
}

TEST(CbcTest, AllLengthsAndErrors) {
  const std::string key(32, 'k');
  const std::string iv(16, 'i');
  for (std::size_t size = 0; size < 50; ++size) {
    const std::string plaintext(size, 'p');
    const auto out = CbcEncrypt(key, iv, plaintext);
    ASSERT_TRUE(out.has_value());
    EXPECT_EQ(out->size(), 16 + (size / 16 + 1) * 16);
    EXPECT_EQ(CbcDecrypt(key, *out), plaintext);
  }
  const std::string out = CbcEncrypt(key, iv, "text").value();
  EXPECT_FALSE(CbcDecrypt(key, out.substr(0, 31)).has_value());
  EXPECT_FALSE(CbcDecrypt(key, out.substr(0, 16)).has_value());
  EXPECT_FALSE(CbcDecrypt(key, {}).has_value());
  EXPECT_FALSE(CbcDecrypt("short", out).has_value());
  EXPECT_FALSE(CbcEncrypt("short", iv, "text").has_value());
  EXPECT_FALSE(CbcEncrypt(key, "iv", "text").has_value());
  // In CBC a bit of the IV is a bit of the first plaintext block: here, of its padding.
  std::string damaged = out;
  damaged[15] = static_cast<char>(damaged[15] ^ 0x40);
  EXPECT_FALSE(CbcDecrypt(key, damaged).has_value());
}

TEST(TextFormTest, Hex) {
  EXPECT_EQ(HexLower(std::string("\x00\x7f\xff", 3)), "007fff");
  EXPECT_EQ(HexLower(""), "");
}

TEST(TextFormTest, Base32Crockford) {
  EXPECT_EQ(Base32(""), "");
  EXPECT_EQ(Base32(std::string(1, '\0')), "00");
  EXPECT_EQ(Base32("\xff"), "ZW");
  EXPECT_EQ(Base32("foobar"), "CSQPYRK1E8");
  EXPECT_EQ(Base32(FromHex("00443214c74254b635cf84653a56d7c675be77df")),
            "0123456789ABCDEFGHJKMNPQRSTVWXYZ");
}

TEST(TextFormTest, Base64Rfc4648) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {{"", ""},
                                                                            {"f", "Zg=="},
                                                                            {"fo", "Zm8="},
                                                                            {"foo", "Zm9v"},
                                                                            {"foob", "Zm9vYg=="},
                                                                            {"fooba", "Zm9vYmE="},
                                                                            {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : cases) {
    EXPECT_EQ(Base64(bytes), text);
    EXPECT_EQ(Base64Decode(text), bytes);
    const std::string_view unpadded = text.substr(0, text.find('='));
    EXPECT_EQ(Base64Url(bytes), unpadded);
    EXPECT_EQ(Base64UrlDecode(unpadded), bytes);
  }
  EXPECT_EQ(Base64("\xfb\xff\xbf"), "+/+/");
  EXPECT_EQ(Base64Url("\xfb\xff\xbf"), "-_-_");
  EXPECT_EQ(Base64UrlDecode("-_-_"), "\xfb\xff\xbf");
  for (const std::string_view text :
       {"Zg", "Zg=", "Zh==", "Zm9=", "Zm9v ", "====", "=m9v", "Z===", "Zg==Zg==", "-_-_", "Zm 9"}) {
    EXPECT_FALSE(Base64Decode(text).has_value()) << text;
  }
  for (const std::string_view text : {"Zg==", "Z", "Zh", "+/+/", "Zm9vA"}) {
    EXPECT_FALSE(Base64UrlDecode(text).has_value()) << text;
  }
}

TEST(TextFormTest, Decimal128) {
  const auto decimal = [](std::string_view hex) {
    const std::string bytes = FromHex(hex);
    std::array<std::uint8_t, 16> number{};
    for (std::size_t i = 0; i < 16; ++i) number[i] = static_cast<std::uint8_t>(bytes[i]);
    return Decimal128(number);
  };
  EXPECT_EQ(decimal("00000000000000000000000000000000"), "0");
  EXPECT_EQ(decimal("0000000000000000000000000000000a"), "10");
  EXPECT_EQ(decimal("00000000000000010000000000000000"), "18446744073709551616");
  EXPECT_EQ(decimal("ffffffffffffffffffffffffffffffff"), "340282366920938463463374607431768211455");
  // The example of PS3.5 section B.2.
  EXPECT_EQ(decimal("f81d4fae7dec11d0a76500a0c91e6bf6"), "329800735698586629295641978511506172918");
}

TEST(UniformUnitTest, StaysBelowOne) {
  EXPECT_EQ(UniformUnit(std::string(8, '\0')), 0.0);
  EXPECT_EQ(UniformUnit(""), 0.0);
  EXPECT_EQ(UniformUnit("\x80"), 0.5);
  EXPECT_EQ(UniformUnit("\x40\0\0\0\0\0\0\0ignored"), 0.25);
  EXPECT_EQ(UniformUnit(std::string(32, '\xff')), 1.0 - 0x1p-53);
  const Hmac hmac(Key("noise"));
  double sum = 0;
  constexpr int kCount = 4000;
  for (int i = 0; i < kCount; ++i) {
    const Digest digest = hmac.Sign(std::to_string(i));
    const double value = UniformUnit(digest.view());
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    sum += value;
  }
  EXPECT_NEAR(sum / kCount, 0.5, 0.02);
}

}  // namespace
}  // namespace dcmveil
