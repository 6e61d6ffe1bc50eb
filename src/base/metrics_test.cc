// SPDX-License-Identifier: Apache-2.0
#include "base/metrics.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace tidegate {
namespace {

TEST(MetricRegistryTest, SameNameIsTheSameCounter) {
  const auto registry = make_metric_registry();
  MetricGroup& group = registry->group("count", 0);
  Counter& rows = group.counter("rows_in");
  rows.add(3);
  EXPECT_EQ(&registry->group("count", 0), &group);
  EXPECT_EQ(&group.counter("rows_in"), &rows);
  EXPECT_EQ(group.counter("rows_in").value(), 3);
  EXPECT_NE(&registry->group("count", 1), &group);
}

TEST(MetricRegistryTest, CountersStayWhereTheyAre) {
  const auto registry = make_metric_registry();
  Counter& first = registry->group("a", 0).counter("x");
  for (int i = 0; i < 1'000; ++i) {
    registry->group("a", i).counter("x");
    registry->group("a", 0).counter("x" + std::to_string(i));
  }
  EXPECT_EQ(&registry->group("a", 0).counter("x"), &first);
}

TEST(MetricRegistryTest, SnapshotIsInOrderOfOperatorSubtaskAndName) {
  const auto registry = make_metric_registry();
  registry->group("b", 0).counter("rows_in").set(4);
  registry->group("a", 1).counter("rows_in").set(3);
  registry->group("a", 0).counter("rows_out").set(2);
  registry->group("a", 0).counter("rows_in").set(1);
  const std::vector<MetricSample> samples = registry->snapshot();
  ASSERT_EQ(samples.size(), 4);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(samples[i].value, i + 1);
  EXPECT_EQ(samples[2].operator_name, "a");
  EXPECT_EQ(samples[2].subtask, 1);
  EXPECT_EQ(samples[2].name, "rows_in");
}

TEST(MetricRegistryTest, SumsOverSubtasksAndOperators) {
  const auto registry = make_metric_registry();
  registry->group("a", 0).counter("rows_in").add(1);
  registry->group("a", 1).counter("rows_in").add(2);
  registry->group("b", 0).counter("rows_in").add(4);
  registry->group("b", 0).counter("rows_out").add(8);
  EXPECT_EQ(registry->sum("a", "rows_in"), 3);
  EXPECT_EQ(registry->sum("", "rows_in"), 7);
  EXPECT_EQ(registry->sum("c", "rows_in"), 0);
}

TEST(MetricRegistryTest, CanBeReadWhileItIsWritten) {
  const auto registry = make_metric_registry();
  std::thread writer([&] {
    for (int i = 0; i < 10'000; ++i) registry->group("a", i % 7).counter("rows").add(1);
  });
  std::int64_t last = 0;
  while (last < 10'000) {
    const std::int64_t sum = registry->sum("a", "rows");
    ASSERT_GE(sum, last);
    last = sum;
  }
  writer.join();
}

}  // namespace
}  // namespace tidegate
