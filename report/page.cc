// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "report/html.h"
#include "report/report.h"

namespace dcmveil::report {
namespace {

#include "page.inc"

/// More rows than a browser shows without effort; the review file has the rest.
constexpr std::size_t kMostRows = 50000;

/// Lets the page's own style and script run and nothing else; nobody can know it beforehand.
std::string Nonce() {
  std::random_device source;
  std::string nonce;
  for (int i = 0; i < 24; ++i) {
    nonce += "0123456789abcdefghijklmnopqrstuv"[source() % 32U];
  }
  return nonce;
}

std::uint64_t Of(const Survey::Outcomes& outcomes, Outcome outcome) {
  return outcomes[static_cast<std::size_t>(outcome)];
}

std::uint64_t Sum(const Survey::Outcomes& outcomes) {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : outcomes) sum += count;
  return sum;
}

/// The sentence for a code of the manifest; empty for what is none.
std::string_view Meaning(std::string_view code) {
#define DCMVEIL_ERROR(name, text, sentence) \
  if (code == (text)) return sentence;
#include "dcmveil/error_codes.def"
#undef DCMVEIL_ERROR
#define DCMVEIL_NOTE(name, text, sentence) \
  if (code == (text)) return sentence;
#include "dcmveil/note_codes.def"
#undef DCMVEIL_NOTE
  return {};
}

std::string Fact(std::string_view name, const std::string& html) {
  return html.empty() ? std::string() : "<dt>" + Escaped(name) + "</dt><dd>" + html + "</dd>\n";
}

std::string InCode(std::string_view text) {
  return text.empty() ? std::string() : "<code>" + Escaped(text) + "</code>";
}

std::string Figure(std::string_view name, const std::string& number, std::string_view style = {}) {
  return "<div><dt>" + Escaped(name) + "</dt><dd" +
         (style.empty() ? std::string() : " class=\"" + std::string(style) + "\"") + ">" + number +
         "</dd></div>\n";
}

class Page {
 public:
  explicit Page(const Content& content)
      : survey_(content.survey),
        run_(content.survey.run),
        verify_(content.verify ? nlohmann::json::parse(*content.verify, nullptr, false)
                               : nlohmann::json()) {}

  std::string Html();

 private:
  void Section(const std::string& id, const std::string& title, const std::string& body);
  void Figures();
  void Rules();
  void Kinds();
  void WithoutOutput();
  void Guard();
  void Verify();
  void Applied();
  void Texts();
  void Changes();
  void Pace();
  void Notes();
  std::string Chart() const;
  std::string RuleCell(const Survey::Rule& rule) const;

  const Survey& survey_;
  const Survey::Run& run_;
  nlohmann::json verify_;
  std::string nav_;
  std::string body_;
};

void Page::Section(const std::string& id, const std::string& title, const std::string& body) {
  nav_ += "<li><a href=\"#" + id + "\">" + Escaped(title) + "</a></li>\n";
  body_ += "<section aria-labelledby=\"" + id + "\">\n<h2 id=\"" + id + "\">" + Escaped(title) +
           "</h2>\n" + body + "</section>\n";
}

std::string Page::RuleCell(const Survey::Rule& rule) const {
  std::string cell = InCode(rule.origin);
  if (!rule.selector.empty() && rule.origin.find(rule.selector) == std::string::npos) {
    cell += " <span class=\"soft\">" + Escaped(rule.selector) + "</span>";
  }
  return cell;
}

void Page::Figures() {
  const Survey::Outcomes& outcomes = survey_.outcomes;
  std::string html = "<dl class=\"figures\">\n";
  html += Figure("Inputs", WithCommas(Sum(outcomes)));
  html += Figure(run_.dry_run ? "Would be written" : "Written",
                 WithCommas(Of(outcomes, Outcome::kWritten)), "good");
  const auto add = [&](Outcome outcome, const char* name, const char* style) {
    if (Of(outcomes, outcome) > 0) html += Figure(name, WithCommas(Of(outcomes, outcome)), style);
  };
  add(Outcome::kUnchanged, "Unchanged", "good");
  add(Outcome::kRejected, "Rejected", "");
  html += Figure("Quarantined", WithCommas(Of(outcomes, Outcome::kQuarantined)),
                 Of(outcomes, Outcome::kQuarantined) > 0 ? "warn" : "");
  html += Figure("Failed", WithCommas(Of(outcomes, Outcome::kFailed)),
                 Of(outcomes, Outcome::kFailed) > 0 ? "bad" : "");
  html += Figure("Read", Size(survey_.bytes_in));
  html += Figure(run_.dry_run ? "Would be written" : "Written", Size(survey_.bytes_out));
  html += Figure("Time", Time(run_.seconds));
  body_ += html + "</dl>\n";
  if (run_.stopped) {
    body_ +=
        "<p class=\"warn\"><strong>The run was interrupted.</strong> This is the account of "
        "what it had done; the same command goes on.</p>\n";
  }
  if (!run_.rule_sets.empty()) {
    std::uint64_t earlier = 0;
    for (std::size_t i = 1; i < run_.rule_sets.size(); ++i) earlier += run_.rule_sets[i].outputs;
    body_ += "<p class=\"warn\"><strong>" + WithCommas(earlier) +
             " outputs were made by earlier rules</strong> and stand as those left them: what this "
             "page says of the rule set and what it claims is not said of them. To make them by "
             "these rules, give a new output folder.</p>\n";
  }
  if (survey_.not_surveyed > 0) {
    body_ += "<p class=\"warn\"><strong>" + WithCommas(survey_.not_surveyed) +
             " outputs</strong> were made by an earlier run without a report. They are in the "
             "figures above and in nothing below.</p>\n";
  }
}

void Page::Rules() {
  std::string html = "<dl class=\"facts\">\n";
  html += Fact("Rule set", Escaped(run_.rules));
  html += Fact("SHA-256 of its text", InCode(run_.rules_hash));
  html += Fact("Key", run_.key_id.empty() ? "none" : "ID " + InCode(run_.key_id));
  html +=
      Fact("Profile", run_.profile.empty()
                          ? std::string("none: the rules alone decide, and no conformance to "
                                        "PS3.15 Annex E is claimed")
                          : "<code>" + Escaped(run_.profile) + "</code>, " + Escaped(run_.edition));
  if (!run_.profile.empty()) {
    std::string options;
    for (const std::string& option : run_.options) options += "<li>" + InCode(option) + "</li>";
    html += Fact("Options", options.empty() ? "none" : "<ul>" + options + "</ul>");
    std::string codes;
    for (const auto& [code, meaning] : run_.method_codes) {
      codes += "<li>" + InCode(code) + " " + Escaped(meaning) + "</li>";
    }
    html += Fact("Claimed in each output (0012,0064)",
                 codes.empty() ? std::string() : "<ul>" + codes + "</ul>");
    html +=
        Fact("Longitudinal Temporal Information Modified (0028,0303)", InCode(run_.longitudinal));
  }
  html += Fact("De-identification Method (0012,0063)",
               run_.method.empty() ? "outputs are not marked" : Escaped(run_.method));
  html += Fact("Input", InCode(run_.input));
  html += Fact("Output", run_.dry_run ? "none: nothing was written" : InCode(run_.output));
  html += Fact("Begun", Moment(run_.began));
  html += Fact("Tool", "dcmveil " + Escaped(run_.version));
  html += "</dl>\n";
  if (!run_.rule_sets.empty()) {
    Table table("rule-sets", "Rule sets that the outputs came of, those of this run first",
                {{"SHA-256"}, {"Edition"}, {"Outputs", true}});
    for (const RuleSetOutputs& row : run_.rule_sets) {
      table.Begin();
      table.Code(row.rules_hash);
      table.Text(row.edition);
      table.Number(row.outputs);
      table.End();
    }
    html += table.Html();
  }
  Section("rules", "Rules, profile and conformance", html);
}

void Page::Kinds() {
  Table table("kinds", "Instances by modality and SOP class of the input",
              {{"Modality"},
               {"SOP class"},
               {"In", true},
               {run_.dry_run ? "Would be written" : "Out", true},
               {"Rejected", true},
               {"Quarantined", true},
               {"Failed", true}});
  const auto rest = [&](const Survey::Outcomes& outcomes) {
    table.Number(Sum(outcomes));
    table.Number(Of(outcomes, Outcome::kWritten) + Of(outcomes, Outcome::kUnchanged));
    table.Number(Of(outcomes, Outcome::kRejected));
    table.Number(Of(outcomes, Outcome::kQuarantined));
    table.Number(Of(outcomes, Outcome::kFailed));
    table.End();
  };
  Survey::Outcomes unknown = survey_.outcomes;
  for (const Survey::Kind& kind : survey_.kinds) {
    table.Begin();
    table.Text(kind.modality);
    table.Text(kind.sop_class);
    rest(kind.outcomes);
    for (std::size_t i = 0; i < unknown.size(); ++i) unknown[i] -= kind.outcomes[i];
  }
  if (survey_.kindless > 0) {
    table.Begin();
    table.Text("");
    table.Text("not known: could not be read, or done by a run without a report");
    rest(unknown);
  }
  Section("kinds-of", "What went in and out", table.Html());
}

void Page::WithoutOutput() {
  if (survey_.reasons.empty()) {
    Section("without", "What was held back", "<p>Nothing: every input has an output.</p>\n");
    return;
  }
  Table table("reasons", "Inputs without output, by reason",
              {{"Outcome"}, {"Reason"}, {"Meaning"}, {"Where"}, {"Inputs", true}});
  for (const Survey::Reason& reason : survey_.reasons) {
    table.Begin();
    table.Text(ToString(reason.outcome));
    const std::string_view meaning = Meaning(reason.reason);
    if (meaning.empty()) {
      table.Text(reason.reason);
    } else {
      table.Code(reason.reason);
    }
    table.Text(meaning);
    table.Code(reason.where);
    table.Number(reason.inputs);
    table.End();
  }
  Section("without", "What was held back",
          "<p>The manifest in the state folder names each of these inputs.</p>\n" + table.Html());
}

void Page::Guard() {
  std::uint64_t hits = 0;
  Table table("guard-hits", "Held back by the guard, by place", {{"Where"}, {"Inputs", true}});
  for (const Survey::Reason& reason : survey_.reasons) {
    if (reason.reason != "identifier-left") continue;
    hits += reason.inputs;
    table.Begin();
    table.Code(reason.where);
    table.Number(reason.inputs);
    table.End();
  }
  if (hits == 0) return;
  Section("guard", "The guard",
          "<p>The guard searched every output for identifiers of its input and held back <strong>" +
              WithCommas(hits) + "</strong> of them.</p>\n" + table.Html());
}

void Page::Verify() {
  if (!verify_.is_object()) return;
  const auto text = [](const nlohmann::json& json, const char* name) {
    const auto it = json.find(name);
    return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  const auto number = [](const nlohmann::json& json, const char* name) {
    const auto it = json.find(name);
    return it != json.end() && it->is_number_unsigned() ? it->get<std::uint64_t>() : 0;
  };
  const std::string result = text(verify_, "result");
  std::string html = "<p>A second look at the finished output, by other code: ";
  if (result == "clean") {
    html += "<strong class=\"good\">nothing was found</strong> in " +
            WithCommas(number(verify_, "outputs")) + " outputs of " +
            WithCommas(number(verify_, "inputs")) + " inputs.</p>\n";
  } else if (result == "found") {
    html += "<strong class=\"bad\">something was found.</strong></p>\n";
  } else {
    html += "<strong class=\"bad\">it could not finish.</strong> " +
            Escaped(text(verify_, "problem")) + "</p>\n";
  }
  const nlohmann::json skipped = verify_.value("inputs_not_looked_at", nlohmann::json());
  if (skipped.is_object() && !skipped.empty()) {
    std::string reasons;
    for (const auto& [reason, count] : skipped.items()) {
      if (!count.is_number_unsigned()) continue;
      reasons += (reasons.empty() ? "" : ", ") + InCode(reason) + " " +
                 WithCommas(count.get<std::uint64_t>());
    }
    html += "<p>Inputs not looked at, because the run had not read them: " + reasons + ".</p>\n";
  }
  if (verify_.contains("not_checked") && verify_["not_checked"].is_array()) {
    for (const nlohmann::json& what : verify_["not_checked"]) {
      if (what.is_string()) {
        html += "<p class=\"warn\">Not checked: " + Escaped(what.get<std::string>()) + "</p>\n";
      }
    }
  }
  if (verify_.contains("counts") && verify_["counts"].is_object() && !verify_["counts"].empty()) {
    Table table("verify-counts", "Findings by check", {{"Check"}, {"Findings", true}});
    for (const auto& [check, count] : verify_["counts"].items()) {
      if (!count.is_number_unsigned()) continue;
      table.Begin();
      table.Code(check);
      table.Number(count.get<std::uint64_t>());
      table.End();
    }
    html += table.Html();
  }
  if (verify_.contains("findings") && verify_["findings"].is_array() &&
      !verify_["findings"].empty()) {
    Table table("findings", "Findings", {{"Check"}, {"Kind"}, {"Where"}, {"Output"}}, true);
    for (const nlohmann::json& finding : verify_["findings"]) {
      if (!finding.is_object()) continue;
      table.Begin();
      table.Code(text(finding, "check"));
      table.Text(text(finding, "kind"));
      table.Code(text(finding, "where"));
      table.Code(text(finding, "file"));
      table.End();
    }
    html += table.Html();
  }
  Section("verify", "Verify", html);
}

void Page::Applied() {
  std::map<std::string, Survey::Rule> actions;
  Table rules("rules-applied", "Elements by the rule that decided them",
              {{"Rule"}, {"Action"}, {"Elements", true}, {"Instances", true}}, true);
  std::size_t idle = 0;
  for (const Survey::Rule& rule : survey_.rules) {
    actions[rule.action].elements += rule.elements;
    if (rule.elements == 0) ++idle;
    rules.Begin();
    rules.Raw(RuleCell(rule));
    rules.Code(rule.action);
    rules.Number(rule.elements);
    rules.Number(rule.instances);
    rules.End();
  }
  Table table("actions", "Elements of outputs by action", {{"Action"}, {"Elements", true}});
  for (const auto& [action, sum] : actions) {
    if (sum.elements == 0) continue;
    table.Begin();
    table.Code(action);
    table.Number(sum.elements);
    table.End();
  }
  std::string html = "<p>What lies below an element that was removed whole is not counted.</p>\n";
  html += table.Html();
  if (idle > 0) {
    html += "<p>" + WithCommas(idle) + (idle == 1 ? " rule" : " rules") +
            " of the file decided no element.</p>\n";
  }
  Section("applied", "What the rules did", html + rules.Html());
}

std::string Cut(std::size_t shown, std::size_t all) {
  if (shown >= all) return {};
  return "<p class=\"warn\">The first " + WithCommas(shown) + " of " + WithCommas(all) +
         " rows; <code>review.ndjson</code> has them all.</p>\n";
}

std::string NotListed(const std::vector<Survey::Unlisted>& unlisted) {
  if (unlisted.empty()) return {};
  Table table("unlisted", "Values that are not listed, because there were too many",
              {{"Element"}, {"Times", true}});
  std::uint64_t times = 0;
  for (const Survey::Unlisted& row : unlisted) {
    times += row.times;
    table.Begin();
    table.Value(row.element);
    table.Number(row.times);
    table.End();
  }
  return "<p class=\"warn\"><strong>" + WithCommas(times) +
         " values are not listed</strong>: their elements have too many different ones. Look at "
         "the rules for these elements.</p>\n" +
         table.Html();
}

void Page::Texts() {
  std::string html =
      "<p>Every different value in free text that a rule kept, cleaned or edited: VRs LO, LT, PN, "
      "SH, ST, UC, UT, AE and UR, private CS, and what can be read as text in UN and private OB. "
      "What was made from the key or stands in the rules is not listed. Sort by <em>Times</em>: a "
      "value that came once is likelier to be about one person.</p>\n";
  html += NotListed(survey_.unlisted);
  if (survey_.texts.empty()) {
    Section("survived", "Text that survived", html + "<p>None.</p>\n");
    return;
  }
  const std::size_t shown = std::min(survey_.texts.size(), kMostRows);
  Table table(
      "texts", "Text in outputs",
      {{"Element"}, {"VR"}, {"Value"}, {"Times", true}, {"Instances", true}, {"Rule"}, {"Action"}},
      true);
  for (std::size_t i = 0; i < shown; ++i) {
    const Survey::Text& text = survey_.texts[i];
    const Survey::Rule& rule = survey_.rules[text.rule];
    table.Begin();
    table.Code(text.element);
    table.Text(ToString(text.vr));
    table.Value(text.text);
    table.Number(text.times);
    table.Number(text.instances);
    table.Code(rule.origin);
    table.Code(rule.action);
    table.End();
  }
  Section("survived", "Text that survived", html + Cut(shown, survey_.texts.size()) + table.Html());
}

void Page::Changes() {
  if (!run_.dry_run) return;
  const std::size_t shown = std::min(survey_.changes.size(), kMostRows);
  Table table("changes", "Values that would change",
              {{"Element"},
               {"VR"},
               {"Before"},
               {"After"},
               {"Times", true},
               {"Instances", true},
               {"Rule"},
               {"Action"}},
              true);
  const auto value = [&table](const std::string& text) {
    if (text.empty()) {
      table.Raw("<span class=\"empty\">empty</span>");
    } else {
      table.Value(text);
    }
  };
  for (std::size_t i = 0; i < shown; ++i) {
    const Survey::Change& change = survey_.changes[i];
    const Survey::Rule& rule = survey_.rules[change.rule];
    table.Begin();
    table.Code(change.element);
    table.Text(ToString(change.vr));
    value(change.before);
    if (change.removed) {
      table.Raw("<span class=\"gone\">removed</span>");
    } else {
      value(change.after);
    }
    table.Number(change.times);
    table.Number(change.instances);
    table.Code(rule.origin);
    table.Code(rule.action);
    table.End();
  }
  Section("diff", "What would change",
          "<p>Each different value before and after, with the rule that changes it. Values of "
          "elements that hold no text or numbers are given by their size. Inputs that would get "
          "the same output are told apart only when they are written.</p>\n" +
              Cut(shown, survey_.changes.size()) + table.Html());
}

std::string Page::Chart() const {
  const auto& stretches = survey_.pace.stretches;
  const double seconds = survey_.pace.seconds;
  std::uint64_t most = 1;
  for (const auto& [inputs, bytes] : stretches) most = std::max(most, inputs);
  constexpr int kLeft = 64;
  constexpr int kWidth = 640;
  constexpr int kHeight = 160;
  constexpr int kTop = 14;
  const auto text = [](int x, int y, const char* anchor, const std::string& what) {
    return "<text x=\"" + std::to_string(x) + "\" y=\"" + std::to_string(y) + "\" text-anchor=\"" +
           anchor + "\">" + Escaped(what) + "</text>\n";
  };
  const auto rate = [seconds](double inputs) {
    const double per_second = inputs / seconds;
    return (per_second < 10 ? std::to_string(per_second).substr(0, 3)
                            : WithCommas(static_cast<std::uint64_t>(per_second))) +
           "/s";
  };
  std::string svg =
      "<svg viewBox=\"0 0 720 210\" role=\"img\" aria-labelledby=\"pace-title\">"
      "<title id=\"pace-title\">Inputs a second over time</title>\n";
  for (const int part : {0, 1, 2}) {
    const int y = kTop + kHeight - kHeight * part / 2;
    svg += "<line class=\"axis\" x1=\"" + std::to_string(kLeft) + "\" x2=\"" +
           std::to_string(kLeft + kWidth) + "\" y1=\"" + std::to_string(y) + "\" y2=\"" +
           std::to_string(y) + "\"/>\n";
    svg +=
        text(kLeft - 8, y + 4, "end", part == 0 ? "0" : rate(static_cast<double>(most) * part / 2));
  }
  const double step = static_cast<double>(kWidth) / static_cast<double>(stretches.size());
  const auto decimal = [](double number) {
    std::array<char, 32> buffer{};
    const int size = std::snprintf(buffer.data(), buffer.size(), "%.2f", number);
    return std::string(buffer.data(), static_cast<std::size_t>(size));
  };
  for (std::size_t i = 0; i < stretches.size(); ++i) {
    const double height =
        kHeight * static_cast<double>(stretches[i].first) / static_cast<double>(most);
    if (stretches[i].first == 0) continue;
    const double begin = static_cast<double>(i) * seconds;
    svg +=
        "<rect class=\"bar\" x=\"" + decimal(kLeft + step * static_cast<double>(i)) + "\" y=\"" +
        decimal(kTop + kHeight - height) + "\" width=\"" +
        decimal(std::max(step - (step > 4 ? 1 : 0), 0.5)) + "\" height=\"" + decimal(height) +
        "\"><title>" +
        Escaped(
            "from " + Time(begin) + ": " + rate(static_cast<double>(stretches[i].first)) + ", " +
            Size(static_cast<std::uint64_t>(static_cast<double>(stretches[i].second) / seconds)) +
            "/s") +
        "</title></rect>\n";
  }
  const double end = static_cast<double>(stretches.size()) * seconds;
  svg += text(kLeft, kTop + kHeight + 20, "start", "0 s");
  svg += text(kLeft + kWidth / 2, kTop + kHeight + 20, "middle", Time(end / 2));
  svg += text(kLeft + kWidth, kTop + kHeight + 20, "end", Time(end));
  return svg + "</svg>\n";
}

void Page::Pace() {
  if (survey_.pace.stretches.empty() || !(run_.seconds > 0)) return;
  std::uint64_t inputs = 0;
  std::uint64_t bytes = 0;
  for (const auto& [count, size] : survey_.pace.stretches) {
    inputs += count;
    bytes += size;
  }
  const auto rate = [this](std::uint64_t sum) {
    return static_cast<std::uint64_t>(static_cast<double>(sum) / run_.seconds);
  };
  Section("pace", "Throughput over time",
          "<p>" + WithCommas(inputs) + " inputs in " + Time(run_.seconds) + ": " +
              WithCommas(rate(inputs)) + " inputs and " + Size(rate(bytes)) + " a second.</p>\n" +
              Chart());
}

void Page::Notes() {
  if (survey_.notes.empty()) return;
  Table table("notes", "Remarkable things in instances that were written",
              {{"Note"}, {"Meaning"}, {"Times", true}});
  for (const auto& [note, count] : survey_.notes) {
    table.Begin();
    table.Code(note);
    table.Text(Meaning(note));
    table.Number(count);
    table.End();
  }
  Section("notes-of", "Notes", table.Html());
}

std::string Page::Html() {
  Figures();
  const std::string figures = std::move(body_);
  body_.clear();
  Rules();
  Kinds();
  WithoutOutput();
  Guard();
  Verify();
  if (run_.dry_run) Changes();
  Texts();
  Applied();
  Notes();
  Pace();
  const std::string nonce = Nonce();
  const std::string title =
      (run_.dry_run ? "Dry run: " : "De-identification report: ") + run_.rules;
  std::string html = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  html +=
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'nonce-" +
      nonce + "'; script-src 'nonce-" + nonce +
      "'; base-uri 'none'; form-action 'none'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"robots\" content=\"noindex\">\n"
      "<meta name=\"referrer\" content=\"no-referrer\">\n";
  html += "<title>" + Escaped(title) + "</title>\n<style nonce=\"" + nonce + "\">\n";
  html.append(kStyle).append("</style>\n</head>\n<body>\n");
  html +=
      "<div class=\"sensitive\" role=\"note\"><p><strong>Sensitive until reviewed.</strong> "
      "This page holds values from " +
      std::string(run_.dry_run ? "patients’ data, before and after"
                               : "patients’ data that the rules left") +
      ". Keep it where the archive is kept; report.json has the figures without values.</p>"
      "</div>\n";
  html += "<header><h1>" + Escaped(title) + "</h1>\n<p class=\"sub\">" +
          (run_.dry_run ? "Nothing was written. " : "") + "Begun " + Moment(run_.began) +
          ", by dcmveil " + Escaped(run_.version) + "</p>\n" + figures +
          "<nav aria-label=\"Sections\"><ul>\n" + nav_ + "</ul></nav></header>\n<main>\n";
  html += body_;
  html +=
      "</main>\n<footer><div class=\"sign\"><div>Reviewed by</div><div>Date and signature"
      "</div></div></footer>\n<script nonce=\"" +
      nonce + "\">\n";
  html.append(kScript).append("</script>\n</body>\n</html>\n");
  return html;
}

}  // namespace

std::string ToHtml(const Content& content) { return Page(content).Html(); }

}  // namespace dcmveil::report
