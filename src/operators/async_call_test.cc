// SPDX-License-Identifier: Apache-2.0
#include "operators/async_call.h"

#include <arrow/array/array_primitive.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <stdexcept>

#include "base/check.h"
#include "base/random.h"
#include "tests/support/operator_harness.h"

namespace tidegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr std::int64_t kNsPerMs = 1'000'000;

const SchemaPtr& schema() {
  static const SchemaPtr kSchema = schema_of("n BIGINT");
  return kSchema;
}

std::int64_t number(const Batch& row) {
  return static_cast<const arrow::Int64Array&>(*row.column(0)).Value(0);
}

Batch numbers(const std::vector<std::int64_t>& values) {
  std::string json;
  for (const std::int64_t value : values)
    json += fmt::format("{}[{}]", json.empty() ? "" : ",", value);
  return batch_of(schema(), "[" + json + "]");
}

/// A service that keeps the calls until the test answers them.
class Service {
 public:
  AsyncCallOptions spec(AsyncOrder order = AsyncOrder::kOrdered) {
    AsyncCallOptions spec;
    spec.function = [this](const Batch& row, AsyncAnswer answer) {
      ++calls_[number(row)];
      open_.emplace_back(number(row), answer);
    };
    spec.input_types = column_types();
    spec.output_types = column_types();
    spec.order = order;
    return spec;
  }
  static std::vector<LogicalType> column_types() { return {LogicalType(TypeKind::kBigInt)}; }

  /// Answers the oldest open call about `n` with n * 10.
  void answer(std::int64_t n) { take(n).complete(numbers({n * 10})); }
  void fail(std::int64_t n, ErrorCode code) { take(n).fail(Status(code, "no")); }
  int calls(std::int64_t n) { return calls_[n]; }
  std::vector<std::int64_t> open() const {
    std::vector<std::int64_t> all;
    for (const auto& call : open_) all.push_back(call.first);
    return all;
  }
  AsyncAnswer take(std::int64_t n) {
    const auto found =
        std::ranges::find_if(open_, [n](const auto& call) { return call.first == n; });
    TG_CHECK(found != open_.end(), "nobody asked for {}", n);
    AsyncAnswer answer = found->second;
    open_.erase(found);
    return answer;
  }

 private:
  std::map<std::int64_t, int> calls_;
  std::vector<std::pair<std::int64_t, AsyncAnswer>> open_;
};

OperatorFactory factory(AsyncCallOptions spec) {
  return [spec = std::move(spec)] { return make_async_call(spec); };
}

/// Lets the operator see answers.
void settle(OperatorHarness& harness) { harness.advance_clock_to(harness.clock().wall_ms()); }

TEST(AsyncCall, OrderedResultsWaitForEarlierOnes) {
  Service service;
  OperatorHarness harness(factory(service.spec()));
  harness.push(numbers({1, 2, 3}));
  service.answer(2);
  settle(harness);
  EXPECT_THAT(harness.take_rows(), IsEmpty());
  service.answer(1);
  settle(harness);
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[10]", "+I[20]"));
}

TEST(AsyncCall, UnorderedResultsLeaveAsTheyCome) {
  Service service;
  OperatorHarness harness(factory(service.spec(AsyncOrder::kUnordered)));
  harness.push(numbers({1, 2, 3}));
  service.answer(3);
  settle(harness);
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[30]"));
  service.answer(1);
  settle(harness);
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[10]"));
}

TEST(AsyncCall, WatermarksWaitForEarlierRows) {
  for (const AsyncOrder order : {AsyncOrder::kOrdered, AsyncOrder::kUnordered}) {
    Service service;
    OperatorHarness harness(factory(service.spec(order)));
    harness.advance(50);
    harness.push(numbers({1}));
    harness.advance(100);
    harness.push(numbers({2}));
    harness.advance(200);
    EXPECT_THAT(harness.take_log(), ElementsAre("W 50"));
    service.answer(2);
    settle(harness);
    EXPECT_THAT(harness.take_log(), IsEmpty());
    service.answer(1);
    settle(harness);
    EXPECT_THAT(harness.take_log(), ElementsAre("+I[10]", "W 100", "+I[20]", "W 200"));
  }
}

TEST(AsyncCall, BoundsTheRowsInside) {
  Service service;
  AsyncCallOptions spec = service.spec();
  spec.capacity = 2;
  OperatorHarness harness(factory(spec));
  // Answers come while the operator is blocked.
  int most = 0;
  for (std::int64_t n = 1; n <= 5; ++n) {
    harness.executor().submit_at(n * kNsPerMs, [&, n] {
      most = std::max(most, static_cast<int>(service.open().size()));
      service.answer(n);
    });
  }
  harness.push(numbers({1, 2, 3, 4, 5}));
  EXPECT_EQ(most, 2);
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[10]", "+I[20]", "+I[30]"));
  harness.finish();
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[40]", "+I[50]"));
}

TEST(AsyncCall, AnswersGivenAtOnceNeverBlock) {
  AsyncCallOptions spec = Service().spec();
  spec.function = [](const Batch& row, AsyncAnswer answer) { answer.complete(row); };
  spec.capacity = 1;
  OperatorHarness harness(factory(spec));
  harness.push(numbers({1, 2, 3}));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[1]", "+I[2]", "+I[3]"));
}

TEST(AsyncCall, NoneOrManyRowsPerAnswerKeepKindAndTime) {
  Service service;
  OperatorHarness harness(factory(service.spec()));
  harness.push(with_event_times(
      with_row_kinds(numbers({1, 2}), {RowKind::kDelete, RowKind::kInsert}), {7, 8}));
  service.take(1).complete(numbers({5, 6}));
  service.take(2).complete(numbers({}));
  settle(harness);
  EXPECT_THAT(harness.take_rows(), ElementsAre("-D[5] @7", "-D[6] @7"));
}

TEST(AsyncCall, OnlyTheFirstAnswerCounts) {
  Service service;
  OperatorHarness harness(factory(service.spec()));
  harness.push(numbers({1}));
  const AsyncAnswer answer = service.take(1);
  answer.complete(numbers({5}));
  answer.complete(numbers({6}));
  answer.fail(Status(ErrorCode::kServiceRefused, "no"));
  settle(harness);
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[5]"));
}

TEST(AsyncCall, TimeOutIsAnErrorThatShowsTheRow) {
  Service service;
  AsyncCallOptions spec = service.spec();
  spec.timeout_ms = 100;
  OperatorHarness harness(factory(spec));
  harness.push(numbers({17}));
  ASSERT_TRUE(harness.try_advance_clock_to(99).is_ok());
  const Status status = harness.try_advance_clock_to(100);
  EXPECT_EQ(status.code(), ErrorCode::kServiceTimeout);
  EXPECT_THAT(status.message(), HasSubstr("row [17]: no answer within 100 ms"));
}

TEST(AsyncCall, TimeOutResultReplacesTheAnswer) {
  Service service;
  AsyncCallOptions spec = service.spec();
  spec.timeout_ms = 100;
  spec.on_timeout = [](const Batch&) { return numbers({-1}); };
  OperatorHarness harness(factory(spec));
  harness.push(numbers({1, 2}));
  service.answer(2);
  harness.advance_clock_to(100);
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[-1]", "+I[20]"));
  EXPECT_EQ(harness.counter("calls_timed_out"), 1);
  service.answer(1);  // too late
  settle(harness);
  EXPECT_THAT(harness.take_rows(), IsEmpty());
}

TEST(AsyncCall, RetriesWithGrowingDelays) {
  Service service;
  AsyncCallOptions spec = service.spec();
  spec.retry.max_attempts = 4;
  spec.retry.delay_ms = 10;
  spec.retry.factor = 2;
  spec.retry.max_delay_ms = 15;
  OperatorHarness harness(factory(spec));
  harness.push(numbers({1}));
  std::vector<std::int64_t> times;
  for (int attempt = 1; attempt <= 3; ++attempt) {
    service.fail(1, ErrorCode::kServiceUnreachable);
    for (std::int64_t t = harness.clock().wall_ms(); service.open().empty(); ++t) {
      harness.advance_clock_to(t);
    }
    times.push_back(harness.clock().wall_ms());
  }
  EXPECT_THAT(times, ElementsAre(10, 25, 40));
  EXPECT_EQ(harness.counter("calls_retried"), 3);
  service.answer(1);
  settle(harness);
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[10]"));
}

TEST(AsyncCall, TheLastFailureStopsTheJob) {
  Service service;
  AsyncCallOptions spec = service.spec();
  spec.retry.max_attempts = 2;
  OperatorHarness harness(factory(spec));
  harness.push(numbers({3}));
  service.fail(3, ErrorCode::kServiceUnreachable);
  settle(harness);
  service.fail(3, ErrorCode::kServiceUnreachable);
  const Status status = harness.try_advance_clock_to(1);
  EXPECT_EQ(status.code(), ErrorCode::kServiceUnreachable);
  EXPECT_THAT(status.message(), HasSubstr("row [3]"));
}

TEST(AsyncCall, OnlyWhatMayPassIsTriedAgain) {
  Service service;
  AsyncCallOptions spec = service.spec();
  spec.retry.max_attempts = 5;
  OperatorHarness harness(factory(spec));
  harness.push(numbers({3}));
  service.fail(3, ErrorCode::kServiceRefused);
  EXPECT_EQ(harness.try_advance_clock_to(1).code(), ErrorCode::kServiceRefused);
  EXPECT_EQ(service.calls(3), 1);
}

TEST(AsyncCall, AnswersMayBeTriedAgain) {
  Service service;
  AsyncCallOptions spec = service.spec();
  spec.retry.max_attempts = 2;
  spec.retry.retry_result = [](const Batch& rows) { return rows.empty(); };
  OperatorHarness harness(factory(spec));
  harness.push(numbers({1, 2}));
  service.take(1).complete(numbers({}));
  service.take(2).complete(numbers({}));
  settle(harness);
  service.answer(1);
  service.take(2).complete(numbers({}));
  settle(harness);
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[10]"));
}

TEST(AsyncCall, TheTimeOutCoversAllAttempts) {
  Service service;
  AsyncCallOptions spec = service.spec();
  spec.timeout_ms = 50;
  spec.retry.max_attempts = 100;
  spec.retry.delay_ms = 20;
  OperatorHarness harness(factory(spec));
  harness.push(numbers({1}));
  for (const std::int64_t t : {20, 40}) {
    service.fail(1, ErrorCode::kServiceUnreachable);
    harness.advance_clock_to(t);
  }
  service.fail(1, ErrorCode::kServiceUnreachable);
  EXPECT_EQ(harness.try_advance_clock_to(50).code(), ErrorCode::kServiceTimeout);
}

TEST(AsyncCall, BadFunctionsAreErrors) {
  AsyncCallOptions throwing = Service().spec();
  throwing.function = [](const Batch&, AsyncAnswer) { throw std::runtime_error("no network"); };
  Status status = OperatorHarness(factory(throwing)).try_push(numbers({4}));
  EXPECT_EQ(status.code(), ErrorCode::kUserFunctionFailed);
  EXPECT_THAT(status.message(), HasSubstr("row [4]"));
  EXPECT_THAT(status.message(), HasSubstr("no network"));

  AsyncCallOptions silent = Service().spec();
  silent.function = [](const Batch&, AsyncAnswer) {};
  status = OperatorHarness(factory(silent)).try_push(numbers({4}));
  EXPECT_EQ(status.code(), ErrorCode::kUserFunctionFailed);
  EXPECT_THAT(status.message(), HasSubstr("without an answer"));

  AsyncCallOptions mistyped = Service().spec();
  mistyped.function = [](const Batch&, AsyncAnswer answer) {
    answer.complete(batch_of(schema_of("n STRING"), R"([["x"]])"));
  };
  EXPECT_EQ(OperatorHarness(factory(mistyped)).try_push(numbers({4})).code(),
            ErrorCode::kTypeMismatch);

  EXPECT_FALSE(make_async_call({}).is_ok());
}

TEST(AsyncCall, BlockingFunctionsRunBesideTheTask) {
  AsyncCallOptions spec = Service().spec();
  spec.blocking = true;
  spec.function = [](const Batch& row, AsyncAnswer answer) { answer.complete(row); };
  OperatorHarness harness(factory(spec));
  harness.push(numbers({1, 2}));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[1]", "+I[2]"));
}

TEST(AsyncCall, AnswersAfterTheEndAreIgnored) {
  Service service;
  { OperatorHarness(factory(service.spec())).push(numbers({1})); }
  service.answer(1);
}

TEST(AsyncCall, FinishWaitsForAllAnswers) {
  Service service;
  OperatorHarness harness(factory(service.spec()));
  harness.push(numbers({1, 2}));
  harness.executor().submit_at(5 * kNsPerMs, [&] { service.answer(1); });
  harness.executor().submit_at(7 * kNsPerMs, [&] { service.answer(2); });
  harness.finish();
  EXPECT_THAT(harness.take_log(), ElementsAre("+I[10]", "+I[20]", "W max"));
}

TEST(AsyncCall, OutstandingRowsAreAskedForAgainAfterARestore) {
  Service service;
  OperatorHarness harness(factory(service.spec()));
  harness.push(with_event_times(numbers({1, 2}), {5, 6}));
  harness.advance(100);
  harness.push(with_event_times(numbers({3}), {107}));
  service.answer(1);
  service.answer(3);
  settle(harness);
  EXPECT_THAT(harness.take_log(), ElementsAre("+I[10] @5"));
  harness.restart();
  EXPECT_EQ(service.calls(1), 1);
  EXPECT_EQ(service.calls(2), 2);
  EXPECT_EQ(service.calls(3), 2);
  service.take(2);  // of the first life
  service.answer(2);
  service.answer(3);
  settle(harness);
  EXPECT_THAT(harness.take_log(), ElementsAre("+I[20] @6", "W 100", "+I[30] @107"));
  harness.restart();
  EXPECT_EQ(service.calls(3), 2);
}

TEST(AsyncCall, RestoredRowsKeepToTheCapacity) {
  Service service;
  AsyncCallOptions spec = service.spec(AsyncOrder::kUnordered);
  spec.capacity = 3;
  OperatorHarness before(factory(spec));
  before.push(numbers({1, 2, 3}));
  before.seal();
  while (!service.open().empty()) service.take(service.open()[0]);

  spec.capacity = 2;
  OperatorHarness after(factory(spec));
  after.restore(before.stored(), kMinWatermark);
  EXPECT_THAT(service.open(), ElementsAre(1, 2));
  service.answer(1);
  settle(after);
  EXPECT_THAT(service.open(), UnorderedElementsAre(2, 3));
  service.answer(2);
  service.answer(3);
  settle(after);
  EXPECT_THAT(after.take_rows(), ElementsAre("+I[10]", "+I[20]", "+I[30]"));
}

/// Answers after a while that depends on the row.
AsyncCallOptions delayed(OperatorHarness*& harness, AsyncOrder order, int capacity) {
  AsyncCallOptions spec = Service().spec(order);
  spec.capacity = capacity;
  spec.function = [&harness](const Batch& row, AsyncAnswer answer) {
    const std::int64_t n = number(row);
    harness->executor().submit_at(harness->clock().monotonic_ns() + n * 7 % 11 * kNsPerMs,
                                  [n, answer] { answer.complete(numbers({n * 10})); });
  };
  return spec;
}

TEST(AsyncCall, ResultsDoNotDependOnCutsOrRestarts) {
  std::vector<std::string> expected;
  for (std::int64_t n = 0; n < 40; ++n) expected.push_back(fmt::format("+I[{}]", n * 10));
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    const AsyncOrder order = seed % 2 == 0 ? AsyncOrder::kOrdered : AsyncOrder::kUnordered;
    Random random(seed);
    OperatorHarness* pointer = nullptr;
    HarnessOptions options;
    options.seed = seed;
    options.credit_rows = seed % 3 == 0 ? 1 : INT64_MAX;
    OperatorHarness harness(factory(delayed(pointer, order, 1 + static_cast<int>(seed % 7))),
                            options);
    pointer = &harness;
    for (std::int64_t n = 0; n < 40;) {
      std::vector<std::int64_t> some;
      for (auto left = 1 + random.below(9); left > 0 && n < 40; --left) some.push_back(n++);
      harness.push(numbers(some));
      if (random.below(3) == 0) harness.advance(n);
      if (random.below(4) == 0) harness.restart(random.below(2) == 0);
    }
    harness.finish();
    std::vector<std::string> rows = harness.take_rows();
    if (order == AsyncOrder::kUnordered) {
      EXPECT_THAT(rows, ::testing::UnorderedElementsAreArray(expected)) << seed;
    } else {
      EXPECT_EQ(rows, expected) << seed;
    }
  }
}

}  // namespace
}  // namespace tidegate
