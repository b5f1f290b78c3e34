// SPDX-License-Identifier: Apache-2.0
#include "engine/clean/patterns.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "engine/clean/months.h"
#include "engine/dictionary.h"

namespace dcmveil::engine::clean {
namespace {

constexpr std::size_t kLongNumber = 6;
constexpr int kFirstYear = 1850;
constexpr int kLastYear = 2650;  // of the Buddhist calendar too

bool IsNumber(const Text& text, std::size_t i) {
  return i < text.words.size() && text.words[i].kind == Word::Kind::kNumber;
}

std::string_view Folded(const Text& text, std::size_t i) {
  return i < text.words.size() ? std::string_view(text.words[i].folded) : std::string_view();
}

bool HasLeadingZero(std::string_view digits) { return digits.size() > 1 && digits.front() == '0'; }

/// Of at most 9 digits; -1 for others.
int Value(std::string_view digits) {
  if (digits.empty() || digits.size() > 9) return -1;
  int value = 0;
  for (const char c : digits) {
    if (!IsDigit(c)) return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

bool IsYear(std::string_view digits) {
  const int value = Value(digits);
  return digits.size() == 4 && value >= kFirstYear && value <= kLastYear;
}

bool IsDay(std::string_view digits) {
  const int value = Value(digits);
  return digits.size() <= 2 && value >= 1 && value <= 31;
}

bool IsMonth(std::string_view digits) {
  const int value = Value(digits);
  return digits.size() <= 2 && value >= 1 && value <= 12;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::string TwoDigits(int number) {
  return {static_cast<char>('0' + number / 10 % 10), static_cast<char>('0' + number % 10)};
}

/// Whether the date counts: any does, or only the instance's own.
bool IsMeant(const Matcher* only, std::string_view year, int month, int day) {
  if (only == nullptr) return true;
  const std::string rest = TwoDigits(month) + TwoDigits(day);
  if (year.size() == 4) return only->IsDate(std::string(year) + rest);
  return only->IsDate("19" + std::string(year) + rest) ||
         only->IsDate("20" + std::string(year) + rest);
}

/// Days and months: 4.3. or 3/4, whichever is possible.
bool IsDayMonth(const Matcher* only, std::string_view a, std::string_view b,
                std::string_view year) {
  const bool day_first = IsDay(a) && IsMonth(b) && IsMeant(only, year, Value(b), Value(a));
  const bool month_first = IsMonth(a) && IsDay(b) && IsMeant(only, year, Value(a), Value(b));
  return day_first || month_first;
}

/// Numbers with nothing but points between them.
std::size_t WordsOfChain(const Text& text, std::size_t first) {
  std::size_t end = first + 1;
  while (IsNumber(text, end) && text.Gap(end) == ".") ++end;
  return end - first;
}

/// Signs that stand in other places than dates, so that these have all their digits: the colons of
/// image files, what separates fields.
bool IsRareSeparator(std::string_view separator) {
  return separator == ":" || separator == ";" || separator == "|";
}

/// The day or year in "19T00", with which a time of ISO 8601 begins; nothing for other words.
std::string_view NumberBeforeTime(std::string_view folded) {
  constexpr std::size_t kYear = 4;
  const std::size_t t = folded.find('t');
  if (t == std::string_view::npos || t == 0 || t > kYear) return {};
  std::string_view hour = folded.substr(t + 1);
  if (hour.ends_with('z')) hour.remove_suffix(1);
  return Value(hour) >= 0 && Value(folded.substr(0, t)) >= 0 ? folded.substr(0, t)
                                                             : std::string_view();
}

/// The word behind a time of ISO 8601 whose hour is before word i: minutes, seconds, a fraction,
/// the zone.
std::size_t EndOfTime(const Text& text, std::size_t i) {
  const auto is_part = [&text](std::size_t at) {
    const std::string_view word = Folded(text, at);
    return !word.empty() && IsDigit(word.front()) &&
           (IsNumber(text, at) || Value(word.substr(0, word.size() - 1)) >= 0);
  };
  while (is_part(i) && (text.Gap(i) == ":" || text.Gap(i) == ".")) ++i;
  if (is_part(i) && (text.Gap(i) == "+" || text.Gap(i) == "-")) ++i;
  while (is_part(i) && text.Gap(i) == ":") ++i;
  return i;
}

std::size_t WordsOfNumericDate(const Text& text, std::size_t i, const Matcher* only) {
  if (!IsNumber(text, i) || !IsNumber(text, i + 1)) return 0;
  const std::string_view separator = Trim(text.Gap(i + 1));
  const bool rare = IsRareSeparator(separator);
  if (separator != "-" && separator != "/" && separator != "." && separator != "_" && !rare &&
      !separator.empty()) {
    return 0;
  }
  // The end of a decimal number or of a longer chain is no date.
  const std::string_view before = i > 0 && IsNumber(text, i - 1) ? text.Gap(i) : "";
  if (before == "." || before == separator) {
    if (!separator.empty()) return 0;
  }
  const std::string_view a = Folded(text, i);
  const std::string_view b = Folded(text, i + 1);
  const std::string_view joined =
      separator.empty() ? std::string_view() : NumberBeforeTime(Folded(text, i + 2));
  const std::string_view c = joined.empty() ? Folded(text, i + 2) : joined;
  const bool third = IsNumber(text, i + 2) || !joined.empty();
  if (rare && (a.size() + b.size() + c.size() != 8 || b.size() != 2 || !third ||
               (separator == ":" && !IsYear(a)))) {
    return 0;
  }
  if (third && Trim(text.Gap(i + 2)) == separator) {
    const bool longer = separator == "." && IsNumber(text, i + 3) && Trim(text.Gap(i + 3)) == ".";
    const bool padded = !separator.empty() || (a.size() + b.size() + c.size() == 8);
    if (padded) {
      // What is chained to a whole year ("12.08.1957.10.30") is its time, or a number of the day.
      std::size_t all = longer ? WordsOfChain(text, i) : 3;
      if (!joined.empty()) all = EndOfTime(text, i + 3) - i;
      if (IsYear(a) && IsMonth(b) && IsDay(c) && IsMeant(only, a, Value(b), Value(c))) return all;
      if (IsYear(c) && IsDayMonth(only, a, b, c)) return all;
    }
    if (!joined.empty()) return 0;
    if (!longer && padded) {
      if (!separator.empty() && separator != "_" && c.size() == 2 && IsDayMonth(only, a, b, c)) {
        return 3;
      }
      if (separator == "-" && a.size() == 2 && c.size() == 2 && b.size() == 2 &&
          IsDayMonth(only, c, b, a)) {
        return 3;
      }
      return 0;
    }
  }
  // A month alone: 2019-03, 03/2019.
  if (only != nullptr || rare || separator.empty() || separator == "_" || separator == ".") {
    return 0;
  }
  if (IsNumber(text, i + 2) && text.Gap(i + 2) == separator) return 0;
  if (IsYear(a) && IsMonth(b) && b.size() == 2) return 2;
  if (separator == "/" && IsMonth(a) && IsYear(b)) return 2;
  return 0;
}

bool IsDateGap(std::string_view gap) {
  const std::string_view trimmed = Trim(gap);
  return trimmed.empty() || trimmed == "." || trimmed == "," || trimmed == "-" || trimmed == "/" ||
         trimmed == "'" || trimmed == "_" || trimmed == "\xE2\x80\x99";
}

/// "4th" is 4; -1 for what is no day.
int DayOf(const Text& text, std::size_t i) {
  std::string_view folded = Folded(text, i);
  if (!IsNumber(text, i)) {
    if (folded.size() < 3 || !IsDigit(folded.front())) return -1;
    const std::string_view ending = folded.substr(folded.size() - 2);
    if (ending != "st" && ending != "nd" && ending != "rd" && ending != "th" && ending != "er") {
      return -1;
    }
    folded.remove_suffix(2);
  }
  return IsDay(folded) ? Value(folded) : -1;
}

/// "2019 Mar 4".
std::size_t WordsOfNamedDateByYear(const Text& text, std::size_t i, const Matcher* only) {
  if (!IsNumber(text, i) || !IsYear(Folded(text, i))) return 0;
  const MonthName* month = FindMonth(Folded(text, i + 1));
  if (month == nullptr || !IsDateGap(text.Gap(i + 1)) || !IsDateGap(text.Gap(i + 2))) return 0;
  const int day = DayOf(text, i + 2);
  return day >= 0 && IsMeant(only, Folded(text, i), month->month, day) ? 3 : 0;
}

/// "4.III.2019", "4 III 2019". Few signs and blanks alone: "1 IV 2000 ml", "5 x 2000".
std::size_t WordsOfRomanDate(const Text& text, std::size_t i, const Matcher* only) {
  if (!IsNumber(text, i) || !IsDay(Folded(text, i)) || !IsNumber(text, i + 2)) return 0;
  const std::string_view folded = Folded(text, i + 1);
  const MonthName* month = FindRomanMonth(folded);
  if (month == nullptr || !IsYear(Folded(text, i + 2))) return 0;
  if (!IsDateGap(text.Gap(i + 1)) || !IsDateGap(text.Gap(i + 2))) return 0;
  const bool blanks = Trim(text.Gap(i + 1)).empty() || Trim(text.Gap(i + 2)).empty();
  if (blanks && only == nullptr && folded.size() < 3) return 0;
  return IsMeant(only, Folded(text, i + 2), month->month, Value(Folded(text, i))) ? 3 : 0;
}

/// "4 March 2019", "March 4th, 2019", "Mar 2019", "4 de marzo de 2019".
std::size_t WordsOfNamedDate(const Text& text, std::size_t first, const Matcher* only) {
  const auto skip = [&text](std::size_t i) {
    const std::string_view word = Folded(text, i);
    return word == "de" || word == "del" || word == "of" || word == "do" ? i + 1 : i;
  };
  std::size_t i = first;
  int day = -1;
  if (FindMonth(Folded(text, i)) == nullptr) {
    day = DayOf(text, i);
    if (day < 0) return 0;
    i = skip(i + 1);
  }
  const MonthName* month = FindMonth(Folded(text, i));
  if (month == nullptr || (i > first && !IsDateGap(text.Gap(i)))) return 0;
  std::size_t end = i + 1;
  if (day < 0 && IsDateGap(text.Gap(end))) {
    day = DayOf(text, end);
    if (day >= 0) ++end;
  }
  std::string_view year;
  const std::size_t at = skip(end);
  if (IsNumber(text, at) && IsDateGap(text.Gap(at))) {
    const std::string_view digits = Folded(text, at);
    const bool two = digits.size() == 2 && day >= 0 && !text.Gap(at).empty() &&
                     text.Gap(at) != " " && text.Gap(at) != ". ";
    if (IsYear(digits) || two) {
      year = digits;
      end = at + 1;
    }
  }
  if (year.empty() && (month->is_short || day < 0)) return 0;
  if (only != nullptr) {
    return day >= 0 && !year.empty() && IsMeant(only, year, month->month, day) ? end - first : 0;
  }
  return end - first;
}

/// "04MAR2019", "Mar2019".
bool IsJoinedDate(const Word& word, const Matcher* only) {
  if (!word.has_digit) return false;
  const std::string_view folded = word.folded;
  const std::size_t days = std::min(folded.find_first_not_of("0123456789"), folded.size());
  const std::size_t last = folded.find_last_not_of("0123456789");
  if (last == std::string_view::npos || days > last) return false;
  const MonthName* month = FindMonth(folded.substr(days, last + 1 - days));
  if (month == nullptr) return false;
  const std::string_view day = folded.substr(0, days);
  const std::string_view year = folded.substr(last + 1);
  if (day.empty()) return only == nullptr && IsYear(year);
  return IsDay(day) && (IsYear(year) || year.size() == 2) &&
         IsMeant(only, year, month->month, Value(day));
}

/// 2019年3月4日, 2019년 3월 4일.
std::size_t WordsOfEastAsianDate(const Text& text, std::size_t i, const Matcher* only) {
  const auto unit = [&text](std::size_t at, std::string_view chinese, std::string_view korean) {
    const std::string_view word = Folded(text, at);
    return word.starts_with(chinese) || word.starts_with(korean);
  };
  if (!IsNumber(text, i) || !unit(i + 1, "年", "년") || !IsNumber(text, i + 2) ||
      !unit(i + 3, "月", "월")) {
    return 0;
  }
  const std::string_view year = Folded(text, i);
  const std::string_view month = Folded(text, i + 2);
  if (!IsMonth(month) || (!IsYear(year) && year.size() > 2)) return 0;
  const bool day = IsNumber(text, i + 4) && IsDay(Folded(text, i + 4));
  if (only != nullptr) {
    return day && IsMeant(only, year, Value(month), Value(Folded(text, i + 4))) ? 6 : 0;
  }
  return day && unit(i + 5, "日", "일") ? 6 : 4;
}

std::size_t WordsOfTime(const Text& text, std::size_t i) {
  const auto is_half_day = [](std::string_view word) {
    return word == "am" || word == "pm" || word == "uhr";
  };
  const auto minutes = [&text](std::size_t at) {
    return IsNumber(text, at) && Folded(text, at).size() == 2 && Value(Folded(text, at)) < 60;
  };
  if (!IsNumber(text, i)) {
    const std::string_view word = Folded(text, i);
    if (!text.words[i].has_digit) return 0;
    const std::size_t digits = word.find_first_not_of("0123456789");
    if (digits > 2 || Value(word.substr(0, digits)) > 24) return 0;
    const std::string_view rest = word.substr(digits);
    if (is_half_day(rest)) return 1;
    const bool french = rest.size() == 3 && rest.front() == 'h' && Value(rest.substr(1)) >= 0 &&
                        Value(rest.substr(1)) < 60;
    return french ? 1 : 0;
  }
  const std::string_view hour = Folded(text, i);
  if (hour.size() > 2 || Value(hour) > 24) return 0;
  std::size_t end = i + 1;
  const bool clock = text.Gap(end) == ":" && minutes(end);
  if (clock) {
    ++end;
    if (text.Gap(end) == ":" && minutes(end)) ++end;
    if (text.Gap(end) == "." && IsNumber(text, end) && end == i + 3) ++end;
  } else if (text.Gap(end) == "." && minutes(end)) {
    ++end;
  }
  const bool half_day = Trim(text.Gap(end)).empty() && is_half_day(Folded(text, end));
  if (half_day) return end + 1 - i;
  return clock ? end - i : 0;
}

/// Telephone and social security numbers: groups of digits.
std::size_t WordsOfPhone(const Text& text, std::size_t i) {
  constexpr std::size_t kMostGroups = 7;
  if (!IsNumber(text, i)) return 0;
  std::array<std::size_t, kMostGroups> sizes{};
  std::size_t groups = 0;
  std::size_t digits = 0;
  bool dashes_only = true;
  bool brackets = false;
  bool points = false;
  while (groups < kMostGroups && IsNumber(text, i + groups)) {
    if (groups > 0) {
      const std::string_view gap = text.Gap(i + groups);
      const std::string_view sign = Trim(gap);
      if (gap.size() > 3 || (!sign.empty() && sign != "-" && sign != "." && sign != "/" &&
                             sign != ")" && sign != "(" && sign != ")-")) {
        break;
      }
      dashes_only = dashes_only && gap == "-";
      brackets = brackets || sign == ")" || sign == ")-";
      points = points || sign == ".";
    }
    sizes[groups] = Folded(text, i + groups).size();
    digits += sizes[groups];
    ++groups;
    if (digits > 15) return 0;
  }
  const std::string_view before = text.Gap(i);
  const std::string_view last = before.empty() ? "" : before.substr(before.size() - 1);
  if (last == "+" && digits >= 7 && groups >= 2) return groups;
  if (groups >= 2 && brackets && digits >= 7) return groups;
  if (groups >= 3 && sizes[0] == 3 && sizes[1] == 3 && sizes[2] == 4) return 3;
  if (groups >= 4 && sizes[0] == 1 && sizes[1] == 3 && sizes[2] == 3 && sizes[3] == 4) return 4;
  const bool social = groups >= 3 && sizes[0] == 3 && sizes[1] == 2 && sizes[2] == 4;
  if (social) return 3;
  if (groups == 2 && dashes_only && sizes[0] == 3 && sizes[1] == 4) return 2;
  constexpr std::size_t kFewestWithPoints = 4;  // "01.23.45.67.89"; fewer may be a date
  const bool long_distance =
      Folded(text, i).starts_with('0') && sizes[0] >= 2 &&
      (points ? digits >= 9 && groups >= kFewestWithPoints : digits >= 8 && groups >= 2);
  return long_distance ? groups : 0;
}

/// 192.168.0.1 is taken by WordsOfUid; here addresses of hardware and IPv6.
std::size_t WordsOfHexAddress(const Text& text, std::size_t i) {
  const auto is_hex = [&text](std::size_t at, std::size_t most) {
    const std::string_view word = Folded(text, at);
    return !word.empty() && word.size() <= most &&
           word.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  };
  const std::string_view sign = text.Gap(i + 1);
  if (sign != ":" && sign != "-" && sign != "::") return 0;
  std::size_t groups = 0;
  bool two_each = true;
  while (is_hex(i + groups, 4) &&
         (groups == 0 || text.Gap(i + groups) == sign || text.Gap(i + groups) == "::")) {
    two_each = two_each && Folded(text, i + groups).size() == 2;
    ++groups;
  }
  if (two_each && groups >= 6) return groups;
  return groups >= 4 && sign != "-" && !two_each ? groups : 0;
}

std::size_t WordsOfNetworkName(const Text& text, std::size_t i) {
  const std::size_t count = text.words.size();
  const auto joined = [&text](std::size_t at) {
    return text.Gap(at).find_first_of(" \t\r\n,;<>\"()") == std::string_view::npos;
  };
  const std::string_view word = Folded(text, i);
  // An e-mail address begins with the first word that is joined to its '@'.
  std::size_t at = i + 1;
  while (at < count && joined(at) && text.Gap(at) != "@") {
    const std::string_view gap = text.Gap(at);
    if (gap != "." && gap != "_" && gap != "-" && gap != "+") break;
    ++at;
  }
  if (at < count && text.Gap(at) == "@") {
    ++at;
    while (at < count && (text.Gap(at) == "." || text.Gap(at) == "-")) ++at;
    return at - i;
  }
  const bool scheme = (word == "http" || word == "https" || word == "ftp" || word == "file" ||
                       word == "dicom" || word == "mailto") &&
                      text.Gap(i + 1).starts_with(':') && i + 1 < count && joined(i + 1);
  bool domain = word == "www" && text.Gap(i + 1) == ".";
  if (!scheme && !domain) {
    constexpr auto kDomains = std::to_array<std::string_view>(
        {"biz", "ch", "com",   "de",  "edu", "eu", "fr",  "gov", "info", "int", "io",
         "it",  "jp", "local", "mil", "net", "nl", "org", "pl",  "ru",   "uk"});
    for (std::size_t next = i + 1; next < count && text.Gap(next) == "."; ++next) {
      if (IsNumber(text, next - 1)) break;
      const bool ends = next + 1 == count || !text.Gap(next + 1).starts_with('.') ||
                        text.Gap(next + 1).size() > 1;
      if (ends && std::binary_search(kDomains.begin(), kDomains.end(), Folded(text, next))) {
        domain = true;
        break;
      }
    }
  }
  if (!scheme && !domain) return 0;
  std::size_t end = i + 1;
  while (end < count && joined(end)) ++end;
  return end - i;
}

/// 192.168.0.1, but not "2.22.5.0" or "51.80.108.010", which are versions.
bool IsHostAddress(const Text& text, std::size_t first) {
  constexpr std::size_t kFewestDigits = 7;
  constexpr int kMost = 255;
  std::size_t digits = 0;
  for (std::size_t i = first; i < first + 4; ++i) {
    const std::string_view group = Folded(text, i);
    if (Value(group) > kMost || group.size() > 3 || HasLeadingZero(group)) return false;
    digits += group.size();
  }
  return digits >= kFewestDigits;
}

bool HasLongNumber(std::string_view folded) {
  std::size_t digits = 0;
  for (const char c : folded) {
    digits = IsDigit(c) ? digits + 1 : 0;
    if (digits >= kLongNumber) return true;
  }
  return false;
}

}  // namespace

std::size_t WordsOfDate(const Text& text, std::size_t first, const Matcher* only) {
  const Word& word = text.words[first];
  if (word.kind == Word::Kind::kNumber) {
    if (const std::size_t found = WordsOfNumericDate(text, first, only)) return found;
    if (const std::size_t found = WordsOfEastAsianDate(text, first, only)) return found;
    if (const std::size_t found = WordsOfNamedDateByYear(text, first, only)) return found;
    if (const std::size_t found = WordsOfRomanDate(text, first, only)) return found;
  } else if (IsJoinedDate(word, only)) {
    return 1;
  }
  return WordsOfNamedDate(text, first, only);
}

bool LooksLikeUid(std::string_view chain) {
  constexpr std::size_t kSurelyGroups = 5;
  constexpr std::size_t kFewestGroups = 4;
  constexpr std::size_t kLong = 15;
  constexpr std::size_t kSurelyLong = 20;  // some vendors' have components with leading zeros
  constexpr std::size_t kLongUuid = 10;    // digits behind "2.25."
  constexpr std::string_view kUuid = "2.25.";
  std::size_t groups = 0;
  for (std::size_t at = 0; at <= chain.size(); ++groups) {
    const std::size_t end = std::min(chain.find('.', at), chain.size());
    const std::string_view group = chain.substr(at, end - at);
    if (group.empty() || !std::all_of(group.begin(), group.end(), IsDigit)) return false;
    if (groups == 0 && group != "0" && group != "1" && group != "2") return false;
    if (HasLeadingZero(group) && chain.size() < kSurelyLong) return false;
    at = end + 1;
  }
  return groups >= kSurelyGroups || (groups >= kFewestGroups && chain.size() >= kLong) ||
         (chain.starts_with(kUuid) && chain.size() >= kUuid.size() + kLongUuid);
}

std::size_t WordsOfUid(const Text& text, std::size_t first) {
  if (!IsNumber(text, first) || text.Gap(first + 1) != ".") return 0;
  if (first > 0 && IsNumber(text, first - 1) && text.Gap(first) == ".") return 0;
  const std::size_t groups = WordsOfChain(text, first);
  const std::size_t begin = text.words[first].begin;
  const std::string_view chain =
      text.utf8.substr(begin, text.words[first + groups - 1].end - begin);
  if (groups == 4 && IsHostAddress(text, first)) return groups;
  return LooksLikeUid(chain) && !IsRegisteredUid(chain) ? groups : 0;
}

std::size_t WordsOfPattern(const Text& text, std::size_t first) {
  const Word& word = text.words[first];
  if (word.kind == Word::Kind::kUnsegmented) return 0;
  // Most words have a blank behind them, and none of the network names has.
  if (!text.Gap(first + 1).starts_with(' ') && first + 1 < text.words.size()) {
    if (const std::size_t found = WordsOfNetworkName(text, first)) return found;
    if (const std::size_t found = WordsOfHexAddress(text, first)) return found;
  }
  if (word.kind == Word::Kind::kNumber) {
    if (const std::size_t found = WordsOfPhone(text, first)) return found;
  }
  if (const std::size_t found = WordsOfTime(text, first)) return found;
  // The many places of "0.084906" are no number of their own.
  const bool decimals = first > 0 && IsNumber(text, first) && IsNumber(text, first - 1) &&
                        text.Gap(first) == "." && Folded(text, first - 1).size() <= 2;
  return HasLongNumber(word.folded) && !decimals ? 1 : 0;
}

}  // namespace dcmveil::engine::clean
