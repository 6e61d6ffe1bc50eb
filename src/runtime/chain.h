// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataflow/event.h"
#include "runtime/chain_node.h"
#include "runtime/outlet.h"
#include "runtime/router.h"
#include "runtime/task_host.h"

namespace tidegate {

/// The operators of one task, in order, and the channels behind the last one. Rows go through them
/// by plain calls. Belongs to the task's thread.
///
/// A slice is what a task does before others get their turn; operators see its end as missing
/// credit.
class Chain {
 public:
  Chain(TaskHost& host, Activation& task, int task_index, int subtask);

  /// Before open(): the steps in order, then what is behind them.
  ChainNode& add(ChainNode::Spec spec);
  void connect(std::unique_ptr<Router> router);

  /// For the head of the task.
  void accept(Event event) { accept_at(0, std::move(event)); }
  void accept_at(int input, Event event);
  /// Everything before has gone through, and there is room behind.
  bool has_room() const { return head_->has_room(); }
  bool has_credit() const { return has_budget() && !failed_ && has_room(); }
  /// What an epoch will hold of the task's source; before its barrier (or end) is accepted.
  void set_source_ack(EpochId epoch, SourceAck ack);
  /// The epoch that was sealed last; the one after it is open.
  EpochId sealed_epoch() const { return sealed_epoch_; }
  void set_sealed_epoch(EpochId epoch) { sealed_epoch_ = epoch; }

  void begin_slice() { budget_rows_ = kSliceRows; }
  bool has_budget() const { return budget_rows_ > 0; }
  /// Goes on with everything that can, the last operator first.
  void drive();
  bool wants_run() const;
  /// Asks all full channels to wake the task.
  void await_credit();
  /// The earliest wall time at which an operator wants to be woken.
  std::optional<std::int64_t> wake_at_ms() const;
  void charge_state();
  /// The node of this index in the graph; null when it is in another chain. Any thread, once the
  /// job is built.
  ChainNode* find(int node_index) const;
  /// Of all nodes, those that wait for the end of an epoch.
  void refuse_questions(const Status& reason);

  bool failed() const { return failed_; }
  /// The end, or a barrier that stops, has left the chain.
  bool ended() const { return ended_; }

  /// For the nodes.
  void spend_budget(std::int64_t rows) { budget_rows_ -= rows + kRowsPerBatch; }
  void add_ack(EpochId epoch, OperatorAck ack);
  void fail(Status status);
  std::string place_of(std::string_view operator_name) const;

 private:
  // Behind the last operator: sees what leaves the task.
  class Tail final : public Outlet {
   public:
    explicit Tail(Chain& chain) : chain_(chain) {}
    void accept(Event event) override;
    bool has_room() const override { return !router || router->has_room(); }
    std::unique_ptr<Router> router;

   private:
    Chain& chain_;
  };

  // Small enough that what one task has made is still in the cache when the next one reads it.
  static constexpr std::int64_t kSliceRows = 32'768;
  // What a batch costs beyond its rows, so that slices with tiny batches end too.
  static constexpr std::int64_t kRowsPerBatch = 64;

  TaskAck& ack(EpochId epoch);
  void send_ack(EpochId epoch, bool last, bool stopped);

  TaskHost& host_;
  Activation& task_;
  const int task_index_;
  const int subtask_;
  std::vector<std::unique_ptr<ChainNode>> nodes_;
  Tail tail_{*this};
  Outlet* head_ = &tail_;
  std::vector<TaskAck> acks_;  // of epochs whose barrier is in the chain
  EpochId sealed_epoch_ = 0;
  std::int64_t budget_rows_ = 0;
  bool failed_ = false;
  bool ended_ = false;
};

}  // namespace tidegate
