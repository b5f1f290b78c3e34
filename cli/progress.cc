// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/terminal.h"

namespace dcmveil::cli {

Progress::Progress(Form form)
    : form_(form),
      terminal_(::isatty(STDERR_FILENO) != 0),
      started_(Clock::now()),
      shown_(started_) {}

std::string Progress::Line(const RunCounts& counts, double seconds) const {
  const std::uint64_t done = counts.finished();
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  std::string line;
  if (terminal_ && counts.total > 0) {
    constexpr std::uint64_t kWidth = 24;
    const std::uint64_t filled = std::min(kWidth, kWidth * done / counts.total);
    line = "[" + std::string(filled, '#') + std::string(kWidth - filled, '.') + "] ";
  }
  line += WithCommas(done);
  if (counts.total > 0) line += " / " + WithCommas(counts.total);
  line += " files, " + Bytes(static_cast<double>(counts.bytes_in)) + ", " +
          WithCommas(static_cast<std::uint64_t>(rate)) + " files/s, " +
          Bytes(seconds > 0 ? static_cast<double>(counts.bytes_in) / seconds : 0) + "/s";
  if (counts.total > done && rate > 0) {
    line += ", " + Duration(static_cast<double>(counts.total - done) / rate) + " left";
  }
  const std::uint64_t left = counts.of(Outcome::kQuarantined) + counts.of(Outcome::kFailed);
  if (left > 0) line += ", " + WithCommas(left) + " not written";
  return line;
}

void Progress::Show(const RunCounts& counts) {
  if (form_ == Form::kQuiet) return;
  const Clock::time_point now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - started_).count();
  if (form_ == Form::kJson) {
    if (now - shown_ < std::chrono::seconds(1)) return;
    shown_ = now;
    const nlohmann::ordered_json line = {
        {"message_type", "status"},        {"seconds", seconds},
        {"files_done", counts.finished()}, {"files_total", counts.total},
        {"bytes_in", counts.bytes_in},     {"bytes_out", counts.bytes_out}};
    std::printf("%s\n", line.dump().c_str());
    std::fflush(stdout);
    return;
  }
  if (terminal_) {
    std::fprintf(stderr, "\r%s\x1b[K", Line(counts, seconds).c_str());
    std::fflush(stderr);
    drawn_ = true;
  } else if (now - shown_ >= std::chrono::minutes(1)) {
    shown_ = now;
    std::fprintf(stderr, "%s\n", Line(counts, seconds).c_str());
  }
}

void Progress::Finish() {
  if (drawn_) std::fprintf(stderr, "\n");
  drawn_ = false;
}

}  // namespace dcmveil::cli
