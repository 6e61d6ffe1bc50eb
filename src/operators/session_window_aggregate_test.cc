// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "operators/window_test_model.h"

namespace tidegate::window_test {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

WindowAggregateOptions session_options(std::int64_t gap_ms) {
  return options_for(session(milliseconds(gap_ms)), {aggregate("COUNT"), aggregate("SUM", {2})});
}

/// Sessions one row at a time.
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
  struct Session {
    std::string key;
    TimeSpan span;
    std::int64_t count = 0;
    std::int64_t sum = 0;
  };

  bool told(TimeSpan span) const {
    return options_.emit == Emit::kOnEveryUpdate ||
           (options_.emit == Emit::kOnEndAndLate && span.end < watermark_);
  }
  bool closed(TimeSpan span) const {
    return watermark_ == kMaxWatermark || span.end + options_.grace_ms < watermark_;
  }
  static std::string text(const Session& session) {
    return fmt::format(" {} [{},{}) {} {}", session.key, session.span.start, session.span.end,
                       session.count, session.sum);
  }

  void add(const Row& row) {
    Session merged{row.key, {row.time, row.time + options_.window.size.count()}, 1, row.n};
    const TimeSpan own = merged.span;
    std::vector<Session> others;
    std::vector<Session> joined;
    for (const Session& session : sessions_) {
      const bool joins = session.key == row.key && sessions_merge(session.span, own);
      (joins ? joined : others).push_back(session);
    }
    if (joined.empty() && closed(own)) {
      ++rows_late;
      return;
    }
    for (const Session& session : joined) {
      merged.span.start = std::min(merged.span.start, session.span.start);
      merged.span.end = std::max(merged.span.end, session.span.end);
      merged.count += session.count;
      merged.sum += session.sum;
    }
    const bool tells_before = options_.changelog != Changelog::kAppend;
    bool updates = false;
    for (const Session& session : joined) {
      if (!tells_before || !told(session.span)) continue;
      updates = session.span == merged.span;
      if (!updates) results.push_back("-D" + text(session));
      if (updates && options_.changelog == Changelog::kRetract) {
        results.push_back("-U" + text(session));
      }
    }
    if (told(merged.span)) results.push_back((updates ? "+U" : "+I") + text(merged));
    others.push_back(merged);
    sessions_ = std::move(others);
  }

  void advance(EventTime watermark) {
    const EventTime before = watermark_;
    watermark_ = watermark;
    std::vector<Session> open;
    for (const Session& session : sessions_) {
      const bool ends = session.span.end < watermark_ && session.span.end >= before;
      const bool fires = (options_.emit == Emit::kOnClose && closed(session.span)) ||
                         (options_.emit == Emit::kOnEndAndLate && ends);
      if (fires) results.push_back("+I" + text(session));
      if (!closed(session.span)) open.push_back(session);
    }
    sessions_ = std::move(open);
  }

  const WindowAggregateOptions& options_;
  std::int64_t delay_ms_;
  EventTime watermark_ = kMinWatermark;
  std::vector<Session> sessions_;
};

TEST(SessionWindowAggregateTest, EqualsTheModel) {
  for (const std::int64_t gap : {5, 12, 40}) {
    for (const std::int64_t grace : {0, 30}) {
      for (const Emit emit : {Emit::kOnClose, Emit::kOnEndAndLate, Emit::kOnEveryUpdate}) {
        for (const Changelog changelog :
             {Changelog::kAppend, Changelog::kUpsert, Changelog::kRetract}) {
          SCOPED_TRACE(fmt::format("gap={} grace={} emit={} changelog={}", gap, grace,
                                   static_cast<int>(emit), static_cast<int>(changelog)));
          WindowAggregateOptions options = session_options(gap);
          options.grace_ms = grace;
          options.emit = emit;
          options.changelog = emit == Emit::kOnClose ? Changelog::kAppend : changelog;
          Random random(31);
          const std::vector<Row> rows = random_rows(random, 600, 12, 90);
          Model model(options, 5);
          model.run(rows);
          for (int how = 0; how < 3; ++how) {
            HarnessOptions harness;
            if (how == 2) harness.credit_rows = 2;
            // Late is what a row is when it comes: the script has a watermark per row.
            const Outcome outcome = run(
                options, script_of(rows, 5, TimeGrain{1, 0}, how > 0 ? &random : nullptr), harness);
            ASSERT_EQ(difference(outcome.rows, model.results), "") << "how=" << how;
            ASSERT_EQ(outcome.rows_late, model.rows_late) << "how=" << how;
          }
        }
      }
    }
  }
}

TEST(SessionWindowAggregateTest, SurvivesRestartsAnywhere) {
  for (const Emit emit : {Emit::kOnClose, Emit::kOnEndAndLate, Emit::kOnEveryUpdate}) {
    SCOPED_TRACE(static_cast<int>(emit));
    WindowAggregateOptions options = session_options(12);
    options.grace_ms = 30;
    options.emit = emit;
    options.changelog = Changelog::kRetract;
    Random random(7);
    const std::vector<Row> rows = random_rows(random, 200, 12, 90);
    expect_same_under_chaos(factory_of(options), script_of(rows, 5, TimeGrain{1, 0}),
                            /*same_order=*/false, /*seeds=*/3);
  }
}

TEST(SessionWindowAggregateTest, ResultsComeInOrderOfEndThenKey) {
  OperatorHarness harness(factory_of(session_options(10)));
  harness.push(batch_of_rows({{"c", 5, 1}, {"b", 5, 1}, {"a", 9, 1}, {"c", 40, 1}, {"b", 3, 1}}));
  harness.advance(30);
  EXPECT_THAT(texts_of(harness.take_batches()),
              ElementsAre("+I b [3,15) 2 2", "+I c [5,15) 1 1", "+I a [9,19) 1 1"));
}

TEST(SessionWindowAggregateTest, RowsAGapApartAreOneSession) {
  OperatorHarness harness(factory_of(session_options(10)));
  harness.push(batch_of_rows({{"a", 5, 1}, {"b", 5, 1}}));
  harness.advance(15);
  harness.push(batch_of_rows({{"a", 15, 1}, {"b", 16, 1}}));
  harness.finish();
  EXPECT_THAT(texts_of(harness.take_batches()),
              ElementsAre("+I b [5,15) 1 1", "+I a [5,25) 2 2", "+I b [16,26) 1 1"));
}

TEST(SessionWindowAggregateTest, ARowBehindTheWatermarkThatReachesAnOpenSessionCounts) {
  WindowAggregateOptions options = session_options(10);
  options.late_output = 0;
  OperatorHarness harness(factory_of(options));
  harness.push(batch_of_rows({{"a", 20, 1}}));
  harness.advance(25);
  harness.push(batch_of_rows({{"a", 12, 1}, {"b", 12, 1}, {"b", 14, 5}}));
  EXPECT_THAT(harness.take_side(0), ElementsAre("+I[b, 1970-01-01 00:00:00.012, 1]",
                                                "+I[b, 1970-01-01 00:00:00.014, 5]"));
  EXPECT_EQ(harness.counter("rows_late"), 2);
  harness.finish();
  EXPECT_THAT(texts_of(harness.take_batches()), ElementsAre("+I a [12,30) 2 2"));
  EXPECT_EQ(harness.state().memory_bytes() < 2000, true);
}

TEST(SessionWindowAggregateTest, RetractionsTakeRowsBack) {
  WindowAggregateOptions options = session_options(10);
  options.retracts = true;
  OperatorHarness harness(factory_of(options));
  harness.push(batch_of_rows({{"a", 1, 5},
                              {"a", 4, 7},
                              {"a", 1, 5, RowKind::kDelete},
                              {"b", 2, 1},
                              {"b", 2, 1, RowKind::kDelete}}));
  harness.finish();
  EXPECT_THAT(texts_of(harness.take_batches()), ElementsAre("+I a [1,14) 1 7"));
}

TEST(SessionWindowAggregateTest, ManySessionsOfOneKeyMergeIntoOne) {
  OperatorHarness harness(factory_of(session_options(10)));
  std::vector<Row> rows;
  for (int i = 0; i < 100; ++i) rows.push_back({"a", i * 20, 1});
  for (int i = 98; i >= 0; --i) rows.push_back({"a", i * 20 + 10, 1});
  harness.push(batch_of_rows(rows));
  harness.finish();
  EXPECT_THAT(texts_of(harness.take_batches()), ElementsAre("+I a [0,1990) 199 199"));
}

TEST(CountWindowAggregateTest, EveryNRowsOfAKey) {
  WindowAggregateOptions options = options_for(Window{Window::Kind::kCount, {}, {}, {}, 3},
                                               {aggregate("COUNT"), aggregate("SUM", {2})});
  Random random(3);
  const std::vector<Row> rows = random_rows(random, 300, 5);
  std::vector<std::string> expected;
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> open;
  for (const Row& row : rows) {
    auto& [count, sum] = open[row.key];
    sum += row.n;
    if (++count == 3) {
      expected.push_back(fmt::format("+I {} 3 {}", row.key, sum));
      open.erase(row.key);
    }
  }
  for (const bool by_row : {false, true}) {
    EXPECT_EQ(run(options, script_of(rows, 0, TimeGrain{0, 0}, nullptr, by_row)).rows, expected);
  }
  expect_same_under_chaos(factory_of(options), script_of(rows, 0, TimeGrain{0, 0}));
}

TEST(CountWindowAggregateTest, TheWindowOfEverythingFiresAtTheEnd) {
  WindowAggregateOptions options = options_for(Window{Window::Kind::kGlobal, {}, {}, {}, 0},
                                               {aggregate("COUNT"), aggregate("SUM", {2})});
  OperatorHarness harness(factory_of(options));
  harness.push(batch_of_rows({{"a", 1, 5}, {"b", 1, 7}, {"a", 9, 1}}));
  harness.advance(1000);
  EXPECT_THAT(harness.take_rows(), IsEmpty());
  harness.restart(true);
  harness.finish();
  EXPECT_THAT(texts_of(harness.take_batches(), false), ElementsAre("+I a 2 6", "+I b 1 7"));

  options.emit = Emit::kOnEveryUpdate;
  options.changelog = Changelog::kRetract;
  OperatorHarness updates(factory_of(options));
  updates.push(batch_of_rows({{"a", 1, 5}, {"a", 9, 1}}));
  updates.finish();
  EXPECT_THAT(texts_of(updates.take_batches(), false),
              ElementsAre("+I a 1 5", "-U a 1 5", "+U a 2 6"));
}

}  // namespace
}  // namespace tidegate::window_test
