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
  bool top = false;      ///< at the top level only
  [[nodiscard]] VrSet vrs() const { return attribute == nullptr ? VrSet() : attribute->vrs; }
  /// A repeating group's attribute, in all of its groups.
  [[nodiscard]] bool repeats() const {
    return attribute != nullptr && attribute->mask != 0xFFFFFFFFU && tag == attribute->tag;
  }
  [[nodiscard]] bool nested() const { return name.find("__") != std::string::npos; }
  /// Others have the same attribute: its rule stands in front of theirs.
  [[nodiscard]] bool narrow() const {
    return top || nested() || (attribute != nullptr && tag != attribute->tag);
  }
};

struct DeidField {
  /// kValues: elements that have certain values, or that cannot be told.
  enum class Kind { kAll, kExcept, kNames, kOne, kGroup, kVr, kFields, kValues };
  Kind kind = Kind::kAll;
  std::shared_ptr<const re2::RE2> pattern;  ///< of kNames and kExcept
  /// Of kNames: tags that are meant whether or not the dictionary has them, "0010xxxx".
  std::vector<std::string> masks;
  /// Of kNames: any element that no dictionary has may be meant.
  bool unknown = false;
  DeidTarget one;
  std::uint16_t group = 0;
  VrSet vr;
  std::vector<DeidField> fields;

  [[nodiscard]] bool all() const { return kind == Kind::kAll || kind == Kind::kExcept; }
  /// Elements that no dictionary has are meant, too, or may be.
  [[nodiscard]] bool open() const;
  /// An expression may find the name of a sequence and that of an element in it as one.
  [[nodiscard]] bool spans() const;
  [[nodiscard]] bool Matches(const DeidTarget& target) const;

 private:
  [[nodiscard]] bool MayFind(const DeidTarget& target) const;
  [[nodiscard]] bool Finds(const DeidTarget& target) const;
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
/// Whether "0010xxxx" means the target's tag, or one of its tags.
[[nodiscard]] bool MaskMeans(std::string_view mask, const DeidTarget& target);
/// The same at the top level only.
[[nodiscard]] DeidTarget TopOf(const Attribute& attribute);
/// Stands for the elements that no dictionary has: all of them, those of a VR, or of a tag.
[[nodiscard]] DeidTarget UnknownElement();

}  // namespace dcmveil::rules
