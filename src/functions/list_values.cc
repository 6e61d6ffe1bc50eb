// SPDX-License-Identifier: Apache-2.0
#include "functions/list_values.h"

#include <arrow/type.h>

#include <limits>
#include <utility>

#include "base/check.h"
#include "expr/type_rules.h"
#include "functions/binding.h"

namespace tidegate {

namespace {

using ArrayDataPtr = std::shared_ptr<arrow::ArrayData>;

ArrayDataPtr struct_data(std::shared_ptr<arrow::DataType> type, std::int64_t length,
                         std::vector<ArrayDataPtr> fields) {
  return arrow::ArrayData::Make(std::move(type), length, {nullptr}, std::move(fields), 0);
}

}  // namespace

ListReader::ListReader(const Argument& argument)
    : array_(argument.array.get()), step_(argument.is_constant ? 0 : 1) {
  const arrow::ArrayData& data = *array_->data();
  offsets_ = data.GetValues<std::int32_t>(1);
  elements_ = arrow::MakeArray(data.child_data[0]);
  if (array_->length() == 0) return;
  first_ = offsets_[0];
  elements_ = elements_->Slice(first_, offsets_[array_->length()] - first_);
}

ArrayPtr ListReader::keys() const {
  const arrow::ArrayData& entries = *elements_->data();
  return arrow::MakeArray(entries.child_data[0])->Slice(entries.offset, entries.length);
}

ArrayPtr ListReader::items() const {
  const arrow::ArrayData& entries = *elements_->data();
  return arrow::MakeArray(entries.child_data[1])->Slice(entries.offset, entries.length);
}

std::int32_t ElementPool::add(ArrayPtr column) {
  const auto begin = static_cast<std::int32_t>(size_);
  size_ += column->length();
  columns_.push_back(std::move(column));
  return begin;
}

Result<ArrayPtr> ElementPool::column() const {
  if (size_ > std::numeric_limits<std::int32_t>::max())
    return error(ErrorCode::kLimitExceeded, "the lists of a batch have {} elements", size_);
  return concatenate_columns(columns_);
}

ListWriter::ListWriter(std::int64_t num_rows) : num_rows_(num_rows), validity_(num_rows) {
  offsets_.reserve(static_cast<std::size_t>(num_rows) + 1);
  offsets_.push_back(0);
}

Result<ArrayPtr> ListWriter::make(const LogicalType& type, ArrayDataPtr child) {
  TG_CHECK(static_cast<std::int64_t>(offsets_.size()) == num_rows_ + 1, "rows={} expected {}",
           offsets_.size() - 1, num_rows_);
  std::shared_ptr<arrow::Buffer> validity = validity_.finish();
  const std::int64_t null_count = validity == nullptr ? 0 : arrow::kUnknownNullCount;
  return arrow::MakeArray(
      arrow::ArrayData::Make(type.arrow_type(), num_rows_,
                             {std::move(validity), arrow::Buffer::FromVector(std::move(offsets_))},
                             std::vector<ArrayDataPtr>{std::move(child)}, null_count));
}

Result<ArrayPtr> ListWriter::finish(const LogicalType& type, const ArrayPtr& pool) {
  TG_ASSIGN_OR_RETURN(const ArrayPtr child, take_column(pool, elements_));
  return make(type, child->data());
}

Result<ArrayPtr> ListWriter::finish_map(const LogicalType& type, const ArrayPtr& keys,
                                        const ArrayPtr& items) {
  TG_ASSIGN_OR_RETURN(const ArrayPtr own_keys, take_column(keys, elements_));
  TG_ASSIGN_OR_RETURN(const ArrayPtr own_items,
                      take_column(items, items_.empty() ? elements_ : items_));
  const std::shared_ptr<arrow::DataType> map_type = type.arrow_type();
  return make(type, struct_data(map_type->field(0)->type(), own_keys->length(),
                                {own_keys->data(), own_items->data()}));
}

Result<ArrayPtr> ListWriter::finish_rows(const LogicalType& type,
                                         std::span<const ArrayPtr> fields) {
  std::vector<ArrayDataPtr> own;
  for (const ArrayPtr& field : fields) {
    TG_ASSIGN_OR_RETURN(const ArrayPtr taken, take_column(field, elements_));
    own.push_back(taken->data());
  }
  return make(type, struct_data(type.children()[0].type.arrow_type(),
                                static_cast<std::int64_t>(elements_.size()), std::move(own)));
}

Result<ElementKeys> ElementKeys::make(const LogicalType& type, const ArrayPtr& pool) {
  ElementKeys keys;
  TG_RETURN_IF_ERROR(KeyCodec({type}).encode({&pool, 1}, pool->length(), keys.keys_));
  return keys;
}

Result<ArrayPtr> spread(const Argument& argument, std::int64_t num_rows) {
  if (!argument.is_constant || num_rows == 1) return argument.array;
  return take_column(argument.array,
                     std::vector<std::int32_t>(static_cast<std::size_t>(num_rows), 0));
}

LogicalType without_needless_cast(const LogicalType& argument, const LogicalType& wanted) {
  if (argument.arrow_type()->Equals(*wanted.arrow_type())) return argument;
  return wanted.with_nullable(argument.nullable());
}

Result<BoundFunction> bind_to_common_type(std::string_view name, TypeKind kind,
                                          std::string_view expected,
                                          std::span<const LogicalType> arguments,
                                          Result<ArrayPtr> (*evaluate)(const LogicalType& type,
                                                                       std::span<const Argument>,
                                                                       std::int64_t num_rows)) {
  const std::optional<LogicalType> common = common_type(arguments);
  if (!common || common->kind() != kind) return argument_mismatch(name, expected, arguments);
  BoundFunction bound;
  bound.result_type = common->with_nullable(any_nullable(arguments));
  for (const LogicalType& argument : arguments)
    bound.argument_types.push_back(without_needless_cast(argument, *common));
  bound.can_fail = false;
  bound.evaluate = [evaluate, type = bound.result_type](std::span<const Argument> args,
                                                        std::int64_t num_rows, EvalContext&) {
    return evaluate(type, args, num_rows);
  };
  return bound;
}

}  // namespace tidegate
