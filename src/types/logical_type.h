// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tidegate/status.h"

namespace tidegate {

/// The logical types of Flink SQL.
enum class TypeKind : std::uint8_t {
  kNull,  ///< the type of a bare NULL
  kBoolean,
  kTinyInt,
  kSmallInt,
  kInt,
  kBigInt,
  kFloat,
  kDouble,
  kDecimal,
  kChar,
  kVarchar,
  kBinary,
  kVarbinary,
  kDate,
  kTime,
  kTimestamp,     ///< without time zone
  kTimestampLtz,  ///< an instant
  kIntervalYearMonth,
  kIntervalDayTime,
  kArray,
  kMultiset,
  kMap,
  kRow,
};

/// A logical type as a value: kind, nullability and parameters. Cheap to copy.
///
/// Columns are Arrow arrays of `arrow_type()`:
///   BOOLEAN bool; TINYINT..BIGINT int8..int64; FLOAT float32; DOUBLE float64; DECIMAL(p,s)
///   decimal128(p,s); CHAR, VARCHAR utf8; BINARY, VARBINARY binary; DATE date32; TIME(p) time32 ms
///   up to p=3, else time64 ns; TIMESTAMP(p) timestamp ms up to p=3, us up to 6, else ns;
///   TIMESTAMP_LTZ(p) the same with zone "UTC"; INTERVAL YEAR TO MONTH int32 months; INTERVAL DAY
///   TO SECOND int64 ms; ARRAY list; MULTISET map<element, int32>; MAP map; ROW struct; NULL null.
class LogicalType {
 public:
  struct Child;  // a named component; the name is empty for ARRAY, MULTISET and MAP

  /// BIGINT and the like: kinds without parameters, or with their default ones (TIMESTAMP(6),
  /// TIMESTAMP_LTZ(6), TIME(0), DECIMAL(10,0), CHAR(1), VARCHAR(max) = STRING, BINARY(1),
  /// VARBINARY(max) = BYTES).
  explicit LogicalType(TypeKind kind, bool nullable = true);
  LogicalType() : LogicalType(TypeKind::kNull) {}

  static LogicalType decimal(int precision, int scale, bool nullable = true);
  static LogicalType timestamp(int precision, bool nullable = true);
  static LogicalType timestamp_ltz(int precision, bool nullable = true);
  static LogicalType time(int precision, bool nullable = true);
  static LogicalType character(int length, bool nullable = true);
  static LogicalType varchar(int length, bool nullable = true);
  static LogicalType binary(int length, bool nullable = true);
  static LogicalType varbinary(int length, bool nullable = true);
  static LogicalType string(bool nullable = true) {
    return LogicalType(TypeKind::kVarchar, nullable);
  }
  static LogicalType array(LogicalType element, bool nullable = true);
  static LogicalType multiset(LogicalType element, bool nullable = true);
  static LogicalType map(LogicalType key, LogicalType value, bool nullable = true);
  static LogicalType row(std::vector<Child> fields, bool nullable = true);

  /// Reads Flink's notation: "DECIMAL(10, 2) NOT NULL", "ROW<a INT, b ARRAY<STRING>>".
  static Result<LogicalType> parse(std::string_view text);

  TypeKind kind() const { return kind_; }
  bool nullable() const { return nullable_; }
  /// DECIMAL digits; TIME, TIMESTAMP, TIMESTAMP_LTZ fractional digits (0..9).
  int precision() const { return precision_; }
  /// DECIMAL digits after the point.
  int scale() const { return scale_; }
  /// CHAR, VARCHAR, BINARY, VARBINARY: characters or bytes; kMaxLength for STRING and BYTES.
  int length() const { return precision_; }
  static constexpr int kMaxLength = 2147483647;
  /// ARRAY and MULTISET: one; MAP: key, value; ROW: its fields; else empty.
  const std::vector<Child>& children() const;

  LogicalType with_nullable(bool nullable) const;

  bool is_numeric() const { return kind_ >= TypeKind::kTinyInt && kind_ <= TypeKind::kDecimal; }
  bool is_integer() const { return kind_ >= TypeKind::kTinyInt && kind_ <= TypeKind::kBigInt; }
  bool is_character() const { return kind_ == TypeKind::kChar || kind_ == TypeKind::kVarchar; }
  bool is_bytes() const { return kind_ == TypeKind::kBinary || kind_ == TypeKind::kVarbinary; }
  bool is_timestamp() const {
    return kind_ == TypeKind::kTimestamp || kind_ == TypeKind::kTimestampLtz;
  }
  bool is_nested() const { return kind_ >= TypeKind::kArray; }

  /// The physical form; see the class comment.
  std::shared_ptr<arrow::DataType> arrow_type() const;
  /// The logical type that an Arrow column is read as, where there is one.
  static Result<LogicalType> from_arrow(const arrow::DataType& type, bool nullable = true);

  /// Flink's notation, e.g. "TIMESTAMP(3) NOT NULL"; parse() reads it back.
  std::string to_string() const;

  /// Equal in kind, parameters and nullability, recursively.
  friend bool operator==(const LogicalType& a, const LogicalType& b);
  /// Equal but for nullability at the top.
  bool same_but_nullability(const LogicalType& other) const;

 private:
  LogicalType(TypeKind kind, bool nullable, int precision, int scale);

  TypeKind kind_;
  bool nullable_;
  int precision_ = 0;
  int scale_ = 0;
  std::shared_ptr<const std::vector<Child>>
      children_;  // shared: types are values that never change
};

struct LogicalType::Child {
  std::string name;
  LogicalType type;
  friend bool operator==(const Child&, const Child&) = default;
};

}  // namespace tidegate
