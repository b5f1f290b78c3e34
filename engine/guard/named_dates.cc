// SPDX-License-Identifier: Apache-2.0
#include "engine/guard/named_dates.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "engine/clean/months.h"
#include "engine/guard/spellings.h"

namespace dcmveil::engine::guard {
namespace {

constexpr std::size_t kMonths = 12;
constexpr int kWidestGap = 3;  ///< separators, or NULs, one after the other
using Names = std::array<std::vector<std::string>, kMonths>;

/// The names of each month in every encoding that does not depend on the instance.
const Names& AllNames() {
  static const Names kAll = [] {
    Names names;
    const auto add = [&names](int month, const std::string& bytes) {
      std::vector<std::string>& of_month = names[static_cast<std::size_t>(month - 1)];
      std::string name = WithoutSeparators(bytes);
      const bool known = std::find(of_month.begin(), of_month.end(), name) != of_month.end();
      if (!known) of_month.push_back(std::move(name));
    };
    for (const clean::MonthName& month : clean::MonthNames()) {
      std::vector<std::u32string> cases = CasesOf(month.name);
      for (std::u32string& apart : WithMarksApart(cases)) cases.push_back(std::move(apart));
      for (const std::u32string& text : cases) {
        for (const std::string& bytes : EncodingsOf(text)) add(month.month, bytes);
      }
      for (const std::string& plain : PlainSpellingsOf(month.name)) add(month.month, plain);
    }
    for (const clean::MonthName& month : clean::RomanMonths()) {
      add(month.month, std::string(month.name));
    }
    return names;
  }();
  return kAll;
}

bool IsLetter(char c) { return c >= 'a' && c <= 'z'; }

/// What bytes end with, without separators, and where each of its characters stands.
class Ending {
 public:
  explicit Ending(std::string_view bytes) {
    const std::array<unsigned char, 256>& folding = Folding();
    int separators = 0;
    int nuls = 0;
    for (std::size_t at = bytes.size(); at > 0 && begin_ > 0;) {
      const char c = bytes[--at];
      const unsigned char folded = folding[static_cast<unsigned char>(c)];
      if (folded != 0) {
        text_[--begin_] = static_cast<char>(folded);
        places_[begin_] = at;
        separators = 0;
        nuls = 0;
      } else if (c == '\0') {
        if (++nuls > kWidestGap) return;
      } else {
        if (++separators > kWidestGap) return;
        nuls = 0;
      }
    }
  }
  [[nodiscard]] std::string_view text() const {
    return std::string_view(text_.data(), text_.size()).substr(begin_);
  }
  /// Where the character behind `rest`, with which the text begins, stands in the bytes.
  [[nodiscard]] std::size_t PlaceBehind(std::string_view rest) const {
    return places_[begin_ + rest.size()];
  }

 private:
  static constexpr std::size_t kLongest = 64;
  std::array<char, kLongest> text_;
  std::array<std::size_t, kLongest> places_;
  std::size_t begin_ = kLongest;
};

bool Take(std::string_view& text, std::string_view ending) {
  if (!text.ends_with(ending)) return false;
  text.remove_suffix(ending.size());
  return true;
}

void TakeOne(std::string_view& text, std::initializer_list<std::string_view> endings) {
  static_cast<void>(std::any_of(endings.begin(), endings.end(),
                                [&text](std::string_view ending) { return Take(text, ending); }));
}

/// "19 de marzo de 1962", "19th of March 1962".
void TakeJoint(std::string_view& text) { TakeOne(text, {"del", "de", "do", "of"}); }

/// "19", "9", "09", "1st", "1er".
bool TakeDay(std::string_view& text, unsigned day) {
  TakeOne(text, {"st", "nd", "rd", "th", "er"});
  const std::array<char, 2> two = {static_cast<char>('0' + day / 10),
                                   static_cast<char>('0' + day % 10)};
  const std::string_view digits(two.data(), two.size());
  return Take(text, digits) || (day < 10 && Take(text, digits.substr(1)));
}

}  // namespace

std::string WithoutSeparators(std::string_view bytes) {
  const std::array<unsigned char, 256>& folding = Folding();
  std::string kept;
  for (const char c : bytes) {
    const unsigned char folded = folding[static_cast<unsigned char>(c)];
    if (folded != 0) kept.push_back(static_cast<char>(folded));
  }
  return kept;
}

const std::string& LastLettersOfMonth(std::uint8_t month) {
  static const auto kLetters = [] {
    std::array<std::string, kMonths> letters;
    for (std::size_t i = 0; i < kMonths; ++i) {
      for (const std::string& name : AllNames()[i]) {
        const char last = name.back();
        if (IsLetter(last) && letters[i].find(last) == std::string::npos) letters[i] += last;
      }
    }
    return letters;
  }();
  return kLetters[month - 1U];
}

std::string_view EnglishMonth(std::uint8_t month) {
  constexpr auto kEnglish = std::to_array<std::string_view>(
      {"january", "february", "march", "april", "may", "june", "july", "august", "september",
       "october", "november", "december"});
  return kEnglish[month - 1U];
}

std::optional<std::size_t> BeginOfNamedDate(std::string_view bytes, DayOfMonth date,
                                            const std::vector<std::string>& names) {
  const Ending ending(bytes);
  const std::string_view text = ending.text();
  // "19 March": the month is last. "March 19th".
  std::string_view until_month = text;
  TakeJoint(until_month);
  std::string_view until_day = text;
  const bool day_last = TakeDay(until_day, date.day);
  for (const std::string& name : names) {
    std::string_view rest = until_day;
    if (day_last && Take(rest, name)) return ending.PlaceBehind(rest);
    rest = until_month;
    if (!Take(rest, name)) continue;
    TakeJoint(rest);
    if (TakeDay(rest, date.day)) return ending.PlaceBehind(rest);
  }
  return std::nullopt;
}

std::optional<std::size_t> BeginOfNamedDate(std::string_view bytes, DayOfMonth date) {
  return BeginOfNamedDate(bytes, date, AllNames()[date.month - 1U]);
}

}  // namespace dcmveil::engine::guard
