// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/describe/class.hpp>
#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "tidegate/column.h"
#include "tidegate/time.h"

namespace tidegate {

/// A column of a record: name, physical type, and whether it may be null (std::optional members).
struct ColumnSpec {
  std::string name;
  ColumnType type = ColumnType::kBigInt;
  bool nullable = false;
};

/// A window's result for one key, or (with K = std::monostate) for the whole stream.
template <typename K, typename V>
struct Windowed {
  K key{};
  Timestamp window_start;
  Timestamp window_end;
  V value{};
};

/// A key with its current value, the result of aggregates without a window.
template <typename K, typename V>
struct Keyed {
  K key{};
  V value{};
};

/// How one scalar is a column. Specialised below; not for users.
template <typename T>
struct Scalar;

template <ColumnType kTypeValue, typename T>
struct FixedScalar {
  static constexpr ColumnType kType = kTypeValue;
  static constexpr bool kNullable = false;
  static T read(const ColumnView& column, std::int64_t row) { return column.fixed<T>(row); }
  static void write(ColumnWriter& column, T value) { column.append_fixed(value); }
};
template <>
struct Scalar<std::int8_t> : FixedScalar<ColumnType::kTinyInt, std::int8_t> {};
template <>
struct Scalar<std::int16_t> : FixedScalar<ColumnType::kSmallInt, std::int16_t> {};
template <>
struct Scalar<std::int32_t> : FixedScalar<ColumnType::kInt, std::int32_t> {};
template <>
struct Scalar<std::int64_t> : FixedScalar<ColumnType::kBigInt, std::int64_t> {};
template <>
struct Scalar<long long> : FixedScalar<ColumnType::kBigInt, long long> {};
template <>
struct Scalar<float> : FixedScalar<ColumnType::kFloat, float> {};
template <>
struct Scalar<double> : FixedScalar<ColumnType::kDouble, double> {};
template <>
struct Scalar<bool> {
  static constexpr ColumnType kType = ColumnType::kBoolean;
  static constexpr bool kNullable = false;
  static bool read(const ColumnView& column, std::int64_t row) { return column.boolean(row); }
  static void write(ColumnWriter& column, bool value) { column.append_boolean(value); }
};
template <>
struct Scalar<Timestamp> {
  static constexpr ColumnType kType = ColumnType::kTimestamp;
  static constexpr bool kNullable = false;
  static Timestamp read(const ColumnView& column, std::int64_t row) {
    return Timestamp(column.fixed<std::int64_t>(row));
  }
  static void write(ColumnWriter& column, Timestamp value) { column.append_fixed(value.ms); }
};
/// Points into the batch: valid during the call only, and nothing is copied.
template <>
struct Scalar<std::string_view> {
  static constexpr ColumnType kType = ColumnType::kString;
  static constexpr bool kNullable = false;
  static std::string_view read(const ColumnView& column, std::int64_t row) {
    return column.string(row);
  }
  static void write(ColumnWriter& column, std::string_view value) { column.append_string(value); }
};
template <>
struct Scalar<std::string> {
  static constexpr ColumnType kType = ColumnType::kString;
  static constexpr bool kNullable = false;
  static std::string read(const ColumnView& column, std::int64_t row) {
    return std::string(column.string(row));
  }
  static void write(ColumnWriter& column, std::string_view value) { column.append_string(value); }
};
template <typename T>
requires requires { Scalar<T>::kType; }
struct Scalar<std::optional<T>> {
  static constexpr ColumnType kType = Scalar<T>::kType;
  static constexpr bool kNullable = true;
  static std::optional<T> read(const ColumnView& column, std::int64_t row) {
    if (column.is_null(row)) return std::nullopt;
    return Scalar<T>::read(column, row);
  }
  static void write(ColumnWriter& column, const std::optional<T>& value) {
    if (value) {
      Scalar<T>::write(column, *value);
    } else {
      column.append_null();
    }
  }
};

/// A member type that can be a column: bool, (u)int of 8 to 64 bits signed, float, double,
/// std::string, std::string_view, Timestamp, or std::optional of one of these.
template <typename T>
concept ScalarType = requires {
  Scalar<T>::kType;
};

/// A struct with BOOST_DESCRIBE_STRUCT.
template <typename T>
concept DescribedStruct = boost::describe::has_describe_members<T>::value && !std::is_union_v<T>;

/// How a type is a sequence of columns.
template <typename T>
struct Record;

template <ScalarType T>
struct Record<T> {
  static constexpr std::size_t kColumns = 1;
  static void columns(std::vector<ColumnSpec>& out) {
    out.push_back({"value", Scalar<T>::kType, Scalar<T>::kNullable});
  }
  static T read(const BatchView& batch, std::size_t first, std::int64_t row) {
    return Scalar<T>::read(batch.columns[first], row);
  }
  static void write(BatchWriter& out, std::size_t first, const T& value) {
    Scalar<T>::write(out.column(first), value);
  }
};

/// Nothing: the key of an unkeyed window.
template <>
struct Record<std::monostate> {
  static constexpr std::size_t kColumns = 0;
  static void columns(std::vector<ColumnSpec>&) {}
  static std::monostate read(const BatchView&, std::size_t, std::int64_t) { return {}; }
  static void write(BatchWriter&, std::size_t, std::monostate) {}
};

template <DescribedStruct T>
struct Record<T> {
  using Members = boost::describe::describe_members<T, boost::describe::mod_public>;
  static constexpr std::size_t kColumns = boost::mp11::mp_size<Members>::value;

  template <typename D>
  using MemberType = std::remove_cvref_t<decltype(std::declval<T&>().*D::pointer)>;

  static void columns(std::vector<ColumnSpec>& out) {
    boost::mp11::mp_for_each<Members>([&](auto d) {
      using M = MemberType<decltype(d)>;
      static_assert(ScalarType<M>,
                    "Tidegate: every described member of a record must be a bool, signed integer, "
                    "float, double, std::string, std::string_view, tidegate::Timestamp, or "
                    "std::optional of one of these.");
      out.push_back({d.name, Scalar<M>::kType, Scalar<M>::kNullable});
    });
  }
  static T read(const BatchView& batch, std::size_t first, std::int64_t row) {
    T value{};
    boost::mp11::mp_for_each<Members>([&](auto d) {
      value.*d.pointer = Scalar<MemberType<decltype(d)>>::read(batch.columns[first++], row);
    });
    return value;
  }
  static void write(BatchWriter& out, std::size_t first, const T& value) {
    boost::mp11::mp_for_each<Members>([&](auto d) {
      Scalar<MemberType<decltype(d)>>::write(out.column(first++), value.*d.pointer);
    });
  }
  /// Position of a member, found by its pointer; kColumns if it is not described.
  template <typename M>
  static std::size_t index_of(M T::*member) {
    std::size_t found = kColumns;
    std::size_t i = 0;
    boost::mp11::mp_for_each<Members>([&](auto d) {
      if constexpr (std::is_same_v<decltype(d.pointer), M T::*const> ||
                    std::is_same_v<std::remove_cv_t<decltype(d.pointer)>, M T::*>) {
        if (d.pointer == member) found = i;
      }
      ++i;
    });
    return found;
  }
};

template <typename... Ts>
struct Record<std::tuple<Ts...>> {
  static constexpr std::size_t kColumns = (std::size_t{0} + ... + Record<Ts>::kColumns);
  static void columns(std::vector<ColumnSpec>& out) {
    int n = 0;
    (append<Ts>(out, n++), ...);
  }
  static std::tuple<Ts...> read(const BatchView& batch, std::size_t first, std::int64_t row) {
    // Braces evaluate from left to right, so `first` moves in order.
    return std::tuple<Ts...>{next<Ts>(batch, first, row)...};
  }
  static void write(BatchWriter& out, std::size_t first, const std::tuple<Ts...>& value) {
    std::apply(
        [&](const Ts&... parts) {
          ((Record<Ts>::write(out, first, parts), first += Record<Ts>::kColumns), ...);
        },
        value);
  }

 private:
  template <typename P>
  static void append(std::vector<ColumnSpec>& out, int n) {
    const std::size_t before = out.size();
    Record<P>::columns(out);
    if (out.size() == before + 1) out.back().name = "f" + std::to_string(n);
  }
  template <typename P>
  static P next(const BatchView& batch, std::size_t& first, std::int64_t row) {
    const std::size_t here = first;
    first += Record<P>::kColumns;
    return Record<P>::read(batch, here, row);
  }
};

template <typename A, typename B>
struct Record<std::pair<A, B>> {
  static constexpr std::size_t kColumns = Record<A>::kColumns + Record<B>::kColumns;
  static void columns(std::vector<ColumnSpec>& out) { Record<std::tuple<A, B>>::columns(out); }
  static std::pair<A, B> read(const BatchView& batch, std::size_t first, std::int64_t row) {
    return {Record<A>::read(batch, first, row),
            Record<B>::read(batch, first + Record<A>::kColumns, row)};
  }
  static void write(BatchWriter& out, std::size_t first, const std::pair<A, B>& value) {
    Record<A>::write(out, first, value.first);
    Record<B>::write(out, first + Record<A>::kColumns, value.second);
  }
};

template <typename K, typename V>
struct Record<Windowed<K, V>> {
  static constexpr std::size_t kColumns = Record<K>::kColumns + 2 + Record<V>::kColumns;
  static void columns(std::vector<ColumnSpec>& out) {
    Record<K>::columns(out);
    if constexpr (ScalarType<K>) out.back().name = "key";
    out.push_back({"window_start", ColumnType::kTimestamp, false});
    out.push_back({"window_end", ColumnType::kTimestamp, false});
    Record<V>::columns(out);
  }
  static Windowed<K, V> read(const BatchView& batch, std::size_t first, std::int64_t row) {
    const std::size_t time = first + Record<K>::kColumns;
    return {Record<K>::read(batch, first, row), Scalar<Timestamp>::read(batch.columns[time], row),
            Scalar<Timestamp>::read(batch.columns[time + 1], row),
            Record<V>::read(batch, time + 2, row)};
  }
  static void write(BatchWriter& out, std::size_t first, const Windowed<K, V>& value) {
    const std::size_t time = first + Record<K>::kColumns;
    Record<K>::write(out, first, value.key);
    Scalar<Timestamp>::write(out.column(time), value.window_start);
    Scalar<Timestamp>::write(out.column(time + 1), value.window_end);
    Record<V>::write(out, time + 2, value.value);
  }
};

template <typename K, typename V>
struct Record<Keyed<K, V>> {
  static constexpr std::size_t kColumns = Record<K>::kColumns + Record<V>::kColumns;
  static void columns(std::vector<ColumnSpec>& out) {
    Record<K>::columns(out);
    if constexpr (ScalarType<K>) out.back().name = "key";
    Record<V>::columns(out);
  }
  static Keyed<K, V> read(const BatchView& batch, std::size_t first, std::int64_t row) {
    return {Record<K>::read(batch, first, row),
            Record<V>::read(batch, first + Record<K>::kColumns, row)};
  }
  static void write(BatchWriter& out, std::size_t first, const Keyed<K, V>& value) {
    Record<K>::write(out, first, value.key);
    Record<V>::write(out, first + Record<K>::kColumns, value.value);
  }
};

/// A type that can flow through a stream: a scalar, a described struct, a tuple or pair of these,
/// or a window's or aggregate's result.
template <typename T>
concept RecordType = std::default_initializable<T> && requires {
  Record<T>::kColumns;
};

/// The columns of a record type.
template <RecordType T>
std::vector<ColumnSpec> record_columns() {
  std::vector<ColumnSpec> columns;
  Record<T>::columns(columns);
  return columns;
}

}  // namespace tidegate
