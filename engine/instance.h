// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

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
};

}  // namespace dcmveil::engine
