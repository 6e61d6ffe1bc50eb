// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "tidegate/aggregate.h"
#include "tidegate/evictor.h"
#include "tidegate/process.h"
#include "tidegate/state.h"
#include "tidegate/untyped.h"
#include "tidegate/windows.h"

/// Functions over all rows of a window.
namespace tidegate {

/// What a window function may ask for.
template <RecordType K, RecordType Out>
class WindowContext {
 public:
  WindowContext(const WindowSpan& window, untyped::ProcessServices& services)
      : window_(window), services_(services) {}

  K key() const { return Record<K>::read(services_.key(), 0, 0); }
  const WindowSpan& window() const { return window_; }
  Timestamp watermark() const { return Timestamp(services_.watermark()); }
  Timestamp processing_time() const { return Timestamp(services_.processing_time()); }

  /// A result; its event time is the last millisecond of the window (in windows of rows, that of
  /// the row that completed it).
  void emit(const Out& row) {
    BatchWriter& out = services_.output(-1);
    Record<Out>::write(out, 0, row);
    out.end_row(0);
  }
  template <RecordType U>
  void emit(const SideOutput<U>& side, const U& row) {
    BatchWriter& out = services_.side_output(side.name);
    Record<U>::write(out, 0, row);
    out.end_row(0);
  }

 private:
  const WindowSpan& window_;
  untyped::ProcessServices& services_;
};

/// A function over windows; V is std::vector<T>, all rows in the order of arrival, or the result of
/// an aggregate that has seen them one by one:
///   struct Median {
///     void process(const std::vector<Click>& rows, WindowContext<std::string, Result>& context);
///     void open(StateOpener& state);  // optional: state per key, over all of its windows
///   };
/// It is copied once per task.
template <typename F, typename V, typename K, typename Out>
concept WindowFunctionOf = std::copy_constructible<F> &&
    requires(F& f, const V& value, WindowContext<K, Out>& context) {
  f.process(value, context);
};

/// Emits the value of an aggregate with its key and window: what windows do without a function.
template <template <typename, typename> typename R>
struct EmitValue {
  template <typename V, typename K>
  void process(const V& value, WindowContext<K, R<K, V>>& context) const {
    if constexpr (requires { R<K, V>::window_start; }) {
      context.emit({context.key(), context.window().start, context.window().end, value});
    } else {
      context.emit({context.key(), value});
    }
  }
};

/// The built-in aggregates for windows that have a trigger or an evictor.
template <typename T>
struct CountRows {
  using Accumulator = std::int64_t;
  Accumulator create() const { return 0; }
  void add(Accumulator& count, const T&) const { ++count; }
  void merge(Accumulator& into, Accumulator from) const { into += from; }
  std::int64_t result(Accumulator count) const { return count; }
};
/// SUM, MIN or MAX of a member.
template <typename T, typename M, typename F>
struct FoldMember {
  using Accumulator = std::optional<M>;
  M T::*member;
  F fold{};
  Accumulator create() const { return std::nullopt; }
  void add(Accumulator& value, const T& row) const {
    value = value ? fold(*value, row.*member) : row.*member;
  }
  void merge(Accumulator& into, const Accumulator& from) const {
    if (from) into = into ? fold(*into, *from) : *from;
  }
  M result(const Accumulator& value) const { return value.value_or(M{}); }
};
struct AddNumbers {
  template <typename M>
  M operator()(const M& a, const M& b) const {
    if constexpr (std::is_integral_v<M>) {
      M sum{};
      if (__builtin_add_overflow(a, b, &sum)) throw std::overflow_error("SUM: out of range");
      return sum;
    } else {
      return a + b;
    }
  }
};
struct SmallerOf {
  template <typename M>
  M operator()(const M& a, const M& b) const {
    return b < a ? b : a;
  }
};
struct LargerOf {
  template <typename M>
  M operator()(const M& a, const M& b) const {
    return a < b ? b : a;
  }
};

namespace untyped {

/// An evictor of some type over rows of T.
template <typename T>
class RowEvictor {
 public:
  using Rows = std::vector<WindowRow<T>>;
  virtual ~RowEvictor() = default;
  virtual void before(Rows& rows, const WindowSpan& window, const EvictorTime& time) const = 0;
  virtual void after(Rows& rows, const WindowSpan& window, const EvictorTime& time) const = 0;
};
template <typename T, EvictorOf<T> E>
class TypedEvictor final : public RowEvictor<T> {
 public:
  using typename RowEvictor<T>::Rows;
  explicit TypedEvictor(E evictor) : evictor_(std::move(evictor)) {}
  void before(Rows& rows, const WindowSpan& window, const EvictorTime& time) const override {
    if constexpr (EvictsBefore<E, T>) evictor_.before(rows, window, time);
  }
  void after(Rows& rows, const WindowSpan& window, const EvictorTime& time) const override {
    if constexpr (EvictsAfter<E, T>) evictor_.after(rows, window, time);
  }

 private:
  E evictor_;
};

/// No aggregate: the function takes all rows.
struct AllRows {};

/// Keeps and hands over the rows of windows for a function of type F.
template <typename T, typename K, typename Out, typename A, typename F>
class TypedWindow final : public NativeWindow {
 public:
  static constexpr bool kAggregates = !std::is_same_v<A, AllRows>;
  static constexpr bool kHasState = requires(F & f, StateOpener& state) { f.open(state); };

  TypedWindow(A aggregate, F function, std::shared_ptr<const RowEvictor<T>> evictor)
      : aggregate_(std::move(aggregate)),
        function_(std::move(function)),
        evictor_(std::move(evictor)) {}

  void open(ProcessServices& services) override {
    if constexpr (kHasState) {
      StateOpener opener(services);
      function_.open(opener);
    }
  }
  bool keeps_rows() const override { return !kAggregates || evictor_ != nullptr; }
  void add(const BatchView& in, std::int64_t row, EventTime time, std::string& contents) override {
    const T value = Record<T>::read(in, 0, row);
    if (keeps_rows()) {
      write({value, Timestamp(time)}, contents);
      return;
    }
    if constexpr (kAggregates) {
      auto accumulator = contents.empty() ? aggregate_.create() : decode<Accumulator>(contents);
      aggregate_.add(accumulator, value);
      contents.clear();
      Codec<Accumulator>::write(contents, accumulator);
    }
  }
  void merge(std::string& contents, std::string_view from) override {
    if (keeps_rows()) {
      contents.append(from);
      return;
    }
    if constexpr (kAggregates) {
      if constexpr (requires(const A& a, Accumulator& x) { a.merge(x, x); }) {
        Accumulator into = decode<Accumulator>(contents);
        aggregate_.merge(into, decode<Accumulator>(from));
        contents.clear();
        Codec<Accumulator>::write(contents, into);
      } else {
        throw std::logic_error("session windows need merge() of the aggregate");
      }
    }
  }
  bool fire(const WindowSpan& window, std::string& contents, ProcessServices& services) override {
    WindowContext<K, Out> context(window, services);
    if (!keeps_rows()) {
      if constexpr (kAggregates) {
        function_.process(aggregate_.result(decode<Accumulator>(contents)), context);
      }
      return false;
    }
    std::vector<WindowRow<T>> rows = read_rows(contents);
    const std::size_t before = rows.size();
    const EvictorTime now{context.watermark(), context.processing_time()};
    if (evictor_ != nullptr) evictor_->before(rows, window, now);
    if (!rows.empty()) call(rows, context);
    if (evictor_ != nullptr) evictor_->after(rows, window, now);
    if (rows.size() == before) return false;
    contents.clear();
    for (const WindowRow<T>& row : rows) write(row, contents);
    return true;
  }
  void write_row(const BatchView& in, std::int64_t row, BatchWriter& out) const override {
    Record<T>::write(out, 0, Record<T>::read(in, 0, row));
    out.end_row(0);
  }

 private:
  template <typename B>
  struct AccumulatorOf {
    using Type = std::monostate;
  };
  template <typename B>
  requires requires { typename B::Accumulator; }
  struct AccumulatorOf<B> {
    using Type = typename B::Accumulator;
  };
  using Accumulator = typename AccumulatorOf<A>::Type;

  template <typename S>
  static S decode(std::string_view bytes) {
    return decode_state<S>(bytes);
  }
  static void write(const WindowRow<T>& row, std::string& out) {
    Codec<Timestamp>::write(out, row.time);
    Codec<T>::write(out, row.row);
  }
  static std::vector<WindowRow<T>> read_rows(std::string_view bytes) {
    std::vector<WindowRow<T>> rows;
    while (!bytes.empty()) {
      WindowRow<T>& row = rows.emplace_back();
      if (!Codec<Timestamp>::read(bytes, row.time) || !Codec<T>::read(bytes, row.row)) {
        throw std::runtime_error("the state of a window is not of the type asked for");
      }
    }
    return rows;
  }
  void call(const std::vector<WindowRow<T>>& rows, WindowContext<K, Out>& context) {
    if constexpr (kAggregates) {
      auto accumulator = aggregate_.create();
      for (const WindowRow<T>& row : rows) aggregate_.add(accumulator, row.row);
      function_.process(aggregate_.result(accumulator), context);
    } else {
      std::vector<T> values;
      values.reserve(rows.size());
      for (const WindowRow<T>& row : rows) values.push_back(row.row);
      function_.process(values, context);
    }
  }

  A aggregate_;
  F function_;
  std::shared_ptr<const RowEvictor<T>> evictor_;
};

}  // namespace untyped

}  // namespace tidegate
