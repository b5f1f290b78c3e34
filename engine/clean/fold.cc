// SPDX-License-Identifier: Apache-2.0
#include "engine/clean/fold.h"

#include <algorithm>
#include <array>

namespace dcmveil::engine::clean {
namespace {

struct Folding {
  char32_t code;
  std::string_view text;
};

constexpr auto kFoldings = std::to_array<Folding>({
#include "engine/clean/tables/fold.inc"
});

struct Range {
  char32_t first;
  char32_t last;
};

// What is in neither list is a letter: a name in an unusual script must not pass as punctuation.
constexpr auto kOthers = std::to_array<Range>({
    {0x0080, 0x00A9}, {0x00AB, 0x00AC}, {0x00AE, 0x00B4},   {0x00B6, 0x00B9}, {0x00BB, 0x00BF},
    {0x00D7, 0x00D7}, {0x00F7, 0x00F7}, {0x037E, 0x037E},   {0x0387, 0x0387}, {0x055A, 0x055F},
    {0x05BE, 0x05BE}, {0x05C0, 0x05C0}, {0x05C3, 0x05C3},   {0x060C, 0x060D}, {0x061B, 0x061F},
    {0x066A, 0x066D}, {0x06D4, 0x06D4}, {0x0E2F, 0x0E2F},   {0x0E3F, 0x0E3F}, {0x0E4F, 0x0E4F},
    {0x0E5A, 0x0E5B}, {0x2000, 0x200A}, {0x2010, 0x205F},   {0x20A0, 0x20CF}, {0x2100, 0x2BFF},
    {0x2E00, 0x2E7F}, {0x3000, 0x3004}, {0x3008, 0x3020},   {0x3030, 0x3030}, {0x30FB, 0x30FB},
    {0xFE10, 0xFE1F}, {0xFE30, 0xFE6F}, {0xFF00, 0xFF0F},   {0xFF1A, 0xFF20}, {0xFF3B, 0xFF40},
    {0xFF5B, 0xFF65}, {0xFFE0, 0xFFFF}, {0x1F000, 0x1FAFF},
});
constexpr auto kUnsegmented = std::to_array<Range>({
    {0x0E00, 0x0EFF},
    {0x1000, 0x109F},
    {0x1100, 0x11FF},
    {0x1780, 0x17FF},
    {0x3005, 0x3007},
    {0x3021, 0x318F},
    {0x31A0, 0x31FF},
    {0x3400, 0x9FFF},
    {0xA960, 0xA97F},
    {0xAC00, 0xD7FF},
    {0xF900, 0xFAFF},
    {0xFF66, 0xFF9F},
    {0x20000, 0x3FFFF},
});
/// The digits 0 of other scripts.
constexpr auto kZeros = std::to_array<char32_t>({0x0660, 0x06F0, 0x0966, 0x0E50, 0xFF10});

template <std::size_t N>
bool IsIn(const std::array<Range, N>& ranges, char32_t code) {
  const auto after =
      std::upper_bound(ranges.begin(), ranges.end(), code,
                       [](char32_t value, const Range& range) { return value < range.first; });
  return after != ranges.begin() && code <= std::prev(after)->last;
}

int DigitOf(char32_t code) {
  for (const char32_t zero : kZeros) {
    if (code >= zero && code < zero + 10) return static_cast<int>(code - zero);
  }
  return -1;
}

void AppendUtf8(char32_t code, std::string& out) {
  const auto push = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    push(code);
  } else if (code < 0x800) {
    push(0xC0 | (code >> 6U));
    push(0x80 | (code & 0x3FU));
  } else if (code < 0x10000) {
    push(0xE0 | (code >> 12U));
    push(0x80 | ((code >> 6U) & 0x3FU));
    push(0x80 | (code & 0x3FU));
  } else {
    push(0xF0 | (code >> 18U));
    push(0x80 | ((code >> 12U) & 0x3FU));
    push(0x80 | ((code >> 6U) & 0x3FU));
    push(0x80 | (code & 0x3FU));
  }
}

}  // namespace

char32_t NextCodeBeyondAscii(std::string_view utf8, std::size_t& at) {
  const auto byte = [utf8](std::size_t i) { return static_cast<unsigned char>(utf8[i]); };
  const unsigned first = byte(at++);
  if (first < 0xC2 || first > 0xF4) return first;
  const std::size_t more = first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
  if (at + more > utf8.size()) return first;
  char32_t code = first & (0x3FU >> more);
  for (std::size_t i = 0; i < more; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80U) return first;
    code = code << 6U | (byte(at + i) & 0x3FU);
  }
  at += more;
  return code;
}

CharClass ClassBeyondAscii(char32_t code) {
  if (DigitOf(code) >= 0) return CharClass::kDigit;
  if (IsIn(kOthers, code)) return CharClass::kOther;
  return IsIn(kUnsegmented, code) ? CharClass::kUnsegmented : CharClass::kLetter;
}

void AppendFoldedBeyondAscii(char32_t code, std::string& out) {
  if (const int digit = DigitOf(code); digit >= 0) {
    out.push_back(static_cast<char>('0' + digit));
    return;
  }
  const auto it =
      std::lower_bound(kFoldings.begin(), kFoldings.end(), code,
                       [](const Folding& folding, char32_t value) { return folding.code < value; });
  if (it != kFoldings.end() && it->code == code) {
    out += it->text;
  } else {
    AppendUtf8(code, out);
  }
}

std::string Fold(std::string_view utf8) {
  std::string out(utf8.size(), '\0');
  std::size_t at = 0;
  for (; at < utf8.size() && static_cast<unsigned char>(utf8[at]) < 0x80; ++at) {
    out[at] = FoldedAscii(utf8[at]);
  }
  out.resize(at);
  while (at < utf8.size()) AppendFolded(NextCode(utf8, at), out);
  return out;
}

}  // namespace dcmveil::engine::clean
