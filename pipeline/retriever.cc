// SPDX-License-Identifier: Apache-2.0
#include "pipeline/retriever.h"

#include <sys/resource.h>

#include <algorithm>
#include <unordered_map>

#include "dicomweb/part10.h"

namespace dcmveil::pipeline {
namespace {

using dicomweb::Failure;
using dicomweb::ResourceId;
using dicomweb::Spool;

constexpr std::size_t kMostFound = 10'000;   // ahead of what is retrieved
constexpr std::size_t kMostInUnit = 50'000;  // the others of it are asked for alone
// The unit that is given now shall not have to stop for those that come later.
constexpr std::uint64_t kAll = 4;
constexpr std::uint64_t kOthers = 3;

/// A quarter of the files that the process may have open; the others are not ours.
std::size_t MostFiles() {
  constexpr rlim_t kUsual = 1024;
  constexpr rlim_t kEnough = 65'536;
  rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = kUsual;
  return static_cast<std::size_t>(std::min(limit.rlim_cur, kEnough) / 4);
}

}  // namespace

void Retriever::Start() {
  most_files_ = MostFiles();
  for (int i = 0; i < service_.connection().connections; ++i) {
    threads_.emplace_back([this] { Fetch(); });
  }
}

void Retriever::Stop() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

std::size_t Retriever::Window() const {
  return 2 * static_cast<std::size_t>(service_.connection().connections);
}

bool Retriever::IsFull(std::uint64_t share) const {
  return ahead_bytes_ >= service_.connection().ahead / 4 * share ||
         ahead_files_ >= most_files_ / 4 * share;
}

bool Retriever::MayStart() const {
  if (work_.empty()) return false;
  const auto& [number, work] = *work_.begin();
  // What is asked for next must come, whatever waits behind it.
  if (number == given_) return true;
  return !IsFull(kOthers) && (!work.alone() || ahead_alone_ < Window());
}

void Retriever::Close() {
  if (!open_) return;
  const std::uint64_t first = open_->slots.front()->number;
  if (open_->slots.size() == 1) open_->unit = {};
  work_.emplace(first, std::move(*open_));
  open_.reset();
}

bool Retriever::Add(Slot slot, const ResourceId& unit) {
  std::unique_lock lock(mutex_);
  const bool goes_on = open_ && open_->unit == unit && !slot.done;
  if (!goes_on) {
    Close();
    changed_.notify_all();
    changed_.wait(lock, [this] { return ending_ || slots_.size() < kMostFound; });
  }
  if (ending_) return false;
  const auto added = std::make_shared<Slot>(std::move(slot));
  added->number = found_++;
  slots_.push_back(added);
  if (goes_on) {
    open_->slots.push_back(added);
    if (open_->slots.size() >= kMostInUnit) {
      split_ = unit;
      Close();
    }
  } else if (!added->done) {
    Work work{unit, {added}};
    if (unit == split_) work.unit = {};
    if (work.alone()) {
      work_.emplace(added->number, std::move(work));
    } else {
      open_ = std::move(work);
    }
  }
  changed_.notify_all();
  return true;
}

void Retriever::NoMore(std::optional<std::string> problem) {
  const std::lock_guard lock(mutex_);
  Close();
  no_more_ = true;
  if (!problem_ && !ending_) problem_ = std::move(problem);
  changed_.notify_all();
}

void Retriever::Fetch() {
  while (true) {
    Work work;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] {
        // A unit on its way may leave something to be asked for alone.
        return ending_ || MayStart() || (no_more_ && work_.empty() && units_ == 0);
      });
      if (ending_ || work_.empty()) return;
      work = std::move(work_.begin()->second);
      work_.erase(work_.begin());
      if (work.alone()) {
        work.slots.front()->alone = true;
        ++ahead_alone_;
      } else {
        ++units_;
      }
    }
    if (work.alone()) {
      FetchOne(*work.slots.front());
    } else {
      FetchUnit(work);
    }
  }
}

void Retriever::FetchOne(Slot& slot) {
  dicomweb::Reply<std::shared_ptr<Spool>> spool = RetrieveInstance(service_, slot.id);
  const std::optional<Failure> verdict = service_.verdict();
  const std::lock_guard lock(mutex_);
  if (spool) {
    slot.spool = std::move(*spool);
    ahead_bytes_ += slot.spool->size();
    ahead_files_ += slot.spool->in_memory() ? 0 : 1;
  } else {
    slot.problem = spool.failure().kind == Failure::Kind::kNotFound ? ErrorCode::kNotFound
                                                                    : ErrorCode::kReadFailed;
    if (verdict && !problem_ && !ending_) problem_ = verdict->message;
  }
  slot.done = true;
  changed_.notify_all();
}

void Retriever::FetchUnit(const Work& work) {
  std::unordered_map<std::string, Slot*> missing;
  for (const SlotPointer& slot : work.slots) {
    // Two series of a study with one UID twice: which is which is not to be guessed.
    const auto [it, is_new] = missing.emplace(slot->id.instance, slot.get());
    if (!is_new) it->second = nullptr;
  }
  const std::uint64_t first = work.slots.front()->number;
  const std::uint64_t last = work.slots.back()->number;
  const auto take = [&](const std::shared_ptr<Spool>& spool) {
    const auto it = missing.find(dicomweb::SopInstanceUidOf(*spool));
    std::unique_lock lock(mutex_);
    // Not asked for, or twice.
    if (it == missing.end() || it->second == nullptr || it->second->done) return !ending_;
    it->second->spool = spool;
    it->second->done = true;
    ahead_bytes_ += spool->size();
    ahead_files_ += spool->in_memory() ? 0 : 1;
    changed_.notify_all();
    bool is_full = false;
    changed_.wait(lock, [&] {
      const bool is_now = given_ >= first && given_ <= last;
      is_full = IsFull(is_now ? kAll : kOthers);
      return ending_ || problem_ || !is_full ||
             (is_now && !slots_.empty() && !slots_.front()->done);
    });
    // Full, and what is asked for next is still to come in this body: it is sooner had alone.
    return !ending_ && !problem_ && !is_full;
  };
  // Whatever went wrong, what is missing is asked for alone, and then it is seen.
  static_cast<void>(RetrieveAll(service_, work.unit, take));
  const std::lock_guard lock(mutex_);
  for (const SlotPointer& slot : work.slots) {
    if (!slot->done) work_.emplace(slot->number, Work{{}, {slot}});
  }
  --units_;
  changed_.notify_all();
}

Retriever::SlotPointer Retriever::Next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock,
                [this] { return problem_ || (slots_.empty() ? no_more_ : slots_.front()->done); });
  // What has been retrieved before the service went away is not lost.
  if (slots_.empty() || !slots_.front()->done) return nullptr;
  SlotPointer slot = std::move(slots_.front());
  slots_.pop_front();
  ++given_;
  if (slot->alone) --ahead_alone_;
  if (slot->spool) {
    ahead_bytes_ -= slot->spool->size();
    ahead_files_ -= slot->spool->in_memory() ? 0 : 1;
  }
  changed_.notify_all();
  return slot;
}

std::optional<std::string> Retriever::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

std::optional<std::uint64_t> Retriever::Found() const {
  constexpr std::chrono::milliseconds kMoment{100};
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kMoment, [this] { return no_more_; });
  if (!no_more_) return std::nullopt;
  return problem_ ? 0 : found_;
}

}  // namespace dcmveil::pipeline
