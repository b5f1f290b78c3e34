// SPDX-License-Identifier: Apache-2.0
//
// One data set in, one de-identified data set out: the walk that decides and changes every element
// at every depth.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dcmveil/error.h"
#include "engine/encoding/read.h"
#include "engine/encoding/write.h"
#include "engine/guard/guard.h"
#include "engine/instance.h"
#include "engine/plan.h"

namespace dcmveil::engine {

/// Told of every decision; for `explain` and for the reports of runs.
class Observer {
 public:
  struct Event {
    const Path& path;
    std::string_view keyword;  ///< empty for private and unknown elements
    Vr vr;
    /// Name of the action, or "keep"/"remove" of `otherwise`. Lives as long as the plan.
    std::string_view action;
    /// "rules.yaml:12", or what else decided. Lives as long as the plan.
    std::string_view origin;
    std::string before;  ///< readable value; the only place where one leaves the engine
    std::string after;
    bool removed = false;
    /// `after` is the input's own, or what the action left of it; not made from the key or the
    /// rules.
    bool survives = false;
    /// The bytes of what stays of UN and OB, if `after` was wanted.
    std::string bytes = {};
  };
  /// What an event shall hold of an element's value. What is not wanted stays empty and costs
  /// nothing.
  enum class Values : std::uint8_t { kNone, kAfter, kBoth };

  virtual ~Observer() = default;
  /// Called once for each instance that can be read, before anything is decided. Both are the
  /// input's, UTF-8, and may be empty.
  virtual void OnInstance(std::string_view /*sop_class_uid*/, std::string_view /*modality*/) {}
  [[nodiscard]] virtual Values Wanted(Tag /*tag*/, Vr /*vr*/) const { return Values::kBoth; }
  virtual void OnElement(const Event& event) = 0;
};

/// What the walk made of a ParsedInstance, besides changing it in place.
struct Rewrite {
  /// Set if a reject rule applied; the data set is then unchanged.
  const RejectRule* rejected = nullptr;
  PixelOutput pixels = PixelOutput::kNone;
  std::string pixel_mask;  ///< see Segment::mask
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
