// SPDX-License-Identifier: Apache-2.0
#include "runtime/input_gate.h"

#include "runtime/test_job.h"

namespace tidegate::runtime_test {
namespace {

using ::testing::SizeIs;

/// A row each 10 ms.
Rows numbered(std::int64_t count) {
  Rows rows;
  for (std::int64_t i = 0; i < count; ++i) rows.push_back({i % 7, i * 10, i});
  return rows;
}

TEST(InputGateTest, WhatIsAheadOfItsSourceWaitsForTheOthersOrTheEndOfTheEpoch) {
  for (const bool orders_rows : {true, false}) {
    std::int64_t taken = 0;
    GraphBuilder graph;
    const ListSourceOptions silent{.bounded = false, .splits_end = false, .waits_at_end = true};
    const int source = graph.source(
        std::make_shared<ListSource>(std::vector<Rows>{numbered(100), numbered(2)}, silent),
        by_column(), 2);
    graph.operate("take", operator_of([&] {
                    Steps steps;
                    steps.process = [&](int, Batch batch, Output&) -> Result<Progress> {
                      taken += batch.num_rows();
                      return Progress::kDone;
                    };
                    return steps;
                  }),
                  {edge(source, Exchange::kHash)}, 2, 0, TimeGrain{10, 0, orders_rows});
    Simulation simulation;
    Job& job = simulation.start(graph.build());
    simulation.run_until([&] { return job.progress().sources[0].rows_out == 102; });
    simulation.executor->run_ready();
    if (orders_rows) {
      EXPECT_LT(taken, 102);
    } else {
      EXPECT_EQ(taken, 102);
    }
    job.trigger_epoch();
    simulation.executor->run_ready();
    EXPECT_EQ(taken, 102);
  }
}

// Two ways of one source meet: no row goes in front of a watermark that it stood behind.
TEST(InputGateTest, WaysOfOneSourceStayInStep) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    std::vector<std::int64_t> behind;  // the watermark that each row has come behind
    EventTime watermark = kMinWatermark;
    GraphBuilder graph;
    const int source =
        graph.source(std::make_shared<ListSource>(std::vector<Rows>{numbered(50)}), by_column(), 1);
    const int left = graph.operate("left", map_rows([](Row row) { return row; }),
                                   {edge(source, Exchange::kHash)}, 3);
    const int right = graph.operate("right", map_rows([](Row row) { return row; }),
                                    {edge(source, Exchange::kHash)}, 2);
    graph.operate("both", operator_of([&] {
                    Steps steps;
                    steps.process = [&](int, Batch batch, Output&) -> Result<Progress> {
                      for (const Row& row : rows_of(batch)) behind.push_back(row.ts - watermark);
                      return Progress::kDone;
                    };
                    steps.advance = [&](EventTime time, Output&) -> Result<Progress> {
                      watermark = time;
                      return Progress::kDone;
                    };
                    return steps;
                  }),
                  {edge(left, Exchange::kHash, 0), edge(right, Exchange::kHash, 1)}, 1, 0,
                  TimeGrain{10, 0, true});
    Simulation simulation(seed);
    ASSERT_THAT(simulation.run(graph.build()), IsOk());
    ASSERT_THAT(behind, SizeIs(100));
    // Each row moves the watermark, so behind its predecessor's it is 10 ms ahead; the first two
    // come behind none.
    std::int64_t in_step = 0;
    for (const std::int64_t ahead : behind) in_step += ahead == 10 ? 1 : 0;
    EXPECT_EQ(in_step, 98) << "seed " << seed;
  }
}

}  // namespace
}  // namespace tidegate::runtime_test
