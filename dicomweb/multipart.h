// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dcmveil::dicomweb {

/// Gets the parts of a multipart body as they arrive. False ends the parsing.
class PartHandler {
 public:
  virtual ~PartHandler() = default;
  [[nodiscard]] virtual bool PartBegins() = 0;
  [[nodiscard]] virtual bool PartData(std::string_view bytes) = 0;
  [[nodiscard]] virtual bool PartEnds() = 0;
};

/// Reads multipart/related (RFC 2046 section 5.1, PS3.18 section 8.6.1) piece by piece, whatever
/// the sizes of the pieces. Holds no more than a part's header, or a delimiter, at a time. A part's
/// Content-Length, where there is one, is relied on, so that its content may be anything; without,
/// a line that only begins like the delimiter is content. One thread.
class MultipartParser {
 public:
  /// `handler` must outlive it.
  MultipartParser(std::string_view boundary, PartHandler& handler);
  /// False once the body is no multipart body or the handler said so; see malformed().
  [[nodiscard]] bool Feed(std::string_view bytes);
  /// Whether the closing delimiter has been seen; otherwise the body ended early.
  [[nodiscard]] bool complete() const { return state_ == State::kEpilogue; }
  [[nodiscard]] bool malformed() const { return state_ == State::kMalformed; }

 private:
  enum class State {
    kPreamble,
    kAfterDelimiter,
    kHeaders,
    kCounted,
    kContent,
    kEpilogue,
    kMalformed
  };
  /// What a step says: go on, wait for more bytes, or stop.
  enum class Step { kOn, kMore, kStop };
  [[nodiscard]] Step Advance();
  [[nodiscard]] Step Preamble();
  [[nodiscard]] Step AfterDelimiter();
  [[nodiscard]] Step ReadHeaders();
  [[nodiscard]] Step Counted();
  [[nodiscard]] Step Content();
  [[nodiscard]] Step Malformed();
  [[nodiscard]] std::string_view rest() const { return std::string_view(buffer_).substr(at_); }

  const std::string delimiter_;  ///< "\r\n--boundary"
  PartHandler& handler_;
  State state_ = State::kPreamble;
  std::string buffer_;
  std::size_t at_ = 0;
  std::uint64_t left_ = 0;  ///< of a part with a length
  bool counted_ = false;
};

/// The boundary of `multipart/related; type="application/dicom"; boundary="..."`, or nothing.
[[nodiscard]] std::optional<std::string> BoundaryOf(const std::string& content_type);

/// A boundary of 128 random bits: that it stands in a body by chance is out of the question.
[[nodiscard]] std::string NewBoundary();

}  // namespace dcmveil::dicomweb
