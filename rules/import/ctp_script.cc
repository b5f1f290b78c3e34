// SPDX-License-Identifier: Apache-2.0
#include "rules/import/ctp_script.h"

#include <expat.h>

#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "rules/import/ctp_code.h"
#include "rules/yaml.h"

namespace dcmveil::rules {
namespace {

constexpr int kDeepest = 16;

// ---- XML -----------------------------------------------------------------------------------

class XmlReader {
 public:
  std::variant<CtpScript, CtpScriptError> Read(const std::string& text) {
    if (text.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
      return CtpScriptError{0, "the file is too long"};
    }
    const std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser(
        XML_ParserCreate(nullptr), &XML_ParserFree);
    if (!parser) return CtpScriptError{0, "out of memory"};
    parser_ = parser.get();
    XML_SetUserData(parser_, this);
    XML_SetElementHandler(parser_, &OnStart, &OnEnd);
    XML_SetCharacterDataHandler(parser_, &OnText);
    XML_SetStartDoctypeDeclHandler(parser_, &OnDoctype);
    const XML_Status status =
        XML_Parse(parser_, text.data(), static_cast<int>(text.size()), XML_TRUE);
    if (problem_) return *problem_;
    if (status != XML_STATUS_OK) {
      return CtpScriptError{Line(),
                            std::string("no XML: ") + XML_ErrorString(XML_GetErrorCode(parser_))};
    }
    return std::move(script_);
  }

 private:
  static XmlReader& Self(void* data) { return *static_cast<XmlReader*>(data); }
  static void XMLCALL OnStart(void* data, const XML_Char* name, const XML_Char** attributes) {
    Self(data).Start(name, attributes);
  }
  static void XMLCALL OnEnd(void* data, const XML_Char*) { Self(data).End(); }
  static void XMLCALL OnText(void* data, const XML_Char* text, int length) {
    XmlReader& self = Self(data);
    if (self.depth_ == 2) self.text_.append(text, static_cast<std::size_t>(length));
  }
  static void XMLCALL OnDoctype(void* data, const XML_Char*, const XML_Char*, const XML_Char*,
                                int) {
    Self(data).Stop("a document type is not read");
  }

  [[nodiscard]] int Line() const { return static_cast<int>(XML_GetCurrentLineNumber(parser_)); }

  void Stop(std::string message) {
    if (!problem_) problem_ = CtpScriptError{Line(), std::move(message)};
    XML_StopParser(parser_, XML_FALSE);
  }

  void Start(std::string_view name, const XML_Char** attributes) {
    if (++depth_ > kDeepest) return Stop("elements are nested too deep");
    if (depth_ == 1) {
      if (name != "script") Stop("the root element is not script");
      return;
    }
    if (depth_ > 2) {
      script_.unknown.push_back({Line(), true, std::string(name), {}});
      return;
    }
    kind_ = name;
    text_.clear();
    entry_ = {.line = Line(), .enabled = true, .target = {}, .code = {}};
    for (; *attributes != nullptr; attributes += 2) {
      const std::string_view key = attributes[0];
      const std::string_view value = attributes[1];
      if (key == "t") entry_.target = Trimmed(value);
      // Only these words switch an entry off: what is misspelled is carried out.
      if (key == "en") entry_.enabled = value != "F" && value != "f" && value != "false";
    }
  }

  void End() {
    if (depth_-- != 2) return;
    if (kind_ == "p") {
      script_.params[entry_.target] = Trimmed(text_);
    } else if (kind_ == "e") {
      entry_.code = Trimmed(text_);
      script_.rules.push_back(entry_);
    } else if (kind_ == "k") {
      script_.keeps.push_back(entry_);
    } else if (kind_ == "r") {
      script_.removes.push_back(entry_);
    } else {
      entry_.target = kind_;
      script_.unknown.push_back(entry_);
    }
  }

  XML_Parser parser_ = nullptr;
  CtpScript script_;
  CtpEntry entry_;
  std::string kind_;
  std::string text_;
  int depth_ = 0;
  std::optional<CtpScriptError> problem_;
};

// ---- Properties ----------------------------------------------------------------------------

// Java's escapes, but for \u.
std::string Unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char c = text[++i];
    if (c == 't') {
      out += '\t';
    } else if (c == 'n') {
      out += '\n';
    } else {
      out += c;
    }
  }
  return out;
}

// Whether a backslash that is not escaped itself stands at the end.
bool GoesOn(std::string_view line) {
  std::size_t count = 0;
  while (count < line.size() && line[line.size() - 1 - count] == '\\') ++count;
  return count % 2 == 1;
}

std::size_t FindEquals(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '=') {
      return i;
    }
  }
  return std::string_view::npos;
}

// "[0010,0010]PatientName" to "00100010", "[0009[CREATOR]02]Label" to "0009[CREATOR]02".
std::optional<std::string> TargetOf(std::string_view text) {
  if (!text.starts_with('[')) return std::nullopt;
  const std::size_t first = text.find(']');
  if (first == std::string_view::npos) return std::nullopt;
  const bool is_private = text.substr(1, first).find('[') != std::string_view::npos;
  const std::size_t last = is_private ? text.find(']', first + 1) : first;
  if (last == std::string_view::npos) return std::nullopt;
  std::string target;
  for (const char c : text.substr(1, last - 1)) {
    if (is_private || (c != ',' && c != ' ')) target += c;
  }
  return target;
}

void ReadEntry(CtpScript& script, CtpEntry entry, const std::string& key, std::string value) {
  const std::string_view name = key;
  if (name.starts_with("param.")) {
    if (entry.enabled) script.params[key.substr(6)] = std::move(value);
  } else if (name.starts_with("set.")) {
    const std::optional<std::string> target = TargetOf(name.substr(4));
    entry.target = target.value_or(key.substr(4));
    entry.code = std::move(value);
    script.rules.push_back(std::move(entry));
  } else if (name.starts_with("keep.")) {
    entry.target = key.substr(name.starts_with("keep.group") ? 10 : 5);
    script.keeps.push_back(std::move(entry));
  } else if (name.starts_with("remove.")) {
    entry.target = key.substr(7);
    script.removes.push_back(std::move(entry));
  } else if (entry.enabled) {
    entry.target = key;
    script.unknown.push_back(std::move(entry));
  }
}

std::variant<CtpScript, CtpScriptError> ReadProperties(std::string_view text) {
  if (const int line = FirstBadLine(text); line > 0) return CtpScriptError{line, "not UTF-8 text"};
  CtpScript script;
  int line = 0;
  while (!text.empty()) {
    const int first_line = line + 1;
    std::string logical;
    for (bool more = true; more && !text.empty();) {
      const std::size_t end = text.find('\n');
      std::string_view piece = text.substr(0, end);
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
      ++line;
      if (piece.ends_with('\r')) piece.remove_suffix(1);
      piece.remove_prefix(std::min(piece.find_first_not_of(" \t"), piece.size()));
      // A comment does not go on, whatever it ends with.
      more =
          GoesOn(piece) && !(logical.empty() && (piece.starts_with('#') || piece.starts_with('!')));
      if (more) piece.remove_suffix(1);
      logical += piece;
    }
    CtpEntry entry{.line = first_line, .enabled = true, .target = {}, .code = {}};
    std::string_view body = logical;
    if (body.starts_with('#') || body.starts_with('!')) {
      entry.enabled = false;
      body.remove_prefix(1);
    }
    const std::size_t equals = FindEquals(body);
    if (equals == std::string_view::npos) {
      if (entry.enabled && !Trimmed(body).empty()) {
        return CtpScriptError{first_line, "neither XML nor a line of properties: no = in it"};
      }
      continue;
    }
    ReadEntry(script, std::move(entry), Trimmed(Unescaped(body.substr(0, equals))),
              Trimmed(Unescaped(body.substr(equals + 1))));
  }
  return script;
}

}  // namespace

std::variant<CtpScript, CtpScriptError> ReadCtpScript(const std::string& text) {
  std::string_view view = text;
  if (view.starts_with("\xEF\xBB\xBF")) view.remove_prefix(3);
  const std::size_t first = view.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return CtpScriptError{0, "the file is empty"};
  // UTF-16 begins with its mark; the library reads it.
  const bool wide = view.starts_with("\xFF\xFE") || view.starts_with("\xFE\xFF");
  auto script = wide || view[first] == '<' ? XmlReader().Read(text) : ReadProperties(view);
  if (const auto* read = std::get_if<CtpScript>(&script);
      read != nullptr && read->rules.empty() && read->keeps.empty() && read->removes.empty()) {
    return CtpScriptError{0, "no rule of a DicomAnonymizer script is in it"};
  }
  return script;
}

}  // namespace dcmveil::rules
