// SPDX-License-Identifier: Apache-2.0
// Jobs whose state has no room in memory.
#include <deque>

#include "runtime/test_job.h"
#include "state/state_store.h"

namespace tidegate::runtime_test {
namespace {

using ::testing::SizeIs;

constexpr std::int64_t kKeys = 3'000;

std::shared_ptr<StateStore> tiny_store(std::int64_t memory_bytes = 1) {
  auto store = make_rocksdb_state_store({::testing::TempDir(), "", memory_bytes});
  TG_CHECK(store.is_ok(), "{}", store.status().to_string());
  return *std::move(store);
}

/// Rows of `rounds` windows of 1000 ms, each with all keys.
Rows windows_of_many_keys(std::int64_t rounds) {
  Rows rows;
  for (std::int64_t round = 0; round < rounds; ++round) {
    for (std::int64_t k = 0; k < kKeys; ++k) rows.push_back({k, round * 1'000 + k % 1'000, 0});
  }
  return rows;
}

Rows counts_of(const Rows& rows) {
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> counts;
  for (const Row& row : rows) ++counts[{row.k, row.ts / 1'000 * 1'000 + 1'000}];
  Rows expected;
  for (const auto& [key, count] : counts) expected.push_back({key.first, key.second, count});
  return sorted_rows(std::move(expected));
}

struct PressedRun {
  /// Each row of the source becomes `copies` rows in front of the count.
  Status go(const Rows& rows, int parallelism, std::int64_t copies = 1) {
    GraphBuilder graph;
    ListSourceOptions source_options{.poll_rows = 100};
    const int in = graph.source(
        std::make_shared<ListSource>(std::vector<Rows>{rows}, source_options), by_column(1'000));
    const int join = graph.operate("join", exploding(copies), {edge(in)}, 1);
    const int count = graph.operate("count", WindowCount::factory(1'000, 50),
                                    {edge(join, Exchange::kHash)}, parallelism, 1, {1'000, 0});
    graph.sink(sink, {edge(count)});
    JobOptions options;
    options.channel.rows = 64;
    options.commit_policy = policy;
    options.restore = restore;
    options.state_store = store;
    return simulation.run(graph.build(), options);
  }

  static OperatorFactory exploding(std::int64_t copies) {
    return operator_of([copies] {
      auto pending = std::make_shared<std::deque<Row>>();
      const auto go_on = [pending](Output& out) -> Result<Progress> {
        while (!pending->empty()) {
          if (!out.has_credit()) return Progress::kMore;
          Rows piece;
          while (!pending->empty() && piece.size() < 50) {
            piece.push_back(pending->front());
            pending->pop_front();
          }
          out.emit(timed_batch_of(piece));
        }
        return Progress::kDone;
      };
      Steps steps;
      steps.process = [=](int, Batch batch, Output& out) {
        for (const Row& row : rows_of(batch)) {
          for (std::int64_t i = 0; i < copies; ++i)
            pending->push_back({row.k + i * kKeys, row.ts, 0});
        }
        return go_on(out);
      };
      steps.resume = go_on;
      return steps;
    });
  }

  static Batch timed_batch_of(const Rows& rows) {
    Batch batch = batch_of(rows);
    std::vector<EventTime> times;
    for (const Row& row : rows) times.push_back(row.ts);
    batch.set_event_times(arrow::Buffer::FromVector(std::move(times)));
    return batch;
  }

  Simulation simulation;
  std::shared_ptr<StateStore> store = tiny_store();
  std::shared_ptr<const EpochRecord> restore;
  std::shared_ptr<MemoryCommitPolicy> policy = std::make_shared<MemoryCommitPolicy>();
  std::shared_ptr<CollectSink> sink = std::make_shared<CollectSink>();
};

TEST(MemoryPressureTest, EpochsComeEarlyAndWindowsOfManyKeysFire) {
  const Rows rows = windows_of_many_keys(3);
  for (int parallelism : {1, 2}) {
    PressedRun run;
    ASSERT_THAT(run.go(rows, parallelism), IsOk());
    EXPECT_EQ(run.sink->sorted(), counts_of(rows));
    // No interval is set: memory alone asks for epochs, each time that a task has had its turn. One
    // task does all of this in one turn.
    if (parallelism > 1) {
      EXPECT_THAT(run.policy->epochs(), SizeIs(testing::Gt(10)));
    }
  }
}

TEST(MemoryPressureTest, ABarrierPassesWhatMakesMoreRowsThanMemoryHolds) {
  const Rows rows = windows_of_many_keys(1);
  Rows exploded;
  for (const Row& row : rows) {
    for (std::int64_t i = 0; i < 20; ++i) exploded.push_back({row.k + i * kKeys, row.ts, 0});
  }
  PressedRun run;
  ASSERT_THAT(run.go(rows, 1, 20), IsOk());
  EXPECT_EQ(run.sink->sorted(), counts_of(exploded));
}

TEST(MemoryPressureTest, EitherStoreGoesOnWhereTheOtherWas) {
  const Rows rows = windows_of_many_keys(2);
  PressedRun whole;
  ASSERT_THAT(whole.go(rows, 2), IsOk());
  const std::vector<EpochId> epochs = whole.policy->epochs();
  for (std::size_t i = 1; i < epochs.size(); i += epochs.size() / 4) {
    for (int parallelism : {1, 3}) {
      PressedRun rest;
      if (i % 2 == 0) rest.store = make_memory_state_store();
      rest.restore = std::make_shared<EpochRecord>(whole.policy->restore_point(epochs[i]));
      ASSERT_THAT(rest.go(rows, parallelism), IsOk());
      EXPECT_EQ(sorted_rows(whole.sink->visible(epochs[i]) + rest.sink->visible()), counts_of(rows))
          << "epoch " << epochs[i] << " parallelism " << parallelism;
    }
  }
}

}  // namespace
}  // namespace tidegate::runtime_test
