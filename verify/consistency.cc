// SPDX-License-Identifier: Apache-2.0
#include "verify/consistency.h"

#include <algorithm>
#include <array>

#include "verify/identifiers.h"
#include "verify/words.h"

namespace dcmveil::verify {
namespace {

constexpr Tag kSopInstance{0x0008, 0x0018};
constexpr Tag kReferencedSopInstance{0x0008, 0x1155};
constexpr Tag kPatientId{0x0010, 0x0020};
constexpr Tag kStudyInstance{0x0020, 0x000D};
constexpr Tag kSeriesInstance{0x0020, 0x000E};

/// UIDs of instances, studies, series and frames of reference, wherever they stand.
constexpr auto kReferences = std::to_array<std::uint32_t>({
    0x00080018,
    0x00080058,
    0x00081155,
    0x0020000D,
    0x0020000E,
    0x00200052,
    0x30060024,
    0x300600C2,
});
/// What says which instance, study, series or frame of reference an instance is or is in.
constexpr auto kDefinitions =
    std::to_array<std::uint32_t>({0x00080018, 0x0020000D, 0x0020000E, 0x00200052});

// What an entity says of itself (PS3.3 C.7.1 to C.7.3).
constexpr auto kOfPatient =
    std::to_array<std::uint32_t>({0x00100010, 0x00100020, 0x00100030, 0x00100040});
constexpr auto kOfStudy = std::to_array<std::uint32_t>(
    {0x0020000D, 0x00080020, 0x00080030, 0x00080050, 0x00080090, 0x00081030, 0x00200010});
constexpr auto kOfSeries = std::to_array<std::uint32_t>(
    {0x0020000E, 0x00080060, 0x00200011, 0x0008103E, 0x00180015, 0x00200052});

std::vector<std::string_view> Values(std::string_view text) {
  std::vector<std::string_view> values;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\\', at), text.size());
    values.push_back(Trimmed(text.substr(at, end - at)));
    at = end + 1;
  }
  return values;
}

template <typename List>
bool Contains(const List& list, Tag tag) {
  return std::find(list.begin(), list.end(), tag.number()) != list.end();
}

/// The path without the numbers of items.
std::string ShapeOf(const std::string& path) {
  std::string shape;
  bool number = false;
  for (const char c : path) {
    number = c == '[' || (number && c != '.');
    if (!number) shape += c;
  }
  return shape;
}

std::uint64_t Key(std::string_view level, std::string_view name, std::uint32_t attribute) {
  TextHash hash;
  hash.Add(level);
  hash.Add(name);
  hash.Add("\n");
  hash.Add(std::to_string(attribute));
  return hash.value();
}

}  // namespace

void Consistency::Report(std::uint64_t file, std::string check, std::string where,
                         std::string kind) {
  findings_.emplace_back(file, Finding{.check = std::move(check),
                                       .file = {},
                                       .where = std::move(where),
                                       .kind = std::move(kind)});
}

void Consistency::AddUid(std::uint64_t file, Tag tag, const std::string& where,
                         std::string_view before, std::string_view after, bool defines) {
  if (before.empty() || after.empty() || IsRegistered(before)) return;
  const std::uint64_t from = HashOf(before);
  const std::uint64_t to = HashOf(after);
  const auto [it, fresh] = meanings_.try_emplace(
      from, Meaning{.after = to, .file = file, .tag = tag.number(), .defined = defines});
  if (!fresh && it->second.after != to) {
    Meaning& known = it->second;
    if (defines && !known.defined) {
      // The earlier one only referred to it.
      Report(known.file, "reference", dcmveil::ToString(Tag(known.tag)), "names another UID");
      known = {.after = to, .file = file, .tag = tag.number(), .defined = true};
    } else {
      Report(file, "reference", where, "names another UID");
    }
  }
  it->second.defined = it->second.defined || defines;
  if (!defines) return;
  const auto [back, first] = came_from_.try_emplace(to, from);
  if (!first && back->second != from) Report(file, "reference", where, "two became one");
}

bool Consistency::InRemade(const std::string& path) const {
  constexpr std::size_t kTag = 11;  // "(0008,1155)"
  for (std::size_t at = path.find('['); at != std::string::npos; at = path.find('[', at + 1)) {
    const std::string digits = path.substr(at - kTag + 1, 4) + path.substr(at - kTag + 6, 4);
    const auto number = static_cast<std::uint32_t>(std::stoul(digits, nullptr, 16));
    if (policy_.remade.contains(number)) return true;
  }
  return false;
}

void Consistency::AddUids(std::uint64_t file, const Facts& before, const Facts& after) {
  const std::string_view sop_before = before.Top(kSopInstance);
  const std::string_view sop_after = after.Top(kSopInstance);
  const auto [it, fresh] = instances_.try_emplace(HashOf(sop_after), HashOf(sop_before));
  // Two inputs may have shared one already.
  if (!fresh && it->second != HashOf(sop_before)) {
    Report(file, "duplicate-uid", dcmveil::ToString(kSopInstance), "another output has it");
  }
  sop_.try_emplace(HashOf(sop_before), HashOf(sop_after));

  std::unordered_map<std::string, std::vector<std::uint64_t>> references;
  for (const auto& [path, value] : before.values()) {
    if (value.tag == kReferencedSopInstance)
      references[ShapeOf(path)].push_back(HashOf(value.text));
  }
  for (const auto& [path, value] : after.values()) {
    if (!Contains(kReferences, value.tag)) continue;
    const bool defines = Contains(kDefinitions, value.tag) && path.find('.') == std::string::npos;
    const Facts::Value* was = before.Find(path);
    if (was == nullptr || InRemade(path) || !Facts::Aligned(path, before, after)) {
      if (value.tag == kReferencedSopInstance && !IsRegistered(value.text) && !InRemade(path)) {
        loose_.push_back({.file = file,
                          .where = path,
                          .after = HashOf(value.text),
                          .before = references[ShapeOf(path)]});
      }
      continue;
    }
    const std::vector<std::string_view> from = Values(was->text);
    const std::vector<std::string_view> to = Values(value.text);
    if (from.size() != to.size()) continue;
    for (std::size_t i = 0; i < from.size(); ++i) {
      AddUid(file, value.tag, path, from[i], to[i], defines);
    }
  }
}

void Consistency::AddEntities(std::uint64_t file, const Facts& before, const Facts& after) {
  const auto add = [&](std::string_view level, std::string_view name, const auto& attributes) {
    if (name.empty()) return;
    for (const std::uint32_t number : attributes) {
      const std::string_view was = before.Top(Tag(number));
      const std::string_view is = after.Top(Tag(number));
      const auto [it, fresh] = said_.try_emplace(Key(level, name, number),
                                                 Said{.before = HashOf(was), .attribute = number});
      Said& said = it->second;
      said.same_before = said.same_before && said.before == HashOf(was);
      // An attribute may be emptied in one SOP class and go in another.
      if (is.empty()) continue;
      if (said.after == 0) said.after = HashOf(is);
      if (said.after == HashOf(is) || !said.same_after) continue;
      said.same_after = false;
      said.file = file;
    }
  };
  const std::string_view id = before.Top(kPatientId);
  const std::string patient = std::to_string(before.PatientKey());
  add("patient", id.empty() ? std::string_view() : patient, kOfPatient);
  // Dirty inputs put two patients in one study.
  const auto of_patient = [&patient](std::string_view uid) {
    return uid.empty() ? std::string() : patient + "\n" + std::string(uid);
  };
  add("study", of_patient(before.Top(kStudyInstance)), kOfStudy);
  add("series", of_patient(before.Top(kSeriesInstance)), kOfSeries);
}

void Consistency::AddDates(std::uint64_t file, const Facts& before, const Facts& after) {
  std::string scope;
  if (policy_.shift_scope == "mixed") return;
  // As date-shift does: who has no ID is one with the study.
  if (policy_.shift_scope == "patient" && !before.Top(kPatientId).empty()) {
    scope = std::to_string(before.PatientKey());
  } else if (policy_.shift_scope == "patient" || policy_.shift_scope == "study") {
    scope = before.Top(kStudyInstance);
  }
  if (scope.empty() && policy_.shift_scope != "instance") scope = before.Top(kSeriesInstance);
  if (scope.empty()) scope = before.Top(kSopInstance);
  const std::uint64_t key = HashOf(scope);
  for (const auto& [path, value] : after.values()) {
    if (!IsDate(value.vr)) continue;
    if (policy_.known && !policy_.shifted.contains(value.tag.number())) continue;
    const Facts::Value* was = before.Find(path);
    if (was == nullptr || InRemade(path) || !Facts::Aligned(path, before, after)) continue;
    const std::vector<std::string_view> from = Values(was->text);
    const std::vector<std::string_view> to = Values(value.text);
    if (from.size() != to.size()) continue;
    for (std::size_t i = 0; i < from.size(); ++i) {
      std::int64_t day_before = 0;
      std::int64_t day_after = 0;
      if (!DaysOf(from[i], day_before) || !DaysOf(to[i], day_after)) continue;
      const auto [it, fresh] = moved_.try_emplace(key, day_after - day_before);
      if (it->second != day_after - day_before) {
        Report(file, "dates", path, "moved by another number of days");
      }
    }
  }
}

void Consistency::Add(std::uint64_t file, const Facts& before, const Facts& after) {
  AddUids(file, before, after);
  AddEntities(file, before, after);
  AddDates(file, before, after);
}

std::vector<std::pair<std::uint64_t, Finding>> Consistency::Finish() {
  for (const auto& [key, said] : said_) {
    if (said.same_before && !said.same_after) {
      Report(said.file, "entity", dcmveil::ToString(Tag(said.attribute)),
             "its patient, study or series says something else in another output");
    }
  }
  for (const Loose& loose : loose_) {
    const bool inside = std::all_of(loose.before.begin(), loose.before.end(),
                                    [this](std::uint64_t uid) { return sop_.contains(uid); });
    if (inside && !instances_.contains(loose.after)) {
      Report(loose.file, "reference", loose.where, "names no instance of the output");
    }
  }
  return std::move(findings_);
}

}  // namespace dcmveil::verify
