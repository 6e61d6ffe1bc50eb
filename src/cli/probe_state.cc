// SPDX-License-Identifier: Apache-2.0
#include "cli/probe_state.h"

#include <memory>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/metrics.h"
#include "dataflow/state_context.h"
#include "state/state_backend.h"

namespace tidegate {
namespace {

/// Empty state that keeps in mind what it was asked for.
class ProbedState final : public StateBackend {
 public:
  ProbedState(KeyGroupRange range, StateContext context)
      : inner_(make_memory_state_backend(range)) {
    inner_->set_context(std::move(context));
  }
  Result<StateTable*> table(const StateTableSpec& spec) override {
    TG_ASSIGN_OR_RETURN(StateTable * table, inner_->table(spec));
    if (!spec.transient) asked_.push_back(table->spec());
    return table;
  }
  Result<std::vector<StateDelta>> seal(EpochId epoch) override { return inner_->seal(epoch); }
  Result<std::vector<StateDelta>> dump(EpochId epoch) override { return inner_->dump(epoch); }
  Status restore(const StateDelta& delta) override { return inner_->restore(delta); }
  std::int64_t memory_bytes() const override { return inner_->memory_bytes(); }
  std::int64_t dirty_bytes() const override { return inner_->dirty_bytes(); }

  std::vector<StateTableSpec> asked() && { return std::move(asked_); }

 private:
  std::unique_ptr<StateBackend> inner_;
  std::vector<StateTableSpec> asked_;
};

class ProbeContext final : public OperatorContext {
 public:
  ProbeContext(const std::string& name, KeyGroupRange range, StateBackend& state)
      : name_(name), range_(range), state_(state) {}

  const std::string& operator_name() const override { return name_; }
  int subtask() const override { return 0; }
  int parallelism() const override { return 1; }
  KeyGroupRange key_groups() const override { return range_; }
  const Clock& clock() const override { return system_clock(); }
  Executor& executor() override { return *executor_; }
  Waker waker() override { return {}; }
  StateBackend& state() override { return state_; }
  MetricGroup& metrics() override { return metrics_->group(name_, 0); }
  void request_wake_at(std::int64_t) override {}

 private:
  const std::string& name_;
  const KeyGroupRange range_;
  StateBackend& state_;
  std::unique_ptr<MetricRegistry> metrics_ = make_metric_registry();
  std::unique_ptr<Executor> executor_ = make_thread_executor(1);
};

}  // namespace

Result<std::vector<StateTableSpec>> probe_state(const Graph& graph, const Node& node) {
  if (!node.make_operator) return std::vector<StateTableSpec>();
  const KeyGroupRange range{0, graph.key_groups, graph.key_groups};
  ProbedState state(range, state_context_of(graph, node));
  ProbeContext context(node.name, range, state);
  TG_ASSIGN_OR_RETURN(const std::unique_ptr<Operator> made, node.make_operator());
  TG_RETURN_IF_ERROR(made->open(context).with_context(fmt::format("'{}'", node.name)));
  return std::move(state).asked();
}

}  // namespace tidegate
