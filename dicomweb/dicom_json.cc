// SPDX-License-Identifier: Apache-2.0
#include "dicomweb/dicom_json.h"

#include <charconv>

namespace dcmveil::dicomweb {

const nlohmann::json& ItemsOf(const nlohmann::json& data_set, const char* tag) {
  static const nlohmann::json none = nlohmann::json::array();
  if (!data_set.is_object()) return none;
  const auto element = data_set.find(tag);
  if (element == data_set.end() || !element->is_object()) return none;
  const auto value = element->find("Value");
  return value != element->end() && value->is_array() ? *value : none;
}

std::string TextOf(const nlohmann::json& data_set, const char* tag) {
  const nlohmann::json& values = ItemsOf(data_set, tag);
  if (values.empty()) return {};
  if (values.front().is_string()) return values.front().get<std::string>();
  if (values.front().is_number_integer()) return std::to_string(values.front().get<std::int64_t>());
  return {};
}

long NumberOf(const nlohmann::json& data_set, const char* tag) {
  const std::string text = TextOf(data_set, tag);
  long number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : -1;
}

}  // namespace dcmveil::dicomweb
