// SPDX-License-Identifier: Apache-2.0
//
// What identifies the patient and the others who are named in one instance: collected from the
// input before anything is changed, for cleaning text (PS3.15 E.3.5) and for looking whether any of
// it survived.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "dcmveil/tag.h"
#include "engine/clean/words.h"

namespace dcmveil::engine::clean {

enum class IdentifierKind : std::uint8_t {
  kPersonName,  ///< of the patient, physicians, operators, ...
  kId,          ///< of patients, studies, visits, orders, accounts
  kDate,        ///< a DA or DT value
  kBirthDate,
  kAddress,
  kTelephone,  ///< and e-mail and other telecom addresses
  kInstitution,
  kDevice,  ///< station names, AE titles, serial numbers
  kUid,
};

struct Identifier {
  IdentifierKind kind;
  std::string value;  ///< UTF-8, as it stood in the element, without padding
};

/// The kind of identifier that an attribute holds; nothing if it holds none. `vrs` are those of
/// the dictionary, or the encoded one of a private or unknown element.
[[nodiscard]] std::optional<IdentifierKind> KindOf(Tag tag, VrSet vrs);

class Matcher;

/// Adding serves one thread; afterwards all const members may be called by several.
class Identifiers {
 public:
  Identifiers();
  ~Identifiers();
  Identifiers(const Identifiers&) = delete;
  Identifiers& operator=(const Identifiers&) = delete;

  /// One value. Empty ones and repetitions are dropped.
  void Add(IdentifierKind kind, std::string_view utf8);
  /// In the order in which they were found. They identify people: not for messages.
  [[nodiscard]] const std::vector<Identifier>& entries() const { return entries_; }
  /// Made at the first call: only instances with text to clean pay for it.
  [[nodiscard]] const Matcher& matcher() const;

 private:
  std::vector<Identifier> entries_;
  std::unordered_set<std::string, TextHash, std::equal_to<>> seen_;
  mutable std::once_flag made_;
  mutable std::unique_ptr<const Matcher> matcher_;
};

}  // namespace dcmveil::engine::clean
