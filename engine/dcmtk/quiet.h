// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace dcmveil::engine {

/// DCMTK's log prints, and its warnings may quote values: to be called before anything of DCMTK
/// that can warn. Any number of threads, any number of times.
void SilenceDcmtk();

}  // namespace dcmveil::engine
