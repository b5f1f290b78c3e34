// SPDX-License-Identifier: Apache-2.0
#include "dicomweb/qido.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <unordered_set>

#include "dicomweb/dicom_json.h"

namespace dcmveil::dicomweb {
namespace {

constexpr const char* kStudyUid = "0020000D";
constexpr const char* kSeriesUid = "0020000E";
constexpr const char* kInstanceUid = "00080018";

// Keyword and tag of what is asked of series and instances; all else is asked of studies.
constexpr std::array<std::string_view, 26> kOfSeries = {"Modality",
                                                        "00080060",
                                                        "SeriesInstanceUID",
                                                        "0020000E",
                                                        "SeriesNumber",
                                                        "00200011",
                                                        "SeriesDescription",
                                                        "0008103E",
                                                        "BodyPartExamined",
                                                        "00180015",
                                                        "ProtocolName",
                                                        "00181030",
                                                        "Manufacturer",
                                                        "00080070",
                                                        "ManufacturerModelName",
                                                        "00081090",
                                                        "StationName",
                                                        "00081010",
                                                        "PerformedProcedureStepStartDate",
                                                        "00400244",
                                                        "PerformedProcedureStepStartTime",
                                                        "00400245",
                                                        "SeriesDate",
                                                        "00080021",
                                                        "Laterality",
                                                        "00200060"};
constexpr std::array<std::string_view, 6> kOfInstances = {
    "SOPInstanceUID", "00080018", "SOPClassUID", "00080016", "InstanceNumber", "00200013"};

Query Part(const Query& query, Level level) {
  Query part;
  std::copy_if(query.begin(), query.end(), std::back_inserter(part),
               [level](const auto& entry) { return LevelOf(entry.first) == level; });
  return part;
}

std::string UrlOf(const Service& service, Level level, const ResourceId& within,
                  const Query& query) {
  std::string url = service.base() + "/";
  switch (level) {
    case Level::kStudy:
      url += "studies";
      break;
    case Level::kSeries:
      url += within.study.empty() ? "series" : within.Path() + "/series";
      break;
    case Level::kInstance:
      url += within.Path() + "/instances";
      break;
  }
  // Azure's service, which has versions, refuses to give more at once.
  constexpr int kMostOfAzure = 200;
  const Connection& connection = service.connection();
  const int page =
      connection.api_version.empty() ? connection.page : std::min(connection.page, kMostOfAzure);
  url += "?limit=" + std::to_string(page);
  for (const auto& [key, value] : query) {
    url += "&" + PercentEncode(key) + "=" + PercentEncode(value);
  }
  return url;
}

ResourceId IdOf(const nlohmann::json& row, Level level, const ResourceId& within) {
  ResourceId id = within;
  if (level == Level::kStudy || id.study.empty()) id.study = TextOf(row, kStudyUid);
  if (level == Level::kSeries) id.series = TextOf(row, kSeriesUid);
  if (level == Level::kInstance) id.instance = TextOf(row, kInstanceUid);
  if (level == Level::kInstance && id.series.empty()) id.series = TextOf(row, kSeriesUid);
  return id;
}

bool IsWhole(const ResourceId& id, Level level) {
  // A search for all instances of a study need not say in which series they are.
  return IsUid(id.study) && (level != Level::kSeries || IsUid(id.series)) &&
         (level != Level::kInstance || IsUid(id.instance));
}

}  // namespace

Level LevelOf(const std::string& keyword) {
  const auto is_in = [&keyword](const auto& list) {
    return std::find(list.begin(), list.end(), keyword) != list.end();
  };
  if (is_in(kOfInstances)) return Level::kInstance;
  return is_in(kOfSeries) ? Level::kSeries : Level::kStudy;
}

Reply<bool> Search(Service& service, Level level, const ResourceId& within, const Query& query,
                   const Found& found) {
  const std::string url = UrlOf(service, level, within, query);
  const Failure bad{Failure::Kind::kBadAnswer, 0,
                    service.host() + ": answers a search with something that is no DICOM JSON"};
  std::unordered_set<std::string> seen;
  std::string last;
  std::size_t offset = 0;
  while (true) {
    Reply<std::string> text = service.GetJson(url + "&offset=" + std::to_string(offset));
    if (!text) {
      // Some services say so where others answer with nothing.
      if (text.failure().kind == Failure::Kind::kNotFound && offset > 0) return true;
      return text.failure();
    }
    if (text->empty()) return true;
    const nlohmann::json rows = nlohmann::json::parse(*text, nullptr, false);
    if (!rows.is_array()) return bad;
    if (rows.empty()) return true;
    for (const nlohmann::json& row : rows) {
      const ResourceId id = IdOf(row, level, within);
      if (!IsWhole(id, level)) return bad;
      if (seen.insert(id.Path()).second && !found(id)) return false;
    }
    // A service that knows no offset gives the same page for ever.
    if (*text == last) return true;
    last = std::move(*text);
    // Not by the size that was asked for: a service may have a smaller one of its own, and a page
    // that is not full need not be the last.
    offset += rows.size();
  }
}

namespace {

/// Goes down from series to instances, and hands failures and the wish to stop up.
Reply<bool> InstancesOfSeries(Service& service, const ResourceId& series, const Query& query,
                              const Found& found) {
  return Search(service, Level::kInstance, series, Part(query, Level::kInstance), found);
}

Reply<bool> InstancesOfStudy(Service& service, const ResourceId& study, const Query& query,
                             const Found& found) {
  Reply<bool> inner = true;
  const Reply<bool> outer = Search(service, Level::kSeries, study, Part(query, Level::kSeries),
                                   [&](const ResourceId& series) {
                                     inner = InstancesOfSeries(service, series, query, found);
                                     return inner && *inner;
                                   });
  return outer && !inner ? inner : outer;
}

}  // namespace

Reply<bool> SearchInstances(Service& service, const Query& query, const Found& found,
                            const std::function<bool(const std::string& study)>& wanted) {
  Reply<bool> inner = true;
  const Reply<bool> outer =
      Search(service, Level::kStudy, {}, Part(query, Level::kStudy), [&](const ResourceId& study) {
        if (wanted && !wanted(study.study)) return true;
        inner = InstancesOfStudy(service, study, query, found);
        return inner && *inner;
      });
  return outer && !inner ? inner : outer;
}

Reply<bool> InstancesOf(Service& service, const ResourceId& id, const Query& query,
                        const Found& found) {
  if (!id.instance.empty()) return found(id);
  bool any = false;
  const Found each = [&](const ResourceId& instance) {
    any = true;
    return found(instance);
  };
  const Failure none{Failure::Kind::kNotFound, 0, service.host() + ": has no such study or series"};
  if (!id.series.empty()) {
    Reply<bool> done = InstancesOfSeries(service, id, query, each);
    if (done && *done && !any) return none;
    return done;
  }
  Reply<bool> done = InstancesOfStudy(service, id, query, each);
  if (!done && done.failure().kind != Failure::Kind::kNotFound) return done;
  if (any) return done;
  // Or it is a series.
  Reply<bool> inner = true;
  const Reply<bool> outer = Search(service, Level::kSeries, {}, {{"SeriesInstanceUID", id.study}},
                                   [&](const ResourceId& series) {
                                     inner = InstancesOfSeries(service, series, query, each);
                                     return inner && *inner;
                                   });
  if (!outer) return outer;
  if (!inner) return inner;
  if (*outer && !any) return none;
  return outer;
}

}  // namespace dcmveil::dicomweb
