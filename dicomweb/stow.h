// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dicomweb/service.h"
#include "dicomweb/spool.h"
#include "dicomweb/wado.h"

namespace dcmveil::dicomweb {

struct StowItem {
  ResourceId id;  ///< of the instance, whole
  std::shared_ptr<Spool> file;
};

/// What became of one instance that was sent.
struct StowResult {
  enum class What : std::uint8_t {
    kStored,    ///< the service says so, or has exactly this instance after a doubtful attempt
    kExists,    ///< exactly this instance was there
    kConflict,  ///< another instance with this UID is there
    kRefused,   ///< the service will not take it
    kFailed,    ///< it may take it later
  };
  What what = What::kFailed;
  bool warned = false;  ///< stored, with a remark of the service
  long reason = 0;      ///< Failure Reason (0008,1197) or HTTP status, where there is one
};

/// STOW-RS (PS3.18 section 10.5): sends all in one request, then again what must be sent again, and
/// reads what the service says of each, by SOP Instance UID. An instance about which it says
/// nothing is looked for. As many results as items.
[[nodiscard]] std::vector<StowResult> Store(Service& service, const std::vector<StowItem>& items);

/// What the service has under that address in comparison with `file`.
enum class Comparison : std::uint8_t { kAbsent, kSame, kDifferent };
[[nodiscard]] Reply<Comparison> CompareWithStored(Service& service, const StowItem& item);

}  // namespace dcmveil::dicomweb
