// SPDX-License-Identifier: Apache-2.0
#include "runtime/job.h"

#include <utility>

#include "base/check.h"
#include "runtime/job_core.h"

namespace tidegate {

Result<std::unique_ptr<Job>> Job::create(Graph graph, JobOptions options) {
  TG_ASSIGN_OR_RETURN(std::unique_ptr<JobCore> core,
                      JobCore::create(std::move(graph), std::move(options)));
  return std::unique_ptr<Job>(new Job(std::move(core)));
}

Job::Job(std::unique_ptr<JobCore> core) : core_(std::move(core)) {}
Job::~Job() = default;

Status Job::start() { return core_->start(); }
Status Job::await() { return core_->await(); }
void Job::await_quiet() { core_->await_quiet(); }
void Job::stop(StopMode mode) { core_->stop(mode); }
void Job::trigger_epoch() { core_->trigger_epoch(); }
void Job::wake_planner() { core_->wake_planner(); }

void Job::pause(bool paused) { core_->pause(paused); }
JobState Job::state() const { return core_->state(); }
JobProgress Job::progress() const { return core_->progress(); }
MetricRegistry& Job::metrics() { return core_->metrics(); }
void Job::read_state(std::string_view operator_name, StateQuery query, StateAnswer answer) {
  core_->read_state(operator_name, std::move(query), std::move(answer));
}

}  // namespace tidegate
