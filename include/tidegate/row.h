// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tidegate/app.h"
#include "tidegate/stream.h"

/// Streams whose columns are known at run time only.
namespace tidegate {

/// A row with columns by name or position. Points into the batch: valid during the call.
class Row {
 public:
  Row(const BatchView& batch, const std::vector<ColumnSpec>& columns, std::int64_t row)
      : batch_(&batch), columns_(&columns), row_(row) {}

  const std::vector<ColumnSpec>& columns() const { return *columns_; }
  /// Position of a column by name; -1: there is none.
  int index_of(std::string_view name) const {
    for (std::size_t i = 0; i < columns_->size(); ++i) {
      if ((*columns_)[i].name == name) return static_cast<int>(i);
    }
    return -1;
  }
  bool is_null(int column) const { return view(column).is_null(row_); }
  /// The value as T, which must be the column's type; std::optional<T> where it may be null. What
  /// does not fit throws, and stops the job with the column's name.
  template <ScalarType T>
  T get(int column) const {
    if (column < 0 || static_cast<std::size_t>(column) >= columns_->size()) {
      throw std::out_of_range("the row has no such column");
    }
    const ColumnSpec& spec = (*columns_)[static_cast<std::size_t>(column)];
    if (spec.type != Scalar<T>::kType) {
      throw std::invalid_argument("column '" + spec.name + "' is of another type");
    }
    if (!Scalar<T>::kNullable && is_null(column)) {
      throw std::invalid_argument("column '" + spec.name + "' is null; read std::optional");
    }
    return Scalar<T>::read(view(column), row_);
  }
  template <ScalarType T>
  T get(std::string_view name) const {
    const int column = index_of(name);
    if (column < 0) throw std::out_of_range("the row has no column '" + std::string(name) + "'");
    return get<T>(column);
  }

 private:
  const ColumnView& view(int column) const {
    return batch_->columns[static_cast<std::size_t>(column)];
  }

  const BatchView* batch_;
  const std::vector<ColumnSpec>* columns_;
  std::int64_t row_;
};

/// An aggregate over a column by name.
struct ColumnAggregate {
  std::string function;  ///< "COUNT", "SUM", "MIN", "MAX", "AVG", ...
  std::string column;    ///< empty: all rows
  std::string result;    ///< name of the result's column
};
inline ColumnAggregate count(std::string result = "count") { return {"COUNT", "", result}; }
inline ColumnAggregate sum(std::string column) { return {"SUM", column, "sum_" + column}; }
inline ColumnAggregate min(std::string column) { return {"MIN", column, "min_" + column}; }
inline ColumnAggregate max(std::string column) { return {"MAX", column, "max_" + column}; }
inline ColumnAggregate avg(std::string column) { return {"AVG", column, "avg_" + column}; }

class KeyedRows;
class WindowedRows;

/// A stream of rows. A column that does not exist is reported, with the nearest name, when the job
/// is started.
class RowStream {
 public:
  RowStream(untyped::Plan* plan, untyped::NodeRef node) : plan_(plan), node_(std::move(node)) {}

  std::vector<ColumnSpec> columns() const { return plan_->columns(node_); }

  /// Right after row_source().
  RowStream event_time(std::string_view column, Disorder disorder) const {
    untyped::TimeSpec time = time_spec(std::move(disorder));
    time.column = plan_->column(node_, column);
    plan_->event_time(node_, std::move(time));
    return *this;
  }
  template <std::predicate<const Row&> F>
  RowStream filter(F predicate) const {
    auto keep_rows = [predicate, columns = columns()](const BatchView& in,
                                                      std::vector<std::int32_t>& keep) mutable {
      for_each_row(in, [&](std::int64_t row) {
        if (predicate(Row(in, columns, row))) keep.push_back(static_cast<std::int32_t>(row));
      });
    };
    return RowStream(plan_, plan_->filter(node_, "filter", std::move(keep_rows)));
  }
  /// To a typed stream.
  template <typename F, typename U = std::remove_cvref_t<std::invoke_result_t<F&, const Row&>>>
  Stream<U> map(F f) const {
    auto map_rows = [f, columns = columns()](const BatchView& in, BatchWriter& out) mutable {
      for_each_row(in, [&](std::int64_t row) {
        Record<U>::write(out, 0, f(Row(in, columns, row)));
        out.end_row(static_cast<std::int32_t>(row));
      });
    };
    return Stream<U>(plan_, plan_->map(node_, "map", record_columns<U>(), std::move(map_rows)));
  }
  KeyedRows key_by(const std::vector<std::string>& columns) const;

  void sink(const ConnectorSpec& spec) const { plan_->sink(node_, spec); }
  void print() const { sink(tidegate::print()); }
  template <std::invocable<const Row&> F>
  void for_each(F f, As name = as("for_each")) const {
    plan_->sink(node_, std::move(name.name),
                [f, columns = columns()](const BatchView& rows) mutable {
                  for_each_row(rows, [&](std::int64_t row) { f(Row(rows, columns, row)); });
                });
  }

 private:
  untyped::Plan* plan_;
  untyped::NodeRef node_;
};

/// Rows in windows per key.
class WindowedRows {
 public:
  WindowedRows(untyped::Plan* plan, untyped::NodeRef node, std::vector<int> keys,
               untyped::WindowSpec window)
      : plan_(plan), node_(std::move(node)), keys_(std::move(keys)), window_(window) {}
  WindowedRows emit(Emit policy) const {
    WindowedRows copy = *this;
    copy.window_.emit = policy;
    return copy;
  }
  /// Columns: keys, window_start, window_end, results.
  RowStream aggregate(const std::vector<ColumnAggregate>& aggregates,
                      As name = as("aggregate")) const {
    untyped::NodeRef node =
        plan_->window_aggregate(node_, keys_, window_, plan_->aggregate_calls(node_, aggregates));
    plan_->name(node, std::move(name.name));
    return RowStream(plan_, node);
  }

 private:
  untyped::Plan* plan_;
  untyped::NodeRef node_;
  std::vector<int> keys_;
  untyped::WindowSpec window_;
};

/// Rows partitioned by columns.
class KeyedRows {
 public:
  KeyedRows(untyped::Plan* plan, untyped::NodeRef node, std::vector<int> keys)
      : plan_(plan), node_(std::move(node)), keys_(std::move(keys)) {}
  WindowedRows window(Window window, Grace grace = {}) const {
    untyped::WindowSpec spec;
    spec.window = window;
    spec.grace = grace;
    return WindowedRows(plan_, node_, keys_, spec);
  }
  /// Running results: columns keys, results.
  RowStream aggregate(const std::vector<ColumnAggregate>& aggregates,
                      As name = as("aggregate")) const {
    untyped::NodeRef node =
        plan_->aggregate(node_, keys_, plan_->aggregate_calls(node_, aggregates));
    plan_->name(node, std::move(name.name));
    return RowStream(plan_, node);
  }

 private:
  untyped::Plan* plan_;
  untyped::NodeRef node_;
  std::vector<int> keys_;
};

inline KeyedRows RowStream::key_by(const std::vector<std::string>& columns) const {
  std::vector<int> keys;
  for (const std::string& column : columns) keys.push_back(plan_->column(node_, column));
  return KeyedRows(plan_, node_, std::move(keys));
}

/// Rows of a connector with columns that are named here:
///   row_source(app, files("in").format(json()), {{"url", ColumnType::kString}, ...})
inline RowStream row_source(App& app, const ConnectorSpec& spec, std::vector<ColumnSpec> columns) {
  return RowStream(&app.plan(), app.plan().source(spec, std::move(columns)));
}

}  // namespace tidegate
