// SPDX-License-Identifier: Apache-2.0
#include "types/logical_type.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <utility>

#include "base/check.h"

namespace tidegate {

namespace {

constexpr int kMaxDecimalPrecision = 38;
constexpr int kMaxFractionalDigits = 9;

int default_precision(TypeKind kind) {
  switch (kind) {
    case TypeKind::kDecimal:
      return 10;
    case TypeKind::kChar:
    case TypeKind::kBinary:
      return 1;
    case TypeKind::kVarchar:
    case TypeKind::kVarbinary:
      return LogicalType::kMaxLength;
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return 6;
    default:
      return 0;
  }
}

const std::vector<LogicalType::Child>& no_children() {
  static const std::vector<LogicalType::Child> kNone;
  return kNone;
}

arrow::TimeUnit::type timestamp_unit(int precision) {
  if (precision <= 3) return arrow::TimeUnit::MILLI;
  return precision <= 6 ? arrow::TimeUnit::MICRO : arrow::TimeUnit::NANO;
}

int unit_digits(arrow::TimeUnit::type unit) { return static_cast<int>(unit) * 3; }

/// Flink's notation of a field name: in backticks, a backtick inside doubled.
std::string quoted(std::string_view name) {
  std::string out = "`";
  for (char c : name) {
    if (c == '`') out += '`';
    out += c;
  }
  return out + "`";
}

std::string with_length(std::string_view name, const LogicalType& type) {
  return fmt::format("{}({})", name, type.length());
}

std::string row_to_string(const std::vector<LogicalType::Child>& fields) {
  std::string out = "ROW<";
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) out += ", ";
    out += quoted(fields[i].name) + ' ' + fields[i].type.to_string();
  }
  return out + '>';
}

std::string name_with_parameters(const LogicalType& type) {
  switch (type.kind()) {
    case TypeKind::kNull:
      return "NULL";
    case TypeKind::kBoolean:
      return "BOOLEAN";
    case TypeKind::kTinyInt:
      return "TINYINT";
    case TypeKind::kSmallInt:
      return "SMALLINT";
    case TypeKind::kInt:
      return "INT";
    case TypeKind::kBigInt:
      return "BIGINT";
    case TypeKind::kFloat:
      return "FLOAT";
    case TypeKind::kDouble:
      return "DOUBLE";
    case TypeKind::kDecimal:
      return fmt::format("DECIMAL({}, {})", type.precision(), type.scale());
    case TypeKind::kChar:
      return with_length("CHAR", type);
    case TypeKind::kVarchar:
      return type.length() == LogicalType::kMaxLength ? "STRING" : with_length("VARCHAR", type);
    case TypeKind::kBinary:
      return with_length("BINARY", type);
    case TypeKind::kVarbinary:
      return type.length() == LogicalType::kMaxLength ? "BYTES" : with_length("VARBINARY", type);
    case TypeKind::kDate:
      return "DATE";
    case TypeKind::kTime:
      return fmt::format("TIME({})", type.precision());
    case TypeKind::kTimestamp:
      return fmt::format("TIMESTAMP({})", type.precision());
    case TypeKind::kTimestampLtz:
      return fmt::format("TIMESTAMP_LTZ({})", type.precision());
    case TypeKind::kIntervalYearMonth:
      return "INTERVAL YEAR TO MONTH";
    case TypeKind::kIntervalDayTime:
      return "INTERVAL DAY TO SECOND";
    case TypeKind::kArray:
      return fmt::format("ARRAY<{}>", type.children()[0].type.to_string());
    case TypeKind::kMultiset:
      return fmt::format("MULTISET<{}>", type.children()[0].type.to_string());
    case TypeKind::kMap:
      return fmt::format("MAP<{}, {}>", type.children()[0].type.to_string(),
                         type.children()[1].type.to_string());
    case TypeKind::kRow:
      return row_to_string(type.children());
  }
  return "?";
}

}  // namespace

LogicalType::LogicalType(TypeKind kind, bool nullable)
    : LogicalType(kind, nullable || kind == TypeKind::kNull, default_precision(kind), 0) {
  TG_CHECK(kind < TypeKind::kArray, "type kind {} needs component types", static_cast<int>(kind));
}

LogicalType::LogicalType(TypeKind kind, bool nullable, int precision, int scale)
    : kind_(kind), nullable_(nullable), precision_(precision), scale_(scale) {}

LogicalType LogicalType::decimal(int precision, int scale, bool nullable) {
  TG_CHECK(precision >= 1 && precision <= kMaxDecimalPrecision, "precision={}", precision);
  TG_CHECK(scale >= 0 && scale <= precision, "scale={} precision={}", scale, precision);
  return {TypeKind::kDecimal, nullable, precision, scale};
}

LogicalType LogicalType::timestamp(int precision, bool nullable) {
  TG_CHECK(precision >= 0 && precision <= kMaxFractionalDigits, "precision={}", precision);
  return {TypeKind::kTimestamp, nullable, precision, 0};
}

LogicalType LogicalType::timestamp_ltz(int precision, bool nullable) {
  TG_CHECK(precision >= 0 && precision <= kMaxFractionalDigits, "precision={}", precision);
  return {TypeKind::kTimestampLtz, nullable, precision, 0};
}

LogicalType LogicalType::time(int precision, bool nullable) {
  TG_CHECK(precision >= 0 && precision <= kMaxFractionalDigits, "precision={}", precision);
  return {TypeKind::kTime, nullable, precision, 0};
}

// Length 0 is the type of an empty literal; parse() takes lengths from 1.
LogicalType LogicalType::character(int length, bool nullable) {
  TG_CHECK(length >= 0, "length={}", length);
  return {TypeKind::kChar, nullable, length, 0};
}

LogicalType LogicalType::varchar(int length, bool nullable) {
  TG_CHECK(length >= 0, "length={}", length);
  return {TypeKind::kVarchar, nullable, length, 0};
}

LogicalType LogicalType::binary(int length, bool nullable) {
  TG_CHECK(length >= 0, "length={}", length);
  return {TypeKind::kBinary, nullable, length, 0};
}

LogicalType LogicalType::varbinary(int length, bool nullable) {
  TG_CHECK(length >= 0, "length={}", length);
  return {TypeKind::kVarbinary, nullable, length, 0};
}

LogicalType LogicalType::array(LogicalType element, bool nullable) {
  LogicalType type(TypeKind::kArray, nullable, 0, 0);
  type.children_ = std::make_shared<const std::vector<Child>>(
      std::vector<Child>{Child{std::string(), std::move(element)}});
  return type;
}

LogicalType LogicalType::multiset(LogicalType element, bool nullable) {
  LogicalType type = array(std::move(element), nullable);
  type.kind_ = TypeKind::kMultiset;
  return type;
}

LogicalType LogicalType::map(LogicalType key, LogicalType value, bool nullable) {
  LogicalType type(TypeKind::kMap, nullable, 0, 0);
  type.children_ = std::make_shared<const std::vector<Child>>(std::vector<Child>{
      Child{std::string(), std::move(key)}, Child{std::string(), std::move(value)}});
  return type;
}

LogicalType LogicalType::row(std::vector<Child> fields, bool nullable) {
  LogicalType type(TypeKind::kRow, nullable, 0, 0);
  type.children_ = std::make_shared<const std::vector<Child>>(std::move(fields));
  return type;
}

const std::vector<LogicalType::Child>& LogicalType::children() const {
  return children_ != nullptr ? *children_ : no_children();
}

LogicalType LogicalType::with_nullable(bool nullable) const {
  LogicalType type = *this;
  type.nullable_ = nullable || kind_ == TypeKind::kNull;
  return type;
}

std::shared_ptr<arrow::DataType> LogicalType::arrow_type() const {
  switch (kind_) {
    case TypeKind::kNull:
      return arrow::null();
    case TypeKind::kBoolean:
      return arrow::boolean();
    case TypeKind::kTinyInt:
      return arrow::int8();
    case TypeKind::kSmallInt:
      return arrow::int16();
    case TypeKind::kInt:
    case TypeKind::kIntervalYearMonth:
      return arrow::int32();
    case TypeKind::kBigInt:
    case TypeKind::kIntervalDayTime:
      return arrow::int64();
    case TypeKind::kFloat:
      return arrow::float32();
    case TypeKind::kDouble:
      return arrow::float64();
    case TypeKind::kDecimal:
      return arrow::decimal128(precision_, scale_);
    case TypeKind::kChar:
    case TypeKind::kVarchar:
      return arrow::utf8();
    case TypeKind::kBinary:
    case TypeKind::kVarbinary:
      return arrow::binary();
    case TypeKind::kDate:
      return arrow::date32();
    case TypeKind::kTime:
      return precision_ <= 3 ? arrow::time32(arrow::TimeUnit::MILLI)
                             : arrow::time64(arrow::TimeUnit::NANO);
    case TypeKind::kTimestamp:
      return arrow::timestamp(timestamp_unit(precision_));
    case TypeKind::kTimestampLtz:
      return arrow::timestamp(timestamp_unit(precision_), "UTC");
    case TypeKind::kArray:
      return arrow::list(children()[0].type.arrow_type());
    case TypeKind::kMultiset:
      return arrow::map(children()[0].type.arrow_type(), arrow::int32());
    case TypeKind::kMap:
      return arrow::map(children()[0].type.arrow_type(), children()[1].type.arrow_type());
    case TypeKind::kRow: {
      arrow::FieldVector fields;
      for (const Child& child : children())
        fields.push_back(arrow::field(child.name, child.type.arrow_type(), child.type.nullable()));
      return arrow::struct_(std::move(fields));
    }
  }
  return arrow::null();
}

namespace {

Result<LogicalType> list_from_arrow(const arrow::DataType& element, bool element_nullable,
                                    bool nullable) {
  TG_ASSIGN_OR_RETURN(LogicalType type, LogicalType::from_arrow(element, element_nullable));
  return LogicalType::array(std::move(type), nullable);
}

Result<LogicalType> decimal_from_arrow(const arrow::DecimalType& type, bool nullable) {
  if (type.precision() > kMaxDecimalPrecision || type.scale() < 0 ||
      type.scale() > type.precision()) {
    return error(ErrorCode::kNotSupported,
                 "Arrow type {} has no DECIMAL of at most {} digits and a scale from 0 to that",
                 type.ToString(), kMaxDecimalPrecision);
  }
  return LogicalType::decimal(type.precision(), type.scale(), nullable);
}

Result<LogicalType> map_from_arrow(const arrow::MapType& type, bool nullable) {
  TG_ASSIGN_OR_RETURN(LogicalType key, LogicalType::from_arrow(*type.key_type(), false));
  TG_ASSIGN_OR_RETURN(LogicalType value,
                      LogicalType::from_arrow(*type.item_type(), type.item_field()->nullable()));
  return LogicalType::map(std::move(key), std::move(value), nullable);
}

Result<LogicalType> row_from_arrow(const arrow::StructType& type, bool nullable) {
  std::vector<LogicalType::Child> fields;
  for (const std::shared_ptr<arrow::Field>& field : type.fields()) {
    TG_ASSIGN_OR_RETURN(LogicalType child,
                        LogicalType::from_arrow(*field->type(), field->nullable()));
    fields.push_back({field->name(), std::move(child)});
  }
  return LogicalType::row(std::move(fields), nullable);
}

}  // namespace

Result<LogicalType> LogicalType::from_arrow(const arrow::DataType& type, bool nullable) {
  using arrow::Type;
  switch (type.id()) {
    case Type::NA:
      return LogicalType(TypeKind::kNull);
    case Type::BOOL:
      return LogicalType(TypeKind::kBoolean, nullable);
    case Type::INT8:
      return LogicalType(TypeKind::kTinyInt, nullable);
    case Type::UINT8:
    case Type::INT16:
      return LogicalType(TypeKind::kSmallInt, nullable);
    case Type::UINT16:
    case Type::INT32:
      return LogicalType(TypeKind::kInt, nullable);
    case Type::UINT32:
    case Type::INT64:
      return LogicalType(TypeKind::kBigInt, nullable);
    case Type::UINT64:
      return LogicalType::decimal(20, 0, nullable);
    case Type::HALF_FLOAT:
    case Type::FLOAT:
      return LogicalType(TypeKind::kFloat, nullable);
    case Type::DOUBLE:
      return LogicalType(TypeKind::kDouble, nullable);
    case Type::DECIMAL32:
    case Type::DECIMAL64:
    case Type::DECIMAL128:
    case Type::DECIMAL256:
      return decimal_from_arrow(static_cast<const arrow::DecimalType&>(type), nullable);
    case Type::STRING:
    case Type::LARGE_STRING:
    case Type::STRING_VIEW:
      return LogicalType::string(nullable);
    case Type::BINARY:
    case Type::LARGE_BINARY:
    case Type::BINARY_VIEW:
      return LogicalType(TypeKind::kVarbinary, nullable);
    case Type::FIXED_SIZE_BINARY:
      return LogicalType::binary(static_cast<const arrow::FixedSizeBinaryType&>(type).byte_width(),
                                 nullable);
    case Type::DATE32:
    case Type::DATE64:
      return LogicalType(TypeKind::kDate, nullable);
    case Type::TIME32:
    case Type::TIME64:
      return LogicalType::time(unit_digits(static_cast<const arrow::TimeType&>(type).unit()),
                               nullable);
    case Type::TIMESTAMP: {
      const auto& timestamp = static_cast<const arrow::TimestampType&>(type);
      const int digits = unit_digits(timestamp.unit());
      return timestamp.timezone().empty() ? LogicalType::timestamp(digits, nullable)
                                          : LogicalType::timestamp_ltz(digits, nullable);
    }
    case Type::INTERVAL_MONTHS:
      return LogicalType(TypeKind::kIntervalYearMonth, nullable);
    case Type::INTERVAL_DAY_TIME:
    case Type::DURATION:
      return LogicalType(TypeKind::kIntervalDayTime, nullable);
    case Type::LIST:
    case Type::LARGE_LIST:
    case Type::FIXED_SIZE_LIST: {
      const auto& list = static_cast<const arrow::BaseListType&>(type);
      return list_from_arrow(*list.value_type(), list.value_field()->nullable(), nullable);
    }
    case Type::MAP:
      return map_from_arrow(static_cast<const arrow::MapType&>(type), nullable);
    case Type::STRUCT:
      return row_from_arrow(static_cast<const arrow::StructType&>(type), nullable);
    case Type::DICTIONARY:
      return from_arrow(*static_cast<const arrow::DictionaryType&>(type).value_type(), nullable);
    default:
      return error(ErrorCode::kNotSupported, "Arrow type {} has no SQL type", type.ToString());
  }
}

std::string LogicalType::to_string() const {
  std::string text = name_with_parameters(*this);
  if (!nullable_) text += " NOT NULL";
  return text;
}

bool operator==(const LogicalType& a, const LogicalType& b) {
  return a.nullable_ == b.nullable_ && a.same_but_nullability(b);
}

bool LogicalType::same_but_nullability(const LogicalType& other) const {
  return kind_ == other.kind_ && precision_ == other.precision_ && scale_ == other.scale_ &&
         (children_ == other.children_ || children() == other.children());
}

}  // namespace tidegate
