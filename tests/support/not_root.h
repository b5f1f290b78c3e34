// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

namespace dcmveil::testing {

/// Root may do everything, so root is somebody else for a while.
class NotRoot {
 public:
  NotRoot() : was_root_(::geteuid() == 0) { EXPECT_TRUE(!was_root_ || ::seteuid(kNobody) == 0); }
  ~NotRoot() { EXPECT_TRUE(!was_root_ || ::seteuid(0) == 0); }
  NotRoot(const NotRoot&) = delete;
  NotRoot& operator=(const NotRoot&) = delete;

 private:
  static constexpr uid_t kNobody = 65534;
  bool was_root_;
};

}  // namespace dcmveil::testing
