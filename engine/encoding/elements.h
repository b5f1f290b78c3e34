// SPDX-License-Identifier: Apache-2.0
//
// Elements from bytes and back (PS3.5 section 7). Only bytes that ScanDataSet or IsItemList went
// over are read, so that depth and lengths are known to be sound.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dcmveil/error.h"
#include "engine/data_set.h"
#include "engine/encoding/scan.h"

namespace dcmveil::engine {

/// The elements of a data set. Their values are views of `bytes`, but for numbers in big endian;
/// padding behind text is no part of them. Of two elements with one tag the first stays; the
/// others, from every depth, are added to `dropped` if it is not null. Fails with kMalformed.
[[nodiscard]] Result<Item> ReadElements(std::string_view bytes, Encoding encoding,
                                        std::vector<DataElement>* dropped = nullptr);

/// The sequence whose items are the bytes, as they stand in a UN element: implicit VR little
/// endian, else (seen in the wild) explicit, little or big endian. Nothing if they are no list of
/// items, too deep, or longer than kLongestOpened.
[[nodiscard]] std::optional<DataElement> MakeSequence(Tag tag, std::string_view bytes, int depth);

/// Appends the elements: sequences and items with undefined length, values padded to even length.
void AppendElements(const Item& item, Encoding encoding, std::string& bytes);
void AppendElement(const DataElement& element, Encoding encoding, std::string& bytes);

}  // namespace dcmveil::engine
