// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dcmveil/tag.h"
#include "engine/cms.h"

namespace dcmveil::engine {

/// `escrow:` of a rule set. Immutable; all threads share it.
struct EscrowPlan {
  std::vector<Tag> attributes;  ///< top-level standard attributes that are always put aside
  /// And every top-level element that comes out changed or not at all; pixel data is none of them.
  bool all_replaced = false;
  std::vector<cms::Certificate> recipients;
  std::shared_ptr<const Key> key;  ///< see cms::SealDerived
  std::string origin;              ///< "rules.yaml:5"
};

/// The attributes that are put aside if `escrow:` lists none.
[[nodiscard]] const std::vector<Tag>& DefaultEscrow();

/// Whether the tag may be named: not what this stage and the file format write themselves.
[[nodiscard]] bool MayEscrow(Tag tag);

}  // namespace dcmveil::engine
