// SPDX-License-Identifier: Apache-2.0
#include "cli/manual/write.h"

namespace dcmveil::cli {
namespace {

using Takes = OptionText::Takes;

std::string Spaced(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

/// What the completion below calls it: file, folder, text, or the words to choose from.
std::string TakesText(const OptionText& option) {
  switch (option.takes) {
    case Takes::kNothing:
      break;
    case Takes::kText:
      return "text";
    case Takes::kFile:
      return "file";
    case Takes::kFolder:
      return "folder";
    case Takes::kChoice:
      return "words " + Spaced(option.choices);
  }
  return "";
}

std::string WordsOf(const VerbText& verb) {
  std::vector<std::string> verbs;
  for (const VerbText& below : verb.verbs) verbs.push_back(below.path.back());
  std::vector<std::string> options;
  for (const OptionText& option : verb.options) {
    options.insert(options.end(), option.names.begin(), option.names.end());
  }
  std::string text = "    '" + verb.Name(" ") + "')\n      verbs='" + Spaced(verbs) +
                     "'\n      options='" + Spaced(options) + "'\n      operand='" +
                     (verb.operands.empty() ? "" : TakesText(verb.operands.front())) +
                     "'\n      ;;\n";
  for (const VerbText& below : verb.verbs) text += WordsOf(below);
  return text;
}

std::string TakesOfOptions(const VerbText& verb) {
  std::string text;
  for (const OptionText& option : verb.options) {
    if (option.takes == Takes::kNothing) continue;
    std::string names;
    for (const std::string& name : option.names) {
      names += (names.empty() ? "'" : " | '") + verb.Name(" ") + " " + name + "'";
    }
    text += "    " + names + ") takes='" + TakesText(option) + "' ;;\n";
  }
  for (const VerbText& below : verb.verbs) text += TakesOfOptions(below);
  return text;
}

constexpr const char* kFunction = R"(_dcmveil() {
  local cur=${COMP_WORDS[COMP_CWORD]} path=dcmveil expected='' takes='' verbs options operand word i
  COMPREPLY=()
  _dcmveil_words "$path"
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ $word == '=' ]]; then
      continue  # bash takes --name=value as three words
    elif [[ -n $expected ]]; then
      expected=''
    elif [[ $word == -* ]]; then
      _dcmveil_takes "$path $word"
      expected=$takes
    elif [[ " $verbs " == *" $word "* ]]; then
      path+=" $word"
      _dcmveil_words "$path"
    fi
  done
  [[ $cur == '=' ]] && cur=''
  if [[ -z $expected ]]; then
    if [[ $cur == -* || -z $verbs$operand ]]; then
      expected="words $options"
    elif [[ -n $verbs ]]; then
      expected="words $verbs"
    else
      expected=$operand
    fi
  fi
  case $expected in
    file) compopt -o default ;;  # readline's own, which knows ~ and quotes
    folder) compopt -o dirnames ;;
    words\ *) COMPREPLY=($(compgen -W "${expected#words }" -- "$cur")) ;;
  esac
} &&
  complete -F _dcmveil dcmveil
)";

}  // namespace

std::string BashCompletion(const VerbText& command) {
  return "# Completion of dcmveil for bash; written by write_manual from the command's "
         "definition.\n\n"
         "# What can follow the verb $1.\n_dcmveil_words() {\n  case $1 in\n" +
         WordsOf(command) +
         "  esac\n}\n\n"
         "# What the value of $1, a verb and its option, is; nothing for a flag.\n"
         "_dcmveil_takes() {\n  takes=''\n  case $1 in\n" +
         TakesOfOptions(command) + "  esac\n}\n\n" + kFunction;
}

}  // namespace dcmveil::cli
