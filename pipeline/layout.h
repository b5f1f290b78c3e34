// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dcmveil/engine.h"

namespace dcmveil::pipeline {

/// How outputs are named.
class Layout {
 public:
  /// Nothing, and `problem` says why, if the text is no layout.
  [[nodiscard]] static std::optional<Layout> Parse(std::string_view text, std::string& problem);
  /// Relative to the sink. No part of it is "." or "..", empty, or holds anything but letters,
  /// digits, '.', '_', '-'; of the input's own name only `mirror` takes anything. Two values have
  /// one brief name with a chance of 1 in 2^40.
  [[nodiscard]] std::string NameFor(const Deidentified& instance,
                                    std::string_view input_name) const;
  [[nodiscard]] bool mirrors_input() const { return mirror_; }

 private:
  struct Piece {
    std::string literal;
    std::string Deidentified::*field = nullptr;
    bool brief = false;  ///< 8 capitals and digits that stand for the value
  };
  bool mirror_ = false;
  std::vector<Piece> pieces_;
};

}  // namespace dcmveil::pipeline
