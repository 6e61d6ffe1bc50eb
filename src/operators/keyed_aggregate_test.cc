// SPDX-License-Identifier: Apache-2.0
#include "operators/keyed_aggregate.h"

#include <gmock/gmock.h>

#include "expr/distinct_aggregate.h"
#include "operators/keyed_reduce.h"
#include "operators/window_test_model.h"
#include "types/test_columns.h"

namespace tidegate::window_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

KeyedAggregateOptions keyed_options(Changelog changelog = Changelog::kRetract) {
  KeyedAggregateOptions options;
  options.keys = {0};
  options.key_types = {LogicalType::string()};
  options.aggregates = {aggregate("COUNT"), aggregate("SUM", {2})};
  options.changelog = changelog;
  options.retracts = true;
  return options;
}

OperatorFactory factory_of(const KeyedAggregateOptions& options) {
  return [options] { return make_keyed_aggregate(options); };
}

/// Rows of few keys, some of which are taken back later; some that never were, too.
std::vector<Row> changes(Random& random, int count) {
  std::vector<Row> rows;
  std::vector<Row> there;
  for (int i = 0; i < count; ++i) {
    if (!there.empty() && random.below(2) == 0) {
      const std::size_t which = random.below(there.size());
      Row row = there[which];
      there.erase(there.begin() + static_cast<std::ptrdiff_t>(which));
      row.kind = random.below(2) == 0 ? RowKind::kDelete : RowKind::kUpdateBefore;
      rows.push_back(row);
      continue;
    }
    const std::string key(1, static_cast<char>('a' + random.below(5)));
    Row row{key, i, static_cast<std::int64_t>(random.below(3))};
    if (random.below(20) == 0) {
      row = {"never", i, 1, RowKind::kDelete};
    } else {
      there.push_back(row);
    }
    rows.push_back(row);
  }
  return rows;
}

std::vector<std::string> model(const std::vector<Row>& rows, Changelog changelog) {
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> groups;
  std::vector<std::string> out;
  for (const Row& row : rows) {
    const bool adds = row_kind_adds(row.kind);
    const auto text = [&](std::pair<std::int64_t, std::int64_t> group) {
      return fmt::format(" {} {} {}", row.key, group.first, group.second);
    };
    const bool there = groups.contains(row.key);
    if (!there && !adds) continue;
    const auto before = groups[row.key];
    const std::pair after(before.first + (adds ? 1 : -1), before.second + (adds ? row.n : -row.n));
    groups[row.key] = after;
    if (after.first == 0) {
      groups.erase(row.key);
      if (changelog != Changelog::kAppend) out.push_back("-D" + text(before));
    } else if (changelog == Changelog::kAppend || !there) {
      out.push_back("+I" + text(after));
    } else {
      if (changelog == Changelog::kRetract) out.push_back("-U" + text(before));
      out.push_back("+U" + text(after));
    }
  }
  return out;
}

TEST(KeyedAggregateTest, EqualsTheModelHoweverBatchesAreCut) {
  for (const Changelog changelog : {Changelog::kAppend, Changelog::kUpsert, Changelog::kRetract}) {
    SCOPED_TRACE(static_cast<int>(changelog));
    Random random(11);
    const std::vector<Row> rows = changes(random, 400);
    const std::vector<std::string> expected = model(rows, changelog);
    for (const std::int64_t cut : {1, 3, 400}) {
      OperatorHarness harness(factory_of(keyed_options(changelog)));
      for (std::size_t begin = 0; begin < rows.size(); begin += static_cast<std::size_t>(cut)) {
        const std::size_t end = std::min(rows.size(), begin + static_cast<std::size_t>(cut));
        harness.push(batch_of_rows({rows.begin() + static_cast<std::ptrdiff_t>(begin),
                                    rows.begin() + static_cast<std::ptrdiff_t>(end)}));
      }
      EXPECT_EQ(texts_of(harness.take_batches(), false), expected) << "cut=" << cut;
      EXPECT_GT(harness.counter("rows_not_found"), 0);
    }
    Script script;
    for (const Row& row : rows) script.push_back({0, batch_of_rows({row}), kMinWatermark});
    expect_same_under_chaos(factory_of(keyed_options(changelog)), script, true, 2);
  }
}

TEST(KeyedAggregateTest, ResultsThatStayTheSameAreNotTold) {
  KeyedAggregateOptions options = keyed_options();
  options.aggregates = {aggregate("MAX", {2})};
  options.retracts = false;
  OperatorHarness harness(factory_of(options));
  harness.push(batch_of_rows({{"a", 0, 5}, {"a", 0, 3}, {"b", 0, 1}, {"a", 0, 9}}));
  EXPECT_THAT(texts_of(harness.take_batches(), false),
              ElementsAre("+I a 5", "+I b 1", "-U a 5", "+U a 9"));
}

TEST(KeyedAggregateTest, LargestTextsAreThoseOfTheirRow) {
  FunctionRegistry registry;
  register_function_min_max(registry);
  KeyedAggregateOptions options = keyed_options();
  options.key_types = {LogicalType(TypeKind::kBigInt)};
  options.retracts = false;
  options.aggregates.clear();
  for (const char* name : {"MAX", "MIN"}) {
    const LogicalType types[] = {LogicalType::string()};
    options.aggregates.push_back(
        {.aggregator = *(*registry.find_aggregate(name))->bind(types), .arguments = {1}});
  }
  options.aggregates[1].filter = 2;
  const SchemaPtr in = schema_of({"k BIGINT", "s STRING", "f BOOLEAN"});
  const SchemaPtr out = schema_of({"k BIGINT", "max STRING", "min STRING"});
  const Batch rows = batch_of(*in, R"([[1, null, true], [2, "b", true], [1, "a", false],
      [1, "text that is longer than others", true], [2, "aa", null], [1, "b", true],
      [2, "text that is the longest of them all", true], [1, "z", true]])");
  for (const std::int64_t cut : {1, 3, 8}) {
    OperatorHarness harness(factory_of(options));
    for (std::int64_t begin = 0; begin < rows.num_rows(); begin += cut)
      harness.push(rows.slice(begin, std::min(cut, rows.num_rows() - begin)));
    std::vector<std::string> told;
    for (const Batch& batch : harness.take_batches())
      for (std::string& text : to_rows(batch, *out)) told.push_back(std::move(text));
    EXPECT_THAT(
        told, ElementsAre("+I[1, null, null]", "+I[2, b, b]", "-U[1, null, null]", "+U[1, a, null]",
                          "-U[1, a, null]",
                          "+U[1, text that is longer than others, text that is longer than others]",
                          "-U[1, text that is longer than others, text that is longer than others]",
                          "+U[1, text that is longer than others, b]", "-U[2, b, b]",
                          "+U[2, text that is the longest of them all, b]",
                          "-U[1, text that is longer than others, b]", "+U[1, z, b]"))
        << "cut=" << cut;
  }
}

TEST(KeyedAggregateTest, PerBatchTellsTheLastChange) {
  KeyedAggregateOptions options = keyed_options(Changelog::kUpsert);
  options.per_batch = true;
  OperatorHarness harness(factory_of(options));
  harness.push(batch_of_rows({{"a", 0, 5}, {"b", 0, 1}, {"a", 0, 3}}));
  EXPECT_THAT(texts_of(harness.take_batches(), false), ElementsAre("+I a 2 8", "+I b 1 1"));
  harness.push(batch_of_rows({{"a", 0, 5, RowKind::kDelete},
                              {"b", 0, 1, RowKind::kDelete},
                              {"c", 0, 1},
                              {"c", 0, 1, RowKind::kDelete}}));
  EXPECT_THAT(texts_of(harness.take_batches(), false), ElementsAre("+U a 1 3", "-D b 1 1"));
}

TEST(KeyedAggregateTest, KeysThatAreNotUsedAgeOut) {
  KeyedAggregateOptions options = keyed_options();
  options.ttl_ms = 100;
  OperatorHarness harness(factory_of(options));
  harness.push(batch_of_rows({{"a", 0, 5}, {"b", 0, 1}}));
  harness.advance_clock_to(60);
  harness.push(batch_of_rows({{"a", 0, 1}}));
  harness.take_batches();
  harness.advance_clock_to(120);
  harness.restart();
  harness.push(batch_of_rows({{"a", 0, 1}, {"b", 0, 2}}));
  EXPECT_THAT(texts_of(harness.take_batches(), false),
              ElementsAre("-U a 2 6", "+U a 3 7", "+I b 1 2"));
}

TEST(KeyedAggregateTest, WithoutKeysThereIsOneGroup) {
  KeyedAggregateOptions options = keyed_options();
  options.keys = {};
  options.key_types = {};
  OperatorHarness harness(factory_of(options));
  harness.push(batch_of_rows({{"a", 0, 5}, {"b", 0, 1}}));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[1, 5]", "-U[1, 5]", "+U[2, 6]"));
}

TEST(KeyedAggregateTest, EmptiedKeysGiveTheirMemoryBack) {
  OperatorHarness harness(factory_of(keyed_options(Changelog::kUpsert)));
  std::int64_t first = 0;
  for (int round = 0; round < 50; ++round) {
    std::vector<Row> rows;
    for (int i = 0; i < 200; ++i) {
      const std::string key = std::to_string(round * 1000 + i);
      rows.push_back({key, 0, 1});
      rows.push_back({key, 0, 1, RowKind::kDelete});
    }
    harness.push(batch_of_rows(rows));
    harness.take_batches();
    if (round == 0) first = harness.state().memory_bytes();
  }
  EXPECT_LT(harness.state().memory_bytes(), 6 * first);
  harness.seal();
  EXPECT_LT(harness.state().memory_bytes(), 1000);
}

/// NAME([DISTINCT] n), able to take rows back.
BoundAggregate retracting(const std::string& name, bool distinct, int filter = -1) {
  const std::vector<LogicalType> types = {LogicalType(TypeKind::kBigInt)};
  FunctionRegistry registry;
  register_function_count(registry);
  register_function_sum(registry);
  register_function_min_max(registry);
  const auto function = *registry.find_aggregate(name);
  auto bound = function->bind_retracting ? function->bind_retracting(types) : function->bind(types);
  TG_CHECK(bound.is_ok(), "{}", bound.status().to_string());
  std::unique_ptr<Aggregator> aggregator = *std::move(bound);
  if (distinct) aggregator = make_distinct(std::move(aggregator), types);
  return {.aggregator = std::move(aggregator), .arguments = {2}, .filter = filter};
}

/// With a column 3 behind the others: whether n is even (null when n is 2).
Batch with_even(const std::vector<Row>& rows) {
  Batch batch = batch_of_rows(rows);
  arrow::BooleanBuilder even;
  for (const Row& row : rows) {
    TG_CHECK((row.n == 2 ? even.AppendNull() : even.Append(row.n % 2 == 0)).ok(), "even");
  }
  std::vector<ArrayPtr> columns = batch.columns();
  columns.push_back(must(even));
  return batch.with_columns(std::move(columns));
}

/// COUNT(*), COUNT(DISTINCT n) FILTER (WHERE even), SUM(DISTINCT n), MAX(n).
std::vector<std::string> model_of_distinct(const std::vector<Row>& rows) {
  std::map<std::string, std::multiset<std::int64_t>> groups;
  std::vector<std::string> out;
  const auto text = [&](const std::string& key) {
    const std::set<std::int64_t> values(groups[key].begin(), groups[key].end());
    std::int64_t sum = 0;
    std::int64_t even = 0;
    for (const std::int64_t value : values) {
      sum += value;
      even += value % 2 == 0 && value != 2 ? 1 : 0;
    }
    return fmt::format(" {} {} {} {} {}", key, groups[key].size(), even, sum, *values.rbegin());
  };
  for (const Row& row : rows) {
    std::multiset<std::int64_t>& group = groups[row.key];
    if (!row_kind_adds(row.kind) && group.empty()) continue;
    const std::string before = group.empty() ? "" : text(row.key);
    if (row_kind_adds(row.kind)) {
      group.insert(row.n);
    } else {
      group.erase(group.find(row.n));
    }
    if (group.empty()) {
      out.push_back("-D" + before);
    } else if (before.empty()) {
      out.push_back("+I" + text(row.key));
    } else {
      out.push_back("-U" + before);
      out.push_back("+U" + text(row.key));
    }
  }
  return out;
}

TEST(KeyedAggregateTest, DistinctAndFilterWithRetractions) {
  KeyedAggregateOptions options = keyed_options();
  options.aggregates = {aggregate("COUNT"), retracting("COUNT", true, 3), retracting("SUM", true),
                        retracting("MAX", false)};
  Random random(7);
  std::vector<Row> rows = changes(random, 300);
  for (Row& row : rows) row.n *= 2;  // of 0, 2 and 4
  const std::vector<std::string> expected = model_of_distinct(rows);
  OperatorHarness harness(factory_of(options));
  harness.push(with_even(rows));
  EXPECT_EQ(texts_of(harness.take_batches(), false), expected);
  expect_same_under_chaos(factory_of(options), {{0, with_even(rows), kMinWatermark}}, true, 2);
}

TEST(KeyedAggregateTest, NothingOfRoundingIsLeftWhenAKeyComesBack) {
  // The same rows cut in front of the last one have an empty key there.
  const SchemaPtr schema = schema_of("k DOUBLE, x DOUBLE");
  FunctionRegistry registry;
  register_function_sum(registry);
  const std::vector<LogicalType> types = {LogicalType(TypeKind::kDouble)};
  auto sum = (*registry.find_aggregate("SUM"))->bind(types);
  ASSERT_TRUE(sum.is_ok());
  KeyedAggregateOptions options;
  options.keys = {0};
  options.key_types = types;
  options.aggregates = {{.aggregator = *std::move(sum), .arguments = {1}}};
  options.retracts = true;
  const Batch batch = with_row_kinds(
      batch_of(schema, "[[0.0, 0.1], [-0.0, 0.2], [0.0, 0.1], [-0.0, 0.2], [-0.0, 0.5]]"),
      {RowKind::kInsert, RowKind::kInsert, RowKind::kDelete, RowKind::kDelete, RowKind::kInsert});
  const auto rows = expect_same_under_chaos([options] { return make_keyed_aggregate(options); },
                                            {{0, batch, kMinWatermark}}, true, 2);
  ASSERT_EQ(rows.size(), 7u);
  EXPECT_EQ(rows[6], "+I[0, 0.5]");
}

TEST(KeyedAggregateTest, NoRowsHaveAResultAtTheEndWhenAskedFor) {
  KeyedAggregateOptions options = keyed_options();
  options.keys = {};
  options.key_types = {};
  options.emit_empty_at_end = true;
  OperatorHarness empty(factory_of(options));
  empty.finish();
  EXPECT_THAT(empty.take_rows(), ElementsAre("+I[0, null]"));
  OperatorHarness some(factory_of(options));
  some.push(batch_of_rows({{"a", 0, 5}}));
  some.restart();
  some.finish();
  EXPECT_THAT(some.take_rows(), ElementsAre("+I[1, 5]"));
  OperatorHarness gone(factory_of(options));
  gone.push(batch_of_rows({{"a", 0, 5}, {"a", 0, 5, RowKind::kDelete}}));
  gone.finish();
  EXPECT_THAT(gone.take_rows(), ElementsAre("+I[1, 5]", "-D[1, 5]", "+I[0, null]"));
  options.keys = {0};
  EXPECT_EQ(make_keyed_aggregate(options).status().code(), ErrorCode::kInvalidArgument);
}

TEST(KeyedReduceTest, EachRowGivesTheCombinationSoFar) {
  OperatorHarness harness([] {
    KeyedReduceOptions options;
    options.keys = {0};
    options.key_types = {LogicalType::string()};
    options.reduce = aggregate("SUM", {2});
    return make_keyed_reduce(options);
  });
  harness.push(batch_of_rows({{"a", 0, 5}, {"b", 0, 1}, {"a", 0, 3}}));
  harness.push(with_event_times(batch_of_rows({{"a", 0, 0}}), {77}));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 5]", "+I[b, 1]", "+I[a, 8]", "+I[a, 8] @77"));
}

TEST(KeyedAggregateTest, AnEmptyBatchGivesNothing) {
  OperatorHarness harness(factory_of(keyed_options()));
  harness.push(batch_of_rows({}));
  harness.finish();
  EXPECT_THAT(harness.take_rows(), IsEmpty());
}

TEST(KeyedAggregateTest, PerEpochTellsWhatChangedOrAll) {
  for (const bool all : {false, true}) {
    KeyedAggregateOptions options = keyed_options(Changelog::kAppend);
    options.retracts = false;
    options.per_epoch =
        all ? KeyedAggregateOptions::PerEpoch::kAll : KeyedAggregateOptions::PerEpoch::kChanged;
    HarnessOptions harness_options;
    harness_options.credit_rows = 1;
    OperatorHarness harness(factory_of(options), harness_options);
    harness.push(batch_of_rows({{"a", 1, 1}, {"b", 1, 2}, {"a", 1, 3}}));
    EXPECT_THAT(harness.take_rows(), IsEmpty());
    harness.seal();
    EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 2, 4]", "+I[b, 1, 2]"));
    harness.restart();  // which ends an epoch without changes
    harness.take_rows();
    harness.push(batch_of_rows({{"b", 1, 0}}));
    harness.push(batch_of_rows({{"b", 1, 0}}));
    harness.seal();
    if (all) {
      EXPECT_THAT(harness.take_rows(),
                  ::testing::UnorderedElementsAre("+I[a, 2, 4]", "+I[b, 3, 2]"));
    } else {
      EXPECT_THAT(harness.take_rows(), ElementsAre("+I[b, 3, 2]"));
    }
    harness.push(batch_of_rows({{"c", 1, 7}}));
    harness.finish();
    EXPECT_THAT(harness.take_rows(), ::testing::Contains("+I[c, 1, 7]"))
        << "the end of the input ends the last epoch";
  }
}

TEST(KeyedAggregateTest, AllRowsHaveAResultInEveryEpoch) {
  KeyedAggregateOptions options = keyed_options(Changelog::kAppend);
  options.retracts = false;
  options.keys = {};
  options.key_types = {};
  options.per_epoch = KeyedAggregateOptions::PerEpoch::kAll;
  OperatorHarness harness(factory_of(options));
  harness.seal();
  harness.push(batch_of_rows({{"a", 1, 4}}));
  harness.seal();
  harness.seal();
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[0, null]", "+I[1, 4]", "+I[1, 4]"));
}

}  // namespace
}  // namespace tidegate::window_test
