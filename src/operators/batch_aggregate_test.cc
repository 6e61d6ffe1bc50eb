// SPDX-License-Identifier: Apache-2.0
#include "operators/batch_aggregate.h"

#include <gmock/gmock.h>

#include "expr/distinct_aggregate.h"
#include "operators/keyed_aggregate.h"
#include "operators/window_test_model.h"
#include "types/test_columns.h"

namespace tidegate::window_test {
namespace {

using ::testing::ElementsAre;

BatchAggregateOptions first_options() {
  return {{0}, {LogicalType::string()}, {aggregate("COUNT"), aggregate("MAX", {2})}};
}

OperatorFactory first_phase() {
  return [] { return make_batch_aggregate(first_options()); };
}

KeyedAggregateOptions second_options() {
  KeyedAggregateOptions options;
  options.keys = {0};
  options.key_types = {LogicalType::string()};
  options.aggregates = first_options().aggregates;
  options.per_batch = true;
  options.merges_partials = true;
  return options;
}

/// What both phases make of these batches.
std::vector<std::string> both(const std::vector<std::vector<Row>>& batches) {
  OperatorHarness first(first_phase());
  OperatorHarness second([] { return make_keyed_aggregate(second_options()); });
  for (const std::vector<Row>& rows : batches) {
    first.push(batch_of_rows(rows));
    for (const Batch& batch : first.take_batches()) second.push(batch);
  }
  return texts_of(second.take_batches(), false);
}

TEST(BatchAggregateTest, PartsMakeTheWhole) {
  EXPECT_THAT(both({{{"a", 0, 1}, {"b", 0, 7}, {"a", 0, 5}}, {{"a", 0, 2}}}),
              ElementsAre("+I a 2 5", "+I b 1 7", "-U a 2 5", "+U a 3 5"));
}

TEST(BatchAggregateTest, OneRowPerKeyOfABatch) {
  OperatorHarness harness(first_phase());
  harness.push(batch_of_rows({{"a", 0, 1}, {"b", 0, 7}, {"a", 0, 5}}));
  const std::vector<Batch> batches = harness.take_batches();
  ASSERT_EQ(batches.size(), 1U);
  EXPECT_EQ(batches[0].num_rows(), 2);
  EXPECT_EQ(batches[0].num_columns(),
            static_cast<int>(batch_aggregate_types(first_options()).size()));
}

TEST(BatchAggregateTest, WhatDoesNotShrinkIsPassedOn) {
  OperatorHarness harness(first_phase());
  std::vector<Row> rows;
  for (int i = 0; i < 40'000; ++i) rows.push_back({"k" + std::to_string(i), 0, i});
  harness.push(batch_of_rows(rows));
  harness.take_batches();
  harness.push(batch_of_rows({{"a", 0, 1}, {"a", 0, 5}}));
  const std::vector<Batch> batches = harness.take_batches();
  ASSERT_EQ(batches.size(), 1U);
  EXPECT_EQ(batches[0].num_rows(), 2);
}

TEST(BatchAggregateTest, RefusesWhatCannotBePutTogether) {
  KeyedAggregateOptions each = second_options();
  each.per_batch = false;
  EXPECT_FALSE(make_keyed_aggregate(each).is_ok());
  OperatorHarness harness(first_phase());
  EXPECT_FALSE(harness.try_push(batch_of_rows({{"a", 0, 1, RowKind::kDelete}})).is_ok());
}

}  // namespace
}  // namespace tidegate::window_test
