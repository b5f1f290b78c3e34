// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/deidentify.h"

namespace dcmveil::pipeline {

/// Collects what the rules did with one instance and what text they left. One thread; refers to the
/// plan, which must live longer.
class Findings : public engine::Observer {
 public:
  struct Rule {
    std::string_view origin;
    std::string_view action;
    std::uint64_t elements = 0;
  };
  /// A value that stays, or, if `before` is set, what became of one.
  struct Text {
    std::string element;  ///< see NameOf
    Vr vr = Vr::UN;
    std::size_t rule = 0;  ///< index in rules()
    std::optional<std::string> before = std::nullopt;
    std::string text;
    bool removed = false;
    std::uint64_t times = 1;
  };

  /// `with_changes`: also what became of every value that changes.
  explicit Findings(bool with_changes) : with_changes_(with_changes) {}

  void OnInstance(std::string_view sop_class_uid, std::string_view modality) override;
  [[nodiscard]] Values Wanted(Tag tag, Vr vr) const override;
  void OnElement(const Event& event) override;

  /// Whether the instance could be read far enough to tell its kind.
  [[nodiscard]] bool has_kind() const { return has_kind_; }
  [[nodiscard]] const std::string& sop_class_uid() const { return sop_class_uid_; }
  [[nodiscard]] const std::string& modality() const { return modality_; }
  /// An origin with its action can stand here twice.
  [[nodiscard]] const std::vector<Rule>& rules() const { return rules_; }
  [[nodiscard]] const std::vector<Text>& texts() const { return texts_; }

 private:
  std::size_t NumberOf(std::string_view origin, std::string_view action);
  void Add(Text text);

  bool with_changes_;
  bool has_kind_ = false;
  std::string sop_class_uid_;
  std::string modality_;
  struct HashOfPlace {
    std::size_t operator()(const std::pair<const char*, const char*>& place) const {
      const std::hash<const void*> hash;
      return hash(place.first) * 31 + hash(place.second);
    }
  };

  std::vector<Rule> rules_;
  /// By where the plan has origin and action.
  std::unordered_map<std::pair<const char*, const char*>, std::size_t, HashOfPlace> known_rules_;
  std::vector<Text> texts_;
  std::unordered_map<std::string, std::size_t> known_texts_;
};

/// Where an element is, without the numbers of items: keywords, or else tags, with the creator of
/// private ones: "ReferencedImageSequence/(0029,xx10 \"SIEMENS CSA HEADER\")".
[[nodiscard]] std::string NameOf(const engine::Path& path);

/// What a reader may take for text in bytes of unknown kind: all of it, or each stretch of at least
/// 8 characters, mostly letters and digits, in the first MiB. UTF-8.
[[nodiscard]] std::vector<std::string> TextIn(std::string_view bytes);

}  // namespace dcmveil::pipeline
