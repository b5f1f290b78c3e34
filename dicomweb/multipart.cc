// SPDX-License-Identifier: Apache-2.0
#include "dicomweb/multipart.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <random>

namespace dcmveil::dicomweb {
namespace {

constexpr std::size_t kMostHeader = 64'000;
constexpr std::string_view kLineEnd = "\r\n";

bool SameName(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

MultipartParser::MultipartParser(std::string_view boundary, PartHandler& handler)
    : delimiter_("\r\n--" + std::string(boundary)),
      handler_(handler),
      // The first delimiter may stand at the very beginning.
      buffer_(kLineEnd) {}

bool MultipartParser::Feed(std::string_view bytes) {
  if (malformed()) return false;
  if (complete()) return true;
  buffer_.append(bytes);
  Step step = Step::kOn;
  while (step == Step::kOn) step = Advance();
  buffer_.erase(0, at_);
  at_ = 0;
  return step != Step::kStop;
}

MultipartParser::Step MultipartParser::Advance() {
  switch (state_) {
    case State::kPreamble:
      return Preamble();
    case State::kAfterDelimiter:
      return AfterDelimiter();
    case State::kHeaders:
      return ReadHeaders();
    case State::kCounted:
      return Counted();
    case State::kContent:
      return Content();
    case State::kEpilogue:
      at_ = buffer_.size();
      return Step::kMore;
    case State::kMalformed:
      break;
  }
  return Step::kStop;
}

MultipartParser::Step MultipartParser::Malformed() {
  state_ = State::kMalformed;
  return Step::kStop;
}

MultipartParser::Step MultipartParser::Preamble() {
  const std::size_t found = rest().find(delimiter_);
  if (found == std::string_view::npos) {
    if (rest().size() > kMostHeader) return Malformed();
    return Step::kMore;
  }
  at_ += found + delimiter_.size();
  state_ = State::kAfterDelimiter;
  return Step::kOn;
}

MultipartParser::Step MultipartParser::AfterDelimiter() {
  if (rest().starts_with("--")) {
    state_ = State::kEpilogue;
    return Step::kOn;
  }
  const std::size_t end = rest().find(kLineEnd);
  if (end == std::string_view::npos) {
    return rest().size() > kMostHeader ? Malformed() : Step::kMore;
  }
  if (!Trim(rest().substr(0, end)).empty()) return Malformed();
  // The line end stays: it is also the one that an empty header ends with.
  at_ += end;
  state_ = State::kHeaders;
  return Step::kOn;
}

MultipartParser::Step MultipartParser::ReadHeaders() {
  const std::size_t end = rest().find("\r\n\r\n");
  if (end == std::string_view::npos) {
    return rest().size() > kMostHeader ? Malformed() : Step::kMore;
  }
  std::string_view lines = rest().substr(0, end);
  at_ += end + 4;
  counted_ = false;
  while (!lines.empty()) {
    const std::size_t length = std::min(lines.find(kLineEnd), lines.size());
    const std::string_view line = lines.substr(0, length);
    lines.remove_prefix(std::min(length + 2, lines.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !SameName(line.substr(0, colon), "content-length")) {
      continue;
    }
    const std::string_view number = Trim(line.substr(colon + 1));
    const auto [stop, error] = std::from_chars(number.data(), number.data() + number.size(), left_);
    if (error != std::errc() || stop != number.data() + number.size()) return Malformed();
    counted_ = true;
  }
  state_ = counted_ ? State::kCounted : State::kContent;
  return handler_.PartBegins() ? Step::kOn : Step::kStop;
}

MultipartParser::Step MultipartParser::Counted() {
  if (left_ > 0) {
    const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, rest().size()));
    if (n == 0) return Step::kMore;
    const bool wanted = handler_.PartData(rest().substr(0, n));
    at_ += n;
    left_ -= n;
    return wanted ? Step::kOn : Step::kStop;
  }
  if (rest().size() < delimiter_.size()) {
    return delimiter_.starts_with(rest()) ? Step::kMore : Malformed();
  }
  if (!rest().starts_with(delimiter_)) return Malformed();
  at_ += delimiter_.size();
  state_ = State::kAfterDelimiter;
  return handler_.PartEnds() ? Step::kOn : Step::kStop;
}

MultipartParser::Step MultipartParser::Content() {
  const std::string_view text = rest();
  std::size_t from = 0;
  while (true) {
    std::size_t found = text.find(delimiter_, from);
    std::size_t content = 0;  // bytes that are certain to be content
    bool is_delimiter = false;
    if (found != std::string_view::npos) {
      // A delimiter is followed by "--", or by white space and a line end; anything else is not
      // one.
      const std::string_view after = text.substr(found + delimiter_.size());
      const std::size_t solid = after.find_first_not_of(" \t");
      const std::string_view mark =
          solid == std::string_view::npos ? std::string_view() : after.substr(solid);
      if (after.starts_with("--") || mark.starts_with(kLineEnd)) {
        is_delimiter = true;
      } else if (mark.size() >= 2 || (mark.size() == 1 && mark != "\r" && after != "-")) {
        from = found + 2;
        continue;
      } else if (after.size() > kMostHeader) {
        return Malformed();
      }
      content = found;
    } else {
      // The last bytes may be the beginning of a delimiter.
      const std::size_t keep = std::min(text.size(), delimiter_.size() - 1);
      content = text.size() - keep;
      found = text.find('\r', content);
      content = found == std::string_view::npos ? text.size() : found;
    }
    if (content > 0 && !handler_.PartData(text.substr(0, content))) return Step::kStop;
    at_ += content;
    if (!is_delimiter) return Step::kMore;
    at_ += delimiter_.size();
    state_ = State::kAfterDelimiter;
    return handler_.PartEnds() ? Step::kOn : Step::kStop;
  }
}

std::optional<std::string> BoundaryOf(const std::string& content_type) {
  std::string_view text = content_type;
  const std::size_t first = text.find(';');
  if (first == std::string_view::npos) return std::nullopt;
  text.remove_prefix(first + 1);
  while (!text.empty()) {
    // name = token | "quoted"
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view name = Trim(text.substr(0, equals));
    text = Trim(text.substr(equals + 1));
    std::string value;
    if (text.starts_with('"')) {
      std::size_t i = 1;
      for (; i < text.size() && text[i] != '"'; ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        value.push_back(text[i]);
      }
      text.remove_prefix(std::min(i + 1, text.size()));
    } else {
      value = std::string(Trim(text.substr(0, text.find(';'))));
    }
    const std::size_t next = text.find(';');
    text = next == std::string_view::npos ? std::string_view() : text.substr(next + 1);
    if (SameName(name, "boundary")) {
      if (value.empty()) return std::nullopt;
      return value;
    }
  }
  return std::nullopt;
}

std::string NewBoundary() {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::random_device random;
  std::string boundary = "dcmveil-";
  for (int i = 0; i < 4; ++i) {
    std::uint32_t bits = random();
    for (int j = 0; j < 8; ++j, bits >>= 4U) boundary.push_back(kHex[bits & 0x0FU]);
  }
  return boundary;
}

}  // namespace dcmveil::dicomweb
