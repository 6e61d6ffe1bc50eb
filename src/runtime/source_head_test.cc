// SPDX-License-Identifier: Apache-2.0
#include "runtime/source_head.h"

#include <set>

#include "base/random.h"
#include "runtime/test_job.h"

namespace tidegate::runtime_test {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::SizeIs;

constexpr std::int64_t kWindowMs = 100;

// What a keyed window count makes of these splits: counts and late rows.
struct Counted {
  Rows counts;
  Rows late;
  friend bool operator==(const Counted&, const Counted&) = default;
};

struct CountOptions {
  std::int64_t delay_ms = 0;
  int parallelism = 1;
  std::uint64_t seed = 1;
  int max_open_splits = 64;
  ListSourceOptions source = {};
};

Counted count(const std::vector<Rows>& splits, const CountOptions& options) {
  auto sink = std::make_shared<CollectSink>();
  auto late = std::make_shared<CollectSink>();
  auto source = std::make_shared<ListSource>(splits, options.source);
  GraphBuilder graph;
  const int in = graph.source(source, by_column(options.delay_ms));
  const int count = graph.operate("count", WindowCount::factory(kWindowMs),
                                  {edge(in, Exchange::kHash)}, 0, 1, {kWindowMs, 0});
  graph.sink(sink, {edge(count)});
  graph.sink(late, {edge(count, Exchange::kForward, 0, 0)});
  JobOptions job;
  job.parallelism = options.parallelism;
  job.max_open_splits = options.max_open_splits;
  Simulation simulation(options.seed);
  EXPECT_THAT(simulation.run(graph.build(), job), IsOk());
  EXPECT_LE(source->most_open(), std::max(options.max_open_splits, options.parallelism));
  return {sink->sorted(), late->sorted()};
}

// One split, more out of order than the delay allows: which rows are late is decided row by row, so
// how the reader cuts its batches makes no difference.
TEST(SourceHeadTest, LatenessDoesNotDependOnHowBatchesAreCut) {
  Random random(42);
  Rows rows;
  for (std::int64_t i = 0; i < 2'000; ++i) {
    rows.push_back({static_cast<std::int64_t>(random.below(5)),
                    i * 3 - static_cast<std::int64_t>(random.below(400)), i});
  }
  // By the definition: the watermark follows every row.
  Counted expected;
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> counts;
  EventTime watermark = kMinWatermark;
  for (const Row& row : rows) {
    const std::int64_t end = row.ts - ((row.ts % kWindowMs) + kWindowMs) % kWindowMs + kWindowMs;
    if (end <= watermark) {
      expected.late.push_back(row);
    } else {
      ++counts[{row.k, end}];
    }
    watermark = std::max(watermark, row.ts - 50);
  }
  for (const auto& [key, n] : counts) expected.counts.push_back({key.first, key.second, n});
  std::sort(expected.late.begin(), expected.late.end());
  ASSERT_THAT(expected.late, SizeIs(testing::Gt(100)));

  for (std::int64_t poll_rows : {1, 2, 7, 100, 1'999, 1'000'000}) {
    for (int parallelism : {1, 3}) {
      CountOptions options{.delay_ms = 50, .parallelism = parallelism};
      options.source.poll_rows = poll_rows;
      const Counted counted = count({rows}, options);
      EXPECT_EQ(counted, expected) << "rows per poll: " << poll_rows;
    }
  }
}

// Files that each are in order and cover the same time: reading them side by side loses nothing.
TEST(SourceHeadTest, SplitsThatInterleaveInTimeLoseNothing) {
  std::vector<Rows> splits(40);
  for (std::int64_t i = 0; i < 4'000; ++i)
    splits[static_cast<std::size_t>(i % 40)].push_back({i % 3, i * 2, i});
  std::optional<Counted> first;
  for (int parallelism : {1, 2, 3}) {
    for (std::uint64_t seed : {1, 2, 3}) {
      CountOptions options{.parallelism = parallelism, .seed = seed};
      options.source.poll_rows = 11;
      const Counted counted = count(splits, options);
      EXPECT_THAT(counted.late, IsEmpty());
      if (!first) first = counted;
      EXPECT_EQ(counted, *first);
    }
  }
}

TEST(SourceHeadTest, AtMostSoManySplitsAreOpen) {
  std::vector<Rows> splits;
  for (std::int64_t i = 0; i < 100; ++i) splits.push_back({{1, i * 1'000, i}});
  for (int most : {1, 5, 64}) {
    const Counted counted = count(splits, {.parallelism = 2, .max_open_splits = most});
    EXPECT_THAT(counted.counts, SizeIs(100));
    EXPECT_THAT(counted.late, IsEmpty());
  }
}

TEST(SourceHeadTest, TheSplitThatIsBehindIsReadFirst) {
  const std::vector<Rows> splits = {{{0, 10, 0}, {0, 40, 0}, {0, 50, 0}},
                                    {{0, 20, 0}, {0, 30, 0}, {0, 60, 0}}};
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    std::map<std::string, std::size_t> polls;
    const auto reached = [&](const std::string& id) {
      const Rows& rows = splits[id == "split-0" ? 0 : 1];
      return rows[std::min(polls[id], rows.size()) - 1].ts;
    };
    ListSourceOptions options{.poll_rows = 1};
    options.on_poll = [&](const std::string& id) {
      const std::string other = id == "split-0" ? "split-1" : "split-0";
      // Before the first poll of a split it may not be open yet; after its end it does not count.
      if (polls[id] > 0 && polls[other] > 0 && polls[other] <= 3) {
        EXPECT_LE(reached(id), reached(other)) << id;
      }
      ++polls[id];
    };
    GraphBuilder graph;
    graph.sink(std::make_shared<CollectSink>(),
               {edge(graph.source(std::make_shared<ListSource>(splits, options), by_column()))});
    Simulation simulation(seed);
    ASSERT_THAT(simulation.run(graph.build()), IsOk());
    EXPECT_EQ(polls["split-0"], 4U);
    EXPECT_EQ(polls["split-1"], 4U);
  }
}

// Also with event time, by which the last split would be read first, and with several tasks.
TEST(SourceHeadTest, SplitsInSequenceAreReadOneAfterAnother) {
  const std::vector<Rows> splits = {
      {{0, 70, 0}, {0, 80, 0}}, {{0, 40, 0}, {0, 50, 0}}, {{0, 10, 0}, {0, 20, 0}}};
  for (const bool event_time : {false, true}) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      std::vector<std::string> polls;
      ListSourceOptions options{.poll_rows = 1, .pending_every = 2, .splits_in_sequence = true};
      options.on_poll = [&](const std::string& id) {
        if (polls.empty() || polls.back() != id) polls.push_back(id);
      };
      GraphBuilder graph;
      auto source = std::make_shared<ListSource>(splits, options);
      graph.sink(std::make_shared<CollectSink>(),
                 {edge(event_time ? graph.source(source, by_column()) : graph.source(source))});
      Simulation simulation(seed);
      JobOptions job;
      job.parallelism = 3;
      ASSERT_THAT(simulation.run(graph.build(), job), IsOk());
      EXPECT_THAT(polls, ElementsAre("split-0", "split-1", "split-2"));
    }
  }
}

// A row does not wait for company: it is out before time moves.
TEST(SourceHeadTest, OneRowIsHandedOnAtOnce) {
  auto sink = std::make_shared<CollectSink>();
  auto source = std::make_shared<ListSource>(
      std::vector<Rows>{{{1, 2, 3}}},
      ListSourceOptions{.bounded = false, .splits_end = false, .waits_at_end = true});
  GraphBuilder graph;
  graph.sink(sink, {edge(graph.source(source), Exchange::kHash)}, 2);
  Simulation simulation;
  simulation.start(graph.build());
  simulation.executor->run_ready();
  EXPECT_EQ(sink->rows_written(), 1);
  EXPECT_EQ(simulation.clock.wall_ms(), 1'000);
}

TEST(SourceHeadTest, BatchesGrowUnderLoad) {
  std::vector<std::int64_t> sizes;
  GraphBuilder graph;
  const int in =
      graph.source(std::make_shared<ListSource>(std::vector<Rows>{Rows(100'000, Row{1, 2, 3})}));
  graph.operate("see", operator_of([&sizes] {
                  Steps steps;
                  steps.process = [&sizes](int, Batch batch, Output&) -> Result<Progress> {
                    sizes.push_back(batch.num_rows());
                    return Progress::kDone;
                  };
                  return steps;
                }),
                {edge(in)});
  Simulation simulation;
  ASSERT_THAT(simulation.run(graph.build()), IsOk());
  EXPECT_LT(sizes.front(), 1'000);
  EXPECT_THAT(sizes, testing::Contains(8'192));
  EXPECT_THAT(sizes, Each(Le(8'192)));
}

// What an operator sees of event time, as text.
struct TimeLog {
  std::vector<std::string> lines;
  OperatorFactory factory() {
    return operator_of([this] {
      Steps steps;
      steps.process = [this](int, Batch batch, Output& out) -> Result<Progress> {
        for (const Row& row : rows_of(batch)) lines.push_back(fmt::format("{}", row.ts));
        out.emit(std::move(batch));
        return Progress::kDone;
      };
      steps.advance = [this](EventTime time, Output&) -> Result<Progress> {
        lines.push_back(time == kMaxWatermark ? "W max" : fmt::format("W {}", time));
        return Progress::kDone;
      };
      return steps;
    });
  }
};

std::vector<std::string> see(const Rows& rows, TimeGrain grain, WatermarkStrategy strategy) {
  TimeLog log;
  GraphBuilder graph;
  const int in =
      graph.source(std::make_shared<ListSource>(std::vector<Rows>{rows}), std::move(strategy));
  graph.operate("see", log.factory(), {edge(in)}, 1, 0, grain);
  Simulation simulation;
  EXPECT_THAT(simulation.run(graph.build()), IsOk());
  return log.lines;
}

TEST(SourceHeadTest, WatermarksPassOnlyPointsOfTheGrain) {
  const Rows rows = {{0, 1, 0}, {0, 12, 0}, {0, 5, 0}, {0, 23, 0}, {0, 11, 0}, {0, 24, 0}};
  // 5 and 11 are behind the points that the row before them has passed.
  EXPECT_THAT(see(rows, {10, 0}, by_column()),
              ElementsAre("1", "12", "W 10", "5", "23", "W 20", "11", "24", "W max"));
  EXPECT_THAT(see(rows, {100, 0}, by_column()),
              ElementsAre("1", "12", "5", "23", "11", "24", "W 0", "W max"));
  EXPECT_THAT(see(rows, {0, 0}, by_column()),
              ElementsAre("1", "12", "5", "23", "11", "24", "W max"));
  // Who looks at the order of rows hears of each point behind the row that passes it.
  EXPECT_THAT(see(rows, {10, 0, true}, by_column()),
              ElementsAre("1", "W 0", "12", "W 10", "5", "23", "W 20", "11", "24", "W max"));
}

TEST(SourceHeadTest, CustomGenerator) {
  class EveryThird final : public WatermarkGenerator {
   public:
    EventTime on_row(EventTime time) override {
      if (++rows_ % 3 == 0) watermark_ = std::max(watermark_, time);
      return watermark_;
    }

   private:
    int rows_ = 0;
    EventTime watermark_ = kMinWatermark;
  };
  WatermarkStrategy strategy = by_column();
  strategy.kind = WatermarkStrategy::Kind::kCustom;
  strategy.custom = [] { return std::make_unique<EveryThird>(); };
  EXPECT_THAT(see({{0, 1, 0}, {0, 2, 0}, {0, 3, 0}, {0, 4, 0}, {0, 2, 0}, {0, 6, 0}, {0, 7, 0}},
                  {1, 0}, strategy),
              ElementsAre("1", "2", "3", "4", "W 3", "2", "6", "7", "W 6", "W max"));
}

// A silent split stops holding back the others, and holds them back again when it speaks.
TEST(SourceHeadTest, IdleSplits) {
  class TalkingSource final : public Source {
   public:
    const SchemaPtr& schema() const override { return schema_; }
    bool is_bounded() const override { return false; }
    Status open(SourceContext&) override { return Status::ok(); }
    Result<Discovery> discover(const std::vector<std::string>& known) override {
      return Discovery{
          known.empty() ? std::vector<Split>{{"a", ""}, {"b", ""}} : std::vector<Split>{}, true};
    }
    Result<std::unique_ptr<SplitReader>> open_split(const Split& split,
                                                    const std::optional<std::string>&,
                                                    SourceContext& context) override {
      wakers[split.id] = context.waker();
      class Reader final : public SplitReader {
       public:
        explicit Reader(Rows& said) : said_(said) {}
        Result<Polled> poll(std::int64_t) override {
          if (said_.empty()) return Polled();
          return polled(Polled::State::kRows, batch_of(std::exchange(said_, {})));
        }
        std::string position() const override { return ""; }

       private:
        Rows& said_;
      };
      return std::unique_ptr<SplitReader>(new Reader(said[split.id]));
    }
    void say(const std::string& split, std::int64_t ts) {
      said[split].push_back({0, ts, 0});
      wakers.at(split).wake();
    }
    std::map<std::string, Rows> said;
    std::map<std::string, Waker> wakers;

   private:
    SchemaPtr schema_ = row_schema();
  };
  for (int parallelism : {1, 2}) {
    TimeLog log;
    auto source = std::make_shared<TalkingSource>();
    WatermarkStrategy strategy = by_column();
    strategy.idle_timeout_ms = 1'000;
    GraphBuilder graph;
    const int in = graph.source(source, strategy, parallelism);
    graph.operate("see", log.factory(), {edge(in, Exchange::kRebalance)}, 1, 0, {1, 0});
    Simulation simulation;
    Job& job = simulation.start(graph.build());
    const auto run_to = [&](std::int64_t wall_ms) {
      bool reached = false;
      simulation.executor->submit_at(wall_ms * 1'000'000, [&] { reached = true; });
      while (!reached) simulation.executor->run_one();
      simulation.executor->run_ready();
    };
    simulation.executor->run_ready();
    source->say("a", 10);
    run_to(1'500);
    EXPECT_THAT(log.lines, ElementsAre("10")) << "b holds time back";
    source->say("a", 20);
    run_to(2'100);
    EXPECT_THAT(log.lines, ElementsAre("10", "20", "W 20")) << "b is idle";
    source->say("b", 15);
    simulation.executor->run_ready();
    source->say("a", 30);
    simulation.executor->run_ready();
    EXPECT_THAT(log.lines, ElementsAre("10", "20", "W 20", "15", "30")) << "b speaks again";
    run_to(10'000);
    EXPECT_THAT(log.lines, ElementsAre("10", "20", "W 20", "15", "30", "W 30")) << "both idle";
    job.stop(StopMode::kCancel);
    EXPECT_FALSE(job.await().is_ok());
  }
}

// Splits in front wait for the slowest, in whichever task.
TEST(SourceHeadTest, AlignmentBoundsTheDrift) {
  constexpr std::int64_t kDriftMs = 200;
  constexpr std::int64_t kPollMs = 10 * 10;
  Rows rows;
  for (std::int64_t i = 0; i < 1'000; ++i) rows.push_back({0, i * 10, 0});
  for (int parallelism : {1, 2, 3}) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      std::vector<Rows> splits = {rows, rows, rows};
      for (std::size_t i = 0; i < splits.size(); ++i)
        for (Row& row : splits[i]) row.k = static_cast<std::int64_t>(i);
      std::map<std::int64_t, std::int64_t> reached = {{0, 0}, {1, 0}, {2, 0}};
      std::int64_t furthest = 0;
      WatermarkStrategy strategy = by_column();
      strategy.max_drift_ms = kDriftMs;
      GraphBuilder graph;
      const int in = graph.source(
          std::make_shared<ListSource>(
              splits, ListSourceOptions{.poll_rows = 10, .bounded = true, .splits_end = false}),
          strategy, parallelism);
      graph.operate("see", operator_of([&] {
                      Steps steps;
                      steps.process = [&](int, Batch batch, Output&) -> Result<Progress> {
                        for (const Row& row : rows_of(batch)) reached[row.k] = row.ts;
                        std::int64_t lowest = INT64_MAX;
                        std::int64_t highest = 0;
                        for (const auto& [k, ts] : reached) {
                          lowest = std::min(lowest, ts);
                          highest = std::max(highest, ts);
                        }
                        furthest = std::max(furthest, highest - lowest);
                        return Progress::kDone;
                      };
                      return steps;
                    }),
                    {edge(in)}, parallelism);
      Simulation simulation(seed);
      ASSERT_THAT(simulation.run(graph.build()), IsOk());
      EXPECT_LE(furthest, kDriftMs + kPollMs) << parallelism << " " << seed;
    }
  }
}

}  // namespace
}  // namespace tidegate::runtime_test
