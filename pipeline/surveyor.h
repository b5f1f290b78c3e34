// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "dcmveil/error.h"
#include "dcmveil/survey.h"
#include "engine/plan.h"
#include "pipeline/findings.h"
#include "pipeline/review.h"
#include "pipeline/tally.h"

namespace dcmveil::pipeline {

inline constexpr const char* kSurveyFile = "survey.json";

/// Stretches of twice the length.
void Double(Survey::Pace& pace);

/// How much was done when: at most 120 stretches of equal length, which double when time runs on.
class Pacer {
 public:
  void Add(double seconds_since_begin, std::uint64_t bytes);
  void Set(Survey::Pace pace) { pace_ = std::move(pace); }
  [[nodiscard]] const Survey::Pace& pace() const { return pace_; }

 private:
  Survey::Pace pace_{0.25, {}};
};

/// Adds up what a run does and writes it to survey.json beside the review file. The sums need only
/// tallies and reports, so a run that goes on can add what an earlier one did. One thread at a
/// time.
class Surveyor {
 public:
  explicit Surveyor(Review::Limits limits = Review::Limits()) : review_(limits) {}

  /// `go_on`: the review file of an earlier run stays valid, and its tallies will be added.
  [[nodiscard]] Status Open(const std::filesystem::path& folder, bool go_on);
  /// See Review::Number.
  [[nodiscard]] Result<Tally> Number(const Findings& findings, Outcome outcome) {
    return review_.Number(findings, outcome == Outcome::kWritten || outcome == Outcome::kUnchanged);
  }
  /// Adds one input; `tally` is null if it was done by a run that did not survey. False if the
  /// tally has numbers that the review file does not know.
  bool Add(const Tally* tally, const InstanceReport& report, std::uint64_t bytes_in,
           std::uint64_t bytes_out);
  /// An input was done now.
  void Tick(double seconds_since_begin, std::uint64_t bytes) {
    pacer_.Add(seconds_since_begin, bytes);
  }
  [[nodiscard]] Status Sync() { return review_.Sync(); }
  /// Writes survey.json, whole or not at all. The plan tells how rules were written.
  [[nodiscard]] Status Close(const Survey::Run& run, const engine::Plan& plan);

  /// Writes both files for a survey that was added up from those of shards, as one run would have
  /// left them; the folder's own are replaced.
  [[nodiscard]] static Status Save(const Survey& survey, const std::filesystem::path& folder);

 private:
  /// What rules of the file are called, and those that decided nothing.
  struct RuleTexts {
    std::map<std::string, std::string> selectors;           ///< by origin
    std::vector<std::pair<std::string, std::string>> idle;  ///< origin, action
  };
  [[nodiscard]] Status Write(const Survey::Run& run, const RuleTexts& texts) const;
  struct RuleSum {
    std::uint64_t elements = 0;
    std::uint64_t instances = 0;
  };
  struct TextSum {
    std::uint64_t times = 0;
    std::uint64_t instances = 0;
  };
  using ReasonKey = std::tuple<Outcome, std::string, std::string>;

  std::filesystem::path folder_;
  Review review_;
  Pacer pacer_;
  Survey::Outcomes outcomes_{};
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
  std::uint64_t not_surveyed_ = 0;
  std::uint64_t kindless_ = 0;
  std::vector<Survey::Outcomes> kinds_;
  std::vector<RuleSum> rules_;
  std::vector<TextSum> texts_;
  std::vector<std::uint64_t> unlisted_;
  std::map<ReasonKey, std::uint64_t> reasons_;
  std::map<std::string, std::uint64_t> notes_;
};

/// What a rule set says of itself, for Survey::Run.
void Describe(const engine::PlanParts& parts, Survey::Run& run);

}  // namespace dcmveil::pipeline
