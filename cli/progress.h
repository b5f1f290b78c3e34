// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include "dcmveil/run.h"

namespace dcmveil::cli {

/// Shows how far a run is, on standard error: one line that is drawn over on a terminal, a line a
/// minute elsewhere, or JSON lines on standard output.
class Progress {
 public:
  enum class Form { kText, kJson, kQuiet };
  explicit Progress(Form form);
  void Show(const RunCounts& counts);
  /// Ends the line that is drawn over.
  void Finish();

 private:
  [[nodiscard]] std::string Line(const RunCounts& counts, double seconds) const;
  using Clock = std::chrono::steady_clock;
  Form form_;
  bool terminal_;
  bool drawn_ = false;
  Clock::time_point started_;
  Clock::time_point shown_;
};

}  // namespace dcmveil::cli
