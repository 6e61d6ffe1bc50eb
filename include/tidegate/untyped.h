// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tidegate/async.h"
#include "tidegate/column.h"
#include "tidegate/connectors.h"
#include "tidegate/failures.h"
#include "tidegate/join.h"
#include "tidegate/model.h"
#include "tidegate/record.h"
#include "tidegate/status.h"
#include "tidegate/windows.h"

namespace tidegate {
struct ColumnAggregate;  // row.h
struct Ttl;              // process.h
}  // namespace tidegate

/// What typed streams are made of: plan nodes with native functions that work on whole batches. The
/// templates of stream.h call these; programs have no need to.
namespace tidegate::untyped {

/// A stream in the plan under construction: a node and one of its outputs.
struct NodeRef {
  std::shared_ptr<void> node;  ///< plan::Node
  int side = -1;               ///< -1: main output
};

/// Rows in, rows out. Called from one thread at a time per task; may be copied per task, so mutable
/// lambdas keep state per task that no epoch saves.
using MapBatch = std::function<void(const BatchView& in, BatchWriter& out)>;
/// Appends the indices of the rows to keep, rising.
using FilterBatch = std::function<void(const BatchView& in, std::vector<std::int32_t>& keep)>;
/// The event time (ms) of every row.
using TimeBatch = std::function<void(const BatchView& in, EventTime* times)>;

/// An aggregate of the program's own. Accumulators are `size_bytes` in place, 8-aligned.
class NativeAggregate {
 public:
  virtual ~NativeAggregate() = default;
  virtual std::vector<ColumnSpec> result_columns() const = 0;
  virtual std::int32_t size_bytes() const = 0;
  virtual void create(std::byte* accumulator) const = 0;
  virtual void destroy(std::byte* accumulator) const = 0;
  /// Row i of `in` goes to accumulators[i].
  virtual void add(std::byte* const* accumulators, const BatchView& in) const = 0;
  virtual bool can_retract() const = 0;
  virtual void retract(std::byte* const* accumulators, const BatchView& in) const = 0;
  virtual bool can_merge() const = 0;
  virtual void merge(std::byte* into, const std::byte* from) const = 0;
  virtual void result(const std::byte* accumulator, BatchWriter& out) const = 0;
  virtual void serialize(const std::byte* accumulator, std::string& out) const = 0;
  virtual bool deserialize(std::string_view& in, std::byte* accumulator) const = 0;
};

/// Sources, sinks and formats of the program's own; custom.h holds their typed forms.
class NativeReader {
 public:
  enum class State : std::uint8_t { kRows, kPending, kEnd };
  virtual ~NativeReader() = default;
  virtual Result<State> poll(BatchWriter& out, std::int64_t max_rows) = 0;
  virtual std::string position() const = 0;
};
class NativeSource {
 public:
  virtual ~NativeSource() = default;
  virtual Result<std::vector<std::string>> splits() = 0;
  virtual bool is_bounded() const = 0;
  virtual bool splits_end() const { return is_bounded(); }
  virtual Result<std::unique_ptr<NativeReader>> open(const std::string& split,
                                                     const std::optional<std::string>& position,
                                                     std::function<void()> wake) = 0;
};
class NativeWriter {
 public:
  virtual ~NativeWriter() = default;
  virtual Status write(const BatchView& rows) = 0;
  virtual Result<std::string> prepare(EpochId epoch) = 0;
};
class NativeSink {
 public:
  virtual ~NativeSink() = default;
  virtual bool is_transactional() const = 0;
  virtual Result<std::unique_ptr<NativeWriter>> open_writer(int task) = 0;
  virtual Status commit(EpochId epoch, const std::string& committable) = 0;
  virtual Status abort(EpochId epoch, const std::string& committable) = 0;
};
struct NativeFormat {
  std::vector<ColumnType> columns;
  std::function<Status(std::string_view record, BatchWriter& out)> decode;
  std::function<void(const BatchView& rows, std::int64_t row, std::string& out)> encode;
};

/// Takes the rows of an epoch.
using EpochFunction = std::function<Status(EpochId epoch, const std::vector<BatchView>& pieces)>;

/// An aggregate of a keyed stream: a built-in function over columns, or a native one over the row.
struct AggregateCall {
  std::string function;        ///< "COUNT", "SUM", ...; empty: `native`
  std::vector<int> arguments;  ///< columns; none for COUNT(*)
  std::shared_ptr<const NativeAggregate> native;
  std::string result_name;  ///< column name of a result with one column
};

/// What a trigger may ask for while it handles a row or a timer of a window. The timers are those
/// of the window, and go with it.
class WindowTimers {
 public:
  virtual ~WindowTimers() = default;
  virtual EventTime event_time() const = 0;
  virtual EventTime watermark() const = 0;
  virtual std::int64_t processing_time() const = 0;
  virtual void add_timer(bool event_time, std::int64_t time) = 0;
  virtual void remove_timer(bool event_time, std::int64_t time) = 0;
};

/// A trigger, shared by all tasks; `state` is the bytes of a window's State. trigger.h holds the
/// typed form.
class NativeTrigger {
 public:
  virtual ~NativeTrigger() = default;
  virtual std::string initial_state() const = 0;
  /// The watermark must move between rows, as it does in the order of rows.
  virtual bool orders_rows() const = 0;
  virtual TriggerResult on_row(std::string& state, const BatchView& in, std::int64_t row,
                               const WindowSpan& window, WindowTimers& timers) const = 0;
  virtual TriggerResult on_timer(std::string& state, bool event_time, std::int64_t time,
                                 const WindowSpan& window, WindowTimers& timers) const = 0;
  virtual bool can_merge() const = 0;
  virtual void merge(std::string& into, std::string_view from) const = 0;
  /// Windows have merged to `window`, which has no timers yet.
  virtual void on_merge(std::string& state, const WindowSpan& window,
                        WindowTimers& timers) const = 0;
};

/// A window over a keyed (or whole) stream and how it emits.
struct WindowSpec {
  Window window;
  Grace grace;
  Emit emit = Emit::kOnClose;
  std::string late_output;  ///< name of the side output that takes late rows; empty: none
  std::shared_ptr<const NativeTrigger> trigger;  ///< in place of `emit`
  bool processing_time = false;                  ///< windows by the clock at a row's arrival
};

/// How a source tells event time.
struct TimeSpec {
  bool bounded_disorder = true;  ///< else no watermark
  milliseconds delay{0};
  milliseconds idle_timeout{0};
  milliseconds max_drift{0};
  int column = -1;                                              ///< event time column, or
  TimeBatch extract;                                            ///< a function of the row
  std::function<std::function<EventTime(EventTime)>()> custom;  ///< a generator per split
};

/// One input of a join.
struct JoinSide {
  NodeRef node;
  std::vector<int> keys;
  std::size_t columns = 0;  ///< of the row; those behind (computed keys) do not come out
};

/// Where the answer of an asynchronous call goes, from any thread; the first one counts.
class AsyncReply {
 public:
  virtual ~AsyncReply() = default;
  virtual void complete(BatchWriter& rows) = 0;
  virtual void fail(Status status) = 0;
};
/// Begins a call for row 0 of a batch of one.
using AsyncCall = std::function<void(const BatchView& row, std::shared_ptr<AsyncReply> reply)>;

/// State of the current key as bytes.
class BytesValue {
 public:
  virtual ~BytesValue() = default;
  /// Valid until the next call.
  virtual std::optional<std::string_view> get() = 0;
  virtual Status set(std::string_view bytes) = 0;
  /// Adds to the end of the value, in the time that the added bytes take.
  virtual Status append(std::string_view bytes) = 0;
  virtual void clear() = 0;
};
class BytesList {
 public:
  virtual ~BytesList() = default;
  virtual void for_each(const std::function<void(std::string_view)>& visit) = 0;
  virtual Status add(std::string_view bytes) = 0;
  virtual void clear() = 0;
};
class BytesMap {
 public:
  virtual ~BytesMap() = default;
  virtual std::optional<std::string_view> get(std::string_view key) = 0;
  virtual Status put(std::string_view key, std::string_view value) = 0;
  virtual void erase(std::string_view key) = 0;
  virtual void for_each(
      const std::function<void(std::string_view key, std::string_view value)>& visit) = 0;
  virtual void clear() = 0;
};

/// What a process function may ask for.
class ProcessServices {
 public:
  virtual ~ProcessServices() = default;
  virtual std::shared_ptr<BytesValue> value_state(std::string_view name, const Ttl& ttl) = 0;
  virtual std::shared_ptr<BytesList> list_state(std::string_view name, const Ttl& ttl) = 0;
  virtual std::shared_ptr<BytesMap> map_state(std::string_view name, const Ttl& ttl) = 0;
  /// One map for all keys, the same in every task; written by rows of a broadcast input only.
  virtual std::shared_ptr<BytesMap> broadcast_state(std::string_view name) = 0;
  virtual int task() const = 0;

  virtual void select(std::int64_t row) = 0;
  /// The key columns of the current row or timer, one row.
  virtual BatchView key() = 0;
  virtual EventTime event_time() const = 0;
  virtual EventTime watermark() const = 0;
  virtual std::int64_t processing_time() const = 0;
  virtual Status add_timer(bool event_time, std::int64_t time) = 0;
  virtual void remove_timer(bool event_time, std::int64_t time) = 0;
  virtual BatchWriter& output(int side) = 0;
  virtual BatchWriter& side_output(std::string_view name) = 0;
  /// Of rows that are emitted from now on; until another row or timer is the current one.
  virtual void set_event_time(EventTime time) = 0;
  virtual bool is_event_timer() const = 0;  ///< while a timer is handled
  virtual void count_late_row() = 0;

  /// Makes a window of the current key the place of state and timers, and back.
  virtual void select_window(EventTime start, EventTime end) = 0;
  virtual void select_key() = 0;
  /// The window whose timer is handled.
  virtual WindowSpan timer_window() const = 0;
};

/// What a program does with the rows of windows; one per task. `contents` are the bytes that state
/// holds of a window: its rows one after another, or an accumulator. window_function.h holds the
/// typed form.
class NativeWindow {
 public:
  virtual ~NativeWindow() = default;
  virtual void open(ProcessServices& services) = 0;
  virtual bool keeps_rows() const = 0;
  /// With keeps_rows() appends the row, else adds it to the accumulator (empty: none yet).
  virtual void add(const BatchView& in, std::int64_t row, EventTime time,
                   std::string& contents) = 0;
  virtual void merge(std::string& contents, std::string_view from) = 0;
  /// Calls the function of the program; true when it has changed the contents (evictors).
  virtual bool fire(const WindowSpan& window, std::string& contents, ProcessServices& services) = 0;
  virtual void write_row(const BatchView& in, std::int64_t row, BatchWriter& out) const = 0;
};

/// A process function of the program, one per task.
class NativeProcess {
 public:
  virtual ~NativeProcess() = default;
  virtual void open(ProcessServices& services) = 0;
  virtual void process(int input, const BatchView& batch, ProcessServices& services) = 0;
  virtual void on_timer(EventTime time, ProcessServices& services) = 0;
};

/// A named side output and its columns.
struct SideSpec {
  std::string name;
  std::vector<ColumnSpec> columns;
};

/// An input of a process function: keyed by columns, or with all of its rows in every task.
struct ProcessInput {
  NodeRef node;
  std::vector<int> keys;
  bool broadcast = false;
  /// Rows stay in the task that they are in: it has all rows of their keys, or there are none.
  bool in_place = false;
};

/// The plan of a program under construction.
class Plan {
 public:
  explicit Plan(std::string job_name);
  ~Plan();
  Plan(Plan&&) noexcept;
  Plan& operator=(Plan&&) noexcept;

  NodeRef source(const ConnectorSpec& spec, std::vector<ColumnSpec> columns);
  NodeRef source(std::string name, std::vector<ColumnSpec> columns,
                 std::shared_ptr<NativeSource> custom);
  void event_time(const NodeRef& source, TimeSpec time);
  NodeRef map(const NodeRef& input, std::string name, std::vector<ColumnSpec> columns,
              MapBatch map);
  NodeRef filter(const NodeRef& input, std::string name, FilterBatch filter);
  NodeRef merge(const std::vector<NodeRef>& inputs);
  /// `members`: of the input, per input of the model. `columns`: those of the input by their names,
  /// the others are what the model answers.
  NodeRef predict(const NodeRef& input, const ModelSpec& model, std::vector<int> members,
                  const std::vector<ColumnSpec>& columns);
  NodeRef window_aggregate(const NodeRef& input, std::vector<int> keys, WindowSpec window,
                           std::vector<AggregateCall> calls);
  NodeRef interval_join(const JoinSide& left, const JoinSide& right, JoinType type,
                        Between interval, std::vector<ColumnSpec> columns);
  NodeRef window_join(const JoinSide& left, const JoinSide& right, JoinType type, Window window,
                      std::vector<ColumnSpec> columns);
  /// `uses_time`: the function has timers, so rows and timers must come in the order of event time.
  /// `groups_rows`: each call has the rows of one key, all that came since the epoch began or the
  /// watermark moved last.
  NodeRef process(const std::vector<ProcessInput>& inputs, std::vector<ColumnSpec> columns,
                  std::vector<SideSpec> sides, bool uses_time,
                  std::function<std::unique_ptr<NativeProcess>()> make, bool groups_rows = false);
  /// Windows with a trigger, an evictor or a function of the program.
  NodeRef window(const NodeRef& input, std::vector<int> keys, WindowSpec spec,
                 std::vector<ColumnSpec> columns, std::vector<SideSpec> sides, bool orders_rows,
                 std::function<std::unique_ptr<NativeWindow>()> make);
  /// Rows as the changes that column 0 says they are (the names of SQL: "UPDATE_AFTER"), without
  /// that column. The next `keys` columns are their key.
  NodeRef from_changelog(const NodeRef& rows, std::size_t keys);
  /// Says that the first `keys` columns of a source are its key.
  void primary_key(const NodeRef& source, std::size_t keys);
  void on_row_failure(RowFailureHandler handler);
  /// The rows of each task in the order of event time, once the watermark has passed them.
  NodeRef in_time_order(const NodeRef& input);
  /// The side output of this name.
  NodeRef side_output(const NodeRef& node, std::string_view name);
  NodeRef call_async(const NodeRef& input, std::vector<ColumnSpec> columns, AsyncOptions options,
                     bool blocking, AsyncCall call);
  NodeRef aggregate(const NodeRef& input, std::vector<int> keys, std::vector<AggregateCall> calls);
  void sink(const NodeRef& input, const ConnectorSpec& spec);
  void sink(const NodeRef& input, std::string name, std::shared_ptr<NativeSink> custom);
  /// A sink that is a function: called with every batch, from one thread at a time.
  void sink(const NodeRef& input, std::string name,
            std::function<void(const BatchView& rows)> take);
  /// A sink that is a function of whole epochs, called with all rows of one (in pieces; none for an
  /// empty one) when it has committed. The same epoch may come again after a failure.
  void sink(const NodeRef& input, std::string name, EpochFunction take);

  /// Sets the name that people see and the identity of the node's state.
  void name(const NodeRef& node, std::string name);
  void parallelism(const NodeRef& node, int parallelism);

  /// The columns of a stream.
  std::vector<ColumnSpec> columns(const NodeRef& node) const;
  /// Position of a column by name. When there is none, an error of building, and 0.
  int column(const NodeRef& node, std::string_view name);
  std::vector<AggregateCall> aggregate_calls(const NodeRef& node,
                                             const std::vector<ColumnAggregate>& aggregates);

  /// First error of building so far; runs and explains report it.
  const Status& status() const;
  struct State;
  const State& state() const { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

}  // namespace tidegate::untyped
