// SPDX-License-Identifier: Apache-2.0
#include "expr/function_registry.h"
#include "expr/state_aggregator.h"
#include "functions/binding.h"

namespace tidegate {

namespace {

/// Sums keep the type of their argument and wrap around as Java's do; the count tells a sum of
/// nothing (NULL) from zero.
struct IntegerSum {
  std::uint64_t sum;
  std::int64_t count;
};

template <typename T>
class SumOfIntegers final : public StateAggregator<IntegerSum> {
 public:
  using StateAggregator::StateAggregator;

  Status add(Accumulators accumulators, ArgumentArrays arguments) const override {
    for_each_value<T>(accumulators, *arguments[0], [](IntegerSum& s, T value) {
      s.sum += static_cast<std::uint64_t>(value);
      ++s.count;
    });
    return Status::ok();
  }
  bool can_retract() const override { return true; }
  Status retract(Accumulators accumulators, ArgumentArrays arguments) const override {
    for_each_value<T>(accumulators, *arguments[0], [](IntegerSum& s, T value) {
      s.sum -= static_cast<std::uint64_t>(value);
      --s.count;
    });
    return Status::ok();
  }
  Status merge(std::byte* into, const std::byte* from) const override {
    state(into).sum += state(from).sum;
    state(into).count += state(from).count;
    return Status::ok();
  }
  bool can_subtract() const override { return true; }
  void subtract(std::byte* from, const std::byte* what) const override {
    state(from).sum -= state(what).sum;
    state(from).count -= state(what).count;
  }
  Result<ArrayPtr> result(ConstAccumulators accumulators) const override {
    return result_column<T>(accumulators, [](const IntegerSum& s, T* out) {
      *out = static_cast<T>(s.sum);
      return s.count != 0;
    });
  }
};

struct FloatSum {
  double sum;
  std::int64_t count;
};

template <typename T>
class SumOfFloats final : public StateAggregator<FloatSum> {
 public:
  using StateAggregator::StateAggregator;

  Status add(Accumulators accumulators, ArgumentArrays arguments) const override {
    for_each_value<T>(accumulators, *arguments[0], [](FloatSum& s, T value) {
      s.sum += static_cast<double>(value);
      ++s.count;
    });
    return Status::ok();
  }
  bool can_retract() const override { return true; }
  Status retract(Accumulators accumulators, ArgumentArrays arguments) const override {
    for_each_value<T>(accumulators, *arguments[0], [](FloatSum& s, T value) {
      s.sum -= static_cast<double>(value);
      --s.count;
    });
    return Status::ok();
  }
  Status merge(std::byte* into, const std::byte* from) const override {
    state(into).sum += state(from).sum;
    state(into).count += state(from).count;
    return Status::ok();
  }
  Result<ArrayPtr> result(ConstAccumulators accumulators) const override {
    return result_column<T>(accumulators, [](const FloatSum& s, T* out) {
      *out = static_cast<T>(s.sum);
      return s.count != 0;
    });
  }
};

struct DecimalSum {
  Int128InPlace sum;
  std::int64_t wraps;  // how often the sum passed the ends of 128 bits, with its direction
  std::int64_t count;

  void add(Int128 value) {
    Int128 out = 0;
    if (__builtin_add_overflow(Int128{sum}, value, &out)) wraps += value < 0 ? -1 : 1;
    sum = out;
  }
  void take(Int128 value) {
    Int128 out = 0;
    if (__builtin_sub_overflow(Int128{sum}, value, &out)) wraps += value < 0 ? 1 : -1;
    sum = out;
  }
};

/// Sums are exact, whatever happens on the way; one of more than 38 digits is NULL as in Flink.
class SumOfDecimals final : public StateAggregator<DecimalSum> {
 public:
  using StateAggregator::StateAggregator;

  Status add(Accumulators accumulators, ArgumentArrays arguments) const override {
    for_each_value<Int128>(accumulators, *arguments[0], [](DecimalSum& s, Int128 value) {
      s.add(value);
      ++s.count;
    });
    return Status::ok();
  }
  bool can_retract() const override { return true; }
  Status retract(Accumulators accumulators, ArgumentArrays arguments) const override {
    for_each_value<Int128>(accumulators, *arguments[0], [](DecimalSum& s, Int128 value) {
      s.take(value);
      --s.count;
    });
    return Status::ok();
  }
  Status merge(std::byte* into, const std::byte* from) const override {
    state(into).add(state(from).sum);
    state(into).wraps += state(from).wraps;
    state(into).count += state(from).count;
    return Status::ok();
  }
  bool can_subtract() const override { return true; }
  void subtract(std::byte* from, const std::byte* what) const override {
    state(from).take(state(what).sum);
    state(from).wraps -= state(what).wraps;
    state(from).count -= state(what).count;
  }
  Result<ArrayPtr> result(ConstAccumulators accumulators) const override {
    return result_column<Int128>(accumulators, [](const DecimalSum& s, Int128* out) {
      *out = s.sum;
      return s.count != 0 && s.wraps == 0 && fits_precision(s.sum, kMaxDecimalPrecision);
    });
  }
};

Result<std::unique_ptr<Aggregator>> bind_sum(std::span<const LogicalType> arguments) {
  if (arguments.size() != 1 || !arguments[0].is_numeric())
    return argument_mismatch("SUM", "one number", arguments);
  const LogicalType type = arguments[0].with_nullable(true);
  std::unique_ptr<Aggregator> sum;
  switch (type.kind()) {
    case TypeKind::kTinyInt:
      sum = std::make_unique<SumOfIntegers<std::int8_t>>(type);
      break;
    case TypeKind::kSmallInt:
      sum = std::make_unique<SumOfIntegers<std::int16_t>>(type);
      break;
    case TypeKind::kInt:
      sum = std::make_unique<SumOfIntegers<std::int32_t>>(type);
      break;
    case TypeKind::kBigInt:
      sum = std::make_unique<SumOfIntegers<std::int64_t>>(type);
      break;
    case TypeKind::kFloat:
      sum = std::make_unique<SumOfFloats<float>>(type);
      break;
    case TypeKind::kDouble:
      sum = std::make_unique<SumOfFloats<double>>(type);
      break;
    default:
      sum =
          std::make_unique<SumOfDecimals>(LogicalType::decimal(kMaxDecimalPrecision, type.scale()));
  }
  return sum;
}

}  // namespace

void register_function_sum(FunctionRegistry& registry) {
  registry.add_aggregate(
      {.name = "SUM",
       .signature = "SUM([DISTINCT] number)",
       .description = "Sum of the values that are not NULL, in the type of the values (DECIMAL: of "
                      "38 digits); NULL when there are none.",
       .bind = bind_sum});
}

}  // namespace tidegate
