// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "operators/accumulator_update.h"
#include "operators/ordered_rows.h"
#include "operators/over_functions.h"
#include "operators/stored_rows.h"
#include "state/timer_service.h"
#include "state/ttl.h"

namespace tidegate {

/// OVER windows of rows that come in their order: computes the results of each row when it comes.
/// Rows are gathered first and computed together at flush().
///
/// State "keys", per key: OverState and the accumulators of the frame of the last row. State
/// "history", where frames are bounded or rows before are asked for: the last rows of each key,
/// those of the frame and those that LAG looks at (ordered_rows.h), each as event time (8) | stored
/// row. State "expiry": when to look whether the frame of a key is empty (RANGE).
///
/// A row that leaves a bounded frame is taken back from the accumulators where all aggregators can
/// retract; else each result is computed from all rows of its frame.
class OrderedOver {
 public:
  explicit OrderedOver(const OverAggregateOptions& options);

  Status open(OperatorContext& context);

  /// The next rows of a key, in order, all of the same time; as stored rows, which are copied. None
  /// of this key may be of an earlier time than the ones before.
  Status add(const StateKey& key, EventTime time, std::span<const std::string_view> rows);
  /// How far a key has come; nullopt: nowhere, or that has been forgotten.
  std::optional<EventTime> last_time(const StateKey& key) const;
  bool full() const { return added_.full() || left_.full(); }
  /// Emits all rows since the last flush with their results.
  Status flush(Output& out);

  /// Forgets what no later row needs: once event time has reached `watermark`, and by the TTL.
  Status forget(EventTime watermark);

 private:
  struct OverState {
    OverNumbers numbers;
    EventTime last_time;
    std::int64_t frame_rows;  // in the accumulators: the last ones of the history
    EventTime cleanup_time;   // of `expiry_`, if has_cleanup
    bool in_use;
    bool has_cleanup;
  };

  /// What happens to the accumulators of a key, in order.
  struct Step {
    enum class Kind : std::uint8_t { kAdd, kLeave, kReset, kResult } kind;
    std::uint32_t group;  // of groups_
    std::int64_t row;     // of added_ or left_
  };
  struct Group {
    std::string key;
    std::uint64_t hash;
    std::byte* value;
  };

  static OverState& state(std::byte* value) { return *reinterpret_cast<OverState*>(value); }
  std::int64_t now() const { return ttl_.enabled() ? clock_->wall_ms() : 0; }

  Result<std::byte*> find_state(const StateKey& key);
  Status add_row(OverState& state, OrderedRows::Key* history, EventTime time, std::string_view row);
  Status find_lags(const OrderedRows::Key& history, std::int64_t row);
  Status leave_frame(OverState& state, const OrderedRows::Key& history);
  Status add_frame_anew(const OverState& state, const OrderedRows::Key& history);
  void trim(const OverState& state, OrderedRows::Key& history);
  void step(Step::Kind kind, std::int64_t row);
  Status expire_later(OverState& state, const StateKey& key, EventTime time);
  void drop(const StateKey& key, std::byte* value);

  Status compute(const Batch& added, const Batch& left);
  Result<std::vector<ArrayPtr>> lag_columns(const Batch& added) const;
  void find_groups_again();

  const OverFrame frame_;
  const bool by_event_time_;
  const bool by_rows_;  // each row has its own result, else those of one time have the same
  const bool bounded_;
  const OverFunctions functions_;
  const bool takes_back_;  // bounded frames: rows that leave are taken back
  std::int64_t most_lag_ = 0;
  StateTtl ttl_;
  const Clock* clock_ = nullptr;
  StateTable* keys_ = nullptr;
  std::optional<TtlSweep> sweep_;
  std::optional<OrderedRows> history_;
  std::optional<TimerService> expiry_;

  // Since the last flush.
  std::vector<Group> groups_;
  std::uint32_t generation_ = 0;
  std::vector<Step> steps_;
  StoredRowDecoder added_;
  StoredRowDecoder left_;
  std::vector<std::int32_t> out_rows_;    // of added_
  std::vector<std::size_t> out_results_;  // which result each has
  std::vector<OverNumbers> out_numbers_;
  std::vector<std::vector<std::int32_t>> lag_rows_;  // per LAG: of added_, or -1
  std::size_t results_ = 0;
  std::string entry_;

  RowByRowUpdate adding_;
  RowByRowUpdate leaving_;
  AccumulatorCopies copies_;
};

}  // namespace tidegate
