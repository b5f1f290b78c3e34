// SPDX-License-Identifier: Apache-2.0
#include "verify/facts.h"

#include <algorithm>
#include <array>

#include "verify/dcmtk/dictionary.h"
#include "verify/words.h"

namespace dcmveil::verify {
namespace {

/// Top-level attributes that are asked for by tag.
constexpr auto kAsked = std::to_array<std::uint32_t>({
    0x00080005,
    0x00080030,
    0x00080050,
    0x00080060,
    0x00080090,
    0x00081030,
    0x0008103E,
    0x00100010,
    0x00100020,
    0x00100021,
    0x00100040,
    0x00120062,
    0x00120063,
    0x00180015,
    0x00200010,
    0x00200011,
    0x00280008,
});
constexpr auto kNumbers = std::to_array<std::uint32_t>(
    {0x00280002, 0x00280010, 0x00280011, 0x00280100, 0x00280101, 0x00280102});

}  // namespace

bool IsDate(std::string_view vr) { return vr == "DA" || vr == "DT"; }

void Facts::Add(const Seen& seen) {
  if (seen.path.empty()) return;
  const Tag tag = seen.tag();
  const std::string known = DictionaryVr(tag);
  const std::string vr = known != "UN" ? known : std::string(seen.vr);
  if (seen.at_top() &&
      std::find(kNumbers.begin(), kNumbers.end(), tag.number()) != kNumbers.end() &&
      seen.value.size() >= 2) {
    const auto first = static_cast<unsigned char>(seen.value[0]);
    const auto second = static_cast<unsigned char>(seen.value[1]);
    numbers_[tag.number()] =
        seen.big_endian ? (unsigned{first} << 8U) | second : (unsigned{second} << 8U) | first;
    return;
  }
  const bool asked =
      seen.at_top() && std::find(kAsked.begin(), kAsked.end(), tag.number()) != kAsked.end();
  if (!asked && vr != "UI" && !IsDate(vr)) return;
  values_.try_emplace(ToString(seen.path),
                      Value{.tag = tag, .vr = vr, .text = std::string(Trimmed(seen.value))});
}

std::string_view Facts::Top(Tag tag) const {
  const Value* value = Find(dcmveil::ToString(tag));
  return value != nullptr ? std::string_view(value->text) : std::string_view();
}

const Facts::Value* Facts::Find(const std::string& path) const {
  const auto it = values_.find(path);
  return it != values_.end() ? &it->second : nullptr;
}

int Facts::ItemsOf(const std::string& path) const {
  const auto it = items_.find(path);
  return it != items_.end() ? it->second : -1;
}

bool Facts::Aligned(const std::string& path, const Facts& a, const Facts& b) {
  for (std::size_t at = path.find('['); at != std::string::npos; at = path.find('[', at + 1)) {
    const std::string sequence = path.substr(0, at);
    if (a.ItemsOf(sequence) != b.ItemsOf(sequence)) return false;
  }
  return true;
}

std::uint64_t Facts::PatientKey() const {
  TextHash hash;
  const std::string_view id = Top({0x0010, 0x0020});
  if (!id.empty()) {
    hash.Add(id);
    hash.Add("\n");
    hash.Add(Top({0x0010, 0x0021}));
    return hash.value();
  }
  const std::string_view name = Top({0x0010, 0x0010});
  hash.Add("\n");
  hash.Add(name.empty() ? Top({0x0020, 0x000D}) : name);
  hash.Add(Top({0x0010, 0x0030}));
  return hash.value();
}

unsigned Facts::Number(Tag tag, unsigned otherwise) const {
  const auto it = numbers_.find(tag.number());
  return it != numbers_.end() ? it->second : otherwise;
}

bool DaysOf(std::string_view text, std::int64_t& days) {
  std::string digits;
  for (const char c : text) {
    if (c >= '0' && c <= '9') {
      digits.push_back(c);
    } else if ((c != '.' && c != '-') || digits.size() >= 8) {
      break;
    }
    if (digits.size() == 8) break;
  }
  if (digits.size() < 8) return false;
  const std::int64_t year = std::stoi(digits.substr(0, 4));
  const std::int64_t month = std::stoi(digits.substr(4, 2));
  const std::int64_t day = std::stoi(digits.substr(6, 2));
  if (month < 1 || month > 12 || day < 1 || day > 31) return false;
  // Years begin in March, so that leap days come last.
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t m = (month + 9) % 12;
  days = y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 719469;
  return true;
}

}  // namespace dcmveil::verify
