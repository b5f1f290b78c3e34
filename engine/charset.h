// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dcmveil/tag.h"

namespace dcmveil {

/// The Specific Character Set of a data set (PS3.3 C.12.1.1.2, PS3.5 6.1): turns the bytes of its
/// text into UTF-8 and back, the ISO 2022 code extensions included.
///
/// Cheap to construct and to copy: a converter of the C library is opened when the first character
/// outside ASCII asks for it, never for a data set that is all ASCII. Const members use these
/// converters, so one object serves one thread at a time; give each data set its own.
class Charset {
 public:
  /// Text as UTF-8. `exact` means that every byte was legal where it stood, in the declared sets
  /// and in the VR. Otherwise `text` is the best reading: a byte that means nothing is taken as
  /// Latin-1, so that no byte is lost to a search.
  struct Decoded {
    std::string text;
    bool exact = true;
  };
  struct DecodedValues {
    std::vector<std::string> values;
    bool exact = true;
  };

  /// The default repertoire, ISO_IR 6.
  Charset() = default;

  /// From the value of (0008,0005): the defined terms of PS3.3 tables C.12-2 to C.12-5 separated by
  /// backslashes. Case, blanks, hyphens, underscores and padding do not matter ("iso-ir 100"), nor
  /// does a missing or needless "2022". An unknown term, or one that cannot be combined with those
  /// before it, makes known() false; the object then works with the other terms.
  [[nodiscard]] static Charset FromTerms(std::string_view value);

  [[nodiscard]] bool known() const { return known_; }
  /// True for ISO_IR 192.
  [[nodiscard]] bool is_utf8() const { return form_ == Form::kUtf8; }
  /// True if nothing but ASCII is declared.
  [[nodiscard]] bool is_default() const {
    return form_ == Form::kIso2022 && g1_ == Set::kNone && g0_ == Set::kAscii && extra_.empty();
  }
  /// True if a byte below 0x80 always is a character of its own, as in ISO_IR 100 or ISO_IR 192:
  /// each byte 0x5C then is a backslash. False for GBK, GB18030 and code extensions.
  [[nodiscard]] bool ascii_bytes_stand_alone() const {
    return form_ == Form::kUtf8 || (form_ == Form::kIso2022 && !extensions_);
  }
  /// True if the bytes are ASCII without escape sequences: the same in every character set.
  [[nodiscard]] static bool IsPlainAscii(std::string_view bytes);

  /// The UTF-8 text of a value field, with its backslashes and padding. Character sets apply to
  /// LO, LT, PN, SH, ST, UC and UT only (PS3.5 6.1.2.2): in other VRs, what is not plain ASCII is
  /// decoded too but never exact. In ISO 2022 sets:
  /// - JIS X 0201's 0x5C and 0x7E are read as '\' and '~', as they are written by Encode.
  /// - An escape sequence of PS3.3 that is not declared is followed but not exact, and so is a
  ///   byte above 0x7F with no set active for it, which is read in the last such set of the value
  ///   field or else in the declared KS X 1001 or GB 2312.
  /// - Not returning to the initial set before a delimiter is inexact only where it changes the
  ///   meaning of bytes below 0x80 (JIS X 0208 and 0212).
  [[nodiscard]] Decoded Decode(std::string_view bytes, Vr vr) const;

  /// As Decode, split at the backslashes that are delimiters, not at second bytes 0x5C. VRs without
  /// multiplicity (LT, ST, UR, UT) give one value. No bytes give no value.
  [[nodiscard]] DecodedValues DecodeValues(std::string_view bytes, Vr vr) const;

  /// UTF-8 text of a whole value field (values joined by backslashes) as bytes legal in this
  /// character set; without padding. Where code extensions are declared, escape sequences are
  /// inserted, the initial state is returned to before control characters, before backslashes in
  /// VRs with multiplicity, before '^' and '=' in PN and at the end (PS3.5 6.1.2.5.3), and sets are
  /// preferred in declared order. Encode(Decode(x)) is x for exact x written by these rules.
  /// Nothing if `utf8` is not UTF-8, holds an ESC, or holds a character that the declared sets (in
  /// a VR without character sets: ASCII) do not have.
  [[nodiscard]] std::optional<std::string> Encode(std::string_view utf8, Vr vr) const;

 private:
  enum class Form : std::uint8_t { kIso2022, kUtf8, kGb18030, kGbk };
  // The sets of PS3.3 tables C.12-3 and C.12-4: first those for G0, then those for G1.
  enum class Set : std::uint8_t {
    kNone,
    kAscii,
    kJisRoman,
    kJisX0208,
    kJisX0212,
    kLatin1,
    kLatin2,
    kLatin3,
    kLatin4,
    kCyrillic,
    kArabic,
    kGreek,
    kHebrew,
    kLatin5,
    kLatin9,
    kThai,
    kKatakana,
    kKsX1001,
    kGb2312,
    // Not sets of ISO 2022, but converted by the same means.
    kGb18030,
    kGbk,
  };
  struct SetInfo;
  struct Term;

  // Converters of the C library, opened at first use. A copy starts with none.
  class Converters {
   public:
    Converters();
    ~Converters();
    Converters(const Converters& other);
    Converters(Converters&& other) noexcept;
    Converters& operator=(const Converters& other);
    Converters& operator=(Converters&& other) noexcept;

    // One character's bytes to UTF-8, appended to `out`; or its UTF-8 to bytes, which replace
    // `out`. False, and `out` as it was, if there is no such character. Bytes of two-byte sets
    // have their high bits set.
    bool ToUtf8(Set set, std::string_view bytes, std::string& out);
    bool FromUtf8(Set set, char32_t code, std::string_view utf8, std::string& out);

   private:
    struct Handles;
    Handles& Open();
    std::unique_ptr<Handles> handles_;
  };

  static const SetInfo& Info(Set set);
  static const SetInfo* FindEscape(std::string_view bytes);
  static std::optional<Term> ParseTerm(std::string_view text);
  void AddTerm(const Term& term, bool first);
  [[nodiscard]] bool IsDeclared(Set set) const;

  void DecodeUtf8(std::string_view bytes, Decoded& out) const;
  void DecodeGb(std::string_view bytes, Decoded& out) const;
  void DecodeIso2022(std::string_view bytes, Vr vr, Decoded& out) const;
  [[nodiscard]] std::optional<std::string> EncodeGb(std::string_view utf8) const;
  [[nodiscard]] std::optional<std::string> EncodeIso2022(std::string_view utf8, Vr vr) const;

  bool known_ = true;
  bool extensions_ = false;
  Form form_ = Form::kIso2022;
  Set g0_ = Set::kAscii;  // initial state, from value 1
  Set g1_ = Set::kNone;
  std::vector<Set> extra_;  // what escape sequences may designate besides, in declared order
  mutable Converters converters_;
};

}  // namespace dcmveil
