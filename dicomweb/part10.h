// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "dicomweb/spool.h"

namespace dcmveil::dicomweb {

/// What the file meta information (PS3.10 section 7.1) says, as far as a client of a service needs
/// it.
struct Part10 {
  std::string transfer_syntax_uid;
  std::uint64_t data_set = 0;  ///< where the data set begins
};
/// Nothing if it is not a file with preamble and file meta information.
[[nodiscard]] std::optional<Part10> ReadPart10(const Spool& file);

/// The SOP Instance UID (0008,0018) of the data set, by which services know an instance: the one in
/// the file meta information may be another. Empty where it takes more than a look at the first
/// elements to find it, as in a deflated data set.
[[nodiscard]] std::string SopInstanceUidOf(const Spool& file);

/// Whether two files hold the same instance: the same data set, byte for byte, in the same transfer
/// syntax. Services write preamble and file meta information anew.
[[nodiscard]] bool SameInstance(const Spool& a, const Spool& b);

}  // namespace dcmveil::dicomweb
