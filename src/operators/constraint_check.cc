// SPDX-License-Identifier: Apache-2.0
#include "operators/constraint_check.h"

#include <arrow/array/array_nested.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "expr/column_values.h"

namespace tidegate {
namespace {

using Options = ConstraintCheckOptions;

constexpr std::string_view kLengthOption = "table.exec.sink.type-length-enforcer";
constexpr std::string_view kNotNullOption = "table.exec.sink.not-null-enforcer";

bool has_length(const LogicalType& type) {
  return (type.is_character() || type.is_bytes()) && type.length() != LogicalType::kMaxLength;
}

/// CHAR and BINARY have one length, VARCHAR and VARBINARY up to one.
bool is_padded(const LogicalType& type) {
  return type.kind() == TypeKind::kChar || type.kind() == TypeKind::kBinary;
}

bool is_lead_byte(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

std::int64_t length_of(const LogicalType& type, std::string_view value) {
  if (type.is_bytes()) return std::ssize(value);
  return std::count_if(value.begin(), value.end(), is_lead_byte);
}

/// The first `length` characters, or bytes.
std::string_view cut(const LogicalType& type, std::string_view value, std::int64_t length) {
  if (type.is_bytes()) return value.substr(0, static_cast<std::size_t>(length));
  std::int64_t characters = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (is_lead_byte(value[i]) && characters++ == length) return value.substr(0, i);
  }
  return value;
}

bool can_break(const LogicalType& type, const Options& options) {
  if (!type.nullable()) return true;
  if (options.length != Options::Length::kIgnore && has_length(type)) return true;
  const bool looks_inside = type.kind() == TypeKind::kRow
                                ? options.nested != Options::Nested::kIgnore
                                : options.nested == Options::Nested::kRowsAndCollections;
  return looks_inside && std::ranges::any_of(type.children(), [&](const LogicalType::Child& child) {
           return can_break(child.type, options);
         });
}

/// Columns at one depth: those of the rows, of the rows in a column, or of the elements in it.
/// Entry i belongs to row row_of[i] of the batch; -1: to none that counts.
using RowOf = std::vector<std::int32_t>;

class ConstraintCheck final : public Operator {
 public:
  explicit ConstraintCheck(Options options) : options_(std::move(options)) {}

  Status open(OperatorContext& context) override {
    rows_dropped_ = &context.metrics().counter("rows_dropped");
    return Status::ok();
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    dropped_.assign(static_cast<std::size_t>(batch.num_rows()), false);
    any_dropped_ = false;
    RowOf row_of(static_cast<std::size_t>(batch.num_rows()));
    for (std::size_t i = 0; i < row_of.size(); ++i) row_of[i] = static_cast<std::int32_t>(i);

    std::vector<LogicalType::Child> fields;
    for (const Field& field : options_.schema->fields()) fields.push_back({field.name, field.type});
    std::vector<ArrayPtr> columns = batch.columns();
    TG_ASSIGN_OR_RETURN(const bool changed, check_columns(fields, "", row_of, columns));
    if (changed) batch = batch.with_columns(std::move(columns));
    if (any_dropped_) {
      TG_ASSIGN_OR_RETURN(batch, without_dropped(batch));
    }
    if (!batch.empty()) out.emit(std::move(batch));
    return Progress::kDone;
  }

 private:
  bool counts(const RowOf& row_of, std::int64_t i) const {
    const std::int32_t row = row_of[static_cast<std::size_t>(i)];
    return row >= 0 && !dropped_[static_cast<std::size_t>(row)];
  }

  /// All columns of one depth, in Flink's order: nulls, lengths, then what is inside. True when
  /// `columns` has changed.
  Result<bool> check_columns(const std::vector<LogicalType::Child>& fields, const std::string& path,
                             const RowOf& row_of, std::vector<ArrayPtr>& columns) {
    const auto name = [&](std::size_t c) { return path + fields[c].name; };
    bool changed = false;
    for (std::size_t c = 0; c < fields.size(); ++c) {
      if (!fields[c].type.nullable()) TG_RETURN_IF_ERROR(check_nulls(*columns[c], name(c), row_of));
    }
    for (std::size_t c = 0; c < fields.size(); ++c) {
      if (options_.length == Options::Length::kIgnore || !has_length(fields[c].type)) continue;
      TG_ASSIGN_OR_RETURN(const bool fixed,
                          check_lengths(fields[c].type, name(c), row_of, columns[c]));
      changed = changed || fixed;
    }
    for (std::size_t c = 0; c < fields.size(); ++c) {
      TG_ASSIGN_OR_RETURN(const bool fixed,
                          check_inside(fields[c].type, name(c), row_of, columns[c]));
      changed = changed || fixed;
    }
    return changed;
  }

  Status check_nulls(const arrow::Array& column, const std::string& name, const RowOf& row_of) {
    if (column.null_count() == 0) return Status::ok();
    for (std::int64_t i = 0; i < column.length(); ++i) {
      if (!column.IsNull(i) || !counts(row_of, i)) continue;
      if (options_.not_null == Options::NotNull::kError) {
        return Status(
            ErrorCode::kNullKey,
            fmt::format("column '{}' of the sink is NOT NULL, and a null is being written into it",
                        name),
            fmt::format("Filter such rows, or set '{}' to 'DROP' to drop them.", kNotNullOption));
      }
      dropped_[static_cast<std::size_t>(row_of[static_cast<std::size_t>(i)])] = true;
      any_dropped_ = true;
    }
    return Status::ok();
  }

  bool fits(const LogicalType& type, std::string_view value) const {
    const std::int64_t length = length_of(type, value);
    return length == type.length() || (length < type.length() && !is_padded(type));
  }

  /// True when `column` has been replaced.
  Result<bool> check_lengths(const LogicalType& type, const std::string& name, const RowOf& row_of,
                             ArrayPtr& column) const {
    const ValueReader<std::string_view> values(*column);
    bool all_fit = true;
    for (std::int64_t i = 0; i < column->length() && all_fit; ++i) {
      if (values.is_null(i) || !counts(row_of, i) || fits(type, values[i])) continue;
      if (options_.length == Options::Length::kError) return wrong_length(type, name, values[i]);
      all_fit = false;
    }
    if (all_fit) return false;
    TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<std::string_view>::make(column->length()));
    for (std::int64_t i = 0; i < column->length(); ++i) {
      if (values.is_null(i)) {
        TG_RETURN_IF_ERROR(writer.set_null(i));
        continue;
      }
      const std::string_view value = cut(type, values[i], type.length());
      writer.text() += value;
      if (is_padded(type) && counts(row_of, i)) {
        const std::int64_t missing = type.length() - length_of(type, value);
        writer.text().append(static_cast<std::size_t>(missing), type.is_bytes() ? '\0' : ' ');
      }
      writer.end_row();
    }
    TG_ASSIGN_OR_RETURN(column, writer.finish(type));
    return true;
  }

  static Status wrong_length(const LogicalType& type, const std::string& name,
                             std::string_view value) {
    return Status(ErrorCode::kLimitExceeded,
                  fmt::format("column '{}' of the sink is {}, and a value of length {} is being "
                              "written into it",
                              name, type.with_nullable(true).to_string(), length_of(type, value)),
                  fmt::format("Shorten such values, or set '{}' to 'TRIM_PAD'.", kLengthOption));
  }

  Result<bool> check_inside(const LogicalType& type, const std::string& name, const RowOf& row_of,
                            ArrayPtr& column) {
    if (!type.is_nested() || options_.nested == Options::Nested::kIgnore) return false;
    if (std::ranges::none_of(type.children(), [&](const LogicalType::Child& child) {
          return can_break(child.type, options_);
        })) {
      return false;
    }
    if (type.kind() == TypeKind::kRow) return check_row(type, name, row_of, column);
    if (options_.nested == Options::Nested::kRows) return false;
    return check_collection(type, name, row_of, *column);
  }

  Result<bool> check_row(const LogicalType& type, const std::string& name, const RowOf& row_of,
                         ArrayPtr& column) {
    const auto& rows = static_cast<const arrow::StructArray&>(*column);
    RowOf inside = row_of;
    for (std::int64_t i = 0; i < rows.length(); ++i) {
      if (rows.IsNull(i)) inside[static_cast<std::size_t>(i)] = -1;
    }
    std::vector<ArrayPtr> fields;
    for (int f = 0; f < rows.num_fields(); ++f) fields.push_back(rows.field(f));
    TG_ASSIGN_OR_RETURN(const bool changed,
                        check_columns(type.children(), name + ".", inside, fields));
    if (!changed) return false;
    ValidityWriter validity(rows.length());
    for (std::int64_t i = 0; i < rows.length(); ++i) {
      if (rows.IsNull(i)) TG_RETURN_IF_ERROR(validity.set_null(i));
    }
    column = std::make_shared<arrow::StructArray>(rows.type(), rows.length(), std::move(fields),
                                                  validity.finish());
    return true;
  }

  /// Elements are looked at only: they are not cut or padded.
  Result<bool> check_collection(const LogicalType& type, const std::string& name,
                                const RowOf& row_of, const arrow::Array& column) {
    const auto& list = static_cast<const arrow::ListArray&>(column);  // maps are lists of entries
    std::vector<LogicalType::Child> fields;
    std::vector<ArrayPtr> columns;
    if (type.kind() == TypeKind::kArray) {
      fields = {{"element", type.children()[0].type}};
      columns = {list.values()};
    } else {
      const auto& map = static_cast<const arrow::MapArray&>(column);
      fields = {{type.kind() == TypeKind::kMap ? "key" : "element", type.children()[0].type}};
      columns = {map.keys()};
      if (type.kind() == TypeKind::kMap) {
        fields.push_back({"value", type.children()[1].type});
        columns.push_back(map.items());
      }
    }
    RowOf inside(static_cast<std::size_t>(columns[0]->length()), -1);
    for (std::int64_t i = 0; i < list.length(); ++i) {
      if (list.IsNull(i)) continue;
      for (std::int32_t e = list.value_offset(i); e < list.value_offset(i + 1); ++e) {
        inside[static_cast<std::size_t>(e)] = row_of[static_cast<std::size_t>(i)];
      }
    }
    return check_columns(fields, name + ".", inside, columns);
  }

  Result<Batch> without_dropped(const Batch& batch) const {
    std::vector<std::int32_t> kept;
    for (std::int32_t row = 0; row < batch.num_rows(); ++row) {
      if (!dropped_[static_cast<std::size_t>(row)]) kept.push_back(row);
    }
    rows_dropped_->add(batch.num_rows() - std::ssize(kept));
    return batch.take(kept);
  }

  Options options_;
  Counter* rows_dropped_ = nullptr;
  std::vector<bool> dropped_;  // per row of the current batch
  bool any_dropped_ = false;
};

}  // namespace

bool needs_constraint_check(const ConstraintCheckOptions& options) {
  return std::ranges::any_of(options.schema->fields(),
                             [&](const Field& field) { return can_break(field.type, options); });
}

Result<std::unique_ptr<Operator>> make_constraint_check(ConstraintCheckOptions options) {
  if (options.nested == Options::Nested::kRowsAndCollections &&
      options.length == Options::Length::kTrimPad) {
    return Status(ErrorCode::kInvalidOption,
                  "texts in collections are not cut or padded to the length of a sink's column",
                  "Set 'table.exec.sink.nested-constraint-enforcer' to 'ROWS'.");
  }
  return std::unique_ptr<Operator>(std::make_unique<ConstraintCheck>(std::move(options)));
}

}  // namespace tidegate
