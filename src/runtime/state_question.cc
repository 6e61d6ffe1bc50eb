// SPDX-License-Identifier: Apache-2.0
//
// A program's question about the state of an operator, put to all of its tasks.

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>

#include "base/check.h"
#include "base/options.h"
#include "runtime/job_core.h"

namespace tidegate {
namespace {

/// Waits for the answers of all tasks; the last one calls.
class Answers {
 public:
  using Call = std::function<void(Result<StateReading>)>;
  /// `epoch`: that current state goes on from.
  Answers(std::size_t tasks, EpochId epoch, bool committed, Call call)
      : missing_(tasks),
        epoch_(epoch),
        committed_(committed),
        batches_(tasks),
        call_(std::move(call)) {}

  void set(std::size_t task, Result<Batch> batch, EpochId epoch) {
    {
      const std::lock_guard lock(mutex_);
      if (batch.is_ok()) {
        batches_[task] = *std::move(batch);
        differ_ = differ_ || (committed_ && epoch_ != 0 && epoch_ != epoch);
        if (committed_) epoch_ = epoch;
      } else if (failure_.is_ok()) {
        failure_ = batch.status();
      }
      if (--missing_ > 0) return;
    }
    if (!failure_.is_ok()) return call_(failure_);
    StateReading reading;
    reading.rows = std::move(batches_);
    reading.epoch = differ_ ? 0 : epoch_;
    call_(std::move(reading));
  }

 private:
  std::mutex mutex_;
  std::size_t missing_;
  EpochId epoch_;
  const bool committed_;
  bool differ_ = false;         // of committed state
  std::vector<Batch> batches_;  // by task
  Status failure_;              // the first one
  const Call call_;
};

Result<int> find_operator(const Graph& graph, std::string_view name) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (node.uid == name && node.make_operator) return static_cast<int>(i);
    if (node.make_operator) names.push_back(node.uid);
  }
  const std::string nearest = nearest_name(name, names);
  return Status(ErrorCode::kUnknownName, fmt::format("the job has no operator '{}'", name),
                nearest.empty() ? "Name it where it is made, with as()."
                                : fmt::format("Did you mean '{}'?", nearest));
}

}  // namespace

void JobCore::read_state(std::string_view operator_name, StateQuery query,
                         Job::StateAnswer answer) {
  const Result<int> node = find_operator(graph_, operator_name);
  if (!node.is_ok()) return answer(node.status());
  bool running = false;
  {
    const std::lock_guard lock(mutex_);
    running = running_ && !ended_;
  }
  if (!running) {
    return answer(error(ErrorCode::kCancelled, "the job '{}' does not run", graph_.job_name));
  }
  ask_tasks(*node, std::make_shared<const StateQuery>(std::move(query)), std::move(answer));
}

void JobCore::ask_tasks(int node, std::shared_ptr<const StateQuery> query,
                        Job::StateAnswer answer) {
  std::vector<Task*> tasks;
  for (const std::unique_ptr<Task>& task : parts_.tasks) {
    if (task->chain().find(node) != nullptr) tasks.push_back(task.get());
  }
  auto gathered = [this, node, query, answer = std::move(answer)](Result<StateReading> reading) {
    if (!reading.is_ok() || !query->committed) return answer(std::move(reading));
    // A barrier has overtaken the question on its way to some of the tasks.
    if (reading->epoch == 0) return ask_tasks(node, query, answer);
    const EpochId epoch = reading->epoch;
    when_published(epoch, [answer, reading = *std::move(reading)](const Status& status) {
      if (status.is_ok()) return answer(reading);
      answer(status);
    });
  };
  const EpochId epoch = query->committed ? 0 : coordinator_->published_epoch();
  const auto answers =
      std::make_shared<Answers>(tasks.size(), epoch, query->committed, std::move(gathered));
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    tasks[i]->read_state(node, {query, [answers, i](Result<Batch> batch, EpochId at) {
                                  answers->set(i, std::move(batch), at);
                                }});
  }
}

void JobCore::when_published(EpochId epoch, std::function<void(const Status&)> call) {
  Status status;
  {
    const std::lock_guard lock(mutex_);
    if (epoch > published_) {
      if (!is_terminal(state_)) {
        waiting_readers_.emplace(epoch, std::move(call));
        return;
      }
      status = cancelled_error();
    }
  }
  call(status);
}

void JobCore::tell_waiting_readers() {
  std::vector<std::pair<std::function<void(const Status&)>, Status>> told;
  {
    const std::lock_guard lock(mutex_);
    const bool is_over = is_terminal(state_);
    for (auto reader = waiting_readers_.begin(); reader != waiting_readers_.end();) {
      const bool is_durable = reader->first <= published_;
      if (!is_durable && !is_over) break;
      told.emplace_back(std::move(reader->second), is_durable ? Status::ok() : cancelled_error());
      reader = waiting_readers_.erase(reader);
    }
  }
  for (const auto& [call, status] : told) call(status);
}

}  // namespace tidegate
