// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tidegate/app.h"
#include "tidegate/record.h"
#include "tidegate/row_kind.h"
#include "tidegate/time.h"

namespace tidegate {

struct TestOptions {
  int splits = 1;          ///< of every source
  int parallelism = 1;     ///< tasks per operator
  std::uint64_t seed = 1;  ///< of the order in which tasks run; same seed, same run
  Timestamp start{};       ///< processing time at the beginning
  /// Sources of the program's own that run as they are, by name; rows are pushed into all others.
  /// Sinks of the program's own always run as they are.
  std::vector<std::string> own_sources = {};
};

/// A row of a changelog.
template <typename U>
struct Change {
  RowKind kind = RowKind::kInsert;
  U row{};
};

/// Runs the pipeline of an App without any outside system, on the caller's thread and with virtual
/// time: rows are pushed into sources, and read from sinks, by the names of their connectors (a
/// topic, a path, or what named() said).
///
///   TestDriver driver(app);
///   driver.push("clicks", Click{"/home", Timestamp(1000)});
///   driver.advance_event_time("clicks", Timestamp(600'000));
///   EXPECT_EQ(driver.read<Windowed<std::string, std::int64_t>>("click-counts").size(), 1);
///
/// What state holds is read as of a running job:
///
///   driver.value_state<std::int64_t>("velocity", "last", std::string("card-1"));
///
/// Every call returns when nothing is left to do at the present time. The first error ends the job;
/// status() tells it.
class TestDriver : public LiveState {
 public:
  explicit TestDriver(App& app, TestOptions options = {});
  ~TestDriver() override;
  TestDriver(TestDriver&&) noexcept;
  TestDriver& operator=(TestDriver&&) noexcept;

  template <RecordType T>
  void push(std::string_view source, const T& row, int split = 0) {
    push(source, std::vector<T>{row}, split);
  }
  /// As one batch. The answer never depends on how rows are cut into batches.
  template <RecordType T>
  void push(std::string_view source, const std::vector<T>& rows, int split = 0) {
    BatchWriter writer(column_types<T>());
    for (const T& row : rows) {
      Record<T>::write(writer, 0, row);
      writer.end_row(0);
    }
    push_rows(source, split, writer);
  }
  /// Changes: rows of a table that has a key, and deletes.
  template <RecordType T>
  void push(std::string_view source, const std::vector<Change<T>>& changes, int split = 0) {
    BatchWriter writer(column_types<T>());
    std::vector<RowKind> kinds;
    for (const Change<T>& change : changes) {
      Record<T>::write(writer, 0, change.row);
      writer.end_row(0);
      kinds.push_back(change.kind);
    }
    push_rows(source, split, writer, kinds);
  }
  /// Records in the format of the source's connector, through its decoder: "{\"url\":\"/\"}\n". A
  /// record that cannot be read is for the source's error policy; if that is to fail, the answer
  /// says which line and why, and nothing is pushed.
  Status push_text(std::string_view source, std::string_view text, int split = 0);
  /// Says that no more rows with event time before `t` come in this split.
  void advance_event_time(std::string_view source, Timestamp t, int split = 0);
  /// Moves the clock; timers and time-outs on the way run in order.
  void advance_processing_time(std::chrono::milliseconds by);
  /// Sources read nothing until resume(); rows may be pushed.
  void pause();
  void resume();
  /// All sources end: windows close, and the job finishes.
  void end_input();
  /// Ends an epoch: what the sinks hold is published, and state saved.
  void end_epoch();
  /// Kills the job and starts it again from the last epoch; rows pushed since come again.
  void restart();

  /// The rows that reached the sink since the last read.
  template <RecordType U>
  std::vector<U> read(std::string_view sink) {
    std::vector<U> rows;
    for (Change<U>& change : read_changes<U>(sink)) rows.push_back(std::move(change.row));
    return rows;
  }
  template <RecordType U>
  std::vector<Change<U>> read_changes(std::string_view sink) {
    std::vector<Change<U>> changes;
    take_rows(sink, [&](const BatchView& batch) {
      for (std::int64_t row = 0; row < batch.num_rows; ++row) {
        const RowKind kind = batch.row_kinds == nullptr ? RowKind::kInsert : batch.row_kinds[row];
        changes.push_back({kind, Record<U>::read(batch, 0, row)});
      }
    });
    return changes;
  }

  /// The same rows as text, in the format of the sink's connector.
  Result<std::string> read_text(std::string_view sink);

  JobProgress progress() const;
  /// Rows that came too late, over all operators.
  std::int64_t rows_late() const;
  Status status() const;

 private:
  template <RecordType T>
  static std::vector<ColumnType> column_types() {
    std::vector<ColumnType> types;
    for (const ColumnSpec& column : record_columns<T>()) types.push_back(column.type);
    return types;
  }
  Result<Found> read_rows(std::string_view name, const Wanted& wanted,
                          const std::vector<ColumnSpec>& columns,
                          const Visit& visit) const override;
  Result<std::optional<std::string>> read_bytes(std::string_view name, std::string_view state,
                                                BatchWriter& key) const override;
  void push_rows(std::string_view source, int split, BatchWriter& rows,
                 const std::vector<RowKind>& kinds = {});
  void take_rows(std::string_view sink, const std::function<void(const BatchView&)>& take);

  class Session;
  std::unique_ptr<Session> session_;
};

}  // namespace tidegate
