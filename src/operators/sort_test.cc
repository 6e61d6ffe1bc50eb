// SPDX-License-Identifier: Apache-2.0
#include "operators/sort.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/check.h"
#include "base/random.h"
#include "tests/support/operator_harness.h"

namespace tidegate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Batch rows(std::string_view json) { return batch_of(schema_of("v BIGINT, s STRING"), json); }

SortOptions options(bool retracts = false) {
  SortOptions all;
  all.types = {LogicalType(TypeKind::kBigInt), LogicalType::string()};
  all.order = {{.column = 0, .descending = true, .nulls_first = false}};
  all.retracts = retracts;
  return all;
}

OperatorFactory factory(SortOptions options) {
  return [options = std::move(options)] { return make_sort(options); };
}

constexpr char kRows[] = R"([[1, "a"], [null, "b"], [3, "c"], [1, null], [3, "c"], [2, "d"],
                             [1, "a"]])";

TEST(Sort, SortsAtTheEndTiesByArrival) {
  OperatorHarness harness(factory(options()));
  harness.push(rows(kRows));
  harness.restart();
  harness.advance(1000);
  EXPECT_THAT(harness.take_log(), IsEmpty()) << "no watermark either, or the rows would be late";
  harness.finish();
  EXPECT_THAT(harness.take_log(), ElementsAre("+I[3, c]", "+I[3, c]", "+I[2, d]", "+I[1, a]",
                                              "+I[1, null]", "+I[1, a]", "+I[null, b]", "W max"));
}

TEST(Sort, OffsetAndLimit) {
  for (const auto& [offset, limit] : {std::pair{1, 3}, {0, 0}, {6, 5}, {9, 2}, {2, -1}}) {
    SortOptions some = options();
    some.offset = offset;
    some.limit = limit;
    OperatorHarness all(factory(options()));
    OperatorHarness harness(factory(some));
    all.push(rows(kRows));
    harness.push(rows(kRows));
    all.finish();
    harness.finish();
    std::vector<std::string> expected = all.take_rows();
    expected.erase(expected.begin(), expected.begin() + std::min(offset, 7));
    if (limit >= 0) expected.resize(std::min<std::size_t>(expected.size(), limit));
    EXPECT_EQ(harness.take_rows(), expected) << offset << " " << limit;
  }
}

TEST(Sort, TakesRowsBack) {
  OperatorHarness harness(factory(options(true)));
  harness.push(with_event_times(rows(kRows), {1, 2, 3, 4, 5, 6, 7}));
  harness.restart();
  harness.push(with_event_times(
      with_row_kinds(rows(R"([[1, "a"], [3, "x"], [3, "c"], [3, "c"], [3, "c"], [4, null]])"),
                     {RowKind::kDelete, RowKind::kDelete, RowKind::kUpdateBefore, RowKind::kDelete,
                      RowKind::kDelete, RowKind::kUpdateAfter}),
      {9, 9, 9, 9, 9, 9}));
  harness.finish();
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[4, null] @9", "+I[2, d] @6", "+I[1, null] @4",
                                               "+I[1, a] @7", "+I[null, b] @2"));
  EXPECT_EQ(harness.counter("rows_not_found"), 2);
  OperatorHarness strict(factory(options()));
  EXPECT_EQ(strict.try_push(with_row_kinds(rows(R"([[1, "a"]])"), {RowKind::kDelete})).code(),
            ErrorCode::kInvalidPlan);
}

TEST(Sort, ManyRowsWithALimitGoOutInPieces) {
  Random random(2);
  std::vector<std::pair<std::int64_t, int>> all;
  std::vector<Batch> batches;
  for (int b = 0; b < 10; ++b) {
    std::string json;
    for (int i = 0; i < 3000; ++i) {
      all.emplace_back(static_cast<std::int64_t>(random.below(500)), all.size());
      json += fmt::format(R"({}[{}, "{}"])", i > 0 ? "," : "", all.back().first, all.back().second);
    }
    batches.push_back(rows("[" + json + "]"));
  }
  std::ranges::sort(all, [](const auto& a, const auto& b) {
    return std::pair(-a.first, a.second) < std::pair(-b.first, b.second);
  });
  for (const std::int64_t limit : {-1, 6000}) {
    SortOptions some = options();
    some.offset = 10;
    some.limit = limit;
    HarnessOptions few;
    few.credit_rows = 1;
    OperatorHarness harness(factory(some), few);
    for (const Batch& batch : batches) {
      harness.push(batch);
      harness.restart();
    }
    EXPECT_EQ(harness.state().memory_bytes() < 1'800'000, limit > 0);
    harness.finish();
    std::vector<std::string> expected;
    for (std::size_t i = 10; i < (limit < 0 ? all.size() : 6010); ++i) {
      expected.push_back(fmt::format("+I[{}, {}]", all[i].first, all[i].second));
    }
    EXPECT_EQ(harness.take_rows(), expected);
    EXPECT_EQ(harness.rows_beyond_credit(), 0);
  }
}

}  // namespace
}  // namespace tidegate
