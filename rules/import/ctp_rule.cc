// SPDX-License-Identifier: Apache-2.0
#include "rules/import/ctp_rule.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <variant>

#include "engine/action.h"
#include "rules/import/ctp_code.h"
#include "rules/import/fitting.h"
#include "rules/import/rule_file.h"
#include "rules/selector.h"

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

/// More than the longest element that a rule can mean, and within RE2's limit of repetitions.
constexpr int kLongestCut = 1000;

class RuleTranslator {
 public:
  RuleTranslator(const CtpTarget& target, const CtpScript& script, const ImportOptions& options)
      : target_(target), script_(script), options_(options) {}

  TranslatedRule Run(const std::string& text) {
    std::variant<CtpCode, std::string> parsed = ParseCtpCode(text);
    if (const auto* problem = std::get_if<std::string>(&parsed)) {
      out_.syntax_problem = *problem;
      Replace({}, *problem, "remove");
      return std::move(out_);
    }
    auto& code = std::get<CtpCode>(parsed);
    std::vector<CtpPart>& parts = code.parts;
    const auto is_always = [](const CtpPart& part) {
      return part.is_call && part.text == "always";
    };
    always_ = std::any_of(parts.begin(), parts.end(), is_always);
    parts.erase(std::remove_if(parts.begin(), parts.end(), is_always), parts.end());
    Translate(code, {});
    if (always_ && !added_) {
      out_.differs.push_back(
          "where the element is absent none is made, for its value is not fixed");
    }
    return std::move(out_);
  }

 private:
  struct Where {
    std::vector<std::string> when;
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
    // "$1" is a group of a replacement.
    const bool named = arg.size() > 1 && (arg.front() == '@' || arg.front() == '$') &&
                       !(arg[1] >= '0' && arg[1] <= '9') &&
                       arg.find_first_of(" @$\\", 1) == std::string::npos;
    if (!named) return arg;
    const auto it = script_.params.find(std::string_view(arg).substr(1));
    if (it != script_.params.end()) return it->second;
    Unresolved(arg);
    return {};
  }

  void Unresolved(const std::string& arg) {
    const std::string text = "the parameter " + arg + " is not in the script";
    if (std::find(out_.replaced.begin(), out_.replaced.end(), text) == out_.replaced.end()) {
      out_.replaced.push_back(text);
    }
    unresolved_ = true;
  }

  std::string Arg(const CtpPart& call, std::size_t i) {
    return i < call.args.size() ? Resolve(call.args[i]) : std::string();
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
    for (const CtpPart& part : code.parts) {
      if (part.is_call && !IsFunction(part.text)) {
        out_.unknown_function = part.text;
        return Replace(where, "@" + part.text + ": CTP has no such function and writes its text",
                       "remove");
      }
      if (part.is_call && IsHash(part.text)) out_.uses_hash = true;
    }
    // A result anywhere in the text is the result of all.
    for (const std::string_view result : {"remove", "keep", "empty"}) {
      for (const CtpPart& part : code.parts) {
        if (part.is_call && part.text == result) {
          return Emit(where, result == "empty" ? "redact" : std::string(result));
        }
      }
    }
    if (std::optional<std::string> text = AsText(code)) return Text(where, *text);
    std::vector<CtpPart> parts = code.parts;
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
    if (unresolved_) return Replace(where, "a parameter has no value", "remove");
    if (parts.size() != 1) {
      return Replace(where, "several calls make one value together", "remove");
    }
    Call(where, parts.front(), prefix, suffix);
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

  void Text(const Where& where, const std::string& text) {
    if (unresolved_) return Replace(where, "a parameter has no value", "remove");
    if (text.empty()) return Emit(where, "redact");
    const std::string with = "value: " + Quoted(text);
    Emit(where, "replace", with);
    if (always_) Add(where, with);
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
    if (name == "if") return If(where, call);
    if (name == "select") return Select(where, call);
    if (name == "process") return Process(where);
    if (name == "blank") {
      Differs("blanks mean nothing in DICOM: the element is emptied");
      return Emit(where, "redact");
    }
    if (name == "require") return Require(where, call);
    if (name == "quarantine") return Reject(where, false);
    if (name == "skip") return Reject(where, true);
    if (name == "contents" || name == "value") return Contents(where, call);
    if (name == "truncate") return Truncate(where, call);
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
      const std::string text = Arg(call, 1);
      if (unresolved_) return;
      if (!text.empty()) Add(where, "value: " + Quoted(text));
      Differs("where the element is absent it gets the default, not the other element's value");
    } else {
      Differs("where the element is absent none is made");
      added_ = true;
    }
  }

  void Reject(const Where& where, bool skip) {
    if (skip) {
      out_.replaced.emplace_back(
          "@skip would pass the instance on as it is; the instance is rejected");
    }
    std::vector<std::string> all = where.when;
    if (!always_) all.push_back(Quoted(target_.path) + ": {exists: true}");
    out_.rejects.push_back(All(all));
    // Instances that are not rejected have no such element, or it is decided by what follows.
    added_ = true;
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
    const std::string find = Arg(call, 1);
    std::string replace = Arg(call, 2);
    if (unresolved_) return Replace(where, "a parameter has no value", "remove");
    if (find.find("\\\\") != std::string::npos || replace.find('\\') != std::string::npos) {
      return Replace(where, "doubled backslashes may mean two things", "remove");
    }
    // Java's $1 is \1 here.
    for (std::size_t i = 0; i + 1 < replace.size(); ++i) {
      if (replace[i] != '$') continue;
      if (replace[i + 1] < '0' || replace[i + 1] > '9') {
        return Replace(where, "the replacement names a group by a word", "remove");
      }
      replace[i] = '\\';
    }
    std::string with = "find: " + Quoted(find);
    if (!replace.empty()) with += ", replace: " + Quoted(replace);
    Edit(where, with);
  }

  void Edit(const Where& where, const std::string& with) {
    if (Takes("edit")) return Emit(where, "edit", with);
    Replace(where, "text cannot be cut out of this element", "redact");
  }

  void Truncate(const Where& where, const CtpPart& call) {
    const std::optional<int> length = ReadInt(Arg(call, 1));
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

  void Case(const Where& where, const CtpPart& call) {
    // Code strings are in capitals.
    if (call.text == "uppercase" && IsThis(call) && IsVr(Vr::CS)) return Emit(where, "keep");
    Replace(where, "@" + call.text + ": no action changes the case", "redact");
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

  void If(const Where& where, const CtpPart& call) {
    const std::optional<std::string> condition = Condition(call);
    if (!condition || unresolved_) {
      return Replace(where, "@if: the condition cannot be translated", "remove");
    }
    // Conditions are asked of the top level: they do not know an item's own value.
    const bool own = IsThis(call) && !where.root_only;
    Where fails = where;
    if (own) fails.root_only = true;
    Where holds = fails;
    holds.when.push_back(*condition);
    if (!own || !where.items_only) {
      Translate(call.branches.empty() ? CtpCode{} : call.branches[0], holds);
      Translate(call.branches.size() < 2 ? CtpCode{} : call.branches[1], fails);
    }
    if (own) {
      Differs("in items of sequences the element goes, for its own value cannot be asked about");
      Emit(where, "remove");
    }
  }

  std::optional<std::string> Condition(const CtpPart& call) {
    if (call.args.size() < 2) return std::nullopt;
    const std::optional<std::string> path = PathOf(call.args[0]);
    if (!path) return std::nullopt;
    const std::string head = Quoted(*path) + ": ";
    const std::string& test = call.args[1];
    if (test == "exists") return head + "{exists: true}";
    if (test == "isblank") return "not: {" + head + "{matches: " + Quoted("\\S") + "}}";
    if (call.args.size() < 3) return std::nullopt;
    const std::string value = Arg(call, 2);
    // Several values are one text with backslashes there.
    const auto joined = [&head](const std::string& pattern) {
      return head + "{joined: " + Quoted(pattern) + "}";
    };
    if (test == "equals") {
      if (value.empty()) return "not: {" + joined("\\S") + "}";
      return joined("(?i)^" + re2::RE2::QuoteMeta(value) + "$");
    }
    if (test == "contains") return joined("(?i)" + re2::RE2::QuoteMeta(value));
    if (test == "matches" && value.find("\\\\") == std::string::npos) {
      return joined("^(?:" + value + ")$");
    }
    const std::optional<int> number = ReadInt(value);
    const std::optional<CtpTarget> about = ReadCtpElement(call.args[0]);
    const CtpTarget* const element = call.args[0] == "this" ? &target_ : about ? &*about : nullptr;
    const bool whole =
        element != nullptr && element->attribute != nullptr &&
        (element->attribute->vrs == VrSet(Vr::IS) || element->attribute->vrs == VrSet(Vr::US) ||
         element->attribute->vrs == VrSet(Vr::UL));
    if (test == "greaterthan" && number && *number >= 0 && *number < 1000000000 && whole) {
      return head + "{min: " + std::to_string(*number + 1) + "}";
    }
    return std::nullopt;
  }

  std::optional<std::string> PathOf(std::string_view text) const {
    return text == "this" ? target_.path : ReadCtpPath(text);
  }

  void Select(const Where& where, const CtpPart& call) {
    if (call.branches.size() != 2) {
      return Replace(where, "@select without its two branches", "remove");
    }
    Where root = where;
    root.root_only = true;
    Translate(call.branches[0], root);
    Where items = where;
    items.items_only = true;
    Translate(call.branches[1], items);
  }

  const CtpTarget& target_;
  const CtpScript& script_;
  const ImportOptions& options_;
  TranslatedRule out_;
  bool always_ = false;
  bool added_ = false;
  bool unresolved_ = false;
};

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

std::string Capitals(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

std::optional<CtpTarget> PrivateTarget(std::string_view text) {
  const std::size_t open = text.find('[');
  const std::size_t close = text.rfind(']');
  if (open != 4 || close == std::string_view::npos || close < open + 2) return std::nullopt;
  const std::string group = Capitals(text.substr(0, 4));
  const std::string_view creator = text.substr(5, close - 5);
  const std::string low = Capitals(text.substr(close + 1));
  if (!IsHex(group) || low.size() != 2 || !IsHex(low)) return std::nullopt;
  CtpTarget target;
  target.creator = creator;
  target.path = group + "{" + std::string(creator) + "}" + low;
  target.selector =
      "private: {creator: " + Quoted(creator) + ", tag: \"(" + group + ",xx" + low + ")\"}";
  return target;
}

}  // namespace

std::optional<CtpTarget> ReadCtpTarget(std::string_view text) {
  if (text.find('[') != std::string_view::npos) return PrivateTarget(text);
  CtpTarget target;
  if (text.size() == 8 && IsHex(text)) {
    std::uint32_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number, 16);
    target.tag = Tag(static_cast<std::uint16_t>(number >> 16U),
                     static_cast<std::uint16_t>(number & 0xFFFFU));
    target.attribute = FindAttribute(*target.tag);
    // A repeating group's keyword would mean all of its groups.
    if (target.attribute != nullptr && target.attribute->mask != 0xFFFFFFFFU) {
      target.path = "(" + Capitals(text.substr(0, 4)) + "," + Capitals(text.substr(4)) + ")";
      target.selector = "tag: " + Quoted(target.path);
      return target;
    }
  } else {
    target.attribute = FindKeyword(text);
    if (target.attribute == nullptr) return std::nullopt;
    target.tag = target.attribute->tag;
  }
  if (target.attribute != nullptr) {
    target.path = std::string(target.attribute->keyword);
    target.selector = "tag: " + target.path;
  } else {
    target.path = "(" + Capitals(text.substr(0, 4)) + "," + Capitals(text.substr(4)) + ")";
    target.selector = "tag: " + Quoted(target.path);
  }
  return target;
}

std::optional<CtpTarget> ReadCtpElement(std::string_view text) {
  std::string plain;
  const bool round = text.starts_with('(') && text.ends_with(')');
  const bool square = text.starts_with('[') && text.ends_with(']');
  if (text.size() > 1 && (round || square)) text = text.substr(1, text.size() - 2);
  if (text.size() == 9 && text[4] == ',') {
    plain = std::string(text.substr(0, 4)) + std::string(text.substr(5));
    text = plain;
  }
  return ReadCtpTarget(text);
}

std::optional<std::string> ReadCtpPath(std::string_view text) {
  std::string path;
  while (true) {
    const std::size_t end = text.find("::");
    const std::optional<CtpTarget> step = ReadCtpElement(text.substr(0, end));
    if (!step) return std::nullopt;
    path += (path.empty() ? "" : "/") + step->path;
    if (end == std::string_view::npos) return path;
    text.remove_prefix(end + 2);
  }
}

std::optional<std::string> NearestCtpFunction(std::string_view word) {
  return NearestWord(word, kFunctions);
}

TranslatedRule TranslateCtpRule(const CtpEntry& entry, const CtpTarget& target,
                                const CtpScript& script, const ImportOptions& options) {
  return RuleTranslator(target, script, options).Run(entry.code);
}

}  // namespace dcmveil::rules
