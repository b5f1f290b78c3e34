// SPDX-License-Identifier: Apache-2.0
//
// An action is one file in engine/actions/ (its ActionSpec and its Action class) and one word in
// engine/actions.def. The rule parser, `check`, docs/actions.md, `--help` and the example tests
// read the spec and nothing else.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "dcmveil/error.h"
#include "dcmveil/tag.h"
#include "engine/crypto.h"
#include "engine/instance.h"
#include "engine/path.h"

namespace dcmveil::engine {

class Action;

/// What actions work out once for an instance and ask again for each element. It belongs to one
/// walk, and so to one thread.
class Memo {
 public:
  /// What `make()` gives, which is called once for each action.
  template <typename Function>
  int Once(const Action& action, Function&& make) {
    for (const auto& [known, number] : numbers_) {
      if (known == &action) return number;
    }
    return numbers_.emplace_back(&action, make()).second;
  }

 private:
  std::vector<std::pair<const Action*, int>> numbers_;  ///< hardly more than one
};

/// One data element as an action sees it. Valid for the duration of the call.
struct Element {
  Tag tag;
  /// The VR that decides: the dictionary's for a standard attribute, else the encoded one.
  Vr vr;
  /// The value field without padding: text in the instance's character set, numbers in little
  /// endian. Never a sequence's items.
  std::string_view bytes;
  const Path& path;
  const Instance& instance;
  Memo* memo = nullptr;  ///< of the instance; without one nothing is remembered
};

/// What an action wants done with one element.
struct Change {
  enum class Kind : std::uint8_t { kKeep, kRemove, kEmpty, kSet, kFail };
  Kind kind = Kind::kKeep;
  std::string bytes = {};             ///< kSet: the new value field, encoded as in Element::bytes
  std::optional<NoteCode> note = {};  ///< counted when present
  ErrorCode error = ErrorCode::kInternal;  ///< kFail: the instance is quarantined

  static Change Keep() { return {}; }
  static Change Remove() { return {.kind = Kind::kRemove}; }
  static Change Empty(std::optional<NoteCode> note = std::nullopt) {
    return {.kind = Kind::kEmpty, .note = note};
  }
  static Change Set(std::string bytes, std::optional<NoteCode> note = std::nullopt) {
    return {.kind = Kind::kSet, .bytes = std::move(bytes), .note = note};
  }
  static Change Fail(ErrorCode code) { return {.kind = Kind::kFail, .error = code}; }
};

/// A configured action. Immutable; all threads call Apply at once; never throws.
class Action {
 public:
  Action() = default;
  Action(const Action&) = delete;
  Action& operator=(const Action&) = delete;
  virtual ~Action() = default;
  /// REQUIRES: the spec's VRs contain element.vr. A dirty value is normal input.
  [[nodiscard]] virtual Change Apply(const Element& element) const = 0;
  /// What has one offset in common, if the action moves dates: "patient", "study", "series" or
  /// "instance". Empty for other actions.
  [[nodiscard]] virtual std::string_view offset_scope() const { return {}; }
};

enum class ParamType : std::uint8_t { kText, kInteger, kNumber, kBoolean, kChoice, kFile };

/// One parameter of an action, as written under `with:` or `settings:`.
struct ParamSpec {
  std::string_view name;  ///< lower case, words joined by '-'
  ParamType type = ParamType::kText;
  /// As one would write it in YAML; no default makes the parameter required... unless `optional`.
  std::optional<std::string_view> default_value;
  std::string_view summary;
  std::vector<std::string_view> choices = {};  ///< kChoice
  double min = -1e300;                         ///< kInteger, kNumber
  double max = 1e300;
  bool optional = false;  ///< may be absent although it has no default
};

/// Checked values of an action's parameters. A missing optional one is absent.
class Params {
 public:
  using Value = std::variant<std::string, std::int64_t, double, bool>;
  void Set(std::string name, Value value) {
    values_.insert_or_assign(std::move(name), std::move(value));
  }
  [[nodiscard]] bool Has(std::string_view name) const {
    return values_.find(name) != values_.end();
  }
  /// REQUIRES: the parameter is present and of that type, which the loader has checked.
  [[nodiscard]] const std::string& Text(std::string_view name) const {
    return Get<std::string>(name);
  }
  [[nodiscard]] std::int64_t Integer(std::string_view name) const {
    return Get<std::int64_t>(name);
  }
  [[nodiscard]] double Number(std::string_view name) const { return Get<double>(name); }
  [[nodiscard]] bool Boolean(std::string_view name) const { return Get<bool>(name); }
  /// Some order of all values.
  friend bool operator<(const Params& a, const Params& b) { return a.values_ < b.values_; }

 private:
  template <typename T>
  [[nodiscard]] const T& Get(std::string_view name) const {
    return std::get<T>(values_.find(name)->second);
  }
  std::map<std::string, Value, std::less<>> values_;
};

/// What making an action may draw on and complain to.
struct MakeContext {
  /// The rule set's key; null if it has none. Actions take a derived key of their own purpose.
  const Key* key = nullptr;
  /// The key is used as it is instead of a derived one: Microsoft's configurations, whose
  /// cryptoHash values must come out again.
  bool raw_key = false;
  /// Problems found beyond what ParamSpec can say; each becomes a diagnostic at the rule.
  struct Problem {
    std::string param;  ///< the parameter it is about; may be empty
    std::string message;
  };
  std::vector<Problem> problems = {};
  /// Files that the action read; their text enters the rule set's hash.
  std::vector<std::string> contents_read = {};

  /// The key for one purpose. REQUIRES: key != nullptr.
  [[nodiscard]] Key KeyFor(std::string_view purpose) const {
    return raw_key ? Key(key->bytes()) : key->Derive(purpose);
  }
};

/// A worked example; tests run it and docs/actions.md prints it.
struct Example {
  Vr vr;
  std::string_view with;    ///< YAML flow mapping: "{days: 30}"
  std::string_view before;  ///< UTF-8; a backslash separates values
  std::string_view after;   ///< likewise; "(removed)" and "(empty)" stand for themselves
};

/// What the engine must know of an action without running it.
enum class Effect : std::uint8_t {
  kKeep,    ///< the element stays; a sequence stays and its items are decided element by element
  kRemove,  ///< the element goes, a sequence with all its items
  kChange,  ///< Apply() says
  kAdd,     ///< a new top-level element where there is none; never stands on a present element
};

struct ActionSpec {
  std::string_view name;
  /// Other accepted spellings: the seed tool's names.
  std::vector<std::string_view> aliases = {};
  std::string_view summary;  ///< one sentence
  VrSet vrs;                 ///< elements of other VRs are an error
  Effect effect = Effect::kChange;
  bool needs_key = false;
  /// May stand on Pixel Data. Others leave (7FE0,0008-0010) alone when a VR or mask rule hits it,
  /// and are an error when a rule names it.
  bool may_touch_pixels = false;
  /// What it makes of a text holds parts of that text, which it may not have recognised; reports
  /// list it for a person to look at.
  bool leaves_text = false;
  /// Needs Instance::identifiers, which are collected only for plans with such an action.
  bool wants_identifiers = false;
  std::vector<ParamSpec> params = {};
  std::vector<Example> examples = {};
  std::string_view details = {};  ///< further sentences for docs/actions.md
  /// Null for actions that are all said by `effect`.
  std::function<std::unique_ptr<const Action>(const Params&, MakeContext&)> make = nullptr;
};

/// All actions of our own, in the order of engine/actions.def.
[[nodiscard]] std::span<const ActionSpec* const> AllActions();
/// By name or alias, case-sensitive; null if there is none.
[[nodiscard]] const ActionSpec* FindAction(std::string_view name);

}  // namespace dcmveil::engine
