// SPDX-License-Identifier: Apache-2.0
//
// Single values of key_encoding.h: how each fixed-width type is read from its column, written as
// bytes that order as the values do, and read back.
#pragma once

#include <arrow/array/data.h>
#include <arrow/builder.h>
#include <arrow/util/bit_util.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "base/check.h"
#include "types/logical_type.h"

namespace tidegate::key_values {

template <typename T>
T byte_swapped(T value) {
  if constexpr (sizeof(T) == 1) return value;
  if constexpr (sizeof(T) == 2) return __builtin_bswap16(value);
  if constexpr (sizeof(T) == 4) return __builtin_bswap32(value);
  if constexpr (sizeof(T) == 8) return __builtin_bswap64(value);
}

template <typename Unsigned>
void store_big_endian(Unsigned bits, char* to) {
  bits = byte_swapped(bits);
  std::memcpy(to, &bits, sizeof(bits));
}

template <typename Unsigned>
Unsigned load_big_endian(const char* from) {
  Unsigned bits;
  std::memcpy(&bits, from, sizeof(bits));
  return byte_swapped(bits);
}

template <typename Unsigned>
constexpr Unsigned kSignBit = static_cast<Unsigned>(Unsigned{1} << (sizeof(Unsigned) * 8 - 1));

/// Integers and what is stored as one.
template <typename T>
struct IntegerValue {
  using Value = T;
  using Unsigned = std::make_unsigned_t<T>;
  static constexpr int kWidth = sizeof(T);

  explicit IntegerValue(const arrow::ArrayData& column) : values(column.GetValues<T>(1)) {}
  Value at(std::int64_t row) const { return values[row]; }

  static void write(Value value, char* to) {
    store_big_endian<Unsigned>(
        static_cast<Unsigned>(static_cast<Unsigned>(value) ^ kSignBit<Unsigned>), to);
  }
  static Value read(const char* from) {
    return static_cast<T>(load_big_endian<Unsigned>(from) ^ kSignBit<Unsigned>);
  }

  const T* values;
};

template <typename T>
struct FloatValue {
  using Value = T;
  using Unsigned = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  static constexpr int kWidth = sizeof(T);

  explicit FloatValue(const arrow::ArrayData& column) : values(column.GetValues<T>(1)) {}
  Value at(std::int64_t row) const { return values[row]; }

  static void write(Value value, char* to) {
    if (value == T{0}) value = T{0};  // -0.0 too
    if (std::isnan(value)) value = std::numeric_limits<T>::quiet_NaN();
    const auto bits = std::bit_cast<Unsigned>(value);
    const bool negative = (bits & kSignBit<Unsigned>) != 0;
    store_big_endian<Unsigned>(negative ? ~bits : bits ^ kSignBit<Unsigned>, to);
  }
  static Value read(const char* from) {
    const auto bits = load_big_endian<Unsigned>(from);
    const bool negative = (bits & kSignBit<Unsigned>) == 0;
    return std::bit_cast<T>(negative ? ~bits : bits ^ kSignBit<Unsigned>);
  }

  const T* values;
};

struct BooleanValue {
  using Value = bool;
  static constexpr int kWidth = 1;

  explicit BooleanValue(const arrow::ArrayData& column)
      : bits(column.buffers[1]->data()), offset(column.offset) {}
  Value at(std::int64_t row) const { return arrow::bit_util::GetBit(bits, offset + row); }

  static void write(Value value, char* to) { *to = value ? 1 : 0; }
  static Value read(const char* from) { return *from != 0; }

  const std::uint8_t* bits;
  std::int64_t offset;
};

struct DecimalValue {
  struct Value {
    std::uint64_t low;
    std::uint64_t high;
    // What the builder takes: the value as Arrow stores it.
    operator std::string_view() const {  // NOLINT: implicit by intent
      return {reinterpret_cast<const char*>(this), sizeof(*this)};
    }
  };
  static constexpr int kWidth = 16;

  explicit DecimalValue(const arrow::ArrayData& column) : values(column.GetValues<Value>(1)) {}
  Value at(std::int64_t row) const { return values[row]; }

  static void write(Value value, char* to) {
    store_big_endian<std::uint64_t>(value.high ^ kSignBit<std::uint64_t>, to);
    store_big_endian<std::uint64_t>(value.low, to + 8);
  }
  static Value read(const char* from) {
    return {load_big_endian<std::uint64_t>(from + 8),
            load_big_endian<std::uint64_t>(from) ^ kSignBit<std::uint64_t>};
  }

  const Value* values;
};

/// Calls f.template operator()<Codec>() with the codec of a fixed-width type.
template <typename F>
decltype(auto) with_fixed_width(const LogicalType& type, F&& f) {
  switch (type.kind()) {
    case TypeKind::kBoolean:
      return f.template operator()<BooleanValue>();
    case TypeKind::kTinyInt:
      return f.template operator()<IntegerValue<std::int8_t>>();
    case TypeKind::kSmallInt:
      return f.template operator()<IntegerValue<std::int16_t>>();
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kIntervalYearMonth:
      return f.template operator()<IntegerValue<std::int32_t>>();
    case TypeKind::kTime:
      if (type.precision() <= 3) return f.template operator()<IntegerValue<std::int32_t>>();
      return f.template operator()<IntegerValue<std::int64_t>>();
    case TypeKind::kFloat:
      return f.template operator()<FloatValue<float>>();
    case TypeKind::kDouble:
      return f.template operator()<FloatValue<double>>();
    case TypeKind::kDecimal:
      return f.template operator()<DecimalValue>();
    default:
      TG_CHECK(type.kind() == TypeKind::kBigInt || type.is_timestamp() ||
                   type.kind() == TypeKind::kIntervalDayTime,
               "{} is not of fixed width", type.to_string());
      return f.template operator()<IntegerValue<std::int64_t>>();
  }
}

inline bool is_text(const LogicalType& type) { return type.is_character() || type.is_bytes(); }
inline bool is_fixed_width(const LogicalType& type) {
  return type.kind() != TypeKind::kNull && !is_text(type) && !type.is_nested();
}

inline bool is_valid(const arrow::ArrayData& column, std::int64_t row) {
  return column.buffers[0] == nullptr ||
         arrow::bit_util::GetBit(column.buffers[0]->data(), column.offset + row);
}

}  // namespace tidegate::key_values
