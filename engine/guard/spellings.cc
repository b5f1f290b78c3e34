// SPDX-License-Identifier: Apache-2.0
#include "engine/guard/spellings.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/clean/compose.h"
#include "engine/clean/fold.h"

namespace dcmveil::engine::guard {
namespace {

constexpr char32_t kSigma = 0x3C3;
constexpr char32_t kFinalSigma = 0x3C2;
constexpr char32_t kDottedCapital = 0x130;
constexpr char32_t kDotlessSmall = 0x131;

/// G, I and S as only Turkish and Azerbaijani have them.
bool IsTurkish(char32_t c) {
  return c == 0x11E || c == 0x11F || c == kDottedCapital || c == kDotlessSmall || c == 0x15E ||
         c == 0x15F;
}

char32_t Lower(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  if (c >= 0xC0 && c <= 0xDE && c != 0xD7) return c + 32;
  if ((c >= 0x100 && c <= 0x137) || (c >= 0x14A && c <= 0x177)) return c | 1U;
  if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E)) return c + (c & 1U);
  if ((c >= 0x1E00 && c <= 0x1E95) || (c >= 0x1EA0 && c <= 0x1EFF)) return c | 1U;
  if (c >= 0x391 && c <= 0x3AB) return c + 32;
  if (c >= 0x410 && c <= 0x42F) return c + 32;
  if (c >= 0x400 && c <= 0x40F) return c + 80;
  switch (c) {
    case 0x386:
      return 0x3AC;
    case 0x388:
    case 0x389:
    case 0x38A:
      return c + 37;
    case 0x38C:
      return 0x3CC;
    case 0x38E:
    case 0x38F:
      return c + 63;
    default:
      return c;
  }
}

char32_t Upper(char32_t c) {
  if (c == 0xDF || c == 0xFF) return c;
  if (c == kFinalSigma) return kSigma - 32;
  // The pairs of Lower lie close together.
  for (const char32_t distance : {32U, 80U, 1U, 37U, 38U, 63U, 64U}) {
    if (c > distance && Lower(c - distance) == c) return c - distance;
  }
  return c;
}

void AppendUtf8(char32_t c, std::string& out) {
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out.push_back(static_cast<char>(0xC0U | (c >> 6U)));
    out.push_back(static_cast<char>(0x80U | (c & 0x3FU)));
  } else if (c < 0x10000) {
    out.push_back(static_cast<char>(0xE0U | (c >> 12U)));
    out.push_back(static_cast<char>(0x80U | ((c >> 6U) & 0x3FU)));
    out.push_back(static_cast<char>(0x80U | (c & 0x3FU)));
  } else {
    out.push_back(static_cast<char>(0xF0U | (c >> 18U)));
    out.push_back(static_cast<char>(0x80U | ((c >> 12U) & 0x3FU)));
    out.push_back(static_cast<char>(0x80U | ((c >> 6U) & 0x3FU)));
    out.push_back(static_cast<char>(0x80U | (c & 0x3FU)));
  }
}

std::u32string CodesOf(std::string_view utf8) {
  std::u32string codes;
  codes.reserve(utf8.size());
  for (std::size_t at = 0; at < utf8.size();) codes.push_back(clean::NextCode(utf8, at));
  return codes;
}

std::optional<std::string> Latin1Of(const std::u32string& codes) {
  std::string bytes;
  bytes.reserve(codes.size());
  for (const char32_t c : codes) {
    if (c > 0xFF) return std::nullopt;
    bytes.push_back(static_cast<char>(c));
  }
  return bytes;
}

std::string Utf16Of(const std::u32string& codes, bool big_endian) {
  std::string bytes;
  bytes.reserve(2 * codes.size());
  const auto append = [&](char32_t unit) {
    const auto low = static_cast<char>(unit & 0xFFU);
    const auto high = static_cast<char>((unit >> 8U) & 0xFFU);
    bytes.push_back(big_endian ? high : low);
    bytes.push_back(big_endian ? low : high);
  };
  for (const char32_t c : codes) {
    if (c < 0x10000) {
      append(c);
    } else {
      append(0xD800U + ((c - 0x10000U) >> 10U));
      append(0xDC00U + ((c - 0x10000U) & 0x3FFU));
    }
  }
  return bytes;
}

/// With umlauts in two letters.
std::string SpellOut(const std::u32string& codes) {
  std::string out;
  for (const char32_t c : codes) {
    switch (Lower(c)) {
      case 0xE4:
        out += "ae";
        break;
      case 0xE5:
        out += "aa";
        break;
      case 0xF6:
      case 0xF8:
        out += "oe";
        break;
      case 0xFC:
        out += "ue";
        break;
      default:
        AppendUtf8(c, out);
    }
  }
  return out;
}

}  // namespace

const std::array<unsigned char, 256>& Folding() {
  static const std::array<unsigned char, 256> table = [] {
    std::array<unsigned char, 256> made{};
    for (unsigned i = 0; i < made.size(); ++i) {
      made[i] = static_cast<unsigned char>(i >= 'A' && i <= 'Z' ? i + 32 : i);
    }
    for (const char c : std::string_view("\t\n\r #'()+,-./^_")) {
      made[static_cast<unsigned char>(c)] = 0;
    }
    return made;
  }();
  return table;
}

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (static_cast<unsigned char>(c) & 0x80U) == 0; });
}

std::string Utf8Of(const std::u32string& codes) {
  std::string utf8;
  utf8.reserve(2 * codes.size());
  for (const char32_t c : codes) AppendUtf8(c, utf8);
  return utf8;
}

std::vector<std::u32string> CasesOf(std::string_view utf8) {
  const std::u32string given = clean::Compose(CodesOf(utf8));
  std::vector<std::u32string> cases;
  const auto add = [&cases](const std::u32string& codes) {
    if (std::find(cases.begin(), cases.end(), codes) == cases.end()) cases.push_back(codes);
  };
  // ASCII letters are compared without case.
  std::u32string lower = given;
  std::u32string upper = given;
  std::u32string kept = given;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const char32_t c = given[i];
    lower[i] = Lower(c);
    upper[i] = c < 0x80 ? lower[i] : Upper(c);
    if (c < 0x80) kept[i] = lower[i];
  }
  add(kept);
  add(lower);
  add(upper);
  if (lower.back() == kSigma) {
    std::u32string final_sigma = lower;
    final_sigma.back() = kFinalSigma;
    add(final_sigma);
  }
  if (std::any_of(given.begin(), given.end(), IsTurkish)) {
    // The small letter of I has no dot there, and the capital one of i has.
    for (const bool small : {true, false}) {
      std::u32string turkish = small ? lower : upper;
      for (std::size_t i = 0; i < given.size(); ++i) {
        const bool dotted = given[i] == 'i' || given[i] == kDottedCapital;
        const bool dotless = given[i] == 'I' || given[i] == kDotlessSmall;
        if (dotted) turkish[i] = small ? 'i' : kDottedCapital;
        if (dotless) turkish[i] = small ? kDotlessSmall : 'i';
      }
      add(turkish);
    }
  }
  return cases;
}

std::vector<std::u32string> WithMarksApart(const std::vector<std::u32string>& cases) {
  std::vector<std::u32string> apart;
  for (const std::u32string& text : cases) {
    std::u32string made = clean::Decompose(text);
    if (made != text && std::find(apart.begin(), apart.end(), made) == apart.end()) {
      apart.push_back(std::move(made));
    }
  }
  return apart;
}

std::vector<std::string> EncodingsOf(const std::u32string& text) {
  if (std::optional<std::string> bytes = Latin1Of(text)) return {Utf8Of(text), std::move(*bytes)};
  return {Utf8Of(text), Utf16Of(text, false), Utf16Of(text, true)};
}

std::vector<std::string> PlainSpellingsOf(std::string_view utf8) {
  return {clean::Fold(utf8), clean::Fold(SpellOut(clean::Compose(CodesOf(utf8))))};
}

}  // namespace dcmveil::engine::guard
