// SPDX-License-Identifier: Apache-2.0
// How tables are shown to people: drawn at the end, change by change, or over and over.

#include <algorithm>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "base/check.h"
#include "cli/final_table.h"
#include "cli/result_display.h"
#include "cli/result_encoder.h"
#include "cli/text_table.h"

namespace tidegate {

namespace {

TextTable::Column table_column(const Field& field) {
  return {field.name, field.type.with_nullable(true).to_string(), is_right_aligned(field.type)};
}

/// Cells that most values of a type need, for lines that are shown before all values are known.
int usual_width(const LogicalType& type) {
  switch (type.kind()) {
    case TypeKind::kBoolean:
      return 5;
    case TypeKind::kTinyInt:
      return 4;
    case TypeKind::kSmallInt:
      return 6;
    case TypeKind::kInt:
      return 11;
    case TypeKind::kBigInt:
      return 20;
    case TypeKind::kFloat:
      return 14;
    case TypeKind::kDouble:
      return 22;
    case TypeKind::kDecimal:
      return type.precision() + 2;
    case TypeKind::kDate:
      return 10;
    case TypeKind::kTime:
      return 8 + (type.precision() > 0 ? type.precision() + 1 : 0);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return 19 + (type.precision() > 0 ? type.precision() + 1 : 0);
    case TypeKind::kChar:
      return std::min(type.length(), 30);
    default:
      return 30;
  }
}

std::vector<TextTable::Column> table_columns(const Schema& schema) {
  std::vector<TextTable::Column> columns;
  for (const Field& field : schema.fields()) columns.push_back(table_column(field));
  return columns;
}

/// The first rows of a table that is not to be longer, and how it is drawn.
class Drawing {
 public:
  Drawing(const Schema& schema, const FinalTable& rows, std::int64_t max_rows, int width)
      : table_(table_columns(schema)), num_rows_(rows.size()) {
    rows.for_each([&](std::string_view row) {
      if (max_rows == 0 || static_cast<std::int64_t>(shown_.size()) < max_rows)
        shown_.push_back(row);
    });
    std::vector<std::string_view> cells;
    for (const std::string_view row : shown_) {
      ResultEncoder::read_cells(row, cells);
      table_.measure(cells);
    }
    if (width > 0) table_.fit(width);
  }

  int width() const { return table_.line_width(); }
  std::int64_t num_shown() const { return static_cast<std::int64_t>(shown_.size()); }

  /// `only_counted`: rows that are not even in the table. `send_piece` is called now and then.
  Status append(std::string& out, std::int64_t only_counted,
                const std::function<Status()>& send_piece) const {
    table_.append_header(out);
    std::vector<std::string_view> cells;
    for (const std::string_view row : shown_) {
      ResultEncoder::read_cells(row, cells);
      table_.append_row(cells, out);
      TG_RETURN_IF_ERROR(send_piece());
    }
    if (!shown_.empty()) table_.append_rule(out);
    const std::int64_t all = num_rows_ + only_counted;
    if (all > num_shown()) out += fmt::format("... {} more\n", grouped(all - num_shown()));
    out += counted(all, "row") + '\n';
    return Status::ok();
  }

 private:
  TextTable table_;
  std::int64_t num_rows_;
  std::vector<std::string_view> shown_;  // of the table that was given
};

/// The final table, drawn at the end.
class TableDisplay final : public ResultDisplay {
 public:
  TableDisplay(const ResultSettings& settings, ResultOutput output)
      : ResultDisplay(std::move(output)),
        settings_(settings),
        rows_(settings),
        // Without an order the rows that will be shown are known as they come.
        kept_(settings.insert_only && settings.order.empty() ? settings.max_rows : 0) {}

  Status write(const Batch& batch) override {
    if (kept_ == 0) return rows_.apply(batch);
    for (std::int64_t row = 0; row < batch.num_rows(); ++row)
      TG_RETURN_IF_ERROR(check_adds(batch, row));
    const std::int64_t room = std::max<std::int64_t>(0, kept_ - rows_.size());
    const std::int64_t shown = std::min(batch.num_rows(), room);
    only_counted_ += batch.num_rows() - shown;
    return shown == 0 ? Status::ok() : rows_.apply(batch.slice(0, shown));
  }
  Status finish() override {
    TG_RETURN_IF_ERROR(rows_.check_complete());
    const Drawing drawing(*settings_.schema, rows_, settings_.max_rows, settings_.width);
    TG_RETURN_IF_ERROR(drawing.append(text_, only_counted_, [this] { return send_piece(); }));
    return send();
  }
  std::int64_t num_rows() const override { return rows_.size() + only_counted_; }
  bool shows_at_once() const override { return false; }

 private:
  ResultSettings settings_;
  FinalTable rows_;
  std::int64_t kept_;  // more rows than this are only counted; 0: all are kept
  std::int64_t only_counted_ = 0;
};

/// The table so far, drawn over itself whenever it has changed; at the end once more.
class RefreshedDisplay final : public ResultDisplay {
 public:
  RefreshedDisplay(const ResultSettings& settings, ResultOutput output)
      : ResultDisplay(std::move(output)),
        settings_(settings),
        rows_(settings, /*updates_in_place=*/true) {}

  Status write(const Batch& batch) override {
    const std::lock_guard lock(mutex_);
    changed_ = true;
    return rows_.apply(batch);
  }
  Status refresh() override {
    const std::lock_guard lock(mutex_);
    if (!changed_) return Status::ok();
    changed_ = false;
    // Besides the rows: the header, the rules, "... more" and the count, and the cursor's line.
    constexpr int kOtherLines = 8;
    return draw(std::max(1, settings_.refresh_lines - kOtherLines));
  }
  Status finish() override {
    const std::lock_guard lock(mutex_);
    TG_RETURN_IF_ERROR(rows_.check_complete());
    // The words about the job's end stand below the drawing, so what is new comes below them.
    if (!changed_ && all_shown_) return Status::ok();
    lines_ = 0;
    return draw(settings_.max_rows);
  }
  std::int64_t num_rows() const override { return rows_.size(); }
  bool shows_at_once() const override { return true; }

 private:
  Status draw(std::int64_t max_rows) {
    const Drawing drawing(*settings_.schema, rows_, max_rows, settings_.width);
    // Up over the last one, and away with it.
    if (lines_ > 0) text_ += fmt::format("\033[{}A\033[J", lines_);
    const std::size_t begin = text_.size();
    TG_RETURN_IF_ERROR(drawing.append(text_, 0, [] { return Status::ok(); }));
    all_shown_ = drawing.num_shown() == rows_.size();
    // A line that is wider than the terminal takes up several of its lines.
    const int width = std::max(1, settings_.width);
    const int lines_per_row = (drawing.width() + width - 1) / width;
    lines_ =
        lines_per_row * static_cast<int>(std::count(
                            text_.begin() + static_cast<std::ptrdiff_t>(begin), text_.end(), '\n'));
    if (lines_per_row > 1) lines_ -= lines_per_row - 1;  // the count is short
    return send();
  }

  ResultSettings settings_;
  std::mutex mutex_;
  FinalTable rows_;
  bool changed_ = true;
  bool all_shown_ = false;
  int lines_ = 0;  // of the drawing on the terminal
};

/// A table of changes, drawn line by line as they come.
class ChangeTableDisplay final : public ResultDisplay {
 public:
  ChangeTableDisplay(const ResultSettings& settings, ResultOutput output)
      : ResultDisplay(std::move(output)),
        encoder_(settings.schema, settings.zone),
        table_(columns_of(*settings.schema)) {
    if (settings.width > 0) table_.fit(settings.width);
    table_.append_header(text_);
  }

  Status write(const Batch& batch) override {
    encoder_.bind(batch);
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      row_.clear();
      encoder_.append_cells(row, row_);
      ResultEncoder::read_cells(row_, cells_);
      cells_.insert(cells_.begin(), row_kind_symbol(batch.row_kind(row)));
      table_.append_row(cells_, text_);
      TG_RETURN_IF_ERROR(send_piece());
    }
    num_rows_ += batch.num_rows();
    return send();
  }
  Status finish() override {
    if (num_rows_ > 0) table_.append_rule(text_);
    text_ += counted(num_rows_, "change") + '\n';
    return send();
  }
  std::int64_t num_rows() const override { return num_rows_; }
  bool shows_at_once() const override { return true; }

 private:
  static std::vector<TextTable::Column> columns_of(const Schema& schema) {
    std::vector<TextTable::Column> columns = table_columns(schema);
    for (int i = 0; i < schema.num_fields(); ++i)
      columns[static_cast<std::size_t>(i)].width = usual_width(schema.field(i).type);
    columns.insert(columns.begin(), {"op", "", false, 2});
    return columns;
  }

  ResultEncoder encoder_;
  TextTable table_;
  std::string row_;
  std::vector<std::string_view> cells_;
  std::int64_t num_rows_ = 0;
};

}  // namespace

std::unique_ptr<ResultDisplay> make_table_display(const ResultSettings& settings,
                                                  ResultOutput output) {
  if (settings.bounded) return std::make_unique<TableDisplay>(settings, std::move(output));
  if (settings.refresh_lines > 0 && !settings.insert_only)
    return std::make_unique<RefreshedDisplay>(settings, std::move(output));
  return std::make_unique<ChangeTableDisplay>(settings, std::move(output));
}

}  // namespace tidegate
