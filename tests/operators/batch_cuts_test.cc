// SPDX-License-Identifier: Apache-2.0
//
// Operators behind a real source: with one split, results do not depend on how the reader cut its
// rows into batches, down to the order of rows, where the operator asks for the right time grain.

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "base/random.h"
#include "operators/deduplicate.h"
#include "operators/process_function.h"
#include "operators/temporal_sort.h"
#include "runtime/test_job.h"

namespace tidegate::runtime_test {
namespace {

const LogicalType kBigInt(TypeKind::kBigInt);

/// Counts rows per key. A timer 7 ms after each row emits the count and starts again; a row with
/// v = 0 asks for the count so far.
class CountLogic final : public ProcessLogic {
 public:
  Status open(ProcessContext& context) override {
    TG_ASSIGN_OR_RETURN(counts_,
                        context.state().table({"counts", std::make_shared<FixedLayout>(8)}));
    return Status::ok();
  }
  Status on_batch(int, const Batch& batch, ProcessContext& context) override {
    const Rows rows = rows_of(batch);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      context.select(static_cast<std::int64_t>(i));
      if (rows[i].v == 0) emit(rows[i].ts, context);
      TG_ASSIGN_OR_RETURN(std::byte * count, counts_->find_or_create(0, context.key()));
      ++*reinterpret_cast<std::int64_t*>(count);
      TG_RETURN_IF_ERROR(context.add_timer(TimeDomain::kEventTime, rows[i].ts + 7));
    }
    return Status::ok();
  }
  Status on_timer(TimeDomain, std::int64_t time, ProcessContext& context) override {
    emit(time, context);
    counts_->erase(0, context.key());
    return Status::ok();
  }
  Status flush(ProcessContext& context) override {
    context.emit(batch_of(std::exchange(out_, {})));
    return Status::ok();
  }

 private:
  void emit(std::int64_t time, ProcessContext& context) {
    const std::byte* count = counts_->find(0, context.key());
    out_.push_back({static_cast<std::int64_t>(context.key().hash % 1000), time,
                    count == nullptr ? 0 : *reinterpret_cast<const std::int64_t*>(count)});
  }

  StateTable* counts_ = nullptr;
  Rows out_;
};

/// 2000 rows out of order by up to 20 ms, which is more than the watermark waits for.
Rows disordered_rows() {
  Random random(4);
  Rows rows;
  for (std::int64_t i = 0; i < 2000; ++i) {
    rows.push_back({static_cast<std::int64_t>(random.below(5)),
                    i / 2 - static_cast<std::int64_t>(random.below(20)),
                    static_cast<std::int64_t>(random.below(4))});
  }
  return rows;
}

/// What the operator makes of them when the reader hands out `poll_rows` at a time.
Rows run(const OperatorFactory& factory, TimeGrain grain, std::int64_t poll_rows) {
  GraphBuilder graph;
  ListSourceOptions options;
  options.poll_rows = poll_rows;
  const int source = graph.source(
      std::make_shared<ListSource>(std::vector<Rows>{disordered_rows()}, options), by_column(10));
  const int step = graph.operate("step", factory, {edge(source, Exchange::kHash)}, 1, 0, grain);
  const auto sink = std::make_shared<CollectSink>();
  graph.sink(sink, {edge(step)});
  Simulation simulation;
  EXPECT_THAT(simulation.run(graph.build()), IsOk());
  return sink->visible();
}

void expect_same_for_all_cuts(const OperatorFactory& factory, TimeGrain grain) {
  const Rows one_by_one = run(factory, grain, 1);
  EXPECT_GT(one_by_one.size(), 10u);
  for (const std::int64_t poll_rows : {2, 3, 7, 100, 1999, 5000}) {
    EXPECT_EQ(run(factory, grain, poll_rows), one_by_one) << poll_rows;
  }
}

ProcessFunctionOptions counting() {
  ProcessFunctionOptions options;
  options.inputs = {ProcessInput{.keyed = true, .keys = {0}, .key_types = {kBigInt}}};
  options.orders_event_time = true;
  return options;
}

OperatorFactory count_factory() {
  return [] { return make_process_function(std::make_unique<CountLogic>(), counting()); };
}

TEST(BatchCuts, TimersAndRowsKeepTheirOrder) {
  expect_same_for_all_cuts(count_factory(), process_function_time_grain(counting()));
}

TEST(BatchCuts, WithoutTheGrainTimersComeTooLateForSomeRows) {
  const TimeGrain only_late_rows{1, 0};
  EXPECT_NE(run(count_factory(), only_late_rows, 5000), run(count_factory(), only_late_rows, 1));
}

TEST(BatchCuts, FirstRowsByTime) {
  DeduplicateOptions options;
  options.types = {kBigInt, kBigInt, kBigInt};
  options.keys = {1};
  options.by_event_time = true;
  options.changelog = Changelog::kAppend;
  expect_same_for_all_cuts([=] { return make_deduplicate(options); },
                           deduplicate_time_grain(options));
}

TEST(BatchCuts, SortByTime) {
  TemporalSortOptions options;
  options.types = {kBigInt, kBigInt, kBigInt};
  expect_same_for_all_cuts([=] { return make_temporal_sort(options); },
                           temporal_sort_time_grain(options));
}

}  // namespace
}  // namespace tidegate::runtime_test
