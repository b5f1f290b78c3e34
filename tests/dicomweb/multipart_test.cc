// SPDX-License-Identifier: Apache-2.0
#include "dicomweb/multipart.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dcmveil::dicomweb {
namespace {

struct Collector : PartHandler {
  std::vector<std::string> parts;
  bool open = false;
  bool PartBegins() override {
    parts.emplace_back();
    open = true;
    return true;
  }
  bool PartData(std::string_view bytes) override {
    parts.back().append(bytes);
    return true;
  }
  bool PartEnds() override {
    open = false;
    return true;
  }
};

struct Parsed {
  bool complete = false;
  bool malformed = false;
  std::vector<std::string> parts;
};
Parsed Parse(const std::string& body, std::size_t piece, const std::string& boundary = "XX") {
  Collector collector;
  MultipartParser parser(boundary, collector);
  for (std::size_t at = 0; at < body.size(); at += piece) {
    if (!parser.Feed(std::string_view(body).substr(at, piece))) break;
  }
  return {parser.complete(), parser.malformed(), collector.parts};
}

const std::string kHead = "Content-Type: application/dicom\r\n";

TEST(MultipartTest, AnySplitGivesTheSame) {
  // Content that is like the delimiter in every way but being one.
  const std::vector<std::string> parts = {"one",
                                          "",
                                          "\r\n--XY\r\n--X",
                                          std::string("\0\r\n--XXY\r\n--XX-\r\n--XX \t?\r", 25),
                                          "--XX--",
                                          "\r\n\r\n",
                                          "ends with \r\n--XX?"};
  std::string body = "--XX\r\n";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    body += kHead + "\r\n" + parts[i] + "\r\n--XX" + (i + 1 < parts.size() ? " \t\r\n" : "--");
  }
  body += "\r\nepilogue\r\n--XX\r\n";
  for (std::size_t piece = 1; piece <= body.size(); ++piece) {
    const Parsed parsed = Parse(body, piece);
    EXPECT_TRUE(parsed.complete) << piece;
    EXPECT_EQ(parsed.parts, parts) << piece;
  }
}

TEST(MultipartTest, ALengthMakesEvenTheDelimiterContent) {
  const std::string content = "a\r\n--XX\r\n\r\nb\r\n--XX--";
  const std::string body = "preamble\r\n--XX\r\n" + kHead +
                           "content-LENGTH: " + std::to_string(content.size()) + "\r\n\r\n" +
                           content + "\r\n--XX--";
  for (std::size_t piece = 1; piece <= body.size(); ++piece) {
    const Parsed parsed = Parse(body, piece);
    EXPECT_TRUE(parsed.complete) << piece;
    EXPECT_EQ(parsed.parts, std::vector<std::string>{content}) << piece;
  }
}

TEST(MultipartTest, EveryEarlyEndIsSeen) {
  const std::string body = "--XX\r\n" + kHead + "\r\nhello\r\n--XX--";
  const std::string counted = "--XX\r\nContent-Length: 5\r\n\r\nhello\r\n--XX--";
  for (const std::string& whole : {body, counted}) {
    EXPECT_TRUE(Parse(whole, 3).complete);
    for (std::size_t end = 0; end < whole.size(); ++end) {
      EXPECT_FALSE(Parse(whole.substr(0, end), 3).complete) << end;
    }
  }
}

TEST(MultipartTest, WhatIsNoMultipartIsSaid) {
  EXPECT_TRUE(Parse("--XX\r\nContent-Length: 4\r\n\r\nhello\r\n--XX--", 5).malformed);
  EXPECT_TRUE(Parse("--XX\r\nContent-Length: x\r\n\r\nhello\r\n--XX--", 5).malformed);
  EXPECT_TRUE(Parse(std::string(100'000, 'x'), 1000).malformed);
}

TEST(MultipartTest, Boundary) {
  EXPECT_EQ(BoundaryOf(R"(multipart/related; type="application/dicom"; boundary="a b;c")"),
            "a b;c");
  EXPECT_EQ(BoundaryOf("multipart/related;Boundary=abc;type=x"), "abc");
  EXPECT_EQ(BoundaryOf(R"(multipart/related; start="<boundary=no>"; boundary=yes)"), "yes");
  EXPECT_FALSE(BoundaryOf("multipart/related"));
  EXPECT_FALSE(BoundaryOf("multipart/related; boundary=\"\""));
  EXPECT_NE(NewBoundary(), NewBoundary());
}

}  // namespace
}  // namespace dcmveil::dicomweb
