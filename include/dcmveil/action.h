// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dcmveil/error.h"
#include "dcmveil/tag.h"

namespace dcmveil {

namespace engine {
struct Element;
class CustomActionAdapter;
}  // namespace engine

/// A data element as an action of one's own sees it. Valid for the duration of the call.
class DCMVEIL_API ElementView {
 public:
  [[nodiscard]] Tag tag() const;
  /// The VR that decides: the dictionary's for a standard attribute (PS3.6), else the encoded one.
  [[nodiscard]] Vr vr() const;
  /// The way to the element: "(0008,1140)[0].(0008,1155)"; items count from 0.
  [[nodiscard]] std::string path() const;
  /// The private creator that reserved the element's block (PS3.5 section 7.8.1); empty for
  /// standard elements.
  [[nodiscard]] std::string_view private_creator() const;
  /// The value field without padding: text in the instance's character set, numbers in little
  /// endian.
  [[nodiscard]] std::string_view bytes() const;
  /// The values: text as UTF-8 without padding, numbers in decimal, tags as "(0010,0020)". Empty
  /// values stay in their places. Nothing for VRs of bytes (OB, OW, UN and their like).
  [[nodiscard]] std::vector<std::string> values() const;
  /// The values of a top-level element in front of the pixel data, as the input has it and in the
  /// same form. Nothing if there is none. REQUIRES: CustomAction::asks lists the tag.
  [[nodiscard]] std::vector<std::string> values_of(Tag tag) const;
  /// HMAC-SHA-256 of the text by a key that is the rule set's and this action's own, as 64
  /// hexadecimal digits. REQUIRES: CustomAction::needs_key.
  [[nodiscard]] std::string KeyedHash(std::string_view text) const;

 private:
  friend class engine::CustomActionAdapter;
  ElementView(const engine::Element& element, const engine::CustomActionAdapter& action)
      : element_(element), action_(action) {}
  const engine::Element& element_;
  const engine::CustomActionAdapter& action_;
};

/// What an action wants done with an element. A value.
class ElementChange {
 public:
  enum class Kind : std::uint8_t { kKeep, kRemove, kEmpty, kSetValues, kSetBytes, kFail };

  /// The element stays as it is.
  [[nodiscard]] static ElementChange Keep() { return ElementChange(Kind::kKeep); }
  [[nodiscard]] static ElementChange Remove() { return ElementChange(Kind::kRemove); }
  /// The element stays, without a value.
  [[nodiscard]] static ElementChange Empty() { return ElementChange(Kind::kEmpty); }
  /// These values, in the form of ElementView::values(). A value that was not the input's must be
  /// legal for the VR, or the instance is quarantined ("action-failed"); characters that the
  /// instance's character set lacks do so too ("not-in-character-set"). A value that is too long
  /// empties the element (note "no-room"). No values empty it.
  [[nodiscard]] static ElementChange SetValues(std::vector<std::string> values) {
    ElementChange change(Kind::kSetValues);
    change.values_ = std::move(values);
    return change;
  }
  /// A new value field, for VRs that are not text; numbers in little endian, of the VR's size.
  [[nodiscard]] static ElementChange SetBytes(std::string bytes) {
    ElementChange change(Kind::kSetBytes);
    change.bytes_ = std::move(bytes);
    return change;
  }
  /// The instance is quarantined, with "action-failed" as the reason.
  [[nodiscard]] static ElementChange Fail() { return ElementChange(Kind::kFail); }

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] const std::vector<std::string>& values() const { return values_; }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  explicit ElementChange(Kind kind) : kind_(kind) {}
  Kind kind_;
  std::vector<std::string> values_;
  std::string bytes_;
};

/// An action of one's own, for rules to name as they name the engine's: same loader, same checks of
/// VRs and parameters, `with:` and `settings:` alike. Given to the loader in LoadOptions; nothing
/// is registered anywhere.
struct CustomAction {
  /// As written under `with:` or `settings:`; the value is text.
  struct Parameter {
    std::string name;     ///< lower case, words joined by '-'
    std::string summary;  ///< what it says, for the message that it is missing
    std::optional<std::string> default_value = std::nullopt;  ///< none: the rule must give it
  };
  /// What a rule says, with defaults filled in: every parameter is there.
  using Parameters = std::map<std::string, std::string, std::less<>>;

  std::string name;     ///< lower case, words joined by '-'; not the name of another action
  std::string summary;  ///< one sentence
  /// Changes with what the action does. It enters the rule set's hash, so that a run does not go on
  /// with what another version did.
  std::string version = "1";
  /// What it can take; an element of another VR is an error, in the rules if they name it, else of
  /// the instance. No sequences. Pixel Data is left alone, as by the engine's own actions.
  VrSet vrs;
  std::vector<Parameter> parameters = {};
  std::vector<Tag> asks = {};  ///< what ElementView::values_of may be asked
  bool needs_key = false;      ///< for ElementView::KeyedHash; the rules must then have a key
  /// Called once for each rule with the action while rules are loaded: what is wrong with the
  /// parameters, which becomes an error at the rule; empty if nothing is. May be null.
  std::function<std::string(const Parameters&)> check = nullptr;
  /// Called for each element that the rule decides, by any number of threads at once, so it must be
  /// safe to call so. A dirty value (PS3.5 is often broken) is normal input. It must not throw; if
  /// it does, the instance is quarantined ("action-failed") and no other is concerned.
  std::function<ElementChange(const ElementView&, const Parameters&)> apply;
};

}  // namespace dcmveil
