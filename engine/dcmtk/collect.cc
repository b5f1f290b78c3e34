// SPDX-License-Identifier: Apache-2.0
#include "engine/dcmtk/collect.h"

#include <algorithm>
#include <string>

#include "engine/dcmtk/element.h"
#include "engine/dictionary.h"
#include "engine/guard/retained.h"
#include "engine/reading.h"

namespace dcmveil::engine {
namespace {

constexpr int kDeepest = 64;

std::string FromLatin1(std::string_view bytes) {
  std::string utf8;
  for (const char c : bytes) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x80) {
      utf8.push_back(c);
    } else {
      utf8.push_back(static_cast<char>(0xC0U | (code >> 6U)));
      utf8.push_back(static_cast<char>(0x80U | (code & 0x3FU)));
    }
  }
  return utf8;
}

template <typename Add>
void ForEachValue(DcmElement& element, Vr vr, const Charset& charset, clean::IdentifierKind kind,
                  Add&& add) {
  if (element.getLengthField() == 0) return;
  std::string text = RawValue(element);
  // Text behind a NUL is text too.
  std::replace(text.begin(), text.end(), '\0', ' ');
  const auto take = [&](std::string_view value) {
    const std::string_view trimmed = TrimPadding(value);
    const std::size_t start = std::min(trimmed.find_first_not_of(' '), trimmed.size());
    const std::string_view identifier = trimmed.substr(start);
    if (kind != clean::IdentifierKind::kUid || !IsRegisteredUid(identifier)) add(identifier);
  };
  // Nearly all are ASCII, which needs no decoding.
  if (Charset::IsPlainAscii(text) && charset.ascii_bytes_stand_alone()) {
    if (kSingleTextVrs.contains(vr)) {
      take(text);
      return;
    }
    for (std::size_t at = 0; at <= text.size();) {
      const std::size_t end = std::min(text.find('\\', at), text.size());
      take(std::string_view(text).substr(at, end - at));
      at = end + 1;
    }
    return;
  }
  const Charset::DecodedValues decoded = charset.DecodeValues(TrimPadding(text), vr);
  for (const std::string& value : decoded.values) take(value);
  // Bytes that are not what is declared: an identifier is also what they are one by one, which is
  // how they stand elsewhere.
  if (!decoded.exact && kCharsetVrs.contains(vr)) take(FromLatin1(TrimPadding(text)));
}

Vr TextVrOf(const Reading& reading) { return kTextVrs.contains(reading.vr) ? reading.vr : Vr::LO; }

void Collect(DcmItem& item, const Charset& outer, int depth, Which which,
             clean::Identifiers& found);

void CollectItems(DcmSequenceOfItems& sequence, const Charset& charset, int depth, Which which,
                  clean::Identifiers& found) {
  for (DcmObject* object = sequence.nextInContainer(nullptr); object != nullptr;
       object = sequence.nextInContainer(object)) {
    Collect(static_cast<DcmItem&>(*object), charset, depth, which, found);
  }
}

void Collect(DcmItem& item, const Charset& outer, int depth, Which which,
             clean::Identifiers& found) {
  if (depth > kDeepest) return;
  std::optional<Charset> own;
  DcmElement* declared = nullptr;
  if (depth > 0 && item.findAndGetElement(DcmTagKey(0x0008, 0x0005), declared).good()) {
    own = Charset::FromTerms(RawValue(*declared));
  }
  const Charset& charset = own ? *own : outer;
  for (DcmObject* object = item.nextInContainer(nullptr); object != nullptr;
       object = item.nextInContainer(object)) {
    auto& element = static_cast<DcmElement&>(*object);
    if (DcmSequenceOfItems* sequence = AsSequence(element)) {
      CollectItems(*sequence, charset, depth + 1, which, found);
      continue;
    }
    const Tag tag = TagOf(element);
    const Reading reading = ReadAs(tag, element);
    if (const auto kind = clean::KindOf(tag, reading.vrs)) {
      if (which == Which::kSearched && !guard::IsSearched(*kind)) continue;
      ForEachValue(element, TextVrOf(reading), charset, *kind,
                   [&](std::string_view value) { found.Add(*kind, value); });
    } else if (reading.is_sequence || (reading.vr == Vr::UN && BeginsWithItem(element))) {
      // The walk opens these too.
      const std::unique_ptr<DcmElement> opened = MakeSequence(tag, RawValue(element), depth + 1);
      if (opened) CollectItems(*AsSequence(*opened), charset, depth + 1, which, found);
    }
  }
}

}  // namespace

std::shared_ptr<const clean::Identifiers> CollectIdentifiers(const ParsedInstance& parsed,
                                                             const Charset& charset, Which which) {
  auto found = std::make_shared<clean::Identifiers>();
  Collect(*parsed.head, charset, 0, which, *found);
  if (parsed.after) Collect(*parsed.after, charset, 0, which, *found);
  return found;
}

void AppendIdentifiers(DcmElement& element, const Reading& reading, const Charset& charset,
                       clean::IdentifierKind kind, std::vector<clean::Identifier>& found) {
  ForEachValue(element, TextVrOf(reading), charset, kind, [&](std::string_view value) {
    if (!value.empty()) found.push_back({.kind = kind, .value = std::string(value)});
  });
}

}  // namespace dcmveil::engine
