// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

namespace dcmveil::cli {

/// `-j`, the same for every verb that uses threads. 0: as many as the machine has.
inline void AddJobs(CLI::App& app, int& jobs) {
  app.add_option("-j,--jobs", jobs, "Threads [number of processors]")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
}

}  // namespace dcmveil::cli
