// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

#include "engine/actions/specs.h"
#include "engine/text_file.h"
#include "engine/value.h"

namespace dcmveil::engine {
namespace {

using Table = std::unordered_map<std::string, std::string>;
using Row = std::vector<std::string>;

// Rows of RFC 4180 text with the line each begins in. Nothing if a quoted field does not end.
std::optional<std::vector<std::pair<std::size_t, Row>>> ParseCsv(std::string_view text) {
  std::vector<std::pair<std::size_t, Row>> rows;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::size_t line = 1;
  std::size_t i = 0;
  while (i < text.size()) {
    const std::size_t first_line = line;
    Row row(1);
    bool quoted = false;
    for (; i < text.size(); ++i) {
      const char c = text[i];
      if (c == '\n') ++line;
      if (quoted) {
        if (c != '"') {
          row.back() += c;
        } else if (i + 1 < text.size() && text[i + 1] == '"') {
          row.back() += text[++i];
        } else {
          quoted = false;
        }
      } else if (c == '"' && row.back().empty()) {
        quoted = true;
      } else if (c == ',') {
        row.emplace_back();
      } else if (c == '\n') {
        break;
      } else if (c != '\r') {
        row.back() += c;
      }
    }
    if (quoted) return std::nullopt;
    ++i;
    if (row.size() > 1 || !row.front().empty()) rows.emplace_back(first_line, std::move(row));
  }
  return rows;
}

bool IsHeader(const Row& row) {
  const auto is = [](std::string_view text, std::string_view word) {
    return std::equal(text.begin(), text.end(), word.begin(), word.end(),
                      [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
  };
  return row.size() == 2 && is(row[0], "original") && is(row[1], "pseudonym");
}

// No value of the file enters a message: they identify patients.
Table ReadTable(const std::string& path, MakeContext& context) {
  Table table;
  const auto problem = [&context](std::string message) {
    context.problems.push_back({.param = "table", .message = std::move(message)});
  };
  const std::optional<std::string> text = ReadTextFile(path);
  if (!text) {
    problem("the file cannot be read");
    return table;
  }
  context.contents_read.push_back(*text);
  const auto rows = ParseCsv(*text);
  if (!rows.has_value()) {
    problem("a quoted field has no end");
    return table;
  }
  bool first = true;
  for (const auto& [line, row] : *rows) {
    if (std::exchange(first, false) && IsHeader(row)) continue;
    const std::string where = "line " + std::to_string(line) + " ";
    if (row.size() != 2) {
      problem(where + "must have two columns: original,pseudonym");
      continue;
    }
    std::string original(TrimPadding(Vr::LO, row[0]));
    std::string pseudonym(TrimPadding(Vr::LO, row[1]));
    if (original.empty() || pseudonym.empty()) {
      problem(where + "has an empty column");
    } else if (pseudonym.find('\\') != std::string::npos) {
      problem(where + "has a backslash in the pseudonym");
    } else if (!Charset::FromTerms("ISO_IR 192").Decode(row[0] + row[1], Vr::UT).exact) {
      problem(where + "is not UTF-8 text");
    } else if (const auto [entry, is_new] = table.try_emplace(std::move(original), pseudonym);
               !is_new && entry->second != pseudonym) {
      problem(where + "gives a second pseudonym to the same original");
    }
  }
  if (table.empty() && context.problems.empty()) problem("the table is empty");
  return table;
}

enum class Missing : std::uint8_t { kQuarantine, kDerive, kRemove, kEmpty };

class Pseudonym final : public Action {
 public:
  Pseudonym(std::string prefix, std::size_t length, std::optional<Hmac> hmac,
            std::optional<Table> table, Missing missing, bool dummy_if_empty)
      : prefix_(std::move(prefix)),
        length_(length),
        hmac_(std::move(hmac)),
        table_(std::move(table)),
        missing_(missing),
        dummy_if_empty_(dummy_if_empty) {}

  [[nodiscard]] Change Apply(const Element& element) const override {
    if (dummy_if_empty_ && element.bytes.find_first_not_of(" \\") == std::string_view::npos) {
      return Change::Set("REMOVED");
    }
    return ChangeText(element, [&](std::string_view value, std::size_t) {
      NewValue out = Find(value);
      // A cut pseudonym might be another patient's: no room means no value.
      if (!out.instead.has_value() && !HasRoom(element.vr, out.text)) {
        out = {.text = {}, .note = NoteCode::kNoRoom, .instead = Change::Kind::kEmpty};
      } else if (!out.instead.has_value() && !IsLegalText(element.vr, out.text)) {
        out.instead = Change::Kind::kFail;
        out.error = ErrorCode::kVrUnsupported;
      }
      return out;
    });
  }

 private:
  [[nodiscard]] NewValue Find(std::string_view value) const {
    if (table_.has_value()) {
      const auto entry = table_->find(std::string(value));
      if (entry != table_->end()) return {.text = entry->second};
      switch (missing_) {
        case Missing::kQuarantine:
          return {.text = {}, .instead = Change::Kind::kFail, .error = ErrorCode::kNotInTable};
        case Missing::kRemove:
          return {.text = {}, .instead = Change::Kind::kRemove};
        case Missing::kEmpty:
          return {.text = {}};
        case Missing::kDerive:
          break;
      }
    }
    const Digest digest = hmac_->Sign(value);
    return {.text = prefix_ + Base32(digest.view()).substr(0, length_)};
  }

  std::string prefix_;
  std::size_t length_;
  std::optional<Hmac> hmac_;  ///< set wherever Find may come to use it
  std::optional<Table> table_;
  Missing missing_;
  bool dummy_if_empty_;
};

std::unique_ptr<const Action> Make(const Params& params, MakeContext& context) {
  const std::string& prefix = params.Text("prefix");
  if (!IsLegalText(Vr::UC, prefix) || prefix.find_first_of("^=") != std::string::npos) {
    context.problems.push_back(
        {.param = "prefix",
         .message = "must not have backslashes, '^', '=' or control characters"});
  }
  if (prefix.starts_with(' ')) {
    context.problems.push_back({.param = "prefix", .message = "must not begin with a blank"});
  }
  const std::string& missing_name = params.Text("missing");
  Missing missing = Missing::kQuarantine;
  if (missing_name == "derive") missing = Missing::kDerive;
  if (missing_name == "remove") missing = Missing::kRemove;
  if (missing_name == "empty") missing = Missing::kEmpty;

  std::optional<Table> table;
  if (params.Has("table")) table = ReadTable(params.Text("table"), context);
  std::optional<Hmac> hmac;
  if (!table.has_value() || missing == Missing::kDerive) {
    if (context.key == nullptr) {
      context.problems.push_back(
          {.param = {}, .message = "needs a key, as every pseudonym that is not from a table"});
      return nullptr;
    }
    hmac.emplace(context.KeyFor("pseudonym"));
  }
  return std::make_unique<Pseudonym>(prefix, static_cast<std::size_t>(params.Integer("length")),
                                     std::move(hmac), std::move(table), missing,
                                     params.Text("if-empty") == "dummy");
}

}  // namespace

const ActionSpec& PseudonymSpec() {
  static const ActionSpec spec{
      .name = "pseudonym",
      .summary = "Replaces each value by a short code derived from the key, or by one of a table.",
      .vrs = {Vr::AE, Vr::CS, Vr::LO, Vr::LT, Vr::PN, Vr::SH, Vr::ST, Vr::UC, Vr::UT},
      .params =
          {
              {.name = "prefix",
               .type = ParamType::kText,
               .default_value = "",
               .summary = "text in front of each derived code"},
              {.name = "length",
               .type = ParamType::kInteger,
               .default_value = "10",
               .summary = "characters of the derived code, 5 bits each",
               .min = 4,
               .max = 32},
              {.name = "table",
               .type = ParamType::kFile,
               .default_value = std::nullopt,
               .summary = "a CSV file in UTF-8 with the columns original,pseudonym",
               .optional = true},
              {.name = "missing",
               .type = ParamType::kChoice,
               .default_value = "quarantine",
               .summary = "what becomes of a value that the table does not have: the instance is "
                          "quarantined, a code is derived, the element is removed, or the value is "
                          "emptied",
               .choices = {"quarantine", "derive", "remove", "empty"}},
              {.name = "if-empty",
               .type = ParamType::kChoice,
               .default_value = "empty",
               .summary = "what becomes of an element without a value: it stays so, or says "
                          "REMOVED, for attributes that must have a value",
               .choices = {"empty", "dummy"}},
          },
      .examples =
          {
              {Vr::LO, "{}", "4711", "5EVXM4JNV5"},
              {Vr::LO, "{prefix: CARD-}", "4711", "CARD-5EVXM4JNV5"},
              {Vr::PN, "{prefix: CARD-, length: 8}", "Doe^Jane", "CARD-86856E9C"},
              {Vr::SH, "{length: 13}", "A-17\\A-18", "PVYRMTD9QSE4H\\62AEYBRAW89XR"},
              {Vr::SH, "{prefix: CARDIAC-, length: 10}", "4711", "(empty)"},
              {Vr::LO, "{if-empty: dummy}", "", "REMOVED"},
          },
      .details =
          "The same value gives the same code in every attribute, instance and run with the same "
          "key. The code has the digits and the capitals without I, L, O and U (Crockford's "
          "base 32), so that it can be read out and is legal in every VR served; in PN it is the "
          "alphabetic group.\n\n"
          "Two different values may get the same code. The chance that this happens at all among "
          "n patients is about n²/2^(5·length+1):\n\n"
          "| length | 10,000 patients | 1,000,000 | 100,000,000 |\n"
          "|---|---|---|---|\n"
          "| 8 | 1 in 22,000 | 1 in 3 | certain |\n"
          "| 10 | 1 in 22 million | 1 in 2,300 | nearly certain |\n"
          "| 13 | 1 in 738 billion | 1 in 74 million | 1 in 7,400 |\n\n"
          "If prefix and code together exceed the VR's room (16 characters in AE, CS and SH), the "
          "element is emptied and `no-room` is counted: a code cut short might be another "
          "patient's. A prefix or table entry that is not legal in the VR (lower case in CS) "
          "quarantines the instance.\n\n"
          "Table values are compared exactly, after the padding is cut. A header line "
          "`original,pseudonym` may come first; fields may stand in double quotes. With a table, "
          "a key is needed only for `missing: derive`. A value of an empty element stays "
          "empty, unless `if-empty: dummy`.",
      .make = Make,
  };
  return spec;
}

}  // namespace dcmveil::engine
