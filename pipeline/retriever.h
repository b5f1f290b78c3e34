// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "dcmveil/error.h"
#include "dicomweb/changefeed.h"
#include "dicomweb/service.h"
#include "dicomweb/spool.h"
#include "dicomweb/wado.h"

namespace dcmveil::pipeline {

/// Retrieves the instances that were found, in threads of its own, ahead of who asks for them, and
/// gives them in the order in which they were found. What is retrieved and not yet asked for is
/// bounded in bytes and in files.
class Retriever {
 public:
  /// One instance that was found.
  struct Slot {
    dicomweb::ResourceId id = {};
    dicomweb::FeedPosition position = {};
    std::optional<ErrorCode> problem = {};
    std::shared_ptr<dicomweb::Spool> spool = {};
    bool done = false;     ///< there is nothing to retrieve any more
    bool skipped = false;  ///< because the caller knows it

    std::uint64_t number = 0;  ///< the retriever's own: its place in the order
    bool alone = false;        ///< and whether it was asked for alone
  };

  explicit Retriever(dicomweb::Service& service) : service_(service) {}
  ~Retriever() { Stop(); }
  Retriever(const Retriever&) = delete;
  Retriever& operator=(const Retriever&) = delete;

  void Start();
  /// Ends the threads; whoever waits comes back. The service must have been stopped.
  void Stop();

  /// Blocks while enough is found ahead. Consecutive instances with the same `unit`, a series or a
  /// study to which they belong, are retrieved in one request; what that does not bring is asked
  /// for alone. Without a unit each is asked for alone. False: nothing more is wanted. One thread.
  bool Add(Slot slot, const dicomweb::ResourceId& unit);
  /// After the last Add. `problem`: why it is the last, if it is not the end.
  void NoMore(std::optional<std::string> problem);

  /// Blocks until the next is there; nothing at the end, or when the service went away and what had
  /// been retrieved before has been given. One thread.
  [[nodiscard]] std::shared_ptr<Slot> Next();
  [[nodiscard]] std::optional<std::string> problem() const;
  /// The number of all instances once they have been found, 0 if they could not be. Waits no longer
  /// than a moment.
  [[nodiscard]] std::optional<std::uint64_t> Found() const;

 private:
  using SlotPointer = std::shared_ptr<Slot>;
  /// What one request is to bring: `slots` of `unit`, or one slot alone.
  struct Work {
    dicomweb::ResourceId unit;
    std::vector<SlotPointer> slots;
    [[nodiscard]] bool alone() const { return unit.study.empty(); }
  };

  void Fetch();
  void FetchOne(Slot& slot);
  void FetchUnit(const Work& work);
  void Close();
  [[nodiscard]] bool MayStart() const;
  /// `share`: quarters of what may be ahead.
  [[nodiscard]] bool IsFull(std::uint64_t share) const;
  [[nodiscard]] std::size_t Window() const;

  dicomweb::Service& service_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::deque<SlotPointer> slots_;       ///< found and not yet given
  std::map<std::uint64_t, Work> work_;  ///< not yet begun, by the number of its first slot
  std::optional<Work> open_;            ///< may still grow
  dicomweb::ResourceId split_;          ///< a unit that had too many for one request
  std::uint64_t found_ = 0;
  std::uint64_t given_ = 0;
  std::uint64_t ahead_bytes_ = 0;
  std::size_t ahead_files_ = 0;
  std::size_t ahead_alone_ = 0;  ///< begun or retrieved
  std::size_t most_files_ = 0;
  int units_ = 0;  ///< on their way
  bool no_more_ = false;
  bool ending_ = false;
  std::optional<std::string> problem_;
  std::vector<std::thread> threads_;
};

}  // namespace dcmveil::pipeline
