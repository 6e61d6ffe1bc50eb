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

/// TIMESTAMP(3) of one side of all windows.
Result<ArrayPtr> time_column(const std::vector<TimeSpan>& windows, EventTime TimeSpan::*side) {
  TG_ASSIGN_OR_RETURN(BufferPtr buffer, allocate(windows.size() * sizeof(EventTime)));
  auto* times = buffer->mutable_data_as<EventTime>();
  for (std::size_t i = 0; i < windows.size(); ++i) times[i] = windows[i].*side;
  return ArrayPtr(std::make_shared<arrow::TimestampArray>(arrow::timestamp(arrow::TimeUnit::MILLI),
                                                          static_cast<std::int64_t>(windows.size()),
                                                          std::move(buffer)));
}

}  // namespace

void ResultRows::clear() {
  keys.clear();
  values.clear();
  windows.clear();
  kinds.clear();
  times.clear();
}

Result<Batch> KeyedResults::build(const ResultRows& rows) const {
  std::vector<ArrayPtr> columns;
  if (with_keys_) {
    TG_ASSIGN_OR_RETURN(columns, codec_.decode(rows.keys));
  }
  if (!rows.windows.empty()) {
    TG_ASSIGN_OR_RETURN(ArrayPtr starts, time_column(rows.windows, &TimeSpan::start));
    TG_ASSIGN_OR_RETURN(ArrayPtr ends, time_column(rows.windows, &TimeSpan::end));
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
  if (!rows.times.empty()) {
    TG_ASSIGN_OR_RETURN(BufferPtr times, buffer_of(rows.times));
    batch.set_event_times(std::move(times));
  }
  return batch;
}

}  // namespace tidegate
