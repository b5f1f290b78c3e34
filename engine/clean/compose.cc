// SPDX-License-Identifier: Apache-2.0
#include "engine/clean/compose.h"

#include <algorithm>
#include <array>

namespace dcmveil::engine::clean {
namespace {

struct Marked {
  char32_t code;
  char32_t letter;  ///< may have a mark itself
  char32_t mark;
};

constexpr auto kMarked = std::to_array<Marked>({
#include "engine/clean/tables/compose.inc"
});

bool IsMark(char32_t code) { return code >= 0x300 && code <= 0x36F; }

void AppendDecomposed(char32_t code, std::u32string& out) {
  if (code < kMarked.front().code) {
    out.push_back(code);
    return;
  }
  const auto it =
      std::lower_bound(kMarked.begin(), kMarked.end(), code,
                       [](const Marked& marked, char32_t value) { return marked.code < value; });
  if (it == kMarked.end() || it->code != code) {
    out.push_back(code);
    return;
  }
  AppendDecomposed(it->letter, out);
  out.push_back(it->mark);
}

}  // namespace

std::u32string Compose(const std::u32string& text) {
  if (std::none_of(text.begin(), text.end(), IsMark)) return text;
  std::u32string out;
  for (const char32_t code : text) {
    const auto it = out.empty() || !IsMark(code)
                        ? kMarked.end()
                        : std::find_if(kMarked.begin(), kMarked.end(), [&](const Marked& marked) {
                            return marked.mark == code && marked.letter == out.back();
                          });
    if (it == kMarked.end()) {
      out.push_back(code);
    } else {
      out.back() = it->code;
    }
  }
  return out;
}

std::u32string Decompose(const std::u32string& text) {
  std::u32string out;
  out.reserve(2 * text.size());
  for (const char32_t code : text) AppendDecomposed(code, out);
  return out;
}

}  // namespace dcmveil::engine::clean
