// SPDX-License-Identifier: Apache-2.0
#include "api/native_aggregator.h"

#include <arrow/array/array_nested.h>
#include <arrow/type.h>

#include <utility>

#include "api/columns.h"
#include "api/guard_rows.h"
#include "base/check.h"
#include "types/arrow_status.h"

namespace tidegate {
namespace {

class NativeAggregator final : public Aggregator {
 public:
  explicit NativeAggregator(std::shared_ptr<const untyped::NativeAggregate> aggregate)
      : aggregate_(std::move(aggregate)), schema_(schema_of(aggregate_->result_columns())) {}

  LogicalType result_type() const override {
    if (schema_->num_fields() == 1) return schema_->field(0).type;
    std::vector<LogicalType::Child> children;
    for (const Field& field : schema_->fields()) children.push_back({field.name, field.type});
    return LogicalType::row(std::move(children), /*nullable=*/false);
  }
  std::int32_t size_bytes() const override { return aggregate_->size_bytes(); }
  void create(std::byte* accumulator) const override { aggregate_->create(accumulator); }
  bool needs_create() const override { return true; }
  void destroy(std::byte* accumulator) const override { aggregate_->destroy(accumulator); }
  bool needs_destroy() const override { return true; }

  Status add(std::span<std::byte* const> accumulators,
             std::span<const std::shared_ptr<arrow::Array>> arguments) const override {
    const Batch rows = batch_of(accumulators, arguments);
    return guard_rows(rows, [&] { aggregate_->add(accumulators.data(), view_of(rows)); });
  }
  bool can_retract() const override { return aggregate_->can_retract(); }
  Status retract(std::span<std::byte* const> accumulators,
                 std::span<const std::shared_ptr<arrow::Array>> arguments) const override {
    const Batch rows = batch_of(accumulators, arguments);
    return guard_rows(rows, [&] { aggregate_->retract(accumulators.data(), view_of(rows)); });
  }
  bool can_merge() const override { return aggregate_->can_merge(); }
  Status merge(std::byte* into, const std::byte* from) const override {
    aggregate_->merge(into, from);
    return Status::ok();
  }

  Result<std::shared_ptr<arrow::Array>> result(
      std::span<const std::byte* const> accumulators) const override {
    BatchWriter writer(types_of(aggregate_->result_columns()));
    for (const std::byte* accumulator : accumulators) aggregate_->result(accumulator, writer);
    if (schema_->num_fields() == 1) return finish_column(writer.column(0));
    std::vector<std::shared_ptr<arrow::Array>> columns;
    std::vector<std::shared_ptr<arrow::Field>> fields = schema_->to_arrow()->fields();
    for (std::size_t i = 0; i < writer.num_columns(); ++i) {
      TG_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> column, finish_column(writer.column(i)));
      columns.push_back(std::move(column));
    }
    TG_ASSIGN_ARROW_OR_RETURN(std::shared_ptr<arrow::Array> rows,
                              arrow::StructArray::Make(columns, fields), "aggregate result");
    return rows;
  }

  void serialize(const std::byte* accumulator, std::string& out) const override {
    aggregate_->serialize(accumulator, out);
  }
  Status deserialize(std::string_view& in, std::byte* accumulator) const override {
    if (aggregate_->deserialize(in, accumulator)) return Status::ok();
    return error(ErrorCode::kStateCorrupt, "the bytes of an accumulator are not of its type");
  }

 private:
  static Batch batch_of(std::span<std::byte* const> accumulators,
                        std::span<const std::shared_ptr<arrow::Array>> arguments) {
    return Batch(static_cast<std::int64_t>(accumulators.size()),
                 std::vector(arguments.begin(), arguments.end()));
  }

  std::shared_ptr<const untyped::NativeAggregate> aggregate_;
  SchemaPtr schema_;
};

}  // namespace

std::shared_ptr<const Aggregator> make_native_aggregator(
    std::shared_ptr<const untyped::NativeAggregate> aggregate) {
  return std::make_shared<NativeAggregator>(std::move(aggregate));
}

}  // namespace tidegate
