// SPDX-License-Identifier: Apache-2.0
#include "engine/dcmtk/quiet.h"

#include <mutex>

#include "dcmtk/config/osconfig.h"
#include "dcmtk/oflog/oflog.h"

namespace dcmveil::engine {

void SilenceDcmtk() {
  static std::once_flag once;
  std::call_once(once, [] { OFLog::configure(OFLogger::OFF_LOG_LEVEL); });
}

}  // namespace dcmveil::engine
