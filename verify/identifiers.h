// SPDX-License-Identifier: Apache-2.0
//
// Which attributes identify somebody, and in which spellings their values are searched.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "dcmveil/tag.h"
#include "verify/words.h"

namespace dcmveil::verify {

enum class Kind : std::uint8_t {
  kPatientName,
  kPersonName,  ///< of physicians, operators, relatives, ...
  kId,
  kAccessionNumber,
  kBirthDate,
  kAddress,
  kTelephone,  ///< and e-mail
  kInstitution,
  kUid,
};
[[nodiscard]] std::string_view ToString(Kind kind);

/// The kind of identifier that an attribute holds, if any. `vr` counts for names and UIDs.
[[nodiscard]] std::optional<Kind> KindOf(Tag tag, std::string_view vr);
/// UIDs that say what something is, not which one: SOP classes, coding schemes.
[[nodiscard]] bool HoldsClassUid(Tag tag);
/// UIDs that DICOM itself gave out.
[[nodiscard]] bool IsRegistered(std::string_view uid);

/// What a run of words stands for.
struct Pattern {
  Kind kind = Kind::kId;
  std::uint8_t bytes = 0;       ///< of the words
  std::uint32_t groupings = 0;  ///< bit n: it may stand there as n words; for digits only
  bool digits = false;          ///< nothing but digits
  bool weak = false;            ///< too short to be looked for but alone
};

/// What values look like when words are compared. Adding serves one thread; afterwards any number
/// may search. It holds hashes, no values.
class Table {
 public:
  /// All spellings of a value, UTF-8. With `distinctive`, only those that nobody else has.
  void Add(Kind kind, std::string_view utf8, bool distinctive);
  /// The value as a whole stays on purpose.
  void Keep(Kind kind, std::string_view utf8);

  [[nodiscard]] bool MayStart(std::uint64_t hash) const { return starts_.contains(hash); }
  [[nodiscard]] const Pattern* Find(std::uint64_t hash) const {
    const auto it = patterns_.find(hash);
    return it != patterns_.end() && !kept_.contains(hash) ? &it->second : nullptr;
  }
  /// A chain of digits, however it is grouped, without leading zeros.
  [[nodiscard]] const Kind* FindDigits(std::uint64_t hash) const {
    const auto it = chains_.find(hash);
    return it != chains_.end() && !kept_.contains(hash) ? &it->second : nullptr;
  }
  [[nodiscard]] bool HasUid(std::uint64_t hash) const {
    return uids_.contains(hash) && !kept_.contains(hash);
  }
  [[nodiscard]] std::size_t most_words() const { return most_words_; }
  [[nodiscard]] std::size_t size() const { return patterns_.size() + uids_.size(); }

 private:
  void AddWords(Kind kind, const std::vector<Word>& words, bool weak = false);
  void AddName(Kind kind, std::string_view value, bool distinctive);
  void AddId(Kind kind, std::string_view value, bool distinctive);
  void AddBirthDate(std::string_view value);
  void AddText(Kind kind, std::string_view value, bool distinctive);
  void AddTelephone(std::string_view value);

  std::unordered_map<std::uint64_t, Pattern> patterns_;
  std::unordered_map<std::uint64_t, Kind> chains_;
  std::unordered_set<std::uint64_t> starts_;
  std::unordered_set<std::uint64_t> uids_;
  std::unordered_set<std::uint64_t> kept_;
  std::size_t most_words_ = 0;
};

/// Words that identify nobody: the trade's own, and what stands for "nobody".
[[nodiscard]] bool IsCommon(std::string_view word);
/// The hash of the words joined.
[[nodiscard]] std::uint64_t HashOfWords(const std::vector<Word>& words);

}  // namespace dcmveil::verify
