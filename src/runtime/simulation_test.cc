// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "base/random.h"
#include "runtime/test_job.h"

namespace tidegate::runtime_test {
namespace {

struct Outcome {
  std::vector<std::string> trace;  // which task got which rows, in the order of the run
  Rows rows;
};

Outcome run(std::uint64_t seed) {
  Outcome outcome;
  const auto traced = [&outcome](std::string name) {
    return operator_of([&outcome, name] {
      auto subtask = std::make_shared<int>();
      Steps steps;
      steps.open = [subtask](OperatorContext& context) {
        *subtask = context.subtask();
        return Status::ok();
      };
      steps.process = [&outcome, name, subtask](int, Batch batch, Output& out) -> Result<Progress> {
        outcome.trace.push_back(
            fmt::format("{} {} {} {}", name, *subtask, rows_of(batch)[0].v, batch.num_rows()));
        out.emit(std::move(batch));
        return Progress::kDone;
      };
      steps.seal = [&outcome, name, subtask](EpochId epoch, Output&) -> Result<Progress> {
        outcome.trace.push_back(fmt::format("{} {} seals {}", name, *subtask, epoch));
        return Progress::kDone;
      };
      return steps;
    });
  };
  Random random(99);
  std::vector<Rows> splits(3);
  for (std::int64_t i = 0; i < 600; ++i) {
    splits[random.below(3)].push_back({static_cast<std::int64_t>(random.below(20)), i, i});
  }
  Simulation simulation(seed);
  ListSourceOptions options{.poll_rows = 13, .pending_every = 3};
  int polls = 0;
  options.on_poll = [&](const std::string&) {
    if (++polls % 10 == 0) simulation.job->trigger_epoch();
  };
  auto sink = std::make_shared<CollectSink>();
  GraphBuilder graph;
  const int in = graph.source(std::make_shared<ListSource>(splits, options), by_column());
  const int first = graph.operate("first", traced("first"), {edge(in, Exchange::kRebalance)});
  const int second = graph.operate("second", traced("second"), {edge(first, Exchange::kHash)});
  graph.sink(sink, {edge(second)});
  JobOptions job;
  job.parallelism = 3;
  EXPECT_THAT(simulation.run(graph.build(), job), IsOk());
  outcome.rows = sink->sorted();
  return outcome;
}

TEST(SimulationTest, SameSeedSameTrace) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) EXPECT_EQ(run(seed).trace, run(seed).trace);
}

TEST(SimulationTest, OtherSeedsOtherTracesSameResult) {
  const Rows rows = run(1).rows;
  std::set<std::vector<std::string>> traces;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const Outcome outcome = run(seed);
    EXPECT_EQ(outcome.rows, rows);
    traces.insert(outcome.trace);
  }
  EXPECT_GT(traces.size(), 5U);
}

// A job that nothing will wake is told, and does not hang the test.
TEST(SimulationTest, AJobThatStandsStillIsAnError) {
  GraphBuilder graph;
  const int in = graph.source(std::make_shared<ListSource>(std::vector<Rows>{{{1, 2, 3}}}));
  graph.operate("stuck", operator_of([] {
                  Steps steps;
                  steps.process = [](int, Batch, Output&) -> Result<Progress> {
                    return Progress::kBlocked;
                  };
                  return steps;
                }),
                {edge(in)});
  Simulation simulation;
  const Status status = simulation.run(graph.build());
  EXPECT_EQ(status.code(), ErrorCode::kInternal);
}

}  // namespace
}  // namespace tidegate::runtime_test
