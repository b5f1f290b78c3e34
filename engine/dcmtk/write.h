// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "dcmveil/engine.h"
#include "engine/dcmtk/read.h"

namespace dcmveil::engine {

/// What becomes of the top-level pixel data.
enum class PixelOutput : std::uint8_t { kNone, kCarry, kEmpty };

/// Encodes the instance in its own transfer syntax: a zeroed preamble, file meta information made
/// afresh (PS3.15 E.1.1 item 7), the elements without group lengths and padding, sequences with
/// undefined length. Consumes the data sets of `parsed`.
/// `pixel_mask`: see EncodedInstance::Segment::mask; for native pixel data only.
[[nodiscard]] Result<EncodedInstance> Encode(ParsedInstance& parsed, PixelOutput pixels,
                                             const std::string& pixel_mask,
                                             std::string_view sop_class_uid,
                                             std::string_view sop_instance_uid);

/// The bytes of a data set or of one element, sequences with undefined length. Nothing if DCMTK
/// cannot encode it.
[[nodiscard]] std::optional<std::string> EncodeObject(DcmObject& object, E_TransferSyntax syntax);

}  // namespace dcmveil::engine
