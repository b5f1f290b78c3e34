// SPDX-License-Identifier: Apache-2.0
#include "verify/policy.h"

#include <charconv>
#include <nlohmann/json.hpp>

namespace dcmveil::verify {
namespace {

/// Eight hexadecimal digits for each tag, with blanks between.
std::unordered_set<std::uint32_t> Tags(const nlohmann::json& text) {
  std::unordered_set<std::uint32_t> tags;
  if (!text.is_string()) return tags;
  const auto& list = text.get_ref<const std::string&>();
  for (std::size_t at = 0; at + 8 <= list.size(); at += 9) {
    std::uint32_t number = 0;
    const char* const start = list.data() + at;
    if (std::from_chars(start, start + 8, number, 16).ptr == start + 8) tags.insert(number);
  }
  return tags;
}

std::uint32_t Subject(Tag tag) {
  return (tag == Tag(0x0002, 0x0003) ? Tag(0x0008, 0x0018) : tag).number();
}

}  // namespace

bool Policy::Retains(Tag tag) const { return retained.contains(Subject(tag)); }

bool Policy::MayRetain(Tag tag) const { return Retains(tag) || sometimes.contains(Subject(tag)); }

std::optional<Policy> Policy::FromJson(std::string_view text) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  Policy policy;
  policy.known = true;
  const auto flag = [&json](const char* name, bool otherwise) {
    const auto it = json.find(name);
    return it != json.end() && it->is_boolean() ? it->get<bool>() : otherwise;
  };
  policy.mark = flag("mark", true);
  policy.method_codes = flag("method_codes", false);
  policy.mask_overlays = flag("mask_overlays", false);
  policy.pixels_may_go = flag("pixels_may_go", false);
  policy.dicomdir = flag("dicomdir", false);
  if (const auto it = json.find("shift_scope"); it != json.end() && it->is_string()) {
    policy.shift_scope = it->get<std::string>();
  }
  policy.retained = Tags(json.value("retained", nlohmann::json()));
  policy.sometimes = Tags(json.value("sometimes", nlohmann::json()));
  policy.remade = Tags(json.value("remade", nlohmann::json()));
  policy.shifted = Tags(json.value("shifted", nlohmann::json()));
  return policy;
}

}  // namespace dcmveil::verify
