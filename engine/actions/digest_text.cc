// SPDX-License-Identifier: Apache-2.0
#include "engine/actions/digest_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "engine/dictionary.h"

namespace dcmveil::engine {
namespace {

std::uint64_t FirstBits(const Digest& digest, unsigned count) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    number = (number << 8U) | static_cast<unsigned char>(digest.view()[i]);
  }
  return number >> (64U - count);
}

/// What is registered is numbered through; dates and serial numbers have longer components. DICOM's
/// own root has one of five digits.
bool HasShortComponents(std::string_view uid, std::size_t room) {
  if (uid.find('.') == std::string_view::npos) return false;
  std::size_t digits = 0;
  for (const char c : uid) {
    if (c != '.' && (c < '0' || c > '9')) return false;
    if (c == '.' && digits == 0) return false;
    digits = c == '.' ? 0 : digits + 1;
    if (digits > room) return false;
  }
  return digits > 0;
}

}  // namespace

std::string DigestUid(const Digest& digest) {
  std::array<std::uint8_t, 16> bytes{};
  std::copy_n(digest.view().begin(), bytes.size(), bytes.begin());
  return "2.25." + Decimal128(bytes);
}

bool IsClassUid(Tag tag, std::string_view uid) {
  if (IsRegisteredUid(uid)) return true;
  constexpr std::string_view kDicom = "1.2.840.10008.";
  // Vendors and institutions number under roots of up to seven digits.
  const bool dicom = uid.starts_with(kDicom);
  if (!HasShortComponents(uid, dicom ? 5 : 7)) return false;
  const Attribute* const attribute = FindAttribute(tag);
  if (attribute == nullptr) return false;
  constexpr std::array<std::string_view, 6> kKinds{
      "SOPClass",   "TransferSyntax",  "CodingScheme",
      "ContextUID", "MappingResource", "ContextGroupExtensionCreatorUID"};
  // Its own institution's UID is what table E.1-1 replaces there.
  if (!dicom && attribute->keyword == "ContextGroupExtensionCreatorUID") return false;
  return std::any_of(kKinds.begin(), kKinds.end(), [attribute](std::string_view kind) {
    return attribute->keyword.find(kind) != std::string_view::npos;
  });
}

std::string DigestText(Vr vr, const Digest& digest) {
  if (vr == Vr::UI) return DigestUid(digest);
  if (vr == Vr::IS) return std::to_string(FirstBits(digest, 31));
  if (vr == Vr::DS) return std::to_string(FirstBits(digest, 53));  // at most 16 digits
  std::string text = digest.hex();
  if (const int room = MaxLength(vr); room > 0) {
    text.resize(std::min(text.size(), static_cast<std::size_t>(room)));
  }
  if (vr == Vr::CS) {
    for (char& c : text) {
      if (c >= 'a') c = static_cast<char>(c - 'a' + 'A');
    }
  }
  return text;
}

}  // namespace dcmveil::engine
