// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.h"

#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace dcmveil::cli {

std::string WithCommas(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

std::string Bytes(double bytes) {
  constexpr std::array<const char*, 6> kUnits = {"B", "kB", "MB", "GB", "TB", "PB"};
  std::size_t unit = 0;
  while (bytes >= 999.5 && unit + 1 < kUnits.size()) {
    bytes /= 1000;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 || bytes >= 100 ? "%.0f %s" : "%.1f %s", bytes,
                kUnits.at(unit));
  return text.data();
}

std::string Duration(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::lround(std::max(0.0, seconds)));
  std::array<char, 48> text{};
  if (whole >= 3600) {
    std::snprintf(text.data(), text.size(), "%llu:%02llu:%02llu",
                  static_cast<unsigned long long>(whole / 3600),
                  static_cast<unsigned long long>(whole / 60 % 60),
                  static_cast<unsigned long long>(whole % 60));
  } else {
    std::snprintf(text.data(), text.size(), "%llu:%02llu",
                  static_cast<unsigned long long>(whole / 60),
                  static_cast<unsigned long long>(whole % 60));
  }
  return text.data();
}

Style::Style(int descriptor)
    : terminal_(::isatty(descriptor) != 0),
      colour_(terminal_ && std::getenv("NO_COLOR") == nullptr) {}

std::string Style::Wrap(std::string_view code, std::string_view text) const {
  if (!colour_) return std::string(text);
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

void PrintEarlierRules(const std::vector<RuleSetOutputs>& rule_sets) {
  for (std::size_t i = 1; i < rule_sets.size(); ++i) {
    constexpr std::size_t kEnough = 12;
    const RuleSetOutputs& earlier = rule_sets[i];
    std::printf("  %8s  outputs were made by earlier rules (%s…%s) and stand as those left them\n",
                WithCommas(earlier.outputs).c_str(), earlier.rules_hash.substr(0, kEnough).c_str(),
                earlier.edition.empty() ? "" : (", " + earlier.edition).c_str());
  }
  if (!rule_sets.empty()) {
    std::printf("            to make them by these rules, give a new output folder\n");
  }
}

void Print(const std::vector<Diagnostic>& diagnostics) {
  const Style style(STDERR_FILENO);
  for (const Diagnostic& diagnostic : diagnostics) {
    const std::string text = ToString(diagnostic);
    switch (diagnostic.severity) {
      case Diagnostic::Severity::kError:
        std::fprintf(stderr, "%s\n", style.Red(text).c_str());
        break;
      case Diagnostic::Severity::kWarning:
        std::fprintf(stderr, "%s\n", style.Yellow(text).c_str());
        break;
      case Diagnostic::Severity::kNote:
        std::fprintf(stderr, "%s\n", text.c_str());
        break;
    }
  }
}

}  // namespace dcmveil::cli
