// SPDX-License-Identifier: Apache-2.0
//
// The way back for those who may have it: which new identifier stands for which old one, in a file
// that only the holders of certificates can open. See docs/crosswalk.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "dcmveil/engine.h"
#include "engine/cms.h"

namespace dcmveil::pipeline {

/// One instance, before and after.
struct CrosswalkEntry {
  explicit CrosswalkEntry(const Deidentified& instance);
  InstanceIds before;
  InstanceIds after;
};

/// One line: {"patient", "4711", "CARD-7K3", "Ward 3"}. Kinds: patient, study, series, instance.
struct CrosswalkRow {
  std::string kind;
  std::string before;
  std::string after;
  std::string issuer;  ///< of the old Patient ID
};

/// Writes a crosswalk: lines of CSV in CMS EnvelopedData, encrypted as they come, under a name of
/// its own until it is whole. A long one is cut into files FILE, FILE.2, FILE.3 and so on. Of
/// patients, studies and series 16 bytes each stay in memory. One thread at a time.
class Crosswalk {
 public:
  /// Null, with `problem` set, if it cannot be, also if something that is no crosswalk has one of
  /// its names. `dry_run`: null and no problem if it could be, and nothing is written.
  [[nodiscard]] static std::unique_ptr<Crosswalk> To(
      const std::filesystem::path& file, const std::vector<std::filesystem::path>& recipients,
      bool dry_run, std::string& problem);
  /// Removes what was written unless Finish() succeeded.
  ~Crosswalk();
  Crosswalk(const Crosswalk&) = delete;
  Crosswalk& operator=(const Crosswalk&) = delete;

  /// False if it cannot be written.
  [[nodiscard]] bool Add(const CrosswalkEntry& entry);
  /// Gives the files their names; those of an earlier run get ".previous" behind theirs. False
  /// if it cannot, also if something else has come to have one.
  [[nodiscard]] bool Finish();
  /// Bytes of text after which the next file begins; for tests.
  void set_longest_part(std::uint64_t bytes) { longest_part_ = bytes; }

 private:
  struct Hash {
    std::size_t operator()(const std::array<std::uint64_t, 2>& digest) const {
      return static_cast<std::size_t>(digest[0]);
    }
  };
  Crosswalk(std::filesystem::path file, std::vector<cms::Certificate> recipients);
  [[nodiscard]] bool BeginPart();
  [[nodiscard]] bool EndPart();
  [[nodiscard]] bool Flush();
  /// True the first time that the row is asked about.
  [[nodiscard]] bool IsNew(const CrosswalkRow& row);
  [[nodiscard]] bool Put(const CrosswalkRow& row);

  std::filesystem::path file_;
  std::vector<cms::Certificate> recipients_;
  std::unordered_set<std::array<std::uint64_t, 2>, Hash> seen_;
  std::string buffer_;
  std::uint64_t longest_part_;
  std::uint64_t in_part_ = 0;
  std::size_t parts_ = 0;
  int descriptor_ = -1;
  std::unique_ptr<cms::Writer> writer_;
};

/// Reads a crosswalk and the files that continue it, row by row. False, with `problem` set, if it
/// is none or the key does not open it; no row is given then, unless a later file is damaged.
[[nodiscard]] bool ReadCrosswalk(const std::filesystem::path& file, const cms::PrivateKey& key,
                                 const cms::Certificate* certificate,
                                 const std::function<void(const CrosswalkRow&)>& on_row,
                                 std::string& problem);

/// The text as a field of CSV (RFC 4180): in quotes where it must be.
[[nodiscard]] std::string CsvField(std::string_view text);

}  // namespace dcmveil::pipeline
