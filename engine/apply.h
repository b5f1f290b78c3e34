// SPDX-License-Identifier: Apache-2.0
//
// One DICOM file in, one out: read, decide, guard, encode. What dcmveil::Engine does, for callers
// that want to be told of every decision.
#pragma once

#include <filesystem>
#include <string>

#include "dcmveil/engine.h"
#include "engine/deidentify.h"
#include "engine/plan.h"

namespace dcmveil::engine {

/// See Engine; `observer` may be null.
[[nodiscard]] Result<Deidentified> ApplyToFile(const std::filesystem::path& file, const Plan& plan,
                                               Observer* observer);
[[nodiscard]] Result<Deidentified> ApplyToBytes(std::string bytes, const Plan& plan,
                                                Observer* observer);

}  // namespace dcmveil::engine
