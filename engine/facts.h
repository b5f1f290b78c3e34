// SPDX-License-Identifier: Apache-2.0
//
// What the top level of an instance says, for those who decide about the whole of it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "dcmveil/error.h"
#include "dcmveil/tag.h"
#include "engine/charset.h"
#include "engine/encoding/read.h"
#include "engine/instance.h"

namespace dcmveil::engine {

/// A top-level element in front of the pixel data; null if there is none.
[[nodiscard]] const DataElement* FindTop(const ParsedInstance& parsed, Tag tag);

/// The first value of a top-level element as UTF-8 without padding; empty if there is none.
[[nodiscard]] std::string TopText(const ParsedInstance& parsed, const Charset& charset, Tag tag,
                                  Vr vr);

/// What actions must know: all but the identifiers. `charset_known` says whether the declared
/// character set is one that we have.
[[nodiscard]] Instance ReadFacts(const ParsedInstance& parsed, bool& charset_known);

/// Instance::asked.
[[nodiscard]] std::map<Tag, std::vector<std::string>> ReadAsked(const ParsedInstance& parsed,
                                                                const Instance& instance,
                                                                const std::vector<Tag>& tags);

/// Old overlays lie in bits of the pixel cells that the image does not use, and stay there when
/// their group goes. The bits that the image uses, if there is such an overlay.
[[nodiscard]] Result<std::string> MaskForOverlays(const ParsedInstance& parsed);

}  // namespace dcmveil::engine
