// SPDX-License-Identifier: Apache-2.0
#include "engine/charset.h"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace dcmveil {

struct Charset::SetInfo {
  Set set;
  std::string_view number;  // of the ISO registry, as in the defined term
  const char* iconv_name;   // null: computed here
  std::string_view escape;
  bool is_g0;
  bool two_byte;
};

struct Charset::Term {
  Form form = Form::kIso2022;
  Set g0 = Set::kNone;
  Set g1 = Set::kNone;
  bool extension = false;  // spelled "ISO 2022"
};

namespace {

constexpr char kEsc = '\x1b';
constexpr std::size_t kSetCount = 21;

unsigned Byte(char c) { return static_cast<unsigned char>(c); }

void AppendUtf8(char32_t code, std::string& out) {
  const auto put = [&out](char32_t byte) {
    out.push_back(static_cast<char>(static_cast<unsigned char>(byte)));
  };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0U | (code >> 6U));
    put(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    put(0xE0U | (code >> 12U));
    put(0x80U | ((code >> 6U) & 0x3FU));
    put(0x80U | (code & 0x3FU));
  } else {
    put(0xF0U | (code >> 18U));
    put(0x80U | ((code >> 12U) & 0x3FU));
    put(0x80U | ((code >> 6U) & 0x3FU));
    put(0x80U | (code & 0x3FU));
  }
}

void AppendLatin1(char byte, std::string& out) { AppendUtf8(Byte(byte), out); }

struct CodePoint {
  char32_t code = 0;
  std::size_t size = 0;  // 0: not UTF-8 (PS3.5 has none but the shortest form)
};

CodePoint FirstCodePoint(std::string_view text) {
  const unsigned lead = Byte(text[0]);
  if (lead < 0x80) return {lead, 1};
  std::size_t size = 0;
  char32_t code = 0;
  char32_t least = 0;
  if (lead >= 0xC2 && lead <= 0xDF) {
    size = 2, code = lead & 0x1FU, least = 0x80;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    size = 3, code = lead & 0x0FU, least = 0x800;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    size = 4, code = lead & 0x07U, least = 0x10000;
  } else {
    return {};
  }
  if (text.size() < size) return {};
  for (std::size_t i = 1; i < size; ++i) {
    const unsigned byte = Byte(text[i]);
    if ((byte & 0xC0U) != 0x80U) return {};
    code = (code << 6U) | (byte & 0x3FU);
  }
  if (code < least || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {};
  return {code, size};
}

// The characters before which the initial state is active (PS3.5 6.1.2.5.3).
bool IsDelimiter(char c, Vr vr) {
  if (Byte(c) < 0x20) return c != kEsc;
  if (c == '\\') return !kSingleTextVrs.contains(vr);
  return vr == Vr::PN && (c == '^' || c == '=');
}

bool IsG0PairByte(char c) { return c >= 0x21 && c <= 0x7E; }

}  // namespace

const Charset::SetInfo& Charset::Info(Set set) {
  static constexpr std::array<SetInfo, kSetCount> kSets{{
      {Set::kNone, "", nullptr, "", false, false},
      {Set::kAscii, "6", nullptr, "\x1b(B", true, false},
      {Set::kJisRoman, "14", nullptr, "\x1b(J", true, false},
      {Set::kJisX0208, "87", "EUC-JP", "\x1b$B", true, true},
      {Set::kJisX0212, "159", "EUC-JP", "\x1b$(D", true, true},
      {Set::kLatin1, "100", nullptr, "\x1b-A", false, false},
      {Set::kLatin2, "101", "ISO-8859-2", "\x1b-B", false, false},
      {Set::kLatin3, "109", "ISO-8859-3", "\x1b-C", false, false},
      {Set::kLatin4, "110", "ISO-8859-4", "\x1b-D", false, false},
      {Set::kCyrillic, "144", "ISO-8859-5", "\x1b-L", false, false},
      {Set::kArabic, "127", "ISO-8859-6", "\x1b-G", false, false},
      {Set::kGreek, "126", "ISO-8859-7", "\x1b-F", false, false},
      {Set::kHebrew, "138", "ISO-8859-8", "\x1b-H", false, false},
      {Set::kLatin5, "148", "ISO-8859-9", "\x1b-M", false, false},
      {Set::kLatin9, "203", "ISO-8859-15", "\x1b-b", false, false},
      {Set::kThai, "166", "TIS-620", "\x1b-T", false, false},
      {Set::kKatakana, "13", nullptr, "\x1b)I", false, false},
      {Set::kKsX1001, "149", "EUC-KR", "\x1b$)C", false, true},
      {Set::kGb2312, "58", "EUC-CN", "\x1b$)A", false, true},
      {Set::kGb18030, "", "GB18030", "", false, false},
      {Set::kGbk, "", "GBK", "", false, false},
  }};
  return kSets[static_cast<std::size_t>(set)];
}

const Charset::SetInfo* Charset::FindEscape(std::string_view bytes) {
  for (std::size_t i = 1; i < kSetCount; ++i) {
    const SetInfo& info = Info(static_cast<Set>(i));
    if (!info.escape.empty() && bytes.starts_with(info.escape)) return &info;
  }
  return nullptr;
}

// Converters.

struct Charset::Converters::Handles {
  Handles() = default;
  Handles(const Handles&) = delete;
  Handles& operator=(const Handles&) = delete;
  ~Handles() {
    for (const auto* list : {&to_utf8, &from_utf8}) {
      for (const iconv_t handle : *list) {
        if (handle != nullptr && handle != Failed()) iconv_close(handle);
      }
    }
  }

  static iconv_t Failed() {
    return reinterpret_cast<iconv_t>(-1);  // NOLINT(performance-no-int-to-ptr): by POSIX
  }

  // Replaces `out` by the converted character. The C library may have no such converter (a minimal
  // container): then no character converts, which callers report as inexact.
  static bool Convert(iconv_t& handle, const char* to, const char* from, std::string_view in,
                      std::array<char, 16>& out, std::size_t& size) {
    if (handle == nullptr) handle = iconv_open(to, from);
    if (handle == Failed()) return false;
    std::array<char, 8> in_copy{};
    std::copy(in.begin(), in.end(), in_copy.begin());
    char* in_at = in_copy.data();
    std::size_t in_left = in.size();
    char* out_at = out.data();
    std::size_t out_left = out.size();
    // A positive result counts conversions to a substitute.
    if (iconv(handle, &in_at, &in_left, &out_at, &out_left) != 0 || in_left != 0) {
      iconv(handle, nullptr, nullptr, nullptr, nullptr);
      return false;
    }
    size = out.size() - out_left;
    return size > 0;
  }

  std::array<iconv_t, kSetCount> to_utf8{};  // null: not opened yet
  std::array<iconv_t, kSetCount> from_utf8{};
};

Charset::Converters::Converters() = default;
Charset::Converters::~Converters() = default;
Charset::Converters::Converters(const Converters& /*other*/) {}
Charset::Converters::Converters(Converters&& other) noexcept = default;
Charset::Converters& Charset::Converters::operator=(const Converters& /*other*/) { return *this; }
Charset::Converters& Charset::Converters::operator=(Converters&& other) noexcept = default;

Charset::Converters::Handles& Charset::Converters::Open() {
  if (handles_ == nullptr) handles_ = std::make_unique<Handles>();
  return *handles_;
}

bool Charset::Converters::ToUtf8(Set set, std::string_view bytes, std::string& out) {
  if (set == Set::kLatin1 || set == Set::kKatakana) {
    const unsigned byte = Byte(bytes[0]);
    const unsigned last = set == Set::kLatin1 ? 0xFF : 0xDF;
    const unsigned first = set == Set::kLatin1 ? 0xA0 : 0xA1;
    if (byte < first || byte > last) return false;
    AppendUtf8(set == Set::kLatin1 ? byte : 0xFF61U + (byte - 0xA1U), out);
    return true;
  }
  const SetInfo& info = Info(set);
  if (info.iconv_name == nullptr) return false;
  // The G1 sets begin at 0xA0, but the C library also takes C1 controls, which PS3.5 6.1.3 forbids.
  const bool multi = info.two_byte || set == Set::kGb18030 || set == Set::kGbk;
  if (!multi && Byte(bytes[0]) < 0xA0) return false;
  std::array<char, 8> in{};
  std::size_t in_size = 0;
  if (set == Set::kJisX0212) in[in_size++] = '\x8f';
  for (const char c : bytes) in[in_size++] = c;
  std::array<char, 16> text{};
  std::size_t size = 0;
  if (!Handles::Convert(Open().to_utf8[static_cast<std::size_t>(set)], "UTF-8", info.iconv_name,
                        {in.data(), in_size}, text, size)) {
    return false;
  }
  out.append(text.data(), size);
  return true;
}

bool Charset::Converters::FromUtf8(Set set, char32_t code, std::string_view utf8,
                                   std::string& out) {
  if (set == Set::kLatin1 || set == Set::kKatakana) {
    const char32_t first = set == Set::kLatin1 ? 0xA0 : 0xFF61;
    const char32_t last = set == Set::kLatin1 ? 0xFF : 0xFF9F;
    if (code < first || code > last) return false;
    const char32_t byte = set == Set::kLatin1 ? code : code - 0xFF61 + 0xA1;
    out.assign(1, static_cast<char>(static_cast<unsigned char>(byte)));
    return true;
  }
  const SetInfo& info = Info(set);
  if (info.iconv_name == nullptr) return false;
  std::array<char, 16> bytes{};
  std::size_t size = 0;
  if (!Handles::Convert(Open().from_utf8[static_cast<std::size_t>(set)], info.iconv_name, "UTF-8",
                        utf8, bytes, size)) {
    return false;
  }
  std::string_view result(bytes.data(), size);
  // The C library folds some look-alikes (the won sign into its full-width form); what would come
  // back as another character has no representation.
  std::string back;
  if (set == Set::kGb18030 || set == Set::kGbk) {
    if (Byte(result[0]) < 0x81 || !ToUtf8(set, result, back) || back != utf8) return false;
    out.assign(result);
    return true;
  }
  if (set == Set::kJisX0212) {
    if (result[0] != '\x8f') return false;
    result.remove_prefix(1);
  }
  // EUC holds other sets beside the one wanted: ASCII (also for the yen sign), katakana after 0x8E.
  const std::size_t wanted = info.two_byte ? 2 : 1;
  const unsigned least = info.two_byte ? 0xA1 : 0xA0;
  if (result.size() != wanted) return false;
  for (const char c : result) {
    if (Byte(c) < least) return false;
  }
  if (!ToUtf8(set, result, back) || back != utf8) return false;
  out.assign(result);
  return true;
}

// Declaration.

std::optional<Charset::Term> Charset::ParseTerm(std::string_view text) {
  std::string name;
  for (const char c : text) {
    if (c >= 'a' && c <= 'z') {
      name.push_back(static_cast<char>(c - 'a' + 'A'));
    } else if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) {
      name.push_back(c);
    } else if (c != ' ' && c != '_' && c != '-' && c != '\0' && c != '\t') {
      return std::nullopt;
    }
  }
  Term term;
  if (name.empty()) {
    term.g0 = Set::kAscii;
    return term;
  }
  std::string_view rest = name;
  const auto drop = [&rest](std::string_view prefix) {
    if (!rest.starts_with(prefix)) return false;
    rest.remove_prefix(prefix.size());
    return true;
  };
  const bool iso = drop("ISO");
  term.extension = iso && drop("2022");
  const bool registry = iso && drop("IR");
  if (rest == "GB18030" || rest == "GBK" || rest == "UTF8" || (registry && rest == "192")) {
    term.form = rest == "GB18030" ? Form::kGb18030 : (rest == "GBK" ? Form::kGbk : Form::kUtf8);
    return term;
  }
  if (!registry && !term.extension) return std::nullopt;
  // JIS X 0201 is two registrations under one term: 13 (katakana) and 14 (romaji).
  if (rest == "13") {
    term.g0 = Set::kJisRoman;
    term.g1 = Set::kKatakana;
    return term;
  }
  for (std::size_t i = 1; i < kSetCount; ++i) {
    const SetInfo& info = Info(static_cast<Set>(i));
    if (info.set == Set::kJisRoman || info.number.empty() || info.number != rest) continue;
    term.g0 = info.is_g0 ? info.set : Set::kAscii;
    term.g1 = info.is_g0 ? Set::kNone : info.set;
    return term;
  }
  return std::nullopt;
}

void Charset::AddTerm(const Term& term, bool first) {
  if (form_ != Form::kIso2022) {
    // UTF-8, GB18030 and GBK stand alone; what follows them in real files is never used.
    return;
  }
  if (term.form != Form::kIso2022) {
    // After an empty or ASCII value 1 only: ASCII is part of each of them.
    if (first || is_default()) {
      form_ = term.form;
    } else {
      known_ = false;
    }
    return;
  }
  extensions_ = extensions_ || term.extension || !first;
  const bool can_be_initial = !Info(term.g0).two_byte && !Info(term.g1).two_byte;
  if (first && can_be_initial) {
    g0_ = term.g0;
    g1_ = term.g1;
    return;
  }
  extensions_ = true;
  for (const Set set : {term.g0, term.g1}) {
    if (set == Set::kNone || set == Set::kAscii || set == g0_ || set == g1_) continue;
    if (std::find(extra_.begin(), extra_.end(), set) == extra_.end()) extra_.push_back(set);
  }
}

Charset Charset::FromTerms(std::string_view value) {
  Charset charset;
  bool first = true;
  while (true) {
    const std::size_t end = std::min(value.find('\\'), value.size());
    const std::optional<Term> term = ParseTerm(value.substr(0, end));
    if (term.has_value()) {
      charset.AddTerm(*term, first);
    } else {
      charset.known_ = false;
    }
    first = false;
    if (end == value.size()) return charset;
    value.remove_prefix(end + 1);
  }
}

bool Charset::IsDeclared(Set set) const {
  return extensions_ && (set == Set::kAscii || set == g0_ || set == g1_ ||
                         std::find(extra_.begin(), extra_.end(), set) != extra_.end());
}

bool Charset::IsPlainAscii(std::string_view bytes) {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  constexpr std::uint64_t kHighs = kOnes * 0x80U;
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, 8);
    // With all high bits clear, (x ^ ESC) - 1 borrows into a high bit where x is an ESC.
    if (((word | ((word ^ (kOnes * 0x1BU)) - kOnes)) & kHighs) != 0) return false;
  }
  return std::all_of(bytes.begin() + static_cast<std::ptrdiff_t>(i), bytes.end(),
                     [](char c) { return Byte(c) < 0x80 && c != kEsc; });
}

// Decoding.

Charset::Decoded Charset::Decode(std::string_view bytes, Vr vr) const {
  Decoded out;
  if (IsPlainAscii(bytes)) {
    out.text = bytes;
    return out;
  }
  out.text.reserve(bytes.size() * 2);
  out.exact = kCharsetVrs.contains(vr);
  switch (form_) {
    case Form::kUtf8:
      DecodeUtf8(bytes, out);
      break;
    case Form::kGb18030:
    case Form::kGbk:
      DecodeGb(bytes, out);
      break;
    case Form::kIso2022:
      DecodeIso2022(bytes, vr, out);
      break;
  }
  return out;
}

Charset::DecodedValues Charset::DecodeValues(std::string_view bytes, Vr vr) const {
  Decoded decoded = Decode(bytes, vr);
  DecodedValues out;
  out.exact = decoded.exact;
  if (bytes.empty()) return out;
  if (kSingleTextVrs.contains(vr)) {
    out.values.push_back(std::move(decoded.text));
    return out;
  }
  // No byte sequence but the delimiter decodes to U+005C (JIS X 0208 has the full-width one).
  std::string_view rest = decoded.text;
  while (true) {
    const std::size_t end = std::min(rest.find('\\'), rest.size());
    out.values.emplace_back(rest.substr(0, end));
    if (end == rest.size()) return out;
    rest.remove_prefix(end + 1);
  }
}

void Charset::DecodeUtf8(std::string_view bytes, Decoded& out) const {
  while (!bytes.empty()) {
    const CodePoint point = FirstCodePoint(bytes);
    if (point.size == 0 || point.code == kEsc) out.exact = false;
    if (point.size == 0) {
      AppendLatin1(bytes[0], out.text);
    } else {
      out.text.append(bytes.substr(0, point.size));
    }
    bytes.remove_prefix(std::max<std::size_t>(point.size, 1));
  }
}

void Charset::DecodeGb(std::string_view bytes, Decoded& out) const {
  const Set set = form_ == Form::kGbk ? Set::kGbk : Set::kGb18030;
  while (!bytes.empty()) {
    std::size_t size = 1;
    if (Byte(bytes[0]) >= 0x80) {
      const unsigned second = bytes.size() >= 2 ? Byte(bytes[1]) : 0U;
      if (second >= 0x40) size = 2;
      if (second >= '0' && second <= '9' && set == Set::kGb18030) size = 4;
      // The C library reads 80 as a euro sign of its own, which the standards do not know.
      if (size == 1 || bytes.size() < size || bytes[0] == '\x80' ||
          !converters_.ToUtf8(set, bytes.substr(0, size), out.text)) {
        size = 1;
        out.exact = false;
        AppendLatin1(bytes[0], out.text);
      }
    } else {
      if (bytes[0] == kEsc) out.exact = false;
      out.text.push_back(bytes[0]);
    }
    bytes.remove_prefix(size);
  }
}

void Charset::DecodeIso2022(std::string_view bytes, Vr vr, Decoded& out) const {
  Set g0 = g0_;
  Set g1 = g1_;
  Set guess = Set::kNone;  // for G1 bytes while nothing is designated to G1
  for (const Set set : extra_) {
    if (guess == Set::kNone && !Info(set).is_g0 && Info(set).two_byte) guess = set;
  }
  while (!bytes.empty()) {
    const char c = bytes[0];
    std::size_t size = 1;
    if (c == kEsc) {
      const SetInfo* const info = FindEscape(bytes);
      if (info == nullptr) {
        out.exact = false;
        out.text.push_back(c);
      } else {
        size = info->escape.size();
        if (!IsDeclared(info->set)) out.exact = false;
        if (info->is_g0) {
          g0 = info->set;
        } else {
          g1 = info->set;
          guess = info->set;
        }
      }
    } else if (Byte(c) >= 0x80) {
      if (g1 == Set::kNone) out.exact = false;
      const Set set = g1 == Set::kNone ? guess : g1;
      size = Info(set).two_byte ? 2 : 1;
      const bool whole = bytes.size() >= size && (size == 1 || Byte(bytes[1]) >= 0xA1);
      if (!whole || !converters_.ToUtf8(set, bytes.substr(0, size), out.text)) {
        size = 1;
        out.exact = false;
        AppendLatin1(c, out.text);
      }
    } else if (Info(g0).two_byte && IsG0PairByte(c)) {
      size = 2;
      bool legal = bytes.size() >= 2 && IsG0PairByte(bytes[1]);
      if (legal) {
        const std::array<char, 2> pair{
            static_cast<char>(static_cast<unsigned char>(Byte(c) | 0x80U)),
            static_cast<char>(static_cast<unsigned char>(Byte(bytes[1]) | 0x80U))};
        legal = converters_.ToUtf8(g0, {pair.data(), pair.size()}, out.text);
      }
      if (!legal) {
        size = 1;
        out.exact = false;
        out.text.push_back(c);
      }
    } else {
      if (Info(g0).two_byte) out.exact = false;
      if (IsDelimiter(c, vr)) {
        g0 = g0_;
        g1 = g1_;
      }
      out.text.push_back(c);
    }
    bytes.remove_prefix(size);
  }
  if (Info(g0).two_byte) out.exact = false;
}

// Encoding.

std::optional<std::string> Charset::Encode(std::string_view utf8, Vr vr) const {
  if (IsPlainAscii(utf8)) return std::string(utf8);
  if (!kCharsetVrs.contains(vr)) return std::nullopt;
  switch (form_) {
    case Form::kUtf8:
      for (std::string_view rest = utf8; !rest.empty();) {
        const CodePoint point = FirstCodePoint(rest);
        if (point.size == 0 || point.code == kEsc) return std::nullopt;
        rest.remove_prefix(point.size);
      }
      return std::string(utf8);
    case Form::kGb18030:
    case Form::kGbk:
      return EncodeGb(utf8);
    case Form::kIso2022:
      break;
  }
  return EncodeIso2022(utf8, vr);
}

std::optional<std::string> Charset::EncodeGb(std::string_view utf8) const {
  const Set set = form_ == Form::kGbk ? Set::kGbk : Set::kGb18030;
  std::string out;
  out.reserve(utf8.size() * 2);
  std::string bytes;
  while (!utf8.empty()) {
    const CodePoint point = FirstCodePoint(utf8);
    if (point.size == 0 || point.code == kEsc) return std::nullopt;
    if (point.code < 0x80) {
      out.push_back(utf8[0]);
    } else if (converters_.FromUtf8(set, point.code, utf8.substr(0, point.size), bytes)) {
      out.append(bytes);
    } else {
      return std::nullopt;
    }
    utf8.remove_prefix(point.size);
  }
  return out;
}

std::optional<std::string> Charset::EncodeIso2022(std::string_view utf8, Vr vr) const {
  Set g0 = g0_;
  Set g1 = g1_;
  std::string out;
  out.reserve(utf8.size() * 2);
  std::string bytes;
  const auto return_to_initial = [&] {
    if (g0 != g0_) out.append(Info(g0_).escape);
    // Where value 1 has no G1 set there is nothing to designate: PS3.5 annexes I and K.
    if (g1 != g1_ && g1_ != Set::kNone) out.append(Info(g1_).escape);
    g0 = g0_;
    g1 = g1_;
  };
  // True, with `bytes`, if `set` has the character; designates the set where it is not active yet.
  const auto put = [&](Set set, const CodePoint& point) {
    const SetInfo& info = Info(set);
    if (set == Set::kNone || info.set == Set::kJisRoman ||
        !converters_.FromUtf8(set, point.code, utf8.substr(0, point.size), bytes)) {
      return false;
    }
    Set& active = info.is_g0 ? g0 : g1;
    if (active != set) out.append(info.escape);
    active = set;
    for (const char c : bytes) {
      out.push_back(info.is_g0 ? static_cast<char>(static_cast<unsigned char>(Byte(c) & 0x7FU))
                               : c);
    }
    return true;
  };
  while (!utf8.empty()) {
    const CodePoint point = FirstCodePoint(utf8);
    if (point.size == 0 || point.code == kEsc) return std::nullopt;
    char single = '\0';  // for G0 in its initial state
    bool is_single = false;
    if (point.code < 0x80) {
      single = utf8[0];
      is_single = true;
      if (IsDelimiter(single, vr)) return_to_initial();
    } else if (g0_ == Set::kJisRoman && point.code == 0xA5) {
      // The yen sign has the code of the backslash: free only where that is no delimiter.
      single = '\\';
      is_single = !IsDelimiter(single, vr);
    } else if (g0_ == Set::kJisRoman && point.code == 0x203E) {
      single = '~';
      is_single = true;
    }
    if (is_single) {
      if (g0 != g0_) out.append(Info(g0_).escape);
      g0 = g0_;
      out.push_back(single);
    } else {
      // A set that is active already goes first, so that no escape sequences are spent.
      bool done = (Info(g0).two_byte && put(g0, point)) || put(g1, point) || put(g1_, point);
      for (std::size_t i = 0; i < extra_.size() && !done; ++i) done = put(extra_[i], point);
      if (!done) return std::nullopt;
    }
    utf8.remove_prefix(point.size);
  }
  return_to_initial();
  return out;
}

}  // namespace dcmveil
