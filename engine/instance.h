// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "dcmveil/tag.h"
#include "engine/charset.h"
#include "engine/clean/identifiers.h"

namespace dcmveil::engine {

/// What actions may know about the instance as a whole: read from the top level of the input
/// before anything is changed, so that no rule's order matters to another rule.
struct Instance {
  Charset charset;
  /// UTF-8, without padding; empty where absent.
  std::string patient_id;
  std::string issuer_of_patient_id;
  std::string study_instance_uid;
  std::string series_instance_uid;
  std::string sop_instance_uid;
  std::string sop_class_uid;
  std::string mime_type = {};  ///< of an encapsulated document (0042,0012)
  /// From every depth of the input; null unless the plan has an action that wants them.
  std::shared_ptr<const clean::Identifiers> identifiers = nullptr;
  /// Values of the top-level elements that PlanParts::asks lists, as ValuesOf gives them; null if
  /// it lists none.
  std::shared_ptr<const std::map<Tag, std::vector<std::string>>> asked = nullptr;
};

}  // namespace dcmveil::engine
