// SPDX-License-Identifier: Apache-2.0
//
// Data elements as DCMTK holds them, seen as plain bytes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "dcmtk/config/osconfig.h"
#include "dcmtk/dcmdata/dcelem.h"
#include "dcmtk/dcmdata/dcitem.h"
#include "dcmtk/dcmdata/dcsequen.h"
#include "dcmveil/error.h"
#include "dcmveil/tag.h"
#include "dcmveil/vr.h"

namespace dcmveil::engine {

[[nodiscard]] inline Tag TagOf(const DcmObject& object) {
  return {object.getGTag(), object.getETag()};
}

/// The VR as encoded, or as DCMTK's dictionary guessed it in implicit VR; UN for one that is no VR.
/// Nothing for objects that are no elements.
[[nodiscard]] std::optional<Vr> EncodedVr(const DcmObject& object);

/// The value field in little endian, untrimmed. Empty for sequences and encapsulated pixel data.
[[nodiscard]] std::string RawValue(DcmElement& element);

/// A new element. `bytes` is the value field in little endian; it is padded to even length as the
/// VR says. Null if DCMTK refuses, which only wrong lengths of binary numbers can cause.
[[nodiscard]] std::unique_ptr<DcmElement> MakeElement(Tag tag, Vr vr, std::string_view bytes);

/// The sequence whose items are the bytes, as they stand in a UN element: implicit VR little
/// endian, else (seen in the wild) explicit, little or big endian. Null if they are no list of
/// items, too deep, or longer than kLongestOpened.
[[nodiscard]] std::unique_ptr<DcmElement> MakeSequence(Tag tag, std::string_view bytes, int depth);

/// Whether the value field begins as a list of items does, in either byte order.
[[nodiscard]] bool BeginsWithItem(DcmElement& element);

/// The element as a sequence, or null if it is none.
[[nodiscard]] DcmSequenceOfItems* AsSequence(DcmElement& element);

/// What DCMTK reports, by number: "DCMTK 1:5", its module and code (dcerror.h). Its words may quote
/// values.
[[nodiscard]] std::string ConditionCode(const OFCondition& condition);

/// Cuts off padding: blanks and NULs behind the last character.
[[nodiscard]] std::string_view TrimPadding(std::string_view text);

}  // namespace dcmveil::engine
