// SPDX-License-Identifier: Apache-2.0
//
// Casts among numbers, BOOLEAN and intervals, none of which fails: whole numbers wrap around, a
// floating-point number becomes the nearest whole number towards zero (NaN: 0), as in Java; what
// has too many digits for a DECIMAL becomes NULL.
#include <cmath>

#include "expr/map_values.h"
#include "functions/cast_kernels.h"

namespace tidegate {

namespace {

bool is_interval(const LogicalType& type) {
  return type.kind() == TypeKind::kIntervalYearMonth || type.kind() == TypeKind::kIntervalDayTime;
}

template <typename To, typename From>
To from_float(From value) {
  if (std::isnan(value)) return 0;
  // Java goes through int for the narrow types, which then wrap.
  using Whole = std::conditional_t<(sizeof(To) < 4), std::int32_t, To>;
  constexpr Whole kMin = std::numeric_limits<Whole>::min();
  constexpr Whole kMax = std::numeric_limits<Whole>::max();
  if (value <= static_cast<From>(kMin)) return static_cast<To>(kMin);
  if (value >= static_cast<From>(kMax)) return static_cast<To>(kMax);
  return static_cast<To>(static_cast<Whole>(value));
}

/// One value; the scales are those of decimals.
template <typename To, typename From>
auto cast_one(From value, const LogicalType& from, const LogicalType& to) {
  if constexpr (std::is_same_v<To, Int128>) {
    Int128 out = 0;
    bool fits = false;
    if constexpr (std::is_floating_point_v<From>) {
      fits = double_to_decimal(static_cast<double>(value), to.precision(), to.scale(), &out);
    } else {
      const int scale = std::is_same_v<From, Int128> ? from.scale() : 0;
      fits = rescale_decimal(value, scale, to.scale(), to.precision(), &out);
    }
    return fits ? std::optional<Int128>(out) : std::optional<Int128>();
  } else if constexpr (std::is_same_v<To, bool>) {
    return value != From{0};
  } else if constexpr (std::is_same_v<From, Int128>) {
    if constexpr (std::is_floating_point_v<To>)
      return static_cast<To>(decimal_to_double(value, from.scale()));
    else
      return static_cast<To>(value / power_of_ten(from.scale()));
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    return from_float<To>(value);
  } else {
    return static_cast<To>(value);
  }
}

template <typename To, typename From>
CastKernel number_kernel(const LogicalType& from, const LogicalType& to) {
  return {.cast = [from, to](const ArrayPtr& values, EvalContext&) {
    const Argument argument{values, false};
    return map_values<To, From>(to, {&argument, 1}, values->length(),
                                [&](From value) { return cast_one<To, From>(value, from, to); });
  }};
}

template <typename T>
constexpr bool kIsNumber = !std::is_same_v<T, std::string_view>;

}  // namespace

std::optional<CastKernel> find_number_cast(const LogicalType& from, const LogicalType& to) {
  const auto is_boolean = [](const LogicalType& t) { return t.kind() == TypeKind::kBoolean; };
  const bool numbers =
      (from.is_numeric() || is_boolean(from)) && (to.is_numeric() || is_boolean(to));
  const bool interval_and_integer =
      (is_interval(from) && to.is_integer()) || (from.is_integer() && is_interval(to));
  if (!numbers && !interval_and_integer) return std::nullopt;
  return with_physical_type(from, [&]<typename From>() {
    return with_physical_type(to, [&]<typename To>() -> std::optional<CastKernel> {
      if constexpr (kIsNumber<From> && kIsNumber<To>) return number_kernel<To, From>(from, to);
      return std::nullopt;
    });
  });
}

}  // namespace tidegate
