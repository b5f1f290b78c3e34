// SPDX-License-Identifier: Apache-2.0
//
// What verify/ takes from DCMTK instead of the engine's own tables and character sets.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dcmveil/tag.h"

namespace dcmveil::verify {

/// The VR of a standard attribute: "PN"; "UN" if the dictionary does not know the tag. Thread-safe.
[[nodiscard]] std::string DictionaryVr(Tag tag);

/// The words in the names of all standard attributes, lower case: words of the trade, which
/// identify nobody.
[[nodiscard]] std::vector<std::string> DictionaryWords();

/// Text in the character sets of DICOM (PS3.3 C.12.1.1.2) to UTF-8. For one thread.
class TextDecoder {
 public:
  TextDecoder();
  ~TextDecoder();
  TextDecoder(const TextDecoder&) = delete;
  TextDecoder& operator=(const TextDecoder&) = delete;
  /// `terms` is a value of (0008,0005). Nothing can be said of bytes that the sets do not have:
  /// then the text is empty.
  [[nodiscard]] std::string ToUtf8(const std::string& terms, std::string_view vr,
                                   std::string_view bytes);

 private:
  struct Converter;
  std::map<std::string, std::unique_ptr<Converter>> converters_;
};

}  // namespace dcmveil::verify
