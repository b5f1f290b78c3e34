// SPDX-License-Identifier: Apache-2.0
#include "rules/import/ctp_script.h"

#include <expat.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
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
      script_.unknown.push_back({.line = Line(), .target = std::string(name)});
      return;
    }
    kind_ = name;
    text_.clear();
    entry_ = {.line = Line(), .enabled = false};
    std::string label;
    for (; *attributes != nullptr; attributes += 2) {
      const std::string_view key = attributes[0];
      const std::string_view value = attributes[1];
      if (key == "t") entry_.target = Trimmed(value);
      if (key == "n") label = value;
      if (key == "en") {
        entry_.enabled = value == "T";
        if (value != "T" && value != "F") entry_.odd_switch = value;
      }
    }
    entry_.key = entry_.target + "]" + label;
  }

  void End() {
    if (depth_-- != 2) return;
    if (kind_ == "p") {
      script_.params[entry_.target] = text_;
    } else if (kind_ == "e") {
      entry_.code = Trimmed(text_);
      script_.rules.push_back(entry_);
    } else if (kind_ == "k") {
      script_.keeps.push_back(entry_);
    } else if (kind_ == "r") {
      script_.removes.push_back(entry_);
    } else {
      entry_.target = kind_;
      entry_.enabled = true;
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

void AppendUtf8(std::string& out, std::uint32_t code) {
  const auto byte = [&out](std::uint32_t value) { out += static_cast<char>(value); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xC0U | code >> 6U);
  } else {
    byte(0xE0U | code >> 12U);
    byte(0x80U | (code >> 6U & 0x3FU));
  }
  byte(0x80U | (code & 0x3FU));
}

// Java's escapes. Characters beyond the first plane are not put together from two.
std::string Unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char c = text[++i];
    std::uint32_t code = 0;
    const char* const digits = text.data() + i + 1;
    if (c == 'u' && i + 4 < text.size() &&
        std::from_chars(digits, digits + 4, code, 16).ptr == digits + 4) {
      AppendUtf8(out, code);
      i += 4;
    } else if (c == 't') {
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

// The first of these signs that is not escaped.
std::size_t FindSign(std::string_view text, std::string_view signs) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (signs.find(text[i]) != std::string_view::npos) {
      return i;
    }
  }
  return std::string_view::npos;
}

// A line without its end, which is LF, CR or both.
std::string_view CutLine(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end);
  text.remove_prefix(text.starts_with("\r\n") ? 2 : text.empty() ? 0 : 1);
  return line;
}

void SkipBlanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\f"), text.size()));
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

void ReadEntry(CtpScript& script, CtpEntry entry, std::string value) {
  const std::string key = entry.key;
  const std::string_view name = key;
  if (name.starts_with("param.")) {
    if (entry.enabled) script.params[key.substr(6)] = std::move(value);
  } else if (name.starts_with("set.")) {
    const std::optional<std::string> target = TargetOf(name.substr(4));
    entry.target = target.value_or(key.substr(4));
    entry.code = Trimmed(value);
    script.rules.push_back(std::move(entry));
  } else if (name.starts_with("keep.")) {
    entry.target = key.substr(name.starts_with("keep.group") ? 10 : 5);
    script.keeps.push_back(std::move(entry));
  } else if (name.starts_with("remove.")) {
    entry.target = key.substr(7);
    script.removes.push_back(std::move(entry));
  } else if (entry.enabled && !key.empty()) {
    entry.target = key;
    script.unknown.push_back(std::move(entry));
  }
}

std::variant<CtpScript, CtpScriptError> ReadProperties(std::string_view text) {
  if (const int line = FirstBadLine(text); line > 0) return CtpScriptError{line, "not UTF-8 text"};
  CtpScript script;
  script.kind = CtpScript::Kind::kProperties;
  int line = 0;
  while (!text.empty()) {
    const int first_line = line + 1;
    std::string logical;
    for (bool more = true; more && !text.empty();) {
      std::string_view piece = CutLine(text);
      ++line;
      SkipBlanks(piece);
      // A comment does not go on, whatever it ends with.
      more =
          GoesOn(piece) && !(logical.empty() && (piece.starts_with('#') || piece.starts_with('!')));
      if (more) piece.remove_suffix(1);
      logical += piece;
    }
    CtpEntry entry{.line = first_line};
    std::string_view body = logical;
    if (body.starts_with('#') || body.starts_with('!')) {
      entry.enabled = false;
      body.remove_prefix(1);
    }
    if (entry.enabled && !body.empty() && FindSign(body, "=:") == std::string_view::npos) {
      return CtpScriptError{first_line, "neither XML nor a line of properties: no = in it"};
    }
    // A name ends at the first blank or sign, as Java has it.
    const std::size_t end = std::min(FindSign(body, "=: \t\f"), body.size());
    entry.key = Unescaped(body.substr(0, end));
    body.remove_prefix(end);
    SkipBlanks(body);
    if (body.starts_with('=') || body.starts_with(':')) body.remove_prefix(1);
    SkipBlanks(body);
    ReadEntry(script, std::move(entry), Unescaped(body));
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
  auto read = wide || view[first] == '<' ? XmlReader().Read(text) : ReadProperties(view);
  auto* const script = std::get_if<CtpScript>(&read);
  if (script == nullptr) return read;
  if (script->rules.empty() && script->keeps.empty() && script->removes.empty()) {
    return CtpScriptError{0, "no rule of a DicomAnonymizer script is in it"};
  }
  script->opens_items =
      std::any_of(script->rules.begin(), script->rules.end(), [](const CtpEntry& entry) {
        return entry.enabled && entry.code.find("process") != std::string::npos;
      });
  return read;
}

}  // namespace dcmveil::rules
