// SPDX-License-Identifier: Apache-2.0
#include "engine/guard/guard.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "engine/dictionary.h"
#include "engine/guard/frames.h"
#include "engine/guard/patterns.h"
#include "engine/path.h"

namespace dcmveil::engine::guard {
namespace {

using clean::IdentifierKind;
using clean::IsDigit;

constexpr Tag kManufacturer{0x0008, 0x0070};
constexpr Tag kManufacturerModelName{0x0008, 0x1090};
constexpr std::size_t kShort = 6;
/// In numbers, a match shorter than this is a number like any other.
constexpr std::size_t kShortestNumber = 6;

std::string_view NameOf(IdentifierKind kind) {
  switch (kind) {
    case IdentifierKind::kPersonName:
      return "person name";
    case IdentifierKind::kId:
      return "ID";
    case IdentifierKind::kDate:
      return "date";
    case IdentifierKind::kBirthDate:
      return "birth date";
    case IdentifierKind::kAddress:
      return "address";
    case IdentifierKind::kTelephone:
      return "telephone or e-mail";
    case IdentifierKind::kInstitution:
      return "institution";
    case IdentifierKind::kDevice:
      return "device";
    case IdentifierKind::kUid:
      return "UID";
  }
  return "identifier";
}

bool IsPrintable(char c) { return c >= ' ' && c <= '~'; }

bool HoldsOnly(std::string_view text, std::string_view characters) {
  return text.find_first_not_of(characters) == std::string_view::npos;
}

/// One of the values between backslashes.
struct Part {
  std::size_t begin = 0;  ///< in the field
  std::size_t end = 0;
};

/// The one where the match stands.
Part PartAround(std::string_view field, std::size_t begin, std::size_t end) {
  const std::size_t before = field.substr(0, begin).rfind('\\');
  return {.begin = before == std::string_view::npos ? 0 : before + 1,
          .end = std::min(field.find('\\', end), field.size())};
}

/// Without blanks around it.
std::string_view ValueOf(std::string_view field, const Part& part) {
  std::string_view value = field.substr(part.begin, part.end - part.begin);
  while (!value.empty() && (value.front() == ' ')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\0')) value.remove_suffix(1);
  return value;
}

bool IsNumber(std::string_view text) {
  if (!HoldsOnly(text, "0123456789.eE+-")) return false;
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const char* const end = text.data() + text.size();
  return std::from_chars(text.data(), end, number).ptr == end;
}

/// Whether all values of a DS or IS are numbers. Text may stand in any element.
bool HoldsNumbers(std::string_view field) {
  for (std::size_t at = 0; at <= field.size();) {
    const std::string_view value = ValueOf(field, PartAround(field, at, at));
    if (!value.empty() && !IsNumber(value)) return false;
    at = std::min(field.find('\\', at), field.size()) + 1;
  }
  return true;
}

bool IsNearText(std::string_view bytes, std::size_t begin, std::size_t end) {
  const bool before = begin == 0 || bytes[begin - 1] == '\0' || IsPrintable(bytes[begin - 1]);
  const bool after = end == bytes.size() || bytes[end] == '\0' || IsPrintable(bytes[end]);
  return before && after;
}

/// What a value in which something was found looks like.
struct Value {
  Part part;
  std::string_view text;  ///< without blanks around it
  bool one = false;       ///< a match across two values makes them one for itself
  bool of_dates = false;  ///< holds only what dates may hold, and so on
  bool of_times = false;
  bool of_uids = false;
  std::optional<bool> retained = std::nullopt;  ///< once that was asked
};

/// Standard dates say when something was done: on the day of birth, or moved there by chance.
bool IsDateOfSomethingElse(const ValueField& field, const Value& value) {
  const Tag tag = field.tag;
  if (!value.of_dates) return false;
  if (tag.is_private() || tag == Tag(0x0010, 0x0030)) return false;
  const Attribute* attribute = FindAttribute(tag);
  return attribute != nullptr && attribute->vrs.intersects({Vr::DA, Vr::DT});
}

/// Whether a match in a text element means the identifier, not a number that looks like it.
/// `numbers`: of a DS or IS, that its values are such.
bool CountsInText(const Pattern& pattern, const ValueField& field, const Value& value,
                  bool numbers) {
  if (pattern.kind == IdentifierKind::kBirthDate && IsDateOfSomethingElse(field, value)) {
    return false;
  }
  // Institutions and rooms are named like the machines in them.
  if (pattern.kind == IdentifierKind::kInstitution &&
      (field.tag == kManufacturer || field.tag == kManufacturerModelName)) {
    return false;
  }
  if (!pattern.digits || pattern.exact > 0) return true;
  switch (field.vr) {
    case Vr::DS:
    case Vr::IS:
      if (!numbers) return true;
      // What a standard attribute counts or measures may be any number.
      return field.tag.is_private() && pattern.size >= kShortestNumber &&
             value.text.size() == pattern.size;
    case Vr::TM:
      return !value.of_times;
    case Vr::DA:
    case Vr::DT:
      return pattern.kind == IdentifierKind::kBirthDate || !value.of_dates;
    case Vr::UI:
      return !value.of_uids;
    default:
      return true;
  }
}

class Search {
 public:
  Search(const Patterns& patterns, const Charset& charset,
         const std::vector<GuardException>& exceptions)
      : patterns_(patterns), charset_(charset), exceptions_(exceptions) {}

  /// Elements from the start of `bytes`. True: something was found.
  bool Elements(std::string_view bytes, Encoding encoding) {
    std::vector<ValueField> fields;
    bool known = false;
    return patterns_.Search(bytes, [&](const Found& found) {
      // Only matches need to know where they are, and hardly any instance has one.
      if (!known) {
        fields = ValueFieldsOf(bytes, encoding);
        judged_ = nullptr;
        texts_of_ = nullptr;
        value_.reset();
        known = true;
      }
      const ValueField* field = FieldAt(fields, found.begin, found.end);
      if (field == nullptr || !Counts(bytes, found, *field)) return false;
      return Report(PathOf(*field, bytes, encoding), *found.pattern);
    });
  }

  bool TextOfFrame(const FrameText& text, Tag pixels) {
    return patterns_.Search(text.bytes, [&](const Found& found) {
      return CountsInFrame(text, found) && Report({{.tag = pixels}}, *found.pattern);
    });
  }

  [[nodiscard]] std::string& where() { return where_; }

 private:
  bool CountsInFrame(const FrameText& text, const Found& found) const {
    const std::size_t size = found.pattern->weight();
    if (size < 4 || found.pattern->separated || !patterns_.StandsAlone(text.bytes, found)) {
      return false;
    }
    return size >= kShort || (!text.noise && IsNearText(text.bytes, found.begin, found.end));
  }

  /// A fragment may have as many texts as matches: it is taken apart once. Long texts come in
  /// pieces that overlap.
  bool CountsInFragment(const ValueField& field, std::string_view value, const Found& found) {
    if (texts_of_ != &field) {
      texts_.clear();
      ForEachTextOfFrame(value, field.cells, [this](const FrameText& text) {
        texts_.push_back(text);
        return false;
      });
      texts_of_ = &field;
    }
    auto text = std::upper_bound(
        texts_.begin(), texts_.end(), found.begin,
        [](std::size_t begin, const FrameText& other) { return begin < other.begin; });
    while (text != texts_.begin()) {
      --text;
      if (found.end > text->begin + text->bytes.size()) return false;
      Found inside = found;
      inside.begin -= text->begin;
      inside.end -= text->begin;
      if (CountsInFrame(*text, inside)) return true;
    }
    return false;
  }

  bool Counts(std::string_view bytes, Found found, const ValueField& field) {
    const Pattern& pattern = *found.pattern;
    const std::size_t from = field.begin + field.image_size;
    if (found.begin < from) return false;
    const std::string_view value = bytes.substr(from, field.end - from);
    const std::size_t begin = found.begin -= from;
    const std::size_t end = found.end -= from;
    if (field.pixels && !field.fragment) {
      return CountsInFrame({.bytes = value, .noise = true}, found);
    }
    if (field.fragment) return CountsInFragment(field, value, found);
    if (!patterns_.StandsAlone(value, found)) return false;
    if (kTextVrs.contains(field.vr)) {
      const bool numbers = pattern.digits && AreNumbers(field, value);
      Value& around = Around(field, value, begin, end);
      return CountsInText(pattern, field, around, numbers) && !IsRetained(field, around);
    }
    if (pattern.weight() < 4 || pattern.separated) return false;
    return pattern.weight() >= kShort || IsNearText(value, begin, end);
  }

  /// Long lists may have many matches.
  bool AreNumbers(const ValueField& field, std::string_view value) {
    if (field.vr != Vr::DS && field.vr != Vr::IS) return false;
    if (judged_ != &field) numbers_ = HoldsNumbers(value);
    judged_ = &field;
    return numbers_;
  }

  /// The value where the match stands. Long ones may have many matches, too.
  Value& Around(const ValueField& field, std::string_view bytes, std::size_t begin,
                std::size_t end) {
    const bool same = value_ && value_->one && value_of_ == &field && begin >= value_->part.begin &&
                      end <= value_->part.end;
    if (same) return *value_;
    value_of_ = &field;
    value_.emplace();
    value_->part = PartAround(bytes, begin, end);
    value_->text = ValueOf(bytes, value_->part);
    value_->one = value_->text.find('\\') == std::string_view::npos;
    value_->of_dates = HoldsOnly(value_->text, "0123456789.+-: ");
    value_->of_times = HoldsOnly(value_->text, "0123456789.: ");
    value_->of_uids = HoldsOnly(value_->text, "0123456789. ");
    return *value_;
  }

  /// A part of what was retained on purpose, where it was: the department in the institution.
  bool IsRetained(const ValueField& field, Value& value) const {
    if (!clean::KindOf(field.tag, field.vr)) return false;
    if (!value.retained) {
      value.retained = patterns_.IsRetained(charset_.Decode(value.text, field.vr).text);
    }
    return *value.retained;
  }

  bool Report(const Path& path, const Pattern& pattern) {
    for (const GuardException& exception : exceptions_) {
      if (exception.tag && exception.tag->Matches(path.back().tag, {})) return false;
    }
    where_ = ToString(path) + ": " + std::string(NameOf(pattern.kind));
    return true;
  }

  const Patterns& patterns_;
  const Charset& charset_;
  const std::vector<GuardException>& exceptions_;
  std::string where_;
  const ValueField* texts_of_ = nullptr;
  std::vector<FrameText> texts_;  ///< of that fragment, in the order of their bytes
  const ValueField* judged_ = nullptr;
  bool numbers_ = false;  ///< whether that one holds numbers only
  const ValueField* value_of_ = nullptr;
  std::optional<Value> value_;  ///< of that field, where the last match was
};

}  // namespace

Status Look(const Knowledge& knowledge, const Output& output,
            const std::vector<GuardException>& exceptions) {
  std::vector<std::string> excepted;
  for (const GuardException& exception : exceptions) {
    if (!exception.tag) excepted.push_back(exception.text);
  }
  const Patterns patterns(knowledge.identifiers->entries(), knowledge.retained,
                          {.of_machine = knowledge.about, .excepted = excepted}, knowledge.charset);
  if (patterns.overflowed()) return ErrorCode::kTooManyIdentifiers;
  if (patterns.empty()) return Done{};
  Search search(patterns, knowledge.charset, exceptions);
  bool found = search.Elements(output.meta, {.explicit_vr = true, .big_endian = false}) ||
               search.Elements(output.head, output.encoding) ||
               search.Elements(output.tail.substr(output.tail_padding), output.encoding);
  if (!found && output.source != nullptr) {
    const auto visit = [&](const FrameText& text) {
      return search.TextOfFrame(text, output.pixels);
    };
    const std::uint64_t image = output.compressed ? 0 : output.image.BytesIn(output.frames_size);
    const std::uint64_t begin = output.frames + image;
    const std::uint64_t size = output.frames_size - image;
    found = output.compressed
                ? ForEachFrameText(*output.source, begin, size, output.image.cells(), visit)
                : ForEachNoise(*output.source, begin, size, visit);
  }
  if (found) return Error{ErrorCode::kIdentifierLeft, std::move(search.where())};
  return Done{};
}

}  // namespace dcmveil::engine::guard
