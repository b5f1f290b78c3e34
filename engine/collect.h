// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/charset.h"
#include "engine/clean/identifiers.h"
#include "engine/encoding/read.h"
#include "engine/reading.h"

namespace dcmveil::engine {

enum class Which : std::uint8_t { kAll, kSearched };  ///< kSearched: those of guard::IsSearched

/// What identifies people in the instance as it was read, from every depth: the attributes of
/// clean::KindOf, private elements and UN-encoded sequences too. `charset` is the instance's; items
/// may declare their own. Of what the reader dropped, too, seen in the instance's set.
[[nodiscard]] std::shared_ptr<const clean::Identifiers> CollectIdentifiers(
    const ParsedInstance& parsed, const Charset& charset, Which which);

/// The identifiers of one element, which holds them of that kind.
void AppendIdentifiers(const DataElement& element, const Reading& reading, const Charset& charset,
                       clean::IdentifierKind kind, std::vector<clean::Identifier>& found);

}  // namespace dcmveil::engine
