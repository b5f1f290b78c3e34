// SPDX-License-Identifier: Apache-2.0
#include "rules/statement.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "dcmveil/engine.h"
#include "engine/dictionary.h"
#include "engine/escrow_plan.h"
#include "engine/plan.h"

namespace dcmveil::rules {
namespace {

using engine::Effect;
using engine::PlanParts;
using engine::Rule;

constexpr std::size_t kRulesInStatement = 4;

/// Whether every element that the row is about is decided by the rule, whatever the instance.
bool DecidesAll(const Rule& rule, Tag tag) {
  if (rule.when) return false;
  return std::any_of(rule.selectors.begin(), rule.selectors.end(), [tag](const auto& selector) {
    if (selector.by_vr()) return !tag.is_private();
    return selector.path.size() == 1 && !selector.anchored && selector.path[0].creator.empty() &&
           selector.path[0].Matches(tag, {});
  });
}

/// A tag that stands for the row.
Tag TagOf(const ProfileRow& row) { return row.odd_groups ? Tag(0x0009, 0x1001) : Tag(row.value); }

std::string Describe(const Rule& rule) {
  std::string text = rule.origin + " " + std::string(rule.spec->name);
  if (rule.when) text += " on a condition";
  return text;
}

bool IsChanged(const Rule& rule) { return rule.spec->effect != Effect::kKeep; }

RowStatement StateRow(const ProfileRow& row, const engine::Plan& plan) {
  RowStatement statement;
  statement.row = &row;
  const Tag tag = TagOf(row);
  bool own = false;
  bool certain = false;
  std::size_t count = 0;
  const bool table_protects = row.code.offered[0] != ProfileCode::kK;
  for (const Rule* rule : plan.RulesFor(tag)) {
    own = own || !rule->of_profile;
    // What the profile keeps, an option asked for.
    if (!rule->of_profile && !IsChanged(*rule) && table_protects) statement.may_pass = true;
    if (++count <= kRulesInStatement) {
      if (count > 1) statement.what += ", else ";
      statement.what += Describe(*rule);
    }
    certain = DecidesAll(*rule, tag);
    if (certain) break;
  }
  if (count > kRulesInStatement) {
    statement.what += " and " + std::to_string(count - kRulesInStatement) + " more rules";
  }
  if (certain) {
    statement.kind = own ? RowStatement::Kind::kOwn : RowStatement::Kind::kProfile;
    return statement;
  }
  const PlanParts& parts = plan.parts();
  if (!statement.what.empty()) statement.what += ", else ";
  statement.what += std::string("otherwise ") + (parts.otherwise_keep ? "keep" : "remove");
  statement.may_pass = statement.may_pass || parts.otherwise_keep;
  return statement;
}

std::string Escaped(std::string text) {
  for (std::size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2)) {
    text.insert(at, 1, '\\');
  }
  return text;
}

std::string TagText(const ProfileRow& row) {
  if (row.odd_groups) return "(gggg,eeee), gggg odd";
  std::string text = ToString(Tag(row.value));
  if (row.mask != 0xFFFFFFFF) {
    text[3] = text[4] = 'x';
    if ((row.mask & 0xFFFF) == 0) text = text.substr(0, 6) + "xxxx)";
  }
  return text;
}

std::string List(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ", ";
    text += word;
  }
  return text.empty() ? "none" : text;
}

void OptionLines(const engine::ProfileParts& profile, std::string& text) {
  text += "\n## Options\n\n| code | option | supported here |\n|---|---|---|\n";
  for (const OptionInfo& info : Options()) {
    const bool on = std::find(profile.options.begin(), profile.options.end(), info.name) !=
                    profile.options.end();
    text += "| " + std::string(info.method.code) + " | " + std::string(info.method.meaning) +
            " | " + (on ? "yes" : "no") + " |\n";
  }
}

void EscrowLines(const PlanParts& parts, std::string& text) {
  text += "\n## Escrow\n\n";
  if (!parts.escrow) {
    text += "* No Encrypted Attributes Sequence is written.\n";
    return;
  }
  const engine::EscrowPlan& escrow = *parts.escrow;
  std::vector<std::string> names;
  for (const Tag tag : escrow.attributes) {
    const Attribute* attribute = FindAttribute(tag);
    names.push_back(attribute != nullptr ? std::string(attribute->keyword) : ToString(tag));
  }
  text += "* Encrypted Attributes Sequence (0400,0500), one item, holds the originals of: " +
          List(names) +
          (escrow.all_replaced
               ? "; and of every other top-level attribute that is removed or changed.\n"
               : ".\n") +
          "* Transfer syntax of the encrypted data set: Explicit VR Little Endian. Key transport "
          "RSA (PKCS #1 v1.5), content encryption AES-256-CBC.\n"
          "* Recipients, by the SHA-256 of their certificates, which the rule set names:";
  for (const cms::Certificate& recipient : escrow.recipients) {
    text += " `" + HexLower(recipient.fingerprint()) + "`";
  }
  text +=
      "\n* Content keys are derived for each instance from the rule set's secret key and the "
      "originals, so that equal runs give equal bytes.\n";
}

}  // namespace

std::string NameOf(const ProfileRow& row) {
  if (row.odd_groups) return "private elements";
  return row.keyword.empty() ? TagText(row) : std::string(row.keyword);
}

std::vector<RowStatement> StateRows(const RuleSet& rules) {
  std::vector<RowStatement> statements;
  for (const ProfileRow& row : BasicRows()) statements.push_back(StateRow(row, *rules.plan()));
  return statements;
}

std::string ConformanceStatement(const RuleSet& rules) {
  const PlanParts& parts = rules.plan()->parts();
  std::string text = "# De-identification Conformance Statement\n\n";
  text += "Rule set **" + rules.name() + "**, SHA-256 `" + rules.hash() + "`, read by dcmveil " +
          std::string(Version()) + ".\n\n";
  if (!parts.profile) {
    text +=
        "This rule set names no profile of PS3.15 Annex E and claims no conformance to one. What "
        "it does with the attributes of table E.1-1 is listed below.\n";
  } else {
    const engine::ProfileParts& profile = *parts.profile;
    text += "It de-identifies by the Basic Application Level Confidentiality Profile of " +
            profile.edition + ", Annex E" +
            (profile.layer == "basic+" ? ", and a further layer, basic+, for identifying "
                                         "attributes that table E.1-1 does not list"
                                       : std::string()) +
            ", with the options: " + List(profile.options) + ".\n";
    OptionLines(profile, text);
    const auto has = [&](std::string_view name) {
      return std::find(profile.options.begin(), profile.options.end(), name) !=
             profile.options.end();
    };
    text += "\n## How replacements are made\n\n";
    text +=
        "* Dummies (code D) are constants: `REMOVED`, `20000101`, `000000`, `030Y`, zeros of the "
        "same length; sequences get one item with what is required in it; an encapsulated document "
        "becomes a minimal document of its MIME type.\n"
        "* Patient ID, Clinical Trial Subject ID, Specimen Identifier and Container Identifier "
        "become pseudonyms, derived from their value with a secret key (HMAC-SHA-256).\n"
        "* UIDs (code U, every other attribute of VR UI, at every depth) become `2.25.` and 128 "
        "bits of an HMAC-SHA-256 of the UID. UIDs that DICOM registers stay as they are.\n"
        "* **Referential integrity**: equal values get equal replacements in all instances, "
        "studies and runs that use the same key, on any machine; without the key there is no way "
        "back, and no table is kept.\n"
        "* Compound codes (X/Z/D) are resolved by the attribute's type in the instance's IOD at "
        "its place; an unknown SOP class gets the strongest alternative.\n";
    text +=
        profile.strict_table
            ? "* Attributes that the table removes although an IOD requires them are removed "
              "(strict-table).\n"
            : "* Attributes that the table removes although an IOD requires them get a dummy, or "
              "are emptied where zero length is allowed.\n";
    text += "\n## How the options are carried out\n\n";
    text +=
        has("clean-descriptors")
            ? "* Descriptors: out of the text go the identifiers that the instance itself holds, "
              "known patterns (dates, times, telephone numbers, addresses of the Internet, long "
              "digit runs, titles with names) and, unless the rule set says otherwise, every word "
              "that is in no list of safe words.\n"
            : "* Descriptors are removed or replaced by their codes.\n";
    if (has("retain-longitudinal-modified-dates")) {
      text += std::string(
                  "* Dates are moved by a number of whole days that is derived from the key "
                  "and the patient; times of day are kept. A date that cannot be parsed is "
                  "emptied. Dates of devices are ") +
              (profile.keep_device_dates ? "kept" : "moved as well") + ".\n";
    } else if (has("retain-longitudinal-full-dates")) {
      text += "* Dates and times are kept.\n";
    } else {
      text += "* Dates and times are removed, emptied or replaced by their codes.\n";
    }
    if (has("retain-patient-characteristics")) {
      text += "* Patient characteristics that are free text are cleaned like descriptors.\n";
    }
    text +=
        has("retain-safe-private")
            ? "* Private elements stay if table E.3.10-1 lists them by creator, group and element, "
              "or if the instance declares them safe in (0008,0300); the items of other private "
              "sequences are decided element by element; all else goes.\n"
            : "* Private elements are removed.\n";
    text += has("clean-graphics")
                ? "* Overlay bitmaps are blanked and their texts cleaned; texts of graphic "
                  "annotations are decided by their own rows; curves are removed.\n"
                : "* Overlays and curves are removed as whole groups.\n";
    text +=
        has("clean-structured-content")
            ? "* Content items are decided by concept name and value type (table E.3.4-1), other "
              "items by the attribute that holds their value; free text is cleaned.\n"
            : "* Content Sequence is replaced by one item without content.\n";
    text += "* Pixel data is not changed, but for overlays in unused bits, which are masked.\n";
  }
  EscrowLines(parts, text);
  text += "\n## Attributes and values inserted\n\n";
  if (parts.mark) {
    text +=
        "* Patient Identity Removed (0012,0062): `YES`\n* De-identification Method (0012,0063): `" +
        parts.method_text + "`, behind what was there\n";
    if (parts.profile) {
      text += "* De-identification Method Code Sequence (0012,0064): ";
      std::vector<std::string> codes;
      for (const auto& code : parts.profile->method_codes) codes.push_back(code.value);
      text += List(codes) + " (DCM), behind what was there\n";
      text += "* Longitudinal Temporal Information Modified (0028,0303): `" +
              parts.profile->longitudinal + "`\n";
    }
  }
  for (const engine::AddRule& add : parts.adds) {
    text += "* " + ToString(add.tag) + " by " + add.origin + "\n";
  }
  text +=
      "* File meta information and preamble are made anew; the preamble is zero.\n"
      "\n## What is done with each attribute of table E.1-1\n\n"
      "| tag | attribute | Basic | by | \n|---|---|---|---|\n";
  for (const RowStatement& statement : StateRows(rules)) {
    text += "| " + TagText(*statement.row) + " | " + NameOf(*statement.row) + " | " +
            std::string(statement.row->code.text) + " | " + Escaped(statement.what) + " |\n";
  }
  return text;
}

}  // namespace dcmveil::rules
