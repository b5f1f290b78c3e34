// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dcmveil/error.h"
#include "dcmveil/tag.h"
#include "pipeline/findings.h"
#include "pipeline/tally.h"

namespace dcmveil::pipeline {

/// The review file: the one place in a state folder that holds values from data sets, so that a
/// person can look at what the rules left. It gives each rule, kind, element and value a number;
/// everything else speaks of them by number.
///
/// review.ndjson has one JSON object a line and only grows:
///   {"rule":0,"origin":"rules.yaml:12","action":"keep"}
///   {"kind":0,"modality":"CT","sop_class":"1.2.840.10008.5.1.4.1.1.2"}
///   {"element":0,"name":"StudyDescription","vr":"LO"}
///   {"text":0,"element":0,"rule":0,"value":"CT chest"}
///   {"text":1,"element":0,"rule":0,"before":"CT chest","value":"","removed":true}
/// The numbers of each sort count from 0. One thread at a time.
class Review {
 public:
  /// So that memory stays the same however many inputs there are.
  struct Limits {
    std::size_t texts_of_element = 20000;  ///< values that stay and changes count apart
    std::size_t texts = 200000;
    std::size_t bytes = std::size_t{32} << 20U;
    std::size_t elements = 20000;
    std::size_t text_size = 16384;  ///< bytes; longer values are cut and say so
  };
  struct Rule {
    std::string origin;
    std::string action;
  };
  struct Kind {
    std::string modality;
    std::string sop_class_uid;
  };
  struct Element {
    std::string name;
    Vr vr = Vr::UN;
  };
  struct Text {
    std::uint32_t element = 0;
    std::uint32_t rule = 0;
    std::optional<std::string> before;
    std::string text;
    bool removed = false;
  };

  Review() : Review(Limits()) {}
  explicit Review(Limits limits) : limits_(limits) {}
  ~Review();
  Review(const Review&) = delete;
  Review& operator=(const Review&) = delete;

  /// Opens the file in the folder, mode 0600; `go_on`: with what an earlier run left in it. A last
  /// line that was cut off is dropped. Fails with kMalformed if other lines are damaged.
  [[nodiscard]] Status Open(const std::filesystem::path& folder, bool go_on);
  /// Reads the file without opening it for writing. Fails with kNotFound, kMalformed.
  [[nodiscard]] Status Load(const std::filesystem::path& folder);

  /// Gives the findings of one instance their numbers; what is new is in the file, as far as the
  /// operating system is concerned, before this returns. `has_output`: else only the kind counts.
  [[nodiscard]] Result<Tally> Number(const Findings& findings, bool has_output);
  /// The number of one thing, known or new; of a text none over the limits. What is new is written
  /// by Flush.
  std::uint32_t NumberOfRule(std::string_view origin, std::string_view action);
  std::uint32_t NumberOfKind(std::string_view modality, std::string_view sop_class_uid);
  std::uint32_t NumberOfElement(const std::string& name, Vr vr);
  std::optional<std::uint32_t> NumberOfText(Text text);
  [[nodiscard]] Status Flush();
  /// Makes sure that all of it is on the disk.
  [[nodiscard]] Status Sync();

  [[nodiscard]] const std::vector<Rule>& rules() const { return rules_; }
  [[nodiscard]] const std::vector<Kind>& kinds() const { return kinds_; }
  [[nodiscard]] const std::vector<Element>& elements() const { return elements_; }
  [[nodiscard]] const std::vector<Text>& texts() const { return texts_; }

 private:
  /// A number, or one that is new and was not there.
  using Numbers = std::unordered_map<std::string, std::uint32_t>;
  /// Texts of one element: values that stay, changes.
  struct Room {
    std::size_t texts = 0;
    std::size_t changes = 0;
  };

  [[nodiscard]] Status ReadLines(const std::filesystem::path& file, std::size_t& sound);
  [[nodiscard]] bool Take(std::string_view line);
  static std::string KeyOf(const Text& text);
  void AddRule(Rule rule);
  void AddKind(Kind kind);
  void AddElement(Element element);
  void AddText(Text text);

  Limits limits_;
  int fd_ = -1;
  std::string pending_;  ///< lines to be written
  bool broken_ = false;  ///< a line may be cut off: nothing must follow it
  std::vector<Rule> rules_;
  std::vector<Kind> kinds_;
  std::vector<Element> elements_;
  std::vector<Text> texts_;
  std::vector<Room> rooms_;  ///< by element
  std::size_t bytes_ = 0;
  Numbers known_rules_;
  Numbers known_kinds_;
  Numbers known_elements_;
  Numbers known_texts_;
};

/// `modality` if PS3.3 section C.7.3.1.1.1 defines it, now or once, and else "other".
[[nodiscard]] std::string_view KnownModality(std::string_view modality);

}  // namespace dcmveil::pipeline
