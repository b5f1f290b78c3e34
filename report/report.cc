// SPDX-License-Identifier: Apache-2.0
#include "report/report.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "report/html.h"

namespace dcmveil::report {
namespace fs = std::filesystem;
namespace {

using nlohmann::ordered_json;

bool WriteWhole(const fs::path& file, const std::string& text) {
  fs::path temporary = file;
  temporary += ".part";
  ::unlink(temporary.c_str());
  const int fd =
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
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

ordered_json Counts(const Survey::Outcomes& outcomes) {
  ordered_json json;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    json[std::string(ToString(static_cast<Outcome>(i)))] = outcomes[i];
  }
  return json;
}

std::uint64_t Sum(const Survey::Outcomes& outcomes) {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : outcomes) sum += count;
  return sum;
}

/// An element's name without private creators, which are values of the data set.
std::string Public(const std::string& element) {
  const std::size_t creator = element.find(" \"");
  return creator == std::string::npos ? element : element.substr(0, creator) + " …)";
}

struct Sums {
  std::uint64_t distinct = 0;
  std::uint64_t times = 0;
};

ordered_json ByElement(const std::map<std::string, Sums>& sums) {
  ordered_json rows = ordered_json::array();
  for (const auto& [element, sum] : sums) {
    rows.push_back({{"element", element}, {"distinct", sum.distinct}, {"times", sum.times}});
  }
  return rows;
}

ordered_json ProfileOf(const Survey::Run& run) {
  if (run.profile.empty()) return nullptr;
  ordered_json codes = ordered_json::array();
  for (const auto& [code, meaning] : run.method_codes) {
    codes.push_back({{"code", code}, {"meaning", meaning}});
  }
  return {{"name", run.profile},
          {"edition", run.edition},
          {"options", run.options},
          {"method_codes", codes},
          {"longitudinal_temporal_information_modified", run.longitudinal}};
}

ordered_json RuleSetsOf(const Survey::Run& run) {
  ordered_json rows = ordered_json::array();
  for (const RuleSetOutputs& row : run.rule_sets) {
    rows.push_back({{"rules_hash", row.rules_hash},
                    {"edition", row.edition.empty() ? ordered_json() : ordered_json(row.edition)},
                    {"outputs", row.outputs}});
  }
  return rows;
}

/// Of what verify wrote: the figures, not the names of files.
ordered_json VerifyOf(const std::optional<std::string>& text) {
  if (!text) return nullptr;
  const ordered_json verify = ordered_json::parse(*text, nullptr, false);
  if (!verify.is_object()) return nullptr;
  ordered_json json;
  for (const char* name :
       {"result", "inputs", "inputs_not_looked_at", "outputs", "counts", "excused"}) {
    if (verify.contains(name)) json[name] = verify[name];
  }
  return json;
}

}  // namespace

std::string ToJson(const Content& content) {
  const Survey& survey = content.survey;
  const Survey::Run& run = survey.run;
  ordered_json json;
  json["report"] = 1;
  json["tool"] = "dcmveil";
  json["version"] = run.version;
  json["dry_run"] = run.dry_run;
  json["complete"] = !run.stopped;
  json["began"] = Moment(run.began);
  json["seconds"] = run.seconds;
  json["rules"] = {{"name", run.rules}, {"hash", run.rules_hash}, {"key_id", run.key_id}};
  if (!run.rule_sets.empty()) json["rule_sets"] = RuleSetsOf(run);
  json["deidentification_method"] = run.method;
  json["profile"] = ProfileOf(run);
  json["inputs"] = Sum(survey.outcomes);
  json["outcomes"] = Counts(survey.outcomes);
  json["bytes_in"] = survey.bytes_in;
  json["bytes_out"] = survey.bytes_out;
  json["not_surveyed"] = survey.not_surveyed;
  json["kinds"] = ordered_json::array();
  for (const Survey::Kind& kind : survey.kinds) {
    json["kinds"].push_back({{"modality", kind.modality},
                             {"sop_class_uid", kind.sop_class_uid},
                             {"sop_class", kind.sop_class},
                             {"inputs", Sum(kind.outcomes)},
                             {"outcomes", Counts(kind.outcomes)}});
  }
  json["of_unknown_kind"] = survey.kindless;
  json["without_output"] = ordered_json::array();
  for (const Survey::Reason& reason : survey.reasons) {
    json["without_output"].push_back({{"outcome", ToString(reason.outcome)},
                                      {"reason", reason.reason},
                                      {"where", reason.where},
                                      {"inputs", reason.inputs}});
  }
  json["notes"] = survey.notes;
  std::map<std::string, std::uint64_t> actions;
  json["rules_applied"] = ordered_json::array();
  for (const Survey::Rule& rule : survey.rules) {
    actions[rule.action] += rule.elements;
    json["rules_applied"].push_back({{"rule", rule.origin},
                                     {"selector", rule.selector},
                                     {"action", rule.action},
                                     {"elements", rule.elements},
                                     {"instances", rule.instances}});
  }
  json["actions"] = actions;
  std::map<std::string, Sums> texts;
  for (const Survey::Text& text : survey.texts) {
    Sums& sum = texts[Public(text.element)];
    ++sum.distinct;
    sum.times += text.times;
  }
  json["text_left"] = ByElement(texts);
  if (run.dry_run) {
    std::map<std::string, Sums> changes;
    for (const Survey::Change& change : survey.changes) {
      Sums& sum = changes[Public(change.element)];
      ++sum.distinct;
      sum.times += change.times;
    }
    json["changes"] = ByElement(changes);
  }
  std::uint64_t unlisted = 0;
  for (const Survey::Unlisted& row : survey.unlisted) unlisted += row.times;
  json["values_not_listed"] = unlisted;
  json["pace"] = {{"stretch_seconds", survey.pace.seconds},
                  {"inputs_and_bytes", survey.pace.stretches}};
  json["verify"] = VerifyOf(content.verify);
  return json.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

Status Write(const Content& content, const fs::path& folder) {
  if (!WriteWhole(folder / "report.json", ToJson(content)) ||
      !WriteWhole(folder / "report.html", ToHtml(content))) {
    return ErrorCode::kWriteFailed;
  }
  return Done{};
}

}  // namespace dcmveil::report
