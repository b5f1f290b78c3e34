// SPDX-License-Identifier: Apache-2.0
#include "pipeline/layout.h"

#include <algorithm>
#include <array>

#include "engine/crypto.h"

namespace dcmveil::pipeline {
namespace {

struct Field {
  std::string_view keyword;
  std::string Deidentified::*member;
};
constexpr std::array<Field, 4> kFields = {
    {{"PatientID", &Deidentified::patient_id},
     {"StudyInstanceUID", &Deidentified::study_instance_uid},
     {"SeriesInstanceUID", &Deidentified::series_instance_uid},
     {"SOPInstanceUID", &Deidentified::sop_instance_uid}}};

bool IsPlain(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

/// Of UIDs (PS3.5 section 9), and of Patient IDs (LO).
constexpr std::size_t kLongestValue = 64;
/// NAME_MAX of the usual file systems.
constexpr std::size_t kLongestName = 255;

/// Names that Windows, and what it shares, take for devices, with any ending: "con", "COM1.dcm".
bool IsDevice(std::string_view name) {
  std::string stem(name.substr(0, name.find('.')));
  std::transform(stem.begin(), stem.end(), stem.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  if (stem == "CON" || stem == "PRN" || stem == "AUX" || stem == "NUL") return true;
  return stem.size() == 4 && (stem.starts_with("COM") || stem.starts_with("LPT")) &&
         stem[3] >= '0' && stem[3] <= '9';
}

/// A value as (part of) a file name: hostile or odd values must not lead anywhere else.
std::string Safe(std::string_view value) {
  constexpr std::size_t kLongest = 100;
  std::string safe(value.substr(0, kLongest));
  std::replace_if(
      safe.begin(), safe.end(), [](char c) { return !IsPlain(c); }, '_');
  if (safe.empty()) return "_";
  // Neither "..", nor the name of a hidden folder such as that of our temporary files, nor one that
  // Windows would shorten.
  if (safe.front() == '.') safe.front() = '_';
  if (safe.back() == '.') safe.back() = '_';
  if (IsDevice(safe)) safe.insert(0, "_");
  return safe;
}

std::string Brief(std::string_view value) {
  const Digest digest = Sha256(value);
  return Base32(digest.view()).substr(0, 8);
}

}  // namespace

std::optional<Layout> Layout::Parse(std::string_view text, std::string& problem) {
  Layout layout;
  if (text == "mirror") {
    layout.mirror_ = true;
    return layout;
  }
  bool has_instance = false;
  while (!text.empty()) {
    const std::size_t open = text.find('{');
    const std::string_view literal = text.substr(0, open);
    if (!std::all_of(literal.begin(), literal.end(),
                     [](char c) { return IsPlain(c) || c == '/'; })) {
      problem = "a layout may hold letters, digits, '.', '_', '-', '/' and {Keyword} only";
      return std::nullopt;
    }
    if (!literal.empty()) layout.pieces_.push_back({.literal = std::string(literal)});
    if (open == std::string_view::npos) break;
    const std::size_t close = text.find('}', open);
    std::string_view name =
        close == std::string_view::npos ? "" : text.substr(open + 1, close - open - 1);
    const bool brief = name.ends_with(":8");
    if (brief) name.remove_suffix(2);
    const auto* field = std::find_if(kFields.begin(), kFields.end(),
                                     [name](const Field& f) { return f.keyword == name; });
    if (field == kFields.end()) {
      problem = "{" + std::string(name) +
                "} is not known; there are {PatientID}, {StudyInstanceUID}, {SeriesInstanceUID} "
                "and {SOPInstanceUID}, each also as {Keyword:8}";
      return std::nullopt;
    }
    has_instance = has_instance || name == "SOPInstanceUID";
    layout.pieces_.push_back({.literal = {}, .field = field->member, .brief = brief});
    text.remove_prefix(close + 1);
  }
  if (!has_instance) {
    problem = "a layout needs {SOPInstanceUID}, or instances would get the same name";
    return std::nullopt;
  }
  // With letters for each value, every part must be a name of its own.
  std::string shape = "/";
  for (const Piece& piece : layout.pieces_) {
    shape +=
        piece.field != nullptr ? std::string(piece.brief ? 8 : kLongestValue, 'x') : piece.literal;
  }
  shape += '/';
  for (std::size_t at = 0; at + 1 < shape.size();) {
    const std::size_t end = shape.find('/', at + 1);
    const std::string_view part = std::string_view(shape).substr(at + 1, end - at - 1);
    if (part.empty() || part.front() == '.') {
      problem =
          "each part of a layout between '/' needs a name that does not begin with '.', and the "
          "whole does not begin or end with '/'";
      return std::nullopt;
    }
    if (part.size() > kLongestName) {
      problem = "a part of the layout between '/' gets longer than the 255 characters of a name";
      return std::nullopt;
    }
    at = end;
  }
  return layout;
}

std::string Layout::NameFor(const Deidentified& instance, std::string_view input_name) const {
  if (mirror_) return std::string(input_name);
  std::string name;
  for (const Piece& piece : pieces_) {
    if (piece.field == nullptr) {
      name += piece.literal;
    } else {
      const std::string& value = instance.*piece.field;
      name += piece.brief ? Brief(value) : Safe(value);
    }
  }
  return name;
}

}  // namespace dcmveil::pipeline
