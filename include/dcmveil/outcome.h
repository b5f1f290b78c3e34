// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dcmveil/error.h"

namespace dcmveil {

/// What became of one input. Every input has exactly one.
enum class Outcome : std::uint8_t {
  kWritten,      ///< the de-identified instance stands at its output name
  kUnchanged,    ///< an earlier run wrote exactly this output already
  kRejected,     ///< a `reject` rule said that it shall not be exported
  kQuarantined,  ///< we could not vouch for it; nothing was written
  kFailed,       ///< reading or writing failed; the next run tries again
};
[[nodiscard]] std::string_view ToString(Outcome outcome);
/// The outcome with that name; nothing if there is none.
[[nodiscard]] std::optional<Outcome> FindOutcome(std::string_view name);

/// How often one note was made for an instance.
struct NoteCount {
  NoteCode code;
  int count = 0;
};

/// The account of one instance. It has no field that could hold an element's value.
struct InstanceReport {
  Outcome outcome = Outcome::kFailed;
  /// Code of the error ("truncated") or name of the rejecting rule ("rules.yaml:14: no documents").
  std::string reason;
  /// Where it happened: tag path or rule; may be empty.
  std::string where;
  std::vector<NoteCount> notes;
};

}  // namespace dcmveil
