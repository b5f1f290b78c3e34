// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "engine/charset.h"
#include "engine/clean/identifiers.h"
#include "engine/dcmtk/read.h"

namespace dcmveil::engine {

/// What identifies people in the instance as it was read, from every depth: the attributes of
/// clean::KindOf, private elements and UN-encoded sequences too. `charset` is the instance's; items
/// may declare their own.
[[nodiscard]] std::shared_ptr<const clean::Identifiers> CollectIdentifiers(
    const ParsedInstance& parsed, const Charset& charset);

}  // namespace dcmveil::engine
