// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "dcmveil/error.h"
#include "dcmveil/rules.h"
#include "dcmveil/tag.h"

namespace dcmveil {

/// What a run did, in counts, and the text that it left for a person to look at: the matter of its
/// reports. Plain data; every text is UTF-8.
///
/// Values from data sets stand in `texts` and `changes` (and private creators in their element
/// names) and nowhere else.
struct Survey {
  using Outcomes = std::array<std::uint64_t, 5>;  ///< by Outcome

  /// What was asked for, and by what rules.
  struct Run {
    std::string version;
    std::string rules;
    std::string rules_hash;
    std::string key_id;
    std::string method;   ///< what (0012,0063) says; empty: outputs are not marked
    std::string profile;  ///< "basic", "basic+"; empty: none, and so are the next four
    std::string edition;
    std::vector<std::string> options;
    std::vector<std::pair<std::string, std::string>>
        method_codes;          ///< of (0012,0064): code, meaning
    std::string longitudinal;  ///< (0028,0303)
    bool dry_run = false;
    bool stopped = false;                   ///< interrupted before the last input
    std::string input;                      ///< as given; may name people
    std::string output;                     ///< as given
    std::int64_t began = 0;                 ///< seconds since 1970, UTC
    std::vector<RuleSetOutputs> rule_sets;  ///< as in RunSummary
    double seconds = 0;  ///< of the last run with this state, if there were several
  };
  /// Instances of one kind. Modalities that PS3.3 does not define and SOP classes that PS3.6 does
  /// not list are "other": they might say anything.
  struct Kind {
    std::string modality;
    std::string sop_class_uid;
    std::string sop_class;
    Outcomes outcomes{};
  };
  struct Reason {
    Outcome outcome = Outcome::kFailed;
    std::string reason;
    std::string where;  ///< an element or a rule; empty if nothing is known or there are too many
    std::uint64_t inputs = 0;
  };
  struct Rule {
    std::string origin;    ///< "rules.yaml:12"
    std::string selector;  ///< as written; empty for what is no rule
    std::string action;
    std::uint64_t elements = 0;   ///< of instances that have an output
    std::uint64_t instances = 0;  ///< likewise
  };
  /// One distinct value of one element, as one rule left it.
  struct Text {
    std::string element;  ///< "RequestAttributesSequence/ScheduledProcedureStepDescription"
    Vr vr = Vr::UN;
    std::uint32_t rule = 0;  ///< index in `rules`
    std::string text;
    std::uint64_t times = 0;      ///< elements in outputs
    std::uint64_t instances = 0;  ///< outputs
  };
  /// What became of one distinct value; in dry runs only.
  struct Change {
    std::string element;
    Vr vr = Vr::UN;
    std::uint32_t rule = 0;
    std::string before;
    std::string after;
    bool removed = false;
    std::uint64_t times = 0;
    std::uint64_t instances = 0;
  };
  /// Values that were counted but not listed, because there were too many.
  struct Unlisted {
    std::string element;
    std::uint64_t times = 0;
  };
  /// What was done in each of several stretches of time of equal length.
  struct Pace {
    double seconds = 0;                                              ///< length of one stretch
    std::vector<std::pair<std::uint64_t, std::uint64_t>> stretches;  ///< inputs, bytes read
  };

  Run run;
  Outcomes outcomes{};
  std::uint64_t bytes_in = 0;   ///< of inputs that were understood
  std::uint64_t bytes_out = 0;  ///< of outputs that were written
  /// Outputs of an earlier run that did not survey: in `outcomes`, and in nothing below.
  std::uint64_t not_surveyed = 0;
  std::vector<Kind> kinds;      ///< by modality and SOP class
  std::uint64_t kindless = 0;   ///< inputs that could not be read far enough to tell
  std::vector<Reason> reasons;  ///< of inputs without output, by outcome, reason and place
  std::map<std::string, std::uint64_t> notes;
  std::vector<Rule> rules;      ///< by origin and action
  std::vector<Text> texts;      ///< by element, text and rule
  std::vector<Change> changes;  ///< by element, values and rule
  std::vector<Unlisted> unlisted;
  Pace pace;
};

/// The survey that a run left in its state folder, or a dry run in its report's. Fails with
/// kNotFound if there is none (no run that surveys has ended there), kMalformed if it is damaged.
[[nodiscard]] DCMVEIL_API Result<Survey> LoadSurvey(const std::filesystem::path& folder);

/// Adds the counts of another part (shard) of the same run. `run` stays that of `into`, and the
/// paces go side by side: both started at once.
DCMVEIL_API void Merge(Survey& into, const Survey& more);

}  // namespace dcmveil
