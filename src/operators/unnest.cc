// SPDX-License-Identifier: Apache-2.0
#include "operators/unnest.h"

#include <arrow/array/array_nested.h>
#include <arrow/array/array_primitive.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>

#include <algorithm>
#include <utility>

#include "expr/column_values.h"
#include "operators/piecewise.h"

namespace tidegate {
namespace {

/// The elements of a collection column: columns of what it holds, one entry per element.
struct Elements {
  const std::int32_t* offsets = nullptr;  ///< of row i: [offsets[i], offsets[i + 1])
  std::vector<ArrayPtr> columns;
  const std::int32_t* counts = nullptr;  ///< MULTISET: how often; else null: once
};

Status add_columns(const ArrayPtr& values, std::vector<ArrayPtr>& columns) {
  if (values->type_id() != arrow::Type::STRUCT) {
    columns.push_back(values);
    return Status::ok();
  }
  // Flattened fields are null where the row is.
  TG_ASSIGN_ARROW_OR_RETURN(auto fields, static_cast<const arrow::StructArray&>(*values).Flatten(),
                            "unnest rows");
  columns.insert(columns.end(), fields.begin(), fields.end());
  return Status::ok();
}

Result<Elements> read_elements(const arrow::Array& collection, const LogicalType& type) {
  Elements elements;
  if (type.kind() == TypeKind::kArray) {
    const auto& list = static_cast<const arrow::ListArray&>(collection);
    elements.offsets = list.raw_value_offsets();
    TG_RETURN_IF_ERROR(add_columns(list.values(), elements.columns));
    return elements;
  }
  const auto& map = static_cast<const arrow::MapArray&>(collection);
  elements.offsets = map.raw_value_offsets();
  if (type.kind() == TypeKind::kMap) {
    elements.columns = {map.keys(), map.items()};
  } else {
    TG_RETURN_IF_ERROR(add_columns(map.keys(), elements.columns));
    elements.counts = static_cast<const arrow::Int32Array&>(*map.items()).raw_values();
  }
  return elements;
}

class Unnest final : public PiecewiseOperator {
 public:
  explicit Unnest(UnnestOptions options) : options_(std::move(options)) {}

  Status open(OperatorContext&) override { return Status::ok(); }

 private:
  static constexpr std::int32_t kNoElement = -1;
  static constexpr std::int64_t kPieceElements = 1 << 20;

  Status begin(const Batch& batch) override {
    row_ = 0;
    position_ = 0;
    TG_ASSIGN_OR_RETURN(elements_, read_elements(*batch.column(options_.column), options_.type));
    input_ = batch;
    if (!options_.keep_collection) {
      std::vector<ArrayPtr> columns = batch.columns();
      ArrayPtr& collection = columns[static_cast<std::size_t>(options_.column)];
      TG_ASSIGN_OR_RETURN(collection, null_column(collection->type(), batch.num_rows()));
      input_ = batch.with_columns(std::move(columns));
    }
    return start_row(batch);
  }

  /// Finds the elements of row_.
  Status start_row(const Batch& batch) {
    ordinal_ = 0;
    repeated_ = 0;
    if (row_ == batch.num_rows()) return Status::ok();
    const bool null = batch.column(options_.column)->IsNull(row_);
    position_ = elements_.offsets[row_];
    begin_ = position_;
    end_ = null ? position_ : elements_.offsets[row_ + 1];
    return Status::ok();
  }

  Result<bool> emit_piece(const Batch& batch, Output& out) override {
    rows_.clear();
    picked_.clear();
    ordinals_.clear();
    misses_ = false;
    std::int64_t copied = 0;  // elements of collections in output rows
    while (row_ < batch.num_rows() && std::ssize(rows_) < kPieceRows && copied < kPieceElements) {
      if (position_ == end_) {
        if (ordinal_ == 0 && options_.outer) add(kNoElement);
        ++row_;
        TG_RETURN_IF_ERROR(start_row(batch));
      } else if (elements_.counts != nullptr && repeated_ == elements_.counts[position_]) {
        repeated_ = 0;
        ++position_;
      } else {
        ++ordinal_;
        add(position_);
        if (options_.keep_collection) copied += end_ - begin_;
        if (elements_.counts == nullptr) {
          ++position_;
        } else {
          ++repeated_;
        }
      }
    }
    if (!rows_.empty()) TG_RETURN_IF_ERROR(emit(out));
    return row_ < batch.num_rows();
  }

  void add(std::int32_t element) {
    rows_.push_back(static_cast<std::int32_t>(row_));
    picked_.push_back(element);
    ordinals_.push_back(ordinal_);
    misses_ = misses_ || element == kNoElement;
  }

  Status emit(Output& out) {
    TG_ASSIGN_OR_RETURN(Batch rows, input_.take(rows_));
    std::vector<ArrayPtr> columns = rows.columns();
    for (const ArrayPtr& column : elements_.columns) {
      TG_ASSIGN_OR_RETURN(columns.emplace_back(), pick(column));
    }
    if (options_.ordinality) {
      TG_ASSIGN_OR_RETURN(columns.emplace_back(), ordinal_column());
    }
    out.emit(rows.with_columns(std::move(columns)));
    return Status::ok();
  }

  Result<ArrayPtr> pick(const ArrayPtr& column) const {
    if (!misses_) return take_column(column, picked_);
    TG_ASSIGN_OR_RETURN(auto indices, ValueWriter<std::int32_t>::make(std::ssize(picked_)));
    for (std::int64_t i = 0; i < std::ssize(picked_); ++i) {
      const std::int32_t element = picked_[static_cast<std::size_t>(i)];
      if (element == kNoElement) {
        TG_RETURN_IF_ERROR(indices.set_null(i));
      } else {
        indices.set(i, element);
      }
    }
    TG_ASSIGN_OR_RETURN(ArrayPtr rows, indices.finish(LogicalType(TypeKind::kInt)));
    TG_ASSIGN_ARROW_OR_RETURN(
        arrow::Datum taken,
        arrow::compute::Take(column, rows, arrow::compute::TakeOptions::NoBoundsCheck()),
        "unnest a collection");
    return taken.make_array();
  }

  Result<ArrayPtr> ordinal_column() const {
    TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<std::int32_t>::make(std::ssize(ordinals_)));
    for (std::int64_t i = 0; i < std::ssize(ordinals_); ++i) {
      const std::int32_t ordinal = ordinals_[static_cast<std::size_t>(i)];
      if (ordinal == 0) {
        TG_RETURN_IF_ERROR(writer.set_null(i));
      } else {
        writer.set(i, ordinal);
      }
    }
    return writer.finish(LogicalType(TypeKind::kInt));
  }

  UnnestOptions options_;
  Elements elements_;
  Batch input_;  // what is repeated

  // Where the next piece begins: an element of a row, and how often that has come already.
  std::int64_t row_ = 0;
  std::int32_t position_ = 0;
  std::int32_t begin_ = 0;  // of the row's elements
  std::int32_t end_ = 0;
  std::int32_t repeated_ = 0;
  std::int32_t ordinal_ = 0;  // of the row's last element, 0 before its first

  // Of the piece.
  std::vector<std::int32_t> rows_;
  std::vector<std::int32_t> picked_;
  std::vector<std::int32_t> ordinals_;
  bool misses_ = false;
};

void add_element_fields(const LogicalType& element, bool nullable, std::vector<Field>& fields) {
  if (element.kind() != TypeKind::kRow) {
    fields.push_back({"f0", element.with_nullable(nullable || element.nullable())});
    return;
  }
  nullable = nullable || element.nullable();
  for (const LogicalType::Child& child : element.children()) {
    fields.push_back({child.name, child.type.with_nullable(nullable || child.type.nullable())});
  }
}

}  // namespace

Result<std::vector<Field>> unnested_columns(const UnnestOptions& options) {
  std::vector<Field> fields;
  const std::vector<LogicalType::Child>& children = options.type.children();
  switch (options.type.kind()) {
    case TypeKind::kArray:
    case TypeKind::kMultiset:
      add_element_fields(children[0].type, options.outer, fields);
      break;
    case TypeKind::kMap:
      fields.push_back(
          {"key", children[0].type.with_nullable(options.outer || children[0].type.nullable())});
      fields.push_back(
          {"value", children[1].type.with_nullable(options.outer || children[1].type.nullable())});
      break;
    default:
      return error(ErrorCode::kTypeMismatch,
                   "UNNEST takes an ARRAY, MAP or MULTISET; column {} is of type {}",
                   options.column, options.type.to_string());
  }
  if (options.ordinality)
    fields.push_back({"ORDINALITY", LogicalType(TypeKind::kInt, options.outer)});
  return fields;
}

Result<std::unique_ptr<Operator>> make_unnest(UnnestOptions options) {
  TG_RETURN_IF_ERROR(unnested_columns(options).status());
  return std::unique_ptr<Operator>(std::make_unique<Unnest>(std::move(options)));
}

}  // namespace tidegate
