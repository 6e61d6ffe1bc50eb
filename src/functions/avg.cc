// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "expr/function_registry.h"
#include "expr/state_aggregator.h"
#include "functions/binding.h"

namespace tidegate {

namespace {

/// What an average adds up in, per type of its argument.
template <typename T>
struct AverageOf {
  using Sum = std::conditional_t<std::is_integral_v<T>, std::int64_t, double>;
};
template <>
struct AverageOf<Int128> {
  using Sum = Int128InPlace;
};

template <typename Sum>
struct AverageState {
  Sum sum;
  std::int64_t count;
};

/// Integers wrap and not trap: added as unsigned.
template <typename Sum>
Sum plus(Sum a, Sum b) {
  if constexpr (std::is_same_v<Sum, double>) {
    return a + b;
  } else if constexpr (std::is_same_v<Sum, std::int64_t>) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  } else {
    using Unsigned = unsigned __int128;
    return static_cast<Int128>(static_cast<Unsigned>(a) + static_cast<Unsigned>(b));
  }
}
template <typename Sum>
Sum negative(Sum a) {
  if constexpr (std::is_same_v<Sum, double>) return -a;
  if constexpr (std::is_same_v<Sum, std::int64_t>)
    return static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(a));
  if constexpr (std::is_same_v<Sum, Int128>)
    return static_cast<Int128>(0 - static_cast<unsigned __int128>(a));
}

template <typename T>
class Average final : public StateAggregator<AverageState<typename AverageOf<T>::Sum>> {
 public:
  using Sum = std::conditional_t<std::is_same_v<T, Int128>, Int128, typename AverageOf<T>::Sum>;
  using State = AverageState<typename AverageOf<T>::Sum>;
  using Base = StateAggregator<State>;
  using Base::state;

  Average(LogicalType result_type, int argument_scale)
      : Base(std::move(result_type)), argument_scale_(argument_scale) {}

  Status add(Accumulators accumulators, ArgumentArrays arguments) const override {
    Base::template for_each_value<T>(accumulators, *arguments[0], [](State& s, T value) {
      s.sum = plus<Sum>(s.sum, static_cast<Sum>(value));
      ++s.count;
    });
    return Status::ok();
  }
  bool can_retract() const override { return true; }
  Status retract(Accumulators accumulators, ArgumentArrays arguments) const override {
    Base::template for_each_value<T>(accumulators, *arguments[0], [](State& s, T value) {
      s.sum = plus<Sum>(s.sum, negative<Sum>(static_cast<Sum>(value)));
      --s.count;
    });
    return Status::ok();
  }
  Status merge(std::byte* into, const std::byte* from) const override {
    state(into).sum = plus<Sum>(state(into).sum, state(from).sum);
    state(into).count += state(from).count;
    return Status::ok();
  }
  bool can_subtract() const override { return !std::is_same_v<Sum, double>; }
  void subtract(std::byte* from, const std::byte* what) const override {
    state(from).sum = plus<Sum>(state(from).sum, negative<Sum>(state(what).sum));
    state(from).count -= state(what).count;
  }
  Result<ArrayPtr> result(ConstAccumulators accumulators) const override {
    return Base::template result_column<T>(
        accumulators, [this](const State& s, T* out) { return average(s, out); });
  }

 private:
  bool average(const State& s, T* out) const {
    if (s.count == 0) return false;
    if constexpr (std::is_same_v<T, Int128>) {
      const LogicalType type = Base::result_type();
      Int128 scaled = 0;
      if (!rescale_decimal(s.sum, argument_scale_, type.scale(), kMaxDecimalPrecision, &scaled))
        return false;
      *out = s.count > 0 ? divide_half_up(scaled, s.count) : divide_half_up(-scaled, -s.count);
    } else {
      // Whole numbers are cut as Java's division does, and -1 must not trap with the lowest sum.
      *out =
          static_cast<T>(s.count == -1 ? negative<Sum>(s.sum) : s.sum / static_cast<Sum>(s.count));
    }
    return true;
  }

  int argument_scale_;
};

Result<std::unique_ptr<Aggregator>> bind_avg(std::span<const LogicalType> arguments) {
  if (arguments.size() != 1 || !arguments[0].is_numeric())
    return argument_mismatch("AVG", "one number", arguments);
  const LogicalType& type = arguments[0];
  const LogicalType result =
      type.kind() == TypeKind::kDecimal
          ? LogicalType::decimal(kMaxDecimalPrecision, std::max(type.scale(), 6))
          : type.with_nullable(true);
  return with_physical_type(type, [&]<typename T>() -> Result<std::unique_ptr<Aggregator>> {
    if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>)
      return std::make_unique<Average<T>>(result, 0);
    if constexpr (std::is_same_v<T, Int128>)
      return std::make_unique<Average<T>>(result, type.scale());
    return argument_mismatch("AVG", "one number", arguments);
  });
}

}  // namespace

void register_function_avg(FunctionRegistry& registry) {
  registry.add_aggregate(
      {.name = "AVG",
       .signature = "AVG([DISTINCT] number)",
       .description = "Average of the values that are not NULL, in the type of the values (whole "
                      "numbers are cut); NULL when there are none.",
       .bind = bind_avg});
}

}  // namespace tidegate
