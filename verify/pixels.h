// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "verify/facts.h"
#include "verify/reader.h"

namespace dcmveil::verify {

enum class PixelAnswer {
  kSame,
  kMasked,  ///< the same in the bits that the image uses, none in the others
  kDifferent,
  kUnreadable,
};

/// Whether the pixel data of the output is that of the input, byte for byte, but for padding to an
/// even length. `before` has the input's bits.
[[nodiscard]] PixelAnswer ComparePixels(const Layout& input, const Layout& output,
                                        const Facts& before);

/// Bytes in and around pixel data that are no frames: behind the last native frame, and the
/// comments and application segments of JPEG and JPEG 2000 streams.
[[nodiscard]] std::vector<std::string> BytesBesideFrames(const Layout& file, const Facts& facts);

}  // namespace dcmveil::verify
