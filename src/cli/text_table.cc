// SPDX-License-Identifier: Apache-2.0
#include "cli/text_table.h"

#include <algorithm>
#include <utility>

#include "cli/text_width.h"

namespace tidegate {

namespace {

/// One value cannot blow up every line of the table.
constexpr int kMaxColumnWidth = 512;
/// A type is shown to help; it does not make its column wider than this.
constexpr int kMaxTypeWidth = 24;
/// Narrower columns say nothing.
constexpr int kMinColumnWidth = 6;

}  // namespace

TextTable::TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {
  for (Column& column : columns_) {
    const int type_width = std::min(kMaxTypeWidth, text_width(column.type));
    const int name_width = std::min(kMaxColumnWidth, text_width(column.name));
    column.width = std::max({1, column.width, name_width, type_width});
  }
}

void TextTable::measure(std::span<const std::string_view> cells) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    int& width = columns_[i].width;
    // A cell has at least as many bytes as it is wide, but for emoji and the like.
    if (2 * cells[i].size() <= static_cast<std::size_t>(width)) continue;
    width = std::max(width, std::min(kMaxColumnWidth, text_width(cells[i])));
  }
}

int TextTable::line_width() const {
  int width = 1;
  for (const Column& column : columns_) width += column.width + 3;
  return width;
}

void TextTable::fit(int width) {
  for (int excess = line_width() - width; excess > 0; --excess) {
    const auto widest =
        std::max_element(columns_.begin(), columns_.end(),
                         [](const Column& a, const Column& b) { return a.width < b.width; });
    if (widest == columns_.end() || widest->width <= kMinColumnWidth) return;
    --widest->width;
  }
}

void TextTable::append_rule(std::string& out) const {
  for (const Column& column : columns_) {
    out += '+';
    out.append(static_cast<std::size_t>(column.width) + 2, '-');
  }
  out += "+\n";
}

void TextTable::append_row(std::span<const std::string_view> cells, std::string& out) const {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    out += "| ";
    append_fitted(cells[i], columns_[i].width, columns_[i].right_aligned, out);
    out += ' ';
  }
  out += "|\n";
}

void TextTable::append_header(std::string& out) const {
  std::vector<std::string_view> names, types;
  for (const Column& column : columns_) {
    names.emplace_back(column.name);
    types.emplace_back(column.type);
  }
  append_rule(out);
  append_row(names, out);
  const bool any_type =
      std::any_of(types.begin(), types.end(), [](std::string_view type) { return !type.empty(); });
  if (any_type) append_row(types, out);
  append_rule(out);
}

}  // namespace tidegate
