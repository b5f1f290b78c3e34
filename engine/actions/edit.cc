// SPDX-License-Identifier: Apache-2.0
#include <re2/re2.h>

#include <algorithm>

#include "engine/actions/specs.h"
#include "engine/value.h"

namespace dcmveil::engine {
namespace {

constexpr std::int64_t kPatternMemory = std::int64_t{8} << 20;

class Edit final : public Action {
 public:
  Edit(std::unique_ptr<const re2::RE2> find, std::string replace, bool all, bool joined)
      : find_(std::move(find)), replace_(std::move(replace)), all_(all), joined_(joined) {}

  [[nodiscard]] Change Apply(const Element& element) const override {
    if (joined_) return ChangeJoined(element);
    return ChangeText(element, [&](std::string_view value, std::size_t) -> NewValue {
      std::string text(value);
      if (!Replace(text)) return {.text = std::move(text)};
      text = TrimPadding(element.vr, text);
      // A part that is not legal would make the element unreadable, or several values of one.
      // What was not legal before the change is not the rule's fault.
      if (!IsLegalText(element.vr, text) && IsLegalText(element.vr, value)) {
        return {.text = {}, .note = NoteCode::kNoRoom, .instead = Change::Kind::kEmpty};
      }
      const bool splits = !kSingleTextVrs.contains(element.vr) && text.find('\\') != text.npos;
      if (splits) return {.text = {}, .note = NoteCode::kNoRoom, .instead = Change::Kind::kEmpty};
      return {.text = std::move(text)};
    });
  }

 private:
  [[nodiscard]] Change ChangeJoined(const Element& element) const {
    const TextValues before = DecodeText(element);
    std::string text = JoinValues(before.values);
    const bool hides = before.cut_at_nul || (before.values.empty() && !element.bytes.empty());
    if (!Replace(text) && !hides) return Change::Keep();
    std::vector<std::string> values;
    if (kSingleTextVrs.contains(element.vr)) {
      values.emplace_back(TrimPadding(element.vr, text));
    } else {
      for (const std::string_view value : Split(text, '\\')) {
        values.emplace_back(TrimPadding(element.vr, value));
      }
    }
    const auto is_legal = [&](const std::string& value) { return IsLegalText(element.vr, value); };
    if (!std::all_of(values.begin(), values.end(), is_legal) &&
        std::all_of(before.values.begin(), before.values.end(), is_legal)) {
      return Change::Empty(NoteCode::kNoRoom);
    }
    const auto note =
        before.cut_at_nul ? std::optional(NoteCode::kTextAfterNul) : std::optional<NoteCode>();
    return EncodeText(element, values, note, before.exact);
  }

  /// Whether anything was found.
  bool Replace(std::string& text) const {
    return all_ ? re2::RE2::GlobalReplace(&text, *find_, replace_) > 0
                : re2::RE2::Replace(&text, *find_, replace_);
  }

  std::unique_ptr<const re2::RE2> find_;
  std::string replace_;
  bool all_;
  bool joined_;
};

std::unique_ptr<const Action> Make(const Params& params, MakeContext& context) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kPatternMemory);
  auto find = std::make_unique<const re2::RE2>(params.Text("find"), options);
  if (!find->ok()) {
    context.problems.push_back({.param = "find", .message = find->error()});
    return nullptr;
  }
  // RE2 compiles the reverse program when a search first needs it; a failure there would look like
  // "no match".
  if (find->ReverseProgramSize() < 0) {
    context.problems.push_back({.param = "find", .message = "the pattern needs too much memory"});
    return nullptr;
  }
  const std::string& replace = params.Text("replace");
  if (std::string error; !find->CheckRewriteString(replace, &error)) {
    context.problems.push_back({.param = "replace", .message = error});
    return nullptr;
  }
  return std::make_unique<Edit>(std::move(find), replace, params.Boolean("all"),
                                params.Boolean("joined"));
}

}  // namespace

const ActionSpec& EditSpec() {
  static const ActionSpec spec{
      .name = "edit",
      .summary = "Replaces what a regular expression finds in each value.",
      .vrs = {Vr::AE, Vr::CS, Vr::LO, Vr::LT, Vr::PN, Vr::SH, Vr::ST, Vr::UC, Vr::UR, Vr::UT},
      .leaves_text = true,
      .params =
          {
              {.name = "find",
               .type = ParamType::kText,
               .default_value = std::nullopt,
               .summary = "the regular expression, in re2's syntax"},
              {.name = "replace",
               .type = ParamType::kText,
               .default_value = "",
               .summary = "what is put there; \\1 to \\9 are the groups, \\0 is all"},
              {.name = "all",
               .type = ParamType::kBoolean,
               .default_value = "true",
               .summary = "every match, or the first one only"},
              {.name = "joined",
               .type = ParamType::kBoolean,
               .default_value = "false",
               .summary = "in all values as one text, with backslashes between; what is put there "
                          "may make more or fewer"},
          },
      .examples =
          {
              {Vr::LO, "{find: '[0-9]+', replace: '#'}", "Room 12, bed 3", "Room #, bed #"},
              {Vr::LO, "{find: '[0-9]+', replace: '#', all: false}", "Room 12, bed 3",
               "Room #, bed 3"},
              {Vr::LO, "{find: '^(.{0,8}).*$', replace: '\\1', joined: true}", "first\\second",
               "first\\se"},
              {Vr::PN, "{find: '^([^^=]*).*', replace: '\\1'}", "Doe^Jane=X^Y", "Doe"},
              {Vr::LO, "{find: '(?i)\\bdr\\.? +\\w+'}", "seen by Dr. Who", "seen by"},
          },
      .details =
          "The pattern is matched against each value's text in Unicode, without padding, and "
          "anywhere in it. Time and memory are bounded whatever the pattern (re2, 8 MiB). A value "
          "without a match stays as it is: this is no way to remove what the pattern does not "
          "foresee. If the result is not legal in the VR (too long, lower case in CS) or would be "
          "several values (but with `joined`), the element is emptied and `no-room` is counted.",
      .make = Make,
  };
  return spec;
}

}  // namespace dcmveil::engine
