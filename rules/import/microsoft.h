// SPDX-License-Identifier: Apache-2.0
//
// The JSON configuration of Microsoft's DICOM anonymization tool, read as it is. Its rules mean
// here what they mean there, except that they reach every depth, that "(0010, 0010)" is
// (0010,0010), that one rule's parameters do not leak into another's, that VR rules do not reach
// private elements, and that what could never have worked is an error when the file is read.
#pragma once

#include <string>
#include <string_view>

#include "rules/draft.h"
#include "rules/yaml.h"

namespace dcmveil::rules {

/// True if the text begins as a JSON object does, comments apart.
[[nodiscard]] bool LooksLikeJson(std::string_view text);

/// The text with // and /* */ comments outside of strings made blank; lines and columns stay.
[[nodiscard]] std::string WithoutComments(std::string_view text);

/// Whether a text that could not be parsed was meant to be such a configuration.
[[nodiscard]] bool MentionsMicrosoft(std::string_view text);

/// Recognises a configuration: rules with methods, and no `dcmveil` key.
[[nodiscard]] bool IsMicrosoft(const Node& root);

/// Translates a configuration. What is wrong is reported and left out; warnings tell what the
/// configuration leaves exposed.
[[nodiscard]] RuleBook ImportMicrosoft(const Node& root, Diagnostics& diagnostics);

}  // namespace dcmveil::rules
