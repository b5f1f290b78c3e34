// SPDX-License-Identifier: Apache-2.0
#include "dcmveil/error.h"

#include <algorithm>
#include <array>

namespace dcmveil {
namespace {

struct CodeText {
  std::string_view code;
  std::string_view text;
};

constexpr std::array kErrors = {
#define DCMVEIL_ERROR(name, code, text) CodeText{code, text},
#include "dcmveil/error_codes.def"
#undef DCMVEIL_ERROR
};

constexpr std::array kNotes = {
#define DCMVEIL_NOTE(name, code, text) CodeText{code, text},
#include "dcmveil/note_codes.def"
#undef DCMVEIL_NOTE
};

template <typename Code, std::size_t kSize>
std::optional<Code> Find(const std::array<CodeText, kSize>& list, std::string_view name) {
  const auto* const it =
      std::find_if(list.begin(), list.end(), [&](const CodeText& one) { return one.code == name; });
  if (it == list.end()) return std::nullopt;
  return static_cast<Code>(it - list.begin());
}

}  // namespace

std::optional<ErrorCode> FindErrorCode(std::string_view name) {
  return Find<ErrorCode>(kErrors, name);
}
std::optional<NoteCode> FindNoteCode(std::string_view name) { return Find<NoteCode>(kNotes, name); }

std::string_view CodeOf(ErrorCode code) { return kErrors.at(static_cast<std::size_t>(code)).code; }
std::string_view TextOf(ErrorCode code) { return kErrors.at(static_cast<std::size_t>(code)).text; }
std::string_view CodeOf(NoteCode code) { return kNotes.at(static_cast<std::size_t>(code)).code; }
std::string_view TextOf(NoteCode code) { return kNotes.at(static_cast<std::size_t>(code)).text; }

std::string Error::Message() const {
  std::string message(CodeOf(code));
  message.append(": ").append(TextOf(code));
  if (!where.empty()) message.append(" (at ").append(where).append(")");
  return message;
}

std::string_view ToString(Outcome outcome) {
  switch (outcome) {
    case Outcome::kWritten:
      return "written";
    case Outcome::kUnchanged:
      return "unchanged";
    case Outcome::kRejected:
      return "rejected";
    case Outcome::kQuarantined:
      return "quarantined";
    case Outcome::kFailed:
      return "failed";
  }
  return "failed";
}

std::optional<Outcome> FindOutcome(std::string_view name) {
  for (const Outcome outcome : {Outcome::kWritten, Outcome::kUnchanged, Outcome::kRejected,
                                Outcome::kQuarantined, Outcome::kFailed}) {
    if (ToString(outcome) == name) return outcome;
  }
  return std::nullopt;
}

Outcome OutcomeOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kReadFailed:
    case ErrorCode::kWriteFailed:
    case ErrorCode::kNotFound:
    case ErrorCode::kRefused:
    case ErrorCode::kOutOfMemory:
      return Outcome::kFailed;
    default:
      return Outcome::kQuarantined;
  }
}

}  // namespace dcmveil
