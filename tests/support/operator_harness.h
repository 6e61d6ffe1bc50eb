// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/metrics.h"
#include "dataflow/operator.h"
#include "state/state_backend.h"
#include "tests/support/batch_literal.h"

namespace tidegate {

/// Makes a fresh operator; called again at each restart.
using OperatorFactory = std::function<Result<std::unique_ptr<Operator>>()>;

/// Where and how a harness runs its operator.
struct HarnessOptions {
  std::string name = "test";
  KeyGroupRange key_groups;
  std::int64_t wall_ms = 0;  ///< where the clock starts
  std::uint64_t seed = 1;    ///< of the executor
  /// Rows that may be emitted before has_credit() turns false; it turns true again when the
  /// operator has answered kMore.
  std::int64_t credit_rows = INT64_MAX;
  int subtask = 0;
  int parallelism = 1;
};

/// Runs one operator as the runtime would, with state in memory, virtual time and a simulated
/// executor. For tests of any operator:
///
///   OperatorHarness harness([] { return make_filter(...); });
///   harness.push(0, batch_of(schema, R"([["/a", 1]])"));
///   harness.advance(60'000);
///   EXPECT_THAT(harness.take_rows(), ElementsAre("+I[/a, 1]"));
///
/// Each call drives the operator until it answers kDone: after kMore it gives credit, after
/// kBlocked it lets the executor (and with it the clock) move until the waker is called. The plain
/// calls fail the test on an error; the try_ ones return it.
class OperatorHarness {
 public:
  explicit OperatorHarness(OperatorFactory factory, HarnessOptions options = {});
  ~OperatorHarness();

  /// Opens the operator if no call has done so yet.
  void open();
  void push(int input, Batch batch);
  void push(Batch batch) { push(0, std::move(batch)); }
  void advance(EventTime watermark);
  /// Moves the clock, with every timer and wake-up on the way in order.
  void advance_clock_to(std::int64_t wall_ms);
  /// advance(kMaxWatermark), then finish().
  void finish();

  Status try_open();
  Status try_push(int input, Batch batch);
  Status try_push(Batch batch) { return try_push(0, std::move(batch)); }
  Status try_advance(EventTime watermark);
  Status try_advance_clock_to(std::int64_t wall_ms);
  Status try_finish();

  /// Ends an epoch: seal() of the operator, then the deltas of its state.
  void seal();
  /// Ends an epoch and goes on with a new operator, restored from what was stored: from all deltas
  /// so far, or (`from_base`) from a dump of everything.
  void restart(bool from_base = false);
  /// What a restore of this operator reads, in order; and a harness that begins with such.
  std::vector<StateDelta> stored() const { return stored_; }
  /// For rescaling: begins from what other harnesses stored, at their watermark.
  void restore(const std::vector<StateDelta>& deltas, EventTime watermark);

  /// Rows emitted since the last take, as text_rows() shows them.
  std::vector<std::string> take_rows();
  std::vector<std::string> take_side(int side);
  /// Rows of the main output and announced watermarks ("W 60000") in order, since the last take.
  std::vector<std::string> take_log();
  /// The batches of the main output since the last take.
  std::vector<Batch> take_batches();

  EventTime output_watermark() const { return output_watermark_; }
  std::int64_t counter(std::string_view name) const { return metrics_->sum("", name); }
  VirtualClock& clock() { return clock_; }
  SimulatedExecutor& executor() { return *executor_; }
  StateBackend& state() { return *state_; }
  /// The most rows that one call emitted after its credit was used up.
  std::int64_t rows_beyond_credit() const { return rows_beyond_credit_; }

 private:
  class Context;
  class Outputs;

  Status drive(Result<Progress> progress);
  Status settle();
  void wait_for_waker();
  void announce();
  void start_over(const std::vector<StateDelta>& deltas);

  OperatorFactory factory_;
  HarnessOptions options_;
  VirtualClock clock_;
  std::unique_ptr<SimulatedExecutor> executor_;
  std::unique_ptr<MetricRegistry> metrics_;
  std::unique_ptr<StateBackend> state_;
  std::unique_ptr<Context> context_;
  std::unique_ptr<Outputs> outputs_;
  std::unique_ptr<Operator> operator_;
  bool open_ = false;
  EpochId epoch_ = 0;
  EventTime watermark_ = kMinWatermark;
  EventTime output_watermark_ = kMinWatermark;
  EventTime restored_watermark_ = kMinWatermark;
  std::vector<StateDelta> stored_;
  std::int64_t rows_beyond_credit_ = 0;
};

/// A row sequence with watermarks in between: what one run of an operator gets. Rows of consecutive
/// batches of the same input may be cut and joined freely, for results must not depend on it.
struct ScriptStep {
  int input = 0;
  Batch batch;
  EventTime watermark = kMinWatermark;  ///< a watermark instead of rows, unless kMinWatermark
};
using Script = std::vector<ScriptStep>;

/// What run_script() does besides.
struct ScriptChaos {
  bool cut = false;      ///< cuts batches at random rows, down to one row each
  bool join = false;     ///< joins neighbouring batches of one input
  bool starve = false;   ///< takes the output's credit away after a few rows
  bool restart = false;  ///< stores and restores at random points
};

/// Runs a script with finish() at its end and returns the log without watermarks. Same seed, same
/// run.
std::vector<std::string> run_script(const OperatorFactory& factory, const Script& script,
                                    ScriptChaos chaos = {}, std::uint64_t seed = 1,
                                    HarnessOptions options = {});

/// Runs the script as it is, and then with every combination of chaos under `seeds` seeds: all runs
/// must emit the same rows in the same order (`same_order` false: as multisets). Returns them.
std::vector<std::string> expect_same_under_chaos(const OperatorFactory& factory,
                                                 const Script& script, bool same_order = true,
                                                 int seeds = 5);

}  // namespace tidegate
