// SPDX-License-Identifier: Apache-2.0
//
// What the checks need to know of one instance beside its bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "verify/reader.h"

namespace dcmveil::verify {

/// Gathered while a file is read. Freed with the instance.
class Facts {
 public:
  struct Value {
    Tag tag;
    std::string vr;
    std::string text;  ///< trimmed, as encoded
  };

  void Add(const Seen& seen);
  void AddSequence(const std::vector<Step>& path, int items) { items_[ToString(path)] = items; }

  /// The value of a top-level element; empty if there is none.
  [[nodiscard]] std::string_view Top(Tag tag) const;
  [[nodiscard]] const std::unordered_map<std::string, Value>& values() const { return values_; }
  [[nodiscard]] const Value* Find(const std::string& path) const;
  /// Number of items; -1 if there is no such sequence.
  [[nodiscard]] int ItemsOf(const std::string& path) const;
  /// Whether every sequence on the way to the element has as many items in both.
  [[nodiscard]] static bool Aligned(const std::string& path, const Facts& a, const Facts& b);
  /// Who the patient is, for telling patients apart. Never 0.
  [[nodiscard]] std::uint64_t PatientKey() const;
  /// Unsigned number (US) at the top; `otherwise` if there is none.
  [[nodiscard]] unsigned Number(Tag tag, unsigned otherwise) const;

 private:
  std::unordered_map<std::string, Value> values_;
  std::unordered_map<std::string, int> items_;
  std::unordered_map<std::uint32_t, unsigned> numbers_;
};

[[nodiscard]] bool IsDate(std::string_view vr);
/// Days since 1 January 1970 of the date that a DA or DT value begins with, if it is whole.
[[nodiscard]] bool DaysOf(std::string_view text, std::int64_t& days);

}  // namespace dcmveil::verify
