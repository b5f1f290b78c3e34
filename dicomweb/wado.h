// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "dicomweb/service.h"

namespace dcmveil::dicomweb {

/// A study, a series of it, or an instance of that, by UIDs; the lower ones may be empty.
struct ResourceId {
  std::string study = {};
  std::string series = {};
  std::string instance = {};
  bool operator==(const ResourceId&) const = default;
  /// "studies/…/series/…/instances/…", as in a URL behind the base.
  [[nodiscard]] std::string Path() const;
};

/// Whether the text may stand in a path as a UID: 1 to 64 letters, digits, '.', '-'.
[[nodiscard]] bool IsUid(const std::string& text);

/// WADO-RS (PS3.18 section 10.4): one instance, as it is stored, never transcoded.
[[nodiscard]] Reply<std::shared_ptr<Spool>> RetrieveInstance(Service& service,
                                                             const ResourceId& id);

/// All instances of a study or a series, one after the other as they arrive; each is given once,
/// also where the body broke and came a second time. `take` returns false to stop. The number of
/// instances comes back.
[[nodiscard]] Reply<std::size_t> RetrieveAll(
    Service& service, const ResourceId& id,
    const std::function<bool(std::shared_ptr<Spool>)>& take);

}  // namespace dcmveil::dicomweb
