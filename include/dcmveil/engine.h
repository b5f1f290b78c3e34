// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "dcmveil/error.h"
#include "dcmveil/outcome.h"
#include "dcmveil/rules.h"

namespace dcmveil {

namespace engine {
class ByteSource;
class Observer;
}  // namespace engine

/// A DICOM file ready to be written (PS3.10): header bytes of our own, and, where nothing in them
/// changes, pixel data as a range of the input file, which is kept open. Copies share the input.
class EncodedInstance {
 public:
  struct Segment {
    std::string bytes;  ///< used if `source` is null
    std::shared_ptr<engine::ByteSource> source;
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    /// The bits of each pixel cell that stay, in the file's byte order; empty: all. Overlays can
    /// hide in the others (PS3.5 section 8.1.2).
    std::string mask = {};
  };
  explicit EncodedInstance(std::vector<Segment> segments) : segments_(std::move(segments)) {}

  [[nodiscard]] std::uint64_t size() const;
  /// Writes everything at the descriptor's position. Fails with kReadFailed or kWriteFailed.
  [[nodiscard]] Status WriteTo(int descriptor) const;
  /// The whole file in memory. Fails with kReadFailed.
  [[nodiscard]] Result<std::string> ToBytes() const;
  /// Whether the file holds exactly these bytes; false if it cannot be read.
  [[nodiscard]] bool SameAs(const std::filesystem::path& file) const;

 private:
  std::vector<Segment> segments_;
};

/// What an instance calls its patient and itself: UTF-8 without padding, empty where absent. Those
/// of an input identify people: only an encrypted crosswalk may hold them.
struct InstanceIds {
  std::string patient_id;
  std::string issuer_of_patient_id;
  std::string study_instance_uid;
  std::string series_instance_uid;
  std::string sop_instance_uid;
};

/// One de-identified instance.
struct Deidentified {
  /// Set when a `reject` rule applied: its reason and place; nothing else is filled in then.
  bool rejected = false;
  std::string because;
  std::string rule;

  std::vector<NoteCount> notes;
  std::uint64_t input_size = 0;  ///< bytes of the input
  /// New values, UTF-8 without padding; Patient ID and the study and series UIDs may be empty.
  std::string patient_id;
  std::string study_instance_uid;
  std::string series_instance_uid;
  std::string sop_instance_uid;
  std::string sop_class_uid;
  InstanceIds originals;  ///< of the input
  EncodedInstance encoded{{}};
};

/// De-identifies single instances by a rule set. Const and without shared state: any number of
/// threads may use one engine at once. It prints nothing and throws nothing but std::bad_alloc.
class Engine {
 public:
  explicit Engine(RuleSet rules);

  /// Reads a DICOM file, with or without preamble. The input is never changed. The result keeps
  /// the file open for its pixel data until it is destroyed. `observer` is told of every decision;
  /// it may be null.
  [[nodiscard]] Result<Deidentified> ApplyToFile(const std::filesystem::path& file,
                                                 engine::Observer* observer = nullptr) const;
  /// The same for a file's bytes in memory, which the result keeps.
  [[nodiscard]] Result<Deidentified> ApplyToBytes(std::string bytes,
                                                  engine::Observer* observer = nullptr) const;

  [[nodiscard]] const RuleSet& rules() const { return rules_; }

 private:
  RuleSet rules_;
};

/// The version of this library: "0.1.0".
[[nodiscard]] std::string_view Version();

}  // namespace dcmveil
