// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "expr/function_registry.h"
#include "expr/state_aggregator.h"
#include "functions/binding.h"

namespace tidegate {

namespace {

/// Count, mean and sum of squared differences from the mean, updated row by row (Welford) and
/// merged (Chan et al.), which keeps what sums of squares lose.
struct Moments {
  std::int64_t count;
  double mean;
  double squares;

  void add(double value) {
    ++count;
    const double delta = value - mean;
    mean += delta / static_cast<double>(count);
    squares += delta * (value - mean);
  }
  void take(double value) {
    --count;
    if (count == 0) {
      *this = {};
      return;
    }
    const double delta = value - mean;
    mean -= delta / static_cast<double>(count);
    squares = std::max(0.0, squares - delta * (value - mean));
  }
  void merge(const Moments& other) {
    if (other.count == 0) return;
    const double delta = other.mean - mean;
    const auto total = static_cast<double>(count + other.count);
    const auto others = static_cast<double>(other.count);
    squares += other.squares + delta * delta * static_cast<double>(count) * others / total;
    mean += delta * others / total;
    count += other.count;
  }
};

struct Kind {
  const char* name;
  bool sample;
  bool root;
  const char* description;
};

/// As AVG, these answer in the type of their argument.
class Variance final : public StateAggregator<Moments> {
 public:
  Variance(LogicalType result_type, LogicalType argument, const Kind& kind)
      : StateAggregator(std::move(result_type)), argument_(std::move(argument)), kind_(kind) {}

  Status add(Accumulators accumulators, ArgumentArrays arguments) const override {
    for_each_number(accumulators, *arguments[0], [](Moments& m, double x) { m.add(x); });
    return Status::ok();
  }
  bool can_retract() const override { return true; }
  Status retract(Accumulators accumulators, ArgumentArrays arguments) const override {
    for_each_number(accumulators, *arguments[0], [](Moments& m, double x) { m.take(x); });
    return Status::ok();
  }
  Status merge(std::byte* into, const std::byte* from) const override {
    state(into).merge(state(from));
    return Status::ok();
  }
  Result<ArrayPtr> result(ConstAccumulators accumulators) const override {
    return with_physical_type(result_type(), [&]<typename T>() -> Result<ArrayPtr> {
      return result_column<T>(accumulators,
                              [this](const Moments& m, T* out) { return answer(m, out); });
    });
  }

 private:
  template <typename F>
  void for_each_number(Accumulators accumulators, const arrow::Array& argument, F f) const {
    with_physical_type(argument_, [&]<typename T>() {
      if constexpr (std::is_same_v<T, Int128>) {
        for_each_value<T>(accumulators, argument, [&](Moments& m, T value) {
          f(m, decimal_to_double(value, argument_.scale()));
        });
      } else if constexpr (std::is_arithmetic_v<T>) {
        for_each_value<T>(accumulators, argument,
                          [&](Moments& m, T value) { f(m, static_cast<double>(value)); });
      }
    });
  }

  template <typename T>
  bool answer(const Moments& m, T* out) const {
    const std::int64_t divisor = kind_.sample ? m.count - 1 : m.count;
    if (divisor <= 0) return false;
    double value = m.squares / static_cast<double>(divisor);
    if (kind_.root) value = std::sqrt(value);
    if constexpr (std::is_same_v<T, Int128>) {
      return double_to_decimal(value, result_type().precision(), result_type().scale(), out);
    } else if constexpr (std::is_integral_v<T>) {
      constexpr auto kMax = std::numeric_limits<T>::max();
      *out = value >= static_cast<double>(kMax) ? kMax : static_cast<T>(value);
      return true;
    } else if constexpr (std::is_floating_point_v<T>) {
      *out = static_cast<T>(value);
      return true;
    }
    return false;
  }

  LogicalType argument_;
  Kind kind_;
};

constexpr Kind kKinds[] = {
    {"STDDEV_POP", false, true, "Population standard deviation; NULL when there are no values."},
    {"STDDEV_SAMP", true, true,
     "Sample standard deviation; NULL when there are less than two values."},
    {"VAR_POP", false, false, "Population variance; NULL when there are no values."},
    {"VAR_SAMP", true, false, "Sample variance; NULL when there are less than two values."},
};

Result<std::unique_ptr<Aggregator>> bind_variance(const Kind& kind,
                                                  std::span<const LogicalType> arguments) {
  if (arguments.size() != 1 || !arguments[0].is_numeric())
    return argument_mismatch(kind.name, "one number", arguments);
  const LogicalType& type = arguments[0];
  return std::make_unique<Variance>(
      type.kind() == TypeKind::kDecimal
          ? LogicalType::decimal(kMaxDecimalPrecision, std::max(type.scale(), 6))
          : type.with_nullable(true),
      type, kind);
}

}  // namespace

void register_function_variance(FunctionRegistry& registry) {
  for (const Kind& kind : kKinds) {
    registry.add_aggregate({.name = kind.name,
                            .signature = std::string(kind.name) + "([DISTINCT] number)",
                            .description = kind.description,
                            .bind = [&kind](std::span<const LogicalType> arguments) {
                              return bind_variance(kind, arguments);
                            }});
  }
  registry.add_alias("STDDEV", "STDDEV_SAMP");
  registry.add_alias("VARIANCE", "VAR_SAMP");
}

}  // namespace tidegate
