// SPDX-License-Identifier: Apache-2.0
//
// The filters of a recipe of pydicom/deid, as conditions on which an instance is rejected.
#pragma once

#include <string>
#include <vector>

#include "rules/import/clause.h"
#include "rules/import/deid_recipe.h"

namespace dcmveil::rules {

struct DeidFilterRemark {
  int line = 0;
  std::string criterion;
  std::string text;
};

/// Holds wherever the label would flag an instance; more often only where there is a remark.
[[nodiscard]] Clause TranslateDeidLabel(const DeidLabel& label,
                                        std::vector<DeidFilterRemark>& remarks);

}  // namespace dcmveil::rules
