// SPDX-License-Identifier: Apache-2.0
//
// Expressions over 4096-row batches, against the same done by a plain loop over the values; and the
// adding of COUNT and SUM to accumulators.
//
//   expressions [--json]

#include <arrow/array.h>
#include <arrow/builder.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "expr/aggregate.h"
#include "expr/compiled_expr.h"
#include "measured_child.h"

namespace tidegate::bench {
namespace {

constexpr std::int64_t kRows = 4096;
constexpr std::int64_t kRounds = 20'000;
constexpr std::int64_t kEvents = kRows * kRounds;

Schema columns_of_input() {
  return Schema({{"a", LogicalType(TypeKind::kBigInt)},
                 {"b", LogicalType(TypeKind::kBigInt)},
                 {"s", LogicalType::string()}});
}

Batch input() {
  arrow::Int64Builder a;
  arrow::Int64Builder b;
  arrow::StringBuilder s;
  for (std::int64_t i = 0; i < kRows; ++i) {
    const bool built = a.Append(i * 7919 % 1000).ok() && b.Append(i % 13 + 1).ok() &&
                       s.Append("/page/" + std::to_string(i % 1000)).ok();
    if (!built) return Batch();
  }
  return Batch(kRows, {*a.Finish(), *b.Finish(), *s.Finish()});
}

std::uint64_t evaluate(const ExprPtr& expr, const Batch& batch) {
  Result<CompiledExpr> compiled =
      CompiledExpr::compile(expr, columns_of_input(), builtin_functions());
  if (!compiled.is_ok()) return 0;
  EvalContext context;
  std::uint64_t sum = 0;
  for (std::int64_t round = 0; round < kRounds; ++round) {
    Result<ArrayPtr> column = compiled->evaluate(batch, context);
    if (!column.is_ok()) return 0;
    sum += static_cast<std::uint64_t>((*column)->length());
  }
  return sum;
}

std::uint64_t filter(const ExprPtr& condition, const Batch& batch) {
  Result<CompiledFilter> compiled =
      CompiledFilter::compile(condition, columns_of_input(), builtin_functions());
  if (!compiled.is_ok()) return 0;
  EvalContext context;
  std::vector<std::int32_t> rows;
  std::uint64_t sum = 0;
  for (std::int64_t round = 0; round < kRounds; ++round) {
    if (!compiled->select(batch, context, rows).is_ok()) return 0;
    sum += rows.size();
  }
  return sum;
}

/// a * b + a into a buffer, by hand.
std::uint64_t plain_loop(const Batch& batch) {
  const auto* a = static_cast<const arrow::Int64Array&>(*batch.column(0)).raw_values();
  const auto* b = static_cast<const arrow::Int64Array&>(*batch.column(1)).raw_values();
  std::vector<std::int64_t> out(kRows);
  std::uint64_t sum = 0;
  for (std::int64_t round = 0; round < kRounds; ++round) {
    for (std::size_t i = 0; i < kRows; ++i) out[i] = a[i] * b[i] + a[i];
    sum += static_cast<std::uint64_t>(out[static_cast<std::size_t>(round % kRows)]);
  }
  return sum;
}

/// Adds each row to one of 1,000 accumulators.
std::uint64_t aggregate(const char* name, const std::vector<LogicalType>& types,
                        const std::vector<ArrayPtr>& arguments) {
  Result<const AggregateFunction*> function = builtin_functions().find_aggregate(name);
  if (!function.is_ok()) return 0;
  Result<std::unique_ptr<Aggregator>> aggregator = (*function)->bind(types);
  if (!aggregator.is_ok()) return 0;
  const std::size_t words = (static_cast<std::size_t>((*aggregator)->size_bytes()) + 7) / 8;
  std::vector<std::uint64_t> states(1000 * words);
  std::vector<std::byte*> accumulators;
  for (std::size_t i = 0; i < kRows; ++i)
    accumulators.push_back(reinterpret_cast<std::byte*>(&states[i * 7919 % 1000 * words]));
  for (std::int64_t round = 0; round < kRounds; ++round)
    if (!(*aggregator)->add(accumulators, arguments).is_ok()) return 0;
  return states[0];
}

int run(bool json) {
  const Batch batch = input();
  const LogicalType bigint(TypeKind::kBigInt);
  const ExprPtr sum = call("+", {call("*", {col(0), col(1)}), col(0)});
  const ExprPtr cheap = call("<", {col(0), lit(100)});
  const Cost loop = measure([&] { return plain_loop(batch); });
  report(json, "expressions", "a * b + a by hand", kEvents, loop);
  const auto against_loop = [&](const char* name, const Cost& cost) {
    report(json, "expressions", name, kEvents, cost, "a * b + a by hand", loop.cpu_s / cost.cpu_s);
  };
  const auto evaluated = [&](const char* name, const ExprPtr& expr) {
    against_loop(name, measure([&] { return evaluate(expr, batch); }));
  };
  evaluated("a * b + a", sum);
  evaluated("a / b", call("/", {col(0), col(1)}));
  evaluated("CASE a < 100, a + b, a - b",
            case_when({{cheap, call("+", {col(0), col(1)})}}, call("-", {col(0), col(1)})));
  evaluated("s LIKE '%99%'", call("LIKE", {col(2), lit("%99%")}));
  evaluated("UPPER(s)", call("UPPER", {col(2)}));
  evaluated("REGEXP(s, '[0-9]+5$')", call("REGEXP", {col(2), lit("[0-9]+5$")}));
  against_loop("WHERE a < 100", measure([&] { return filter(cheap, batch); }));
  against_loop("WHERE a < 100 AND b > 3", measure([&] {
                 return filter(logical_and({cheap, call(">", {col(1), lit(3)})}), batch);
               }));
  against_loop("COUNT(*)", measure([&] { return aggregate("COUNT", {}, {}); }));
  against_loop("SUM(a)", measure([&] { return aggregate("SUM", {bigint}, {batch.column(0)}); }));
  return 0;
}

}  // namespace
}  // namespace tidegate::bench

int main(int argc, char** argv) {
  return tidegate::bench::run(argc > 1 && std::strcmp(argv[1], "--json") == 0);
}
