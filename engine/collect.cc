// SPDX-License-Identifier: Apache-2.0
#include "engine/collect.h"

#include <algorithm>
#include <string>

#include "engine/dictionary.h"
#include "engine/encoding/elements.h"
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
void ForEachValue(const DataElement& element, Vr vr, const Charset& charset,
                  clean::IdentifierKind kind, Add&& add) {
  if (element.value().empty()) return;
  std::string text(element.value());
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

void Collect(const Item& item, const Charset& outer, int depth, Which which,
             clean::Identifiers& found);

void CollectItems(const Sequence& items, const Charset& charset, int depth, Which which,
                  clean::Identifiers& found) {
  for (const Item& item : items) Collect(item, charset, depth, which, found);
}

void CollectElement(const DataElement& element, const Charset& charset, int depth, Which which,
                    clean::Identifiers& found) {
  if (const Sequence* sequence = element.sequence()) {
    CollectItems(*sequence, charset, depth + 1, which, found);
    return;
  }
  const Tag tag = element.tag();
  // Most attributes hold neither identifiers nor items, whatever their encoding.
  const Attribute* attribute = FindAttribute(tag);
  const auto known = attribute != nullptr ? clean::KindOf(tag, attribute->vrs) : std::nullopt;
  if (attribute != nullptr && !known && !attribute->vrs.intersects({Vr::SQ, Vr::UN})) return;
  const Reading reading = ReadAs(element);
  if (const auto kind = attribute != nullptr ? known : clean::KindOf(tag, reading.vrs)) {
    if (which == Which::kSearched && !guard::IsSearched(*kind)) return;
    ForEachValue(element, TextVrOf(reading), charset, *kind,
                 [&](std::string_view value) { found.Add(*kind, value); });
  } else if (reading.is_sequence || (reading.vr == Vr::UN && BeginsWithItem(element))) {
    // The walk opens these too.
    const std::optional<DataElement> opened = MakeSequence(tag, element.value(), depth + 1);
    if (opened) CollectItems(*opened->sequence(), charset, depth + 1, which, found);
  }
}

void Collect(const Item& item, const Charset& outer, int depth, Which which,
             clean::Identifiers& found) {
  if (depth > kDeepest) return;
  std::optional<Charset> own;
  const DataElement* declared = depth > 0 ? item.Find({0x0008, 0x0005}) : nullptr;
  if (declared != nullptr) own = Charset::FromTerms(declared->value());
  const Charset& charset = own ? *own : outer;
  for (const DataElement& element : item.elements) {
    CollectElement(element, charset, depth, which, found);
  }
}

}  // namespace

std::shared_ptr<const clean::Identifiers> CollectIdentifiers(const ParsedInstance& parsed,
                                                             const Charset& charset, Which which) {
  auto found = std::make_shared<clean::Identifiers>();
  Collect(parsed.head, charset, 0, which, *found);
  if (parsed.after) Collect(*parsed.after, charset, 0, which, *found);
  for (const DataElement& element : parsed.dropped) {
    CollectElement(element, charset, 0, which, *found);
  }
  return found;
}

void AppendIdentifiers(const DataElement& element, const Reading& reading, const Charset& charset,
                       clean::IdentifierKind kind, std::vector<clean::Identifier>& found) {
  ForEachValue(element, TextVrOf(reading), charset, kind, [&](std::string_view value) {
    if (!value.empty()) found.push_back({.kind = kind, .value = std::string(value)});
  });
}

}  // namespace dcmveil::engine
