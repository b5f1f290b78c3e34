// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "dcmveil/engine.h"
#include "dcmveil/error.h"
#include "pipeline/files.h"

namespace dcmveil::pipeline {

/// Where instances go, each in four steps: prepared in parallel, begun in the order of the inputs,
/// so that which of two inputs gets a name does not depend on the number of threads, settled in
/// parallel, and ended in the order of the inputs.
class Sink {
 public:
  /// One instance on its way; each sink has its own.
  class Staged {
   public:
    Staged() = default;
    virtual ~Staged() = default;
    Staged(const Staged&) = delete;
    Staged& operator=(const Staged&) = delete;
  };
  struct Stored {
    Outcome outcome = Outcome::kWritten;  ///< or kUnchanged
    bool warned = false;                  ///< the service has something to say about it
    FileStamp stamp = {};                 ///< zeros if it is no file
  };

  Sink() = default;
  virtual ~Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  /// Any number of threads.
  [[nodiscard]] virtual Result<std::unique_ptr<Staged>> Stage(
      const std::string& name, std::unique_ptr<Deidentified> instance) = 0;
  /// The output with that name, which an earlier run wrote and which Holds, is that of an input of
  /// this run: it takes the other three steps too, so that a second input with its name is told
  /// apart from a repetition. Any number of threads.
  [[nodiscard]] virtual std::unique_ptr<Staged> Recall(const std::string& name) = 0;
  /// One thread at a time, in the order of the inputs. Waits for nothing.
  virtual void Begin(Staged& staged) = 0;
  /// What takes time, and does not depend on what was begun before. Any number of threads.
  virtual void Settle(Staged& /*staged*/) {}
  /// One thread at a time, in the order of the inputs. Blocks until it is known.
  [[nodiscard]] virtual Result<Stored> End(Staged& staged) = 0;
  /// Whether an output that an earlier run wrote still stands as it did. Any number of threads.
  [[nodiscard]] virtual bool Holds(const std::string& name, const FileStamp& stamp) = 0;
  /// After the last End.
  virtual void Close() = 0;
  /// Why nothing more can be written: one line for people. Any thread.
  [[nodiscard]] virtual std::optional<std::string> Problem() { return std::nullopt; }
};

}  // namespace dcmveil::pipeline
