// SPDX-License-Identifier: Apache-2.0
//
// The file of a DicomAnonymizer script of CTP, as XML or in its older form of properties.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace dcmveil::rules {

/// An entry of the script. Lines count from 1.
struct CtpEntry {
  int line = 0;
  bool enabled = true;
  std::string target = {};      ///< "00100010", "0009[CREATOR]02", "0018", "privategroups"
  std::string code = {};        ///< of rules
  std::string key = {};         ///< of rules: the last of one key holds
  std::string odd_switch = {};  ///< what stands for on and off, if neither T nor F
};

struct CtpScript {
  enum class Kind { kXml, kProperties };
  Kind kind = Kind::kXml;
  std::map<std::string, std::string, std::less<>> params;
  std::vector<CtpEntry> rules;
  std::vector<CtpEntry> keeps;    ///< groups, or safe private elements
  std::vector<CtpEntry> removes;  ///< the switches
  std::vector<CtpEntry> unknown;  ///< what is none of these; `target` says what it is called
  bool opens_items = false;       ///< a rule that is on has @process
};

/// Why a text is no script.
struct CtpScriptError {
  int line = 0;
  std::string message;
};

/// Document types are refused, and with them all entities but XML's own five.
[[nodiscard]] std::variant<CtpScript, CtpScriptError> ReadCtpScript(const std::string& text);

}  // namespace dcmveil::rules
