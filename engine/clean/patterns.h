// SPDX-License-Identifier: Apache-2.0
//
// What looks like an identifier whoever it belongs to: dates, times, telephone and social security
// numbers, network addresses, UIDs, long numbers. Scanners over words; no state.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "engine/clean/matcher.h"
#include "engine/clean/words.h"

namespace dcmveil::engine::clean {

/// Words of one text with what stands between them.
struct Text {
  std::string_view utf8;
  const std::vector<Word>& words;

  /// What stands before word i; i may be the number of words.
  [[nodiscard]] std::string_view Gap(std::size_t i) const {
    const std::size_t begin = i == 0 ? 0 : words[i - 1].end;
    const std::size_t end = i < words.size() ? words[i].begin : utf8.size();
    return utf8.substr(begin, end - begin);
  }
  [[nodiscard]] std::string_view Original(std::size_t i) const {
    return utf8.substr(words[i].begin, words[i].end - words[i].begin);
  }
};

/// How many words from `first` on are a date in one of the usual spellings. With `only`, it must
/// be one of the instance's own.
[[nodiscard]] std::size_t WordsOfDate(const Text& text, std::size_t first, const Matcher* only);
/// Whether numbers with points are shaped as a UID, and not as a version or a local code.
[[nodiscard]] bool LooksLikeUid(std::string_view chain);
/// A UID that DICOM did not register, or the address of a host.
[[nodiscard]] std::size_t WordsOfUid(const Text& text, std::size_t first);
/// Times of day, telephone numbers, SSNs, e-mail and network addresses, URLs, long numbers.
[[nodiscard]] std::size_t WordsOfPattern(const Text& text, std::size_t first);

}  // namespace dcmveil::engine::clean
