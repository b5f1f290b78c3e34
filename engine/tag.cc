// SPDX-License-Identifier: Apache-2.0
#include "dcmveil/tag.h"

#include <string>
#include <string_view>

namespace dcmveil {
namespace {

void AppendHex(std::string& out, std::uint16_t number) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (unsigned shift = 16; shift > 0; shift -= 4) {
    out += kDigits[(static_cast<unsigned>(number) >> (shift - 4)) & 0xFU];
  }
}

}  // namespace

std::string ToString(Tag tag) {
  std::string out;
  out.reserve(11);
  out += '(';
  AppendHex(out, tag.group);
  out += ',';
  AppendHex(out, tag.element);
  out += ')';
  return out;
}

}  // namespace dcmveil
