// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "tidegate/process.h"
#include "tidegate/table_functions.h"
#include "tidegate/untyped.h"
#include "tidegate/update.h"
#include "tidegate/windowed_stream.h"

/// How the functions of tables become steps of the plan.
namespace tidegate {

namespace untyped {

/// The first n columns: where a table's rows have their key.
inline std::vector<int> first_columns(std::size_t n) {
  std::vector<int> columns(n);
  std::iota(columns.begin(), columns.end(), 0);
  return columns;
}
/// Rows whose first columns are a key of K.
template <typename K>
ProcessInput keyed_input(NodeRef node) {
  return {std::move(node), first_columns(Record<K>::kColumns)};
}
/// A process function of one input, or of two.
template <typename K, typename T, typename Out, typename F>
NodeRef step(Plan* plan, ProcessInput input, F function, As name) {
  using Process = TypedProcess<F, T, void, K, Out>;
  const NodeRef node =
      plan->process({std::move(input)}, record_columns<Out>(), {}, Process::kUsesEventTime,
                    [function] { return std::make_unique<Process>(function); });
  plan->name(node, std::move(name.name));
  return node;
}
template <typename K, typename T, typename U, typename Out, typename F>
NodeRef connect(Plan* plan, ProcessInput first, ProcessInput second, F function, As name) {
  using Process = TypedProcess<F, T, U, K, Out>;
  const NodeRef node = plan->process({std::move(first), std::move(second)}, record_columns<Out>(),
                                     {}, Process::kUsesEventTime,
                                     [function] { return std::make_unique<Process>(function); });
  plan->name(node, std::move(name.name));
  return node;
}

/// What a member or a function of T gives, when it is there.
template <typename F, typename T>
using FieldOf = table_functions::PresentType<std::invoke_result_t<F&, const T&>>;

/// Rows of a stream as updates without a value before; rows without a key are left out.
template <typename K, typename V, typename T, typename KeyF, typename ValueF>
NodeRef updates_of(Plan* plan, const NodeRef& rows, KeyF key_of, ValueF value_of) {
  static_assert(RecordType<K> && RecordType<V>,
                "Tidegate: the key and the value of a table must be records: a scalar, a described "
                "struct, or a tuple or pair of these.");
  auto updates = [key_of, value_of](const BatchView& in, BatchWriter& out) mutable {
    for_each_row(in, [&](std::int64_t i) {
      const RowKind kind = in.row_kinds == nullptr ? RowKind::kInsert : in.row_kinds[i];
      if (kind == RowKind::kUpdateBefore) return;  // the row after it says what is there now
      const T row = Record<T>::read(in, 0, i);
      std::optional<K> key = table_functions::maybe<K>(std::invoke(key_of, row));
      if (!key) return;
      Update<K, V> update{*std::move(key), {}, {}};
      if (row_kind_adds(kind)) update.after = table_functions::maybe<V>(std::invoke(value_of, row));
      Record<Update<K, V>>::write(out, 0, update);
      out.end_row(static_cast<std::int32_t>(i));
    });
  };
  return plan->map(rows, "updates", record_columns<Update<K, V>>(), std::move(updates));
}

}  // namespace untyped

}  // namespace tidegate
