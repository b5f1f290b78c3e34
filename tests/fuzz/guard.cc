// SPDX-License-Identifier: Apache-2.0
//
// What the guard knows and what it looks at. The first byte chooses character set and encoding;
// lines follow, each an identifier behind the letter of its kind, up to an empty line; the rest is
// the output. Whatever else is known, an identifier that is none but an ID is found in a text.
#include "engine/guard/guard.h"

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "tests/fuzz/target.h"

namespace dcmveil::fuzz {
namespace {

using engine::clean::IdentifierKind;

constexpr std::array kCharsets = {"",        "ISO_IR 100",       "ISO_IR 192",
                                  "GB18030", "\\ISO 2022 IR 87", "\\ISO 2022 IR 149"};
constexpr std::string_view kKinds = "nidbathvu";  // in the order of IdentifierKind

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsCapital(char c) { return c >= 'A' && c <= 'Z'; }

/// Capitals and digits, several of both: no word, number, date or name.
bool IsPlainId(std::string_view value) {
  constexpr std::size_t kShortest = 8;
  constexpr std::size_t kLongest = 40;
  constexpr std::size_t kDifferent = 4;
  if (value.size() < kShortest || value.size() > kLongest) return false;
  std::set<char> digits;
  std::set<char> capitals;
  for (const char c : value) {
    if (IsDigit(c)) digits.insert(c);
    if (IsCapital(c)) capitals.insert(c);
    if (!IsDigit(c) && !IsCapital(c)) return false;
  }
  return digits.size() >= kDifferent && capitals.size() >= kDifferent;
}

/// (0008,1030) LO in explicit VR little endian.
std::string Description(std::string_view text) {
  std::string element("\x08\0\x30\x10LO", 6);
  element.push_back(static_cast<char>(text.size()));
  element.push_back('\0');
  return element.append(text);
}

void LookAt(std::string_view input) {
  const auto choice = static_cast<unsigned char>(input.front());
  input.remove_prefix(1);
  engine::guard::Knowledge known;
  known.charset = Charset::FromTerms(kCharsets[choice % kCharsets.size()]);
  auto identifiers = std::make_shared<engine::clean::Identifiers>();
  std::string id;
  for (std::size_t end = input.find('\n'); end != std::string_view::npos; end = input.find('\n')) {
    const std::string_view line = input.substr(0, end);
    input.remove_prefix(end + 1);
    if (line.empty()) break;
    const std::size_t kind = kKinds.find(line.front());
    if (kind == std::string_view::npos) continue;
    identifiers->Add(static_cast<IdentifierKind>(kind), line.substr(1));
    if (line.front() == 'i' && IsPlainId(line.substr(1))) id = line.substr(1);
  }
  known.identifiers = identifiers;

  const engine::Encoding encoding{.explicit_vr = (choice & 0x80U) == 0,
                                  .big_endian = (choice & 0xC0U) == 0x40U};
  const Status seen = engine::guard::Look(known, {.head = input, .encoding = encoding}, {});
  const Status again = engine::guard::Look(known, {.head = input, .encoding = encoding}, {});
  Hold(seen.ok() == again.ok(), "what is known and looked at decides alone");
  if (id.empty()) return;
  const std::string with_id = Description("seen as " + id + " today" + (id.size() % 2 ? "." : ""));
  const Status found = engine::guard::Look(known, {.head = with_id}, {});
  Hold(!found.ok(), "an ID in a text is found");
  Hold(found.error().where.find(id) == std::string::npos, "a message has no identifier in it");
}

}  // namespace
}  // namespace dcmveil::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 0) dcmveil::fuzz::LookAt(dcmveil::fuzz::TextOf(data, size));
  return 0;
}
