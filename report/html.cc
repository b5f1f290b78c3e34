// SPDX-License-Identifier: Apache-2.0
#include "report/html.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <utility>

namespace dcmveil::report {
namespace {

/// One character of UTF-8 at `at`, which moves behind it; U+FFFD, one byte further, if there is
/// none.
char32_t Next(std::string_view text, std::size_t& at) {
  constexpr char32_t kBad = 0xFFFD;
  const auto byte = [&text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned first = byte(at);
  const std::size_t size = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (size == 1) {
    ++at;
    return first;
  }
  char32_t code = first & (0xFFU >> (size + 1));
  bool sound = first >= 0xC2 && first <= 0xF4;
  for (std::size_t i = 1; sound && i < size; ++i) {
    sound = (byte(at + i) & 0xC0U) == 0x80U;
    code = code << 6U | (byte(at + i) & 0x3FU);
  }
  const std::array<char32_t, 5> least = {0, 0, 0x80, 0x800, 0x10000};
  sound = sound && code >= least[size] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
  at += sound ? size : 1;
  return sound ? code : kBad;
}

bool IsUnseen(char32_t code) {
  return (code >= 0x7F && code <= 0x9F) || code == 0xAD || code == 0x61C || code == 0x180E ||
         (code >= 0x200B && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF ||
         (code >= 0xFFF9 && code <= 0xFFFB) || (code >= 0xE0000 && code <= 0xE0FFF);
}

std::string Print(const char* format, auto... arguments) {
  std::array<char, 64> buffer{};
  const int size = std::snprintf(buffer.data(), buffer.size(), format, arguments...);
  return {buffer.data(), static_cast<std::size_t>(size)};
}

}  // namespace

std::string Escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    const char32_t code = Next(text, at);
    if (code == '&') {
      out += "&amp;";
    } else if (code == '<') {
      out += "&lt;";
    } else if (code == '>') {
      out += "&gt;";
    } else if (code == '"') {
      out += "&quot;";
    } else if (code == '\'') {
      out += "&#39;";
    } else if (code == '\r' && at < text.size() && text[at] == '\n') {
      continue;
    } else if (code == '\n' || code == '\r' || code == '\f') {
      out += "\xE2\x86\xB5\n";
    } else if (code < 0x20) {
      out.append("\xE2\x90").push_back(static_cast<char>(0x80U + code));
    } else if (IsUnseen(code)) {
      out += Print("[U+%04X]", static_cast<unsigned>(code));
    } else if (code == 0xFFFD) {
      out += "\xEF\xBF\xBD";
    } else {
      out += text.substr(start, at - start);
    }
  }
  return out;
}

std::string WithCommas(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

std::string Size(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "kB", "MB", "GB", "TB"};
  auto number = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (number >= 999.5 && unit + 1 < kUnits.size()) {
    number /= 1000;
    ++unit;
  }
  return Print(unit == 0 || number >= 99.95 ? "%.0f %s" : "%.1f %s", number, kUnits.at(unit));
}

std::string Time(double seconds) {
  if (seconds < 60) return Print("%.1f s", seconds);
  const auto whole = static_cast<long>(std::lround(seconds));
  if (whole < 3600) return Print("%ld min %ld s", whole / 60, whole % 60);
  return Print("%ld h %ld min", whole / 3600, whole % 3600 / 60);
}

std::string Moment(std::int64_t seconds_since_1970) {
  const std::time_t time = seconds_since_1970;
  std::tm parts{};
  if (gmtime_r(&time, &parts) == nullptr) return {};
  std::array<char, 64> buffer{};
  const std::size_t size =
      std::strftime(buffer.data(), buffer.size(), "%Y-%m-%d %H:%M UTC", &parts);
  return {buffer.data(), size};
}

Table::Table(std::string id, std::string caption, std::vector<Column> columns, bool filter)
    : id_(std::move(id)),
      caption_(std::move(caption)),
      columns_(std::move(columns)),
      filter_(filter) {}

void Table::Begin() {
  body_ += "<tr>";
  ++rows_;
}

void Table::Text(std::string_view text) { Raw(Escaped(text)); }

void Table::Value(std::string_view text) {
  body_.append("<td class=\"v\"><bdi>").append(Escaped(text)).append("</bdi></td>");
}

void Table::Code(std::string_view text) {
  if (text.empty()) return Raw("");
  Raw("<code>" + Escaped(text) + "</code>");
}

void Table::Number(std::uint64_t number) {
  body_.append(number == 0 ? "<td class=\"n zero\">" : "<td class=\"n\">")
      .append(WithCommas(number))
      .append("</td>");
}

void Table::Raw(const std::string& html) { body_.append("<td>").append(html).append("</td>"); }

void Table::End() { body_ += "</tr>\n"; }

std::string Table::Html() const {
  std::string html = "<div class=\"scroll\"><table id=\"" + id_ + "\"";
  if (filter_) html += " data-filter";
  if (columns_.size() <= 3) html += " class=\"slim\"";
  html += "><caption>" + Escaped(caption_) + "</caption>\n<thead><tr>";
  for (const Column& column : columns_) {
    html += std::string("<th scope=\"col\"") + (column.number ? " class=\"n\"" : "") + ">" +
            Escaped(column.title) + "</th>";
  }
  return html + "</tr></thead>\n<tbody>\n" + body_ + "</tbody></table></div>\n";
}

}  // namespace dcmveil::report
