// SPDX-License-Identifier: Apache-2.0
//
// Rules as read, with their places: what the YAML reader and the importers produce, and what
// compile.h and check.h work on.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dcmveil/tag.h"
#include "engine/action.h"
#include "engine/cms.h"
#include "engine/crypto.h"
#include "engine/plan.h"
#include "rules/diagnostics.h"
#include "rules/params.h"
#include "rules/profile_tables.h"
#include "rules/selector.h"

namespace dcmveil::rules {

struct RuleDraft {
  Place place;
  std::vector<SelectorDraft> selectors;
  std::string selector_text;  ///< all of them, for `explain`
  std::optional<engine::Condition> when;
  const engine::ActionSpec* spec = nullptr;  ///< null if the action is unknown (reported)
  Place action_place;
  ParamTexts with;
  /// A key of the rule's own that is used as it is: Microsoft's settings hold one per method.
  std::shared_ptr<const Key> raw_key;
  /// A row of a built-in profile. `origin` then says which, and settings of the file for keep,
  /// remove, redact and dummy do not count: the table says exactly what they do.
  bool of_profile = false;
  std::string origin = {};
  /// How a value of unknown VR (UN) is to be read; for private elements.
  std::optional<Vr> as_vr = {};
};

/// A content item of a structured document, by its concept name and value type.
struct ContentDraft {
  std::string code;
  std::string scheme;
  std::string value_type;
  RuleDraft rule;  ///< without spec: the item goes
};

/// `profile:` and `options:`, and the settings that belong to them.
struct ProfileRequest {
  bool plus = false;  ///< basic+
  std::vector<std::pair<Option, Place>> options;
  Place place;
  Place options_place;
  bool strict_table = false;
  bool keep_device_dates = false;
};

/// What a profile needs beyond rules about single elements.
struct ProfileDraft {
  engine::ProfileParts parts;
  std::vector<ContentDraft> content;
  std::optional<RuleDraft> other_text;
  std::optional<RuleDraft> published_code;
  std::vector<RuleDraft> declared;  ///< keep, remove, dummy, redact, refresh-uid; or none
};

struct RejectDraft {
  engine::Condition when;
  std::string because;
  Place place;
};

/// `escrow:`; its certificates have been read.
struct EscrowDraft {
  std::vector<Tag> attributes;
  bool all_replaced = false;
  std::vector<cms::Certificate> recipients;
  std::vector<std::string> contents_read;  ///< of the certificate files
  Place place;
};

struct GuardExceptionDraft {
  engine::GuardException exception;
  Place place;
  std::string text;  ///< as written
};

/// `guard:`.
struct GuardDraft {
  bool on = true;
  std::vector<GuardExceptionDraft> exceptions;
  Place place;
};

/// Where the key is to be found.
struct KeySource {
  std::filesystem::path file;  ///< resolved; empty if a variable is named
  std::string variable;
  Place place;
};

/// One rule file, or a rule file with everything that it extends.
struct RuleBook {
  std::string name;
  Place place;
  std::vector<RuleDraft> rules;
  std::map<const engine::ActionSpec*, ParamTexts> settings;
  std::optional<bool> mark;
  std::optional<bool> strict_table;
  std::optional<bool> keep_device_dates;
  std::optional<ProfileRequest> profile_request;
  std::optional<ProfileDraft> profile;  ///< what ApplyProfile made of the request
  std::optional<std::vector<RejectDraft>> rejects;
  std::optional<GuardDraft> guard;
  std::optional<bool> otherwise_keep;
  Place otherwise_place;
  std::optional<KeySource> key;
  std::optional<EscrowDraft> escrow;
  /// Secrets that stand in the file itself. Erased with the book.
  std::vector<std::shared_ptr<const Key>> keys_in_file;
  bool imported = false;  ///< from another tool's dialect
};

}  // namespace dcmveil::rules
