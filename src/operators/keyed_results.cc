// SPDX-License-Identifier: Apache-2.0
#include "operators/keyed_results.h"

#include <arrow/array/array_primitive.h>
#include <arrow/buffer.h>
#include <arrow/type.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "types/arrow_status.h"

namespace tidegate {
namespace {

using BufferPtr = std::shared_ptr<arrow::Buffer>;

Result<BufferPtr> allocate(std::size_t bytes) {
  TG_ASSIGN_ARROW_OR_RETURN(BufferPtr buffer,
                            arrow::AllocateBuffer(static_cast<std::int64_t>(bytes)),
                            "allocate results");
  return buffer;
}

template <typename T>
Result<BufferPtr> buffer_of(const std::vector<T>& values) {
  TG_ASSIGN_OR_RETURN(BufferPtr buffer, allocate(values.size() * sizeof(T)));
  if (!values.empty())
    std::memcpy(buffer->mutable_data(), values.data(), values.size() * sizeof(T));
  return buffer;
}

Result<BufferPtr> buffer_of(EventTime time, std::size_t rows) {
  TG_ASSIGN_OR_RETURN(BufferPtr buffer, allocate(rows * sizeof(EventTime)));
  std::fill_n(buffer->mutable_data_as<EventTime>(), rows, time);
  return buffer;
}

/// TIMESTAMP(3) of one side of the rows' windows.
Result<ArrayPtr> time_column(const ResultRows& rows, EventTime TimeSpan::*side) {
  BufferPtr buffer;
  if (rows.window) {
    TG_ASSIGN_OR_RETURN(buffer, buffer_of((*rows.window).*side, rows.size()));
  } else {
    TG_ASSIGN_OR_RETURN(buffer, allocate(rows.size() * sizeof(EventTime)));
    auto* times = buffer->mutable_data_as<EventTime>();
    for (std::size_t i = 0; i < rows.size(); ++i) times[i] = rows.windows[i].*side;
  }
  return ArrayPtr(std::make_shared<arrow::TimestampArray>(arrow::timestamp(arrow::TimeUnit::MILLI),
                                                          static_cast<std::int64_t>(rows.size()),
                                                          std::move(buffer)));
}

}  // namespace

void ResultRows::add(const StateTable& table, const AccumulatorLayout& layout,
                     std::span<std::byte* const> state_values) {
  std::size_t count = size();
  keys.resize(count + state_values.size());
  values.resize(count + state_values.size());
  for (std::byte* value : state_values) {
    keys[count] = table.key(value);
    values[count] = value;
    count += layout.has_rows(value) ? 1 : 0;
  }
  keys.resize(count);
  values.resize(count);
}

void ResultRows::clear() {
  keys.clear();
  values.clear();
  windows.clear();
  window.reset();
  kinds.clear();
  times.clear();
  time.reset();
}

Result<Batch> KeyedResults::build(const ResultRows& rows) const {
  std::vector<ArrayPtr> columns;
  if (with_keys_) {
    TG_ASSIGN_OR_RETURN(columns, codec_.decode(rows.keys));
  }
  if (rows.window || !rows.windows.empty()) {
    TG_ASSIGN_OR_RETURN(ArrayPtr starts, time_column(rows, &TimeSpan::start));
    TG_ASSIGN_OR_RETURN(ArrayPtr ends, time_column(rows, &TimeSpan::end));
    columns.push_back(std::move(starts));
    columns.push_back(std::move(ends));
  }
  TG_RETURN_IF_ERROR(layout_->results(rows.values, columns));
  Batch batch(static_cast<std::int64_t>(rows.size()), std::move(columns));
  if (std::any_of(rows.kinds.begin(), rows.kinds.end(),
                  [](RowKind kind) { return kind != RowKind::kInsert; })) {
    TG_ASSIGN_OR_RETURN(BufferPtr kinds, buffer_of(rows.kinds));
    batch.set_row_kinds(std::move(kinds));
  }
  if (rows.time || !rows.times.empty()) {
    TG_ASSIGN_OR_RETURN(BufferPtr times,
                        rows.time ? buffer_of(*rows.time, rows.size()) : buffer_of(rows.times));
    batch.set_event_times(std::move(times));
  }
  return batch;
}

}  // namespace tidegate
