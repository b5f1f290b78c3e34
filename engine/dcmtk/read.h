// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmdata/dcdatset.h"
#include "dcmveil/error.h"
#include "engine/dcmtk/bytes.h"
#include "engine/dcmtk/scan.h"

namespace dcmveil::engine {

/// An instance as read. Pixel data at the top level is not in it: it stays in the source.
struct ParsedInstance {
  std::shared_ptr<ByteSource> source;  ///< what the extents refer to
  E_TransferSyntax syntax = EXS_Unknown;
  std::string transfer_syntax_uid;
  Encoding encoding;
  bool deflated = false;
  Extents extents;
  std::unique_ptr<DcmDataset> head;   ///< elements in front of the pixel data
  std::unique_ptr<DcmDataset> after;  ///< elements behind it; may be null
};

/// Reads everything but the pixel data. With or without preamble and file meta information;
/// without, the transfer syntax is told from the first element. Never throws.
[[nodiscard]] Result<ParsedInstance> ReadInstance(std::shared_ptr<ByteSource> source);

/// A data set without file meta information, whole and without pixel data at its top level, in a
/// transfer syntax that is neither deflated nor encapsulated. Fails with kUnsupportedSyntax, or as
/// ReadInstance does.
[[nodiscard]] Result<std::unique_ptr<DcmDataset>> ReadDataSet(std::string bytes,
                                                              const std::string& syntax_uid);

}  // namespace dcmveil::engine
