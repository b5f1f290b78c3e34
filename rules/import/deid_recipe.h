// SPDX-License-Identifier: Apache-2.0
//
// The lines of a recipe of pydicom/deid, by their sections.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace dcmveil::rules {

/// "REPLACE PatientID var:id". Lines count from 1.
struct DeidAction {
  int line = 0;
  std::string action;  ///< in capitals
  std::string field;
  std::string value;     ///< without a comment; may be empty
  bool capitals = true;  ///< as written; deid passes over others
  bool spaced = true;    ///< by one blank each; with two deid finds no field
  [[nodiscard]] std::string Shown() const;
};

/// "contains Modality CT".
struct DeidCriterion {
  std::string method;  ///< in small letters
  std::string field;
  std::string value;
  bool either = false;  ///< joined to what stands before it by ||, not by +
};

/// One line of criteria; it is evaluated by itself, from left to right.
struct DeidCriteria {
  int line = 0;
  bool either = false;  ///< the line begins with ||
  bool joined = false;  ///< the line begins with || or +
  std::vector<DeidCriterion> criteria;
};

struct DeidLabel {
  int line = 0;
  std::string filter;  ///< the name of its filter: "graylist"
  std::string name;
  std::vector<DeidCriteria> lines;
  int coordinates = 0;
};

struct DeidRecipe {
  std::vector<DeidAction> header;
  std::vector<DeidLabel> labels;
  /// Lists of fields and of values by their names.
  std::map<std::string, std::vector<DeidAction>, std::less<>> fields;
  std::map<std::string, std::vector<DeidAction>, std::less<>> values;
  std::vector<DeidAction> notes;    ///< of %labels; `field` has all of the line
  std::vector<DeidAction> unknown;  ///< lines that deid passes over; `field` has all of the line
  bool format = false;
};

struct DeidError {
  int line = 0;
  std::string message;
};

/// All errors, if deid would stop at one of them.
[[nodiscard]] std::variant<DeidRecipe, std::vector<DeidError>> ReadDeidRecipe(
    std::string_view text);

}  // namespace dcmveil::rules
