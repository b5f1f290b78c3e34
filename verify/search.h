// SPDX-License-Identifier: Apache-2.0
//
// Looks for identifiers in bytes: in the declared character sets, in UTF-8, Latin-1 and UTF-16, in
// text and between binary values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "verify/dcmtk/dictionary.h"
#include "verify/identifiers.h"
#include "verify/reader.h"

namespace dcmveil::verify {

/// A set of kinds.
class Kinds {
 public:
  void Add(Kind kind) { bits_ |= 1U << static_cast<unsigned>(kind); }
  [[nodiscard]] bool Has(Kind kind) const {
    return (bits_ & (1U << static_cast<unsigned>(kind))) != 0;
  }
  [[nodiscard]] bool empty() const { return bits_ == 0; }
  void Remove(Kind kind) { bits_ &= ~(1U << static_cast<unsigned>(kind)); }
  [[nodiscard]] std::vector<Kind> list() const;

 private:
  unsigned bits_ = 0;
};

/// For one thread; the tables outlive it.
class Searcher {
 public:
  /// `own` has what identifies the patient, `all` what is distinctive of anybody; either may be
  /// null.
  Searcher(const Table* own, const Table* all, TextDecoder& decoder)
      : tables_{own, all}, decoder_(decoder) {}
  [[nodiscard]] Kinds InElement(const Seen& seen);
  /// The name of a file or folder.
  [[nodiscard]] Kinds InName(std::string_view name);
  /// Bytes of any kind.
  [[nodiscard]] Kinds InBytes(std::string_view bytes);

 private:
  struct Context {
    bool binary = false;
    bool uids_only = false;  ///< UI: digits there are no words
  };
  void InWords(const std::vector<Word>& words, Context context, Kinds& found) const;
  void InDigits(const std::vector<Word>& words, std::size_t at, Kinds& found) const;
  void InNumbers(std::string_view text, Kinds& found) const;
  void ForUids(std::string_view text, bool is_uid_value, Kinds& found) const;
  void InText(std::string_view utf8, Kinds& found) const;
  void InBinary(std::string_view bytes, Kinds& found) const;
  void InUtf16(std::string_view bytes, Kinds& found) const;
  [[nodiscard]] static bool Accept(const Pattern& pattern, const std::vector<Word>& words,
                                   std::size_t first, std::size_t count, Context context);

  const Table* tables_[2];
  TextDecoder& decoder_;
};

}  // namespace dcmveil::verify
