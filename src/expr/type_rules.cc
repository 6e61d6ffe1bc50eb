// SPDX-License-Identifier: Apache-2.0
#include "expr/type_rules.h"

#include <algorithm>
#include <vector>

#include "types/decimal.h"

namespace tidegate {

namespace {

constexpr int kMinKeptScale = 6;

/// A DECIMAL of these digits; past 38 the digits in front of the point are kept, and of the scale
/// what is left, but at least 6 of it.
LogicalType decimal_within_limit(int precision, int scale, bool nullable) {
  if (precision <= kMaxDecimalPrecision) return LogicalType::decimal(precision, scale, nullable);
  const int whole_digits = precision - scale;
  const int kept = std::max(kMaxDecimalPrecision - whole_digits, std::min(scale, kMinKeptScale));
  return LogicalType::decimal(kMaxDecimalPrecision, kept, nullable);
}

std::optional<LogicalType> common_number(const LogicalType& a, const LogicalType& b,
                                         bool nullable) {
  const auto is_float = [](const LogicalType& t) {
    return t.kind() == TypeKind::kFloat || t.kind() == TypeKind::kDouble;
  };
  const bool any_decimal = a.kind() == TypeKind::kDecimal || b.kind() == TypeKind::kDecimal;
  if (is_float(a) || is_float(b)) {
    if (any_decimal || a.kind() == TypeKind::kDouble || b.kind() == TypeKind::kDouble)
      return LogicalType(TypeKind::kDouble, nullable);
    return LogicalType(TypeKind::kFloat, nullable);
  }
  if (!any_decimal) return LogicalType(std::max(a.kind(), b.kind()), nullable);
  const LogicalType left = as_decimal(a);
  const LogicalType right = as_decimal(b);
  const int whole = std::max(left.precision() - left.scale(), right.precision() - right.scale());
  const int scale = std::min(std::max(left.scale(), right.scale()), kMaxDecimalPrecision - whole);
  return LogicalType::decimal(whole + scale, scale, nullable);
}

std::optional<LogicalType> common_moment(const LogicalType& a, const LogicalType& b,
                                         bool nullable) {
  const int precision =
      std::max(a.is_timestamp() ? a.precision() : 0, b.is_timestamp() ? b.precision() : 0);
  if (a.kind() == TypeKind::kTimestampLtz || b.kind() == TypeKind::kTimestampLtz)
    return LogicalType::timestamp_ltz(precision, nullable);
  return LogicalType::timestamp(precision, nullable);
}

std::optional<LogicalType> common_nested(const LogicalType& a, const LogicalType& b,
                                         bool nullable) {
  if (a.kind() != b.kind() || a.children().size() != b.children().size()) return std::nullopt;
  std::vector<LogicalType::Child> children;
  for (std::size_t i = 0; i < a.children().size(); ++i) {
    std::optional<LogicalType> child = common_type(a.children()[i].type, b.children()[i].type);
    if (!child) return std::nullopt;
    children.push_back({a.children()[i].name, *child});
  }
  switch (a.kind()) {
    case TypeKind::kArray:
      return LogicalType::array(children[0].type, nullable);
    case TypeKind::kMultiset:
      return LogicalType::multiset(children[0].type, nullable);
    case TypeKind::kMap:
      return LogicalType::map(children[0].type, children[1].type, nullable);
    default:
      return LogicalType::row(std::move(children), nullable);
  }
}

}  // namespace

std::optional<LogicalType> common_type(const LogicalType& a, const LogicalType& b) {
  const bool nullable = a.nullable() || b.nullable();
  if (a.kind() == TypeKind::kNull) return b.with_nullable(true);
  if (b.kind() == TypeKind::kNull) return a.with_nullable(true);
  if (a.is_numeric() && b.is_numeric()) return common_number(a, b, nullable);
  if (a.is_character() && b.is_character()) {
    if (a.same_but_nullability(b)) return a.with_nullable(nullable);
    return LogicalType::varchar(std::max(a.length(), b.length()), nullable);
  }
  if (a.is_bytes() && b.is_bytes()) {
    if (a.same_but_nullability(b)) return a.with_nullable(nullable);
    return LogicalType::varbinary(std::max(a.length(), b.length()), nullable);
  }
  const auto is_moment = [](const LogicalType& t) {
    return t.is_timestamp() || t.kind() == TypeKind::kDate;
  };
  if (is_moment(a) && is_moment(b)) {
    if (a.kind() == TypeKind::kDate && b.kind() == TypeKind::kDate)
      return a.with_nullable(nullable);
    return common_moment(a, b, nullable);
  }
  if (a.kind() == TypeKind::kTime && b.kind() == TypeKind::kTime)
    return LogicalType::time(std::max(a.precision(), b.precision()), nullable);
  if (a.is_nested() || b.is_nested()) return common_nested(a, b, nullable);
  if (a.kind() == b.kind()) return a.with_nullable(nullable);
  return std::nullopt;
}

std::optional<LogicalType> common_type(std::span<const LogicalType> types) {
  if (types.empty()) return std::nullopt;
  std::optional<LogicalType> common = types[0];
  for (std::size_t i = 1; i < types.size() && common; ++i) common = common_type(*common, types[i]);
  return common;
}

std::optional<LogicalType> comparison_type(const LogicalType& a, const LogicalType& b) {
  if (std::optional<LogicalType> common = common_type(a, b)) return common;
  const bool nullable = a.nullable() || b.nullable();
  if (a.is_character() && !b.is_nested() && !b.is_bytes()) return b.with_nullable(nullable);
  if (b.is_character() && !a.is_nested() && !a.is_bytes()) return a.with_nullable(nullable);
  return std::nullopt;
}

LogicalType as_decimal(const LogicalType& number) {
  switch (number.kind()) {
    case TypeKind::kTinyInt:
      return LogicalType::decimal(3, 0, number.nullable());
    case TypeKind::kSmallInt:
      return LogicalType::decimal(5, 0, number.nullable());
    case TypeKind::kInt:
      return LogicalType::decimal(10, 0, number.nullable());
    case TypeKind::kBigInt:
      return LogicalType::decimal(19, 0, number.nullable());
    default:
      return number;
  }
}

LogicalType decimal_sum_type(const LogicalType& a, const LogicalType& b) {
  const int scale = std::max(a.scale(), b.scale());
  const int whole = std::max(a.precision() - a.scale(), b.precision() - b.scale());
  return decimal_within_limit(whole + scale + 1, scale, a.nullable() || b.nullable());
}

LogicalType decimal_product_type(const LogicalType& a, const LogicalType& b) {
  return decimal_within_limit(a.precision() + b.precision() + 1, a.scale() + b.scale(),
                              a.nullable() || b.nullable());
}

LogicalType decimal_quotient_type(const LogicalType& a, const LogicalType& b) {
  const int scale = std::max(6, a.scale() + b.precision() + 1);
  return decimal_within_limit(a.precision() - a.scale() + b.scale() + scale, scale,
                              a.nullable() || b.nullable());
}

LogicalType decimal_modulo_type(const LogicalType& a, const LogicalType& b) {
  const int scale = std::max(a.scale(), b.scale());
  const int whole = std::min(a.precision() - a.scale(), b.precision() - b.scale());
  return decimal_within_limit(std::max(whole + scale, 1), scale, a.nullable() || b.nullable());
}

bool any_nullable(std::span<const LogicalType> types) {
  return std::any_of(types.begin(), types.end(),
                     [](const LogicalType& type) { return type.nullable(); });
}

}  // namespace tidegate
