// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dataflow/event.h"
#include "dataflow/graph.h"
#include "dataflow/operator.h"
#include "dataflow/state_reader.h"
#include "runtime/key_hasher.h"
#include "runtime/outlet.h"
#include "runtime/router.h"
#include "runtime/task_host.h"
#include "runtime/wake_point.h"
#include "tidegate/status.h"

namespace tidegate {

class Chain;         // runtime/chain.h
class Counter;       // base/metrics.h
struct StateQuery;   // dataflow/state_reader.h
class SinkOperator;  // runtime/sink_operator.h

/// One operator (or sink writer) in its chain: calls it, keeps what arrives while it is not ready,
/// and hands its rows, watermarks and barriers on in order.
class ChainNode final : public Outlet, private Output, private OperatorContext {
 public:
  struct Spec {
    const Node* node = nullptr;
    std::string name;  ///< for metrics and errors
    std::string uid;   ///< for state
    int index = 0;     ///< of the node in the graph
    int subtask = 0;
    int parallelism = 1;
    int key_groups = 128;
    std::optional<KeyHasher> hasher;             ///< of a keyed edge inside the chain
    std::vector<std::unique_ptr<Router>> sides;  ///< one per side output
    StateContext state_context;
  };

  /// What an epoch holds of this operator; `deltas` of all its subtasks.
  struct Restored {
    EpochId epoch = 0;
    OperatorState::Subtask state;
    const std::vector<StateDelta>* deltas = nullptr;
  };

  ChainNode(Spec spec, Chain& chain, TaskHost& host, Activation& task);
  ~ChainNode() override;

  void set_next(Outlet& next) { next_ = &next; }
  Status open(const Restored& restored);

  void accept(Event event) override { accept_at(0, std::move(event)); }
  void accept_at(int input, Event event);
  bool has_room() const override;

  /// Goes on with what is pending, wakes, and works off what has arrived. False: nothing to do.
  bool drive();
  /// True when drive() would do something in the next slice.
  bool wants_run() const;
  bool await_credit();
  /// The wall time that the operator wants to be woken at.
  std::optional<std::int64_t> wake_at_ms() const { return ended_ ? std::nullopt : wake_at_ms_; }
  void charge_state();

  int index() const { return spec_.index; }
  /// The answer to a question about the state, and the epoch that it is as of: the one that ends
  /// next when the question came between two barriers.
  using StateAnswer = std::function<void(Result<Batch>, EpochId)>;
  struct Question {
    std::shared_ptr<const StateQuery> query;
    StateAnswer answer;
  };
  /// Between two calls of the operator.
  Result<Batch> read_state(const StateQuery& query);
  /// At the end of the epoch that is open.
  void read_state_later(Question question) { questions_.push_back(std::move(question)); }
  /// There will be no further one.
  void refuse_questions(const Status& reason);

 private:
  enum class Call : std::uint8_t { kRows, kAdvance, kClock, kSeal, kFinish };

  void close_clock_windows();

  // Output, for the operator.
  void emit(Batch batch) override;
  void emit_side(int side, Batch batch) override;
  bool has_credit() const override;

  // OperatorContext, for the operator.
  const std::string& operator_name() const override { return spec_.name; }
  int subtask() const override { return spec_.subtask; }
  int parallelism() const override { return spec_.parallelism; }
  KeyGroupRange key_groups() const override;
  const Clock& clock() const override { return host_.clock(); }
  Executor& executor() override { return host_.executor(); }
  Waker waker() override { return wake_point_.waker(); }
  StateBackend& state() override;
  MetricGroup& metrics() override { return metrics_; }
  EventTime restored_watermark() const override { return restored_watermark_; }
  void request_wake_at(std::int64_t wall_ms) override;

  void resume();
  void take_wake();
  void handle(int input, Event event);
  void process(int input, Batch batch);
  void settle(Result<Progress> progress, Call call);
  void complete(Call call);
  void forward(Event event);
  void forward_watermark();
  void end_epoch(EpochId epoch, bool finished);
  void count_state_rows();
  void answer_questions();
  bool outputs_have_room() const;
  bool time_has_come() const;
  void fail(Status status);
  bool check_state();

  Spec spec_;
  Chain& chain_;
  TaskHost& host_;
  MetricGroup& metrics_;
  Counter& rows_in_;
  Counter& rows_out_;
  Counter& watermark_ms_;
  Counter& state_bytes_;
  Counter* state_rows_ = nullptr;  // of jobs whose epochs are planned
  Counter* state_rows_written_ = nullptr;
  WakePoint wake_point_;
  Outlet* next_ = nullptr;

  std::unique_ptr<StateBackend> state_;
  std::int64_t charged_bytes_ = 0;
  std::unique_ptr<Operator> operator_;  // after the state: it goes first
  SinkOperator* sink_ = nullptr;        // operator_, if it is one

  Progress pending_ = Progress::kDone;  // what the last call answered
  Call call_ = Call::kRows;             // the call that is pending
  Barrier barrier_;                     // for kClock and kSeal
  std::int64_t clock_ms_ = 0;           // windows of the clock are closed up to here
  std::deque<std::pair<int, Event>> inbox_;
  std::optional<std::int64_t> wake_at_ms_;
  EventTime restored_watermark_ = kMinWatermark;
  bool wake_due_ = false;  // wake() was asked for and waits for the operator to be ready

  EventTime watermark_ = kMinWatermark;  // reached on the inputs
  EventTime advanced_ = kMinWatermark;   // and advance() to it is done
  EventTime forwarded_ = kMinWatermark;  // announced downstream
  EpochId epoch_ = 0;                    // the last one that has ended
  bool finished_ = false;                // in an earlier run, before the restore
  bool ended_ = false;
  std::vector<Question> questions_;  // for the end of the epoch
};

}  // namespace tidegate
