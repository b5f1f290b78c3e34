// SPDX-License-Identifier: Apache-2.0
#include "dicomweb/part10.h"

#include <algorithm>
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

bool HasLongLength(std::string_view vr) {
  return vr == "OB" || vr == "OW" || vr == "UN" || vr == "SQ" || vr == "UT";
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
    std::string value(text.substr(begin, static_cast<std::size_t>(length)));
    while (!value.empty() && (value.back() == '\0' || value.back() == ' ')) value.pop_back();
    if (element == 0x0010) part.transfer_syntax_uid = std::move(value);
    at = begin + static_cast<std::size_t>(length);
  }
  part.data_set = at;
  return part;
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
