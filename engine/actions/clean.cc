// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <utility>

#include "engine/actions/specs.h"
#include "engine/clean/fold.h"
#include "engine/clean/text_cleaner.h"
#include "engine/text_file.h"
#include "engine/value.h"

namespace dcmveil::engine {
namespace {

/// Code Value, Coding Scheme Designator, Long Code Value.
bool IsCode(Tag tag) {
  return tag == Tag(0x0008, 0x0100) || tag == Tag(0x0008, 0x0102) || tag == Tag(0x0008, 0x0119);
}

class Clean final : public Action {
 public:
  Clean(clean::TextCleaner cleaner, bool dummy_if_empty)
      : cleaner_(std::move(cleaner)), dummy_if_empty_(dummy_if_empty) {}

  [[nodiscard]] Change Apply(const Element& element) const override {
    // An instance without collected identifiers is a mistake of the program, not of the file.
    if (element.instance.identifiers == nullptr) return Change::Fail(ErrorCode::kInternal);
    Change change = ChangeText(element, [&](std::string_view value, std::size_t) -> NewValue {
      std::string cleaned = cleaner_.Clean(value, *element.instance.identifiers);
      // Half of a URI leads nowhere, and half of a code is another code.
      const bool whole = element.vr == Vr::UR || IsCode(element.tag);
      if (whole && cleaned != value) cleaned.clear();
      return {.text = std::move(cleaned)};
    });
    if (change.kind == Change::Kind::kEmpty && dummy_if_empty_) change = Change::Set("REMOVED");
    return change;
  }

 private:
  clean::TextCleaner cleaner_;
  bool dummy_if_empty_;
};

clean::TextCleaner::Words ReadWords(const std::string& path, MakeContext& context) {
  clean::TextCleaner::Words words;
  const std::optional<std::string> text = ReadTextFile(path);
  if (!text) {
    context.problems.push_back({.param = "keep-words", .message = "the file cannot be read"});
    return words;
  }
  context.contents_read.push_back(*text);
  for (std::string_view line : Split(*text, '\n')) {
    if (line.starts_with('#')) continue;
    for (const clean::Word& word : clean::SplitWords(line)) words.insert(word.folded);
  }
  if (words.empty()) {
    context.problems.push_back({.param = "keep-words", .message = "the file has no words"});
  }
  return words;
}

std::unique_ptr<const Action> Make(const Params& params, MakeContext& context) {
  const std::string& vocabulary = params.Text("vocabulary");
  clean::Strictness strictness = clean::Strictness::kStrict;
  if (vocabulary == "none") strictness = clean::Strictness::kPatterns;
  if (vocabulary == "identifiers") strictness = clean::Strictness::kIdentifiers;
  clean::TextCleaner::Words keep;
  if (params.Has("keep-words")) {
    if (strictness != clean::Strictness::kStrict) {
      context.problems.push_back(
          {.param = "keep-words", .message = "serves vocabulary: strict only"});
      return nullptr;
    }
    keep = ReadWords(params.Text("keep-words"), context);
  }
  return std::make_unique<Clean>(clean::TextCleaner(strictness, std::move(keep)),
                                 params.Text("if-empty") == "dummy");
}

}  // namespace

const ActionSpec& CleanSpec() {
  static const ActionSpec spec{
      .name = "clean",
      .summary = "Cuts what identifies people out of text and keeps the rest.",
      .vrs = {Vr::LO, Vr::LT, Vr::SH, Vr::ST, Vr::UC, Vr::UR, Vr::UT},
      .leaves_text = true,
      .wants_identifiers = true,
      .params =
          {
              {.name = "vocabulary",
               .type = ParamType::kChoice,
               .default_value = "strict",
               .summary = "`strict`: only words known to be safe stay; `none`: the instance's own "
                          "identifiers and known patterns go; `identifiers`: only its own "
                          "identifiers, UIDs and addresses of hosts go",
               .choices = {"strict", "none", "identifiers"}},
              {.name = "if-empty",
               .type = ParamType::kChoice,
               .default_value = "empty",
               .summary = "what becomes of an element of which nothing is left: it is emptied, or "
                          "says REMOVED, for attributes that must have a value",
               .choices = {"empty", "dummy"}},
              {.name = "keep-words",
               .type = ParamType::kFile,
               .default_value = std::nullopt,
               .summary = "a text file in UTF-8 with further safe words, for `strict`",
               .optional = true},
          },
      .examples =
          {
              {Vr::LO, "{}", "CT chest for Jane Doe MRN 12345 on 2019-03-04, follow-up",
               "CT chest, follow-up"},
              {Vr::LO, "{}", "MRI hand, Dr. Hand", "MRI hand"},
              {Vr::LO, "{}", "Kowalczyk knee left", "knee left"},
              {Vr::LO, "{if-empty: dummy}", "Kowalczyk", "REMOVED"},
              {Vr::LO, "{vocabulary: none}", "Kowalczyk knee, tel. 555-123-4567", "Kowalczyk knee"},
              {Vr::LO, "{vocabulary: identifiers}", "phantom 4711, 2019-03-04",
               "phantom, 2019-03-04"},
          },
      .details =
          "What identifies people is collected from the whole instance as it was read, at every "
          "depth: names of patients, physicians and operators, IDs, accession numbers, dates, "
          "addresses, telephone numbers, institutions, stations. They are found in any case, "
          "without diacritics, with and without separators, name parts in any order or spaced "
          "out, IDs with a label glued to them, telephone numbers with and without their country, "
          "dates in the usual spellings: also with Roman months, those of many languages, and a "
          "time of ISO 8601. Known patterns are dates, times, telephone and social security "
          "numbers, e-mail and network addresses, URLs, UIDs, numbers of six digits and more, and "
          "names behind titles. Words that introduce what goes (\"for\", \"MRN\") go with it.\n\n"
          "`strict` finds names that occur nowhere else in the instance, and loses words that "
          "the vocabulary does not know; add those with `keep-words`. It has terms of radiology "
          "in several languages and plain English without common names. A term that is a name too "
          "(\"hand\") stays where its neighbours make it a term. In a text where nothing is found "
          "not one byte changes. URIs, Code Value and Coding Scheme Designator go as a whole or "
          "not at all. [rules.md](rules.md) says more.",
      .make = Make,
  };
  return spec;
}

}  // namespace dcmveil::engine
