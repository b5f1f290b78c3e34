// SPDX-License-Identifier: Apache-2.0
#include "rules/escrow.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "engine/escrow_plan.h"
#include "rules/language.h"
#include "rules/selector.h"

namespace dcmveil::rules {
namespace {

constexpr std::string_view kExample = "escrow: {recipients: [office.pem]}";

void ReadRecipient(const Node& node, EscrowDraft& draft, Diagnostics& diagnostics) {
  const std::optional<std::string> name = ReadText(node, "recipients", diagnostics);
  if (!name) return;
  cms::CertificateReading reading = cms::ReadCertificateFile(node.place.file->folder / *name);
  if (!reading.certificate) {
    diagnostics.Error(node.place, *name + " " + reading.problem,
                      "a recipient is the PEM file of an X.509 certificate");
    return;
  }
  if (!reading.certificate->is_rsa()) {
    diagnostics.Error(node.place, *name + " has no RSA key",
                      "PS3.15 E.1.1 knows RSA key transport only");
    return;
  }
  const std::string& print = reading.certificate->fingerprint();
  const bool twice =
      std::any_of(draft.recipients.begin(), draft.recipients.end(),
                  [&print](const auto& earlier) { return earlier.fingerprint() == print; });
  if (twice) {
    diagnostics.Error(node.place, *name + ": the same certificate is listed twice");
    return;
  }
  if (!reading.remark.empty()) diagnostics.Warning(node.place, *name + " " + reading.remark);
  draft.recipients.push_back(std::move(*reading.certificate));
  draft.contents_read.push_back(std::move(reading.text));
}

void ReadAttributes(const Node& node, EscrowDraft& draft, Diagnostics& diagnostics) {
  for (const SelectorDraft& selector : ReadSelectors("tag", node, diagnostics)) {
    const engine::TagPattern& pattern = selector.selector.path.back();
    const Tag tag(pattern.value);
    if (!pattern.is_exact() || tag.is_private()) {
      diagnostics.Error(selector.place, selector.text + ": escrow takes single standard attributes",
                        "all-replaced: true takes private elements along");
    } else if (!engine::MayEscrow(tag)) {
      diagnostics.Error(selector.place, selector.text + ": cannot be put into escrow");
    } else if (std::find(draft.attributes.begin(), draft.attributes.end(), tag) !=
               draft.attributes.end()) {
      diagnostics.Error(selector.place, selector.text + ": listed twice");
    } else {
      draft.attributes.push_back(tag);
    }
  }
}

}  // namespace

std::optional<EscrowDraft> ReadEscrow(const Node& node, Diagnostics& diagnostics) {
  const int errors = diagnostics.errors();
  if (!node.is_map()) {
    diagnostics.Error(node.place, "escrow: must be a mapping", std::string(kExample));
    return std::nullopt;
  }
  CheckKeys(node, NamesOf(kEscrowWords), "escrow", diagnostics);
  EscrowDraft draft;
  draft.place = node.place;
  const Node* recipients = node.Find("recipients");
  if (recipients == nullptr || OneOrMany(*recipients).empty()) {
    diagnostics.Error(node.place, "escrow: needs recipients", std::string(kExample));
  } else {
    for (const Node& recipient : OneOrMany(*recipients)) {
      ReadRecipient(recipient, draft, diagnostics);
    }
  }
  if (const Node* all = node.Find("all-replaced")) {
    draft.all_replaced = ReadBoolean(*all, "all-replaced", diagnostics).value_or(false);
  }
  if (const Node* attributes = node.Find("attributes")) {
    ReadAttributes(*attributes, draft, diagnostics);
    if (draft.attributes.empty() && !draft.all_replaced && diagnostics.errors() == errors) {
      diagnostics.Error(attributes->place, "attributes: must list at least one",
                        "without it the usual identifiers are taken");
    }
  } else {
    draft.attributes = engine::DefaultEscrow();
  }
  if (diagnostics.errors() > errors) return std::nullopt;
  return draft;
}

}  // namespace dcmveil::rules
