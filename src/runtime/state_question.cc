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
  Answers(std::size_t tasks, Job::StateAnswer answer)
      : missing_(tasks), batches_(tasks), answer_(std::move(answer)) {}

  void set(std::size_t task, Result<Batch> batch) {
    {
      const std::lock_guard lock(mutex_);
      if (batch.is_ok()) {
        batches_[task] = *std::move(batch);
      } else if (failure_.is_ok()) {
        failure_ = batch.status();
      }
      if (--missing_ > 0) return;
    }
    if (failure_.is_ok()) {
      answer_(std::move(batches_));
    } else {
      answer_(failure_);
    }
  }

 private:
  std::mutex mutex_;
  std::size_t missing_;
  std::vector<Batch> batches_;  // by task
  Status failure_;              // the first one
  const Job::StateAnswer answer_;
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
  std::vector<Task*> tasks;
  for (const std::unique_ptr<Task>& task : parts_.tasks) {
    if (task->chain().find(*node) != nullptr) tasks.push_back(task.get());
  }
  const auto shared_query = std::make_shared<const StateQuery>(std::move(query));
  const auto answers = std::make_shared<Answers>(tasks.size(), std::move(answer));
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    tasks[i]->read_state(*node, shared_query,
                         [answers, i](Result<Batch> batch) { answers->set(i, std::move(batch)); });
  }
}

}  // namespace tidegate
