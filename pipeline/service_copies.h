// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>

#include "dcmveil/connection.h"
#include "dcmveil/run.h"

namespace dcmveil::pipeline {

enum class Named : std::uint8_t { kInputs, kOutputs };

/// Retrieves the instances of a service that a manifest names as inputs or as outputs into files
/// below `folder`, each under its name in the manifest. One that the service does not have is left
/// out. Blocks; several requests at a time, as the connection says. The problem, if it could not
/// ask for all.
[[nodiscard]] std::optional<RunSummary::Problem> CopyFromService(
    const Connection& service, const std::filesystem::path& manifest, Named named,
    const std::filesystem::path& folder);

}  // namespace dcmveil::pipeline
