// SPDX-License-Identifier: Apache-2.0
//
// A plan is the compiled form of a rule set. rules/ builds the lists below from YAML; Plan indexes
// them once, so that finding an element's rule costs one table look-up and a walk over the few
// rules that can match its tag at all, however many rules there are. For most attributes that is
// one rule, known to match, or none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dcmveil/tag.h"
#include "engine/action.h"
#include "engine/path.h"

namespace re2 {
class RE2;
}

namespace dcmveil {
struct Attribute;
}

namespace dcmveil::engine {

/// Matches tags: (number & mask) == value. With a creator it matches private elements only, and
/// bits 8-15 (the block) are not compared: the creator's own block is looked up in the item.
struct TagPattern {
  std::uint32_t value = 0;
  std::uint32_t mask = 0xFFFFFFFF;
  std::string creator;            ///< trimmed private creator; empty: no creator asked for
  bool odd_groups_only = false;   ///< `group: odd`
  bool even_groups_only = false;  ///< `group: even`

  [[nodiscard]] bool is_exact() const {
    return mask == 0xFFFFFFFF && creator.empty() && !odd_groups_only && !even_groups_only;
  }
  /// `creator` is that of the element, empty for standard elements and orphans.
  [[nodiscard]] bool Matches(Tag tag, std::string_view creator_of_element) const;
};

/// One alternative of a rule's selector.
struct Selector {
  /// The ways to the element, root first; the last pattern is the element itself. One pattern
  /// matches at every depth. More match the last steps of the path, or the whole when `anchored`.
  std::vector<TagPattern> path;
  bool anchored = false;
  /// A VR selector has no path and matches standard elements by their dictionary VR.
  VrSet vrs;

  [[nodiscard]] bool by_vr() const { return path.empty(); }
};

/// A question about the instance, asked of the input's values before anything is changed.
struct Condition {
  enum class Kind : std::uint8_t {
    kAll,
    kAny,
    kNot,  // children
    kExists,
    kAbsent,    // absent: no such element; an empty element exists
    kEquals,    // any value of the element equals any of `texts`, exactly
    kMatches,   // any value matches `pattern` somewhere
    kJoined,    // the values with backslashes between them do; no element and no value are ""
    kRange,     // any value is a number within [low, high]
    kSopClass,  // the instance's SOP Class UID is one of `texts`, which are sorted
  };
  Kind kind = Kind::kAll;
  std::vector<Condition> children = {};
  /// Root first; steps through a sequence look into every item.
  std::vector<TagPattern> path = {};
  std::vector<std::string> texts = {};  ///< UTF-8
  std::shared_ptr<const re2::RE2> pattern = {};
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

/// One rule. Rules are tried in their order; the first whose selector and condition hold decides.
struct Rule {
  std::vector<Selector> selectors;
  std::optional<Condition> when;
  const ActionSpec* spec = nullptr;
  std::shared_ptr<const Action> action;
  std::string origin;         ///< "rules.yaml:12"
  std::string selector_text;  ///< as written, for `explain` and reports
  /// A rule that removes lets the elements of a sequence be decided one by one instead.
  bool judge_sequences = false;
  /// A row of a built-in profile: content items and what an instance declares of its private
  /// elements are more exact than it, but not than a rule of the file.
  bool of_profile = false;
  /// How a private element of unknown VR is read by the action.
  std::optional<Vr> as_vr = std::nullopt;
};

/// What becomes of a content item (PS3.3 C.17.3), told by its concept name and value type.
struct ContentRule {
  std::string code;
  std::string scheme;
  std::string value_type;
  /// Decides the item's value. Without an action the item goes, with all below it.
  Rule rule;

  [[nodiscard]] bool drops_item() const { return rule.spec == nullptr; }
};

/// What a built-in profile asks for beyond rules about single elements (PS3.15 E.1.1, E.3).
struct ProfileParts {
  /// Items of De-identification Method Code Sequence (0012,0064): codes of scheme DCM.
  std::string layer;                 ///< "basic" or "basic+"
  std::vector<std::string> options;  ///< by the names of the rules language
  std::string edition;               ///< "DICOM PS3.15 2026d"
  bool strict_table = false;
  bool keep_device_dates = false;
  struct MethodCode {
    std::string value;
    std::string meaning;
  };
  std::vector<MethodCode> method_codes;
  /// Longitudinal Temporal Information Modified (0028,0303).
  std::string longitudinal;
  /// Sorted by code, scheme and value type; empty if content items have no rules of their own.
  std::vector<ContentRule> content;
  /// What decides the value of a TEXT item that `content` does not list.
  std::optional<Rule> other_text;
  /// Keeps codes of `published_schemes` (sorted) where a rule of the profile would clean them: they
  /// are the same all over the world, and without them their meanings say nothing to a program.
  std::optional<Rule> published_code;
  std::span<const std::string_view> published_schemes;
  /// For private elements that the instance itself declares (0008,0300): what the actions D, Z and
  /// U of (0008,0307) stand for. None: declarations do not count.
  struct Declared {
    Rule keep;
    Rule remove;
    Rule dummy;
    Rule empty;
    Rule uid;
  };
  std::optional<Declared> declared;
  /// Options that are known and cannot be carried out: what they would have to clean is
  /// quarantined.
  bool needs_clean_pixels = false;
  bool needs_clean_features = false;
};

struct EscrowPlan;

/// `action: add`.
struct AddRule {
  Tag tag;
  Vr vr = Vr::LO;
  std::string value;  ///< UTF-8, backslash-separated
  std::optional<Condition> when;
  std::string origin;
};

struct RejectRule {
  Condition when;
  std::string because;
  std::string origin;
};

/// What the guard does not report: an element at any depth, or a text (UTF-8) that is no
/// identifier.
struct GuardException {
  std::optional<TagPattern> tag;
  std::string text;  ///< if there is no tag
  std::string because;
};

struct PlanParts {
  /// What callers added to the actions; rules refer to them.
  std::vector<std::shared_ptr<const ActionSpec>> custom_actions;
  std::vector<Tag> asks;  ///< see Instance::asked
  std::vector<Rule> rules;
  std::vector<AddRule> adds;
  std::vector<RejectRule> rejects;
  bool otherwise_keep = true;
  std::string otherwise_origin;  ///< where `otherwise` stands, or "default"
  /// Whether Patient Identity Removed and De-identification Method are set (PS3.15 E.1.1).
  bool mark = true;
  /// One value of De-identification Method (0012,0063), at most 64 ASCII characters.
  std::string method_text;
  std::string name;
  /// Whether the output is searched for identifiers of the input.
  bool guard = false;
  std::vector<GuardException> guard_exceptions;
  /// Set if a built-in profile is in force.
  std::optional<ProfileParts> profile;
  /// Null if no originals go into the output, encrypted or not.
  std::shared_ptr<const EscrowPlan> escrow;
};

/// Answers to the conditions of a plan for one instance.
class ConditionAnswers {
 public:
  explicit ConditionAnswers(std::vector<bool> answers) : answers_(std::move(answers)) {}
  [[nodiscard]] bool operator[](int condition) const {
    return answers_[static_cast<std::size_t>(condition)];
  }

 private:
  std::vector<bool> answers_;
};

/// Immutable; all threads share it.
class Plan {
 public:
  explicit Plan(PlanParts parts);
  ~Plan();
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  [[nodiscard]] const PlanParts& parts() const { return parts_; }
  /// Whether any rule's action needs Instance::identifiers.
  [[nodiscard]] bool wants_identifiers() const { return wants_identifiers_; }
  /// All conditions of rules, then of adds, then of rejects, in that order; see condition_of_*.
  [[nodiscard]] const std::vector<const Condition*>& conditions() const { return conditions_; }

  /// What decides an element.
  struct Decision {
    /// Null: `otherwise` decides, or `private_by_vr_only`.
    const Rule* rule = nullptr;
    /// No rule but a VR rule could reach this private element, or one that PS3.6 does not list. Its
    /// VR is only as good as its encoding (in implicit VR it has none), so it is removed.
    bool private_by_vr_only = false;
  };
  /// `path` ends with the element. `vrs` are the VRs that it may have by the dictionary, or its
  /// encoded one.
  [[nodiscard]] Decision Decide(const Path& path, VrSet vrs, const ConditionAnswers& answers) const;

  /// Every rule that may decide elements with the tag, in the order in which they are asked. A
  /// private tag stands for all of its group.
  [[nodiscard]] std::vector<const Rule*> RulesFor(Tag tag) const;
  /// The rule for a content item, or null if the list has none; see ProfileParts::content.
  [[nodiscard]] const ContentRule* FindContent(std::string_view code, std::string_view scheme,
                                               std::string_view value_type) const;

  [[nodiscard]] bool AddApplies(std::size_t add, const ConditionAnswers& answers) const;
  [[nodiscard]] bool RejectApplies(std::size_t reject, const ConditionAnswers& answers) const;

 private:
  /// A rule's selector that may match at some place.
  struct Candidate {
    std::uint32_t rule;
    const Selector* selector;  ///< in parts_
    int condition = -1;        ///< index into conditions_, or -1
    std::uint32_t depth = 0;   ///< steps that a path must have
    bool anchored = false;     ///< and not one more
    bool by_vr = false;
    bool by_tag = false;   ///< the tags of its list are all that it asks for besides
    bool certain = false;  ///< it matches whatever path and conditions
    [[nodiscard]] bool Precedes(const Candidate& other) const {
      // Those of one rule stand in one vector.
      return rule != other.rule ? rule < other.rule : selector < other.selector;
    }
  };
  using Candidates = std::vector<Candidate>;
  /// Tags that share some bits, and with them a list of candidates.
  struct Place;
  /// Part of candidates_; a certain one is the last.
  struct List {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
  };
  class Index;

  [[nodiscard]] std::span<const Candidate> CandidatesFor(Tag tag, const Attribute* attribute) const;

  PlanParts parts_;
  std::vector<const Condition*> conditions_;
  std::vector<int> condition_of_rule_;  ///< index into conditions_, or -1
  std::vector<int> condition_of_add_;
  std::size_t first_reject_condition_ = 0;
  Candidates candidates_;  ///< of all lists, each in the order of the rules
  /// For each row of the dictionary. Rows of repeating groups have none.
  std::vector<List> of_attribute_;
  /// For all other tags: those whose group and low byte some selector names, those whose group one
  /// names, and the rest by the upper half of the group and its parity.
  std::unordered_map<std::uint32_t, List> of_low_byte_;
  std::unordered_map<std::uint32_t, List> of_group_;
  std::array<List, 512> of_rest_;
  bool any_vr_rule_changes_ = false;
  bool wants_identifiers_ = false;
};

}  // namespace dcmveil::engine
