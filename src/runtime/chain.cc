// SPDX-License-Identifier: Apache-2.0
#include "runtime/chain.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace tidegate {

Chain::Chain(TaskHost& host, Activation& task, int task_index, int subtask)
    : host_(host), task_(task), task_index_(task_index), subtask_(subtask) {}

ChainNode& Chain::add(ChainNode::Spec spec) {
  auto node = std::make_unique<ChainNode>(std::move(spec), *this, host_, task_);
  if (nodes_.empty()) {
    head_ = node.get();
  } else {
    nodes_.back()->set_next(*node);
  }
  node->set_next(tail_);
  nodes_.push_back(std::move(node));
  return *nodes_.back();
}

void Chain::connect(std::unique_ptr<Router> router) { tail_.router = std::move(router); }

void Chain::accept_at(int input, Event event) {
  if (const Batch* batch = std::get_if<Batch>(&event)) spend_budget(batch->num_rows());
  if (nodes_.empty()) {
    tail_.accept(std::move(event));
  } else {
    nodes_.front()->accept_at(input, std::move(event));
  }
}

void Chain::drive() {
  // What an operator emits is taken by those behind it at once, so one pass from the end goes as
  // far as possible, unless someone in front fills up someone behind: then once more.
  bool progressed = true;
  while (progressed && has_budget() && !failed_) {
    progressed = false;
    for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) progressed |= (*node)->drive();
  }
}

bool Chain::wants_run() const {
  return std::any_of(nodes_.begin(), nodes_.end(),
                     [](const std::unique_ptr<ChainNode>& node) { return node->wants_run(); });
}

void Chain::await_credit() {
  if (tail_.router) tail_.router->await_credit();
  for (const std::unique_ptr<ChainNode>& node : nodes_) node->await_credit();
}

std::optional<std::int64_t> Chain::wake_at_ms() const {
  std::optional<std::int64_t> earliest;
  for (const std::unique_ptr<ChainNode>& node : nodes_) {
    const std::optional<std::int64_t> at_ms = node->wake_at_ms();
    if (at_ms && (!earliest || *at_ms < *earliest)) earliest = at_ms;
  }
  return earliest;
}

void Chain::charge_state() {
  for (const std::unique_ptr<ChainNode>& node : nodes_) node->charge_state();
}

ChainNode* Chain::find(int node_index) const {
  for (const std::unique_ptr<ChainNode>& node : nodes_)
    if (node->index() == node_index) return node.get();
  return nullptr;
}

void Chain::refuse_questions(const Status& reason) {
  for (const std::unique_ptr<ChainNode>& node : nodes_) node->refuse_questions(reason);
}

TaskAck& Chain::ack(EpochId epoch) {
  for (TaskAck& ack : acks_)
    if (ack.epoch == epoch) return ack;
  TaskAck& ack = acks_.emplace_back();
  ack.task = task_index_;
  ack.subtask = subtask_;
  ack.epoch = epoch;
  return ack;
}

void Chain::set_source_ack(EpochId epoch, SourceAck source) {
  ack(epoch).source = std::move(source);
}

void Chain::add_ack(EpochId epoch, OperatorAck operator_ack) {
  ack(epoch).operators.push_back(std::move(operator_ack));
}

void Chain::send_ack(EpochId epoch, bool last, bool stopped) {
  TaskAck done = std::move(ack(epoch));
  std::erase_if(acks_, [&](const TaskAck& other) { return other.epoch == epoch; });
  done.last = last;
  done.stopped = stopped;
  sealed_epoch_ = epoch;
  host_.acknowledge(std::move(done));
}

void Chain::fail(Status status) {
  if (std::exchange(failed_, true)) return;
  host_.fail(std::move(status));
}

std::string Chain::place_of(std::string_view operator_name) const {
  return fmt::format("operator '{}' (subtask {})", operator_name, subtask_);
}

void Chain::Tail::accept(Event event) {
  if (chain_.failed_) return;
  const Barrier* passed = std::get_if<Barrier>(&event);
  const std::optional<Barrier> barrier = passed ? std::optional(*passed) : std::nullopt;
  const bool ends = std::holds_alternative<End>(event);
  if (router) router->accept(std::move(event));
  if (barrier) {
    chain_.ended_ = barrier->stops;
    chain_.send_ack(barrier->epoch, barrier->stops, barrier->stops);
  } else if (ends) {
    chain_.ended_ = true;
    chain_.send_ack(chain_.sealed_epoch_ + 1, true, false);
  }
}

}  // namespace tidegate
