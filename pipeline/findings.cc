// SPDX-License-Identifier: Apache-2.0
#include "pipeline/findings.h"

#include <algorithm>

#include "engine/charset.h"
#include "engine/dictionary.h"

namespace dcmveil::pipeline {
namespace {

/// Free text: people write what they like in these.
constexpr VrSet kFreeText = kCharsetVrs | VrSet{Vr::AE, Vr::UR};
constexpr std::size_t kLookedAt = std::size_t{1} << 20U;
constexpr std::size_t kShortest = 8;

bool IsPrintable(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte != 0x7F;
}

bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ';
}

bool IsAscii(char c) { return static_cast<unsigned char>(c) < 0x80; }

std::string Utf8(std::string_view bytes) {
  // What is no UTF-8 is shown as Latin-1, which every byte is in.
  const auto utf8 = Charset::FromTerms("ISO_IR 192").Decode(bytes, Vr::UT);
  if (utf8.exact) return utf8.text;
  return Charset::FromTerms("ISO_IR 100").Decode(bytes, Vr::UT).text;
}

bool IsText(std::string_view bytes) {
  const bool printable = std::all_of(bytes.begin(), bytes.end(), [](char c) {
    return IsPrintable(c) || c == '\r' || c == '\n' || c == '\t' || c == '\f';
  });
  const auto ascii = std::count_if(bytes.begin(), bytes.end(), IsAscii);
  return printable && static_cast<std::size_t>(ascii) * 2 >= bytes.size();
}

}  // namespace

std::string NameOf(const engine::Path& path) {
  std::string name;
  for (const engine::PathStep& step : path) {
    if (!name.empty()) name.push_back('/');
    const Attribute* attribute = FindAttribute(step.tag);
    if (attribute != nullptr) {
      name += attribute->keyword;
      continue;
    }
    std::string tag = ToString(step.tag);
    if (!step.creator.empty()) {
      tag.replace(6, 2, "xx");
      tag.pop_back();
      tag.append(" \"").append(Utf8(step.creator)).append("\")");
    }
    name += tag;
  }
  return name;
}

std::vector<std::string> TextIn(std::string_view bytes) {
  while (!bytes.empty() && (bytes.back() == '\0' || bytes.back() == ' ')) bytes.remove_suffix(1);
  bytes = bytes.substr(0, kLookedAt);
  std::vector<std::string> found;
  if (bytes.empty()) return found;
  if (IsText(bytes)) return {Utf8(bytes)};
  for (std::size_t at = 0; at < bytes.size();) {
    std::size_t end = at;
    while (end < bytes.size() && IsPrintable(bytes[end]) && IsAscii(bytes[end])) ++end;
    const std::string_view stretch = bytes.substr(at, end - at);
    const auto words = std::count_if(stretch.begin(), stretch.end(), IsWordCharacter);
    if (stretch.size() >= kShortest && static_cast<std::size_t>(words) * 4 >= stretch.size() * 3) {
      found.emplace_back(stretch);
    }
    at = end + 1;
  }
  return found;
}

void Findings::OnInstance(std::string_view sop_class_uid, std::string_view modality) {
  has_kind_ = true;
  sop_class_uid_ = sop_class_uid;
  modality_ = modality;
}

engine::Observer::Values Findings::Wanted(Tag tag, Vr vr) const {
  if (with_changes_) return Values::kBoth;
  const bool free_text = kFreeText.contains(vr) || vr == Vr::UN ||
                         (tag.is_private() && (vr == Vr::CS || vr == Vr::OB));
  return free_text ? Values::kAfter : Values::kNone;
}

void Findings::OnElement(const Event& event) {
  const std::size_t rule = NumberOf(event.origin, event.action);
  ++rules_[rule].elements;
  if (event.survives) {
    const bool binary = event.vr == Vr::UN || (event.vr == Vr::OB && !event.bytes.empty());
    const bool text =
        kFreeText.contains(event.vr) || (event.vr == Vr::CS && event.path.back().tag.is_private());
    if (binary) {
      for (std::string& found : TextIn(event.bytes)) {
        Add({.element = NameOf(event.path),
             .vr = event.vr,
             .rule = rule,
             .text = std::move(found)});
      }
    } else if (text && !event.after.empty()) {
      Add({.element = NameOf(event.path), .vr = event.vr, .rule = rule, .text = event.after});
    }
  }
  if (with_changes_ && (event.removed || event.before != event.after)) {
    Add({.element = NameOf(event.path),
         .vr = event.vr,
         .rule = rule,
         .before = event.before,
         .text = event.after,
         .removed = event.removed});
  }
}

std::size_t Findings::NumberOf(std::string_view origin, std::string_view action) {
  const auto [entry, is_new] =
      known_rules_.try_emplace({origin.data(), action.data()}, rules_.size());
  if (is_new) rules_.push_back({.origin = origin, .action = action});
  return entry->second;
}

void Findings::Add(Text text) {
  std::string key = text.element;
  key.push_back('\0');
  key.append(std::to_string(text.rule)).push_back('\0');
  if (text.before) key.append(*text.before).append(1, text.removed ? '\2' : '\1');
  key.push_back('\0');
  key += text.text;
  const auto [entry, is_new] = known_texts_.try_emplace(std::move(key), texts_.size());
  if (is_new) {
    texts_.push_back(std::move(text));
  } else {
    ++texts_[entry->second].times;
  }
}

}  // namespace dcmveil::pipeline
