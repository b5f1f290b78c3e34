// SPDX-License-Identifier: Apache-2.0
//
// Conditions as importers put them together, and what a filter of another tool becomes if a part of
// it cannot be said: the side on which more instances are rejected.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dcmveil::rules {

/// A condition of ours. Constants are folded away, and lists in lists of the same kind are one.
class Clause {
 public:
  /// "Modality: CT": an entry in flow style, without braces.
  static Clause Test(std::string entry);
  static Clause Constant(bool value);
  static Clause Not(Clause child);
  static Clause All(std::vector<Clause> children);
  static Clause Any(std::vector<Clause> children);

  /// Its constant value, if it has one.
  [[nodiscard]] std::optional<bool> constant() const;
  /// An entry in flow style, without braces. A constant is a test that always or never holds.
  [[nodiscard]] std::string Entry() const;

 private:
  enum class Kind { kTrue, kFalse, kTest, kNot, kAll, kAny };

  static Clause Combine(Kind kind, std::vector<Clause> children);

  Kind kind_ = Kind::kTrue;
  std::string entry_;
  std::vector<Clause> children_;
};

/// How a condition may differ from what it stands for.
enum class Bound {
  kNotMore,  ///< it may hold less often
  kNotLess,  ///< it may hold more often
};
[[nodiscard]] constexpr Bound Opposite(Bound bound) {
  return bound == Bound::kNotMore ? Bound::kNotLess : Bound::kNotMore;
}

/// Whether a regular expression of Java or Python means the same to RE2: it is legal, and has
/// nothing in it that RE2 reads as something else.
[[nodiscard]] bool MeansTheSameInRe2(const std::string& pattern);

/// "Manufacturer: {joined: …}".
[[nodiscard]] Clause Joined(const std::string& path, const std::string& pattern);
/// "Manufacturer: {matches: …}".
[[nodiscard]] Clause Matches(const std::string& path, const std::string& pattern);
[[nodiscard]] Clause Exists(const std::string& path);

}  // namespace dcmveil::rules
