// SPDX-License-Identifier: Apache-2.0
#include "cli/result_sink.h"

#include <arrow/array/array_base.h>
#include <sys/ioctl.h>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "cli/final_rows.h"
#include "cli/result_encoder.h"
#include "cli/text_table.h"
#include "types/key_encoding.h"

namespace tidegate {

namespace {

/// Enough for a screenful or two, not so many that the query scrolls out of sight for ever.
constexpr std::int64_t kTerminalRows = 1000;
/// Text is handed on in pieces of about this size.
constexpr std::size_t kPieceBytes = std::size_t{64} << 10;

std::string grouped(std::int64_t count) {
  std::string digits = std::to_string(count);
  for (int i = static_cast<int>(digits.size()) - 3; i > 0; i -= 3)
    digits.insert(static_cast<std::size_t>(i), ",");
  return digits;
}

std::string counted(std::int64_t count, std::string_view what) {
  return fmt::format("{} {}{}", grouped(count), what, count == 1 ? "" : "s");
}

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

/// What rows are sorted by, as bytes: for each column its length and its key.
class OrderKeys {
 public:
  OrderKeys(const Schema& schema, std::vector<ResultOrder> order) : order_(std::move(order)) {
    for (const ResultOrder& by : order_)
      codecs_.emplace_back(std::vector{schema.field(by.column).type});
    keys_.resize(order_.size());
  }

  bool any() const { return !order_.empty(); }

  Status bind(const Batch& batch) {
    for (std::size_t i = 0; i < order_.size(); ++i) {
      const ArrayPtr& column = batch.column(order_[i].column);
      TG_RETURN_IF_ERROR(codecs_[i].encode({&column, 1}, batch.num_rows(), keys_[i]));
    }
    return Status::ok();
  }

  void append(std::int64_t row, std::string& out) const {
    for (const EncodedKeys& keys : keys_) {
      const std::string_view key = keys.key(row);
      const auto size = static_cast<std::uint32_t>(key.size());
      out.append(reinterpret_cast<const char*>(&size), sizeof(size));
      out += key;
    }
  }

  bool less(std::string_view a, std::string_view b) const {
    for (const ResultOrder& by : order_) {
      const std::string_view x = take(a);
      const std::string_view y = take(b);
      if (x == y) continue;
      // The key of null is empty, and first of all.
      if (x.empty() || y.empty()) return x.empty() != by.nulls_last;
      return (x < y) != by.descending;
    }
    return false;
  }

 private:
  static std::string_view take(std::string_view& keys) {
    std::uint32_t size;
    std::memcpy(&size, keys.data(), sizeof(size));
    const std::string_view key = keys.substr(sizeof(size), size);
    keys.remove_prefix(sizeof(size) + size);
    return key;
  }

  std::vector<ResultOrder> order_;
  std::vector<KeyCodec> codecs_;
  std::vector<EncodedKeys> keys_;
};

Status check_adds(const Batch& batch, std::int64_t row) {
  if (row_kind_adds(batch.row_kind(row))) return Status::ok();
  return error(ErrorCode::kInternal, "a result that only inserts got a row of kind {}",
               row_kind_symbol(batch.row_kind(row)));
}

}  // namespace

/// One way of showing rows. write() is called by the task, finish() after it has gone.
class ResultSink::Display {
 public:
  Display(const ResultSettings& settings, ResultOutput output)
      : encoder_(settings.schema, settings.zone), output_(std::move(output)) {}
  virtual ~Display() = default;

  virtual Status write(const Batch& batch) = 0;
  virtual Status finish() = 0;
  virtual std::int64_t num_rows() const { return num_rows_; }

 protected:
  Status send() {
    if (text_.empty()) return Status::ok();
    const Status sent = output_(text_);
    text_.clear();
    return sent;
  }
  Status send_piece() { return text_.size() < kPieceBytes ? Status::ok() : send(); }

  ResultEncoder encoder_;
  std::string text_;  // not sent yet
  std::int64_t num_rows_ = 0;

 private:
  ResultOutput output_;
};

class ResultSink::ChangelogDisplay final : public Display {
 public:
  using Display::Display;

  Status write(const Batch& batch) override {
    encoder_.bind(batch);
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      text_ += "{\"op\":\"";
      text_ += row_kind_symbol(batch.row_kind(row));
      text_ += "\",\"row\":";
      TG_RETURN_IF_ERROR(encoder_.append_json(row, text_));
      text_ += "}\n";
      TG_RETURN_IF_ERROR(send_piece());
    }
    num_rows_ += batch.num_rows();
    return send();
  }
  Status finish() override { return Status::ok(); }
};

/// JSON or CSV of rows that stay.
class ResultSink::StreamDisplay final : public Display {
 public:
  StreamDisplay(const ResultSettings& settings, ResultOutput output)
      : Display(settings, std::move(output)), csv_(settings.form == ResultForm::kCsv) {
    if (csv_) text_ = encoder_.csv_header() + '\n';
  }

  Status write(const Batch& batch) override {
    encoder_.bind(batch);
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      TG_RETURN_IF_ERROR(check_adds(batch, row));
      TG_RETURN_IF_ERROR(csv_ ? encoder_.append_csv(row, text_) : encoder_.append_json(row, text_));
      text_ += '\n';
      TG_RETURN_IF_ERROR(send_piece());
    }
    num_rows_ += batch.num_rows();
    return send();
  }
  Status finish() override { return send(); }

 private:
  bool csv_;
};

/// Keeps the final table, and shows it at the end as lines of JSON or CSV.
class ResultSink::FinalDisplay : public Display {
 public:
  FinalDisplay(const ResultSettings& settings, ResultOutput output)
      : Display(settings, std::move(output)),
        form_(settings.form),
        order_(*settings.schema, settings.order) {}

  Status write(const Batch& batch) override {
    encoder_.bind(batch);
    TG_RETURN_IF_ERROR(order_.bind(batch));
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      row_.clear();
      TG_RETURN_IF_ERROR(encode(row));
      if (!row_kind_adds(batch.row_kind(row))) {
        rows_.remove(row_);
        continue;
      }
      row_order_.clear();
      order_.append(row, row_order_);
      rows_.add(row_, row_order_);
    }
    return Status::ok();
  }

  Status finish() override {
    TG_RETURN_IF_ERROR(check_complete());
    if (form_ == ResultForm::kCsv) text_ = encoder_.csv_header() + '\n';
    Status sent;
    for_each([&](std::string_view row) {
      text_ += row;
      text_ += '\n';
      if (sent.is_ok()) sent = send_piece();
    });
    TG_RETURN_IF_ERROR(sent);
    return send();
  }
  std::int64_t num_rows() const override { return rows_.size(); }

 protected:
  Status check_complete() const {
    if (rows_.num_missing() == 0) return Status::ok();
    return error(ErrorCode::kInternal, "{} of the result were taken back and never came",
                 counted(rows_.num_missing(), "row"));
  }
  void for_each(const std::function<void(std::string_view)>& visit) const {
    FinalRows::Less less;
    if (order_.any()) less = [this](auto a, auto b) { return order_.less(a, b); };
    rows_.for_each(visit, less);
  }

  FinalRows rows_;

 private:
  Status encode(std::int64_t row) {
    if (form_ == ResultForm::kJson) return encoder_.append_json(row, row_);
    if (form_ == ResultForm::kCsv) return encoder_.append_csv(row, row_);
    encoder_.append_cells(row, row_);
    return Status::ok();
  }

  ResultForm form_;
  OrderKeys order_;
  std::string row_;
  std::string row_order_;
};

/// The final table as a drawing.
class ResultSink::TableDisplay final : public FinalDisplay {
 public:
  TableDisplay(const ResultSettings& settings, ResultOutput output)
      : FinalDisplay(settings, std::move(output)),
        schema_(settings.schema),
        // Without an order the rows that will be shown are known as they come.
        counts_only_after_(settings.insert_only && settings.order.empty() ? settings.max_rows : 0),
        max_rows_(settings.max_rows),
        width_(settings.width) {}

  Status write(const Batch& batch) override {
    if (counts_only_after_ == 0) return FinalDisplay::write(batch);
    for (std::int64_t row = 0; row < batch.num_rows(); ++row)
      TG_RETURN_IF_ERROR(check_adds(batch, row));
    const std::int64_t shown =
        std::min(batch.num_rows(), std::max<std::int64_t>(0, counts_only_after_ - rows_.size()));
    only_counted_ += batch.num_rows() - shown;
    return shown == 0 ? Status::ok() : FinalDisplay::write(batch.slice(0, shown));
  }

  Status finish() override {
    TG_RETURN_IF_ERROR(check_complete());
    std::vector<TextTable::Column> columns;
    for (const Field& field : schema_->fields()) columns.push_back(table_column(field));
    TextTable table(std::move(columns));
    std::vector<std::string_view> shown;
    for_each([&](std::string_view row) {
      if (max_rows_ == 0 || static_cast<std::int64_t>(shown.size()) < max_rows_)
        shown.push_back(row);
    });
    std::vector<std::string_view> cells;
    for (const std::string_view row : shown) {
      ResultEncoder::read_cells(row, cells);
      table.measure(cells);
    }
    if (width_ > 0) table.fit(width_);
    table.append_header(text_);
    for (const std::string_view row : shown) {
      ResultEncoder::read_cells(row, cells);
      table.append_row(cells, text_);
      TG_RETURN_IF_ERROR(send_piece());
    }
    if (!shown.empty()) table.append_rule(text_);
    const std::int64_t more = num_rows() - static_cast<std::int64_t>(shown.size());
    if (more > 0) text_ += fmt::format("... {} more\n", grouped(more));
    text_ += counted(num_rows(), "row") + '\n';
    return send();
  }
  std::int64_t num_rows() const override { return rows_.size() + only_counted_; }

 private:
  SchemaPtr schema_;
  std::int64_t counts_only_after_;
  std::int64_t max_rows_;
  int width_;
  std::int64_t only_counted_ = 0;
};

/// A table of changes, drawn line by line as they come.
class ResultSink::ChangeTableDisplay final : public Display {
 public:
  ChangeTableDisplay(const ResultSettings& settings, ResultOutput output)
      : Display(settings, std::move(output)), table_(columns_of(*settings.schema)) {
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

 private:
  static std::vector<TextTable::Column> columns_of(const Schema& schema) {
    std::vector<TextTable::Column> columns = {{"op", "", false, 2}};
    for (const Field& field : schema.fields()) {
      columns.push_back(table_column(field));
      columns.back().width = usual_width(field.type);
    }
    return columns;
  }

  TextTable table_;
  std::string row_;
  std::vector<std::string_view> cells_;
};

class ResultSink::Writer final : public SinkWriter {
 public:
  explicit Writer(Display& display) : display_(display) {}
  Result<Progress> write(Batch batch) override {
    TG_RETURN_IF_ERROR(display_.write(batch));
    return Progress::kDone;
  }
  Result<std::string> prepare(EpochId) override { return std::string(); }

 private:
  Display& display_;
};

std::unique_ptr<ResultSink::Display> ResultSink::make_display(ResultSettings settings,
                                                              ResultOutput output) {
  switch (settings.form) {
    case ResultForm::kChangelog:
      return std::make_unique<ChangelogDisplay>(settings, std::move(output));
    case ResultForm::kTable:
      if (settings.bounded) return std::make_unique<TableDisplay>(settings, std::move(output));
      return std::make_unique<ChangeTableDisplay>(settings, std::move(output));
    default:
      if (settings.insert_only && settings.order.empty())
        return std::make_unique<StreamDisplay>(settings, std::move(output));
      return std::make_unique<FinalDisplay>(settings, std::move(output));
  }
}

ResultSink::ResultSink(std::unique_ptr<Display> display) : display_(std::move(display)) {}
ResultSink::~ResultSink() = default;

Result<std::shared_ptr<ResultSink>> ResultSink::make(ResultSettings settings, ResultOutput output) {
  for (const ResultOrder& by : settings.order)
    TG_CHECK(by.column >= 0 && by.column < settings.schema->num_fields(), "column={}", by.column);
  return std::shared_ptr<ResultSink>(
      new ResultSink(make_display(std::move(settings), std::move(output))));
}

Result<std::unique_ptr<SinkWriter>> ResultSink::open_writer(OperatorContext&) {
  return std::make_unique<Writer>(*display_);
}

Status ResultSink::finish() { return display_->finish(); }
std::int64_t ResultSink::num_rows() const { return display_->num_rows(); }

Result<ResultForm> parse_result_form(std::string_view name) {
  if (name == "table") return ResultForm::kTable;
  if (name == "json") return ResultForm::kJson;
  if (name == "csv") return ResultForm::kCsv;
  if (name == "changelog") return ResultForm::kChangelog;
  return error(ErrorCode::kInvalidOption,
               "there is no output '{}'; it is table, json, csv or changelog", name);
}

ResultOutput standard_output() {
  return [](std::string_view text) -> Status {
    if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0)
      return Status::ok();
    const int cause = errno;
    return error(cause == ENOSPC ? ErrorCode::kDiskFull : ErrorCode::kFileIo,
                 "cannot print the result: {}", std::generic_category().message(cause));
  };
}

void limit_to_terminal(ResultSettings& settings) {
  if (isatty(STDOUT_FILENO) != 1) return;
  settings.max_rows = kTerminalRows;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) settings.width = size.ws_col;
}

}  // namespace tidegate
