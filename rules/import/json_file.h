// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/dictionary.h"
#include "rules/import/rule_file.h"
#include "rules/yaml.h"

namespace dcmveil::rules {

/// The one object of a JSON file, with lines. Throws RuleError with `hint` if it is none.
[[nodiscard]] Node ReadJsonObject(const SourceFile& source, const std::string& hint);

/// How other tools write a tag, as a selector: "PatientName", "0010,0010", "0010-0010", "00100010",
/// "(0x0010, 0x0010)", "50xx,xxxx". Nothing if it names no element.
struct NamedTag {
  std::string selector;  ///< "tag: PatientName"
  std::string path;      ///< "PatientName"
  const Attribute* attribute = nullptr;
  std::optional<Tag> tag;  ///< none for several elements at once
};
[[nodiscard]] std::optional<NamedTag> ReadNamedTag(std::string_view text);

}  // namespace dcmveil::rules
