// SPDX-License-Identifier: Apache-2.0
#include "dicomweb/part10.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace dcmveil::dicomweb {
namespace {

constexpr std::size_t kMetaBegin = 132;
constexpr std::size_t kMostMeta = 64'000;

std::uint64_t Little(std::string_view bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    number = (number << 8U) | static_cast<unsigned char>(bytes[i]);
  }
  return number;
}

std::uint64_t Big(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char c : bytes) number = (number << 8U) | static_cast<unsigned char>(c);
  return number;
}

/// VRs whose length has 32 bits (PS3.5 section 7.1.2).
bool HasLongLength(std::string_view vr) {
  constexpr std::array<std::string_view, 13> kLong = {"OB", "OD", "OF", "OL", "OV", "OW", "SQ",
                                                      "SV", "UC", "UN", "UR", "UT", "UV"};
  return std::find(kLong.begin(), kLong.end(), vr) != kLong.end();
}

std::string Trimmed(std::string_view value) {
  while (!value.empty() && (value.back() == '\0' || value.back() == ' ')) value.remove_suffix(1);
  return std::string(value);
}

}  // namespace

std::optional<Part10> ReadPart10(const Spool& file) {
  std::string head(kMetaBegin + kMostMeta, '\0');
  const std::int64_t got = file.Read(0, head.data(), head.size());
  if (got < static_cast<std::int64_t>(kMetaBegin)) return std::nullopt;
  const std::string_view text = std::string_view(head).substr(0, static_cast<std::size_t>(got));
  if (text.substr(128, 4) != "DICM") return std::nullopt;
  Part10 part;
  std::size_t at = kMetaBegin;
  while (at + 8 <= text.size() && Little(text.substr(at, 2)) == 2) {
    const std::uint64_t element = Little(text.substr(at + 2, 2));
    const bool is_long = HasLongLength(text.substr(at + 4, 2));
    const std::size_t begin = at + (is_long ? 12 : 8);
    if (begin > text.size()) return std::nullopt;
    const std::uint64_t length =
        is_long ? Little(text.substr(at + 8, 4)) : Little(text.substr(at + 6, 2));
    if (length > text.size() - begin) return std::nullopt;
    const std::string_view value = text.substr(begin, static_cast<std::size_t>(length));
    if (element == 0x0010) part.transfer_syntax_uid = Trimmed(value);
    at = begin + static_cast<std::size_t>(length);
  }
  part.data_set = at;
  return part;
}

std::string SopInstanceUidOf(const Spool& file) {
  constexpr std::uint64_t kWanted = 0x00080018;
  constexpr std::size_t kFirstElements = 16'000;
  const std::optional<Part10> part = ReadPart10(file);
  if (!part || part->transfer_syntax_uid == "1.2.840.10008.1.2.1.99") return {};
  const bool is_implicit = part->transfer_syntax_uid == "1.2.840.10008.1.2";
  const bool is_big = part->transfer_syntax_uid == "1.2.840.10008.1.2.2";
  const auto number = [is_big](std::string_view bytes) {
    return is_big ? Big(bytes) : Little(bytes);
  };
  std::string head(kFirstElements, '\0');
  const std::int64_t got = file.Read(part->data_set, head.data(), head.size());
  if (got < 0) return {};
  std::string_view rest = std::string_view(head).substr(0, static_cast<std::size_t>(got));
  while (rest.size() >= 12) {
    const std::uint64_t tag = number(rest.substr(0, 2)) << 16U | number(rest.substr(2, 2));
    if (tag > kWanted) return {};
    const std::string_view vr = rest.substr(4, 2);
    std::size_t begin = 8;
    std::uint64_t length = 0;
    if (is_implicit) {
      length = number(rest.substr(4, 4));
    } else if (HasLongLength(vr)) {
      begin = 12;
      length = number(rest.substr(8, 4));
    } else {
      length = number(rest.substr(6, 2));
    }
    if (length > rest.size() - begin) return {};
    if (tag == kWanted) return Trimmed(rest.substr(begin, static_cast<std::size_t>(length)));
    rest.remove_prefix(begin + static_cast<std::size_t>(length));
  }
  return {};
}

bool SameInstance(const Spool& a, const Spool& b) {
  const std::optional<Part10> first = ReadPart10(a);
  const std::optional<Part10> second = ReadPart10(b);
  if (!first || !second || first->transfer_syntax_uid != second->transfer_syntax_uid ||
      a.size() - first->data_set != b.size() - second->data_set) {
    return false;
  }
  constexpr std::size_t kPiece = 256'000;
  std::vector<char> left(kPiece);
  std::vector<char> right(kPiece);
  std::uint64_t done = 0;
  while (true) {
    const std::int64_t n = a.Read(first->data_set + done, left.data(), kPiece);
    const std::int64_t m = b.Read(second->data_set + done, right.data(), kPiece);
    if (n != m || n < 0) return false;
    if (n == 0) return true;
    if (!std::equal(left.begin(), left.begin() + n, right.begin())) return false;
    done += static_cast<std::uint64_t>(n);
  }
}

}  // namespace dcmveil::dicomweb
