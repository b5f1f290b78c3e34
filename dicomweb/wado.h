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

/// All instances of a study or a series, one after the other as they arrive. `take` may be slow:
/// the service then waits; false stops. A failure if the body did not come to its end; what was
/// given before is whole. Once something was given it is not tried again, and no failure of it is
/// held against the service: the caller knows what is missing and asks for that.
[[nodiscard]] std::optional<Failure> RetrieveAll(
    Service& service, const ResourceId& id,
    const std::function<bool(std::shared_ptr<Spool>)>& take);

}  // namespace dcmveil::dicomweb
