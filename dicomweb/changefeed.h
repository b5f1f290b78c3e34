// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "dicomweb/service.h"
#include "dicomweb/wado.h"

namespace dcmveil::dicomweb {

/// A place in the change feed of Azure's service. What comes at or after it is read again.
struct FeedPosition {
  std::int64_t sequence = 0;  ///< all up to it is done; 0: from the beginning
  std::string time;           ///< RFC 3339; empty: from the beginning
};

/// One change: an instance that was stored or changed and is there now.
struct FeedEntry {
  ResourceId id;
  FeedPosition position;
};

/// What a person writes: a sequence number or a date with or without time (UTC). Nothing if it is
/// neither.
[[nodiscard]] std::optional<FeedPosition> ParsePosition(const std::string& text);

/// Reads the feed from `from` to the present, less `lag`, because its newest entries may still
/// change their order. What was deleted or replaced since is left out. Version 1 is paged by
/// sequence number, where an empty page is not the end; version 2 by time. False if `found` said
/// stop.
[[nodiscard]] Reply<bool> ReadChangeFeed(Service& service, const FeedPosition& from,
                                         std::chrono::seconds lag,
                                         const std::function<bool(const FeedEntry&)>& found);

}  // namespace dcmveil::dicomweb
