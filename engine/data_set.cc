// SPDX-License-Identifier: Apache-2.0
#include "engine/data_set.h"

#include <algorithm>
#include <utility>

namespace dcmveil::engine {
namespace {

template <typename Elements>
auto LowerBound(Elements& elements, Tag tag) {
  return std::lower_bound(elements.begin(), elements.end(), tag,
                          [](const DataElement& element, Tag t) { return element.tag() < t; });
}

}  // namespace

DataElement::DataElement(Tag tag, Vr vr) : tag_(tag), vr_(vr) {
  if (vr == Vr::SQ) items_ = std::make_unique<Sequence>();
}

DataElement DataElement::View(Tag tag, Vr vr, std::string_view value) {
  DataElement element(tag, vr);
  element.bytes_ = value;
  return element;
}

DataElement DataElement::Of(Tag tag, Vr vr, std::string value) {
  DataElement element(tag, vr);
  element.storage_ = std::make_unique<std::string>(std::move(value));
  element.bytes_ = *element.storage_;
  return element;
}

DataElement DataElement::Of(Tag tag, Sequence items, std::unique_ptr<std::string> storage) {
  DataElement element(tag, Vr::SQ);
  *element.items_ = std::move(items);
  element.storage_ = std::move(storage);
  return element;
}

DataElement DataElement::Fragments(Tag tag, Vr vr, std::string_view value) {
  DataElement element = View(tag, vr, value);
  element.fragments_ = true;
  return element;
}

DataElement DataElement::Clone() const {
  DataElement copy(tag_, vr_);
  copy.fragments_ = fragments_;
  if (items_) {
    copy.items_->reserve(items_->size());
    for (const Item& item : *items_) copy.items_->push_back(item.Clone());
  } else {
    copy.storage_ = std::make_unique<std::string>(bytes_);
    copy.bytes_ = *copy.storage_;
  }
  return copy;
}

DataElement* Item::Find(Tag tag) {
  const auto at = LowerBound(elements, tag);
  return at != elements.end() && at->tag() == tag ? &*at : nullptr;
}

const DataElement* Item::Find(Tag tag) const {
  const auto at = LowerBound(elements, tag);
  return at != elements.end() && at->tag() == tag ? &*at : nullptr;
}

void Item::Put(DataElement element) {
  const auto at = LowerBound(elements, element.tag());
  if (at != elements.end() && at->tag() == element.tag()) {
    *at = std::move(element);
  } else {
    elements.insert(at, std::move(element));
  }
}

void Item::Remove(Tag tag) {
  const auto at = LowerBound(elements, tag);
  if (at != elements.end() && at->tag() == tag) elements.erase(at);
}

Item Item::Clone() const {
  Item copy;
  copy.elements.reserve(elements.size());
  for (const DataElement& element : elements) copy.elements.push_back(element.Clone());
  return copy;
}

std::optional<DataElement> MakeElement(Tag tag, Vr vr, std::string_view bytes) {
  if (vr == Vr::SQ) {
    if (!bytes.empty()) return std::nullopt;
    return DataElement(tag, vr);
  }
  const bool number = kNumberVrs.contains(vr) || vr == Vr::AT;
  if (number && bytes.size() % NumberWidth(vr) != 0) return std::nullopt;
  return DataElement::Of(tag, vr, std::string(bytes));
}

bool BeginsWithItem(const DataElement& element) {
  const std::string_view value = element.value();
  if (value.size() < 8) return false;
  const std::string_view start = value.substr(0, 4);
  return start == std::string_view("\xFE\xFF\x00\xE0", 4) ||
         start == std::string_view("\xFF\xFE\xE0\x00", 4);
}

std::size_t NumberWidth(Vr vr) {
  switch (vr) {
    case Vr::AT:
    case Vr::OW:
    case Vr::SS:
    case Vr::US:
      return 2;
    case Vr::FL:
    case Vr::OF:
    case Vr::OL:
    case Vr::SL:
    case Vr::UL:
      return 4;
    case Vr::FD:
    case Vr::OD:
    case Vr::OV:
    case Vr::SV:
    case Vr::UV:
      return 8;
    default:
      return 1;
  }
}

std::string_view TrimPadding(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
  return text;
}

}  // namespace dcmveil::engine
