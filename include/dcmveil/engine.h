// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dcmveil/error.h"
#include "dcmveil/rules.h"

namespace dcmveil {

namespace engine {
struct Segment;
}  // namespace engine

/// A DICOM file ready to be written (PS3.10): header bytes of our own, and, where nothing in them
/// changes, pixel data as a range of the input file, which is kept open. Copies share the input.
class DCMVEIL_API EncodedInstance {
 public:
  /// Of no bytes.
  EncodedInstance();
  /// Made by the engine.
  explicit EncodedInstance(std::vector<engine::Segment> segments);

  [[nodiscard]] std::uint64_t size() const;
  /// Writes everything at the descriptor's position. Fails with kReadFailed or kWriteFailed.
  [[nodiscard]] Status WriteTo(int descriptor) const;
  /// Writes a new file: under a temporary name in its folder, flushed to the disk, then renamed, so
  /// that it appears whole or not at all. Never overwrites: fails with kOutputExists if something
  /// else has the name, and leaves a file of just these bytes as it is. Fails with kReadFailed or
  /// kWriteFailed, also if there is no such folder.
  [[nodiscard]] Status WriteToFile(const std::filesystem::path& file) const;
  /// The whole file in memory. Fails with kReadFailed.
  [[nodiscard]] Result<std::string> ToBytes() const;
  /// Whether the file holds exactly these bytes; false if it cannot be read.
  [[nodiscard]] bool SameAs(const std::filesystem::path& file) const;

 private:
  std::shared_ptr<const std::vector<engine::Segment>> segments_;
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
  EncodedInstance encoded;
};

/// De-identifies single instances by a rule set. Const and without shared state: any number of
/// threads may use one engine at once. It prints nothing and throws nothing but std::bad_alloc.
class DCMVEIL_API Engine {
 public:
  explicit Engine(RuleSet rules);

  /// Reads a DICOM file, with or without preamble. The input is never changed. The result keeps
  /// the file open for its pixel data until it is destroyed.
  [[nodiscard]] Result<Deidentified> ApplyToFile(const std::filesystem::path& file) const;
  /// The same for a file's bytes in memory, which the result keeps.
  [[nodiscard]] Result<Deidentified> ApplyToBytes(std::string bytes) const;

  [[nodiscard]] const RuleSet& rules() const { return rules_; }

 private:
  RuleSet rules_;
};

/// The version of this library: "0.1.0".
[[nodiscard]] DCMVEIL_API std::string_view Version();

}  // namespace dcmveil
