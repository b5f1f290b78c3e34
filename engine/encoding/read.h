// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dcmveil/error.h"
#include "engine/data_set.h"
#include "engine/encoding/bytes.h"
#include "engine/encoding/scan.h"

namespace dcmveil::engine {

/// An instance as read. Pixel data at the top level is not in it: it stays in the source.
struct ParsedInstance {
  std::shared_ptr<ByteSource> source;  ///< what the extents and the values refer to
  std::string transfer_syntax_uid;
  Encoding encoding;
  bool deflated = false;
  Extents extents;
  Item head;                                 ///< elements in front of the pixel data
  std::optional<Item> after;                 ///< elements behind it
  std::unique_ptr<std::string> after_bytes;  ///< what the values of `after` are views of
  std::vector<DataElement> dropped;          ///< second elements with one tag, from every depth
};

/// Reads everything but the pixel data. With or without preamble and file meta information;
/// without, the transfer syntax is told from the first element. Never throws.
[[nodiscard]] Result<ParsedInstance> ReadInstance(std::shared_ptr<ByteSource> source);

/// A data set without file meta information, whole and without pixel data at its top level, in a
/// transfer syntax that is neither deflated nor encapsulated. Its values are views of `bytes`.
/// Fails with kUnsupportedSyntax, or as ReadInstance does.
[[nodiscard]] Result<Item> ReadDataSet(std::string_view bytes, const std::string& syntax_uid);

}  // namespace dcmveil::engine
