// SPDX-License-Identifier: Apache-2.0
//
// A multipart answer of a DICOM service. The first byte chooses how the body is cut into pieces,
// the rest of the first line is the Content-Type, and what follows is the body. Whatever the
// pieces, the parts are the same.
#include "dicomweb/multipart.h"

#include <algorithm>
#include <string>
#include <vector>

#include "tests/fuzz/target.h"

namespace dcmveil::fuzz {
namespace {

class Parts final : public dicomweb::PartHandler {
 public:
  [[nodiscard]] bool PartBegins() override {
    Hold(!open_, "a part ends before the next begins");
    open_ = true;
    contents.emplace_back();
    return true;
  }
  [[nodiscard]] bool PartData(std::string_view bytes) override {
    Hold(open_, "content belongs to a part");
    Hold(!bytes.empty(), "content is not given in empty pieces");
    contents.back() += bytes;
    return true;
  }
  [[nodiscard]] bool PartEnds() override {
    Hold(open_, "what ends has begun");
    open_ = false;
    return true;
  }
  [[nodiscard]] bool open() const { return open_; }

  std::vector<std::string> contents;

 private:
  bool open_ = false;
};

/// Sizes between 1 and 64 from a seed.
class Sizes {
 public:
  explicit Sizes(std::uint8_t seed) : state_(seed + 1U) {}
  std::size_t Next() {
    state_ = state_ * 1103515245U + 12345U;
    return (state_ >> 16U) % 64U + 1;
  }

 private:
  std::uint32_t state_;
};

struct Outcome {
  std::vector<std::string> contents;
  bool complete = false;
  bool malformed = false;
  bool operator==(const Outcome&) const = default;
};

template <typename NextSize>
Outcome Parse(const std::string& boundary, std::string_view body, NextSize next_size) {
  Parts parts;
  dicomweb::MultipartParser parser(boundary, parts);
  bool more = true;
  while (more && !body.empty()) {
    const std::size_t size = std::min(body.size(), next_size());
    more = parser.Feed(body.substr(0, size));
    body.remove_prefix(size);
  }
  Hold(more || parser.malformed(), "a handler that wants everything is given everything");
  Hold(!parser.complete() || !parts.open(), "a whole body ends with a whole part");
  Outcome outcome;
  outcome.complete = parser.complete();
  outcome.malformed = parser.malformed();
  // Of a part that has no end as much comes as the pieces allow.
  if (parts.open()) parts.contents.pop_back();
  outcome.contents = std::move(parts.contents);
  return outcome;
}

}  // namespace
}  // namespace dcmveil::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using dcmveil::fuzz::Parse;
  const std::string_view input = dcmveil::fuzz::TextOf(data, size);
  const std::size_t line_end = input.find('\n');
  if (size < 2 || line_end == std::string_view::npos || line_end == 0) return 0;
  const auto boundary = dcmveil::dicomweb::BoundaryOf(std::string(input.substr(1, line_end - 1)));
  if (!boundary) return 0;
  const std::string_view body = input.substr(line_end + 1);
  const auto whole = Parse(*boundary, body, [&body] { return body.size(); });
  const auto bytes = Parse(*boundary, body, [] { return std::size_t{1}; });
  dcmveil::fuzz::Sizes sizes(data[0]);
  const auto pieces = Parse(*boundary, body, [&sizes] { return sizes.Next(); });
  dcmveil::fuzz::Hold(whole == bytes, "byte by byte it is the same");
  dcmveil::fuzz::Hold(whole == pieces, "in pieces it is the same");
  return 0;
}
