// SPDX-License-Identifier: Apache-2.0
//
// What must hold between the instances of a run: UIDs are unique and stand for the same everywhere,
// patients, studies and series say of themselves what they said before, dates keep their distance.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "verify/facts.h"
#include "verify/finding.h"
#include "verify/policy.h"

namespace dcmveil::verify {

/// For one thread at a time. It keeps hashes, a few bytes for each UID, series, study and patient.
class Consistency {
 public:
  explicit Consistency(const Policy& policy) : policy_(policy) {}
  /// `file` is the number of the output.
  void Add(std::uint64_t file, const Facts& before, const Facts& after);
  /// What the whole run showed; the findings' `file` is still a number, given beside.
  [[nodiscard]] std::vector<std::pair<std::uint64_t, Finding>> Finish();

 private:
  struct Meaning {
    std::uint64_t after = 0;
    std::uint64_t file = 0;
    std::uint32_t tag = 0;
    bool defined = false;  ///< by the instance, study, series or frame itself, not by a reference
  };
  struct Said {
    std::uint64_t before = 0;
    std::uint64_t after = 0;  ///< 0: nothing yet
    std::uint32_t attribute = 0;
    bool same_before = true;
    bool same_after = true;
    std::uint64_t file = 0;  ///< where it differed
  };
  /// A reference whose place in the input is not known, because items went.
  struct Loose {
    std::uint64_t file = 0;
    std::string where;
    std::uint64_t after = 0;
    std::vector<std::uint64_t> before;
  };

  /// Whether the element is part of a sequence that the rules make anew.
  [[nodiscard]] bool InRemade(const std::string& path) const;
  void AddUids(std::uint64_t file, const Facts& before, const Facts& after);
  void AddUid(std::uint64_t file, Tag tag, const std::string& where, std::string_view before,
              std::string_view after, bool defines);
  void AddEntities(std::uint64_t file, const Facts& before, const Facts& after);
  void AddDates(std::uint64_t file, const Facts& before, const Facts& after);
  void Report(std::uint64_t file, std::string check, std::string where, std::string kind);

  const Policy& policy_;
  std::unordered_map<std::uint64_t, Meaning> meanings_;         ///< by UID of the input
  std::unordered_map<std::uint64_t, std::uint64_t> came_from_;  ///< UID of the output to input's
  std::unordered_map<std::uint64_t, std::uint64_t> instances_;  ///< of the outputs, to input's
  std::unordered_map<std::uint64_t, std::uint64_t> sop_;        ///< of the inputs, to output's
  std::unordered_map<std::uint64_t, Said> said_;                ///< by entity and attribute
  std::unordered_map<std::uint64_t, std::int64_t> moved_;       ///< days, by scope
  std::vector<Loose> loose_;
  std::vector<std::pair<std::uint64_t, Finding>> findings_;
};

}  // namespace dcmveil::verify
