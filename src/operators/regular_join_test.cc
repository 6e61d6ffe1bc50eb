// SPDX-License-Identifier: Apache-2.0
#include "operators/regular_join.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/check.h"
#include "operators/regular_join_test_rows.h"

namespace tidegate {
namespace {

using namespace regular_join_test;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(RegularJoin, InnerKeepsTheKindOfWhatCame) {
  OperatorHarness harness(factory(options(JoinKind::kInner)));
  harness.push(0, rows(R"([["a", 1], ["a", 1], ["b", 2], [null, 3]])"));
  harness.restart();
  harness.push(1, rows({kI, kUa, kI}, R"([["a", 7], ["b", 8], [null, 9]])"));
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[a, 1, a, 7]", "+I[a, 1, a, 7]", "+U[b, 2, b, 8]"));
  harness.push(0, rows({kUb, kUa, kD}, R"([["a", 1], ["a", 5], ["b", 2]])"));
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("-U[a, 1, a, 7]", "+U[a, 5, a, 7]", "-D[b, 2, b, 8]"));
  harness.restart(true);
  harness.push(1, rows({kD}, R"([["a", 7]])"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("-D[a, 1, a, 7]", "-D[a, 5, a, 7]"));
  EXPECT_EQ(harness.counter("rows_not_found"), 0);
}

TEST(RegularJoin, LeftRowsStandAloneUntilAndAfterTheirMatches) {
  OperatorHarness harness(factory(options(JoinKind::kLeft)));
  harness.push(0, rows({kI, kUa}, R"([["a", 1], [null, 2]])"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 1, null, null]", "+I[null, 2, null, null]"));
  harness.push(1, rows(R"([["a", 7], ["a", 8], ["b", 9]])"));
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("-D[a, 1, null, null]", "+I[a, 1, a, 7]", "+I[a, 1, a, 8]"));
  harness.restart();
  harness.push(1, rows({kUb, kUa}, R"([["a", 7], ["a", 6]])"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("-U[a, 1, a, 7]", "+I[a, 1, a, 6]"));
  harness.push(1, rows({kD, kUb}, R"([["a", 8], ["a", 6]])"));
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("-D[a, 1, a, 8]", "-U[a, 1, a, 6]", "+I[a, 1, null, null]"));
  harness.push(0, rows({kUb, kD}, R"([["a", 1], [null, 2]])"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("-D[a, 1, null, null]", "-D[null, 2, null, null]"));
  harness.push(0, rows({kUa, kUb}, R"([["b", 1], ["b", 1]])"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[b, 1, b, 9]", "-D[b, 1, b, 9]"));
}

TEST(RegularJoin, RightAndFullPadBothWays) {
  OperatorHarness right(factory(options(JoinKind::kRight)));
  right.push(0, rows(R"([["a", 1]])"));
  right.push(1, rows(R"([["a", 7], ["b", 8]])"));
  right.push(0, rows({kD, kI}, R"([["a", 1], ["b", 2]])"));
  EXPECT_THAT(right.take_rows(),
              ElementsAre("+I[a, 1, a, 7]", "+I[null, null, b, 8]", "-D[a, 1, a, 7]",
                          "+I[null, null, a, 7]", "-D[null, null, b, 8]", "+I[b, 2, b, 8]"));
  OperatorHarness full(factory(options(JoinKind::kFull)));
  full.push(0, rows(R"([["a", 1]])"));
  full.push(1, rows(R"([["a", 7]])"));
  full.push(0, rows({kD}, R"([["a", 1]])"));
  full.push(1, rows({kD, kI}, R"([["a", 7], [null, 8]])"));
  EXPECT_THAT(full.take_rows(),
              ElementsAre("+I[a, 1, null, null]", "-D[a, 1, null, null]", "+I[a, 1, a, 7]",
                          "-D[a, 1, a, 7]", "+I[null, null, a, 7]", "-D[null, null, a, 7]",
                          "+I[null, null, null, 8]"));
}

TEST(RegularJoin, SemiAndAnti) {
  OperatorHarness semi(factory(options(JoinKind::kSemi)));
  OperatorHarness anti(factory(options(JoinKind::kAnti)));
  for (OperatorHarness* harness : {&semi, &anti}) {
    harness->push(0, rows(R"([["a", 1], ["a", 1], [null, 2]])"));
    harness->push(1, rows({kI, kI, kUa}, R"([[null, 6], ["a", 7], ["a", 8]])"));
    harness->restart();
    harness->push(0, rows({kUa, kUb}, R"([["a", 3], ["a", 1]])"));
    harness->push(1, rows({kUb, kUb}, R"([["a", 7], ["a", 8]])"));
  }
  EXPECT_THAT(semi.take_rows(),
              ElementsAre("+I[a, 1]", "+I[a, 1]", "+U[a, 3]", "-U[a, 1]", "-U[a, 1]", "-U[a, 3]"));
  EXPECT_THAT(anti.take_rows(), ElementsAre("+I[a, 1]", "+I[a, 1]", "+I[null, 2]", "-D[a, 1]",
                                            "-D[a, 1]", "+I[a, 1]", "+I[a, 3]"));
}

TEST(RegularJoin, NullsMayBeEqual) {
  RegularJoinOptions safe = options(JoinKind::kLeft);
  safe.left.keys = safe.right.keys = {0, 1};
  safe.null_safe_keys = {true, false};
  OperatorHarness harness(factory(safe));
  harness.push(1, rows(R"([[null, 1], ["a", null]])"));
  harness.push(0, rows(R"([[null, 1], ["a", null]])"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[null, 1, null, 1]", "+I[a, null, null, null]"));
}

TEST(RegularJoin, WithoutKeysEachRowMeetsAll) {
  RegularJoinOptions cross = options(JoinKind::kFull);
  cross.left.keys = cross.right.keys = {};
  cross.condition = in_order;
  OperatorHarness harness(factory(cross));
  harness.push(0, rows(R"([["a", 1], ["b", 5]])"));
  harness.push(1, rows(R"([[null, 3], ["d", 0]])"));
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[a, 1, null, null]", "+I[b, 5, null, null]", "-D[a, 1, null, null]",
                          "+I[a, 1, null, 3]", "+I[null, null, d, 0]"));
}

const SchemaPtr& wide() {
  static const SchemaPtr kSchema = schema_of("k STRING, v BIGINT, w BIGINT");
  return kSchema;
}

/// The left has a column more.
RegularJoinOptions wide_options(JoinKind kind) {
  RegularJoinOptions unique = options(kind);
  unique.left.types.push_back(LogicalType(TypeKind::kBigInt));
  unique.left.unique_key = {1};
  unique.right.unique_key = {0};
  return unique;
}

TEST(RegularJoin, RowsMayReplaceOthers) {
  RegularJoinOptions upserts = wide_options(JoinKind::kLeft);
  upserts.left.upserts = upserts.right.upserts = true;
  OperatorHarness harness(factory(upserts));
  harness.push(1, rows(R"([["a", 7]])"));
  harness.push(0, batch_of(wide(), R"([["a", 1, 10], ["a", 2, 20], ["a", 1, 11]])"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 1, 10, a, 7]", "+I[a, 2, 20, a, 7]",
                                               "-D[a, 1, 10, a, 7]", "+I[a, 1, 11, a, 7]"));
  harness.restart();
  const Batch changes = batch_of(wide(), R"([["a", 1, 99], ["a", 2, null], ["a", 2, 22]])");
  harness.push(0, with_row_kinds(changes, {kUa, kD, kI}));
  EXPECT_THAT(harness.take_rows(), ElementsAre("-D[a, 1, 11, a, 7]", "+I[a, 1, 99, a, 7]",
                                               "-D[a, 2, 20, a, 7]", "+I[a, 2, 22, a, 7]"));
  harness.push(1, rows({kUa}, R"([["a", 8]])"));
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("-U[a, 1, 99, a, 7]", "+I[a, 1, 99, null, null]", "-U[a, 2, 22, a, 7]",
                          "+I[a, 2, 22, null, null]", "-D[a, 1, 99, null, null]",
                          "+I[a, 1, 99, a, 8]", "-D[a, 2, 22, null, null]", "+I[a, 2, 22, a, 8]"));
}

TEST(RegularJoin, WhatIsTakenBackIsWhatWasThere) {
  OperatorHarness harness(factory(wide_options(JoinKind::kInner)));
  harness.push(1, rows(R"([["a", 7]])"));
  harness.push(0, batch_of(wide(), R"([["a", 1, 10], ["a", 2, 20]])"));
  harness.restart();
  harness.take_rows();
  // The last column is another one each time that it is computed.
  const Batch changes = batch_of(wide(), R"([["a", 1, 11], ["a", 1, 12], ["a", 1, 13]])");
  harness.push(0, with_row_kinds(changes, {kUb, kUa, kD}));
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("-U[a, 1, 10, a, 7]", "+U[a, 1, 12, a, 7]", "-D[a, 1, 12, a, 7]"));
  // Changes that come from several tasks may have overtaken each other.
  const Batch early = batch_of(wide(), R"([["a", 2, 22], ["a", 2, 21]])");
  harness.push(0, with_row_kinds(early, {kUa, kUa}));
  harness.restart();
  const Batch rest = batch_of(wide(), R"([["a", 2, 21], ["a", 2, 20]])");
  harness.push(0, with_row_kinds(rest, {kUb, kUb}));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+U[a, 2, 22, a, 7]", "+U[a, 2, 21, a, 7]",
                                               "-U[a, 2, 21, a, 7]", "-U[a, 2, 20, a, 7]"));
  harness.push(1, rows({kD}, R"([["a", 7]])"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("-D[a, 2, 22, a, 7]"));
  EXPECT_EQ(harness.counter("rows_not_found"), 0);
}

TEST(RegularJoin, NotIn) {
  RegularJoinOptions not_in = options(JoinKind::kAnti);
  not_in.left.keys = not_in.right.keys = {};
  not_in.null_aware = {{1, 1}};
  OperatorHarness harness(factory(not_in));
  harness.push(0, rows(R"([["x", 1], ["y", null]])"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[x, 1]", "+I[y, null]"));
  harness.push(1, rows(R"([["r", 2]])"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("-D[y, null]"));
  harness.push(1, rows(R"([["s", null]])"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("-D[x, 1]"));
  harness.push(0, rows(R"([["z", 3], ["z", 2]])"));
  harness.restart();
  EXPECT_THAT(harness.take_rows(), IsEmpty());
  harness.push(1, rows({kD}, R"([["s", null]])"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[x, 1]", "+I[z, 3]"));
  harness.push(1, rows({kD}, R"([["r", 2]])"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[y, null]", "+I[z, 2]"));
  // Rows of several columns: (x, y) NOT IN (...).
  RegularJoinOptions both = not_in;
  both.null_aware = {{0, 0}, {1, 1}};
  OperatorHarness pairs(factory(both));
  pairs.push(1, rows(R"([["a", null], ["b", 2]])"));
  pairs.push(0, rows(R"([["a", 1], ["b", 1], ["b", 2], [null, 3], [null, 2], ["c", null]])"));
  EXPECT_THAT(pairs.take_rows(), ElementsAre("+I[b, 1]", "+I[c, null]"));
  // A subquery that is correlated: each key has rows of its own.
  not_in.left.keys = not_in.right.keys = {0};
  OperatorHarness correlated(factory(not_in));
  correlated.push(1, rows(R"([["a", null], ["b", 1]])"));
  correlated.push(0, rows(R"([["a", 1], ["b", 2], ["b", null], ["c", null], [null, null]])"));
  EXPECT_THAT(correlated.take_rows(), ElementsAre("+I[b, 2]", "+I[c, null]", "+I[null, null]"));
}

TEST(RegularJoin, RowsAreForgotten) {
  RegularJoinOptions forgetful = options(JoinKind::kLeft);
  forgetful.left.ttl_ms = 100;
  forgetful.right.ttl_ms = 1000;
  OperatorHarness harness(factory(forgetful));
  harness.push(0, rows(R"([["a", 1], ["b", 2]])"));
  harness.advance_clock_to(60);
  harness.push(0, rows(R"([["a", 3]])"));
  harness.push(1, rows(R"([["b", 7]])"));  // prolongs the life of its match
  harness.take_rows();
  harness.restart();
  harness.advance_clock_to(100);
  harness.push(1, rows(R"([["a", 8], ["b", 9]])"));
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("-D[a, 3, null, null]", "+I[a, 3, a, 8]", "+I[b, 2, b, 9]"));
  harness.advance_clock_to(200);
  harness.push(1, rows({kD}, R"([["a", 8]])"));
  EXPECT_THAT(harness.take_rows(), IsEmpty());
  // What is not there any more is taken back all the same.
  harness.push(0, rows({kD}, R"([["b", 2]])"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("-D[b, 2, b, 7]", "-D[b, 2, b, 9]"));
  EXPECT_EQ(harness.counter("rows_not_found"), 1);
}

TEST(RegularJoin, ForgottenRowsLeaveTheirMemory) {
  RegularJoinOptions forgetful = options(JoinKind::kInner);
  forgetful.left.ttl_ms = 10;
  OperatorHarness harness(factory(forgetful));
  std::int64_t most = 0;
  for (int i = 0; i < 2000; ++i) {
    harness.advance_clock_to(i);
    harness.push(0, rows(R"([["a", 1], ["b", 2]])"));
    if (i == 200) most = harness.state().memory_bytes();
  }
  EXPECT_LE(harness.state().memory_bytes(), most);
  harness.push(1, rows(R"([["a", 7]])"));
  EXPECT_EQ(harness.take_rows().size(), 10u);
}

TEST(RegularJoin, EmptyListsLeaveNothing) {
  OperatorHarness harness(factory(options(JoinKind::kFull)));
  harness.push(0, rows({kI, kI, kD, kD}, R"([["a", 1], ["a", 1], ["a", 1], ["a", 1]])"));
  harness.push(1, rows({kD}, R"([["b", 1]])"));
  EXPECT_EQ(harness.counter("rows_not_found"), 1);
  harness.seal();
  EXPECT_THAT(harness.stored(), IsEmpty());
}

TEST(RegularJoin, LongListsAreStoredInPieces) {
  for (const std::int64_t ttl_ms : {0, 1000}) {
    RegularJoinOptions all = options(JoinKind::kSemi);
    all.left.ttl_ms = ttl_ms;
    OperatorHarness harness(factory(all));
    const std::string tail(100, 'x');
    const auto push = [&](RowKind kind, int first, int last) {
      std::string json;
      for (int i = first; i < last; ++i) {
        json += fmt::format(R"({}["{}", {}])", i > first ? "," : "", tail, i);
      }
      const std::vector<RowKind> kinds(static_cast<std::size_t>(last - first), kind);
      harness.push(0, rows(kinds, "[" + json + "]"));
    };
    const auto stored_bytes = [&] {
      std::size_t bytes = 0;
      for (const StateDelta& delta : harness.stored()) bytes += delta.bytes.size();
      return bytes;
    };
    push(kI, 0, 5000);
    harness.seal();
    const std::size_t before = stored_bytes();
    EXPECT_GT(before, 500'000u);
    push(kI, 5000, 5001);
    harness.restart();
    EXPECT_LT(stored_bytes() - before, 150'000u);
    // Whole pieces go at the front, in the middle and at the end.
    push(kD, 0, 1500);
    push(kD, 2000, 3500);
    push(kD, 4000, 5001);
    harness.restart(true);
    EXPECT_EQ(harness.counter("rows_not_found"), 0);
    harness.push(1, rows(fmt::format(R"([["{}", 1]])", tail)));
    push(kI, 6000, 6001);
    EXPECT_EQ(harness.take_rows().size(), 1001u);
    push(kD, 1500, 2000);
    push(kD, 3500, 4000);
    push(kD, 6000, 6001);
    EXPECT_EQ(harness.counter("rows_not_found"), 0);
    harness.restart();
    const std::int64_t empty = harness.state().memory_bytes();
    EXPECT_LT(empty, 10'000);
    if (ttl_ms == 0) continue;
    // Old pieces are forgotten while new rows come, and all of them when none do.
    for (int i = 0; i < 20; ++i) {
      harness.advance_clock_to(10'000 + i * 500);
      push(kI, 0, 1000);
    }
    EXPECT_LT(harness.state().memory_bytes(), 1'000'000);
    harness.advance_clock_to(100'000);
    harness.push(1, rows(R"([["b", 1]])"));
    harness.restart();
    EXPECT_LE(harness.state().memory_bytes(), empty + 1000);
  }
}

TEST(RegularJoin, RowsThatHaveTheirMatchAreNotStored) {
  for (const JoinKind kind : {JoinKind::kSemi, JoinKind::kAnti}) {
    RegularJoinOptions inserts = options(kind);
    inserts.left.insert_only = inserts.right.insert_only = true;
    OperatorHarness harness(factory(inserts));
    harness.push(1, rows(R"([["a", 1]])"));
    harness.seal();
    const std::size_t stored = harness.stored().size();
    harness.push(0, rows(R"([["a", 2], ["a", 3]])"));
    harness.seal();
    EXPECT_EQ(harness.stored().size(), stored);
    harness.push(0, rows(R"([["b", 4]])"));
    harness.restart();
    EXPECT_EQ(harness.stored().size(), stored + 1);
    harness.push(1, rows(R"([["a", 5], ["b", 6], ["b", 7]])"));
    harness.push(0, rows(R"([["b", 8]])"));
    if (kind == JoinKind::kSemi) {
      EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 2]", "+I[a, 3]", "+I[b, 4]", "+I[b, 8]"));
    } else {
      EXPECT_THAT(harness.take_rows(), ElementsAre("+I[b, 4]", "-D[b, 4]"));
    }
  }
}

TEST(RegularJoin, ExplodesInPieces) {
  std::string many;
  for (int i = 0; i < 300; ++i) many += fmt::format(R"({}["a", {}])", i > 0 ? "," : "", i);
  for (const bool with_condition : {false, true}) {
    RegularJoinOptions all = options(with_condition ? JoinKind::kFull : JoinKind::kInner);
    if (with_condition) all.condition = in_order;
    HarnessOptions few;
    few.credit_rows = 1;
    OperatorHarness harness(factory(all), few);
    harness.push(0, rows("[" + many + "]"));
    harness.push(1, rows("[" + many + "]"));
    EXPECT_EQ(harness.take_rows().size(), with_condition ? 300u + 300 + 45'150 : 90'000u);
    EXPECT_LE(harness.rows_beyond_credit(), 3 * 4096);
  }
}

TEST(RegularJoin, LongRowsDoNotPassTheLimitOfABatch) {
  std::string many;
  for (int i = 0; i < 100; ++i) many += fmt::format(R"({}["{}", {}])", i > 0 ? "," : "", "a", i);
  RegularJoinOptions cross = options(JoinKind::kInner);
  cross.left.keys = cross.right.keys = {};
  OperatorHarness wide(factory(cross));
  wide.push(0, rows("[" + many + "]"));
  wide.push(1, rows(fmt::format(R"([["{}", 1]])", std::string(1 << 20, 'x'))));
  std::int64_t most = 0;
  std::int64_t all = 0;
  for (const Batch& batch : wide.take_batches()) {
    all += batch.num_rows();
    most = std::max(most, batch.num_rows());
  }
  EXPECT_EQ(all, 100);
  EXPECT_LE(most, 5);
}

TEST(RegularJoin, SaysWhatItCannotDo) {
  RegularJoinOptions inserts = options(JoinKind::kInner);
  inserts.left.insert_only = true;
  OperatorHarness harness(factory(inserts));
  EXPECT_EQ(harness.try_push(0, rows({kD}, R"([["a", 1]])")).code(), ErrorCode::kInvalidPlan);
  RegularJoinOptions wrong = options(JoinKind::kInner);
  wrong.null_aware = {{1, 1}};
  EXPECT_EQ(make_regular_join(wrong).status().code(), ErrorCode::kInvalidArgument);
  wrong = options(JoinKind::kAnti);
  wrong.null_aware = {{1, 0}};
  EXPECT_EQ(make_regular_join(wrong).status().code(), ErrorCode::kTypeMismatch);
  wrong = options(JoinKind::kInner);
  wrong.left.unique_key = {2};
  EXPECT_EQ(make_regular_join(wrong).status().code(), ErrorCode::kInvalidArgument);
  wrong = options(JoinKind::kInner);
  wrong.left.upserts = true;
  EXPECT_EQ(make_regular_join(wrong).status().code(), ErrorCode::kInvalidArgument);
  wrong = options(JoinKind::kInner);
  wrong.null_safe_keys = {true, false};
  EXPECT_EQ(make_regular_join(wrong).status().code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace tidegate
