// SPDX-License-Identifier: Apache-2.0
#include "operators/partial_columns.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_primitive.h>
#include <arrow/array/builder_binary.h>
#include <arrow/buffer.h>

#include <cstring>

#include "base/check.h"
#include "types/arrow_status.h"

namespace tidegate {
namespace {

constexpr std::int32_t kMostWords = 4;

/// How many BIGINT columns an accumulator takes; 0: it goes as BYTES.
std::int32_t num_words(const Aggregator& aggregator) {
  const std::int32_t size = aggregator.size_bytes();
  const bool plain = !aggregator.needs_destroy() && !aggregator.needs_create();
  return plain && size % 8 == 0 && size / 8 <= kMostWords ? size / 8 : 0;
}

Result<ArrayPtr> word_column(std::span<const std::byte* const> values, std::int32_t offset) {
  const auto bytes = static_cast<std::int64_t>(values.size() * sizeof(std::int64_t));
  TG_ASSIGN_ARROW_OR_RETURN(std::shared_ptr<arrow::Buffer> buffer, arrow::AllocateBuffer(bytes),
                            "allocate partial results");
  auto* words = buffer->mutable_data_as<std::int64_t>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::memcpy(&words[i], values[i] + offset, sizeof(std::int64_t));
  }
  return ArrayPtr(std::make_shared<arrow::Int64Array>(static_cast<std::int64_t>(values.size()),
                                                      std::move(buffer)));
}

Result<ArrayPtr> bytes_column(const Aggregator& aggregator,
                              std::span<const std::byte* const> values, std::int32_t offset) {
  arrow::BinaryBuilder builder;
  std::string bytes;
  for (const std::byte* value : values) {
    bytes.clear();
    aggregator.serialize(value + offset, bytes);
    TG_RETURN_IF_ARROW_ERROR(builder.Append(bytes), "write partial results");
  }
  TG_ASSIGN_ARROW_OR_RETURN(ArrayPtr column, builder.Finish(), "write partial results");
  return column;
}

Status not_partial(const Batch& batch, int column) {
  return error(ErrorCode::kStateCorrupt, "column {} of {} does not hold partial results", column,
               batch.num_columns());
}

Status read_words(const Batch& batch, int column, std::int32_t offset, AccumulatorCopies& values) {
  if (column >= batch.num_columns() || batch.column(column)->type_id() != arrow::Type::INT64) {
    return not_partial(batch, column);
  }
  const auto* words = batch.column(column)->data()->GetValues<std::int64_t>(1);
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::memcpy(values[i] + offset, &words[i], sizeof(std::int64_t));
  }
  return Status::ok();
}

Status read_bytes_column(const Aggregator& aggregator, const Batch& batch, int column,
                         std::int32_t offset, AccumulatorCopies& values) {
  if (column >= batch.num_columns() || batch.column(column)->type_id() != arrow::Type::BINARY) {
    return not_partial(batch, column);
  }
  const auto& array = static_cast<const arrow::BinaryArray&>(*batch.column(column));
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::string_view bytes = array.GetView(static_cast<std::int64_t>(i));
    TG_RETURN_IF_ERROR(aggregator.deserialize(bytes, values[i] + offset));
    if (!bytes.empty()) return not_partial(batch, column);
  }
  return Status::ok();
}

}  // namespace

std::vector<LogicalType> partial_column_types(std::span<const BoundAggregate> aggregates) {
  std::vector<LogicalType> types = {LogicalType(TypeKind::kBigInt, false)};
  for (const BoundAggregate& aggregate : aggregates) {
    const std::int32_t words = num_words(*aggregate.aggregator);
    if (words == 0) types.emplace_back(TypeKind::kVarbinary, false);
    for (std::int32_t word = 0; word < words; ++word) types.emplace_back(TypeKind::kBigInt, false);
  }
  return types;
}

Status write_partial_columns(const AccumulatorLayout& layout,
                             std::span<const std::byte* const> values,
                             std::vector<ArrayPtr>& columns) {
  TG_CHECK(layout.counts_rows(), "partial results carry row counts");
  TG_ASSIGN_OR_RETURN(ArrayPtr counts, word_column(values, 0));
  columns.push_back(std::move(counts));
  for (std::size_t i = 0; i < layout.aggregates().size(); ++i) {
    const Aggregator& aggregator = layout.aggregator(i);
    const std::int32_t words = num_words(aggregator);
    if (words == 0) {
      TG_ASSIGN_OR_RETURN(ArrayPtr column, bytes_column(aggregator, values, layout.offset(i)));
      columns.push_back(std::move(column));
    }
    for (std::int32_t word = 0; word < words; ++word) {
      TG_ASSIGN_OR_RETURN(ArrayPtr column, word_column(values, layout.offset(i) + word * 8));
      columns.push_back(std::move(column));
    }
  }
  return Status::ok();
}

Status read_partial_columns(const AccumulatorLayout& layout, const Batch& batch, int first_column,
                            AccumulatorCopies& values) {
  values.clear();
  for (std::int64_t row = 0; row < batch.num_rows(); ++row) values.add_empty();
  int column = first_column;
  if (layout.counts_rows()) TG_RETURN_IF_ERROR(read_words(batch, column, 0, values));
  ++column;
  for (std::size_t i = 0; i < layout.aggregates().size(); ++i) {
    const Aggregator& aggregator = layout.aggregator(i);
    const std::int32_t words = num_words(aggregator);
    if (words == 0) {
      TG_RETURN_IF_ERROR(read_bytes_column(aggregator, batch, column++, layout.offset(i), values));
    }
    for (std::int32_t word = 0; word < words; ++word) {
      TG_RETURN_IF_ERROR(read_words(batch, column++, layout.offset(i) + word * 8, values));
    }
  }
  return Status::ok();
}

}  // namespace tidegate
