// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dcmveil::report {

/// Text as it may stand between tags and in quoted attributes. What a reader could not see, or what
/// would change how the rest is shown, is made visible: control characters as their pictures
/// (U+2400), characters that steer the direction of writing or have no width as [U+202E], bytes
/// that are no UTF-8 as U+FFFD. Line ends stay, with a sign.
[[nodiscard]] std::string Escaped(std::string_view text);

/// 1234567 as "1,234,567".
[[nodiscard]] std::string WithCommas(std::uint64_t number);
/// "1.4 GB", in decimal units.
[[nodiscard]] std::string Size(std::uint64_t bytes);
/// "1 h 12 min", "3.2 s".
[[nodiscard]] std::string Time(double seconds);
/// "2026-11-25 08:20 UTC".
[[nodiscard]] std::string Moment(std::int64_t seconds_since_1970);

/// A table that the page's script can sort and filter. Columns of numbers are set to the right.
class Table {
 public:
  struct Column {
    std::string title;
    bool number = false;
  };
  /// `id` and `caption` are constants of the program. `filter`: the script offers to.
  Table(std::string id, std::string caption, std::vector<Column> columns, bool filter = false);
  void Begin();
  void Text(std::string_view text);   ///< escaped
  void Value(std::string_view text);  ///< of a data set: escaped, in isolation
  void Code(std::string_view text);   ///< escaped, in the font of code
  void Number(std::uint64_t number);
  void Raw(const std::string& html);  ///< a cell's content, escaped by the caller
  void End();
  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] std::string Html() const;

 private:
  std::string id_;
  std::string caption_;
  std::vector<Column> columns_;
  bool filter_;
  std::string body_;
  std::size_t rows_ = 0;
};

}  // namespace dcmveil::report
