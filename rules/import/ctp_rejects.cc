// SPDX-License-Identifier: Apache-2.0
#include "rules/import/ctp_rejects.h"

#include <re2/re2.h>

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "rules/import/clause.h"
#include "rules/import/ctp_code.h"
#include "rules/import/ctp_filter.h"

namespace dcmveil::rules {
namespace {

constexpr const char* kFilterHint =
    "a script of a DicomFilter is one expression: Modality.equals(\"CT\") * !Manufacturer.contains"
    "(\"ACME\")";
constexpr const char* kPixelsHint =
    "a script of a DicomPixelAnonymizer has an expression in {}, and (left,top,width,height) "
    "behind";

std::string Rejection(const Clause& when, const std::string& because) {
  return "- {when: {" + when.Entry() + "}, because: " + Quoted(because) + "}";
}

// What was not exact, as remarks, findings, and comments above the entry.
void Say(RuleFile& file, const std::vector<CtpFilterRemark>& remarks,
         std::vector<std::string>& comments) {
  for (const CtpFilterRemark& remark : remarks) {
    if (remark.replaced) {
      const std::string text = remark.text + "; more is rejected instead";
      file.Replaced(remark.line, remark.term, text);
      comments.push_back("REPLACED: " + remark.term + ": " + text);
    } else {
      file.Note(remark.line, remark.term, remark.text);
      comments.push_back("differs: " + remark.term + ": " + remark.text);
    }
  }
}

void BehindTheRejects(RuleFile& file, std::string_view what) {
  file.profile = "basic";
  file.head.push_back(std::string(what) +
                      " says nothing about elements: the basic profile decides them here. To have "
                      "the rules of another file, put its name in the place of basic.");
}

CtpFilter Parse(std::string_view text, int line, const std::string& name, const char* hint) {
  std::variant<CtpFilter, CtpFilterError> parsed = ParseCtpFilter(text, line);
  if (const auto* error = std::get_if<CtpFilterError>(&parsed)) {
    throw Refusal(name, error->line, error->message, hint);
  }
  return std::move(std::get<CtpFilter>(parsed));
}

// ---- Pixels --------------------------------------------------------------------------------

struct Signature {
  int line = 0;
  std::string title;  ///< the text in front of it
  CtpFilter filter;
  int regions = 0;
  int wrong_regions = 0;
};

int Lines(std::string_view text) {
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

// The last line with something in it.
std::string Title(std::string_view text) {
  const std::string trimmed = Trimmed(text);
  return Trimmed(std::string_view(trimmed).substr(trimmed.find_last_of('\n') + 1));
}

// What stands behind a signature: regions in parentheses, and other text.
void ReadRegions(std::string_view text, Signature& signature) {
  static const re2::RE2 kFourNumbers(R"(\s*-?\d+\s*,\s*-?\d+\s*,\s*\d+\s*,\s*\d+\s*)");
  while (true) {
    const std::size_t open = text.find('(');
    const std::size_t close = text.find(')', open == std::string_view::npos ? text.size() : open);
    if (close == std::string_view::npos) return;
    const std::string_view region = text.substr(open + 1, close - open - 1);
    ++(re2::RE2::FullMatch(region, kFourNumbers) ? signature.regions : signature.wrong_regions);
    text.remove_prefix(close + 1);
  }
}

std::vector<Signature> ReadSignatures(std::string_view text, const std::string& name) {
  std::vector<Signature> signatures;
  int line = 1;
  std::string title;
  while (true) {
    const std::size_t open = text.find('{');
    const std::string_view between = text.substr(0, open);
    if (signatures.empty()) {
      title = Title(between);
    } else {
      ReadRegions(between, signatures.back());
      title = Title(between.substr(between.find_last_of(')') + 1));
    }
    if (open == std::string_view::npos) return signatures;
    line += Lines(between);
    const std::size_t close = text.find('}', open);
    if (close == std::string_view::npos)
      throw Refusal(name, line, "a { without its }", kPixelsHint);
    const std::string_view code = text.substr(open + 1, close - open - 1);
    signatures.push_back({line, std::move(title), Parse(code, line, name, kPixelsHint), 0, 0});
    line += Lines(code);
    text.remove_prefix(close + 1);
  }
}

}  // namespace

CtpScriptKind KindOfCtpScript(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  static const re2::RE2 kXmlOrWide(R"(^\s*<|^\xFF\xFE|^\xFE\xFF)", re2::RE2::Latin1);
  static const re2::RE2 kProperties(R"((?m)^[ \t]*[#!]?[ \t]*(?:param|set|keep|remove)\.[^=\n]*=)",
                                    re2::RE2::Latin1);
  static const re2::RE2 kTerm(R"((?:[A-Za-z0-9\]]\s*\.\s*[A-Za-z]+\s*\()|\b(?:true|false)\.)",
                              re2::RE2::Latin1);
  if (re2::RE2::PartialMatch(text, kXmlOrWide) || re2::RE2::PartialMatch(text, kProperties) ||
      !re2::RE2::PartialMatch(text, kTerm)) {
    return CtpScriptKind::kRules;
  }
  // No filter has braces but in its comments and texts.
  static const re2::RE2 kOutside("(?://[^\\n]*|\"[^\"]*\"|[^{\"])*?\\{", re2::RE2::Latin1);
  return re2::RE2::PartialMatch(text, kOutside) ? CtpScriptKind::kPixels : CtpScriptKind::kFilter;
}

Imported ImportCtpFilter(const std::string& text, const std::string& name) {
  RequireText(name, text, kFilterHint);
  const CtpFilter filter = Parse(text, 1, name, kFilterHint);
  RuleFile file("ctp", name);
  BehindTheRejects(file, "A filter");
  // What must all hold is one entry each, so that each has a reason of its own.
  std::vector<const CtpFilter*> parts{&filter};
  if (filter.kind == CtpFilter::Kind::kAll) {
    parts.clear();
    for (const CtpFilter& child : filter.children) parts.push_back(&child);
  }
  for (const CtpFilter* part : parts) {
    std::vector<CtpFilterRemark> remarks;
    const Clause rejects = Clause::Not(TranslateCtpFilter(*part, Bound::kNotMore, remarks));
    std::vector<std::string> comments{AtLine(part->line, part->Shown())};
    Say(file, remarks, comments);
    if (rejects.constant() == false) {
      file.Lint(AtLine(part->line, part->Shown() + " lets everything pass"));
      continue;
    }
    if (rejects.constant() == true) {
      file.Lint(AtLine(part->line, part->Shown() + ": every instance is rejected"));
    }
    const std::string because = "the filter does not let it pass";
    file.rejects.push_back({part->line, std::move(comments), Rejection(rejects, because),
                            Rejection(Clause::Constant(true), because), part->Shown()});
  }
  return file.Finish();
}

Imported ImportCtpPixels(const std::string& text, const std::string& name) {
  RequireText(name, text, kPixelsHint);
  const std::vector<Signature> signatures = ReadSignatures(text, name);
  RuleFile file("ctp", name);
  BehindTheRejects(file, "A script for pixels");
  // The first signature that matches holds, also one that blanks nothing.
  std::vector<Clause> clean;
  for (const Signature& signature : signatures) {
    const std::string what = signature.filter.Shown();
    std::vector<CtpFilterRemark> remarks;
    if (signature.wrong_regions > 0) {
      file.Lint(AtLine(signature.line, what + ": a region that is not (left,top,width,height)"));
    }
    if (signature.regions + signature.wrong_regions == 0) {
      clean.push_back(Clause::Not(TranslateCtpFilter(signature.filter, Bound::kNotMore, remarks)));
      std::vector<std::string> unused;
      Say(file, remarks, unused);
      file.Lint(
          AtLine(signature.line, what + " has no regions: what it matches is taken for clean"));
      continue;
    }
    std::vector<Clause> all{Exists("PixelData"),
                            TranslateCtpFilter(signature.filter, Bound::kNotLess, remarks)};
    all.insert(all.end(), clean.begin(), clean.end());
    const std::string replaced = "pixels cannot be cleaned; such images are rejected";
    file.Replaced(signature.line, what, replaced);
    std::vector<std::string> comments{
        AtLine(signature.line, signature.title.empty() ? what : Plain(signature.title)),
        "REPLACED: " + replaced};
    Say(file, remarks, comments);
    const std::string because =
        "burned-in text: line " + std::to_string(signature.line) + " of the script blanks it";
    file.rejects.push_back({signature.line, std::move(comments),
                            Rejection(Clause::All(std::move(all)), because),
                            Rejection(Exists("PixelData"), because), what});
  }
  return file.Finish();
}

}  // namespace dcmveil::rules
