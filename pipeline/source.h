// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "dcmveil/error.h"

namespace dcmveil::pipeline {

/// One input: a file, bytes in memory, or a place that cannot be read as one.
struct Input {
  std::filesystem::path file;
  std::string name;  ///< relative to the source
  std::optional<ErrorCode> problem;
  std::optional<std::string> bytes = {};  ///< the instance itself, instead of `file`
  std::shared_ptr<void> keep = {};        ///< what `file` or `bytes` needs until the input is done
  bool skipped = false;                   ///< not retrieved, see Source::SkipIf
};

/// Where instances come from.
class Source {
 public:
  Source() = default;
  virtual ~Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  /// In an order of its own; nothing at the end. One thread at a time.
  [[nodiscard]] virtual std::optional<Input> Next() = 0;
  /// The number of all inputs; 0 if `stop` became true before it was known. Any thread.
  [[nodiscard]] virtual std::uint64_t Count(const std::atomic<bool>& stop) = 0;
  /// Inputs with such a name need not be retrieved. Before the first Next; any thread may call
  /// `known`, as long as the source lives. A source to which it saves nothing ignores it.
  virtual void SkipIf(const std::function<bool(const std::string& name)>& /*known*/) {}
  /// The inputs are reported in the order in which Next gave them. One thread at a time.
  virtual void Finished(Outcome /*outcome*/) {}
  /// Why there is nothing more, if it is not the end: one line for people. Any thread.
  [[nodiscard]] virtual std::optional<std::string> Problem() { return std::nullopt; }
};

}  // namespace dcmveil::pipeline
