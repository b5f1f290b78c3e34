// SPDX-License-Identifier: Apache-2.0
#include "cli/manual/definition.h"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <string_view>

#include "cli/footer.h"

namespace dcmveil::cli {
namespace {

using Takes = OptionText::Takes;

/// What the help calls values that are paths. A source or a sink may be a folder or a file.
Takes TakesOf(const std::string& value) {
  static const std::map<std::string_view, Takes> kPaths = {
      {"FILE", Takes::kFile},  {"RULES", Takes::kFile},    {"CERT", Takes::kFile},
      {"SINK", Takes::kFile},  {"SOURCE", Takes::kFile},   {"OUT", Takes::kFile},
      {"DIR", Takes::kFolder}, {"FOLDER", Takes::kFolder},
  };
  const auto it = kPaths.find(value);
  return it == kPaths.end() ? Takes::kText : it->second;
}

/// The members of "{a,b,c}", which is how CLI11 describes a set.
std::vector<std::string> Members(const std::string& set) {
  std::vector<std::string> members;
  std::istringstream words(set.substr(1, set.size() - 2));
  for (std::string word; std::getline(words, word, ',');) members.push_back(word);
  return members;
}

std::vector<std::string> LongNames(const std::set<CLI::Option*>& options) {
  std::vector<std::string> names;
  names.reserve(options.size());
  for (const CLI::Option* option : options) names.push_back("--" + option->get_lnames().at(0));
  std::sort(names.begin(), names.end());  // the set is in the order of addresses
  return names;
}

OptionText DescribeOption(const CLI::Option& option) {
  OptionText text;
  for (const std::string& name : option.get_snames()) text.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) text.names.push_back("--" + name);
  text.help = option.get_description();
  text.required = option.get_required();
  text.needs = LongNames(option.get_needs());
  text.excludes = LongNames(option.get_excludes());
  if (option.get_items_expected_max() == 0) return text;

  text.repeats = option.get_items_expected_max() > 1;
  // "NAME:LIMITS" if the value is checked.
  const std::string type = option.get_type_name();
  const std::size_t colon = type.find(':');
  text.value = type.substr(0, colon);
  if (option.get_positional() && text.value == "TEXT") text.value = option.get_single_name();
  if (text.value.ends_with("...")) text.value.resize(text.value.size() - 3);
  text.takes = TakesOf(text.value);
  if (colon == std::string::npos) return text;
  const std::string limits = type.substr(colon + 1);
  if (limits.starts_with('{') && limits.ends_with('}')) {
    text.takes = Takes::kChoice;
    text.choices = Members(limits);
  } else if (text.takes == Takes::kText) {
    text.limits = limits;  // that a path must exist, its help says
  }
  return text;
}

VerbText DescribeBelow(const CLI::App& app, const std::vector<std::string>& above) {
  VerbText text;
  text.path = above;
  text.path.push_back(app.get_name());
  text.summary = app.get_description();
  for (const CLI::Option* option : app.get_options()) {
    (option->get_positional() ? text.operands : text.options).push_back(DescribeOption(*option));
  }
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    text.verbs.push_back(DescribeBelow(*verb, text.path));
  }
  // See SetFooter.
  std::istringstream footer(app.get_footer());
  bool in_examples = false;
  for (std::string line; std::getline(footer, line);) {
    if (line == kExamplesTitle) {
      in_examples = true;
    } else if (line.empty()) {
      in_examples = false;
    } else if (in_examples) {
      text.examples.push_back(line.substr(line.find_first_not_of(' ')));
    } else {
      text.exit_status += line + "\n";
    }
  }
  return text;
}

}  // namespace

std::string VerbText::Name(const std::string& between) const {
  std::string name;
  for (const std::string& word : path) name += (name.empty() ? "" : between) + word;
  return name;
}

VerbText Describe(const CLI::App& command) { return DescribeBelow(command, {}); }

}  // namespace dcmveil::cli
