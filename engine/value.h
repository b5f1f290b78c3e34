// SPDX-License-Identifier: Apache-2.0
//
// What actions share: the values of an element as UTF-8 text or numbers, dates, ages, and the way
// back to the bytes of a value field. Pure functions; any number of threads may call them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dcmveil/error.h"
#include "dcmveil/tag.h"
#include "engine/action.h"

namespace dcmveil::engine {

// ---- Text ----------------------------------------------------------------------------------

/// The values of a text element.
struct TextValues {
  /// UTF-8 without padding: trailing blanks and NULs are cut, and leading blanks too where the VR
  /// says that they mean nothing. Empty values stay in their places; an element without any
  /// characters has no values at all.
  std::vector<std::string> values;
  /// A NUL with more text behind it stood in a value; that text is not in `values`.
  bool cut_at_nul = false;
  /// All bytes were legal in the instance's character set.
  bool exact = true;
};

/// REQUIRES: kTextVrs contains element.vr.
[[nodiscard]] TextValues DecodeText(const Element& element);

/// One value as TextValues has it.
[[nodiscard]] std::string_view TrimPadding(Vr vr, std::string_view value);

/// With backslashes between.
[[nodiscard]] std::string JoinValues(const std::vector<std::string>& values);

/// The change that makes `values` the element's values: Set, or Empty if they amount to nothing.
/// Empty with kNoRoom if a value is longer than `room` characters (0: no limit; by default the
/// VR's own). Fails with kNotInCharset if the character set lacks a character, unless the input
/// was not `exact` itself: then such characters become question marks.
[[nodiscard]] Change EncodeText(const Element& element, const std::vector<std::string>& values,
                                std::optional<NoteCode> note, bool exact,
                                std::optional<int> room = std::nullopt);

/// What became of one value.
struct NewValue {
  std::string text;
  std::optional<NoteCode> note = std::nullopt;
  /// Set: the whole element becomes this instead (a removal, a failure).
  std::optional<Change::Kind> instead = std::nullopt;
  ErrorCode error = ErrorCode::kInternal;  ///< if `instead` is kFail
};

/// Asks `change(value, index)` for each non-empty value of the element; empty ones stay empty, and
/// number and order of values are kept. Where nothing changes the bytes stay as they are.
/// REQUIRES: kTextVrs contains element.vr.
template <typename Function>
[[nodiscard]] Change ChangeText(const Element& element, Function&& change,
                                std::optional<int> room = std::nullopt) {
  TextValues text = DecodeText(element);
  // Something may still hide behind a NUL or between blanks.
  bool changed = text.cut_at_nul || (text.values.empty() && !element.bytes.empty());
  std::optional<NoteCode> note;
  if (text.cut_at_nul) note = NoteCode::kTextAfterNul;
  for (std::size_t i = 0; i < text.values.size(); ++i) {
    std::string& value = text.values[i];
    if (value.empty()) continue;
    NewValue result = change(std::string_view(value), i);
    if (result.instead.has_value()) {
      return Change{.kind = *result.instead, .note = result.note, .error = result.error};
    }
    if (result.note.has_value()) note = result.note;
    if (result.text != value) {
      value = std::move(result.text);
      changed = true;
    }
  }
  if (!changed) return Change::Keep();
  return EncodeText(element, text.values, note, text.exact, room);
}

/// Code points of UTF-8 text.
[[nodiscard]] std::size_t CountCharacters(std::string_view utf8);

/// Whether one value fits the room that the VR sets, in characters; in PN each component group has
/// its own. `room` as in EncodeText.
[[nodiscard]] bool HasRoom(Vr vr, std::string_view utf8, std::optional<int> room = std::nullopt);

/// Whether one value, without padding, is legal for a text VR (PS3.5 table 6.2-1): characters,
/// form and length. The character set is not looked at. Empty is legal.
[[nodiscard]] bool IsLegalText(Vr vr, std::string_view utf8);

/// Splits at each `separator`; no text is one empty part.
[[nodiscard]] std::vector<std::string_view> Split(std::string_view text, char separator);

/// A value written in a rule ("1\2", "(0010,0010)", "DOE^JOHN") as an element's new content. Fails
/// with kVrUnsupported if the text is not legal for the VR.
/// REQUIRES: kTextVrs, kNumberVrs or AT contain element.vr.
[[nodiscard]] Change SetFromRule(const Element& element, std::string_view utf8);

// ---- Numbers -------------------------------------------------------------------------------

/// Inclusive limits of an integer VR, IS among them. A signed 128-bit integer holds them all.
__extension__ using Int128 = __int128;
struct IntegerLimits {
  Int128 low = 0;
  Int128 high = 0;
};
/// Nothing for VRs that hold no integers.
[[nodiscard]] std::optional<IntegerLimits> LimitsOf(Vr vr);

/// Size of one number of a VR in kNumberVrs, in bytes.
[[nodiscard]] std::size_t NumberSize(Vr vr);

/// The numbers of SL, SS, SV, UL, US or UV. Nothing if the length is not a multiple of the size.
[[nodiscard]] std::optional<std::vector<Int128>> DecodeIntegers(Vr vr, std::string_view bytes);
/// REQUIRES: the number is within LimitsOf(vr).
void AppendInteger(Vr vr, Int128 number, std::string& bytes);

/// The numbers of FD or FL, with infinities and NaNs. Nothing if the length is not a multiple.
[[nodiscard]] std::optional<std::vector<double>> DecodeReals(Vr vr, std::string_view bytes);
/// FL: the nearest float. Every NaN is written in the same way, so that no bits hide in it.
void AppendReal(Vr vr, double number, std::string& bytes);

/// A decimal number as DS has it, of any length; also accepted by rules. Nothing for other text.
[[nodiscard]] std::optional<double> ParseDecimal(std::string_view text);
/// A whole number as IS has it, within 64 bits. Nothing for other text.
[[nodiscard]] std::optional<std::int64_t> ParseInteger(std::string_view text);
/// A DS value of at most 16 characters with at most `decimals` digits behind the point, without
/// needless zeros; in scientific notation if there is no other way. REQUIRES: finite.
[[nodiscard]] std::string PrintDecimal(double number, int decimals);
/// The nearest number with that many decimals; numbers too large to have any stay as they are.
[[nodiscard]] double RoundTo(double number, int decimals);

// ---- Ages ----------------------------------------------------------------------------------

/// An AS value: "045Y".
struct Age {
  int number = 0;   ///< 0 to 999
  char unit = 'Y';  ///< D, W, M or Y

  /// Whole years, rounding down: 12 months, 52 weeks or 365 days make one.
  [[nodiscard]] int years() const;
};
/// Exactly three digits and D, W, M or Y. Nothing for other text.
[[nodiscard]] std::optional<Age> ParseAge(std::string_view text);
/// REQUIRES: the number is 0 to 999.
[[nodiscard]] std::string PrintAge(Age age);

// ---- Dates ---------------------------------------------------------------------------------

/// A date of the proleptic Gregorian calendar, years 1 to 9999, as precise as it was written.
struct Date {
  int year = 1;
  int month = 0;  ///< 0: not known
  int day = 0;    ///< 0: not known

  /// Moved by whole days from the first day of what is known, and as precise as before. Nothing if
  /// it leaves the years 1 to 9999.
  [[nodiscard]] std::optional<Date> Plus(int days) const;
  /// YYYYMMDD, YYYYMM or YYYY.
  [[nodiscard]] std::string Print() const;
};

/// A value of DA or DT: a date, and in DT what follows it.
struct DateTime {
  Date date;
  std::string_view time;  ///< "", "HH" to "HHMMSS.FFFFFF"
  std::string_view zone;  ///< "" or "+ZZXX"
};

/// One end of a range may be open, but not both. A single value has only `first`.
struct DateRange {
  std::optional<DateTime> first;
  std::optional<DateTime> last;
  bool is_range = false;
};

/// A DA or DT value: also YYYY, YYYYMM, the old YYYY.MM.DD and YYYY-MM-DD, and ranges with '-' as
/// in queries. In DT, "-ZZXX" at the end is an offset from UTC if it can be one. Nothing for what
/// is no date, such as 20190230. The parts refer to `text`. REQUIRES: vr is DA or DT.
[[nodiscard]] std::optional<DateRange> ParseDates(Vr vr, std::string_view text);

/// Room for a value of DA or DT with its range.
inline constexpr int kDateRoom = 54;

/// Both ends of the value changed by `change(DateTime) -> optional<string>` and joined again.
/// Nothing, with the date unparsed, gives an empty value and kDateUnparsed.
template <typename Function>
[[nodiscard]] NewValue ChangeDates(Vr vr, std::string_view text, Function&& change) {
  const NewValue dirty{.text = {}, .note = NoteCode::kDateUnparsed};
  const std::optional<DateRange> range = ParseDates(vr, text);
  if (!range.has_value()) return dirty;
  std::string out;
  for (const auto* end : {&range->first, &range->last}) {
    if (range->is_range && end == &range->last) out += '-';
    if (!end->has_value()) continue;
    const std::optional<std::string> changed = change(**end);
    if (!changed.has_value()) return dirty;
    out += *changed;
  }
  return {.text = std::move(out)};
}

// ---- Any value as text ---------------------------------------------------------------------

/// The numbers of a value field in little endian in their shortest decimal form; tags as ToString
/// has them. REQUIRES: kNumberVrs contains vr, or it is AT.
[[nodiscard]] std::vector<std::string> NumbersIn(std::string_view bytes, Vr vr);
/// Text as DecodeText has it, numbers and tags as NumbersIn has them; nothing for other VRs.
[[nodiscard]] std::vector<std::string> ValuesOf(const Element& element);

}  // namespace dcmveil::engine
