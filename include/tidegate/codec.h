// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "tidegate/record.h"
#include "tidegate/time.h"

namespace tidegate {

/// How a value of a program's own type is bytes in state: little-endian numbers, 32-bit lengths.
/// Covers numbers, enums, bool, strings, Timestamp, optional, pair, tuple, vector, array, sets and
/// maps of such, and described structs; specialise it for other types:
///   static void write(std::string& out, const T& value);
///   static bool read(std::string_view& in, T& value);   // false: not what write() wrote
template <typename T>
struct Codec;

/// A type that state can hold.
template <typename T>
concept StateType = requires(std::string& out, std::string_view& in, const T& value, T& target) {
  Codec<T>::write(out, value);
  { Codec<T>::read(in, target) } -> std::same_as<bool>;
};

template <typename T>
requires(std::is_arithmetic_v<T> || std::is_enum_v<T>) struct Codec<T> {
  static_assert(std::endian::native == std::endian::little);
  static void write(std::string& out, const T& value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }
  static bool read(std::string_view& in, T& value) {
    if (in.size() < sizeof(T)) return false;
    std::memcpy(&value, in.data(), sizeof(T));
    in.remove_prefix(sizeof(T));
    return true;
  }
};

template <>
struct Codec<Timestamp> {
  static void write(std::string& out, const Timestamp& t) { Codec<std::int64_t>::write(out, t.ms); }
  static bool read(std::string_view& in, Timestamp& t) {
    return Codec<std::int64_t>::read(in, t.ms);
  }
};

/// Nothing.
template <>
struct Codec<std::monostate> {
  static void write(std::string&, std::monostate) {}
  static bool read(std::string_view&, std::monostate&) { return true; }
};

template <>
struct Codec<std::string> {
  static void write(std::string& out, std::string_view value) {
    Codec<std::uint32_t>::write(out, static_cast<std::uint32_t>(value.size()));
    out.append(value);
  }
  static bool read(std::string_view& in, std::string& value) {
    std::uint32_t size = 0;
    if (!Codec<std::uint32_t>::read(in, size) || in.size() < size) return false;
    value.assign(in.data(), size);
    in.remove_prefix(size);
    return true;
  }
};

template <typename T>
struct Codec<std::optional<T>> {
  static void write(std::string& out, const std::optional<T>& value) {
    out.push_back(value ? 1 : 0);
    if (value) Codec<T>::write(out, *value);
  }
  static bool read(std::string_view& in, std::optional<T>& value) {
    char there = 0;
    if (!Codec<char>::read(in, there)) return false;
    value.reset();
    return there == 0 || Codec<T>::read(in, value.emplace());
  }
};

template <typename... Ts>
struct Codec<std::tuple<Ts...>> {
  static void write(std::string& out, const std::tuple<Ts...>& value) {
    std::apply([&](const Ts&... parts) { (Codec<Ts>::write(out, parts), ...); }, value);
  }
  static bool read(std::string_view& in, std::tuple<Ts...>& value) {
    return std::apply([&](Ts&... parts) { return (Codec<Ts>::read(in, parts) && ...); }, value);
  }
};

template <typename A, typename B>
struct Codec<std::pair<A, B>> {
  static void write(std::string& out, const std::pair<A, B>& value) {
    Codec<std::remove_const_t<A>>::write(out, value.first);
    Codec<B>::write(out, value.second);
  }
  static bool read(std::string_view& in, std::pair<A, B>& value) {
    return Codec<A>::read(in, value.first) && Codec<B>::read(in, value.second);
  }
};

/// Sequences, sets and maps: a 32-bit count, then the elements. A count that the remaining bytes
/// cannot hold is refused before anything is allocated.
template <typename C, typename E>
struct ContainerCodec {
  static void write(std::string& out, const C& values) {
    Codec<std::uint32_t>::write(out, static_cast<std::uint32_t>(values.size()));
    for (const auto& value : values) Codec<std::remove_cvref_t<decltype(value)>>::write(out, value);
  }
  static bool read(std::string_view& in, C& values) {
    std::uint32_t size = 0;
    if (!Codec<std::uint32_t>::read(in, size) || size > in.size()) return false;
    values.clear();
    for (std::uint32_t i = 0; i < size; ++i) {
      E value{};
      if (!Codec<E>::read(in, value)) return false;
      values.insert(values.end(), std::move(value));
    }
    return true;
  }
};
template <typename A, typename B>
struct Codec<std::pair<const A, B>> {
  static void write(std::string& out, const std::pair<const A, B>& value) {
    Codec<A>::write(out, value.first);
    Codec<B>::write(out, value.second);
  }
};
template <typename T>
struct Codec<std::vector<T>> : ContainerCodec<std::vector<T>, T> {};
template <typename T>
struct Codec<std::set<T>> : ContainerCodec<std::set<T>, T> {};
template <typename T>
struct Codec<std::unordered_set<T>> : ContainerCodec<std::unordered_set<T>, T> {};
template <typename K, typename V>
struct Codec<std::map<K, V>> : ContainerCodec<std::map<K, V>, std::pair<K, V>> {};
template <typename K, typename V>
struct Codec<std::unordered_map<K, V>> : ContainerCodec<std::unordered_map<K, V>, std::pair<K, V>> {
};

template <DescribedStruct T>
struct Codec<T> {
  using Members = boost::describe::describe_members<T, boost::describe::mod_public>;
  static void write(std::string& out, const T& value) {
    boost::mp11::mp_for_each<Members>([&](auto d) {
      using M = std::remove_cvref_t<decltype(value.*d.pointer)>;
      static_assert(!std::is_same_v<M, std::string_view>,
                    "Tidegate: state cannot hold std::string_view, which points into a batch that "
                    "is gone by then; use std::string.");
      Codec<M>::write(out, value.*d.pointer);
    });
  }
  static bool read(std::string_view& in, T& value) {
    bool good = true;
    boost::mp11::mp_for_each<Members>([&](auto d) {
      good = good &&
             Codec<std::remove_cvref_t<decltype(value.*d.pointer)>>::read(in, value.*d.pointer);
    });
    return good;
  }
};

}  // namespace tidegate
