// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>

#include "dcmveil/tag.h"

namespace dcmveil {
namespace {

constexpr std::array<std::string_view, kVrCount> kNames{
    "AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT",
    "OB", "OD", "OF", "OL", "OV", "OW", "PN", "SH", "SL", "SQ", "SS", "ST",
    "SV", "TM", "UC", "UI", "UL", "UN", "UR", "US", "UT", "UV",
};
static_assert(std::is_sorted(kNames.begin(), kNames.end()));
static_assert(kNames[static_cast<std::size_t>(Vr::UV)] == "UV");

void AppendName(std::string& out, Vr vr) {
  if (!out.empty()) out += " or ";
  out += ToString(vr);
}

// Every element of every instance in explicit VR is looked up here.
constexpr std::size_t kLetters = 26;
constexpr auto kByName = [] {
  std::array<std::int8_t, kLetters * kLetters> table{};
  table.fill(-1);
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    const auto first = static_cast<std::size_t>(kNames[i][0] - 'A');
    const auto second = static_cast<std::size_t>(kNames[i][1] - 'A');
    table[first * kLetters + second] = static_cast<std::int8_t>(i);
  }
  return table;
}();

}  // namespace

Vr VrSet::first() const { return static_cast<Vr>(std::countr_zero(bits_)); }

std::string_view ToString(Vr vr) { return kNames[static_cast<std::size_t>(vr)]; }

std::string ToString(VrSet vrs) {
  // PS3.6 puts numbers before arrays and US before SS: "US or SS or OW", "OB or OW".
  std::string out;
  for (int i = kVrCount - 1; i >= 0; --i) {
    const Vr vr = static_cast<Vr>(i);
    if ((vrs & kNumberVrs).contains(vr)) AppendName(out, vr);
  }
  for (int i = 0; i < kVrCount; ++i) {
    const Vr vr = static_cast<Vr>(i);
    if ((vrs - kNumberVrs).contains(vr)) AppendName(out, vr);
  }
  return out;
}

std::optional<Vr> VrFromString(std::string_view text) {
  if (text.size() != 2) return std::nullopt;
  const auto first = static_cast<unsigned>(static_cast<unsigned char>(text[0]) - 'A');
  const auto second = static_cast<unsigned>(static_cast<unsigned char>(text[1]) - 'A');
  if (first >= kLetters || second >= kLetters) return std::nullopt;
  const std::int8_t vr = kByName[first * kLetters + second];
  if (vr < 0) return std::nullopt;
  return static_cast<Vr>(vr);
}

int MaxLength(Vr vr) {
  switch (vr) {
    case Vr::AS:
      return 4;
    case Vr::DA:
      return 8;
    case Vr::IS:
      return 12;
    case Vr::TM:
      return 14;
    case Vr::AE:
    case Vr::CS:
    case Vr::DS:
    case Vr::SH:
      return 16;
    case Vr::DT:
      return 26;
    case Vr::LO:
    case Vr::PN:
    case Vr::UI:
      return 64;
    case Vr::ST:
      return 1024;
    case Vr::LT:
      return 10240;
    default:
      return 0;
  }
}

}  // namespace dcmveil
