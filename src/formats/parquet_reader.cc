// SPDX-License-Identifier: Apache-2.0
#include "formats/parquet_reader.h"

#include <arrow/array/array_base.h>
#include <arrow/compute/cast.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/statistics.h>

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/check.h"
#include "formats/arrow_file.h"
#include "types/arrow_status.h"
#include "types/column.h"

namespace tidegate {

namespace {

// How many rows are decoded at a time: enough to be fast, few enough to stay small.
constexpr std::int64_t kRowsPerRead = 16 * 1024;

// A wanted column: where it is in the file's batches, and what it must become.
struct Wanted {
  std::string name;
  LogicalType type;
  std::shared_ptr<arrow::DataType> arrow_type;
  int in_file = -1;  // index in the batches that are read; -1: not there
};

// A condition, and the file's column that it is about.
struct GroupCondition {
  int leaf = -1;
  ColumnCondition::Compare compare = ColumnCondition::Compare::kEqual;
  std::variant<std::int64_t, std::string> value;
};

// Whether it can be true of a value between these two.
template <typename T>
bool may_hold_between(const T& min, const T& max, ColumnCondition::Compare compare,
                      const T& value) {
  switch (compare) {
    case ColumnCondition::Compare::kLess:
      return min < value;
    case ColumnCondition::Compare::kLessOrEqual:
      return min <= value;
    case ColumnCondition::Compare::kGreater:
      return max > value;
    case ColumnCondition::Compare::kGreaterOrEqual:
      return max >= value;
    default:
      return min <= value && value <= max;
  }
}

std::string_view view_of(const parquet::ByteArray& bytes) {
  return {reinterpret_cast<const char*>(bytes.ptr), bytes.len};
}

bool may_hold(const GroupCondition& condition, const parquet::Statistics& statistics) {
  if (!statistics.HasMinMax()) return true;
  if (const auto* number = std::get_if<std::int64_t>(&condition.value)) {
    if (statistics.physical_type() == parquet::Type::INT32) {
      const auto& bounds = static_cast<const parquet::Int32Statistics&>(statistics);
      return may_hold_between<std::int64_t>(bounds.min(), bounds.max(), condition.compare, *number);
    }
    if (statistics.physical_type() == parquet::Type::INT64) {
      const auto& bounds = static_cast<const parquet::Int64Statistics&>(statistics);
      return may_hold_between<std::int64_t>(bounds.min(), bounds.max(), condition.compare, *number);
    }
    return true;
  }
  if (statistics.physical_type() != parquet::Type::BYTE_ARRAY) return true;
  const auto& bounds = static_cast<const parquet::ByteArrayStatistics&>(statistics);
  return may_hold_between<std::string_view>(view_of(bounds.min()), view_of(bounds.max()),
                                            condition.compare,
                                            std::get<std::string>(condition.value));
}

void add_leaves(const parquet::arrow::SchemaField& field, std::vector<int>& leaves) {
  if (field.is_leaf()) leaves.push_back(field.column_index);
  for (const parquet::arrow::SchemaField& child : field.children) add_leaves(child, leaves);
}

class ParquetReader final : public FileDecoder {
 public:
  explicit ParquetReader(std::shared_ptr<RandomAccessFile> file)
      : file_(std::make_shared<ArrowInputFile>(std::move(file))) {}

  Status open(const DecodeRequest& request) {
    TG_RETURN_IF_ERROR(check_ends());
    parquet::ArrowReaderProperties properties(/*use_threads=*/false);
    properties.set_pre_buffer(false);
    properties.set_batch_size(kRowsPerRead);
    parquet::arrow::FileReaderBuilder builder;
    TG_RETURN_IF_ERROR(checked(builder.Open(file_)));
    auto reader = builder.properties(properties)->Build();
    TG_RETURN_IF_ERROR(checked(reader.status()));
    reader_ = std::move(reader).ValueUnsafe();
    TG_RETURN_IF_ERROR(find_columns(request));
    find_conditions(request);
    return Status::ok();
  }

  Result<Batch> next(std::int64_t max_rows) override {
    TG_RETURN_IF_ERROR(advance());
    if (left_ == 0) return Batch();
    const std::int64_t count = std::min(left_, max_rows);
    Batch batch = batch_.slice(batch_.num_rows() - left_, count);
    left_ -= count;
    return batch;
  }

  std::int64_t take_left_out() override { return std::exchange(left_out_, 0); }

  Status skip(std::int64_t rows) override {
    // Whole row groups without reading them, the rest by reading it: rows that the conditions leave
    // out count, so that a position holds under any conditions.
    const parquet::FileMetaData& metadata = *reader_->parquet_reader()->metadata();
    while (left_ == 0 && group_ == nullptr && next_group_ < reader_->num_row_groups()) {
      const std::int64_t in_group = metadata.RowGroup(next_group_)->num_rows();
      if (in_group > rows) break;
      rows -= in_group;
      ++next_group_;
    }
    if (rows > 0) wanted_group_ = next_group_;
    while (rows > 0) {
      TG_ASSIGN_OR_RETURN(const Batch skipped, next(rows));
      if (skipped.empty())
        return error(ErrorCode::kFileTruncated, "ends {} rows before the place to go on", rows);
      rows -= skipped.num_rows();
    }
    return Status::ok();
  }

 private:
  // Arrow says "magic bytes not found" for all of these, but the remedies differ.
  Status check_ends() {
    constexpr std::string_view kMagic = "PAR1";
    auto size = file_->GetSize();
    if (!size.ok()) return file_->error();
    if (*size == 0) return error(ErrorCode::kFileTruncated, "is empty, which no Parquet file is");
    char ends[2][4] = {};
    const auto read = [&](std::int64_t at, char* out) { return file_->ReadAt(at, 4, out); };
    if (!read(0, ends[0]).ok() || !read(std::max<std::int64_t>(0, *size - 4), ends[1]).ok())
      return file_->error();
    const auto is_magic = [&](const char* bytes) { return std::string_view(bytes, 4) == kMagic; };
    if (!is_magic(ends[0])) return error(ErrorCode::kMalformedFile, "is not a Parquet file");
    constexpr std::int64_t kSmallestFile = 12;
    if (*size < kSmallestFile || !is_magic(ends[1]))
      return error(ErrorCode::kFileTruncated, "begins as a Parquet file but lacks its footer");
    return Status::ok();
  }

  Status checked(const arrow::Status& status) const {
    if (status.ok()) return Status::ok();
    if (!file_->error().is_ok()) return file_->error();
    return from_arrow_status(status, "read Parquet", ErrorCode::kMalformedFile);
  }

  Status find_columns(const DecodeRequest& request) {
    const auto& fields = reader_->manifest().schema_fields;
    for (const int index : request.projection) {
      const Field& field = request.schema->field(index);
      Wanted wanted{field.name, field.type, field.type.arrow_type()};
      const auto found = std::find_if(
          fields.begin(), fields.end(),
          [&](const parquet::arrow::SchemaField& f) { return f.field->name() == field.name; });
      if (found != fields.end()) {
        // Batches have the fields in the file's order, each once; set for now to that order.
        wanted.in_file = static_cast<int>(found - fields.begin());
      } else if (!field.type.nullable()) {
        return error(ErrorCode::kMissingField, "has no column '{}', which is NOT NULL", field.name);
      }
      wanted_.push_back(std::move(wanted));
    }
    std::vector<int> used;
    for (const Wanted& wanted : wanted_)
      if (wanted.in_file >= 0) used.push_back(wanted.in_file);
    std::sort(used.begin(), used.end());
    used.erase(std::unique(used.begin(), used.end()), used.end());
    for (const int field : used) add_leaves(fields[static_cast<std::size_t>(field)], leaves_);
    for (Wanted& wanted : wanted_) {
      if (wanted.in_file < 0) continue;
      wanted.in_file = static_cast<int>(std::lower_bound(used.begin(), used.end(), wanted.in_file) -
                                        used.begin());
    }
    return Status::ok();
  }

  // Those about columns that are the same in the file and the table.
  void find_conditions(const DecodeRequest& request) {
    const auto& fields = reader_->manifest().schema_fields;
    for (const ColumnCondition& condition : request.conditions) {
      for (const int index : request.projection) {
        const Field& field = request.schema->field(index);
        const auto found = std::find_if(
            fields.begin(), fields.end(),
            [&](const parquet::arrow::SchemaField& f) { return f.field->name() == field.name; });
        if (field.name != condition.column || found == fields.end() || !found->is_leaf()) continue;
        if (!found->field->type()->Equals(*field.type.arrow_type())) continue;
        conditions_.push_back({found->column_index, condition.compare, condition.value});
      }
    }
  }

  // By what the file says of the row group.
  bool is_needed(int group) const {
    if (group == wanted_group_) return true;
    const auto metadata = reader_->parquet_reader()->metadata()->RowGroup(group);
    return std::all_of(conditions_.begin(), conditions_.end(), [&](const auto& condition) {
      const auto statistics = metadata->ColumnChunk(condition.leaf)->statistics();
      return statistics == nullptr || may_hold(condition, *statistics);
    });
  }

  void leave_out_groups() {
    const parquet::FileMetaData& metadata = *reader_->parquet_reader()->metadata();
    for (; next_group_ < reader_->num_row_groups() && !is_needed(next_group_); ++next_group_) {
      left_out_ += metadata.RowGroup(next_group_)->num_rows();
    }
  }

  // Makes batch_ have rows left, unless the file is at its end.
  Status advance() {
    while (left_ == 0) {
      if (group_ == nullptr) {
        leave_out_groups();
        if (next_group_ == reader_->num_row_groups()) return Status::ok();
        if (leaves_.empty()) {
          // Nothing but the number of rows is wanted.
          const std::int64_t rows =
              reader_->parquet_reader()->metadata()->RowGroup(next_group_++)->num_rows();
          TG_ASSIGN_OR_RETURN(batch_, null_batch(rows));
          left_ = rows;
          continue;
        }
        auto group = reader_->GetRecordBatchReader({next_group_++}, leaves_);
        TG_RETURN_IF_ERROR(checked(group.status()));
        group_ = std::move(group).ValueUnsafe();
      }
      std::shared_ptr<arrow::RecordBatch> read;
      TG_RETURN_IF_ERROR(checked(group_->ReadNext(&read)));
      if (read == nullptr) {
        group_ = nullptr;
        continue;
      }
      TG_ASSIGN_OR_RETURN(batch_, convert(*read));
      left_ = batch_.num_rows();
    }
    return Status::ok();
  }

  Result<Batch> null_batch(std::int64_t rows) const {
    std::vector<ArrayPtr> columns;
    for (const Wanted& wanted : wanted_) {
      TG_ASSIGN_OR_RETURN(columns.emplace_back(), null_column(wanted.arrow_type, rows));
    }
    return Batch(rows, std::move(columns));
  }

  Result<Batch> convert(const arrow::RecordBatch& read) const {
    std::vector<ArrayPtr> columns;
    for (const Wanted& wanted : wanted_) {
      ArrayPtr& column = columns.emplace_back();
      if (wanted.in_file < 0) {
        TG_ASSIGN_OR_RETURN(column, null_column(wanted.arrow_type, read.num_rows()));
        continue;
      }
      column = read.column(wanted.in_file);
      if (!column->type()->Equals(*wanted.arrow_type)) {
        arrow::compute::CastOptions options = arrow::compute::CastOptions::Safe();
        options.allow_time_truncate = true;
        auto cast = arrow::compute::Cast(*column, wanted.arrow_type, options);
        if (!cast.ok()) {
          return error(ErrorCode::kTypeMismatch,
                       "column '{}' is {} in the file and {} in the table: {}", wanted.name,
                       column->type()->ToString(), wanted.type.to_string(),
                       cast.status().message());
        }
        column = std::move(cast).ValueUnsafe();
      }
      if (!wanted.type.nullable() && column->null_count() > 0)
        return error(ErrorCode::kMissingField, "column '{}' has a null and is NOT NULL",
                     wanted.name);
    }
    return Batch(read.num_rows(), std::move(columns));
  }

  std::shared_ptr<ArrowInputFile> file_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::vector<Wanted> wanted_;
  std::vector<int> leaves_;  // the file's columns to read
  std::vector<GroupCondition> conditions_;
  int next_group_ = 0;
  int wanted_group_ = -1;      // is read whatever the conditions are
  std::int64_t left_out_ = 0;  // rows of groups that were not read
  std::unique_ptr<arrow::RecordBatchReader> group_;
  Batch batch_;
  std::int64_t left_ = 0;  // rows of batch_ that have not been taken
};

// Arrow's interface returns statuses, but metadata is read lazily and may throw.
template <typename Function>
auto without_exceptions(Function function) -> decltype(function()) {
  try {
    return function();
  } catch (const parquet::ParquetException& exception) {
    return error(ErrorCode::kMalformedFile, "read Parquet: {}", exception.what());
  }
}

class GuardedParquetReader final : public FileDecoder {
 public:
  explicit GuardedParquetReader(std::unique_ptr<ParquetReader> reader)
      : reader_(std::move(reader)) {}
  Result<Batch> next(std::int64_t max_rows) override {
    return without_exceptions([&] { return reader_->next(max_rows); });
  }
  std::int64_t take_left_out() override { return reader_->take_left_out(); }
  Status skip(std::int64_t rows) override {
    return without_exceptions([&] { return reader_->skip(rows); });
  }

 private:
  std::unique_ptr<ParquetReader> reader_;
};

}  // namespace

Result<std::unique_ptr<FileDecoder>> open_parquet(const DecodeRequest& request,
                                                  std::shared_ptr<RandomAccessFile> file) {
  auto reader = std::make_unique<ParquetReader>(std::move(file));
  TG_RETURN_IF_ERROR(without_exceptions([&] { return reader->open(request); }));
  return std::make_unique<GuardedParquetReader>(std::move(reader));
}

}  // namespace tidegate
