// SPDX-License-Identifier: Apache-2.0
//
// The last look at an instance before it is written: does anything that identifies people in the
// input stand anywhere in the output?
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dcmveil/error.h"
#include "engine/charset.h"
#include "engine/clean/identifiers.h"
#include "engine/encoding/bytes.h"
#include "engine/encoding/scan.h"
#include "engine/guard/output.h"
#include "engine/guard/retained.h"
#include "engine/plan.h"

namespace dcmveil::engine::guard {

/// What is to be known about the input and the rules.
struct Knowledge {
  /// Of the input, from every depth.
  std::shared_ptr<const clean::Identifiers> identifiers;
  Retained retained;
  /// Manufacturer and model: an institution or a station is often named like them.
  std::vector<std::string> about;
  Charset charset;
};

/// The encoded output. The views must outlive the call.
struct Output {
  std::string_view meta =
      {};  ///< file meta information, explicit VR little endian; from (0002,0000) on
  std::string_view head = {};    ///< elements up to the pixel data
  std::string_view tail = {};    ///< elements behind it
  std::size_t tail_padding = 0;  ///< bytes in front of those elements that belong to pixel data
  Encoding encoding = {};        ///< of head and tail
  /// Pixel data at the top level: the value field in the source; null if there is none.
  const ByteSource* source = nullptr;
  std::uint64_t frames = 0;
  std::uint64_t frames_size = 0;
  bool compressed = false;
  ImageSize image = {};  ///< of native ones
  Tag pixels = {};
};

/// Fails with kIdentifierLeft, `where` saying the element and the kind of identifier:
/// "(0008,1030): person name". Never the value. Thread-safe for different instances.
[[nodiscard]] Status Look(const Knowledge& knowledge, const Output& output,
                          const std::vector<GuardException>& exceptions);

}  // namespace dcmveil::engine::guard
