// SPDX-License-Identifier: Apache-2.0
#include "engine/dcmtk/syntax.h"

#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmdata/dcxfer.h"
#include "engine/dictionary.h"

namespace dcmveil::engine {
namespace {

/// Transfer syntaxes that this DCMTK does not know yet, such as High-Throughput JPEG 2000. All that
/// the standard added for pixel data since 1996 are explicit VR little endian with fragments (PS3.5
/// A.4), and pixel data is carried, not decoded.
bool IsNewerEncapsulated(const std::string& uid) {
  return (uid.starts_with("1.2.840.10008.1.2.4.") || uid == "1.2.840.10008.1.2.8.1") &&
         IsRegisteredUid(uid);
}

}  // namespace

std::optional<Syntax> FindSyntax(const std::string& uid) {
  const DcmXfer xfer(uid.c_str());
  if (xfer.getXfer() == EXS_Unknown) {
    if (!IsNewerEncapsulated(uid)) return std::nullopt;
    return Syntax{.encoding = {}, .encapsulated = true};
  }
  return Syntax{.encoding = {.explicit_vr = xfer.isExplicitVR() != 0,
                             .big_endian = xfer.getByteOrder() == EBO_BigEndian},
                .deflated = xfer.getStreamCompression() == ESC_zlib,
                .encapsulated = xfer.isEncapsulated() != 0};
}

}  // namespace dcmveil::engine
