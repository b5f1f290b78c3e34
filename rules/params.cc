// SPDX-License-Identifier: Apache-2.0
#include "rules/params.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/dictionary.h"

namespace dcmveil::rules {
namespace {

using engine::ActionSpec;
using engine::Params;
using engine::ParamSpec;
using engine::ParamType;

constexpr double kUnlimited = 1e299;

std::string Print(double number) {
  std::ostringstream out;
  out.precision(15);
  out << number;
  return out.str();
}

std::string Join(const std::vector<std::string_view>& words) {
  std::string text;
  for (const std::string_view word : words) {
    if (!text.empty()) text += ", ";
    text += word;
  }
  return text;
}

std::string RangeOf(const ParamSpec& param) {
  if (param.min <= -kUnlimited) return "at most " + Print(param.max);
  if (param.max >= kUnlimited) return "at least " + Print(param.min);
  return "from " + Print(param.min) + " to " + Print(param.max);
}

std::optional<std::int64_t> ParseInteger(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Nothing if the text is no such value; its message is then that of the type.
struct Converted {
  std::optional<Params::Value> value;
  std::string problem;
  std::string hint;
};

Converted Convert(const ParamSpec& param, const ParamText& written) {
  const std::string& text = written.text;
  switch (param.type) {
    case ParamType::kText:
      return {text, {}, {}};
    case ParamType::kFile: {
      if (text.empty()) return {std::nullopt, "must name a file", {}};
      const std::filesystem::path path(text);
      if (path.is_absolute() || written.place.file == nullptr) return {text, {}, {}};
      return {(written.place.file->folder / path).string(), {}, {}};
    }
    case ParamType::kBoolean:
      if (text == "true") return {true, {}, {}};
      if (text == "false") return {false, {}, {}};
      return {std::nullopt, "must be true or false",
              "yes, no, on and off mean different things to different YAML readers"};
    case ParamType::kChoice: {
      if (std::find(param.choices.begin(), param.choices.end(), text) != param.choices.end()) {
        return {text, {}, {}};
      }
      const auto nearest = NearestWord(text, param.choices);
      return {std::nullopt, "must be one of " + Join(param.choices),
              nearest ? DidYouMean(*nearest) : std::string()};
    }
    case ParamType::kInteger: {
      const std::optional<std::int64_t> number = ParseInteger(text);
      if (!number) return {std::nullopt, "must be a whole number", {}};
      const auto real = static_cast<double>(*number);
      if (real < param.min || real > param.max) {
        return {std::nullopt, "must be " + RangeOf(param), {}};
      }
      return {*number, {}, {}};
    }
    case ParamType::kNumber: {
      const std::optional<double> number = ParseNumber(text);
      if (!number) return {std::nullopt, "must be a number", {}};
      if (*number < param.min || *number > param.max) {
        return {std::nullopt, "must be " + RangeOf(param), {}};
      }
      return {*number, {}, {}};
    }
  }
  return {std::nullopt, "has an unknown type", {}};
}

std::vector<std::string_view> NamesOf(const ActionSpec& spec) {
  std::vector<std::string_view> names;
  for (const ParamSpec& param : spec.params) names.push_back(param.name);
  return names;
}

}  // namespace

const ParamSpec* FindParam(const ActionSpec& spec, std::string_view name) {
  const auto it = std::find_if(spec.params.begin(), spec.params.end(),
                               [name](const ParamSpec& param) { return param.name == name; });
  return it == spec.params.end() ? nullptr : &*it;
}

ParamTexts ReadParams(const ActionSpec& spec, const Node& map, Diagnostics& diagnostics) {
  ParamTexts params;
  if (!map.is_map()) {
    diagnostics.Error(map.place,
                      "the parameters of " + std::string(spec.name) + " must be a mapping");
    return params;
  }
  const std::vector<std::string_view> names = NamesOf(spec);
  for (const auto& [key, value] : map.entries) {
    const ParamSpec* param = FindParam(spec, key.text);
    if (param == nullptr) {
      const auto nearest = NearestWord(key.text, names);
      std::string hint = nearest ? DidYouMean(*nearest) : std::string();
      if (!nearest) hint = names.empty() ? "it has none" : "it has " + Join(names);
      diagnostics.Error(key.place, key.text + ": no such parameter of " + std::string(spec.name),
                        std::move(hint));
      continue;
    }
    std::optional<std::string> text = ReadText(value, key.text, diagnostics);
    if (!text) continue;
    ParamText written{std::move(*text), value.place};
    if (!CheckParam(*param, written, diagnostics)) continue;
    params.insert_or_assign(key.text, std::move(written));
  }
  return params;
}

std::optional<Params::Value> CheckParam(const ParamSpec& param, const ParamText& value,
                                        Diagnostics& diagnostics) {
  Converted converted = Convert(param, value);
  if (!converted.value) {
    diagnostics.Error(value.place, std::string(param.name) + ": " + converted.problem,
                      std::move(converted.hint));
  }
  return std::move(converted.value);
}

std::optional<Params> MergeParams(const ActionSpec& spec, const ParamTexts& settings,
                                  const ParamTexts& with, const Place& place,
                                  Diagnostics& diagnostics) {
  Params params;
  bool complete = true;
  for (const ParamSpec& param : spec.params) {
    const ParamText* written = nullptr;
    if (const auto it = settings.find(param.name); it != settings.end()) written = &it->second;
    if (const auto it = with.find(param.name); it != with.end()) written = &it->second;
    ParamText fallback;
    if (written == nullptr) {
      if (!param.default_value) {
        if (param.optional) continue;
        diagnostics.Error(place, std::string(spec.name) + " needs " + std::string(param.name),
                          std::string(param.name) + ": " + std::string(param.summary));
        complete = false;
        continue;
      }
      fallback = {std::string(*param.default_value), {}};
      written = &fallback;
    }
    std::optional<Params::Value> value = CheckParam(param, *written, diagnostics);
    if (value) {
      params.Set(std::string(param.name), std::move(*value));
    } else {
      complete = false;
    }
  }
  if (!complete) return std::nullopt;
  return params;
}

}  // namespace dcmveil::rules
