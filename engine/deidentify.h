// SPDX-License-Identifier: Apache-2.0
//
// One data set in, one de-identified data set out: the walk that decides and changes every element
// at every depth.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dcmveil/error.h"
#include "dcmveil/outcome.h"
#include "engine/dcmtk/read.h"
#include "engine/dcmtk/write.h"
#include "engine/guard/guard.h"
#include "engine/instance.h"
#include "engine/plan.h"

namespace dcmveil::engine {

/// Told of every decision; for `explain`. Not used in runs.
class Observer {
 public:
  struct Event {
    const Path& path;
    std::string_view keyword;  ///< empty for private and unknown elements
    Vr vr;
    std::string_view action;  ///< name of the action, or "keep"/"remove" of `otherwise`
    std::string_view origin;  ///< "rules.yaml:12", or what else decided
    std::string before;       ///< readable value; the only place where one leaves the engine
    std::string after;
    bool removed = false;
  };
  virtual ~Observer() = default;
  virtual void OnElement(const Event& event) = 0;
};

/// What the walk made of a ParsedInstance, besides changing it in place.
struct Rewrite {
  /// Set if a reject rule applied; the data set is then unchanged.
  const RejectRule* rejected = nullptr;
  PixelOutput pixels = PixelOutput::kNone;
  std::string pixel_mask;  ///< see EncodedInstance::Segment::mask
  std::vector<NoteCount> notes;
  /// What the guard must know; nothing if the plan has none.
  std::optional<guard::Knowledge> knowledge;
  /// Of the output; UTF-8 without padding.
  std::string patient_id;
  std::string study_instance_uid;
  std::string series_instance_uid;
  std::string sop_instance_uid;
  std::string sop_class_uid;
  InstanceIds originals;  ///< of the input
};

/// Applies the plan in place. On an error the data set is half changed and must be dropped.
/// Thread-safe for different instances; `observer` may be null.
[[nodiscard]] Result<Rewrite> Deidentify(ParsedInstance& parsed, const Plan& plan,
                                         Observer* observer = nullptr);

}  // namespace dcmveil::engine
