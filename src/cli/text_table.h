// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate {

/// Rows between lines of dashes:
///
///   +-----+--------+
///   | url |    cnt |
///   +-----+--------+
///   | /a  |      2 |
///   +-----+--------+
///
/// Cells are shown as they are, so they must be printable. Widths come from measure(), or are set.
class TextTable {
 public:
  struct Column {
    std::string name;
    std::string type;  ///< shown below the name; empty in all columns: no line for it
    bool right_aligned = false;
    int width = 0;  ///< at least
  };

  explicit TextTable(std::vector<Column> columns);

  /// Makes room for a row.
  void measure(std::span<const std::string_view> cells);
  /// Makes the widest columns smaller until a line is at most `width` wide, or none can give more.
  void fit(int width);

  /// Cells of a line.
  int line_width() const;
  void append_header(std::string& out) const;
  void append_row(std::span<const std::string_view> cells, std::string& out) const;
  void append_rule(std::string& out) const;

 private:
  std::vector<Column> columns_;
};

}  // namespace tidegate
