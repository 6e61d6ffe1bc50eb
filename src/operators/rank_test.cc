// SPDX-License-Identifier: Apache-2.0
#include "operators/rank.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/check.h"
#include "base/random.h"
#include "tests/support/operator_harness.h"

namespace tidegate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const SchemaPtr& schema() {
  static const SchemaPtr kSchema = schema_of("k STRING, v BIGINT, id BIGINT");
  return kSchema;
}
Batch rows(std::string_view json) { return batch_of(schema(), json); }

RankOptions options(std::int64_t start, std::int64_t end, bool number) {
  RankOptions all;
  for (const Field& field : schema()->fields()) all.types.push_back(field.type);
  all.keys = {0};
  all.order = {{.column = 1, .descending = true, .nulls_first = false}};
  all.rank_start = start;
  all.rank_end = end;
  all.emit_rank_number = number;
  return all;
}

OperatorFactory factory(RankOptions options) {
  return [options = std::move(options)] { return make_rank(options); };
}

std::vector<std::string> run(const RankOptions& options, const Batch& batch) {
  OperatorHarness harness(factory(options));
  harness.push(batch);
  return harness.take_rows();
}

constexpr char kFour[] = R"([["a", 5, 1], ["a", 7, 2], ["a", 5, 3], ["a", 6, 4], ["b", null, 5]])";

TEST(Rank, Top1IsUpdated) {
  EXPECT_THAT(run(options(1, 1, false), rows(kFour)),
              ElementsAre("+I[a, 5, 1]", "-U[a, 5, 1]", "+U[a, 7, 2]", "+I[b, null, 5]"));
}

TEST(Rank, WithoutNumberARowLeavesForAnother) {
  EXPECT_THAT(
      run(options(1, 2, false), rows(kFour)),
      ElementsAre("+I[a, 5, 1]", "+I[a, 7, 2]", "-D[a, 5, 1]", "+I[a, 6, 4]", "+I[b, null, 5]"));
}

TEST(Rank, WithNumberEveryShiftIsTold) {
  EXPECT_THAT(run(options(1, 3, true), rows(kFour)),
              ElementsAre("+I[a, 5, 1, 1]", "-U[a, 5, 1, 1]", "+U[a, 7, 2, 1]", "+I[a, 5, 1, 2]",
                          "+I[a, 5, 3, 3]", "-U[a, 5, 1, 2]", "+U[a, 6, 4, 2]", "-U[a, 5, 3, 3]",
                          "+U[a, 5, 1, 3]", "+I[b, null, 5, 1]"));
  RankOptions upserts = options(1, 1, true);
  upserts.changelog = Changelog::kUpsert;
  EXPECT_THAT(run(upserts, rows(kFour)),
              ElementsAre("+I[a, 5, 1, 1]", "+U[a, 7, 2, 1]", "+I[b, null, 5, 1]"));
}

TEST(Rank, FromALaterRankOn) {
  EXPECT_THAT(run(options(2, 3, false), rows(kFour)),
              ElementsAre("+I[a, 5, 1]", "+I[a, 5, 3]", "-U[a, 5, 1]", "+U[a, 6, 4]", "-U[a, 5, 3]",
                          "+U[a, 5, 1]"));
}

TEST(Rank, WithRetractionsTheNextOneMovesUp) {
  RankOptions top = options(1, 1, false);
  top.retracts = true;
  OperatorHarness harness(factory(top));
  harness.push(rows(kFour));
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[a, 5, 1]", "-D[a, 5, 1]", "+I[a, 7, 2]", "+I[b, null, 5]"));
  harness.restart();
  harness.push(with_row_kinds(
      rows(R"([["a", 7, 2], ["a", 6, 9], ["b", null, 5], ["a", 6, 4], ["c", 1, 1]])"),
      {RowKind::kUpdateBefore, RowKind::kUpdateAfter, RowKind::kDelete, RowKind::kDelete,
       RowKind::kDelete}));
  EXPECT_THAT(harness.take_rows(), ElementsAre("-D[a, 7, 2]", "+I[a, 6, 4]", "-D[b, null, 5]",
                                               "-D[a, 6, 4]", "+I[a, 6, 9]"));
  EXPECT_EQ(harness.counter("rows_not_found"), 1);
}

TEST(Rank, EqualRowsGoOneByOneTheFirstFirst) {
  RankOptions top = options(1, 2, true);
  top.retracts = true;
  OperatorHarness harness(factory(top));
  harness.push(with_row_kinds(
      rows(R"([["a", 1, 1], ["a", 1, 2], ["a", 1, 1], ["a", 1, 1], ["a", 1, 1], ["a", 1, 1]])"),
      {RowKind::kInsert, RowKind::kInsert, RowKind::kInsert, RowKind::kDelete, RowKind::kDelete,
       RowKind::kDelete}));
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[a, 1, 1, 1]", "+I[a, 1, 2, 2]", "-U[a, 1, 1, 1]", "+U[a, 1, 2, 1]",
                          "-U[a, 1, 2, 2]", "+U[a, 1, 1, 2]", "-D[a, 1, 1, 2]"));
  EXPECT_EQ(harness.counter("rows_not_found"), 1);
}

TEST(Rank, InTheOrderOfArrivalByAppending) {
  RankOptions first = options(1, 2, true);
  first.order = {};
  first.changelog = Changelog::kAppend;
  OperatorHarness harness(factory(first));
  harness.push(with_event_times(rows(kFour), {1, 2, 3, 4, 5}));
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[a, 5, 1, 1] @1", "+I[a, 7, 2, 2] @2", "+I[b, null, 5, 1] @5"));
  harness.seal();
  harness.push(rows(R"([["a", 9, 6]])"));
  EXPECT_EQ(harness.state().dirty_bytes(), 0) << "rows that do not enter are not stored";
}

TEST(Rank, SaysWhatItCannotDo) {
  RankOptions append = options(1, 2, false);
  append.changelog = Changelog::kAppend;
  EXPECT_EQ(make_rank(append).status().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(make_rank(options(0, 2, false)).status().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(make_rank(options(3, 2, false)).status().code(), ErrorCode::kInvalidArgument);
  for (const std::int64_t end : {2, 1000}) {
    OperatorHarness harness(factory(options(1, end, false)));
    EXPECT_EQ(harness.try_push(with_row_kinds(rows(R"([["a", 1, 1]])"), {RowKind::kDelete})).code(),
              ErrorCode::kInvalidPlan);
  }
}

TEST(Rank, KeysAreForgotten) {
  for (const bool retracts : {false, true}) {
    RankOptions forgetful = options(1, 2, false);
    forgetful.retracts = retracts;
    forgetful.ttl_ms = 100;
    OperatorHarness harness(factory(forgetful));
    harness.push(rows(R"([["a", 1, 1], ["b", 1, 1]])"));
    harness.advance_clock_to(60);
    harness.push(rows(R"([["a", 1, 2]])"));
    harness.restart();
    harness.advance_clock_to(120);
    harness.take_rows();
    harness.push(rows(R"([["a", 2, 3], ["b", 2, 3]])"));
    EXPECT_THAT(harness.take_rows(), ElementsAre("-D[a, 1, 2]", "+I[a, 2, 3]", "+I[b, 2, 3]"));
    harness.advance_clock_to(500);
    harness.push(rows(R"([["c", 1, 1]])"));
    EXPECT_THAT(harness.take_rows(), ElementsAre("+I[c, 1, 1]"));
    harness.push(rows(R"([["a", 1, 4], ["a", 1, 5], ["a", 1, 6]])"));
    EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 1, 4]", "+I[a, 1, 5]"));
  }
}

TEST(Rank, RowsThatAreUpdatedInPlace) {
  const auto updates = [](const char* json) {
    return with_row_kinds(rows(json), {RowKind::kUpdateBefore, RowKind::kUpdateAfter});
  };
  RankOptions top = options(1, 3, true);
  top.upsert_keys = {0, 2};
  top.retracts = true;
  OperatorHarness harness(factory(top));
  harness.push(rows(R"([["a", 5, 1], ["a", 3, 2], ["a", 5, 3], ["a", 4, 4], ["a", 4, 5]])"));
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[a, 5, 1, 1]", "+I[a, 3, 2, 2]", "-U[a, 3, 2, 2]", "+U[a, 5, 3, 2]",
                          "+I[a, 3, 2, 3]", "-U[a, 3, 2, 3]", "+U[a, 4, 4, 3]"));
  harness.restart();
  harness.push(updates(R"([["a", 4, 4], ["a", 6, 4]])"));
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("-U[a, 5, 1, 1]", "-U[a, 4, 4, 3]", "+U[a, 6, 4, 1]", "-U[a, 5, 3, 2]",
                          "+U[a, 5, 1, 2]", "+U[a, 5, 3, 3]"));
  harness.push(updates(R"([["a", 3, 2], ["a", 7, 2]])"));  // had left, and is a new one again
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("-U[a, 6, 4, 1]", "+U[a, 7, 2, 1]", "-U[a, 5, 1, 2]", "+U[a, 6, 4, 2]",
                          "-U[a, 5, 3, 3]", "+U[a, 5, 1, 3]"));
  EXPECT_EQ(harness.try_push(with_row_kinds(rows(R"([["a", 7, 2]])"), {RowKind::kDelete})).code(),
            ErrorCode::kInvalidPlan);

  top.emit_rank_number = false;
  top.rank_end = 2;
  OperatorHarness plain(factory(top));
  plain.push(rows(R"([["a", 5, 1], ["a", 3, 2]])"));
  plain.push(updates(R"([["a", 3, 2], ["a", 6, 2]])"));
  plain.push(updates(R"([["a", 5, 1], ["a", 5, 1]])"));
  plain.push(rows(R"([["a", 5, 3], ["a", 8, 4]])"));
  EXPECT_THAT(plain.take_rows(),
              ElementsAre("+I[a, 5, 1]", "+I[a, 3, 2]", "-U[a, 3, 2]", "+U[a, 6, 2]", "-U[a, 5, 1]",
                          "+U[a, 5, 1]", "-D[a, 5, 1]", "+I[a, 8, 4]"));
  top.rank_end = 1;
  OperatorHarness first(factory(top));
  first.push(rows(R"([["a", 5, 1], ["a", 3, 2], ["a", 6, 2]])"));
  EXPECT_THAT(first.take_rows(), ElementsAre("+I[a, 5, 1]", "-U[a, 5, 1]", "+U[a, 6, 2]"));
}

/// A count per id that only grows: the folded result is that of the full changelog.
TEST(Rank, UpdatesInPlaceComeToTheSameAsRetractions) {
  Random random(6);
  std::map<std::pair<std::string, int>, int> counts;
  Script script;
  for (int i = 0; i < 200; ++i) {
    const std::string key(1, static_cast<char>('a' + random.below(2)));
    const int id = static_cast<int>(random.below(8));
    int& count = counts[{key, id}];
    std::string json = fmt::format(R"(["{}", {}, {}])", key, count + 1, id);
    std::vector<RowKind> kinds = {RowKind::kInsert};
    if (count > 0) {
      json = fmt::format(R"(["{}", {}, {}],{})", key, count, id, json);
      kinds = {RowKind::kUpdateBefore, RowKind::kUpdateAfter};
    }
    ++count;
    script.push_back({0, with_row_kinds(rows("[" + json + "]"), kinds), kMinWatermark});
  }
  for (const bool number : {false, true}) {
    RankOptions top = options(1, 3, number);
    top.retracts = true;
    // Ties in the order of arrival: by id, so that both agree.
    top.order.push_back({.column = 2});
    const auto fold = [&] {
      std::multiset<std::string> there;
      for (const std::string& row : expect_same_under_chaos(factory(top), script, true, 1)) {
        if (row[0] == '+') {
          there.insert(row.substr(2));
        } else {
          EXPECT_TRUE(there.contains(row.substr(2))) << row;
          there.erase(there.find(row.substr(2)));
        }
      }
      return there;
    };
    const auto by_retractions = fold();
    top.upsert_keys = {0, 2};
    EXPECT_EQ(fold(), by_retractions);
  }
}

struct Row {
  std::string key;
  std::optional<std::int64_t> value;
  int id = 0;
  RowKind kind = RowKind::kInsert;
};

/// What a Top-N tells, computed from all rows at each step.
class Model {
 public:
  explicit Model(RankOptions options) : options_(std::move(options)) {}

  std::vector<std::string> run(const std::vector<Row>& all) {
    for (const Row& row : all) step(row);
    return out_;
  }

 private:
  using Top = std::vector<Row>;

  void step(const Row& row) {
    std::vector<Row>& there = rows_[row.key];
    const Top before = top(there);
    if (row_kind_adds(row.kind)) {
      const auto at = std::ranges::find_if(there, [&](const Row& other) {
        return row.value.value_or(INT64_MIN) > other.value.value_or(INT64_MIN);
      });
      there.insert(options_.order.empty() ? there.end() : at, row);
    } else {
      const auto at =
          std::ranges::find_if(there, [&](const Row& other) { return other.id == row.id; });
      if (at != there.end()) there.erase(at);
    }
    const Top after = top(there);
    const bool numbered = options_.emit_rank_number && options_.rank_end > 1;
    if (numbered || options_.rank_start > 1 || (options_.rank_end == 1 && !options_.retracts))
      return by_number(before, after);
    const auto tell_missing = [&](const char* kind, const Top& from, const Top& in) {
      for (const Row& each : from) {
        if (std::ranges::none_of(in, [&](const Row& other) { return other.id == each.id; }))
          tell(kind, each, 1);
      }
    };
    tell_missing("-D", before, after);
    tell_missing("+I", after, before);
  }

  Top top(const std::vector<Row>& there) const {
    const auto end = std::min<std::size_t>(there.size(), options_.rank_end);
    return {there.begin(), there.begin() + static_cast<std::ptrdiff_t>(end)};
  }

  void by_number(const Top& before, const Top& after) {
    for (std::size_t i = 0; i < std::max(before.size(), after.size()); ++i) {
      const auto rank = static_cast<std::int64_t>(i) + 1;
      if (rank < options_.rank_start) continue;
      if (i >= before.size()) {
        tell("+I", after[i], rank);
      } else if (i >= after.size()) {
        tell("-D", before[i], rank);
      } else if (before[i].id != after[i].id) {
        if (options_.changelog == Changelog::kRetract) tell("-U", before[i], rank);
        tell("+U", after[i], rank);
      }
    }
  }

  void tell(const char* kind, const Row& row, std::int64_t rank) {
    out_.push_back(fmt::format("{}[{}, {}, {}{}]", kind, row.key,
                               row.value ? std::to_string(*row.value) : "null", row.id,
                               options_.emit_rank_number ? fmt::format(", {}", rank) : ""));
  }

  RankOptions options_;
  std::map<std::string, std::vector<Row>> rows_;
  std::vector<std::string> out_;
};

std::vector<Row> random_rows(Random& random, int count, bool retracts, std::uint64_t values) {
  std::vector<Row> all;
  std::vector<Row> there;
  for (int id = 0; id < count; ++id) {
    if (retracts && !there.empty() && random.below(5) < 2) {
      const std::size_t which = random.below(there.size());
      all.push_back(there[which]);
      all.back().kind = random.below(2) == 0 ? RowKind::kDelete : RowKind::kUpdateBefore;
      there.erase(there.begin() + static_cast<std::ptrdiff_t>(which));
      continue;
    }
    Row row{std::string(1, static_cast<char>('a' + random.below(3))),
            static_cast<std::int64_t>(random.below(values)), id};
    if (*row.value == 0) row.value.reset();
    all.push_back(row);
    there.push_back(row);
  }
  return all;
}

Batch batch_of_rows(const std::vector<Row>& all) {
  std::string json;
  std::vector<RowKind> kinds;
  bool insert_only = true;
  for (const Row& row : all) {
    json += fmt::format(R"({}["{}", {}, {}])", json.empty() ? "" : ",", row.key,
                        row.value ? std::to_string(*row.value) : "null", row.id);
    kinds.push_back(row.kind);
    insert_only = insert_only && row.kind == RowKind::kInsert;
  }
  const Batch batch = rows("[" + json + "]");
  return insert_only ? batch : with_row_kinds(batch, kinds);
}

TEST(Rank, AgreesWithTheModelUnderChaos) {
  Random random(3);
  for (const bool retracts : {false, true}) {
    const std::vector<Row> all = random_rows(random, 120, retracts, 6);
    Script script;
    for (std::size_t i = 0; i < all.size(); i += 8) {
      const auto from = all.begin() + static_cast<std::ptrdiff_t>(i);
      script.push_back({0, batch_of_rows({from, from + 8}), kMinWatermark});
    }
    for (const auto& [start, end] : {std::pair{1, 1}, {1, 4}, {2, 3}, {1, 1000}}) {
      for (const bool number : {false, true}) {
        SCOPED_TRACE(fmt::format("{} {}..{} {}", retracts, start, end, number));
        RankOptions top = options(start, end, number);
        top.retracts = retracts;
        EXPECT_EQ(expect_same_under_chaos(factory(top), script, true, 1), Model(top).run(all));
        top.changelog = Changelog::kUpsert;
        top.order = {};
        EXPECT_EQ(expect_same_under_chaos(factory(top), script, true, 1), Model(top).run(all));
      }
    }
  }
}

TEST(Rank, ManyRowsOfAKey) {
  Random random(4);
  for (const bool retracts : {false, true}) {
    const std::vector<Row> all = random_rows(random, 6000, retracts, 1000);
    RankOptions top = options(1, 200, false);
    top.retracts = retracts;
    OperatorHarness harness(factory(top));
    for (std::size_t i = 0; i < all.size(); i += 1000) {
      const auto from = all.begin() + static_cast<std::ptrdiff_t>(i);
      harness.push(batch_of_rows({from, from + 1000}));
      harness.restart(i == 2000);
    }
    EXPECT_EQ(harness.take_rows(), Model(top).run(all));
  }
}

TEST(Rank, RowsGoWithTheirKeysWhenRescaled) {
  RankOptions top = options(1, 1, false);
  top.retracts = true;
  OperatorHarness one(factory(top));
  std::string inserts;
  std::string deletes;
  for (int k = 0; k < 20; ++k) {
    inserts += fmt::format(R"({0}["k{1}", 2, 1], ["k{1}", 1, 2])", k > 0 ? "," : "", k);
    deletes += fmt::format(R"({}["k{}", 2, 1])", k > 0 ? "," : "", k);
  }
  one.push(rows("[" + inserts + "]"));
  one.seal();
  std::vector<std::string> got;
  for (int subtask = 0; subtask < 2; ++subtask) {
    HarnessOptions half;
    half.key_groups = key_groups_of_subtask(subtask, 128, 2);
    OperatorHarness harness(factory(top), half);
    harness.restore(one.stored(), kMinWatermark);
    harness.push(
        with_row_kinds(rows("[" + deletes + "]"), std::vector<RowKind>(20, RowKind::kDelete)));
    EXPECT_GT(harness.counter("rows_not_found"), 0) << "some are the other's";
    std::ranges::move(harness.take_rows(), std::back_inserter(got));
  }
  std::vector<std::string> expected;
  for (int k = 0; k < 20; ++k) {
    expected.push_back(fmt::format("-D[k{}, 2, 1]", k));
    expected.push_back(fmt::format("+I[k{}, 1, 2]", k));
  }
  EXPECT_THAT(got, ::testing::UnorderedElementsAreArray(expected));
}

TEST(Rank, ARowIsFoundAmongManyTies) {
  RankOptions top = options(1, 1, false);
  top.retracts = true;
  OperatorHarness harness(factory(top));
  std::string json;
  for (int id = 0; id < 2000; ++id)
    json += fmt::format(R"({}["{}", 7, {}])", id > 0 ? "," : "", id % 2 == 0 ? "a" : "b", id % 500);
  harness.push(rows("[" + json + "]"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 7, 0]", "+I[b, 7, 1]"));
  const auto take_back = [&](const char* row) {
    harness.push(with_row_kinds(rows(row), {RowKind::kDelete}));
  };
  take_back(R"([["a", 7, 498]])");  // the first of four
  take_back(R"([["a", 7, 1]])");    // is of the other key
  EXPECT_EQ(harness.counter("rows_not_found"), 1);
  harness.push(rows(R"([["a", 7, 1]])"));
  for (int i = 0; i < 3; ++i) take_back(R"([["a", 7, 498]])");
  take_back(R"([["a", 7, 1]])");
  harness.restart();
  take_back(R"([["a", 7, 498]])");
  EXPECT_EQ(harness.counter("rows_not_found"), 1 + 1);
  take_back(R"([["a", 7, 0]])");
  EXPECT_THAT(harness.take_rows(), ElementsAre("-D[a, 7, 0]", "+I[a, 7, 2]"));
}

TEST(Rank, EmptiedKeysGiveTheirMemoryBack) {
  RankOptions top = options(1, 2, false);
  top.retracts = true;
  OperatorHarness harness(factory(top));
  harness.push(rows(R"([["a", 1, 1], ["b", 1, 1]])"));
  harness.push(
      with_row_kinds(rows(R"([["a", 1, 1], ["b", 1, 1]])"), {RowKind::kDelete, RowKind::kDelete}));
  harness.seal();
  EXPECT_LT(harness.state().memory_bytes(), 1000);
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[a, 1, 1]", "+I[b, 1, 1]", "-D[a, 1, 1]", "-D[b, 1, 1]"));
  harness.finish();
  EXPECT_THAT(harness.take_rows(), IsEmpty());
}

}  // namespace
}  // namespace tidegate
