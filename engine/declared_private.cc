// SPDX-License-Identifier: Apache-2.0
#include "engine/declared_private.h"

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "engine/data_set.h"

namespace dcmveil::engine {
namespace {

constexpr Tag kCharacteristics{0x0008, 0x0300};
constexpr Tag kGroupReference{0x0008, 0x0301};
constexpr Tag kCreatorReference{0x0008, 0x0302};
constexpr Tag kBlockStatus{0x0008, 0x0303};
constexpr Tag kNonidentifying{0x0008, 0x0304};
constexpr Tag kActions{0x0008, 0x0305};
constexpr Tag kIdentifying{0x0008, 0x0306};
constexpr Tag kAction{0x0008, 0x0307};

/// The items of a sequence in the item; none if there is no such sequence.
std::span<const Item> ItemsIn(const Item& item, Tag tag) {
  const DataElement* element = item.Find(tag);
  if (element == nullptr || element->sequence() == nullptr) return {};
  return *element->sequence();
}

std::string TextIn(const Item& item, Tag tag, const Charset& charset, Vr vr) {
  const DataElement* element = item.Find(tag);
  if (element == nullptr) return {};
  const std::string decoded = charset.Decode(TrimPadding(element->value()), vr).text;
  const std::string_view text = TrimPadding(decoded);
  return std::string(text.substr(std::min(text.find_first_not_of(' '), text.size())));
}

std::vector<std::uint16_t> NumbersIn(const Item& item, Tag tag) {
  std::vector<std::uint16_t> numbers;
  const DataElement* element = item.Find(tag);
  if (element == nullptr) return numbers;
  const std::string_view bytes = element->value();
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    numbers.push_back(static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[i]) |
                                                 static_cast<unsigned char>(bytes[i + 1]) << 8U));
  }
  return numbers;
}

/// The group and creator that an item of (0008,0300) is about.
std::optional<std::pair<std::uint16_t, std::string>> BlockOf(const Item& item,
                                                             const Charset& charset) {
  const std::vector<std::uint16_t> group = NumbersIn(item, kGroupReference);
  std::string creator = TextIn(item, kCreatorReference, charset, Vr::LO);
  if (group.size() != 1 || creator.empty()) return std::nullopt;
  return std::pair(group.front(), std::move(creator));
}

DeclaredPrivate::Answer AnswerFor(std::string_view action) {
  using Answer = DeclaredPrivate::Answer;
  if (action == "D") return Answer::kDummy;
  if (action == "Z") return Answer::kEmpty;
  if (action == "U") return Answer::kUid;
  return Answer::kRemove;
}

}  // namespace

DeclaredPrivate::DeclaredPrivate(const ParsedInstance& parsed, const Charset& charset) {
  for (const Item& item : ItemsIn(parsed.head, kCharacteristics)) {
    const auto block = BlockOf(item, charset);
    if (!block) continue;
    const std::string status = TextIn(item, kBlockStatus, charset, Vr::CS);
    blocks_[*block] = status == "SAFE";
    // In a block that holds identifying elements only those listed are safe.
    if (status == "MIXED") {
      for (const std::uint16_t number : NumbersIn(item, kNonidentifying)) {
        elements_[{*block, static_cast<std::uint8_t>(number)}] = Answer::kSafe;
      }
    }
    for (const Item& entry : ItemsIn(item, kActions)) {
      const Answer answer = AnswerFor(TextIn(entry, kAction, charset, Vr::CS));
      for (const std::uint16_t number : NumbersIn(entry, kIdentifying)) {
        elements_[{*block, static_cast<std::uint8_t>(number)}] = answer;
      }
    }
  }
}

DeclaredPrivate::Answer DeclaredPrivate::Find(std::uint16_t group, std::string_view creator,
                                              std::uint8_t low) const {
  if (blocks_.empty() || creator.empty()) return Answer::kNothing;
  const Block block(group, creator);
  if (const auto it = elements_.find({block, low}); it != elements_.end()) return it->second;
  const auto it = blocks_.find(block);
  return it != blocks_.end() && it->second ? Answer::kSafe : Answer::kNothing;
}

void TrimDeclarations(Item& data_set, const Charset& charset) {
  DataElement* element = data_set.Find(kCharacteristics);
  if (element == nullptr || element->sequence() == nullptr) return;
  const auto is_there = [&](const std::pair<std::uint16_t, std::string>& block) {
    for (std::uint16_t number = 0x0010; number <= 0x00FF; ++number) {
      if (TextIn(data_set, {block.first, number}, charset, Vr::LO) == block.second) return true;
    }
    return false;
  };
  std::erase_if(*element->sequence(), [&](const Item& item) {
    const auto block = BlockOf(item, charset);
    return !block || !is_there(*block);
  });
  if (element->sequence()->empty()) data_set.Remove(kCharacteristics);
}

}  // namespace dcmveil::engine
