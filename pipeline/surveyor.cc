// SPDX-License-Identifier: Apache-2.0
#include "pipeline/surveyor.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

#include "pipeline/rule_sets.h"

namespace dcmveil::pipeline {
namespace fs = std::filesystem;
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kReasons = 1000;

/// "(0008,1140).(0008,1155)": one row for all items.
std::string WithoutItems(std::string_view where) {
  std::string text;
  for (std::size_t at = 0; at < where.size(); ++at) {
    if (where[at] == '[') {
      const std::size_t end = where.find(']', at);
      const bool number = end != std::string_view::npos && end > at + 1 &&
                          where.substr(at + 1, end - at - 1).find_first_not_of("0123456789") ==
                              std::string_view::npos;
      if (number) {
        at = end;
        continue;
      }
    }
    text.push_back(where[at]);
  }
  return text;
}

template <typename T>
T& At(std::vector<T>& list, std::size_t index) {
  if (list.size() <= index) list.resize(index + 1);
  return list[index];
}

bool WriteWhole(const fs::path& file, const std::string& text) {
  fs::path temporary = file;
  temporary += ".part";
  const int fd =
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return false;
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = ::write(fd, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  const bool closed = ::close(fd) == 0;
  if (done == text.size() && closed && std::rename(temporary.c_str(), file.c_str()) == 0) {
    return true;
  }
  ::unlink(temporary.c_str());
  return false;
}

ordered_json ToJson(const Survey::Run& run) {
  return {{"version", run.version},
          {"rules", run.rules},
          {"rules_hash", run.rules_hash},
          {"key_id", run.key_id},
          {"method", run.method},
          {"profile", run.profile},
          {"edition", run.edition},
          {"options", run.options},
          {"method_codes", run.method_codes},
          {"longitudinal", run.longitudinal},
          {"dry_run", run.dry_run},
          {"stopped", run.stopped},
          {"input", run.input},
          {"output", run.output},
          {"began", run.began},
          {"rule_sets", pipeline::ToJson(run.rule_sets)},
          {"seconds", run.seconds}};
}

}  // namespace

void Double(Survey::Pace& pace) {
  auto& stretches = pace.stretches;
  for (std::size_t i = 0; i < stretches.size(); ++i) {
    if (i % 2 == 0) {
      stretches[i / 2] = stretches[i];
    } else {
      stretches[i / 2].first += stretches[i].first;
      stretches[i / 2].second += stretches[i].second;
    }
  }
  stretches.resize((stretches.size() + 1) / 2);
  pace.seconds *= 2;
}

void Pacer::Add(double seconds_since_begin, std::uint64_t bytes) {
  constexpr std::size_t kMost = 120;
  const double begin = std::max(0.0, seconds_since_begin);
  while (begin / pace_.seconds >= static_cast<double>(kMost)) Double(pace_);
  auto& stretch = At(pace_.stretches, static_cast<std::size_t>(begin / pace_.seconds));
  ++stretch.first;
  stretch.second += bytes;
}

Status Surveyor::Open(const fs::path& folder, bool go_on) {
  folder_ = folder;
  // The sums of an earlier run speak of numbers that may get another meaning.
  std::error_code error;
  fs::remove(folder_ / kSurveyFile, error);
  if (error) return ErrorCode::kWriteFailed;
  return review_.Open(folder_, go_on);
}

bool Surveyor::Add(const Tally* tally, const InstanceReport& report, std::uint64_t bytes_in,
                   std::uint64_t bytes_out) {
  const bool has_output =
      report.outcome == Outcome::kWritten || report.outcome == Outcome::kUnchanged;
  if (tally != nullptr) {
    const auto known = [](const Tally::Counts& counts, std::size_t size) {
      return std::all_of(counts.begin(), counts.end(),
                         [size](const auto& entry) { return entry.first < size; });
    };
    if ((tally->kind && *tally->kind >= review_.kinds().size()) ||
        !known(tally->rules, review_.rules().size()) ||
        !known(tally->texts, review_.texts().size()) ||
        !known(tally->unlisted, review_.elements().size())) {
      return false;
    }
  }
  const auto outcome = static_cast<std::size_t>(report.outcome);
  ++outcomes_[outcome];
  bytes_in_ += bytes_in;
  if (report.outcome == Outcome::kWritten) bytes_out_ += bytes_out;
  if (!has_output) {
    ReasonKey key(report.outcome, report.reason, WithoutItems(report.where));
    if (reasons_.size() >= kReasons && !reasons_.contains(key)) std::get<2>(key).clear();
    ++reasons_[std::move(key)];
  }
  for (const NoteCount& note : report.notes) {
    notes_[std::string(CodeOf(note.code))] += static_cast<std::uint64_t>(note.count);
  }
  if (tally == nullptr) {
    if (has_output) ++not_surveyed_;
    ++kindless_;
    return true;
  }
  if (tally->kind) {
    ++At(kinds_, *tally->kind)[outcome];
  } else {
    ++kindless_;
  }
  for (const auto& [rule, count] : tally->rules) {
    RuleSum& sum = At(rules_, rule);
    sum.elements += count;
    ++sum.instances;
  }
  for (const auto& [text, count] : tally->texts) {
    TextSum& sum = At(texts_, text);
    sum.times += count;
    ++sum.instances;
  }
  for (const auto& [element, count] : tally->unlisted) At(unlisted_, element) += count;
  return true;
}

Status Surveyor::Close(const Survey::Run& run, const engine::Plan& plan) {
  std::set<std::string> used;
  for (const Review::Rule& rule : review_.rules()) used.insert(rule.origin);
  RuleTexts texts;
  for (const engine::Rule& rule : plan.parts().rules) {
    // Of the hundreds of rows of a profile most concern no element of a given set of instances.
    // Many rows have one origin, so it has no selector of its own.
    if (rule.of_profile) continue;
    texts.selectors[rule.origin] = rule.selector_text;
    if (!used.contains(rule.origin)) {
      texts.idle.emplace_back(rule.origin, std::string(rule.spec->name));
    }
  }
  return Write(run, texts);
}

Status Surveyor::Write(const Survey::Run& run, const RuleTexts& texts) const {
  ordered_json json;
  json["survey"] = 1;
  json["run"] = ToJson(run);
  json["outcomes"] = outcomes_;
  json["bytes_in"] = bytes_in_;
  json["bytes_out"] = bytes_out_;
  json["not_surveyed"] = not_surveyed_;
  json["kindless"] = kindless_;
  json["kinds"] = kinds_;
  json["rules"] = ordered_json::array();
  for (const RuleSum& sum : rules_) {
    json["rules"].push_back(ordered_json::array({sum.elements, sum.instances}));
  }
  json["selectors"] = texts.selectors;
  json["idle_rules"] = ordered_json::array();
  for (const auto& [origin, action] : texts.idle) json["idle_rules"].push_back({origin, action});
  json["texts"] = ordered_json::array();
  for (const TextSum& sum : texts_) {
    json["texts"].push_back(ordered_json::array({sum.times, sum.instances}));
  }
  json["unlisted"] = unlisted_;
  json["reasons"] = ordered_json::array();
  for (const auto& [key, count] : reasons_) {
    json["reasons"].push_back({{"outcome", static_cast<std::size_t>(std::get<0>(key))},
                               {"reason", std::get<1>(key)},
                               {"where", std::get<2>(key)},
                               {"inputs", count}});
  }
  json["notes"] = notes_;
  json["pace"] = {{"seconds", pacer_.pace().seconds}, {"stretches", pacer_.pace().stretches}};
  const std::string text = json.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  if (!WriteWhole(folder_ / kSurveyFile, text)) return ErrorCode::kWriteFailed;
  return Done{};
}

Status Surveyor::Save(const Survey& survey, const fs::path& folder) {
  Review::Limits limits;
  limits.text_size *= 2;  // what was cut is a little longer by now, and is not cut again
  Surveyor sums(limits);
  if (Status opened = sums.Open(folder, /*go_on=*/false); !opened) return opened;
  Review& review = sums.review_;
  sums.outcomes_ = survey.outcomes;
  sums.bytes_in_ = survey.bytes_in;
  sums.bytes_out_ = survey.bytes_out;
  sums.not_surveyed_ = survey.not_surveyed;
  sums.kindless_ = survey.kindless;
  for (const Survey::Kind& kind : survey.kinds) {
    At(sums.kinds_, review.NumberOfKind(kind.modality, kind.sop_class_uid)) = kind.outcomes;
  }
  RuleTexts texts;
  for (const Survey::Rule& rule : survey.rules) {
    if (!rule.selector.empty()) texts.selectors[rule.origin] = rule.selector;
    if (rule.elements == 0) {
      texts.idle.emplace_back(rule.origin, rule.action);
    } else {
      At(sums.rules_, review.NumberOfRule(rule.origin, rule.action)) = {rule.elements,
                                                                        rule.instances};
    }
  }
  const auto add = [&](const auto& row, std::optional<std::string> before, std::string text,
                       bool removed) {
    const Survey::Rule& rule = survey.rules[row.rule];
    const std::uint32_t element = review.NumberOfElement(row.element, row.vr);
    const std::optional<std::uint32_t> number =
        review.NumberOfText({.element = element,
                             .rule = review.NumberOfRule(rule.origin, rule.action),
                             .before = std::move(before),
                             .text = std::move(text),
                             .removed = removed});
    if (number) {
      At(sums.texts_, *number) = {row.times, row.instances};
    } else {
      At(sums.unlisted_, element) += row.times;
    }
  };
  for (const Survey::Text& row : survey.texts) add(row, std::nullopt, row.text, false);
  for (const Survey::Change& row : survey.changes) add(row, row.before, row.after, row.removed);
  for (const Survey::Unlisted& row : survey.unlisted) {
    // Rows are by name; any element of that name will do.
    const auto& elements = review.elements();
    const auto known = std::find_if(elements.begin(), elements.end(), [&row](const auto& element) {
      return element.name == row.element;
    });
    const std::uint32_t element = known != elements.end()
                                      ? static_cast<std::uint32_t>(known - elements.begin())
                                      : review.NumberOfElement(row.element, Vr::UN);
    At(sums.unlisted_, element) += row.times;
  }
  for (const Survey::Reason& row : survey.reasons) {
    sums.reasons_[{row.outcome, row.reason, row.where}] = row.inputs;
  }
  sums.notes_ = survey.notes;
  sums.pacer_.Set(survey.pace);
  if (Status written = review.Flush(); !written) return written;
  return sums.Write(survey.run, texts);
}

void Describe(const engine::PlanParts& parts, Survey::Run& run) {
  if (parts.mark) run.method = parts.method_text;
  if (!parts.profile) return;
  run.profile = parts.profile->layer;
  run.edition = parts.profile->edition;
  run.options = parts.profile->options;
  for (const engine::ProfileParts::MethodCode& code : parts.profile->method_codes) {
    run.method_codes.emplace_back(code.value, code.meaning);
  }
  run.longitudinal = parts.profile->longitudinal;
}

}  // namespace dcmveil::pipeline
