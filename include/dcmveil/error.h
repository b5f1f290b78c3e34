// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// Marks what the shared library exports; all else in it is hidden.
#define DCMVEIL_API __attribute__((visibility("default")))

namespace dcmveil {

/// Why an instance was not written. The list is error_codes.def.
enum class ErrorCode : std::uint8_t {
#define DCMVEIL_ERROR(name, code, text) name,
#include "dcmveil/error_codes.def"
#undef DCMVEIL_ERROR
};

/// What was remarkable about an instance that was written. The list is note_codes.def.
enum class NoteCode : std::uint8_t {
#define DCMVEIL_NOTE(name, code, text) name,
#include "dcmveil/note_codes.def"
#undef DCMVEIL_NOTE
};

/// The stable code, as in the manifest: "truncated".
[[nodiscard]] DCMVEIL_API std::string_view CodeOf(ErrorCode code);
[[nodiscard]] DCMVEIL_API std::string_view CodeOf(NoteCode code);
/// The code with that name; nothing if there is none.
[[nodiscard]] DCMVEIL_API std::optional<ErrorCode> FindErrorCode(std::string_view name);
[[nodiscard]] DCMVEIL_API std::optional<NoteCode> FindNoteCode(std::string_view name);
/// One sentence for people, without a full stop.
[[nodiscard]] DCMVEIL_API std::string_view TextOf(ErrorCode code);
[[nodiscard]] DCMVEIL_API std::string_view TextOf(NoteCode code);

/// One failure. `where` names a place, such as "(0008,1140)[0].(0008,1155)" or "rules.yaml:12";
/// it never holds an element's value.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string where;

  /// "truncated: the file ends before its data set does (at (7FE0,0010))".
  [[nodiscard]] DCMVEIL_API std::string Message() const;
};

/// A value or the error that prevented it. An ignored Result is a compile error under -Werror.
template <typename T>
class [[nodiscard]] Result {
 public:
  // NOLINTBEGIN(google-explicit-constructor): `return value;` and `return error;` shall both do.
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}
  Result(ErrorCode code, std::string where = {}) : Result(Error{code, std::move(where)}) {}
  // NOLINTEND(google-explicit-constructor)

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  /// REQUIRES: ok().
  [[nodiscard]] T& value() & { return std::get<0>(state_); }
  [[nodiscard]] const T& value() const& { return std::get<0>(state_); }
  [[nodiscard]] T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  /// REQUIRES: !ok().
  [[nodiscard]] const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

/// Success without a value.
struct Done {};
using Status = Result<Done>;

/// What became of one input. Every input has exactly one.
enum class Outcome : std::uint8_t {
  kWritten,      ///< the de-identified instance stands at its output name
  kUnchanged,    ///< an earlier run wrote exactly this output already
  kRejected,     ///< a `reject` rule said that it shall not be exported
  kQuarantined,  ///< we could not vouch for it; nothing was written
  kFailed,       ///< reading or writing failed; the next run tries again
};
[[nodiscard]] DCMVEIL_API std::string_view ToString(Outcome outcome);
/// The outcome with that name; nothing if there is none.
[[nodiscard]] DCMVEIL_API std::optional<Outcome> FindOutcome(std::string_view name);

/// What becomes of an instance that fails so: kFailed where another try may help, else
/// kQuarantined.
[[nodiscard]] DCMVEIL_API Outcome OutcomeOf(ErrorCode code);

/// How often one note was made for an instance.
struct NoteCount {
  NoteCode code;
  int count = 0;
};

/// The account of one instance. It has no field that could hold an element's value.
struct InstanceReport {
  Outcome outcome = Outcome::kFailed;
  /// Code of the error ("truncated") or name of the rejecting rule ("rules.yaml:14: no documents").
  std::string reason;
  /// Where it happened: tag path or rule; may be empty.
  std::string where;
  std::vector<NoteCount> notes;
};

}  // namespace dcmveil
