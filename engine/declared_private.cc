// SPDX-License-Identifier: Apache-2.0
#include "engine/declared_private.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "engine/dcmtk/element.h"

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

DcmElement* FindIn(DcmItem& item, Tag tag) {
  DcmElement* element = nullptr;
  return item.findAndGetElement(DcmTagKey(tag.group, tag.element), element).good() ? element
                                                                                   : nullptr;
}

std::string TextIn(DcmItem& item, Tag tag, const Charset& charset, Vr vr) {
  DcmElement* element = FindIn(item, tag);
  if (element == nullptr) return {};
  const std::string decoded = charset.Decode(TrimPadding(RawValue(*element)), vr).text;
  const std::string_view text = TrimPadding(decoded);
  return std::string(text.substr(std::min(text.find_first_not_of(' '), text.size())));
}

std::vector<std::uint16_t> NumbersIn(DcmItem& item, Tag tag) {
  std::vector<std::uint16_t> numbers;
  DcmElement* element = FindIn(item, tag);
  if (element == nullptr) return numbers;
  const std::string bytes = RawValue(*element);
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    numbers.push_back(static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[i]) |
                                                 static_cast<unsigned char>(bytes[i + 1]) << 8U));
  }
  return numbers;
}

/// The group and creator that an item of (0008,0300) is about.
std::optional<std::pair<std::uint16_t, std::string>> BlockOf(DcmItem& item,
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
  DcmElement* element = FindIn(*parsed.head, kCharacteristics);
  DcmSequenceOfItems* sequence = element != nullptr ? AsSequence(*element) : nullptr;
  if (sequence == nullptr) return;
  for (unsigned long i = 0; i < sequence->card(); ++i) {
    DcmItem& item = *sequence->getItem(i);
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
    DcmElement* list = FindIn(item, kActions);
    DcmSequenceOfItems* actions = list != nullptr ? AsSequence(*list) : nullptr;
    for (unsigned long j = 0; actions != nullptr && j < actions->card(); ++j) {
      DcmItem& entry = *actions->getItem(j);
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

void TrimDeclarations(DcmDataset& data_set, const Charset& charset) {
  DcmElement* element = FindIn(data_set, kCharacteristics);
  DcmSequenceOfItems* sequence = element != nullptr ? AsSequence(*element) : nullptr;
  if (sequence == nullptr) return;
  const auto is_there = [&](const std::pair<std::uint16_t, std::string>& block) {
    for (std::uint16_t number = 0x0010; number <= 0x00FF; ++number) {
      if (TextIn(data_set, {block.first, number}, charset, Vr::LO) == block.second) return true;
    }
    return false;
  };
  for (unsigned long i = sequence->card(); i-- > 0;) {
    const auto block = BlockOf(*sequence->getItem(i), charset);
    if (block && is_there(*block)) continue;
    const std::unique_ptr<DcmItem> dropped(sequence->remove(i));
  }
  if (sequence->card() == 0) {
    const std::unique_ptr<DcmElement> dropped(data_set.remove(element));
  }
}

}  // namespace dcmveil::engine
