// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "engine/clean/identifiers.h"

namespace dcmveil::engine::guard {

/// What the rules did with the elements that hold identifiers, as far as the walk met them: the
/// guard does not look for what was retained on purpose.
struct Retained {
  /// Left where it stood by a rule that keeps, or written by a rule that says what to write. A UID
  /// that a rule took away elsewhere is searched all the same.
  std::vector<clean::Identifier> on_purpose;
  /// Left by `otherwise`, in a private element or one in another VR than its own: nobody spoke
  /// about it. Exempt unless a rule took it away elsewhere.
  std::vector<clean::Identifier> by_default;
  /// Removed or changed where it stood.
  std::vector<clean::Identifier> taken;
};

/// Whether the guard looks for identifiers of the kind at all. Devices are no persons, and dates
/// other than that of birth are shared by too many.
[[nodiscard]] constexpr bool IsSearched(clean::IdentifierKind kind) {
  return kind != clean::IdentifierKind::kDevice && kind != clean::IdentifierKind::kDate;
}

}  // namespace dcmveil::engine::guard
