// SPDX-License-Identifier: Apache-2.0
//
// The fields of a recipe of pydicom/deid: which elements "PatientID", "contains:Name",
// "select:VR:UI" or "fields:people" mean. Its expressions look for names; here they are asked of
// the dictionary's attributes.
#pragma once

#include <re2/re2.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/dictionary.h"
#include "rules/import/deid_recipe.h"

namespace dcmveil::rules {

/// Elements that are decided alike: an attribute of the dictionary, elements of a private creator,
/// an element in a named place, or what no dictionary has.
struct DeidTarget {
  const Attribute* attribute = nullptr;
  std::optional<Tag> tag;
  std::string creator;   ///< of private elements; the block of `tag` is then open
  std::string name;      ///< as deid has it, in small letters: "patientname", "a__b"
  std::string selector;  ///< "tag: PatientName"
  std::string what;      ///< for messages
  [[nodiscard]] VrSet vrs() const { return attribute == nullptr ? VrSet() : attribute->vrs; }
};

struct DeidField {
  /// kValues: elements that have certain values, or that cannot be told.
  enum class Kind { kAll, kExcept, kNames, kOne, kGroup, kVr, kFields, kValues };
  Kind kind = Kind::kAll;
  std::shared_ptr<const re2::RE2> pattern;  ///< of kNames and kExcept
  DeidTarget one;
  std::uint16_t group = 0;
  VrSet vr;
  std::vector<DeidField> fields;

  /// kAll and kExcept: elements that no dictionary has are meant, too.
  [[nodiscard]] bool open() const { return kind == Kind::kAll || kind == Kind::kExcept; }
  [[nodiscard]] bool Matches(const DeidTarget& target) const;
};

/// The field, or why it means nothing. kValues has no more to it: its elements depend on values.
struct DeidFieldResult {
  std::optional<DeidField> field;
  std::string problem;
  bool may_be_any = false;  ///< which elements deid would find cannot be told
  /// Members of a list that mean nothing, by their lines.
  std::vector<std::pair<int, std::string>> skipped;
};
[[nodiscard]] DeidFieldResult ReadDeidField(const std::string& text, const DeidRecipe& recipe);

[[nodiscard]] DeidTarget TargetOf(const Attribute& attribute);

}  // namespace dcmveil::rules
