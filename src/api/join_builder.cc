// SPDX-License-Identifier: Apache-2.0
//
// The plan's verbs for joins and asynchronous calls.

#include <arrow/array/array_base.h>

#include <utility>

#include "api/columns.h"
#include "api/native_node.h"
#include "base/check.h"
#include "operators/async_call.h"
#include "operators/interval_join.h"
#include "operators/map_batch.h"
#include "operators/user_function.h"
#include "operators/window_join.h"
#include "plan/native.h"
#include "tidegate/untyped.h"

namespace tidegate::untyped {
namespace {

JoinKind kind_of(JoinType type) {
  switch (type) {
    case JoinType::kInner:
      return JoinKind::kInner;
    case JoinType::kLeft:
      return JoinKind::kLeft;
    case JoinType::kRight:
      return JoinKind::kRight;
    case JoinType::kFull:
      return JoinKind::kFull;
  }
  return JoinKind::kInner;
}

/// Fills in columns and keys of one input.
void describe(const JoinSide& side, JoinInput& input) {
  input.types = column_types(*input_of(side.node).schema());
  input.keys = side.keys;
}

std::vector<plan::NativeInput> hashed(const JoinSide& left, const JoinSide& right) {
  return {{input_of(left.node), Exchange::kHash, left.keys},
          {input_of(right.node), Exchange::kHash, right.keys}};
}

/// A join emits all columns of both inputs. Where an input has computed key columns behind those of
/// its row, a step of its own leaves them out.
NodeRef only_rows(const NodeRef& joined, const JoinSide& left, const JoinSide& right,
                  const SchemaPtr& schema) {
  const auto left_all = static_cast<std::size_t>(input_of(left.node).schema()->num_fields());
  const auto right_all = static_cast<std::size_t>(input_of(right.node).schema()->num_fields());
  if (left_all == left.columns && right_all == right.columns) return joined;
  auto make = [left_all, left_rows = left.columns,
               right_rows = right.columns]() -> Result<std::unique_ptr<Operator>> {
    return make_map_batch([=](const Batch& in) -> Result<Batch> {
      const auto& all = in.columns();
      std::vector<std::shared_ptr<arrow::Array>> kept(
          all.begin(), all.begin() + static_cast<std::ptrdiff_t>(left_rows));
      const auto right_begin = all.begin() + static_cast<std::ptrdiff_t>(left_all);
      kept.insert(kept.end(), right_begin, right_begin + static_cast<std::ptrdiff_t>(right_rows));
      return in.with_columns(std::move(kept));
    });
  };
  return add_native({{input_of(joined)}}, schema, "select", kMapBatchTimeGrain, std::move(make));
}

/// Columns of the join's own output: those of the inputs.
SchemaPtr joined_schema(const JoinSide& left, const JoinSide& right) {
  std::vector<Field> fields = input_of(left.node).schema()->fields();
  for (const Field& field : input_of(right.node).schema()->fields()) fields.push_back(field);
  return std::make_shared<Schema>(std::move(fields));
}

class Reply final : public AsyncReply {
 public:
  explicit Reply(AsyncAnswer answer) : answer_(std::move(answer)) {}
  void complete(BatchWriter& rows) override {
    Result<Batch> batch = finish_batch(rows, Batch(1, {}));
    if (batch.is_ok()) {
      answer_.complete(*std::move(batch));
    } else {
      answer_.fail(batch.status());
    }
  }
  void fail(Status status) override { answer_.fail(std::move(status)); }

 private:
  AsyncAnswer answer_;
};

}  // namespace

NodeRef Plan::interval_join(const JoinSide& left, const JoinSide& right, JoinType type,
                            Between interval, std::vector<ColumnSpec> columns) {
  IntervalJoinOptions options;
  describe(left, options.left);
  describe(right, options.right);
  options.kind = kind_of(type);
  options.lower_ms = interval.lower.count();
  options.upper_ms = interval.upper.count();
  const NodeRef joined =
      add_native(hashed(left, right), joined_schema(left, right), "interval_join",
                 kIntervalJoinTimeGrain, [options] { return make_interval_join(options); });
  return only_rows(joined, left, right, schema_of(columns));
}

NodeRef Plan::window_join(const JoinSide& left, const JoinSide& right, JoinType type, Window window,
                          std::vector<ColumnSpec> columns) {
  WindowJoinOptions options;
  describe(left, options.left);
  describe(right, options.right);
  options.kind = kind_of(type);
  options.window = window;
  const NodeRef joined =
      add_native(hashed(left, right), joined_schema(left, right), "window_join",
                 window_join_time_grain(options), [options] { return make_window_join(options); });
  return only_rows(joined, left, right, schema_of(columns));
}

NodeRef Plan::call_async(const NodeRef& input, std::vector<ColumnSpec> columns,
                         AsyncOptions options, bool blocking, AsyncCall call) {
  const SchemaPtr output = schema_of(columns);
  AsyncCallOptions spec;
  spec.function = [call = std::move(call)](const Batch& row, AsyncAnswer answer) {
    const Status status = call_user_function(
        "the asynchronous call", [&] { call(view_of(row), std::make_shared<Reply>(answer)); });
    if (!status.is_ok()) answer.fail(status);
  };
  spec.blocking = blocking;
  spec.input_types = column_types(*input_of(input).schema());
  spec.output_types = column_types(*output);
  spec.order = options.ordered ? AsyncOrder::kOrdered : AsyncOrder::kUnordered;
  spec.capacity = options.capacity;
  spec.timeout_ms = options.timeout.count();
  spec.retry.max_attempts = options.attempts;
  spec.retry.delay_ms = options.retry_delay.count();
  spec.retry.factor = options.retry_factor;
  return add_native({{input_of(input)}}, output, "call_async", kAsyncCallTimeGrain,
                    [spec] { return make_async_call(spec); });
}

}  // namespace tidegate::untyped
