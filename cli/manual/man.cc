// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <string_view>

#include "cli/footer.h"
#include "cli/manual/write.h"
#include "cli/version.h"

namespace dcmveil::cli {
namespace {

/// Text in roff: hyphens and quotes would be set as others, and a dot that begins a line is a
/// macro.
std::string Roff(std::string_view text) {
  std::string out;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && c == '.') out += "\\&";
    switch (c) {
      case '\\':
        out += "\\e";
        break;
      case '-':
        out += "\\-";
        break;
      case '\'':
        out += "\\(aq";
        break;
      case '`':
        out += "\\(ga";
        break;
      case '~':
        out += "\\(ti";
        break;
      case '^':
        out += "\\(ha";
        break;
      default:
        out += c;
    }
    line_begins = c == '\n';
  }
  return out;
}

std::string Bold(std::string_view text) { return "\\fB" + Roff(text) + "\\fR"; }
std::string Italic(std::string_view text) { return "\\fI" + Roff(text) + "\\fR"; }

std::string Upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

/// "-r, --rules RULES", or "FILE" for what has no name.
std::string Term(const OptionText& option) {
  std::string text;
  for (const std::string& name : option.names) text += (text.empty() ? "" : ", ") + Bold(name);
  if (!option.value.empty()) text += (text.empty() ? "" : " ") + Italic(option.value);
  if (option.repeats) text += "...";
  return text;
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + Bold(word);
  return text;
}

std::string Entry(const OptionText& option) {
  std::string text = ".TP\n" + Term(option) + "\n" + Roff(option.help) + ".\n";
  if (!option.choices.empty()) text += "One of " + Joined(option.choices) + ".\n";
  if (!option.limits.empty()) text += "The value is an " + Roff(option.limits) + ".\n";
  if (option.required) text += "Required.\n";
  if (!option.needs.empty()) text += "Needs " + Joined(option.needs) + ".\n";
  if (!option.excludes.empty()) text += "Not with " + Joined(option.excludes) + ".\n";
  return text;
}

std::string Usage(const VerbText& verb) {
  std::string text = Bold(verb.Name(" "));
  for (const OptionText& option : verb.options) {
    if (option.required) text += " " + Bold(option.names.front()) + " " + Italic(option.value);
  }
  text += " [" + Italic("OPTIONS") + "]";
  for (const OptionText& operand : verb.operands) {
    const std::string name = Term(operand);
    text += operand.required ? " " + name : " [" + name + "]";
  }
  if (!verb.verbs.empty()) text += " " + Italic("VERB") + " ...";
  return text;
}

std::string Entries(const VerbText& verb) {
  std::string text;
  for (const OptionText& operand : verb.operands) text += Entry(operand);
  for (const OptionText& option : verb.options) text += Entry(option);
  return text;
}

}  // namespace

std::string ManPage(const VerbText& command, const VerbText& verb) {
  const bool whole = &command == &verb;
  std::string text = ".\\\" Written by write_manual from the definition of the command.\n.TH " +
                     Upper(verb.Name("-")) + " 1 \"\" \"" + VersionLine() + "\" \"" +
                     command.path.front() + "\"\n";
  text += ".SH NAME\n" + Roff(verb.Name("-")) + " \\- " + Roff(verb.summary) + "\n";
  text += ".SH SYNOPSIS\n" + Usage(verb) + "\n";
  if (!whole) {
    for (const VerbText& below : verb.verbs) text += ".br\n" + Usage(below) + "\n";
  }
  text += ".SH DESCRIPTION\n" + Roff(verb.summary) + ".\n";
  text += ".SH OPTIONS\n" + Entries(verb);
  if (whole) {
    text += ".SH VERBS\n";
    for (const VerbText& below : verb.verbs) {
      text += ".TP\n" + Bold(below.path.back()) + "\n" + Roff(below.summary) + ". See " +
              Bold(below.Name("-")) + "(1).\n";
    }
  } else {
    for (const VerbText& below : verb.verbs) {
      text += ".SH " + Upper(Roff(below.Name(" "))) + "\n" + Roff(below.summary) + ".\n" +
              Entries(below);
    }
  }
  text += ".SH EXAMPLES\n.EX\n";
  for (const std::string& example : verb.examples) text += Roff(example) + "\n";
  // The section's title says what the text begins with.
  const std::size_t title = std::string_view(kExitStatusTitle).size();
  const std::size_t begin = verb.exit_status.find_first_not_of(":, ", title);
  text += ".EE\n.SH EXIT STATUS\n" + Roff(verb.exit_status.substr(begin));
  text += ".SH SEE ALSO\n";
  std::string others;
  for (const VerbText& other : command.verbs) {
    if (&other != &verb) others += (others.empty() ? "" : ",\n") + Bold(other.Name("-")) + "(1)";
  }
  if (!whole) others = Bold(command.path.front()) + "(1),\n" + others;
  return text + others + "\n";
}

}  // namespace dcmveil::cli
