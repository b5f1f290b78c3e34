// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "dicomweb/service.h"
#include "dicomweb/wado.h"

namespace dcmveil::dicomweb {

/// Matching attributes of a search: keyword or tag, and value, as in a URL but not encoded.
using Query = std::vector<std::pair<std::string, std::string>>;

/// Where an attribute of a query belongs.
enum class Level : std::uint8_t { kStudy, kSeries, kInstance };
[[nodiscard]] Level LevelOf(const std::string& keyword);

/// Gives one found thing; false to stop.
using Found = std::function<bool(const ResourceId&)>;

/// QIDO-RS (PS3.18 section 10.6) for all studies, the series of a study, or the instances of a
/// series, page by page to the end. What a page repeats, because something was inserted in between,
/// is given once. `within` says of what. False if `found` said stop.
[[nodiscard]] Reply<bool> Search(Service& service, Level level, const ResourceId& within,
                                 const Query& query, const Found& found);

/// Every instance that the query selects: its studies, their series, their instances. Of studies
/// that are not `wanted` nothing is searched; empty: all are.
[[nodiscard]] Reply<bool> SearchInstances(
    Service& service, const Query& query, const Found& found,
    const std::function<bool(const std::string& study)>& wanted = {});

/// Every instance of a study, series or instance. An `id` with nothing but `study` may be a series
/// UID. kNotFound if the service knows no such thing.
[[nodiscard]] Reply<bool> InstancesOf(Service& service, const ResourceId& id, const Query& query,
                                      const Found& found);

}  // namespace dcmveil::dicomweb
