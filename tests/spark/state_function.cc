// SPDX-License-Identifier: Apache-2.0
#include "state_function.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "microbatch/json.h"
#include "operators/process_function.h"
#include "plan/drop_late.h"
#include "plan/native.h"
#include "state/state_table.h"
#include "types/arrow_status.h"
#include "types/key_encoding.h"

namespace tidegate {
namespace {

struct Variable {
  std::string name;
  std::string kind;
  int column = -1;
};

struct Spec {
  int keys = 0;
  int time = -1;
  std::vector<Variable> state;
  std::vector<std::string> emit;
  std::int64_t timeout_ms = 0;
  int from = -1;  // the variable that the timeout counts from
  bool strict = true;
  bool clears = true;
  std::string emits = "both";
  std::vector<LogicalType> key_types;
  std::vector<std::string> key_names;
};

std::int64_t number_at(const Batch& batch, int column, std::int64_t row) {
  const arrow::Array& array = *batch.column(column);
  if (array.IsNull(row)) return 0;
  // BIGINT and TIMESTAMP(3) are 64 bits.
  return array.data()->GetValues<std::int64_t>(1)[row];
}

/// State: the variables, the timeout that is set, and whether there is one.
class DataLogic final : public ProcessLogic {
 public:
  explicit DataLogic(Spec spec) : spec_(std::move(spec)), codec_(spec_.key_types) {}

  Status open(ProcessContext& context) override {
    const auto width = static_cast<std::uint32_t>(8 * (spec_.state.size() + 2));
    TG_ASSIGN_OR_RETURN(table_,
                        context.state().table({"state", std::make_shared<FixedLayout>(width)}));
    return Status::ok();
  }

  Status on_batch(int, const Batch& batch, ProcessContext& context) override {
    context.select(0);
    const bool is_new = table_->find(0, context.key()) == nullptr;
    TG_ASSIGN_OR_RETURN(std::byte* const value, table_->find_or_create(0, context.key()));
    auto* const numbers = reinterpret_cast<std::int64_t*>(value);
    if (is_new) std::memset(value, 0, 8 * (spec_.state.size() + 2));
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      for (std::size_t i = 0; i < spec_.state.size(); ++i)
        add(spec_.state[i], batch, row, is_new && row == 0, numbers[i]);
    }
    if (spec_.from >= 0) {
      std::int64_t& set = numbers[spec_.state.size()];
      std::int64_t& is_set = numbers[spec_.state.size() + 1];
      if (is_set != 0) context.remove_timer(TimeDomain::kEventTime, set);
      set = numbers[spec_.from] + spec_.timeout_ms - (spec_.strict ? 0 : 1);
      is_set = 1;
      TG_RETURN_IF_ERROR(context.add_timer(TimeDomain::kEventTime, set));
    }
    if (spec_.emits == "timeouts") return Status::ok();
    return emit(numbers, false, context);
  }

  Status on_timer(TimeDomain, std::int64_t, ProcessContext& context) override {
    std::byte* const value = table_->find(0, context.key());
    if (value == nullptr) return Status::ok();
    if (spec_.emits != "rows")
      TG_RETURN_IF_ERROR(emit(reinterpret_cast<std::int64_t*>(value), true, context));
    if (spec_.clears) table_->erase(0, context.key());
    return Status::ok();
  }

 private:
  static void add(const Variable& variable, const Batch& batch, std::int64_t row, bool first,
                  std::int64_t& held) {
    if (variable.kind == "count") {
      ++held;
      return;
    }
    const std::int64_t value = number_at(batch, variable.column, row);
    if (variable.kind == "sum") {
      held += value;
    } else if (first || variable.kind == "last") {
      held = value;
    } else if (variable.kind == "max") {
      held = std::max(held, value);
    } else if (variable.kind == "min") {
      held = std::min(held, value);
    }
  }

  Status emit(const std::int64_t* numbers, bool timed_out, ProcessContext& context) {
    const std::string_view key = context.key().bytes;
    TG_ASSIGN_OR_RETURN(const std::vector<ArrayPtr> keys, codec_.decode({&key, 1}));
    std::vector<ArrayPtr> columns;
    for (const std::string& name : spec_.emit) {
      const auto at = std::ranges::find(spec_.key_names, name);
      if (at != spec_.key_names.end()) {
        columns.push_back(keys[static_cast<std::size_t>(at - spec_.key_names.begin())]);
        continue;
      }
      const auto variable = std::ranges::find(spec_.state, name, &Variable::name);
      std::shared_ptr<arrow::Scalar> scalar = std::make_shared<arrow::BooleanScalar>(timed_out);
      if (variable != spec_.state.end())
        scalar = std::make_shared<arrow::Int64Scalar>(numbers[variable - spec_.state.begin()]);
      TG_ASSIGN_ARROW_OR_RETURN(ArrayPtr column, arrow::MakeArrayFromScalar(*scalar, 1), "emit");
      columns.push_back(std::move(column));
    }
    context.emit(Batch(1, std::move(columns)));
    return Status::ok();
  }

  Spec spec_;
  KeyCodec codec_;
  StateTable* table_ = nullptr;
};

std::string text_of(const json::value& value) { return std::string(value.as_string()); }

Result<Spec> read(const Schema& schema, std::string_view text) {
  TG_ASSIGN_OR_RETURN(const json::object given, parse_json_object(text));
  Spec spec;
  spec.keys = static_cast<int>(given.at("keys").as_int64());
  spec.time = static_cast<int>(given.at("time").as_int64());
  for (const json::value& each : given.at("state").as_array()) {
    const json::array& parts = each.as_array();
    spec.state.push_back(
        {text_of(parts[0]), text_of(parts[1]), static_cast<int>(parts[2].as_int64())});
  }
  for (const json::value& each : given.at("emit").as_array()) spec.emit.push_back(text_of(each));
  spec.timeout_ms = given.at("timeout_ms").as_int64();
  const auto from = std::ranges::find(spec.state, text_of(given.at("from")), &Variable::name);
  if (from != spec.state.end()) spec.from = static_cast<int>(from - spec.state.begin());
  spec.strict = given.at("strict").as_bool();
  spec.clears = given.at("clears").as_bool();
  spec.emits = text_of(given.at("emits"));
  for (int i = 0; i < spec.keys; ++i) {
    spec.key_types.push_back(schema.field(i).type);
    spec.key_names.push_back(schema.field(i).name);
  }
  return spec;
}

}  // namespace

Result<plan::Input> add_state_function(const plan::Input& rows, std::string_view text) {
  const Schema& schema = *rows.schema();
  TG_ASSIGN_OR_RETURN(const Spec spec, read(schema, text));
  std::vector<Field> fields;
  for (const std::string& name : spec.emit) {
    const auto key = std::ranges::find(spec.key_names, name);
    const bool is_state = std::ranges::find(spec.state, name, &Variable::name) != spec.state.end();
    if (key != spec.key_names.end()) {
      fields.push_back(schema.field(static_cast<int>(key - spec.key_names.begin())));
    } else {
      fields.push_back(
          {name, is_state ? LogicalType(TypeKind::kBigInt) : LogicalType(TypeKind::kBoolean)});
    }
  }
  ProcessFunctionOptions options;
  std::vector<int> keys;
  for (int i = 0; i < spec.keys; ++i) keys.push_back(i);
  options.inputs = {{.keyed = true, .keys = keys, .key_types = spec.key_types}};
  options.orders_event_time = spec.time >= 0;
  options.groups_rows = true;
  plan::Input input = rows;
  if (spec.time >= 0) input = {std::make_shared<plan::DropLateNode>(rows, spec.time)};
  return plan::Input{std::make_shared<plan::NativeNode>(
      std::vector<plan::NativeInput>{{input, Exchange::kHash, keys}},
      std::make_shared<Schema>(std::move(fields)), "process", process_function_time_grain(options),
      [spec, options] {
        return make_process_function(std::make_unique<DataLogic>(spec), options);
      })};
}

}  // namespace tidegate
