// SPDX-License-Identifier: Apache-2.0
#include "operators/window_aggregate.h"

#include <gmock/gmock.h>

#include "operators/partial_aggregate.h"
#include "operators/window_test_model.h"

namespace tidegate::window_test {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::vector<BoundAggregate> count_and_sum() { return {aggregate("COUNT"), aggregate("SUM", {2})}; }
std::vector<BoundAggregate> min_max() {
  return {aggregate("MIN", {2}), aggregate("MAX", {2}), aggregate("COUNT")};
}

/// What windows of time should give, one row at a time: the rows of each window by key, and when
/// results come.
class Model {
 public:
  Model(const WindowAggregateOptions& options, std::int64_t delay_ms)
      : options_(options), delay_ms_(delay_ms) {}

  void run(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
      add(row);
      advance(std::max(watermark_, row.time - delay_ms_));
    }
    advance(kMaxWatermark);
  }

  std::vector<std::string> results;
  std::int64_t rows_late = 0;

 private:
  using Key = std::pair<TimeSpan, std::string>;

  bool closed(TimeSpan window) const {
    return watermark_ == kMaxWatermark || watermark_ >= window.end + options_.grace_ms;
  }

  void add(const Row& row) {
    std::vector<TimeSpan> windows;
    ASSERT_TRUE(assign_windows(options_.window, row.time, windows).is_ok());
    bool counts = windows.empty();
    for (TimeSpan window : windows) {
      if (closed(window)) continue;
      counts = true;
      const std::string before = result({window, row.key});
      rows_[{window, row.key}].push_back(row);
      const bool now = options_.emit == Emit::kOnEveryUpdate ||
                       (options_.emit == Emit::kOnEndAndLate && window.end <= watermark_);
      if (now) tell(before, {window, row.key});
    }
    if (!counts) ++rows_late;
  }

  void tell(const std::string& before, const Key& key) {
    const std::string after = result(key);
    const bool changes = options_.changelog != Changelog::kAppend && !before.empty();
    if (!after.empty()) {
      if (changes && options_.changelog == Changelog::kRetract) results.push_back("-U" + before);
      results.push_back((changes ? "+U" : "+I") + after);
    } else if (changes) {
      results.push_back("-D" + before);
    }
  }

  void advance(EventTime watermark) {
    const EventTime before = watermark_;
    watermark_ = watermark;
    for (auto it = rows_.begin(); it != rows_.end();) {
      const TimeSpan window = it->first.first;
      const bool ends = window.end <= watermark_ && window.end > before;
      const bool fires = (options_.emit == Emit::kOnClose && closed(window)) ||
                         (options_.emit == Emit::kOnEndAndLate && ends);
      const std::string text = result(it->first);
      if (fires && !text.empty()) results.push_back("+I" + text);
      it = closed(window) ? rows_.erase(it) : std::next(it);
    }
  }

  /// COUNT, SUM or MIN, MAX, COUNT of what is there, as text; empty when nothing is.
  std::string result(const Key& key) const {
    const auto found = rows_.find(key);
    if (found == rows_.end()) return "";
    std::int64_t count = 0;
    std::int64_t sum = 0;
    std::multiset<std::int64_t> values;
    for (const Row& row : found->second) {
      const bool adds = row_kind_adds(row.kind);
      count += adds ? 1 : -1;
      sum += adds ? row.n : -row.n;
      if (adds) values.insert(row.n);
    }
    if (count <= 0) return "";
    const std::string head = fmt::format(" {} [{},{})", key.second, key.first.start, key.first.end);
    return options_.aggregates.size() == 2
               ? fmt::format("{} {} {}", head, count, sum)
               : fmt::format("{} {} {} {}", head, *values.begin(), *values.rbegin(), count);
  }

  const WindowAggregateOptions& options_;
  std::int64_t delay_ms_;
  EventTime watermark_ = kMinWatermark;
  std::map<Key, std::vector<Row>> rows_;
};

struct Case {
  std::string name;
  Window window;
};

std::vector<Case> sliced_windows() {
  return {{"tumble", tumbling(milliseconds(50))},
          {"tumble with offset", tumbling(milliseconds(50), milliseconds(-13))},
          {"hop", hopping(milliseconds(60), milliseconds(10))},
          {"hop, size no multiple", hopping(milliseconds(50), milliseconds(20), milliseconds(7))},
          {"hop with gaps", hopping(milliseconds(20), milliseconds(50))},
          {"cumulate", cumulating(milliseconds(90), milliseconds(30), milliseconds(5))}};
}

/// The operator against the model, in one piece, row by row, and cut at random, with and without
/// credit.
void expect_model(const WindowAggregateOptions& options, const std::vector<Row>& rows,
                  std::int64_t delay_ms, std::uint64_t seed) {
  Model model(options, delay_ms);
  model.run(rows);
  const TimeGrain grain = window_time_grain(options.window, options.grace_ms, options.emit);
  Random random(seed);
  const bool one_by_one = options.emit == Emit::kOnEveryUpdate;
  for (int how = 0; how < 4; ++how) {
    HarnessOptions harness;
    if (how == 3) harness.credit_rows = 2;
    const Script script = how == 1 ? script_of(rows, delay_ms, TimeGrain{1, 0}, nullptr, true)
                                   : script_of(rows, delay_ms, grain, how >= 2 ? &random : nullptr);
    const Outcome outcome = run(options, script, harness);
    ASSERT_EQ(difference(outcome.rows, model.results), "") << "how=" << how;
    if (one_by_one) {
      ASSERT_EQ(outcome.rows, model.results) << "how=" << how;
    }
    ASSERT_EQ(outcome.rows_late, model.rows_late) << "how=" << how;
  }
}

TEST(WindowAggregateTest, EqualsTheModel) {
  for (const Case& c : sliced_windows()) {
    for (std::int64_t grace : {0, 25}) {
      for (const Emit emit : {Emit::kOnClose, Emit::kOnEndAndLate, Emit::kOnEveryUpdate}) {
        for (const Changelog changelog :
             {Changelog::kAppend, Changelog::kUpsert, Changelog::kRetract}) {
          if (emit == Emit::kOnClose && changelog != Changelog::kAppend) continue;
          for (const bool subtracts : {true, false}) {
            SCOPED_TRACE(fmt::format("{} grace={} emit={} changelog={} subtracts={}", c.name, grace,
                                     static_cast<int>(emit), static_cast<int>(changelog),
                                     subtracts));
            WindowAggregateOptions options =
                options_for(c.window, subtracts ? count_and_sum() : min_max());
            options.grace_ms = grace;
            options.emit = emit;
            options.changelog = changelog;
            Random random(17);
            expect_model(options, random_rows(random, 500, 12, 120), 5, 3);
            if (HasFatalFailure()) return;
          }
        }
      }
    }
  }
}

TEST(WindowAggregateTest, RetractionsTakeRowsBack) {
  for (const Case& c : sliced_windows()) {
    for (const Emit emit : {Emit::kOnClose, Emit::kOnEndAndLate, Emit::kOnEveryUpdate}) {
      SCOPED_TRACE(fmt::format("{} emit={}", c.name, static_cast<int>(emit)));
      WindowAggregateOptions options = options_for(c.window, count_and_sum());
      options.retracts = true;
      options.grace_ms = 30;
      options.emit = emit;
      options.changelog = emit == Emit::kOnClose ? Changelog::kAppend : Changelog::kRetract;
      Random random(5);
      std::vector<Row> rows;
      for (const Row& row : random_rows(random, 300, 4)) {
        rows.push_back(row);
        // Taken back later, or changed.
        if (random.below(3) == 0) {
          rows.push_back({row.key, row.time, row.n, RowKind::kUpdateBefore});
          if (random.below(2) == 0) {
            rows.push_back({row.key, row.time, row.n + 1, RowKind::kUpdateAfter});
          }
        }
      }
      expect_model(options, rows, 5, 3);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(WindowAggregateTest, SurvivesRestartsAnywhere) {
  for (const Case& c : sliced_windows()) {
    for (const Emit emit : {Emit::kOnClose, Emit::kOnEndAndLate, Emit::kOnEveryUpdate}) {
      for (const bool subtracts : {true, false}) {
        SCOPED_TRACE(
            fmt::format("{} emit={} subtracts={}", c.name, static_cast<int>(emit), subtracts));
        WindowAggregateOptions options =
            options_for(c.window, subtracts ? count_and_sum() : min_max());
        options.grace_ms = 25;
        options.emit = emit;
        Random random(23);
        const std::vector<Row> rows = random_rows(random, 200, 12, 120);
        const TimeGrain grain = window_time_grain(options.window, 25, emit);
        expect_same_under_chaos(factory_of(options), script_of(rows, 5, grain),
                                /*same_order=*/false, /*seeds=*/2);
      }
    }
  }
}

TEST(WindowAggregateTest, OnEpochTellsWhatTheEpochHasChanged) {
  WindowAggregateOptions options = options_for(tumbling(milliseconds(10)), count_and_sum());
  options.emit = Emit::kOnEpoch;
  options.changelog = Changelog::kUpsert;
  HarnessOptions harness_options;
  harness_options.credit_rows = 1;
  OperatorHarness harness(factory_of(options), harness_options);
  harness.push(batch_of_rows({{"a", 1, 1}, {"b", 2, 1}, {"a", 12, 1}}));
  EXPECT_THAT(harness.take_rows(), IsEmpty());
  harness.seal();
  EXPECT_THAT(texts_of(harness.take_batches()),
              ElementsAre("+I a [0,10) 1 1", "+I b [0,10) 1 1", "+I a [10,20) 1 1"));
  harness.seal();
  EXPECT_THAT(harness.take_rows(), IsEmpty());
  harness.push(batch_of_rows({{"a", 3, 1}, {"c", 3, 1}}));
  harness.advance(10);
  EXPECT_THAT(texts_of(harness.take_batches()), ElementsAre("+U a [0,10) 2 2", "+I c [0,10) 1 1"))
      << "what closes within the epoch is told before it goes";
  harness.restart();
  harness.push(batch_of_rows({{"a", 13, 1}}));
  harness.seal();
  EXPECT_THAT(texts_of(harness.take_batches()), ElementsAre("+U a [10,20) 2 2"));
  harness.finish();
  EXPECT_THAT(harness.take_rows(), IsEmpty());
}

TEST(WindowAggregateTest, PartialAggregatesGiveTheSame) {
  for (const Case& c : sliced_windows()) {
    for (const bool subtracts : {true, false}) {
      for (const std::int64_t max_bytes : {std::int64_t{1} << 20, std::int64_t{1500}}) {
        SCOPED_TRACE(fmt::format("{} subtracts={} max_bytes={}", c.name, subtracts, max_bytes));
        WindowAggregateOptions options =
            options_for(c.window, subtracts ? count_and_sum() : min_max());
        options.grace_ms = 20;
        ASSERT_TRUE(allows_partial_aggregate(options));
        PartialAggregateOptions partial{options.keys,   options.key_types, options.aggregates,
                                        options.window, options.grace_ms,  options.time_column,
                                        max_bytes};
        Random random(29);
        const std::vector<Row> rows = random_rows(random, 2000, 12, 120);
        const Script script =
            script_of(rows, 5, window_time_grain(c.window, 20, options.emit), &random);
        const Outcome whole = run(options, script);

        OperatorHarness before([&] { return make_partial_aggregate(partial); });
        WindowAggregateOptions merging = options;
        merging.merges_partials = true;
        OperatorHarness after(factory_of(merging));
        std::int64_t rows_between = 0;
        const auto hand_on = [&] {
          for (Batch& batch : before.take_batches()) {
            rows_between += batch.num_rows();
            EXPECT_EQ(static_cast<std::size_t>(batch.num_columns()),
                      partial_output_types(partial).size());
            after.push(std::move(batch));
          }
        };
        for (const ScriptStep& step : script) {
          if (step.batch.num_rows() > 0) before.push(step.batch);
          if (step.watermark != kMinWatermark) before.advance(step.watermark);
          hand_on();
          if (step.watermark != kMinWatermark) after.advance(step.watermark);
        }
        before.finish();
        hand_on();
        after.finish();
        EXPECT_EQ(sorted(texts_of(after.take_batches())), sorted(whole.rows));
        EXPECT_EQ(after.counter("rows_late"), whole.rows_late);
        EXPECT_LT(rows_between, 2000);
      }
    }
  }
}

TEST(WindowAggregateTest, PartialAggregationGivesUpWhereItDoesNotShrinkTheStream) {
  PartialAggregateOptions options;
  options.keys = {0};
  options.key_types = {LogicalType::string()};
  options.aggregates = count_and_sum();
  options.window = tumbling(milliseconds(50));
  options.time_column = 1;
  OperatorHarness harness([&] { return make_partial_aggregate(options); });
  std::int64_t key = 0;
  const auto push_distinct = [&] {
    std::vector<Row> rows;
    for (int i = 0; i < 40000; ++i) rows.push_back({std::to_string(key++), 10, 1});
    rows.push_back({"null", kNoTime, 1});
    harness.push(batch_of_rows(rows));
  };
  push_distinct();
  harness.seal();
  std::int64_t rows = 0;
  for (const Batch& batch : harness.take_batches()) rows += batch.num_rows();
  EXPECT_EQ(rows, 40000);
  push_distinct();
  rows = 0;
  for (const Batch& batch : harness.take_batches()) rows += batch.num_rows();
  EXPECT_EQ(rows, 40000) << "passed on at once";
  EXPECT_EQ(harness.counter("rows_null_time"), 2);
}

TEST(WindowAggregateTest, LateRowsGoToTheSideOutputWhole) {
  WindowAggregateOptions options = options_for(tumbling(milliseconds(10)), count_and_sum());
  options.grace_ms = 5;
  options.late_output = 0;
  OperatorHarness harness(factory_of(options));
  harness.push(batch_of_rows({{"a", 3, 1}, {"a", 12, 1}}));
  harness.advance(14);
  harness.push(batch_of_rows({{"a", 9, 7}}));  // behind the watermark, within the grace
  harness.advance(15);
  EXPECT_THAT(texts_of(harness.take_batches()), ElementsAre("+I a [0,10) 2 8"));
  harness.push(batch_of_rows({{"b", 9, 4}, {"b", 15, 2}, {"c", -1, 5}}));
  EXPECT_THAT(harness.take_side(0), ElementsAre("+I[b, 1970-01-01 00:00:00.009, 4]",
                                                "+I[c, 1969-12-31 23:59:59.999, 5]"));
  EXPECT_EQ(harness.counter("rows_late"), 2);
  harness.finish();
  EXPECT_THAT(texts_of(harness.take_batches()),
              UnorderedElementsAre("+I a [10,20) 1 1", "+I b [10,20) 1 2"));
}

TEST(WindowAggregateTest, ARowOfAHopThatIsLateForSomeWindowsCountsInTheOthers) {
  WindowAggregateOptions options =
      options_for(hopping(milliseconds(30), milliseconds(10)), count_and_sum());
  options.late_output = 0;
  OperatorHarness harness(factory_of(options));
  harness.push(batch_of_rows({{"a", 5, 1}, {"a", 15, 1}}));
  harness.advance(20);
  EXPECT_THAT(texts_of(harness.take_batches()),
              ElementsAre("+I a [-20,10) 1 1", "+I a [-10,20) 2 2"));
  harness.push(batch_of_rows({{"a", 5, 100}, {"b", 5, 100}}));
  harness.advance(30);
  EXPECT_THAT(texts_of(harness.take_batches()),
              UnorderedElementsAre("+I a [0,30) 3 102", "+I b [0,30) 1 100"));
  harness.push(batch_of_rows({{"a", 5, 100}}));
  EXPECT_EQ(harness.counter("rows_late"), 1);
  harness.advance(40);
  EXPECT_THAT(texts_of(harness.take_batches()), ElementsAre("+I a [10,40) 1 1"));
}

TEST(WindowAggregateTest, AttachedTimesNullKeysAndNullTimes) {
  WindowAggregateOptions options = options_for(tumbling(milliseconds(10)), count_and_sum());
  OperatorHarness with_column(factory_of(options));
  with_column.push(batch_of_rows({{"null", 3, 1}, {"a", kNoTime, 9}, {"null", 4, 1}}));
  with_column.finish();
  EXPECT_THAT(texts_of(with_column.take_batches()), ElementsAre("+I null [0,10) 2 2"));
  EXPECT_EQ(with_column.counter("rows_null_time"), 1);

  options.time_column = -1;
  OperatorHarness attached(factory_of(options));
  attached.push(with_event_times(batch_of_rows({{"a", 0, 1}, {"b", 0, 2}}), {7, 17}));
  attached.finish();
  const std::vector<Batch> batches = attached.take_batches();
  EXPECT_THAT(texts_of(batches), ElementsAre("+I a [0,10) 1 1", "+I b [10,20) 1 2"));
  EXPECT_EQ(batches[0].event_times()[0], 9) << "the last millisecond of the window";

  OperatorHarness without(factory_of(options));
  EXPECT_EQ(without.try_push(batch_of_rows({{"a", 0, 1}})).code(), ErrorCode::kInvalidPlan);
}

TEST(WindowAggregateTest, WindowsOfManyRowsGoOutInPieces) {
  WindowAggregateOptions options = options_for(tumbling(milliseconds(10)), count_and_sum());
  HarnessOptions harness_options;
  harness_options.credit_rows = 100;
  OperatorHarness harness(factory_of(options), harness_options);
  std::vector<Row> rows;
  for (int i = 0; i < 50000; ++i) rows.push_back({std::to_string(i), i % 20, 1});
  harness.push(batch_of_rows(rows));
  harness.advance(kMaxWatermark);
  std::vector<Batch> batches = harness.take_batches();
  EXPECT_GE(batches.size(), 6u);
  EXPECT_EQ(texts_of(batches).size(), 50000u);
  EXPECT_LE(harness.rows_beyond_credit(), 10000);
}

TEST(WindowAggregateTest, ExtremeTimesDoNotOverflow) {
  for (const Case& c : sliced_windows()) {
    WindowAggregateOptions options = options_for(c.window, count_and_sum());
    options.grace_ms = 1000;
    OperatorHarness harness(factory_of(options));
    harness.push(batch_of_rows({{"a", kMaxWatermark, 1}, {"a", kMinWatermark + 1, 1}}));
    harness.advance(kMinWatermark + 5);
    harness.advance(0);
    harness.advance(kMaxWatermark - 5);
    harness.finish();
  }
}

TEST(WindowAggregateTest, FilteredAggregates) {
  std::vector<BoundAggregate> aggregates = count_and_sum();
  aggregates[1].filter = 3;
  OperatorHarness harness(factory_of(options_for(tumbling(milliseconds(10)), aggregates)));
  Batch batch = batch_of_rows({{"a", 1, 1}, {"a", 2, 10}, {"b", 3, 100}, {"a", 4, 1000}});
  arrow::BooleanBuilder filter;
  ASSERT_TRUE(filter.Append(true).ok() && filter.Append(false).ok() && filter.AppendNull().ok() &&
              filter.Append(true).ok());
  std::vector<ArrayPtr> columns = batch.columns();
  columns.push_back(must(filter));
  harness.push(batch.with_columns(columns));
  harness.finish();
  EXPECT_THAT(texts_of(harness.take_batches()),
              ElementsAre("+I a [0,10) 3 1001", "+I b [0,10) 1 null"));
}

TEST(WindowAggregateTest, WrongOptionsAreErrors) {
  const auto code = [](WindowAggregateOptions options) {
    return make_window_aggregate(std::move(options)).status().code();
  };
  EXPECT_EQ(code(options_for(tumbling(milliseconds(0)), {})), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(options_for(hopping(milliseconds(5), milliseconds(-1)), {})),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(options_for(cumulating(milliseconds(10), milliseconds(3)), {})),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(options_for(session(milliseconds(0)), {})), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(options_for(Window{Window::Kind::kCount, {}, {}, {}, 0}, {})),
            ErrorCode::kInvalidArgument);
  WindowAggregateOptions negative = options_for(tumbling(milliseconds(5)), {});
  negative.grace_ms = -1;
  EXPECT_EQ(code(negative), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace tidegate::window_test
