// SPDX-License-Identifier: Apache-2.0
#include "pipeline/file_name.h"

#include <algorithm>

namespace dcmveil::pipeline {
namespace {

std::string Hex(const std::string& bytes) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex.push_back(kDigits[byte >> 4U]);
    hex.push_back(kDigits[byte & 0x0FU]);
  }
  return hex;
}

}  // namespace

void SetFileName(nlohmann::ordered_json& line, const std::string& key, const std::string& name) {
  const bool ascii = std::all_of(name.begin(), name.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (ascii) {
    line[key] = name;
    return;
  }
  const std::string shown = nlohmann::ordered_json(name).dump(
      -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  line[key] = nlohmann::ordered_json::parse(shown);
  if (line[key].get_ref<const std::string&>() != name) line[key + "_bytes"] = Hex(name);
}

}  // namespace dcmveil::pipeline
