// SPDX-License-Identifier: Apache-2.0
//
// Runs one action on one value, as a rule would: what the tests of actions share.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "engine/action.h"

namespace dcmveil::engine::testing {

/// The bytes 00 01 ... 1f.
inline Key TestKey() {
  std::string bytes;
  for (char c = 0; c < 32; ++c) bytes.push_back(c);
  return Key(bytes);
}

inline Instance TestInstance(std::string_view charset = "") {
  auto identifiers = std::make_shared<clean::Identifiers>();
  identifiers->Add(clean::IdentifierKind::kPersonName, "Doe^Jane");
  identifiers->Add(clean::IdentifierKind::kId, "4711");
  return {.charset = Charset::FromTerms(charset),
          .patient_id = "4711",
          .issuer_of_patient_id = "",
          .study_instance_uid = "1.2.3",
          .series_instance_uid = "1.2.3.4",
          .sop_instance_uid = "1.2.3.4.5",
          .sop_class_uid = "1.2.840.10008.5.1.4.1.1.2",
          .identifiers = std::move(identifiers)};
}

/// A flow mapping of scalars: {a: 1, b: 'x, y', c: "z"}. The little of YAML that examples use.
inline std::map<std::string, std::string, std::less<>> ParseWith(std::string_view text) {
  std::map<std::string, std::string, std::less<>> out;
  if (text.size() < 2 || text.front() != '{' || text.back() != '}') {
    throw std::invalid_argument("no flow mapping");
  }
  text = text.substr(1, text.size() - 2);
  const auto skip = [&text] {
    while (!text.empty() && (text.front() == ' ' || text.front() == ',')) text.remove_prefix(1);
  };
  for (skip(); !text.empty(); skip()) {
    const std::size_t colon = text.find(": ");
    if (colon == std::string_view::npos) throw std::invalid_argument("no colon");
    const std::string name(text.substr(0, colon));
    text.remove_prefix(colon + 2);
    std::size_t end = 0;
    if (text.front() == '\'' || text.front() == '"') {
      end = text.find(text.front(), 1);
      out[name] = std::string(text.substr(1, end - 1));
      ++end;
    } else {
      end = std::min(text.find(','), text.size());
      out[name] = std::string(text.substr(0, end));
    }
    text.remove_prefix(end);
  }
  return out;
}

/// Parameters with their defaults, checked as the loader does.
inline Params MakeParams(const ActionSpec& spec, std::string_view with) {
  auto given = ParseWith(with);
  Params params;
  for (const ParamSpec& param : spec.params) {
    std::optional<std::string> text;
    if (param.default_value.has_value()) text = std::string(*param.default_value);
    if (const auto it = given.find(param.name); it != given.end()) {
      text = it->second;
      given.erase(it);
    }
    if (!text.has_value()) {
      if (!param.optional) throw std::invalid_argument("missing parameter");
      continue;
    }
    const std::string name(param.name);
    switch (param.type) {
      case ParamType::kInteger:
        params.Set(name, std::int64_t{std::stoll(*text)});
        break;
      case ParamType::kNumber:
        params.Set(name, std::stod(*text));
        break;
      case ParamType::kBoolean:
        if (*text != "true" && *text != "false") throw std::invalid_argument("no boolean");
        params.Set(name, *text == "true");
        break;
      default:
        params.Set(name, *text);
    }
  }
  if (!given.empty()) throw std::invalid_argument("unknown parameter " + given.begin()->first);
  return params;
}

struct MadeAction {
  std::unique_ptr<const Action> action;
  std::vector<MakeContext::Problem> problems;
};

inline MadeAction Make(std::string_view name, std::string_view with, const Key* key,
                       bool raw_key = false) {
  const ActionSpec* const spec = FindAction(name);
  if (spec == nullptr) throw std::invalid_argument("no such action");
  MakeContext context;
  context.key = key;
  context.raw_key = raw_key;
  MadeAction made;
  made.action = spec->make(MakeParams(*spec, with), context);
  made.problems = context.problems;
  return made;
}

inline std::vector<std::string> SplitValues(std::string_view text) {
  std::vector<std::string> out(1);
  for (const char c : text) {
    if (c == '\\') {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

inline std::size_t SizeOf(Vr vr) {
  switch (vr) {
    case Vr::SS:
    case Vr::US:
      return 2;
    case Vr::FL:
    case Vr::SL:
    case Vr::UL:
      return 4;
    default:
      return 8;
  }
}

/// "1\2" as the bytes of a binary VR; the digits of OB and UN are hexadecimal.
inline std::string ToBytes(Vr vr, std::string_view text) {
  std::string out;
  if (text.empty()) return out;
  const auto append = [&out](std::uint64_t number, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) out.push_back(static_cast<char>(number >> (8 * i)));
  };
  for (const std::string& value : SplitValues(text)) {
    if (vr == Vr::AT) {
      append(std::stoul(value.substr(1, 4), nullptr, 16), 2);
      append(std::stoul(value.substr(6, 4), nullptr, 16), 2);
    } else if (vr == Vr::FL) {
      append(std::bit_cast<std::uint32_t>(std::stof(value)), 4);
    } else if (vr == Vr::FD) {
      append(std::bit_cast<std::uint64_t>(std::stod(value)), 8);
    } else if (kNumberVrs.contains(vr)) {
      append(
          value.front() == '-' ? static_cast<std::uint64_t>(std::stoll(value)) : std::stoull(value),
          SizeOf(vr));
    } else {
      for (std::size_t i = 0; i + 1 < value.size(); i += 2) {
        append(std::stoul(value.substr(i, 2), nullptr, 16), 1);
      }
    }
  }
  return out;
}

inline std::string FromBytes(Vr vr, std::string_view bytes) {
  std::string out;
  const auto read = [&bytes](std::size_t size) {
    std::uint64_t number = 0;
    for (std::size_t i = size; i-- > 0;) {
      number = number << 8U | static_cast<unsigned char>(bytes[i]);
    }
    bytes.remove_prefix(size);
    return number;
  };
  std::array<char, 64> buffer{};
  while (!bytes.empty()) {
    if (!out.empty() && !kBulkVrs.contains(vr)) out += '\\';
    if (vr == Vr::AT) {
      const auto group = static_cast<unsigned>(read(2));
      const auto element = static_cast<unsigned>(read(2));
      std::snprintf(buffer.data(), buffer.size(), "(%04X,%04X)", group, element);
    } else if (vr == Vr::FL) {
      const float number = std::bit_cast<float>(static_cast<std::uint32_t>(read(4)));
      std::snprintf(buffer.data(), buffer.size(), "%.9g", static_cast<double>(number));
    } else if (vr == Vr::FD) {
      std::snprintf(buffer.data(), buffer.size(), "%.17g", std::bit_cast<double>(read(8)));
    } else if (kNumberVrs.contains(vr)) {
      const std::size_t size = SizeOf(vr);
      const std::uint64_t number = read(size);
      const bool is_signed = vr == Vr::SL || vr == Vr::SS || vr == Vr::SV;
      const unsigned unused = 64U - 8U * static_cast<unsigned>(size);
      if (is_signed) {
        const auto value = static_cast<std::int64_t>(number << unused) >> unused;
        std::snprintf(buffer.data(), buffer.size(), "%lld", static_cast<long long>(value));
      } else {
        std::snprintf(buffer.data(), buffer.size(), "%llu",
                      static_cast<unsigned long long>(number));
      }
    } else {
      std::snprintf(buffer.data(), buffer.size(), "%02x", static_cast<unsigned>(read(1)));
    }
    out += buffer.data();
  }
  return out;
}

/// Some tag for an element whose tag does not matter.
inline constexpr Tag kSomeTag{0x0009, 0x1001};

inline Change Apply(const Action& action, Vr vr, std::string_view bytes, const Instance& instance,
                    Tag tag = kSomeTag) {
  const Path path{{.tag = tag, .creator = {}, .item = -1}};
  const Element element{.tag = tag, .vr = vr, .bytes = bytes, .path = path, .instance = instance};
  return action.Apply(element);
}

/// What a reader would show: UTF-8, numbers as in ToBytes, "(removed)", "(empty)", "(kept)",
/// "(failed: code)".
inline std::string Show(Vr vr, const Change& change, const Instance& instance) {
  switch (change.kind) {
    case Change::Kind::kKeep:
      return "(kept)";
    case Change::Kind::kRemove:
      return "(removed)";
    case Change::Kind::kEmpty:
      return "(empty)";
    case Change::Kind::kFail:
      return "(failed: " + std::string(CodeOf(change.error)) + ")";
    case Change::Kind::kSet:
      break;
  }
  if (!kTextVrs.contains(vr)) return FromBytes(vr, change.bytes);
  return instance.charset.Decode(change.bytes, vr).text;
}

/// `before` and the result as Show has them; what is kept is shown as it was.
inline std::string RunAction(const Action& action, Vr vr, std::string_view before,
                             const Instance& instance, Tag tag = kSomeTag) {
  if (before == "(empty)") before = {};
  std::string bytes;
  if (kTextVrs.contains(vr)) {
    const auto encoded = instance.charset.Encode(before, vr);
    if (!encoded.has_value()) throw std::invalid_argument("not in the character set");
    bytes = *encoded;
  } else {
    bytes = ToBytes(vr, before);
  }
  const Change change = Apply(action, vr, bytes, instance, tag);
  if (change.kind == Change::Kind::kKeep) return std::string(before.empty() ? "(empty)" : before);
  return Show(vr, change, instance);
}

}  // namespace dcmveil::engine::testing
