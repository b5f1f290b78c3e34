// SPDX-License-Identifier: Apache-2.0
//
// The boolean language of CTP's DicomFilter, which signatures of its DicomPixelAnonymizer use too:
//   Modality.equals("CT") * !(ImageType.contains("SECONDARY") + [0008,0070].matches("ACME.*"))
// * is and, + is or; a missing element is an empty text, several values are one text with
// backslashes.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rules/import/clause.h"

namespace dcmveil::rules {

struct CtpFilter {
  enum class Kind { kConstant, kTerm, kNot, kAll, kAny };
  Kind kind = Kind::kConstant;
  int line = 0;
  bool value = false;      ///< of constants
  std::string identifier;  ///< of terms
  std::string method;
  std::string argument;  ///< as written, with its quotes
  std::vector<CtpFilter> children;

  /// "Modality.equals("CT")", cut where it is long.
  [[nodiscard]] std::string Shown() const;
};

struct CtpFilterError {
  int line = 0;
  std::string message;
};

/// The text begins in `line`. CTP takes a filter with an error for false, and says so in its log.
[[nodiscard]] std::variant<CtpFilter, CtpFilterError> ParseCtpFilter(std::string_view text,
                                                                     int line);

/// What a term became if it could not be translated exactly.
struct CtpFilterRemark {
  int line = 0;
  bool replaced = false;  ///< by a constant
  std::string term;
  std::string text;
};

/// Within `bound`, and exact where a term has no remark.
[[nodiscard]] Clause TranslateCtpFilter(const CtpFilter& filter, Bound bound,
                                        std::vector<CtpFilterRemark>& remarks);

}  // namespace dcmveil::rules
