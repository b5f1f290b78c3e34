// SPDX-License-Identifier: Apache-2.0
#include "rules/import/ctp_rule.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <utility>
#include <variant>

#include "engine/action.h"
#include "rules/import/clause.h"
#include "rules/import/ctp_code.h"
#include "rules/import/fitting.h"
#include "rules/import/rule_file.h"

namespace dcmveil::rules {
namespace {

// All that CTP has.
constexpr std::array<std::string_view, 36> kFunctions{
    "always",       "append",   "blank",      "call",      "contents",      "date",
    "dateinterval", "decrypt",  "empty",      "encrypt",   "hash",          "hashdate",
    "hashname",     "hashptid", "hashuid",    "if",        "incrementdate", "initials",
    "integer",      "keep",     "lookup",     "lowercase", "modifydate",    "param",
    "pathelement",  "process",  "quarantine", "remove",    "require",       "round",
    "select",       "skip",     "time",       "truncate",  "uppercase",     "value"};

bool IsFunction(std::string_view name) {
  return std::find(kFunctions.begin(), kFunctions.end(), name) != kFunctions.end();
}

bool IsHash(std::string_view name) {
  return name == "hash" || name == "hashname" || name == "hashptid" || name == "hashuid" ||
         name == "hashdate";
}

std::optional<int> ReadInt(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// What an element becomes by them; any other text is its new value.
bool IsResult(std::string_view name) {
  return name == "remove" || name == "keep" || name == "empty" || name == "blank";
}

/// A call as CTP writes it where it does not carry it out.
std::string Written(const CtpPart& call) {
  std::string text = "@" + call.text + "(";
  for (const std::string& arg : call.args) text += (text.back() == '(' ? "" : ",") + arg;
  return text + ")";
}

std::string Digits(std::string_view text) {
  std::string digits;
  std::copy_if(text.begin(), text.end(), std::back_inserter(digits),
               [](char c) { return c >= '0' && c <= '9'; });
  digits.erase(0, digits.find_first_not_of('0'));
  return digits;
}

/// The texts that have one number of at most nine digits, and that is greater.
std::string GreaterThan(std::string_view number) {
  const auto digits = [](std::size_t count) {
    return count == 0   ? std::string()
           : count == 1 ? R"(\d)"
                        : R"(\d{)" + std::to_string(count) + "}";
  };
  std::string longer = R"([1-9]\d{)" + std::to_string(number.size()) + ",8}";
  for (std::size_t i = 0; i < number.size(); ++i) {
    if (number[i] == '9') continue;
    longer += "|" + std::string(number.substr(0, i));
    longer +=
        number[i] == '8' ? "9" : "[" + std::string(1, static_cast<char>(number[i] + 1)) + "-9]";
    longer += digits(number.size() - i - 1);
  }
  return R"(^\D*0*(?:)" + longer + R"()\D*$)";
}

/// More than the longest element that a rule can mean, and within RE2's limit of repetitions.
constexpr int kLongestCut = 1000;

/// @if and @select in one code, after what stands beside them has gone into their branches.
constexpr int kMostBranchings = 32;

/// What has a text or a whole number that reads the same here and there.
constexpr VrSet kTexts{Vr::AE, Vr::AS, Vr::CS, Vr::DA, Vr::DS, Vr::DT, Vr::IS,
                       Vr::LO, Vr::LT, Vr::PN, Vr::SH, Vr::SL, Vr::SS, Vr::ST,
                       Vr::TM, Vr::UC, Vr::UI, Vr::UL, Vr::UR, Vr::US, Vr::UT};

class RuleTranslator {
 public:
  RuleTranslator(const CtpTarget& target, const CtpScript& script, const ImportOptions& options)
      : target_(target), script_(script), options_(options) {}

  TranslatedRule Run(const std::string& text) {
    always_ = text.starts_with("@always()");
    const std::variant<CtpCode, CtpCodeProblem> parsed = ParseCtpCode(text);
    if (const auto* problem = std::get_if<CtpCodeProblem>(&parsed)) {
      out_.syntax_problem = problem->what;
      const bool may_stop = problem->stops || text.find("quarantine") != std::string::npos ||
                            text.find("skip") != std::string::npos;
      Untranslatable({}, may_stop, problem->what);
      return std::move(out_);
    }
    Translate(std::get<CtpCode>(parsed), {});
    if (always_ && !added_) {
      out_.differs.push_back(
          "where the element is absent none is made, for its value is not fixed");
    }
    return std::move(out_);
  }

 private:
  struct Where {
    std::vector<std::string> when;  ///< what no rule before has decided
    std::vector<std::string> all;   ///< the same and its opposites: all that must hold
    bool root_only = false;
    bool items_only = false;  ///< the top level has been decided
  };

  void Emit(const Where& where, std::string action, std::string with = {}) {
    out_.rules.push_back({where.when, std::move(action), std::move(with), where.root_only});
  }

  // What stands for something that has no translation.
  void Replace(const Where& where, std::string_view what, std::string action,
               std::string with = {}) {
    out_.replaced.push_back(std::string(what) + "; " + action + " stands in its place");
    Emit(where, std::move(action), std::move(with));
  }

  // A code that cannot be said: what it may keep goes, and what it may quarantine is rejected.
  void Untranslatable(const Where& where, bool quarantines, const std::string& why) {
    if (!quarantines) return Replace(where, why, "remove");
    Say(why + "; the instance is rejected in its place");
    Reject(where);
  }

  // Something is replaced by what its place says.
  void Say(const std::string& text) {
    std::vector<std::string>& all = out_.replaced;
    if (std::find(all.begin(), all.end(), text) == all.end()) all.push_back(text);
  }

  void Differs(std::string text) {
    if (std::find(out_.differs.begin(), out_.differs.end(), text) == out_.differs.end()) {
      out_.differs.push_back(std::move(text));
    }
  }

  [[nodiscard]] VrSet Vrs() const {
    return target_.attribute == nullptr ? VrSet() : target_.attribute->vrs;
  }
  [[nodiscard]] bool Takes(std::string_view action) const { return rules::Takes(Vrs(), action); }

  [[nodiscard]] bool IsVr(Vr vr) const {
    return target_.attribute != nullptr && target_.attribute->vrs == VrSet(vr);
  }

  // "@NAME" and "$NAME" are parameters.
  std::string Resolve(const std::string& arg) {
    const bool named = arg.size() > 1 && (arg.front() == '@' || arg.front() == '$') &&
                       arg.find_first_of(" @$\\", 1) == std::string::npos;
    if (!named) return arg;
    const auto it = script_.params.find(std::string_view(arg).substr(1));
    if (it != script_.params.end()) return it->second;
    Unresolved(arg);
    return {};
  }

  void Unresolved(const std::string& arg) {
    Say("the parameter " + arg + " is not in the script");
    unresolved_ = true;
  }

  std::string Arg(const CtpPart& call, std::size_t i) {
    return i < call.args.size() ? Resolve(call.args[i]) : std::string();
  }

  // Texts and regular expressions are no parameters.
  [[nodiscard]] static std::string TextArg(const CtpPart& call, std::size_t i) {
    return i < call.args.size() ? std::string(Unquoted(call.args[i])) : std::string();
  }

  // The element that a call is about is the rule's own.
  [[nodiscard]] bool IsThis(const CtpPart& call, std::size_t i = 0) const {
    if (i >= call.args.size()) return false;
    const std::string& arg = call.args[i];
    if (arg == "this") return true;
    const std::optional<CtpTarget> named = ReadCtpElement(arg);
    return named && named->path == target_.path;
  }

  // ---- A whole code ------------------------------------------------------------------------

  void Translate(const CtpCode& code, const Where& where) {
    const auto branching = std::find_if(code.parts.begin(), code.parts.end(), [](const auto& part) {
      return part.is_call && (part.text == "if" || part.text == "select");
    });
    if (branching == code.parts.end()) return Whole(code, where);
    if (++branchings_ > kMostBranchings) {
      return Untranslatable(where, Quarantines(code), "more branches than can be told apart");
    }
    // What stands beside the branches belongs to each.
    std::array<CtpCode, 2> sides;
    for (std::size_t i = 0; i < sides.size(); ++i) {
      std::vector<CtpPart>& parts = sides[i].parts;
      parts.assign(code.parts.begin(), branching);
      if (i < branching->branches.size()) {
        const std::vector<CtpPart>& branch = branching->branches[i].parts;
        parts.insert(parts.end(), branch.begin(), branch.end());
      }
      parts.insert(parts.end(), branching + 1, code.parts.end());
    }
    if (branching->text == "if") {
      If(where, *branching, sides, Quarantines(code));
    } else {
      Select(where, sides);
    }
  }

  // Without what has no value, and the blanks at both ends.
  static std::vector<CtpPart> Parts(const CtpCode& code) {
    std::vector<CtpPart> parts;
    for (const CtpPart& part : code.parts) {
      if (part.is_call && part.text == "always") continue;
      if (!part.is_call && !parts.empty() && !parts.back().is_call) {
        parts.back().text += part.text;
      } else {
        parts.push_back(part);
      }
    }
    constexpr std::string_view kBlanks = " \t\r\n";
    if (!parts.empty() && !parts.front().is_call) {
      std::string& text = parts.front().text;
      text.erase(0, text.find_first_not_of(kBlanks));
      if (text.empty()) parts.erase(parts.begin());
    }
    if (!parts.empty() && !parts.back().is_call) {
      std::string& text = parts.back().text;
      text.resize(text.find_last_not_of(kBlanks) + 1);
      if (text.empty()) parts.pop_back();
    }
    return parts;
  }

  void Whole(const CtpCode& code, const Where& where) {
    std::vector<CtpPart> parts = Parts(code);
    if (std::any_of(parts.begin(), parts.end(),
                    [](const CtpPart& part) { return part.is_call && part.text == "skip"; })) {
      Say("@skip would pass the instance on as it is; the instance is rejected");
    }
    if (Quarantines(code)) return Reject(where);
    for (const CtpPart& part : parts) {
      if (part.is_call && !IsFunction(part.text)) {
        out_.unknown_function = part.text;
        return Replace(
            where, "@" + Plain(part.text, 40) + ": CTP has no such function and writes its text",
            "remove");
      }
      if (part.is_call && IsHash(part.text)) out_.uses_hash = true;
    }
    // Results are texts until all is put together.
    const bool has_results = std::any_of(parts.begin(), parts.end(), [](const CtpPart& part) {
      return part.is_call && IsResult(part.text);
    });
    for (CtpPart& part : parts) {
      if (part.is_call && IsResult(part.text)) part = {.is_call = false, .text = Written(part)};
    }
    if (std::any_of(parts.begin(), parts.end(), [](const CtpPart& part) {
          return !part.is_call && part.text.find("@remove()") != std::string::npos;
        })) {
      return Emit(where, "remove");
    }
    const std::optional<std::string> text = AsText({parts});
    if (unresolved_) return Replace(where, "a parameter has no value", "remove");
    if (text) return Fixed(where, Trimmed(*text), has_results);
    if (has_results) return NoResult(where);
    std::string prefix;
    while (parts.size() > 1 && AsText({{parts.front()}})) {
      prefix += *AsText({{parts.front()}});
      parts.erase(parts.begin());
    }
    std::string suffix;
    while (parts.size() > 1 && AsText({{parts.back()}})) {
      suffix.insert(0, *AsText({{parts.back()}}));
      parts.pop_back();
    }
    if (parts.size() != 1) {
      return Replace(where, "several calls make one value together", "remove");
    }
    Call(where, parts.front(), prefix, suffix);
  }

  void Fixed(const Where& where, const std::string& text, bool has_results) {
    if (text.find("@remove()") != std::string::npos) return Emit(where, "remove");
    if (text == "@keep()") return Emit(where, "keep");
    if (text == "@empty()") return Emit(where, "redact");
    if (text.starts_with("@blank(")) {
      Differs("blanks mean nothing in DICOM: the element is emptied");
      return Emit(where, "redact");
    }
    if (has_results) return NoResult(where);
    if (text.empty()) return Emit(where, "redact");
    const std::string with = "value: " + Quoted(text);
    Emit(where, "replace", with);
    if (always_) Add(where, with);
  }

  void NoResult(const Where& where) {
    Replace(where, "what stands beside @keep or @empty makes a text of it, which CTP writes",
            "remove");
  }

  // A code whose value is fixed.
  std::optional<std::string> AsText(const CtpCode& code) {
    std::string text;
    for (const CtpPart& part : code.parts) {
      if (!part.is_call) {
        text += part.text;
      } else if (part.text == "param") {
        text += Arg(part, 0);
      } else {
        return std::nullopt;
      }
    }
    return text;
  }

  void Add(const Where& where, const std::string& with) {
    if (target_.attribute == nullptr || IsVr(Vr::SQ)) return;
    out_.rules.push_back({where.when, "add", with, false});
    added_ = true;
  }

  // ---- One call ----------------------------------------------------------------------------

  void Call(const Where& where, const CtpPart& call, const std::string& prefix,
            const std::string& suffix) {
    const std::string& name = call.text;
    if (IsHash(name) && name != "hashdate") return Hash(where, call, prefix, suffix);
    if (!prefix.empty() || !suffix.empty()) {
      return Replace(where, "text beside @" + name + " has no translation", "remove");
    }
    if (name == "process") return Process(where);
    if (name == "require") return Require(where, call);
    if (name == "contents" || name == "value") return Contents(where, call);
    if (name == "truncate") return Truncate(where, call);
    if (name == "pathelement") return PathElement(where, call);
    if (name == "append") return Append(where, call);
    if (name == "lowercase" || name == "uppercase") return Case(where, call);
    if (name == "initials") {
      return Pseudonym(where, {}, 0, "initials tell people apart to those who know them");
    }
    if (name == "incrementdate") return IncrementDate(where, call);
    if (name == "hashdate") {
      Differs("the number of days comes from the key and Patient ID, not from an MD5");
      return Shift(where, "days: 3649, direction: past");
    }
    if (name == "dateinterval") {
      out_.replaced.emplace_back("@dateinterval counts from a date in a table that is not here");
      return Shift(where, {});
    }
    if (name == "modifydate") return ModifyDate(where, call);
    if (name == "round") return Round(where, call);
    if (name == "date" || name == "time") {
      return Replace(where, "@" + name + ": the time of the run would differ in each run", "dummy");
    }
    if (name == "lookup") {
      return Pseudonym(where, {}, 0,
                       "@lookup: the table is not in the script. To keep its answers write them to "
                       "a CSV file and use with: {table: FILE}");
    }
    if (name == "integer") {
      return Pseudonym(where, {}, 0, "@integer: serial numbers depend on the order of the files");
    }
    if (name == "encrypt" || name == "decrypt") {
      return Replace(where,
                     "@" + name +
                         ": another cipher; the action encrypt is keyed by the "
                         "rule set's key",
                     "remove");
    }
    Replace(where, "@" + name + " cannot be translated", "remove");
  }

  void Shift(const Where& where, std::string with) {
    if (Takes("date-shift")) return Emit(where, "date-shift", std::move(with));
    Replace(where, "only dates can be moved, and this is none", "redact");
  }

  // A pseudonym in place of `what` (empty: it is one itself).
  void Pseudonym(const Where& where, const std::string& prefix, int length,
                 const std::string& what) {
    const std::string action(PseudonymFor(Vrs()));
    std::string with;
    if (action == "pseudonym") {
      if (!prefix.empty()) with = "prefix: " + Quoted(prefix);
      if (length > 0) {
        with += (with.empty() ? "" : ", ");
        with += "length: " + std::to_string(std::clamp(length, 10, 32));
      }
    }
    if (action == "redact" && what.empty()) {
      return Replace(where, "a hash is not legal in this element", action);
    }
    if (what.empty()) return Emit(where, action, with);
    Replace(where, what, action, with);
  }

  void Hash(const Where& where, const CtpPart& call, const std::string& prefix,
            const std::string& suffix) {
    const std::string& name = call.text;
    const std::size_t element = name == "hashptid" || name == "hashuid" ? 1 : 0;
    if (element >= call.args.size()) {
      return Replace(where, "@" + name + ": too few arguments", "remove");
    }
    bool compatible = options_.compatible_hashes && Takes("ctp-hash");
    if (!IsThis(call, element)) {
      out_.replaced.push_back("@" + name + " of " + call.args[element] +
                              ": the new value is derived from the element's own");
      compatible = false;
    }
    if (name == "hashuid" && call.args.size() > 2) {
      out_.replaced.push_back(
          "@hashuid with a second element: the new UID is derived from the "
          "old one alone");
      compatible = false;
    }
    if (!suffix.empty()) {
      out_.replaced.emplace_back("the text behind the hash is left out");
      compatible = false;
    }
    const std::size_t at = name == "hashuid" ? call.args.size() : element + 1;
    int length = 0;
    if (at < call.args.size()) {
      const std::optional<int> number = ReadInt(Arg(call, at));
      if (!number || *number < 0) {
        return Replace(where, "@" + name + ": the length is no number", "remove");
      }
      length = *number;
    } else if (name == "hashname") {
      length = 4;
    }
    if (compatible) return CompatibleHash(where, call, prefix, length);
    if (options_.compatible_hashes) {
      Differs("this value does not agree with those given out before");
    } else if (name == "hashname") {
      Differs(
          "spellings of one name get different pseudonyms; CTP lets case, blanks and some "
          "signs pass");
    }
    Pseudonym(where, prefix, length, {});
  }

  void CompatibleHash(const Where& where, const CtpPart& call, const std::string& prefix,
                      int length) {
    const std::string& name = call.text;
    std::string with;
    if (name == "hash") with = "form: value";
    if (name == "hashname") {
      with = "form: name";
      if (call.args.size() > 2) {
        const std::optional<int> words = ReadInt(Arg(call, 2));
        if (!words || *words < 1) {
          return Replace(where, "@hashname: the number of words is no number", "remove");
        }
        with += ", words: " + std::to_string(*words);
      }
    }
    if (name == "hashptid") with = "form: patient, site: " + Quoted(Arg(call, 0));
    if (name == "hashuid") with = "form: uid, root: " + Quoted(Arg(call, 0));
    if (length > 0) with += ", length: " + std::to_string(std::min(length, 39));
    if (!prefix.empty()) with += ", prefix: " + Quoted(prefix);
    if (unresolved_) return Replace(where, "a parameter has no value", "remove");
    Emit(where, "ctp-hash", with);
  }

  void Process(const Where& where) {
    out_.opens_items = true;
    Emit(where, "keep");
  }

  void Require(const Where& where, const CtpPart& call) {
    Emit(where, "keep");
    if (call.args.size() == 2) {
      const std::string text = TextArg(call, 1);
      if (!text.empty()) Add(where, "value: " + Quoted(text));
      Differs("where the element is absent it gets the default, not the other element's value");
    } else {
      Differs("where the element is absent none is made");
      added_ = true;
    }
  }

  // What is not rejected has no such element, or what follows decides it.
  void Reject(const Where& where) {
    added_ = true;
    if (where.items_only || (script_.opens_items && !where.root_only)) {
      Say("instances are not rejected for an element in items of sequences; there it goes");
    }
    if (!where.items_only) {
      std::vector<std::string> all = where.all;
      if (!always_) all.push_back(Quoted(target_.path) + ": {exists: true}");
      out_.rejects.push_back(All(all));
    }
    Emit(where, "remove");
  }

  static std::string All(const std::vector<std::string>& conditions) {
    if (conditions.size() == 1) return conditions.front();
    std::string text = "all: [";
    for (const std::string& condition : conditions) {
      if (text.back() != '[') text += ", ";
      text += "{" + condition + "}";
    }
    return text + "]";
  }

  void Contents(const Where& where, const CtpPart& call) {
    if (!IsThis(call)) {
      return Replace(where, "the value of another element cannot be copied", "redact");
    }
    if (call.text == "value") {
      if (call.args.size() > 1) Differs("an empty element stays empty and gets no default");
      return Emit(where, "keep");
    }
    if (call.args.size() == 1) return Emit(where, "keep");
    if (call.args.size() > 3) return Emit(where, "redact");
    const std::string find = TextArg(call, 1);
    std::string replace = TextArg(call, 2);
    if (find.find("\\\\") != std::string::npos || replace.find('\\') != std::string::npos) {
      return Replace(where, "doubled backslashes may mean two things", "remove");
    }
    if (!MeansTheSameInRe2(find)) {
      return Replace(where, "RE2 does not know this regular expression", "remove");
    }
    // Java's $1 is \1 here.
    for (std::size_t i = 0; i < replace.size(); ++i) {
      if (replace[i] != '$') continue;
      if (i + 1 == replace.size() || replace[i + 1] < '0' || replace[i + 1] > '9') {
        return Replace(where, "the replacement names a group by a word", "remove");
      }
      replace[i] = '\\';
    }
    std::string with = "find: " + Quoted(find);
    if (!replace.empty()) with += ", replace: " + Quoted(replace);
    Edit(where, with);
  }

  void Edit(const Where& where, const std::string& with) {
    if (Takes("edit")) return Emit(where, "edit", with + ", joined: true");
    Replace(where, "the text of this element cannot be edited", "redact");
  }

  void Truncate(const Where& where, const CtpPart& call) {
    const std::optional<int> length = ReadInt(TextArg(call, 1));
    if (!IsThis(call) || !length) {
      return Replace(where, "@truncate of another element, or without a number", "redact");
    }
    if (*length == 0) return Emit(where, "redact");
    const int kept = std::abs(*length);
    if (kept > kLongestCut) return Replace(where, "@truncate keeps too much to say so", "redact");
    const std::string some = "(.{0," + std::to_string(kept) + "})";
    const std::string find = *length > 0 ? "(?s)^" + some + ".*$" : "(?s)^.*?" + some + "$";
    Edit(where, "find: " + Quoted(find) + ", replace: " + Quoted("\\1"));
  }

  // Where there is no such part the whole path stays. Nothing behind the last slash is no part.
  void PathElement(const Where& where, const CtpPart& call) {
    const std::optional<int> index = ReadInt(TextArg(call, 1));
    if (!IsThis(call) || !index || std::abs(*index) > kLongestCut) {
      return Replace(where, "@pathelement of another element, or without a number", "remove");
    }
    std::string find = "(?s)^";
    if (*index >= 0) {
      find += "(?:[^/]*/){" + std::to_string(*index) + "}([^/]*)(?:/.*)?$";
    } else if (*index == -1) {
      find += "(?:.*/)?([^/]+)/*$";
    } else {
      find += "(?:.*/)?([^/]*)(?:/[^/]*){" + std::to_string(-*index - 2) + "}/[^/]+/*$";
    }
    Edit(where, "find: " + Quoted(find) + ", replace: " + Quoted("\\1"));
  }

  void Append(const Where& where, const CtpPart& call) {
    const std::optional<std::string> text =
        call.branches.size() == 1 ? AsText(call.branches.front()) : std::nullopt;
    if (unresolved_) return Replace(where, "a parameter has no value", "remove");
    if (!text || text->find('@') != std::string::npos) {
      return Replace(where, "@append of what is no fixed text", "remove");
    }
    std::string replace = R"(\0\\)";
    for (const char c : *text) replace += c == '\\' ? R"(\\)" : std::string(1, c);
    if (Takes("edit")) Differs("an element without a value gets none");
    Edit(where, "find: " + Quoted("(?s)^.+$") + ", replace: " + Quoted(replace));
  }

  void Case(const Where& where, const CtpPart& call) {
    if (!IsThis(call)) {
      return Replace(where, "the value of another element cannot be copied", "redact");
    }
    // Code strings are in capitals.
    if (call.text != "uppercase" || !IsVr(Vr::CS)) Differs("the case stays as it is");
    Emit(where, "keep");
  }

  void IncrementDate(const Where& where, const CtpPart& call) {
    if (!IsThis(call)) {
      out_.replaced.emplace_back(
          "@incrementdate of another element: the element's own date is "
          "moved");
    }
    if (call.args.size() > 2) {
      out_.replaced.emplace_back("@incrementdate: the table of days is not in the script");
      return Shift(where, {});
    }
    const std::optional<int> days = ReadInt(Arg(call, 1));
    if (!days) {
      out_.replaced.emplace_back("@incrementdate: the number of days is no number");
      return Shift(where, {});
    }
    Differs(
        "each patient's dates move by a number of days that comes from the key; CTP moves all "
        "patients' by the same");
    Shift(where, DateShiftDays(*days));
  }

  void ModifyDate(const Where& where, const CtpPart& call) {
    if (!IsThis(call) || call.args.size() != 4 || !Takes("generalize")) {
      return Replace(where, "@modifydate of another element, or with other arguments", "redact");
    }
    const std::string year = Arg(call, 1);
    const std::string month = Arg(call, 2);
    const std::string day = Arg(call, 3);
    const auto is_first = [](const std::string& text) { return ReadInt(text) == 1; };
    if (year == "*" && is_first(day) && (month == "*" || is_first(month))) {
      Differs("the time behind a date goes");
      return Emit(where, "generalize", month == "*" ? "to: month" : "to: year");
    }
    const std::optional<int> y = ReadInt(year);
    const std::optional<int> m = ReadInt(month);
    const std::optional<int> d = ReadInt(day);
    if (y && m && d && *y >= 1 && *y <= 9999 && *m >= 1 && *m <= 12 && *d >= 1 && *d <= 31) {
      std::string date = std::to_string(*y * 10000 + *m * 100 + *d);
      date.insert(0, 8 - date.size(), '0');
      return Emit(where, "replace", "value: " + Quoted(date));
    }
    Replace(where, "@modifydate: these parts of a date cannot be set alone", "redact");
  }

  void Round(const Where& where, const CtpPart& call) {
    const std::optional<int> width = ReadInt(Arg(call, 1));
    if (!IsThis(call) || !width || *width < 1 || !Takes("generalize") || Takes("date-shift")) {
      return Replace(where, "@round of another element, or without a width", "redact");
    }
    Differs("ages and numbers go down to a multiple, and ages from 90 years on become 090Y");
    Emit(where, "generalize", "step: " + std::to_string(*width));
  }

  // ---- Branches ----------------------------------------------------------------------------

  void If(const Where& where, const CtpPart& call, const std::array<CtpCode, 2>& sides,
          bool quarantines) {
    const std::optional<Test> test = Ask(call);
    if (!test || unresolved_) {
      return Untranslatable(where, quarantines, "@if: the condition cannot be translated");
    }
    // Conditions are asked of the top level. There they do not know an item's own value; CTP asks
    // in items that it opens of the item alone.
    const bool own = IsThis(call);
    const bool splits = (own || script_.opens_items) && !where.root_only;
    Where fails = where;
    if (splits) fails.root_only = true;
    Where holds = fails;
    holds.when.push_back(test->holds);
    holds.all.push_back(test->holds);
    if (!splits || !where.items_only) {
      if (!test->doubtful.empty()) {
        Where doubtful = fails;
        doubtful.when.push_back(test->doubtful);
        doubtful.all.push_back(test->doubtful);
        Differs("an element that has not one number of at most nine digits goes");
        quarantines ? Reject(doubtful) : Emit(doubtful, "remove");
      }
      fails.all.push_back("not: {" + test->holds + "}");
      Translate(sides[0], holds);
      Translate(sides[1], fails);
    }
    if (!splits) return;
    Differs(own ? "in items of sequences the element goes, for its own value cannot be asked about"
                : "in items of sequences the element goes, for conditions ask about the top level");
    if (quarantines && script_.opens_items) {
      Say("instances are not rejected for an element in items of sequences; there it goes");
    }
    Emit(where, "remove");
  }

  struct Test {
    std::string holds;          ///< in flow style without braces
    std::string doubtful = {};  ///< the same: it may hold in CTP or not; empty: never
  };

  std::optional<Test> Ask(const CtpPart& call) {
    if (call.args.size() < 2) return std::nullopt;
    const std::string name = TextArg(call, 0);
    const std::optional<CtpTarget> named = ReadCtpElement(name);
    const CtpTarget* const element = name == "this" ? &target_ : named ? &*named : nullptr;
    if (element == nullptr || (element->tag && element->tag->group <= 0x0007)) return std::nullopt;
    const std::string head = Quoted(element->path) + ": ";
    const std::string& test = call.args[1];
    if (test == "exists") return Test{head + "{exists: true}"};
    const Attribute* const attribute = element->attribute;
    // What is binary, and what has items, has no text to be asked about.
    if (attribute != nullptr && !(attribute->vrs - kTexts).empty()) return std::nullopt;
    if (test == "isblank") return Test{"not: {" + head + "{matches: " + Quoted("\\S") + "}}"};
    if (call.args.size() < 3) return std::nullopt;
    std::string value = TextArg(call, 2);
    if (value.starts_with('@')) value = Resolve(value);
    // Several values are one text with backslashes there.
    const auto joined = [&head](const std::string& pattern) {
      return head + "{joined: " + Quoted(pattern) + "}";
    };
    if (test == "equals") {
      if (value.empty()) return Test{"not: {" + joined("\\S") + "}"};
      return Test{joined("(?i)^" + re2::RE2::QuoteMeta(value) + "$")};
    }
    if (test == "contains") return Test{joined("(?i)" + re2::RE2::QuoteMeta(value))};
    if (test == "matches" && value.find("\\\\") == std::string::npos && MeansTheSameInRe2(value)) {
      return Test{joined("^(?:" + Trimmed(value) + ")$")};
    }
    // CTP takes all digits together for the number, and one above 2^31 - 1 for 0.
    const std::string number = Digits(value);
    if (test == "greaterthan" && number.size() < 9 && attribute != nullptr) {
      return Test{joined(GreaterThan(number)), joined(R"(\d\D+\d|[1-9]\d{9})")};
    }
    return std::nullopt;
  }

  void Select(const Where& where, const std::array<CtpCode, 2>& sides) {
    Where root = where;
    root.root_only = true;
    if (!where.items_only) Translate(sides[0], root);
    Where items = where;
    items.items_only = true;
    if (!where.root_only) Translate(sides[1], items);
  }

  const CtpTarget& target_;
  const CtpScript& script_;
  const ImportOptions& options_;
  TranslatedRule out_;
  int branchings_ = 0;
  bool always_ = false;
  bool added_ = false;
  bool unresolved_ = false;
};

}  // namespace

std::optional<std::string> NearestCtpFunction(std::string_view word) {
  return NearestWord(word, kFunctions);
}

TranslatedRule TranslateCtpRule(const CtpEntry& entry, const CtpTarget& target,
                                const CtpScript& script, const ImportOptions& options) {
  return RuleTranslator(target, script, options).Run(entry.code);
}

}  // namespace dcmveil::rules
