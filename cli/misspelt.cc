// SPDX-License-Identifier: Apache-2.0
#include "cli/misspelt.h"

#include <string_view>
#include <vector>

#include "engine/dictionary.h"

namespace dcmveil::cli {
namespace {

std::string Meant(std::string_view word, const std::vector<std::string>& choices,
                  const std::string& prefix) {
  const std::vector<std::string_view> views(choices.begin(), choices.end());
  const std::optional<std::string> nearest = NearestWord(word, views);
  return nearest ? "; did you mean " + prefix + *nearest + "?" : "";
}

std::string WrongVerb(const CLI::App& app, const std::string& word, const std::string& where) {
  std::vector<std::string> verbs;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    verbs.push_back(verb->get_name());
  }
  return word + ": no such verb" + where + Meant(word, verbs, "");
}

std::string WrongOption(const CLI::App& app, std::string word, const std::string& where) {
  word = word.substr(0, word.find('='));  // what follows is a value
  std::string message = word + ": no such option" + where;
  if (!word.starts_with("--")) return message;  // one letter is near to every other
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    names.insert(names.end(), option->get_lnames().begin(), option->get_lnames().end());
  }
  return message + Meant(word.substr(2), names, "--");
}

}  // namespace

std::optional<std::string> FindMisspelt(const CLI::App& command) {
  std::string path;
  for (const CLI::App* app = &command;;) {
    const std::string where = path.empty() ? "" : " of" + path;
    const std::vector<CLI::App*> chosen = app->get_subcommands();
    const bool lacks_verb = app->get_require_subcommand_min() > 0 && chosen.empty();
    for (const std::string& word : app->remaining()) {
      if (word.size() > 1 && word.starts_with('-')) return WrongOption(*app, word, where);
      if (lacks_verb) return WrongVerb(*app, word, where);
    }
    if (chosen.empty()) return std::nullopt;
    app = chosen.front();
    path += " " + app->get_name();
  }
}

}  // namespace dcmveil::cli
