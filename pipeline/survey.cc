// SPDX-License-Identifier: Apache-2.0
#include "dcmveil/survey.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <tuple>

#include "engine/dictionary.h"
#include "pipeline/review.h"
#include "pipeline/rule_sets.h"
#include "pipeline/surveyor.h"

namespace dcmveil {
namespace fs = std::filesystem;
namespace {

using nlohmann::ordered_json;

void FromJson(const ordered_json& json, Survey::Run& run) {
  json.at("version").get_to(run.version);
  json.at("rules").get_to(run.rules);
  json.at("rules_hash").get_to(run.rules_hash);
  json.at("key_id").get_to(run.key_id);
  json.at("method").get_to(run.method);
  json.at("profile").get_to(run.profile);
  json.at("edition").get_to(run.edition);
  json.at("options").get_to(run.options);
  json.at("method_codes").get_to(run.method_codes);
  json.at("longitudinal").get_to(run.longitudinal);
  json.at("dry_run").get_to(run.dry_run);
  json.at("stopped").get_to(run.stopped);
  json.at("input").get_to(run.input);
  json.at("output").get_to(run.output);
  json.at("began").get_to(run.began);
  run.rule_sets = pipeline::RuleSetsFromJson(json.at("rule_sets"));
  json.at("seconds").get_to(run.seconds);
}

/// Throws a nlohmann exception if something is not as Surveyor::Close writes it.
Survey FromJson(const ordered_json& json, const pipeline::Review& review) {
  Survey survey;
  FromJson(json.at("run"), survey.run);
  json.at("outcomes").get_to(survey.outcomes);
  json.at("bytes_in").get_to(survey.bytes_in);
  json.at("bytes_out").get_to(survey.bytes_out);
  json.at("not_surveyed").get_to(survey.not_surveyed);
  json.at("kindless").get_to(survey.kindless);
  const ordered_json& kinds = json.at("kinds");
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const pipeline::Review::Kind& kind = review.kinds().at(i);
    survey.kinds.push_back({.modality = kind.modality,
                            .sop_class_uid = kind.sop_class_uid,
                            .sop_class = std::string(UidName(kind.sop_class_uid)),
                            .outcomes = kinds[i].get<Survey::Outcomes>()});
    if (survey.kinds.back().sop_class.empty()) survey.kinds.back().sop_class = "other";
  }
  for (const ordered_json& reason : json.at("reasons")) {
    const auto outcome = reason.at("outcome").get<std::size_t>();
    survey.reasons.push_back({.outcome = static_cast<Outcome>(std::min<std::size_t>(outcome, 4)),
                              .reason = reason.at("reason"),
                              .where = reason.at("where"),
                              .inputs = reason.at("inputs")});
  }
  json.at("notes").get_to(survey.notes);
  const ordered_json& rules = json.at("rules");
  const auto& selectors = json.at("selectors");
  const auto selector_of = [&selectors](const std::string& origin) {
    return selectors.contains(origin) ? selectors.at(origin).get<std::string>() : std::string();
  };
  for (std::size_t i = 0; i < review.rules().size(); ++i) {
    const pipeline::Review::Rule& rule = review.rules()[i];
    Survey::Rule sum{
        .origin = rule.origin, .selector = selector_of(rule.origin), .action = rule.action};
    if (i < rules.size()) {
      rules[i].at(0).get_to(sum.elements);
      rules[i].at(1).get_to(sum.instances);
    }
    survey.rules.push_back(std::move(sum));
  }
  for (const ordered_json& idle : json.at("idle_rules")) {
    survey.rules.push_back({.origin = idle.at(0),
                            .selector = selector_of(idle.at(0).get<std::string>()),
                            .action = idle.at(1)});
  }
  const ordered_json& texts = json.at("texts");
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto times = texts[i].at(0).get<std::uint64_t>();
    const auto instances = texts[i].at(1).get<std::uint64_t>();
    if (times == 0) continue;
    const pipeline::Review::Text& text = review.texts().at(i);
    const pipeline::Review::Element& element = review.elements().at(text.element);
    if (text.before) {
      survey.changes.push_back({.element = element.name,
                                .vr = element.vr,
                                .rule = text.rule,
                                .before = *text.before,
                                .after = text.text,
                                .removed = text.removed,
                                .times = times,
                                .instances = instances});
    } else {
      survey.texts.push_back({.element = element.name,
                              .vr = element.vr,
                              .rule = text.rule,
                              .text = text.text,
                              .times = times,
                              .instances = instances});
    }
  }
  const ordered_json& unlisted = json.at("unlisted");
  for (std::size_t i = 0; i < unlisted.size(); ++i) {
    const auto times = unlisted[i].get<std::uint64_t>();
    if (times > 0) {
      survey.unlisted.push_back({.element = review.elements().at(i).name, .times = times});
    }
  }
  json.at("pace").at("seconds").get_to(survey.pace.seconds);
  if (!(survey.pace.seconds > 0)) throw std::out_of_range("pace");
  json.at("pace").at("stretches").get_to(survey.pace.stretches);
  return survey;
}

/// In an order that does not depend on which input came first.
void Sort(Survey& survey) {
  const auto by = [](auto&& key) {
    return [key](const auto& a, const auto& b) { return key(a) < key(b); };
  };
  std::sort(survey.kinds.begin(), survey.kinds.end(), by([](const Survey::Kind& kind) {
              return std::tie(kind.modality, kind.sop_class_uid);
            }));
  std::sort(survey.reasons.begin(), survey.reasons.end(), by([](const Survey::Reason& reason) {
              return std::tie(reason.outcome, reason.reason, reason.where);
            }));
  std::sort(survey.unlisted.begin(), survey.unlisted.end(),
            by([](const Survey::Unlisted& row) { return std::tie(row.element, row.times); }));

  std::vector<std::uint32_t> order(survey.rules.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), by([&survey](std::uint32_t i) {
              return std::tie(survey.rules[i].origin, survey.rules[i].action);
            }));
  std::vector<std::uint32_t> place(order.size());
  std::vector<Survey::Rule> rules(order.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    place[order[i]] = i;
    rules[i] = std::move(survey.rules[order[i]]);
  }
  survey.rules = std::move(rules);
  for (Survey::Text& text : survey.texts) text.rule = place[text.rule];
  for (Survey::Change& change : survey.changes) change.rule = place[change.rule];
  std::sort(survey.texts.begin(), survey.texts.end(), by([](const Survey::Text& text) {
              return std::tie(text.element, text.text, text.vr, text.rule);
            }));
  std::sort(survey.changes.begin(), survey.changes.end(), by([](const Survey::Change& change) {
              return std::tie(change.element, change.before, change.after, change.removed,
                              change.vr, change.rule);
            }));
}

}  // namespace

Result<Survey> LoadSurvey(const fs::path& folder) {
  std::ifstream stream(folder / pipeline::kSurveyFile, std::ios::binary);
  if (!stream) return ErrorCode::kNotFound;
  const ordered_json json = ordered_json::parse(stream, nullptr, false);
  if (json.is_discarded()) return ErrorCode::kMalformed;
  pipeline::Review review;
  const Status status = review.Load(folder);
  if (!status) return status.error();
  try {
    Survey survey = FromJson(json, review);
    Sort(survey);
    return survey;
  } catch (const ordered_json::exception&) {
    return ErrorCode::kMalformed;
  } catch (const std::out_of_range&) {
    return ErrorCode::kMalformed;
  }
}

namespace {

template <typename Row, typename Key, typename AddRow>
void MergeRows(std::vector<Row>& into, const std::vector<Row>& more, Key key, AddRow add) {
  std::map<decltype(key(more.front())), std::size_t> known;
  for (std::size_t i = 0; i < into.size(); ++i) known.emplace(key(into[i]), i);
  for (const Row& row : more) {
    const auto [it, is_new] = known.try_emplace(key(row), into.size());
    if (is_new) {
      into.push_back(row);
    } else {
      add(into[it->second], row);
    }
  }
}

/// Also where all are of the run's own.
std::vector<RuleSetOutputs> RuleSetsOf(const Survey& survey) {
  if (!survey.run.rule_sets.empty()) return survey.run.rule_sets;
  const auto of = [&survey](Outcome outcome) {
    return survey.outcomes[static_cast<std::size_t>(outcome)];
  };
  return {{.rules_hash = survey.run.rules_hash,
           .edition = survey.run.edition,
           .outputs = of(Outcome::kWritten) + of(Outcome::kUnchanged)}};
}

}  // namespace

void Merge(Survey& into, const Survey& other) {
  Survey more = other;
  const auto add_outcomes = [](Survey::Outcomes& sum, const Survey::Outcomes& part) {
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += part[i];
  };
  if (!into.run.rule_sets.empty() || !more.run.rule_sets.empty()) {
    into.run.rule_sets = RuleSetsOf(into);
    for (const RuleSetOutputs& row : RuleSetsOf(more))
      pipeline::AddOutputs(into.run.rule_sets, row);
  }
  into.run.began = std::min(into.run.began, more.run.began);
  into.run.seconds = std::max(into.run.seconds, more.run.seconds);
  into.run.stopped = into.run.stopped || more.run.stopped;
  add_outcomes(into.outcomes, more.outcomes);
  into.bytes_in += more.bytes_in;
  into.bytes_out += more.bytes_out;
  into.not_surveyed += more.not_surveyed;
  into.kindless += more.kindless;
  MergeRows(
      into.kinds, more.kinds,
      [](const Survey::Kind& kind) { return std::pair(kind.modality, kind.sop_class_uid); },
      [&](Survey::Kind& sum, const Survey::Kind& part) {
        add_outcomes(sum.outcomes, part.outcomes);
      });
  MergeRows(
      into.reasons, more.reasons,
      [](const Survey::Reason& reason) {
        return std::tuple(reason.outcome, reason.reason, reason.where);
      },
      [](Survey::Reason& sum, const Survey::Reason& part) { sum.inputs += part.inputs; });
  for (const auto& [note, count] : more.notes) into.notes[note] += count;
  const auto rule_key = [](const Survey::Rule& rule) {
    return std::pair(rule.origin, rule.action);
  };
  MergeRows(into.rules, more.rules, rule_key, [](Survey::Rule& sum, const Survey::Rule& part) {
    sum.elements += part.elements;
    sum.instances += part.instances;
  });
  std::map<std::pair<std::string, std::string>, std::uint32_t> number;
  for (std::uint32_t i = 0; i < into.rules.size(); ++i) number[rule_key(into.rules[i])] = i;
  for (Survey::Text& text : more.texts) text.rule = number[rule_key(more.rules[text.rule])];
  for (Survey::Change& row : more.changes) row.rule = number[rule_key(more.rules[row.rule])];
  const auto add_times = [](auto& sum, const auto& part) {
    sum.times += part.times;
    sum.instances += part.instances;
  };
  MergeRows(
      into.texts, more.texts,
      [](const Survey::Text& text) {
        return std::tuple(text.element, text.vr, text.rule, text.text);
      },
      add_times);
  MergeRows(
      into.changes, more.changes,
      [](const Survey::Change& row) {
        return std::tuple(row.element, row.vr, row.rule, row.before, row.after, row.removed);
      },
      add_times);
  MergeRows(
      into.unlisted, more.unlisted, [](const Survey::Unlisted& row) { return row.element; },
      [](Survey::Unlisted& sum, const Survey::Unlisted& part) { sum.times += part.times; });
  // Both lengths are the same number doubled some times.
  while (into.pace.seconds < more.pace.seconds) pipeline::Double(into.pace);
  while (more.pace.seconds < into.pace.seconds) pipeline::Double(more.pace);
  auto& stretches = into.pace.stretches;
  stretches.resize(std::max(stretches.size(), more.pace.stretches.size()));
  for (std::size_t i = 0; i < more.pace.stretches.size(); ++i) {
    auto& stretch = stretches[i];
    stretch.first += more.pace.stretches[i].first;
    stretch.second += more.pace.stretches[i].second;
  }
  Sort(into);
}

}  // namespace dcmveil
