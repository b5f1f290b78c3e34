// SPDX-License-Identifier: Apache-2.0
#include <string_view>

#include "cli/manual/write.h"

namespace dcmveil::cli {
namespace {

using Takes = OptionText::Takes;

/// Text between single quotes, in which `special` characters lose their meaning.
std::string Quoted(std::string_view text, std::string_view special) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
      continue;
    }
    if (special.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

/// ":what it is:how to complete it", or nothing for a flag.
std::string Value(const OptionText& option) {
  const std::string name = ":" + Quoted(option.value, ":\\") + ":";
  switch (option.takes) {
    case Takes::kNothing:
      return "";
    case Takes::kText:
      return name;
    case Takes::kFile:
      return name + "_files";
    case Takes::kFolder:
      return name + "_path_files -/";  // _files would offer files if no folder fits
    case Takes::kChoice:
      break;
  }
  std::string words;
  for (const std::string& word : option.choices) words += (words.empty() ? "" : " ") + word;
  return name + "(" + words + ")";
}

std::string Arguments(const VerbText& verb) {
  std::string text;
  for (const OptionText& option : verb.options) {
    // Given once, none of its names is offered again.
    std::string names;
    for (const std::string& name : option.names) names += (names.empty() ? "" : " ") + name;
    const std::string once = option.repeats ? "*" : "(" + names + ")";
    for (const std::string& name : option.names) {
      const bool is_long = name.starts_with("--");
      const char* joins = option.takes == Takes::kNothing ? "" : is_long ? "=" : "+";
      text += " \\\n    '" + once + name + joins + "[" + Quoted(option.help, "[]\\") + "]" +
              Value(option) + "'";
    }
  }
  for (const OptionText& operand : verb.operands) {
    text += std::string(" \\\n    '") + (operand.repeats ? "*" : "1") + Value(operand) + "'";
  }
  return text;
}

std::string Function(const VerbText& verb) {
  const std::string name = "_" + verb.Name("_");
  std::string text;
  if (verb.verbs.empty()) {
    return name + "() {\n  _arguments -s -S :" + Arguments(verb) + "\n}\n\n";
  }
  for (const VerbText& below : verb.verbs) text += Function(below);
  text += name + "_verbs() {\n  local -a verbs=(";
  for (const VerbText& below : verb.verbs) {
    text += "\n    '" + below.path.back() + ":" + Quoted(below.summary, ":\\") + "'";
  }
  text +=
      "\n  )\n  _describe -t verbs verb verbs\n}\n\n" + name +
      "() {\n  local curcontext=$curcontext state line\n  _arguments -C -s -S :" + Arguments(verb) +
      " \\\n    '1: :" + name +
      "_verbs' \\\n    '*:: :->below'\n  [[ $state == below ]] || return\n  case $line[1] in\n";
  for (const VerbText& below : verb.verbs) {
    text += "    " + below.path.back() + ") _" + below.Name("_") + " ;;\n";
  }
  return text + "  esac\n}\n\n";
}

}  // namespace

std::string ZshCompletion(const VerbText& command) {
  return "#compdef dcmveil\n"
         "# Completion of dcmveil for zsh; written by write_manual from the command's "
         "definition.\n\n" +
         Function(command) +
         "# zsh loads this file as the function when it is first wanted; it may also be sourced.\n"
         "if [[ $funcstack[1] == _dcmveil ]]; then\n  _dcmveil \"$@\"\nelse\n"
         "  compdef _dcmveil dcmveil\nfi\n";
}

}  // namespace dcmveil::cli
