// SPDX-License-Identifier: Apache-2.0
//
// rules/profiles/*.csv as text, compiled in by rules/CMakeLists.txt. For profile_tables.cc only.
#pragma once

#include <string_view>

namespace dcmveil::rules {

struct ProfileData {
  std::string_view file;  ///< without ".csv"
  std::string_view text;
};

extern const ProfileData kBasicData;
extern const ProfileData kIodTypesData;
extern const ProfileData kIodsData;
extern const ProfileData kMethodCodesData;
extern const ProfileData kPlusData;
extern const ProfileData kRetiredCodesData;
extern const ProfileData kSafePrivateData;
extern const ProfileData kSrContentData;
extern const ProfileData kTypeConflictsData;

}  // namespace dcmveil::rules
