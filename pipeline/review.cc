// SPDX-License-Identifier: Apache-2.0
#include "pipeline/review.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "engine/dictionary.h"

namespace dcmveil::pipeline {
namespace fs = std::filesystem;
namespace {

using nlohmann::ordered_json;

constexpr const char* kFile = "review.ndjson";
constexpr std::string_view kOther = "other";

std::string Joined(std::string_view one, std::string_view two) {
  return std::string(one).append(1, '\0').append(two);
}

/// Cut between characters, with a mark that says so.
std::string Cut(std::string text, std::size_t size) {
  if (text.size() <= size) return text;
  std::size_t end = size;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  const std::string mark = " … [" + std::to_string(text.size()) + " bytes]";
  text.resize(end);
  return text + mark;
}

std::string Line(const ordered_json& object) {
  return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string_view KnownModality(std::string_view modality) {
  static constexpr auto kModalities = std::to_array<std::string_view>({
      "ANN",      "AR",     "AS",         "ASMT",       "AU",     "BDUS",  "BI",       "BMD",
      "CD",       "CF",     "CFM",        "CP",         "CR",     "CS",    "CT",       "CTPROTOCOL",
      "DD",       "DF",     "DG",         "DM",         "DMS",    "DOC",   "DS",       "DX",
      "EC",       "ECG",    "EEG",        "EMG",        "EOG",    "EPS",   "ES",       "FA",
      "FID",      "FS",     "GM",         "HC",         "HD",     "IO",    "IOL",      "IVOCT",
      "IVUS",     "KER",    "KO",         "LEN",        "LP",     "LS",    "M3D",      "MA",
      "MG",       "MR",     "MS",         "NM",         "OAM",    "OCT",   "OP",       "OPM",
      "OPR",      "OPT",    "OPTBSV",     "OPTENF",     "OPV",    "OSS",   "OT",       "PA",
      "PLAN",     "POS",    "PR",         "PT",         "PX",     "REG",   "RESP",     "RF",
      "RG",       "RTDOSE", "RTIMAGE",    "RTINTENT",   "RTPLAN", "RTRAD", "RTRECORD", "RTSEGANN",
      "RTSTRUCT", "RWV",    "SC",         "SD",         "SEG",    "SM",    "SMR",      "SR",
      "SRF",      "ST",     "STAIN",      "TEXTUREMAP", "TG",     "US",    "VA",       "VF",
      "VIDD",     "XA",     "XAPROTOCOL", "XC",
  });
  const bool known =
      std::find(kModalities.begin(), kModalities.end(), modality) != kModalities.end();
  return known ? modality : kOther;
}

Review::~Review() {
  if (fd_ >= 0) ::close(fd_);
}

Status Review::Open(const fs::path& folder, bool go_on) {
  const fs::path file = folder / kFile;
  std::size_t sound = 0;
  std::error_code error;
  if (go_on && fs::exists(file, error)) {
    const Status status = ReadLines(file, sound);
    if (!status) return status;
  }
  fd_ = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd_ < 0 || ::fchmod(fd_, 0600) != 0 || ::ftruncate(fd_, static_cast<off_t>(sound)) != 0) {
    return ErrorCode::kWriteFailed;
  }
  return Done{};
}

Status Review::Load(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder / kFile, error)) return ErrorCode::kNotFound;
  std::size_t sound = 0;
  return ReadLines(folder / kFile, sound);
}

Status Review::ReadLines(const fs::path& file, std::size_t& sound) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return ErrorCode::kReadFailed;
  for (std::string line; std::getline(stream, line);) {
    if (stream.eof()) break;  // no line end: cut off while it was written
    if (!Take(line)) return ErrorCode::kMalformed;
    sound += line.size() + 1;
  }
  if (stream.bad()) return ErrorCode::kReadFailed;
  return Done{};
}

bool Review::Take(std::string_view line) {
  const ordered_json object = ordered_json::parse(line, nullptr, false);
  if (!object.is_object()) return false;
  const auto text = [&object](const char* name) -> std::optional<std::string> {
    const auto it = object.find(name);
    if (it == object.end() || !it->is_string()) return std::nullopt;
    return it->get<std::string>();
  };
  const auto number = [&object](const char* name, std::size_t count) {
    const auto it = object.find(name);
    return it != object.end() && it->is_number_unsigned() && it->get<std::uint64_t>() < count;
  };
  // The next number of its sort, and no other.
  const auto next = [&](const char* name, std::size_t count) {
    return number(name, count + 1) && object[name].get<std::uint64_t>() == count;
  };
  if (next("rule", rules_.size()) && text("origin") && text("action")) {
    AddRule({.origin = *text("origin"), .action = *text("action")});
  } else if (next("kind", kinds_.size()) && text("modality") && text("sop_class")) {
    AddKind({.modality = *text("modality"), .sop_class_uid = *text("sop_class")});
  } else if (next("text", texts_.size()) && number("element", elements_.size()) &&
             number("rule", rules_.size()) && text("value")) {
    AddText({.element = object["element"].get<std::uint32_t>(),
             .rule = object["rule"].get<std::uint32_t>(),
             .before = text("before"),
             .text = *text("value"),
             .removed = object.contains("removed")});
  } else if (next("element", elements_.size()) && text("name") && text("vr") &&
             VrFromString(*text("vr"))) {
    AddElement({.name = *text("name"), .vr = *VrFromString(*text("vr"))});
  } else {
    return false;
  }
  return true;
}

void Review::AddRule(Rule rule) {
  known_rules_.emplace(Joined(rule.origin, rule.action), static_cast<std::uint32_t>(rules_.size()));
  rules_.push_back(std::move(rule));
}

void Review::AddKind(Kind kind) {
  known_kinds_.emplace(Joined(kind.modality, kind.sop_class_uid),
                       static_cast<std::uint32_t>(kinds_.size()));
  kinds_.push_back(std::move(kind));
}

void Review::AddElement(Element element) {
  known_elements_.emplace(Joined(element.name, ToString(element.vr)),
                          static_cast<std::uint32_t>(elements_.size()));
  elements_.push_back(std::move(element));
  rooms_.emplace_back();
}

std::string Review::KeyOf(const Text& text) {
  std::string key = std::to_string(text.element) + " " + std::to_string(text.rule);
  if (text.before) key.append(text.removed ? "-" : "+").append(*text.before);
  return Joined(key, text.text);
}

void Review::AddText(Text text) {
  bytes_ += text.text.size() + text.before.value_or("").size();
  Room& room = rooms_[text.element];
  ++(text.before ? room.changes : room.texts);
  known_texts_.emplace(KeyOf(text), static_cast<std::uint32_t>(texts_.size()));
  texts_.push_back(std::move(text));
}

std::uint32_t Review::NumberOfRule(std::string_view origin, std::string_view action) {
  const auto it = known_rules_.find(Joined(origin, action));
  if (it != known_rules_.end()) return it->second;
  pending_ += Line({{"rule", rules_.size()}, {"origin", origin}, {"action", action}});
  AddRule({.origin = std::string(origin), .action = std::string(action)});
  return static_cast<std::uint32_t>(rules_.size() - 1);
}

std::uint32_t Review::NumberOfKind(std::string_view modality, std::string_view sop_class_uid) {
  modality = KnownModality(modality);
  if (!IsRegisteredUid(sop_class_uid)) sop_class_uid = kOther;
  const auto it = known_kinds_.find(Joined(modality, sop_class_uid));
  if (it != known_kinds_.end()) return it->second;
  pending_ += Line({{"kind", kinds_.size()}, {"modality", modality}, {"sop_class", sop_class_uid}});
  AddKind({.modality = std::string(modality), .sop_class_uid = std::string(sop_class_uid)});
  return static_cast<std::uint32_t>(kinds_.size() - 1);
}

std::uint32_t Review::NumberOfElement(const std::string& name, Vr vr) {
  const auto it = known_elements_.find(Joined(name, ToString(vr)));
  if (it != known_elements_.end()) return it->second;
  // Hostile inputs can have any number of ways to an element. One row stands for the rest.
  static const std::string kRest = "(further elements)";
  if (elements_.size() >= limits_.elements && name != kRest) return NumberOfElement(kRest, Vr::UN);
  pending_ += Line({{"element", elements_.size()}, {"name", name}, {"vr", ToString(vr)}});
  AddElement({.name = name, .vr = vr});
  return static_cast<std::uint32_t>(elements_.size() - 1);
}

std::optional<std::uint32_t> Review::NumberOfText(Text text) {
  text.text = Cut(std::move(text.text), limits_.text_size);
  if (text.before) text.before = Cut(std::move(*text.before), limits_.text_size);
  const auto it = known_texts_.find(KeyOf(text));
  if (it != known_texts_.end()) return it->second;
  const Room& room = rooms_[text.element];
  const std::size_t size = text.text.size() + text.before.value_or("").size();
  if ((text.before ? room.changes : room.texts) >= limits_.texts_of_element ||
      texts_.size() >= limits_.texts || bytes_ + size > limits_.bytes) {
    return std::nullopt;
  }
  ordered_json object = {{"text", texts_.size()}, {"element", text.element}, {"rule", text.rule}};
  if (text.before) object["before"] = *text.before;
  object["value"] = text.text;
  if (text.removed) object["removed"] = true;
  pending_ += Line(object);
  AddText(std::move(text));
  return static_cast<std::uint32_t>(texts_.size() - 1);
}

Result<Tally> Review::Number(const Findings& findings, bool has_output) {
  Tally tally;
  if (findings.has_kind()) {
    tally.kind = NumberOfKind(findings.modality(), findings.sop_class_uid());
  }
  const auto add = [](Tally::Counts& counts, std::uint32_t number, std::uint64_t count) {
    const auto it = std::find_if(counts.begin(), counts.end(),
                                 [number](const auto& entry) { return entry.first == number; });
    if (it != counts.end()) {
      it->second += count;
    } else {
      counts.emplace_back(number, count);
    }
  };
  if (has_output) {
    std::vector<std::uint32_t> rules;
    for (const Findings::Rule& rule : findings.rules()) {
      rules.push_back(NumberOfRule(rule.origin, rule.action));
      add(tally.rules, rules.back(), rule.elements);
    }
    for (const Findings::Text& text : findings.texts()) {
      const std::uint32_t element = NumberOfElement(text.element, text.vr);
      const std::optional<std::uint32_t> number = NumberOfText({.element = element,
                                                                .rule = rules[text.rule],
                                                                .before = text.before,
                                                                .text = text.text,
                                                                .removed = text.removed});
      if (number) {
        tally.texts.emplace_back(*number, text.times);
      } else {
        add(tally.unlisted, element, text.times);
      }
    }
  }
  // Findings are distinct, but two that differ behind the cut have one number.
  std::sort(tally.texts.begin(), tally.texts.end());
  Tally::Counts texts;
  for (const auto& [number, times] : tally.texts) {
    if (!texts.empty() && texts.back().first == number) {
      texts.back().second += times;
    } else {
      texts.emplace_back(number, times);
    }
  }
  tally.texts = std::move(texts);
  const Status status = Flush();
  if (!status) return status.error();
  return tally;
}

Status Review::Flush() {
  if (broken_) return ErrorCode::kWriteFailed;
  std::size_t done = 0;
  while (done < pending_.size()) {
    const ssize_t n = ::write(fd_, pending_.data() + done, pending_.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      broken_ = true;
      return ErrorCode::kWriteFailed;
    }
    done += static_cast<std::size_t>(n);
  }
  pending_.clear();
  return Done{};
}

Status Review::Sync() {
  if (::fsync(fd_) != 0) return ErrorCode::kWriteFailed;
  return Done{};
}

}  // namespace dcmveil::pipeline
