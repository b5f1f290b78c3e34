// SPDX-License-Identifier: Apache-2.0
//
// What ThreadSanitizer must be told: the library of oneTBB is built without it, so it cannot see
// that the pipeline hands a job from one thread to the next, and would call every use of it a race.
// In other builds these do nothing.
#pragma once

#if defined(__SANITIZE_THREAD__)
#define DCMVEIL_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define DCMVEIL_TSAN 1
#endif
#endif

#if defined(DCMVEIL_TSAN)
#include <oneapi/tbb/global_control.h>

#include <new>

extern "C" void __tsan_acquire(void* address);  // NOLINT: ThreadSanitizer's own name
extern "C" void __tsan_release(void* address);  // NOLINT
#endif

namespace dcmveil::pipeline {

/// While it lives, the thread has what it stands for to itself.
class Holding {
 public:
  explicit Holding([[maybe_unused]] void* object) : object_(object) {
#if defined(DCMVEIL_TSAN)
    __tsan_acquire(object_);
#endif
  }
  ~Holding() {
#if defined(DCMVEIL_TSAN)
    __tsan_release(object_);
#endif
  }
  Holding(const Holding&) = delete;
  Holding& operator=(const Holding&) = delete;

 private:
  [[maybe_unused]] void* object_;
};

/// Lets a run start with threads of its own: starting a thread is a hand-over that ThreadSanitizer
/// does see, waking one of an earlier run is not.
class FreshThreads {
 public:
  FreshThreads() = default;
  ~FreshThreads() {
#if defined(DCMVEIL_TSAN)
    tbb::finalize(handle_, std::nothrow);
#endif
  }
  FreshThreads(const FreshThreads&) = delete;
  FreshThreads& operator=(const FreshThreads&) = delete;

 private:
#if defined(DCMVEIL_TSAN)
  tbb::task_scheduler_handle handle_{tbb::attach{}};
#endif
};

}  // namespace dcmveil::pipeline
