// SPDX-License-Identifier: Apache-2.0
#include "engine/value.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <system_error>

namespace dcmveil::engine {
namespace {

// Leading blanks are part of the text here (PS3.5 table 6.2-1).
constexpr VrSet kLeadingBlanksCount{Vr::LT, Vr::ST, Vr::UC, Vr::UR, Vr::UT};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool AllDigits(std::string_view text) { return std::all_of(text.begin(), text.end(), IsDigit); }

// REQUIRES: at most nine digits.
int ToInt(std::string_view digits) {
  int number = 0;
  for (const char c : digits) number = number * 10 + (c - '0');
  return number;
}

// Appends at least `width` digits.
void AppendPadded(std::string& out, int number, std::size_t width) {
  const std::string digits = std::to_string(number);
  if (digits.size() < width) out.append(width - digits.size(), '0');
  out += digits;
}

std::size_t CodePointSize(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  if (byte < 0x80) return 1;
  if (byte < 0xE0) return 2;
  return byte < 0xF0 ? 3 : 4;
}

// The text with question marks for all that the character set lacks.
std::string Encodable(const Element& element, std::string_view utf8) {
  std::string out;
  while (!utf8.empty()) {
    const std::string_view character = utf8.substr(0, CodePointSize(utf8.front()));
    if (element.instance.charset.Encode(character, element.vr).has_value()) {
      out += character;
    } else {
      out += '?';
    }
    utf8.remove_prefix(character.size());
  }
  return out;
}

// YYYY.MM.DD of ACR-NEMA, or YYYY-MM-DD.
bool IsOldStyle(std::string_view text) {
  return text.size() == 10 && text[4] == text[7] && (text[4] == '.' || text[4] == '-');
}

bool IsLegalDate(std::string_view text) {
  if (text.size() != 8) return false;
  const auto range = ParseDates(Vr::DA, text);
  return range.has_value() && !range->is_range;
}

bool IsLegalTime(std::string_view text) {
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string_view clock = text.substr(0, point);
  if (!AllDigits(clock) || clock.size() % 2 != 0 || clock.empty() || clock.size() > 6) return false;
  if (ToInt(clock.substr(0, 2)) > 23) return false;
  if (clock.size() >= 4 && ToInt(clock.substr(2, 2)) > 59) return false;
  if (clock.size() == 6 && ToInt(clock.substr(4, 2)) > 60) return false;
  if (point == text.size()) return true;
  const std::string_view fraction = text.substr(point + 1);
  return clock.size() == 6 && !fraction.empty() && fraction.size() <= 6 && AllDigits(fraction);
}

bool IsLegalUid(std::string_view text) {
  if (text.size() > 64) return false;
  const std::vector<std::string_view> parts = Split(text, '.');
  return std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
    return !part.empty() && AllDigits(part) && (part.size() == 1 || part.front() != '0');
  });
}

// PS3.5 table 6.2-1 excludes control characters, but for ESC, which an encoder adds, and in long
// texts the ones that format a page.
bool HasControlCharacters(Vr vr, std::string_view text) {
  const bool has_pages = VrSet{Vr::LT, Vr::ST, Vr::UT}.contains(vr);
  return std::any_of(text.begin(), text.end(), [has_pages](char c) {
    if (has_pages && (c == '\t' || c == '\n' || c == '\f' || c == '\r')) return false;
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
}

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// REQUIRES: month is 1 to 12.
bool IsDay(int year, int month, int day) {
  using std::chrono::year_month_day;
  return year_month_day(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                        std::chrono::day(static_cast<unsigned>(day)))
      .ok();
}

// YYYY, YYYYMM or YYYYMMDD of digits alone.
std::optional<Date> ParseDigits(std::string_view digits) {
  if (digits.size() != 4 && digits.size() != 6 && digits.size() != 8) return std::nullopt;
  if (!AllDigits(digits)) return std::nullopt;
  Date date{.year = ToInt(digits.substr(0, 4))};
  if (date.year < 1) return std::nullopt;
  if (digits.size() == 4) return date;
  date.month = ToInt(digits.substr(4, 2));
  if (date.month < 1 || date.month > 12) return std::nullopt;
  if (digits.size() == 6) return date;
  date.day = ToInt(digits.substr(6, 2));
  if (!IsDay(date.year, date.month, date.day)) return std::nullopt;
  return date;
}

std::optional<Date> ParseDate(std::string_view text) {
  if (IsOldStyle(text)) {
    std::string digits(text.substr(0, 4));
    digits += text.substr(5, 2);
    digits += text.substr(8, 2);
    return ParseDigits(digits);
  }
  return ParseDigits(text);
}

// PS3.5 6.2: from -1200 to +1400.
bool IsZone(std::string_view text) {
  if (text.size() != 5 || (text[0] != '+' && text[0] != '-') || !AllDigits(text.substr(1))) {
    return false;
  }
  const int hours = ToInt(text.substr(1, 2));
  return hours <= 14 && ToInt(text.substr(3, 2)) <= 59;
}

std::optional<DateTime> ParseOne(Vr vr, std::string_view text) {
  DateTime out;
  if (const auto date = ParseDate(text); date.has_value()) {
    out.date = *date;
    return out;
  }
  if (vr != Vr::DT) return std::nullopt;
  if (text.size() > 5 && IsZone(text.substr(text.size() - 5))) {
    out.zone = text.substr(text.size() - 5);
    text.remove_suffix(5);
  }
  const auto date = ParseDate(IsOldStyle(text) ? text : text.substr(0, 8));
  if (!date.has_value()) return std::nullopt;
  out.date = *date;
  if (text.size() > 8 && AllDigits(text.substr(0, 8))) {
    out.time = text.substr(8);
    if (!IsLegalTime(out.time)) return std::nullopt;
  }
  return out;
}

template <typename T>
void AppendLittleEndian(T number, std::size_t size, std::string& bytes) {
  for (std::size_t i = 0; i < size; ++i) {
    bytes.push_back(static_cast<char>(static_cast<unsigned char>(number >> (8U * i))));
  }
}

std::uint64_t ReadLittleEndian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    number = (number << 8U) | static_cast<unsigned char>(bytes[i]);
  }
  return number;
}

std::string ToChars(double number, std::chars_format format, int precision) {
  std::array<char, 400> buffer{};
  const auto result =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, format, precision);
  return std::string(buffer.data(), result.ptr);
}

// Without needless zeros behind the point, and without "-0".
std::string Shorten(std::string text) {
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  return text == "-0" ? "0" : text;
}

// "(0010,0020)", "0010,0020" or "00100020".
std::optional<Tag> ParseTag(std::string_view text) {
  if (text.size() == 11 && text.front() == '(' && text.back() == ')') {
    text = text.substr(1, 9);
  }
  std::string digits(text);
  if (digits.size() == 9 && digits[4] == ',') digits.erase(4, 1);
  if (digits.size() != 8) return std::nullopt;
  std::uint32_t number = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  if (result.ec != std::errc() || result.ptr != digits.data() + digits.size()) return std::nullopt;
  return Tag(number);
}

// One number or tag of a rule, appended; false if it is none of that VR.
bool AppendBinary(Vr vr, std::string_view text, std::string& bytes) {
  if (vr == Vr::AT) {
    const auto tag = ParseTag(text);
    if (!tag.has_value()) return false;
    AppendLittleEndian<std::uint32_t>(tag->group, 2, bytes);
    AppendLittleEndian<std::uint32_t>(tag->element, 2, bytes);
    return true;
  }
  if (vr == Vr::FD || vr == Vr::FL) {
    const auto number = ParseDecimal(text);
    if (!number.has_value()) return false;
    if (vr == Vr::FL && std::abs(*number) > double{std::numeric_limits<float>::max()}) return false;
    AppendReal(vr, *number, bytes);
    return true;
  }
  Int128 number = 0;
  if (const auto integer = ParseInteger(text); integer.has_value()) {
    number = *integer;
  } else {
    // The upper half of UV.
    std::uint64_t large = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), large);
    if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return false;
    number = large;
  }
  const IntegerLimits limits = LimitsOf(vr).value_or(IntegerLimits{});
  if (number < limits.low || number > limits.high) return false;
  AppendInteger(vr, number, bytes);
  return true;
}

std::string_view TrimBlanks(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

}  // namespace

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string JoinValues(const std::vector<std::string>& values) {
  std::string out;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += '\\';
    out += values[i];
  }
  return out;
}

std::string_view TrimPadding(Vr vr, std::string_view value) {
  constexpr std::string_view kPadding(" \0", 2);
  const std::size_t last = value.find_last_not_of(kPadding);
  value = value.substr(0, last == std::string_view::npos ? 0 : last + 1);
  if (!kLeadingBlanksCount.contains(vr)) {
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  }
  return value;
}

TextValues DecodeText(const Element& element) {
  TextValues out;
  Charset::DecodedValues decoded = element.instance.charset.DecodeValues(element.bytes, element.vr);
  out.exact = decoded.exact;
  out.values = std::move(decoded.values);
  bool any = out.values.size() > 1;
  for (std::string& value : out.values) {
    std::string_view text = TrimPadding(element.vr, value);
    if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
      text = TrimPadding(element.vr, text.substr(0, nul));
      out.cut_at_nul = true;
    }
    any = any || !text.empty();
    if (text.size() != value.size()) value = std::string(text);
  }
  if (!any) out.values.clear();
  return out;
}

std::size_t CountCharacters(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

bool HasRoom(Vr vr, std::string_view utf8, std::optional<int> room) {
  const int limit = room.value_or(MaxLength(vr));
  if (limit <= 0) return true;
  const auto fits = [limit](std::string_view text) {
    return CountCharacters(text) <= static_cast<std::size_t>(limit);
  };
  if (vr != Vr::PN) return fits(utf8);
  const std::vector<std::string_view> groups = Split(utf8, '=');
  return std::all_of(groups.begin(), groups.end(), fits);
}

Change EncodeText(const Element& element, const std::vector<std::string>& values,
                  std::optional<NoteCode> note, bool exact, std::optional<int> room) {
  for (const std::string& value : values) {
    if (!HasRoom(element.vr, value, room)) return Change::Empty(NoteCode::kNoRoom);
  }
  const std::string joined = JoinValues(values);
  if (joined.empty()) return Change::Empty(note);
  std::optional<std::string> bytes = element.instance.charset.Encode(joined, element.vr);
  if (!bytes.has_value() && !exact) {
    bytes = element.instance.charset.Encode(Encodable(element, joined), element.vr);
  }
  if (!bytes.has_value()) return Change::Fail(ErrorCode::kNotInCharset);
  return Change::Set(*std::move(bytes), note);
}

bool IsLegalText(Vr vr, std::string_view utf8) {
  if (utf8.empty()) return true;
  if (!kSingleTextVrs.contains(vr) && utf8.find('\\') != std::string_view::npos) return false;
  if (HasControlCharacters(vr, utf8) || !HasRoom(vr, utf8)) return false;
  if (!kCharsetVrs.contains(vr) && !IsAscii(utf8)) return false;
  switch (vr) {
    case Vr::AS:
      return ParseAge(utf8).has_value();
    case Vr::CS:
      return std::all_of(utf8.begin(), utf8.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || IsDigit(c) || c == ' ' || c == '_';
      });
    case Vr::DA:
      return IsLegalDate(utf8);
    case Vr::DS:
      return ParseDecimal(TrimBlanks(utf8)).has_value();
    case Vr::DT: {
      const auto range = ParseDates(vr, utf8);
      return range.has_value() && !range->is_range && !IsOldStyle(utf8);
    }
    case Vr::IS: {
      const auto number = ParseInteger(TrimBlanks(utf8));
      const IntegerLimits limits = *LimitsOf(vr);
      return number.has_value() && *number >= limits.low && *number <= limits.high;
    }
    case Vr::PN: {
      const std::vector<std::string_view> groups = Split(utf8, '=');
      return groups.size() <= 3 &&
             std::all_of(groups.begin(), groups.end(), [](std::string_view group) {
               return std::count(group.begin(), group.end(), '^') <= 4;
             });
    }
    case Vr::TM:
      return IsLegalTime(utf8);
    case Vr::UI:
      return IsLegalUid(utf8);
    case Vr::UR:
      return utf8.find(' ') == std::string_view::npos && utf8.find('\\') == std::string_view::npos;
    default:
      return true;
  }
}

Change SetFromRule(const Element& element, std::string_view utf8) {
  if (utf8.empty()) return Change::Empty();
  if (kTextVrs.contains(element.vr)) {
    std::vector<std::string> values;
    if (kSingleTextVrs.contains(element.vr)) {
      values.emplace_back(utf8);
    } else {
      for (const std::string_view value : Split(utf8, '\\')) values.emplace_back(value);
    }
    for (const std::string& value : values) {
      if (!IsLegalText(element.vr, value)) return Change::Fail(ErrorCode::kVrUnsupported);
    }
    return EncodeText(element, values, std::nullopt, true);
  }
  std::string bytes;
  for (const std::string_view value : Split(utf8, '\\')) {
    if (!AppendBinary(element.vr, TrimBlanks(value), bytes)) {
      return Change::Fail(ErrorCode::kVrUnsupported);
    }
  }
  return Change::Set(std::move(bytes));
}

std::optional<IntegerLimits> LimitsOf(Vr vr) {
  const auto limits = [](auto type) {
    return IntegerLimits{std::numeric_limits<decltype(type)>::min(),
                         std::numeric_limits<decltype(type)>::max()};
  };
  switch (vr) {
    case Vr::IS:
    case Vr::SL:
      return limits(std::int32_t{});
    case Vr::SS:
      return limits(std::int16_t{});
    case Vr::SV:
      return limits(std::int64_t{});
    case Vr::UL:
      return limits(std::uint32_t{});
    case Vr::US:
      return limits(std::uint16_t{});
    case Vr::UV:
      return limits(std::uint64_t{});
    default:
      return std::nullopt;
  }
}

std::size_t NumberSize(Vr vr) {
  switch (vr) {
    case Vr::SS:
    case Vr::US:
      return 2;
    case Vr::FL:
    case Vr::SL:
    case Vr::UL:
      return 4;
    default:
      return 8;
  }
}

std::optional<std::vector<Int128>> DecodeIntegers(Vr vr, std::string_view bytes) {
  const std::size_t size = NumberSize(vr);
  if (bytes.size() % size != 0) return std::nullopt;
  const IntegerLimits limits = LimitsOf(vr).value_or(IntegerLimits{});
  std::vector<Int128> numbers;
  numbers.reserve(bytes.size() / size);
  for (; !bytes.empty(); bytes.remove_prefix(size)) {
    Int128 number = ReadLittleEndian(bytes.substr(0, size));
    if (number > limits.high) number -= Int128{1} << (8U * size);
    numbers.push_back(number);
  }
  return numbers;
}

void AppendInteger(Vr vr, Int128 number, std::string& bytes) {
  AppendLittleEndian(static_cast<std::uint64_t>(number), NumberSize(vr), bytes);
}

std::optional<std::vector<double>> DecodeReals(Vr vr, std::string_view bytes) {
  const std::size_t size = NumberSize(vr);
  if (bytes.size() % size != 0) return std::nullopt;
  std::vector<double> numbers;
  numbers.reserve(bytes.size() / size);
  for (; !bytes.empty(); bytes.remove_prefix(size)) {
    const std::uint64_t bits = ReadLittleEndian(bytes.substr(0, size));
    numbers.push_back(size == 4 ? double{std::bit_cast<float>(static_cast<std::uint32_t>(bits))}
                                : std::bit_cast<double>(bits));
  }
  return numbers;
}

void AppendReal(Vr vr, double number, std::string& bytes) {
  if (std::isnan(number)) number = std::numeric_limits<double>::quiet_NaN();
  if (vr == Vr::FL) {
    AppendLittleEndian(std::bit_cast<std::uint32_t>(static_cast<float>(number)), 4, bytes);
  } else {
    AppendLittleEndian(std::bit_cast<std::uint64_t>(number), 8, bytes);
  }
}

std::optional<double> ParseDecimal(std::string_view text) {
  // from_chars takes "inf" and "nan" too, but no plus sign.
  if (text.empty() || text.find_first_not_of("0123456789+-.eE") != std::string_view::npos) {
    return std::nullopt;
  }
  if (text.front() == '+') {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  double number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::int64_t> ParseInteger(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  std::int64_t number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string PrintDecimal(double number, int decimals) {
  constexpr std::size_t kRoom = 16;
  if (std::abs(number) < 1e16) {
    for (int precision = decimals; precision >= 0; --precision) {
      std::string text = Shorten(ToChars(number, std::chars_format::fixed, precision));
      if (text.size() <= kRoom) return text;
    }
  }
  for (int precision = 10; precision > 0; --precision) {
    std::string text = ToChars(number, std::chars_format::scientific, precision);
    if (text.size() <= kRoom) return text;
  }
  return ToChars(number, std::chars_format::scientific, 0);
}

double RoundTo(double number, int decimals) {
  if (!std::isfinite(number) || std::abs(number) >= 0x1p53) return number;
  // Decimal printing rounds the exact value; multiplying by powers of ten would round twice.
  const std::string text = ToChars(number, std::chars_format::fixed, decimals);
  return ParseDecimal(text).value_or(number);
}

int Age::years() const {
  switch (unit) {
    case 'D':
      return number / 365;
    case 'W':
      return number / 52;
    case 'M':
      return number / 12;
    default:
      return number;
  }
}

std::optional<Age> ParseAge(std::string_view text) {
  if (text.size() != 4 || !AllDigits(text.substr(0, 3))) return std::nullopt;
  if (std::string_view("DWMY").find(text[3]) == std::string_view::npos) return std::nullopt;
  return Age{.number = ToInt(text.substr(0, 3)), .unit = text[3]};
}

std::string PrintAge(Age age) {
  std::string out;
  AppendPadded(out, age.number, 3);
  out += age.unit;
  return out;
}

std::optional<Date> Date::Plus(int days) const {
  using namespace std::chrono;  // NOLINT(google-build-using-namespace): calendar arithmetic
  const year_month_day start(std::chrono::year(year),
                             std::chrono::month(static_cast<unsigned>(std::max(month, 1))),
                             std::chrono::day(static_cast<unsigned>(std::max(day, 1))));
  const year_month_day moved(sys_days(start) + std::chrono::days(days));
  const int moved_year = static_cast<int>(moved.year());
  if (moved_year < 1 || moved_year > 9999) return std::nullopt;
  return Date{.year = moved_year,
              .month = month == 0 ? 0 : static_cast<int>(static_cast<unsigned>(moved.month())),
              .day = day == 0 ? 0 : static_cast<int>(static_cast<unsigned>(moved.day()))};
}

std::string Date::Print() const {
  std::string out;
  AppendPadded(out, year, 4);
  if (month != 0) AppendPadded(out, month, 2);
  if (day != 0) AppendPadded(out, day, 2);
  return out;
}

std::optional<DateRange> ParseDates(Vr vr, std::string_view text) {
  DateRange out;
  out.first = ParseOne(vr, text);
  if (out.first.has_value()) return out;
  out.is_range = true;
  // From the end, so that an offset from UTC stays with the date before it.
  for (std::size_t at = text.rfind('-'); at != std::string_view::npos;
       at = at == 0 ? std::string_view::npos : text.rfind('-', at - 1)) {
    const std::string_view left = TrimBlanks(text.substr(0, at));
    const std::string_view right = TrimBlanks(text.substr(at + 1));
    if (left.empty() && right.empty()) return std::nullopt;
    out.first = ParseOne(vr, left);
    out.last = ParseOne(vr, right);
    if ((left.empty() || out.first.has_value()) && (right.empty() || out.last.has_value())) {
      return out;
    }
  }
  return std::nullopt;
}

namespace {

template <typename T>
std::vector<std::string> NumbersOf(std::string_view bytes) {
  std::vector<std::string> numbers;
  for (std::size_t at = 0; at + sizeof(T) <= bytes.size(); at += sizeof(T)) {
    T number;
    std::memcpy(&number, bytes.data() + at, sizeof(T));
    std::array<char, 64> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
    numbers.emplace_back(text.data(), end);
  }
  return numbers;
}

std::vector<std::string> TagsOf(std::string_view bytes) {
  std::vector<std::string> tags;
  for (std::size_t at = 0; at + 4 <= bytes.size(); at += 4) {
    std::array<std::uint16_t, 2> tag{};
    std::memcpy(tag.data(), bytes.data() + at, 4);
    tags.push_back(ToString(Tag(tag[0], tag[1])));
  }
  return tags;
}

}  // namespace

std::vector<std::string> NumbersIn(std::string_view bytes, Vr vr) {
  switch (vr) {
    case Vr::US:
      return NumbersOf<std::uint16_t>(bytes);
    case Vr::SS:
      return NumbersOf<std::int16_t>(bytes);
    case Vr::UL:
      return NumbersOf<std::uint32_t>(bytes);
    case Vr::SL:
      return NumbersOf<std::int32_t>(bytes);
    case Vr::UV:
      return NumbersOf<std::uint64_t>(bytes);
    case Vr::SV:
      return NumbersOf<std::int64_t>(bytes);
    case Vr::FL:
      return NumbersOf<float>(bytes);
    case Vr::FD:
      return NumbersOf<double>(bytes);
    case Vr::AT:
      return TagsOf(bytes);
    default:
      return {};
  }
}

std::vector<std::string> ValuesOf(const Element& element) {
  if (kTextVrs.contains(element.vr)) return DecodeText(element).values;
  return NumbersIn(element.bytes, element.vr);
}

}  // namespace dcmveil::engine
